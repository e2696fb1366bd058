//! A number that a process keeps over its restarts, and that two processes never have at once.
//!
//! Whoever has the lock of its file knows that the process that wrote the number has ended: the system takes the lock back when
//! a process ends, however it ends. That holds for this very file until the system is started again. In a copy of the folder, on a disk
//! that another machine mounts, or after a restart of the machine the lock proves nothing, and the number is not taken over.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

/// Another one each time the system starts; containers see that of their host.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The lock, until it is dropped.
#[derive(Debug)]
pub struct Identity {
    file: File,
    number: Option<i64>,
    /// The file and the boot for which the lock proves something.
    place: String,
}

impl Identity {
    /// Creates the file where there is none. `None`: another process has it.
    pub fn take(path: &Path) -> io::Result<Option<Self>> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let of_file = file.metadata()?;
        let boot_id = fs::read_to_string(BOOT_ID)?;
        let place = format!("{} {} {}", boot_id.trim(), of_file.dev(), of_file.ino());
        let mut kept = String::new();
        // What a process that was killed in the middle has written is no number.
        file.read_to_string(&mut kept).unwrap_or_default();
        let number = kept.strip_suffix('\n').and_then(|kept| kept.split_once(' '));
        let number =
            number.filter(|(_, kept_in)| *kept_in == place).and_then(|(number, _)| number.parse().ok());
        Ok(Some(Self { file, number, place }))
    }

    /// The number of the process before this one, which has ended.
    pub const fn number(&self) -> Option<i64> {
        self.number
    }

    /// Keeps a number for the next process.
    pub fn keep(&mut self, number: i64) -> io::Result<()> {
        self.number = None;
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(format!("{number} {}\n", self.place).as_bytes())?;
        self.number = Some(number);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_taken_over_once_its_process_has_ended_and_never_from_a_copy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/bot");
        let mut first = Identity::take(&path).unwrap().unwrap();
        assert_eq!(first.number(), None);
        first.keep(7).unwrap();
        assert!(Identity::take(&path).unwrap().is_none(), "it still runs");
        let copy = folder.path().join("copy");
        fs::copy(&path, &copy).unwrap();
        assert_eq!(Identity::take(&copy).unwrap().unwrap().number(), None);
        drop(first);

        let mut second = Identity::take(&path).unwrap().unwrap();
        assert_eq!(second.number(), Some(7));
        second.keep(12_345).unwrap();
        second.keep(8).unwrap();
        drop(second);
        assert_eq!(Identity::take(&path).unwrap().unwrap().number(), Some(8));
    }

    #[test]
    fn what_was_written_before_the_system_started_or_only_half_is_no_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bot");
        let mut identity = Identity::take(&path).unwrap().unwrap();
        identity.keep(77).unwrap();
        drop(identity);
        let kept = fs::read_to_string(&path).unwrap();
        let (_, place) = kept.split_once(' ').unwrap();
        for (content, number) in [
            (kept.clone(), Some(77)),
            (kept.trim_end().to_owned(), None),
            (format!("77 f{place}"), None),
            (String::new(), None),
            ("\u{0}\u{0}".to_owned(), None),
        ] {
            fs::write(&path, &content).unwrap();
            assert_eq!(Identity::take(&path).unwrap().unwrap().number(), number, "{content:?}");
        }
    }
}
