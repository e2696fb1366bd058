//! Reading connections, of either engine.

use std::sync::Arc;

use sqlx::SqlitePool;

use crate::ledger::postgres::{readers::ReadingSessions, relaying::RelaySession};

#[derive(Debug, Clone)]
pub(in crate::ledger) enum Pool {
    Sqlite(SqlitePool),
    Postgres(ReadingSessions),
}

/// Connections for each use, so that slow questions of staff stop neither the relay nor readiness.
#[derive(Debug, Clone)]
pub(crate) struct Readers {
    pub(in crate::ledger) requests: Pool,
    pub(in crate::ledger) status: Pool,
    pub(in crate::ledger) relay: RelayReader,
}

/// What the relay reads through.
#[derive(Debug, Clone)]
pub(in crate::ledger) enum RelayReader {
    Sqlite(SqlitePool),
    Postgres(Arc<RelaySession>),
}

impl Pool {
    pub(in crate::ledger) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(sessions) => sessions.close().await,
        }
    }
}

impl Readers {
    /// Waits for what is being read from a file.
    pub(crate) async fn close(&self) {
        match &self.relay {
            RelayReader::Sqlite(pool) => pool.close().await,
            RelayReader::Postgres(session) => session.close().await,
        }
        self.requests.close().await;
        self.status.close().await;
    }
}

/// Asks a pool: `read!(pool, query_as.fetch_all, "SELECT …", value, …)`. Both engines understand the text, or there are two:
/// `[sqlite, postgres]`. A parameter is `$n`, and an integer one is an `i64`.
macro_rules! read {
    ($pool:expr, $query:ident.$fetch:ident, [$sqlite:expr, $postgres:expr] $(, $value:expr)* $(,)?) => {
        match $pool {
            $crate::ledger::read::pool::Pool::Sqlite(pool) => {
                sqlx::$query($sqlite)$(.bind($value))*.$fetch(pool).await
            }
            $crate::ledger::read::pool::Pool::Postgres(sessions) => {
                let query = sqlx::$query($postgres)$(.bind($value))*;
                let reading = async {
                    let mut session = sessions.take().await?;
                    let read = query.$fetch(session.connection()).await?;
                    session.give_back();
                    Ok(read)
                };
                sessions.within_limit(reading).await
            }
        }
    };
    ($pool:expr, $query:ident.$fetch:ident, $text:expr $(, $value:expr)* $(,)?) => {
        $crate::ledger::read::pool::read!($pool, $query.$fetch, [$text, $text] $(, $value)*)
    };
}

pub(in crate::ledger) use read;
