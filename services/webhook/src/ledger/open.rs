//! Opening the file: settings are made, read back, and refused when they could lose a committed payment.

use std::{
    fs::{File, TryLockError},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use super::restore::is_unfinished;
use sqlx::{
    ConnectOptions, Connection, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
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
    #[error("SQLite {0} can lose committed data in WAL mode; build with 3.51.3 or newer")]
    Version(String),
    #[error("the ledger runs with {setting}={found}, but only {wanted} keeps a payment over a power cut")]
    Setting { setting: &'static str, found: String, wanted: &'static str },
    #[error("the ledger's schema cannot be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error("the ledger cannot be opened: {0}")]
    Sqlite(#[from] sqlx::Error),
}

pub(super) struct Opened {
    pub(super) writer: SqliteConnection,
    /// To connect anew after trouble with the disk.
    pub(super) options: SqliteConnectOptions,
    pub(super) readers: Readers,
    /// Held as long as the writer lives.
    pub(super) lock: File,
}

/// Reading connections. Each use has its own, so that slow questions of staff stop neither the relay nor readiness.
#[derive(Debug, Clone)]
pub(super) struct Readers {
    pub(super) requests: SqlitePool,
    pub(super) relay: SqlitePool,
    pub(super) status: SqlitePool,
}

const REQUEST_READERS: u32 = 4;
/// Shorter than a caller waits for its answer, so that the caller hears what became of its commit.
const BUSY_TIMEOUT: Duration = Duration::from_secs(3);
/// The first version without the WAL-reset bug (sqlite.org/wal.html, "The WAL-Reset Bug").
const OLDEST_SQLITE: [u32; 3] = [3, 51, 3];

pub(super) async fn open(path: &Path) -> Result<Opened, OpenError> {
    let lock = lock(path)?;
    if is_unfinished(path) {
        return Err(OpenError::HalfRestored(path.to_owned()));
    }
    make_for_owner_alone(path)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging();
    let mut writer = options.connect().await?;
    let version = check_version(&mut writer).await?;
    check_setting(&mut writer, "journal_mode", "wal").await?;
    check_setting(&mut writer, "synchronous", "2").await?;
    check_setting(&mut writer, "foreign_keys", "1").await?;
    sqlx::migrate!().run(&mut writer).await?;
    let read_only = options.clone().read_only(true).create_if_missing(false);
    let readers = Readers {
        requests: pool(&read_only, REQUEST_READERS).await?,
        relay: pool(&read_only, 1).await?,
        status: pool(&read_only, 1).await?,
    };
    tracing::info!(path = %path.display(), sqlite = version, "ledger open: WAL, synchronous=FULL");
    Ok(Opened { writer, options, readers, lock })
}

async fn pool(options: &SqliteConnectOptions, connections: u32) -> Result<SqlitePool, sqlx::Error> {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(5))
        .connect_with(options.clone())
        .await
}

/// One writing process a file: the writer may then trust what it has read.
pub(super) fn lock(path: &Path) -> Result<File, OpenError> {
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

/// The path with this ending.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(ending);
    PathBuf::from(beside)
}

async fn check_version(connection: &mut SqliteConnection) -> Result<String, OpenError> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(connection).await?;
    if is_safe(&version) { Ok(version) } else { Err(OpenError::Version(version)) }
}

/// Whether this version of SQLite keeps what was committed.
pub(super) fn is_safe(version: &str) -> bool {
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
pub(super) async fn close(connection: SqliteConnection) {
    if let Err(error) = connection.close().await {
        tracing::warn!(%error, "the ledger did not close cleanly; the WAL is read at the next start");
    }
}
