//! Why a ledger was not copied, and what was read of a table.

use crate::ledger::{LedgerPlace, OpenError, backup::BackupError};

/// Why a ledger was not copied. The target is then as it was, but for [`CopyError::Unanswered`] and [`CopyError::NotNoted`].
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error("{0} is both: name two places")]
    Same(LedgerPlace),
    #[error("{0} exists; a copy never replaces a ledger: name a new file")]
    FileExists(LedgerPlace),
    #[error("{place} has {rows} rows in {table}; a copy goes into an empty database alone")]
    NotEmpty { place: LedgerPlace, table: String, rows: u64 },
    #[error("a service has the ledger {0} open: stop every webhook service first")]
    InUse(LedgerPlace),
    #[error("the table {table} has not the same columns in both places; bring both to one release first")]
    OtherColumns { table: String },
    #[error("the table {table} was not copied as it is: {} rows and {}, read back {} rows and {}",
        .written.rows, .written.sha256, .read.rows, .read.sha256)]
    Differs { table: String, written: Content, read: Content },
    #[error(
        "the last step of the copy to {place} was not answered: the whole ledger is there, or nothing of it. Repeat the same \
         command, which finds out and ends the copy: until then no service starts on either"
    )]
    Unanswered { place: LedgerPlace, source: sqlx::Error },
    #[error(
        "the whole ledger is in {place}, but the note beside the file could not be changed. Repeat the same command"
    )]
    NotNoted { place: LedgerPlace, source: std::io::Error },
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error("a database of the ledger cannot be read or written")]
    Sql(#[from] sqlx::Error),
    #[error("a row of the ledger is not the JSON that was asked for")]
    Json(#[from] serde_json::Error),
    #[error("the copy cannot be put in its place")]
    File(#[from] std::io::Error),
}

/// How many rows, and the SHA-256 of their values in the order of their key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    pub rows: u64,
    pub sha256: String,
}
