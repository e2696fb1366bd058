//! Why the ledger gave no answer.

use std::{error::Error, time::Duration};

/// CLICK is answered with -7 and comes again; its retry then succeeds.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("too many requests wait for the ledger; try again at once")]
    Full,
    /// Whether the write took place is unknown to the caller; a repetition finds out.
    #[error("the ledger did not answer within {0:?}")]
    TimedOut(Duration),
    #[error("the transaction was not committed; the writer's log says why")]
    NotCommitted,
    #[error("the ledger is closed")]
    Closed,
    /// A bug, which the schema has kept from doing harm.
    #[error("a constraint of the ledger's schema refused a write")]
    Constraint(#[source] sqlx::Error),
    #[error("the ledger cannot be read or written; check the disk")]
    Storage(#[source] sqlx::Error),
    #[error("a row of the ledger cannot be read: {0}")]
    Row(&'static str),
    #[error("the ledger's rows are not the JSON that was asked for")]
    Json(#[from] serde_json::Error),
}

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        // SQLITE_CONSTRAINT and its extended codes; RAISE(ABORT) of a trigger is one of them.
        let is_constraint = error
            .as_database_error()
            .and_then(|refusal| refusal.code()?.parse::<u32>().ok())
            .is_some_and(|code| code % 256 == 19);
        if is_constraint { Self::Constraint(error) } else { Self::Storage(error) }
    }
}

impl LedgerError {
    /// For a log line: the message and all its sources.
    pub(crate) fn chain(&self) -> &(dyn Error + 'static) {
        self
    }
}
