//! The files of this installation: ledger, bus and shop store, each where no server is configured for it.
//!
//! Whoever opens one of them first takes the lock of its folder, shared with every other process that does; a restore takes
//! it alone. A restore that was cut off leaves a mark, and then nothing is opened until it has been run again.

mod ledger_note;

use std::{
    fs::{self, DirBuilder, File, Permissions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use tempfile::NamedTempFile;
use tolov_embedded::backup::StoreFile;
use tolov_kit::env::Env;
use tolov_webhook::{
    config,
    ledger::{LedgerPlace, restore::is_unfinished},
};

use crate::adapters::{BusAddress, Embedded, ShopAddress};

const LOCK: &str = "tolov.lock";
/// There from before the first file is replaced until after the last.
const MARK: &str = "tolov.restoring";
/// What belongs to an SQLite database, beside the file itself.
pub(crate) const SIDE_FILES: [&str; 2] = ["-wal", "-shm"];

/// One kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    Ledger,
    Bus,
    Shop,
}

/// Where the files are.
#[derive(Debug, Clone)]
pub(crate) struct DataFolder {
    ledger: LedgerPlace,
    ledger_path: PathBuf,
    bus: Option<PathBuf>,
    shop: Option<PathBuf>,
}

/// The locks of the folders, until it is dropped.
#[derive(Debug)]
pub(crate) struct DataLock {
    folders: Vec<PathBuf>,
    _files: Vec<File>,
}

impl Part {
    /// The direction of the money: an event that moves on while files are copied one after the other is then in two
    /// copies, where readers know it by its id. The other way round it could be in none.
    pub(crate) const ALL: [Self; 3] = [Self::Ledger, Self::Bus, Self::Shop];

    /// Its name within a backup.
    pub(crate) const fn file_name(self) -> &'static str {
        match self {
            Self::Ledger => "payments.db",
            Self::Bus => StoreFile::Bus.name(),
            Self::Shop => StoreFile::Shop.name(),
        }
    }

    pub(crate) fn from_file_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.file_name() == name)
    }
}

impl DataFolder {
    /// LEDGER_URL or LEDGER_PATH, and DATA_DIR for what AMQP_URL and MONGO_URL name no server for.
    pub(crate) fn from_env(env: &Env) -> Self {
        let bus = match BusAddress::from_env(env, Embedded::Allowed) {
            BusAddress::Embedded(folder) => Some(folder.join(Part::Bus.file_name())),
            BusAddress::RabbitMq(_) => None,
        };
        let shop = match ShopAddress::from_env(env, Embedded::Allowed) {
            ShopAddress::Embedded(folder) => Some(folder.join(Part::Shop.file_name())),
            ShopAddress::MongoDb(_) => None,
        };
        let (ledger, ledger_path) = (config::ledger_place(env), config::ledger_path(env));
        Self { ledger, ledger_path, bus, shop }
    }

    /// A ledger alone. `beside`: its file, or the one that it has been.
    pub(crate) fn of_ledger(ledger: &LedgerPlace, beside: &Path) -> Self {
        Self { ledger: ledger.clone(), ledger_path: beside.to_owned(), bus: None, shop: None }
    }

    pub(crate) const fn ledger(&self) -> &LedgerPlace {
        &self.ledger
    }

    /// LEDGER_PATH. Wherever the ledger is, the operators' journal and the notes of the last audit and backup are beside it.
    pub(crate) fn ledger_path(&self) -> &Path {
        &self.ledger_path
    }

    /// `None`: a server has it.
    pub(crate) fn file(&self, part: Part) -> Option<&Path> {
        match part {
            Part::Ledger => match &self.ledger {
                LedgerPlace::File(path) => Some(path),
                LedgerPlace::Postgres(_) => None,
            },
            Part::Bus => self.bus.as_deref(),
            Part::Shop => self.shop.as_deref(),
        }
    }

    /// Those whose files are there.
    pub(crate) fn existing_parts(&self) -> Vec<Part> {
        Part::ALL.into_iter().filter(|part| self.file(*part).is_some_and(Path::exists)).collect()
    }

    /// Of the files that are there, without what SQLite has beside them.
    pub(crate) fn size_bytes(&self) -> u64 {
        let files = Part::ALL.iter().filter_map(|part| self.file(*part));
        files.filter_map(|file| fs::metadata(file).ok()).map(|metadata| metadata.len()).sum()
    }

    /// Before these parts are opened. Refused while a restore runs, and after one that was cut off.
    pub(crate) fn share(&self, parts: &[Part]) -> Result<DataLock> {
        let lock = self.lock(parts, |file, folder| match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => {
                bail!("a restore is replacing the files in {}; wait until it has ended", folder.display())
            }
            locked => Ok(locked?),
        })?;
        self.refuse_half_restored(parts)?;
        if parts.contains(&Part::Ledger) {
            self.refuse_second_ledger()?;
        }
        self.make_private(parts)?;
        Ok(lock)
    }

    /// After a restore that was cut off, a file may be neither the old nor the new one.
    pub(crate) fn refuse_half_restored(&self, parts: &[Part]) -> Result<()> {
        for part in parts {
            let Some(file) = self.file(*part) else { continue };
            let is_marked = folder_of(file).join(MARK).exists();
            ensure!(
                !(is_marked || *part == Part::Ledger && is_unfinished(file)),
                "a restore of {} was cut off half-way; run `tolov restore` again with the same backup",
                file.display()
            );
        }
        Ok(())
    }

    /// Before these parts are replaced. Refused while any process has a file in their folders open.
    pub(crate) fn seize(&self, parts: &[Part]) -> Result<DataLock> {
        self.lock(parts, |file, folder| match file.try_lock() {
            Err(TryLockError::WouldBlock) => bail!(
                "another process works with the files in {}: stop the services and other tolov commands first",
                folder.display()
            ),
            locked => Ok(locked?),
        })
    }

    fn lock(&self, parts: &[Part], take: impl Fn(&File, &Path) -> Result<()>) -> Result<DataLock> {
        let mut folders = Vec::new();
        for file in parts.iter().filter_map(|part| self.file(*part)) {
            let folder = folder_of(file);
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
                .with_context(|| format!("cannot create the folder {}", folder.display()))?;
            folders.push(folder.canonicalize()?);
        }
        folders.sort();
        folders.dedup();
        let mut files = Vec::new();
        for folder in &folders {
            let path = folder.join(LOCK);
            let file = File::options().create(true).append(true).open(&path).with_context(|| {
                format!("cannot open {}: run this command as the user that owns the folder", path.display())
            })?;
            give_to_owner_of(folder, &path)?;
            take(&file, folder)?;
            files.push(file);
        }
        Ok(DataLock { folders, _files: files })
    }

    /// Releases before this one left the embedded files readable for everybody.
    fn make_private(&self, parts: &[Part]) -> Result<()> {
        for file in parts.iter().filter_map(|part| self.file(*part)) {
            for path in SIDE_FILES.iter().map(|ending| with_ending(file, ending)).chain([file.to_owned()]) {
                let Ok(metadata) = fs::metadata(&path) else { continue };
                let is_ours = metadata.uid() == rustix::process::geteuid().as_raw();
                if is_ours && metadata.permissions().mode() & 0o077 != 0 {
                    fs::set_permissions(&path, Permissions::from_mode(0o600))
                        .with_context(|| format!("cannot change the mode of {}", path.display()))?;
                }
            }
        }
        Ok(())
    }
}

impl DataLock {
    /// From here until [`DataLock::unmark`] nothing opens the files, also after a crash.
    pub(crate) fn mark(&self) -> Result<()> {
        for folder in &self.folders {
            let mark = folder.join(MARK);
            File::create(&mark).with_context(|| format!("cannot write {}", mark.display()))?;
            sync_folder(folder)?;
        }
        Ok(())
    }

    pub(crate) fn unmark(&self) -> Result<()> {
        for folder in &self.folders {
            remove_if_there(&folder.join(MARK))?;
        }
        Ok(())
    }
}

fn remove_if_there(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => {
            removed.with_context(|| format!("cannot delete {}", file.display()))?;
            sync_folder(folder_of(file))
        }
    }
}

pub(crate) fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The path with something behind its name.
pub(crate) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    PathBuf::from(path)
}

/// Replaces a small file beside another one, as a whole and with its owner: a reader sees the old or the new one.
pub(crate) fn replace_beside(
    file: &Path,
    ending: &str,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<()> {
    let mut new = NamedTempFile::new_in(folder_of(file))
        .with_context(|| format!("cannot write beside {}", file.display()))?;
    fill(new.as_file_mut())?;
    give_to_owner_of(file, new.path())?;
    new.persist(with_ending(file, ending))?;
    Ok(())
}

/// Makes renames in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .with_context(|| format!("the folder {} could not be written to the disk", folder.display()))
}

/// A command that root runs must leave files that the service can write.
pub(crate) fn give_to_owner_of(model: &Path, file: &Path) -> Result<()> {
    let model = fs::metadata(model).or_else(|_| fs::metadata(folder_of(model)))?;
    let own = fs::metadata(file)?;
    if (own.uid(), own.gid()) == (model.uid(), model.gid()) || !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    std::os::unix::fs::chown(file, Some(model.uid()), Some(model.gid()))
        .with_context(|| format!("cannot give {} to the user of the service", file.display()))
}

/// Refuses to begin what would fill the disk. `needed_bytes` more will be written below `folder`.
pub(crate) fn ensure_free(folder: &Path, needed_bytes: u64) -> Result<()> {
    let free = free_bytes(folder)?;
    ensure!(
        free > needed_bytes,
        "the disk of {} has {} MB free, and about {} MB are needed",
        folder.display(),
        free >> 20,
        (needed_bytes >> 20) + 1
    );
    Ok(())
}

/// What an unprivileged process can still write on the disk of a folder.
pub(crate) fn free_bytes(folder: &Path) -> Result<u64> {
    let disk = rustix::fs::statvfs(folder)
        .with_context(|| format!("cannot ask for the free space of {}", folder.display()))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn data(folder: &Path) -> DataFolder {
        let variables =
            [("LEDGER_PATH", folder.join("payments.db")), ("DATA_DIR", folder.join("tolov-data"))];
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        DataFolder::from_env(&Env::new(variables.map(|(name, path)| (name.to_owned(), text(path)))))
    }

    #[test]
    fn many_processes_share_the_files_and_a_restore_has_them_alone() {
        let folder = tempfile::tempdir().unwrap();
        let data = data(folder.path());
        let service = data.share(&Part::ALL).unwrap();
        let import = data.share(&[Part::Shop]).unwrap();
        let refused = data.seize(&Part::ALL).unwrap_err().to_string();
        assert!(refused.contains("another process"), "{refused}");
        drop(service);
        assert!(data.seize(&Part::ALL).is_err(), "an import is still at work");
        drop(import);
        let restore = data.seize(&Part::ALL).unwrap();
        for part in Part::ALL {
            let refused = data.share(&[part]).unwrap_err().to_string();
            assert!(refused.contains("a restore is replacing"), "{refused}");
        }
        drop(restore);
        data.share(&Part::ALL).unwrap();
    }

    #[test]
    fn after_a_restore_that_was_cut_off_nothing_is_opened_until_it_is_run_again() {
        let folder = tempfile::tempdir().unwrap();
        let data = data(folder.path());
        let restore = data.seize(&Part::ALL).unwrap();
        restore.mark().unwrap();
        drop(restore);
        for part in Part::ALL {
            let refused = data.share(&[part]).unwrap_err().to_string();
            assert!(refused.contains("run `tolov restore` again"), "{refused}");
        }
        let again = data.seize(&Part::ALL).unwrap();
        again.unmark().unwrap();
        drop(again);
        data.share(&Part::ALL).unwrap();
    }

    #[test]
    fn the_folder_is_its_owners_alone_and_so_are_files_that_were_not() {
        let folder = tempfile::tempdir().unwrap();
        let data = data(folder.path());
        drop(data.share(&Part::ALL).unwrap());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let embedded = folder.path().join("tolov-data");
        assert_eq!(mode(&embedded), 0o700);
        for name in ["shop.db", "shop.db-wal"] {
            fs::write(embedded.join(name), "").unwrap();
            fs::set_permissions(embedded.join(name), Permissions::from_mode(0o644)).unwrap();
        }
        drop(data.share(&Part::ALL).unwrap());
        assert_eq!((mode(&embedded.join("shop.db")), mode(&embedded.join("shop.db-wal"))), (0o600, 0o600));
    }

    #[test]
    fn what_the_disk_has_no_room_for_is_refused_before_it_begins() {
        let folder = tempfile::tempdir().unwrap();
        assert!(ensure_free(folder.path(), 1).is_ok());
        let refused = ensure_free(folder.path(), u64::MAX - 1).unwrap_err().to_string();
        assert!(refused.contains("MB free"), "{refused}");
    }
}
