//! Faults at named points of a real process: checks/faults/faults.c, preloaded into it.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use tempfile::TempDir;

use crate::processes::repository;

/// What happens next in one process.
pub(crate) struct Faults {
    file: PathBuf,
}

impl Faults {
    /// For a process with these variables; until a fault is set, it runs as any other.
    pub(crate) fn of(name: &str, folder: &Path) -> Self {
        Self { file: folder.join(format!("{name}.fault")) }
    }

    pub(crate) fn environment(&self) -> [(String, String); 2] {
        let file = self.file.to_str().unwrap().to_owned();
        [("LD_PRELOAD".to_owned(), library().to_owned()), ("FAULT_FILE".to_owned(), file)]
    }

    /// kill -9 when the process is at the point for the nth time from now on.
    pub(crate) fn kill_at(&self, point: &str, nth: u32) {
        self.set(&format!("kill {point} {nth}"));
    }

    /// From now on `action`, as EIO, is what the disk answers at the point.
    pub(crate) fn fail_at(&self, point: &str, action: &str) {
        self.set(&format!("{action} {point} 0"));
    }

    fn set(&self, fault: &str) {
        let new = self.file.with_extension("new");
        std::fs::write(&new, fault).unwrap();
        std::fs::rename(new, &self.file).unwrap();
    }

    pub(crate) fn end(&self) {
        std::fs::remove_file(&self.file).ok();
    }

    /// The process deletes the file before it dies.
    pub(crate) fn has_killed(&self) -> bool {
        !self.file.exists()
    }
}

/// Built once for all tests of this process.
fn library() -> &'static str {
    static LIBRARY: OnceLock<(TempDir, String)> = OnceLock::new();
    let (_, path) = LIBRARY.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("faults.so");
        let source = repository().join("checks/faults/faults.c");
        let built =
            Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).status();
        assert!(built.unwrap().success(), "a C compiler is needed (cc)");
        let path = library.to_str().unwrap().to_owned();
        (folder, path)
    });
    path
}
