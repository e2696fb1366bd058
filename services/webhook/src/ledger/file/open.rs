//! Opening the file: settings are made, read back, and refused when they could lose a committed payment.

use std::{
    fs::{File, TryLockError},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{backup::BackupError, restore::is_unfinished};
use crate::ledger::{
    LedgerError,
    read::pool::{Pool, Readers, RelayReader},
};

/// Why the ledger cannot be opened, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the ledger {path} cannot be opened: {source}; check LEDGER_PATH and the rights of its folder")]
    File { path: PathBuf, source: std::io::Error },
    #[error("the ledger {0} is open in another process; two writers would fight: stop one of them")]
    Locked(PathBuf),
    #[error("a restore of the ledger {0} was cut off half-way; run `tolov restore` again")]
    HalfRestored(PathBuf),
    #[error("{0} is a database of another program and stays as it is: name a file of its own in LEDGER_PATH")]
    Foreign(PathBuf),
    #[error(
        "the database that LEDGER_URL names is of another program and stays as it is: name one of its own"
    )]
    ForeignDatabase,
    #[error("SQLite {0} can lose committed data in WAL mode; build with 3.51.3 or newer")]
    Version(String),
    #[error("the ledger runs with {setting}={found}, but only {wanted} keeps a payment over a power cut")]
    Setting { setting: &'static str, found: String, wanted: &'static str },
    #[error("this PostgreSQL is {0}; the ledger needs 14 or newer")]
    PostgresVersion(String),
    #[error("this PostgreSQL is a standby, which only reads; LEDGER_URL must name the primary")]
    Standby,
    #[error(
        "this ledger was moved to {to} by `tolov ledger copy`, and what is paid since then is there alone: name that place in \
         LEDGER_URL or LEDGER_PATH. Should nothing be there, because the copy was cut off, repeat the same command"
    )]
    Moved { to: String },
    #[error(
        "a restore of this ledger was cut off half-way; run `tolov ledger restored` again, with the same TIME"
    )]
    Restoring,
    #[error(
        "there is no ledger in the database that LEDGER_URL names; the webhook service creates it when it starts"
    )]
    NoLedger,
    #[error(transparent)]
    Schema(#[from] SchemaError),
    #[error(transparent)]
    Read(#[from] BackupError),
    #[error("the ledger cannot be opened: {0}")]
    Sql(#[from] sqlx::Error),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Why a file's schema cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    #[error(
        "a newer Tolov has changed the ledger so that this one would damage it (it needs schema {needed}, this version \
         knows {known}): install the newer version again"
    )]
    TooNew { needed: i64, known: i64 },
    #[error("the ledger's schema cannot be read")]
    Unreadable(#[from] sqlx::Error),
    #[error("the ledger's schema cannot be brought up to date")]
    Migration(#[from] sqlx::migrate::MigrateError),
}

pub(crate) struct Opened {
    pub(crate) writer: SqliteConnection,
    /// To connect anew after trouble with the disk.
    pub(crate) options: SqliteConnectOptions,
    pub(crate) readers: Readers,
    /// Held as long as the writer lives.
    pub(crate) lock: File,
}

const REQUEST_READERS: u32 = 4;
/// A WAL that grew beyond this during a long read is cut back to it afterwards: 16 MiB.
const WAL_KEPT_BYTES: &str = "16777216";
/// Shorter than a caller waits for its answer, so that the caller hears what became of its commit.
const BUSY_TIMEOUT: Duration = Duration::from_secs(3);
/// The first version without the WAL-reset bug (sqlite.org/wal.html, "The WAL-Reset Bug").
const OLDEST_SQLITE: [u32; 3] = [3, 51, 3];

pub(crate) async fn open(path: &Path) -> Result<Opened, OpenError> {
    let lock = lock(path)?;
    if is_unfinished(path) {
        return Err(OpenError::HalfRestored(path.to_owned()));
    }
    make_for_owner_alone(path)?;
    refuse_foreign(path).await?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("journal_size_limit", WAL_KEPT_BYTES)
        .pragma("temp_store", "memory")
        .busy_timeout(BUSY_TIMEOUT)
        .thread_name(|number| format!("ledger-{number}"))
        .disable_statement_logging();
    let mut writer = options.connect().await?;
    let version = check_version(&mut writer).await?;
    check_setting(&mut writer, "journal_mode", "wal").await?;
    check_setting(&mut writer, "synchronous", "2").await?;
    check_setting(&mut writer, "foreign_keys", "1").await?;
    migrate(&mut writer).await?;
    let read_only = options.clone().read_only(true).create_if_missing(false);
    let readers = Readers {
        requests: Pool::Sqlite(pool(&read_only, REQUEST_READERS).await?),
        relay: RelayReader::Sqlite(pool(&read_only, 1).await?),
        status: Pool::Sqlite(pool(&read_only, 1).await?),
    };
    tracing::info!(path = %path.display(), sqlite = version, "ledger open: WAL, synchronous=FULL");
    Ok(Opened { writer, options, readers, lock })
}

/// Brings the schema up to date. One that a newer version has extended is used as it is, so that a release can be rolled
/// back, unless the file says otherwise: `user_version` is the oldest migration that a program must know
/// (migrations/README.md).
pub(crate) async fn migrate(connection: &mut SqliteConnection) -> Result<(), SchemaError> {
    let mut migrator = sqlx::migrate!();
    let known = migrator.iter().map(|migration| migration.version).max().unwrap_or(0);
    let needed: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection).await?;
    if needed > known {
        return Err(SchemaError::TooNew { needed, known });
    }
    migrator.set_ignore_missing(true);
    Ok(migrator.run(connection).await?)
}

async fn pool(options: &SqliteConnectOptions, connections: u32) -> Result<SqlitePool, sqlx::Error> {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(5))
        // A file does not go away as a server does, and a ping costs as much as a query.
        .test_before_acquire(false)
        .connect_with(options.clone())
        .await
}

/// One writing process a file: the writer may then trust what it has read.
pub(crate) fn lock(path: &Path) -> Result<File, OpenError> {
    let file_error = |source| OpenError::File { path: path.to_owned(), source };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(file_error)?;
    }
    let lock = File::create(beside(path, ".lock")).map_err(file_error)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(file_error(source)),
    }
}

/// Who bought what is nobody else's business; SQLite gives the files beside it the same rights.
fn make_for_owner_alone(path: &Path) -> Result<(), OpenError> {
    match File::options().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(OpenError::File { path: path.to_owned(), source }),
    }
}

/// Before anything is set: the payment server of the Python system calls its file payments.db too.
async fn refuse_foreign(path: &Path) -> Result<(), OpenError> {
    let mut connection =
        SqliteConnectOptions::new().filename(path).disable_statement_logging().connect().await?;
    let tables: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .fetch_all(&mut connection)
        .await?;
    connection.close().await?;
    if tables.is_empty() || tables.iter().any(|name| name == "_sqlx_migrations") {
        return Ok(());
    }
    Err(OpenError::Foreign(path.to_owned()))
}

/// The path with this ending.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(ending);
    PathBuf::from(beside)
}

async fn check_version(connection: &mut SqliteConnection) -> Result<String, OpenError> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(connection).await?;
    if is_safe(&version) { Ok(version) } else { Err(OpenError::Version(version)) }
}

/// Whether this version of SQLite keeps what was committed.
pub(crate) fn is_safe(version: &str) -> bool {
    let numbers: Vec<u32> = version.split('.').filter_map(|part| u32::from_str(part).ok()).collect();
    numbers.as_slice() >= OLDEST_SQLITE.as_slice()
}

async fn check_setting(
    connection: &mut SqliteConnection,
    setting: &'static str,
    wanted: &'static str,
) -> Result<(), OpenError> {
    let query = match setting {
        "journal_mode" => "SELECT journal_mode FROM pragma_journal_mode",
        "synchronous" => "SELECT CAST(synchronous AS TEXT) FROM pragma_synchronous",
        _ => "SELECT CAST(foreign_keys AS TEXT) FROM pragma_foreign_keys",
    };
    let found: String = sqlx::query_scalar(query).fetch_one(connection).await?;
    if found == wanted { Ok(()) } else { Err(OpenError::Setting { setting, found, wanted }) }
}

/// Ends a connection in good order; the last one folds the WAL into the file.
pub(crate) async fn close(connection: SqliteConnection) {
    if let Err(error) = connection.close().await {
        tracing::warn!(%error, "the ledger did not close cleanly; the WAL is read at the next start");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_settings_that_keep_a_payment_over_a_power_cut_are_on() {
        let folder = tempfile::tempdir().unwrap();
        let mut opened = open(&folder.path().join("payments.db")).await.unwrap();
        let settings: (String, i64, i64) = sqlx::query_as(
            "SELECT (SELECT journal_mode FROM pragma_journal_mode), (SELECT synchronous FROM pragma_synchronous),
                    (SELECT foreign_keys FROM pragma_foreign_keys)",
        )
        .fetch_one(&mut opened.writer)
        .await
        .unwrap();
        assert_eq!(settings, ("wal".to_owned(), 2, 1), "synchronous=FULL of the writer itself");
        for setting in ["journal_mode", "synchronous", "foreign_keys"] {
            let refused = check_setting(&mut opened.writer, setting, "another").await.unwrap_err();
            assert!(refused.to_string().contains(setting), "{refused}");
        }
    }

    #[tokio::test]
    async fn staff_who_use_every_reader_stop_neither_the_relay_nor_readiness() {
        let folder = tempfile::tempdir().unwrap();
        let readers = open(&folder.path().join("payments.db")).await.unwrap().readers;
        let Readers {
            requests: Pool::Sqlite(requests),
            relay: RelayReader::Sqlite(relay),
            status: Pool::Sqlite(status),
        } = readers
        else {
            panic!("{readers:?}")
        };
        let mut used = Vec::new();
        for _ in 0..REQUEST_READERS {
            used.push(requests.acquire().await.unwrap());
        }
        assert!(requests.try_acquire().is_none());
        assert!(relay.try_acquire().is_some() && status.try_acquire().is_some());
    }
}
