//! Why the ledger gave no answer.

use std::{error::Error, time::Duration};

use sqlx::postgres::PgDatabaseError;

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
    #[error("the ledger cannot be read or written; check its disk, or its server")]
    Storage(#[source] sqlx::Error),
    #[error("a row of the ledger cannot be read: {0}")]
    Row(&'static str),
    #[error("the ledger's rows are not the JSON that was asked for")]
    Json(#[from] serde_json::Error),
}

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        let is_constraint = error.as_database_error().is_some_and(|refusal| {
            let code = refusal.code().unwrap_or_default();
            match refusal.try_downcast_ref::<PgDatabaseError>() {
                // Integrity constraints, what the triggers raise among them, and values that no row can hold.
                Some(_) => code.starts_with("23") || code.starts_with("22"),
                // SQLITE_CONSTRAINT and its extended codes; RAISE(ABORT) of a trigger is one of them.
                None => code.parse::<u32>().is_ok_and(|code| code % 256 == 19),
            }
        });
        if is_constraint { Self::Constraint(error) } else { Self::Storage(error) }
    }
}

impl LedgerError {
    /// A rule of the schema was broken: only one job of the batch can be at fault. Everything else is the disk's, or the
    /// server's.
    pub(crate) const fn is_about_one_row(&self) -> bool {
        matches!(self, Self::Constraint(_))
    }

    /// For a log line: the message and all its sources.
    pub(crate) fn chain(&self) -> &(dyn Error + 'static) {
        self
    }
}
