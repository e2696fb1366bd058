//! One SQLite file: durable at every commit, written through one connection, read through a few others.

use std::{
    fs::{DirBuilder, File, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection, SqliteConnection, SqlitePool,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};
use tolov_domain::ports::PortError;

/// Older versions can lose a committed WAL (sqlite.org/wal.html#walresetbug).
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);
/// How long to wait while another process (the operator's tools, a backup) holds the file.
const BUSY_LIMIT: Duration = Duration::from_secs(5);
/// How long a caller waits for the writing connection or for one that reads.
const TURN_LIMIT: Duration = Duration::from_secs(10);
const READERS_MAX: u32 = 3;
/// After a long read the WAL shrinks to this size (16 MiB).
const WAL_KEPT_BYTES: &str = "16777216";

/// How a transaction that writes begins. One that begins with a read and upgrades fails under contention.
pub(crate) const BEGIN_WRITING: &str = "BEGIN IMMEDIATE";

#[derive(Debug)]
pub(crate) struct SqliteFile {
    path: PathBuf,
    /// `None` until it is opened again, and after the close.
    writer: Mutex<Option<SqliteConnection>>,
    /// The writing connection failed in a way after which its memory may differ from the disk.
    is_writer_in_doubt: AtomicBool,
    is_closed: AtomicBool,
    readers: SqlitePool,
}

impl SqliteFile {
    /// Opens the file, which is created where it is missing, and brings its schema up to date.
    pub(crate) async fn open(path: PathBuf, migrator: Migrator) -> Result<Self, PortError> {
        create_for_owner(&path).map_err(|error| {
            PortError::Refused(format!(
                "{} cannot be created: {error}; name another folder or change its owner",
                path.display()
            ))
        })?;
        // The settings are checked before anything is written.
        let mut writer = connect_writer(&path).await?;
        migrate(&path, &mut writer, migrator).await?;
        Ok(Self::with_writer(path, writer))
    }

    /// Opens a file that another process may have open, with the schema that it has.
    pub(crate) async fn open_beside(path: PathBuf) -> Result<Self, PortError> {
        if !path.exists() {
            return Err(PortError::Refused(format!(
                "{} is not there; name the data folder of a shop that has run before",
                path.display()
            )));
        }
        let writer = connect_writer(&path).await?;
        Ok(Self::with_writer(path, writer))
    }

    fn with_writer(path: PathBuf, writer: SqliteConnection) -> Self {
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .read_only(true)
            .busy_timeout(BUSY_LIMIT)
            .thread_name(thread_names(&path))
            .disable_statement_logging();
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS_MAX)
            .acquire_timeout(TURN_LIMIT)
            // A file does not go away as a server does, and a ping costs as much as a query.
            .test_before_acquire(false)
            .connect_lazy_with(options);
        let writer = Mutex::new(Some(writer));
        Self { path, writer, is_writer_in_doubt: false.into(), is_closed: false.into(), readers }
    }

    /// Waits for the writing connection.
    pub(crate) async fn writer(&self) -> Result<MappedMutexGuard<'_, SqliteConnection>, PortError> {
        let waiting = tokio::time::timeout(TURN_LIMIT, self.writer.lock());
        let mut writer = waiting.await.map_err(|_| self.unavailable("has too many waiting writers"))?;
        if self.is_closed.load(Ordering::Acquire) {
            return Err(self.unavailable("is closed"));
        }
        if self.is_writer_in_doubt.swap(false, Ordering::AcqRel) {
            *writer = None;
        }
        if writer.is_none() {
            tracing::warn!(path = %self.path.display(), "reopening the writing connection");
            *writer = Some(connect_writer(&self.path).await?);
        }
        MutexGuard::try_map(writer, Option::as_mut).map_err(|_| self.unavailable("is closed"))
    }

    /// For queries. They see every commit that returned before.
    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    /// Sorts an error by what the caller can do, and marks the writing connection when it cannot be trusted any more.
    pub(crate) fn failed(&self, error: &sqlx::Error) -> PortError {
        if is_connection_in_doubt(error) {
            self.is_writer_in_doubt.store(true, Ordering::Release);
        }
        port_error(&self.path, error)
    }

    /// Writes the log back into the file and closes every connection. Calls after it are `Unavailable`.
    pub(crate) async fn close(&self) -> Result<(), PortError> {
        self.is_closed.store(true, Ordering::Release);
        self.readers.close().await;
        let writer = self.writer.lock().await.take();
        match writer {
            Some(connection) => connection.close().await.map_err(|error| port_error(&self.path, &error)),
            None => Ok(()),
        }
    }

    fn unavailable(&self, what: &str) -> PortError {
        PortError::Unavailable(format!("{} {what}", self.path.display()))
    }
}

/// A schema that a newer release has extended is used as it is, so that a release can be rolled back, unless the file says
/// otherwise: `user_version` is the oldest migration that a program must know (migrations/README.md).
async fn migrate(
    path: &Path,
    writer: &mut SqliteConnection,
    mut migrator: Migrator,
) -> Result<(), PortError> {
    let refused = |reason: &dyn std::fmt::Display| {
        PortError::Refused(format!(
            "{}: the schema cannot be brought up to date: {reason}; run a program at least as new as the one that \
             wrote the file last",
            path.display()
        ))
    };
    let known = migrator.iter().map(|migration| migration.version).max().unwrap_or(0);
    let needed = sqlx::query_scalar("PRAGMA user_version").fetch_one(writer).await;
    let needed: i64 = needed.map_err(|error| port_error(path, &error))?;
    if needed > known {
        return Err(refused(&format_args!("it needs migration {needed}, this program knows {known}")));
    }
    migrator.set_ignore_missing(true);
    // Through a pool, because the future of migrations on a single connection is not `Send`.
    let migrating = SqlitePoolOptions::new().max_connections(1).connect_lazy_with(writing(path));
    let migrated = migrator.run(&migrating).await;
    migrating.close().await;
    migrated.map_err(|error| refused(&error))
}

/// The stores hold phones and addresses, so only their owner may read them, whatever the umask is. SQLite gives its files
/// beside this one the same mode. A file or folder that exists keeps its mode.
fn create_for_owner(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    match File::create_new(path) {
        Ok(file) => file.set_permissions(Permissions::from_mode(0o600)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn writing(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("journal_size_limit", WAL_KEPT_BYTES)
        .busy_timeout(BUSY_LIMIT)
        .thread_name(thread_names(path))
        .disable_statement_logging()
}

/// `shop-3`: whoever looks at the process sees which file its threads work on.
fn thread_names(path: &Path) -> impl Fn(u64) -> String + Send + Sync + use<> {
    let file = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    move |number| format!("{file}-{number}")
}

/// Opens a connection and reads back the settings that durability depends on.
async fn connect_writer(path: &Path) -> Result<SqliteConnection, PortError> {
    let failed = |error: sqlx::Error| port_error(path, &error);
    let mut connection = writing(path).connect().await.map_err(failed)?;
    let settings = sqlx::query_as(
        "SELECT sqlite_version(), (SELECT journal_mode FROM pragma_journal_mode),
                (SELECT synchronous FROM pragma_synchronous), (SELECT foreign_keys FROM pragma_foreign_keys)",
    );
    let (version, journal_mode, synchronous, foreign_keys): (String, String, i64, i64) =
        settings.fetch_one(&mut connection).await.map_err(failed)?;
    if !is_new_enough(&version) {
        let (major, minor, fix) = OLDEST_SQLITE;
        return Err(PortError::Refused(format!(
            "SQLite {version} can lose what was committed; build with {major}.{minor}.{fix} or newer"
        )));
    }
    if journal_mode != "wal" || synchronous != 2 || foreign_keys != 1 {
        return Err(PortError::Refused(format!(
            "{}: journal_mode={journal_mode}, synchronous={synchronous}, foreign_keys={foreign_keys} where wal, 2 \
             and 1 are needed; put the file on a local disk",
            path.display()
        )));
    }
    Ok(connection)
}

fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.split('.').map_while(|part| part.parse::<u32>().ok());
    let version = (numbers.next(), numbers.next(), numbers.next());
    let (major, minor, patch) = OLDEST_SQLITE;
    version >= (Some(major), Some(minor), Some(patch))
}

/// SQLite's primary result code, where the error is one of SQLite's.
fn result_code(error: &sqlx::Error) -> Option<i32> {
    let extended: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(extended & 0xff)
}

const SQLITE_BUSY: i32 = 5;
const SQLITE_LOCKED: i32 = 6;
const SQLITE_READONLY: i32 = 8;
const SQLITE_INTERRUPT: i32 = 9;
const SQLITE_IOERR: i32 = 10;
const SQLITE_CORRUPT: i32 = 11;
const SQLITE_FULL: i32 = 13;
const SQLITE_CANTOPEN: i32 = 14;
const SQLITE_NOTADB: i32 = 26;

/// After an I/O error the pages in memory may not be those on the disk.
fn is_connection_in_doubt(error: &sqlx::Error) -> bool {
    matches!(result_code(error), Some(SQLITE_IOERR | SQLITE_CORRUPT)) || error.as_database_error().is_none()
}

pub(crate) fn port_error(path: &Path, error: &sqlx::Error) -> PortError {
    let path = path.display();
    match result_code(error) {
        Some(SQLITE_BUSY | SQLITE_LOCKED | SQLITE_INTERRUPT) => {
            PortError::Unavailable(format!("{path}: another process holds it: {error}"))
        }
        Some(SQLITE_FULL) => PortError::Unavailable(format!("{path}: the disk is full: {error}")),
        Some(SQLITE_IOERR | SQLITE_CANTOPEN) => {
            PortError::Unavailable(format!("{path}: the disk failed: {error}"))
        }
        Some(SQLITE_READONLY) => {
            PortError::Refused(format!("{path} cannot be written: {error}; change its owner or its folder's"))
        }
        Some(SQLITE_CORRUPT | SQLITE_NOTADB) => {
            PortError::Refused(format!("{path} is damaged: {error}; restore a backup"))
        }
        Some(_) => PortError::Refused(format!("{path}: {error}; this is a bug, report it")),
        // From the connection's thread, the pool or the file system.
        None => PortError::Unavailable(format!("{path}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlite_that_can_lose_a_commit_is_refused() {
        for version in ["3.51.3", "3.51.10", "3.52.0", "4.0.0"] {
            assert!(is_new_enough(version), "{version}");
        }
        for version in ["3.51.2", "3.50.9", "3.9.99", "", "new"] {
            assert!(!is_new_enough(version), "{version}");
        }
    }

    async fn open(path: PathBuf) -> Result<SqliteFile, PortError> {
        SqliteFile::open(path, sqlx::migrate!("migrations/shop")).await
    }

    async fn file() -> (SqliteFile, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        (open(folder.path().join("shop.db")).await.unwrap(), folder)
    }

    async fn fill(file: &SqliteFile) -> Result<(), PortError> {
        let mut writer = file.writer().await?;
        // More than fits on the pages that are there.
        let filled = sqlx::query(
            "INSERT INTO documents (collection, key, version, body)
             VALUES ('orders', 1, 1, json_quote(hex(zeroblob(100000))))",
        );
        filled.execute(&mut *writer).await.map(drop).map_err(|error| file.failed(&error))
    }

    #[tokio::test]
    async fn a_full_disk_is_unavailable_until_there_is_space() {
        let (file, _folder) = file().await;
        let limit = async |pages: &'static str| {
            sqlx::query(pages).execute(&mut *file.writer().await.unwrap()).await.unwrap();
        };
        limit("PRAGMA max_page_count = 1").await;
        let error = fill(&file).await.unwrap_err();
        assert!(error.is_unavailable() && error.to_string().contains("full"), "{error}");
        limit("PRAGMA max_page_count = 100000").await;
        assert_eq!(fill(&file).await, Ok(()));
    }

    #[tokio::test]
    async fn a_writer_in_doubt_is_replaced_before_the_next_write() {
        let (file, _folder) = file().await;
        let mark = "PRAGMA cache_size = 77";
        let cache_size = async || {
            let size = sqlx::query_scalar("SELECT cache_size FROM pragma_cache_size");
            let size: i64 = size.fetch_one(&mut *file.writer().await.unwrap()).await.unwrap();
            size
        };
        sqlx::query(mark).execute(&mut *file.writer().await.unwrap()).await.unwrap();
        assert_eq!(cache_size().await, 77);
        assert!(file.failed(&sqlx::Error::WorkerCrashed).is_unavailable());
        assert_ne!(cache_size().await, 77, "another connection");
        assert_eq!(fill(&file).await, Ok(()));
    }

    #[tokio::test]
    async fn a_file_that_another_process_holds_is_unavailable() {
        let (file, _folder) = file().await;
        let mut other = connect_writer(&file.path).await.unwrap();
        let mut impatient = writing(&file.path).busy_timeout(Duration::ZERO).connect().await.unwrap();
        let _held = other.begin_with(BEGIN_WRITING).await.unwrap();
        let error = impatient.begin_with(BEGIN_WRITING).await.map(drop).unwrap_err();
        assert!(file.failed(&error).is_unavailable(), "{error}");
    }

    #[tokio::test]
    async fn a_row_that_the_schema_forbids_is_refused() {
        let (file, _folder) = file().await;
        let mut writer = file.writer().await.unwrap();
        let negative = sqlx::query("INSERT INTO counters (name, value) VALUES ('orders', -1)");
        let error = negative.execute(&mut *writer).await.unwrap_err();
        assert!(matches!(file.failed(&error), PortError::Refused(_)));
    }

    #[tokio::test]
    async fn files_and_the_folder_that_is_created_are_for_their_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let file = open(data.join("shop.db")).await.unwrap();
        fill(&file).await.unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&data), 0o700);
        for name in ["shop.db", "shop.db-wal", "shop.db-shm"] {
            assert_eq!(mode(&data.join(name)), 0o600, "{name}");
        }
        file.close().await.unwrap();
        std::fs::set_permissions(data.join("shop.db"), Permissions::from_mode(0o640)).unwrap();
        let _reopened = open(data.join("shop.db")).await.unwrap();
        assert_eq!(mode(&data.join("shop.db")), 0o640, "an operator's choice stays");
    }
}
