//! Copies of the stores' files, made while the shop is running.
//!
//! Several stores are copied in the direction in which events travel: the ledger, then the bus, then the shop store. An
//! event that moves on in the meantime is then in two copies and is applied once more without effect; in the other
//! direction it could be in none.

use std::{fs::File, path::Path, time::Duration};

use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tolov_domain::ports::{
    PortError,
    documents::{Collection, Sequence},
};

use crate::{bus, shop, sqlite::port_error};

/// A store that is a file of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreFile {
    Bus,
    Shop,
}

impl StoreFile {
    /// In the order in which they are copied.
    pub const ALL: [Self; 2] = [Self::Bus, Self::Shop];

    /// Its name in the data folder.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bus => bus::FILE_NAME,
            Self::Shop => shop::FILE_NAME,
        }
    }
}

/// Copies a store's file, consistent as of one moment, to a new file.
pub async fn copy(file: &Path, copy: &Path) -> Result<(), PortError> {
    let mut connection = connect(file, true).await?;
    sqlx::query("VACUUM INTO ?1")
        .bind(copy.to_string_lossy().into_owned())
        .execute(&mut connection)
        .await
        .map_err(|error| port_error(file, &error))?;
    connection.close().await.map_err(|error| port_error(file, &error))
}

/// Opens a file and lets SQLite check all of it.
pub async fn examine(file: &Path) -> Result<(), PortError> {
    let mut connection = connect(file, true).await?;
    let failed = |error: sqlx::Error| port_error(file, &error);
    let found: String =
        sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut connection).await.map_err(failed)?;
    let dangling: Option<String> =
        sqlx::query_scalar("SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1")
            .fetch_optional(&mut connection)
            .await
            .map_err(failed)?;
    connection.close().await.map_err(failed)?;
    match dangling {
        _ if found != "ok" => Err(PortError::Refused(format!(
            "SQLite finds {} damaged: {found}; use an older backup",
            file.display()
        ))),
        Some(table) => Err(PortError::Refused(format!(
            "a row of {table} in {} refers to one that is not there; use an older backup",
            file.display()
        ))),
        None => Ok(()),
    }
}

/// Lifts a sequence of a copy of the shop store above the numbers that were given out after it was made, so that no two
/// orders ever have one number at CLICK. `numbered`: the collection whose keys come from the sequence. Returns the last
/// number that will not be given.
pub async fn skip_numbers(
    copy: &Path,
    sequence: Sequence,
    numbered: Collection,
    age: Duration,
) -> Result<i64, PortError> {
    let skipped = age.as_secs().saturating_mul(NUMBERS_PER_S_MAX).saturating_add(NUMBERS_MARGIN);
    let mut connection = connect(copy, false).await?;
    let failed = |error: sqlx::Error| port_error(copy, &error);
    let last = sqlx::query_scalar(
        "WITH used (value) AS (
             SELECT max(key) FROM documents WHERE collection = ?2 AND typeof(key) = 'integer'
             UNION ALL SELECT value FROM counters WHERE name = ?1)
         INSERT INTO counters (name, value) SELECT ?1, coalesce(max(value), 0) + ?3 FROM used WHERE true
         ON CONFLICT (name) DO UPDATE SET value = excluded.value RETURNING value",
    )
    .bind(sequence.name())
    .bind(numbered.name())
    .bind(i64::try_from(skipped).unwrap_or(i64::MAX))
    .fetch_one(&mut connection)
    .await
    .map_err(failed)?;
    connection.close().await.map_err(failed)?;
    Ok(last)
}

/// People read order numbers: no more are skipped than a small shop could have used.
const NUMBERS_PER_S_MAX: u64 = 1;
const NUMBERS_MARGIN: u64 = 1_000;

/// Keeps every process from running the bus of this folder, until the file is dropped.
pub fn hold(folder: &Path) -> Result<File, PortError> {
    bus::lock(&folder.join(bus::LOCK_NAME))
}

async fn connect(file: &Path, read_only: bool) -> Result<SqliteConnection, PortError> {
    SqliteConnectOptions::new()
        .filename(file)
        .read_only(read_only)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .disable_statement_logging()
        .connect()
        .await
        .map_err(|error| port_error(file, &error))
}
