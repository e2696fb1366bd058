//! The writer's connection to PostgreSQL. Every transaction locks the one row of `ledger_state` first, so that over all
//! processes one batch at a time is decided and committed.

use std::collections::BTreeSet;

use serde::Serialize;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};
use tolov_domain::OrderId;

use super::{
    open::{Opener, reconnect},
    session::{OUTBOX_CHANNEL, Server, within_limit},
    statements::{LOAD, LOAD_RECEIPTS, STORE},
};
use crate::ledger::{
    LedgerError,
    writer::{
        engine::{Change, Engine, NUMBERS, json},
        known::{Needs, Numbers},
        rows::NewOrderRow,
        working_set::Writes,
    },
};

/// Each statement after it sees what was committed by whoever had the lock before. No row: the ledger was closed since it was
/// opened.
const LOCK: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
  UPDATE ledger_state SET commits = commits + 1 WHERE moved_to IS NULL AND restoring_since IS NULL RETURNING commits";
const LOCK_TO_RESTORE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
  UPDATE ledger_state SET commits = commits + 1 WHERE moved_to IS NULL RETURNING commits";

pub(crate) struct PostgresEngine {
    /// `None`: it was lost; the next batch connects anew.
    connection: Option<PgConnection>,
    server: Server,
    opener: Opener,
    /// `ledger_state.commits` in the transaction that is under way.
    under_way: i64,
    /// The same after the last commit of this process. `None`: what is stored is not known.
    committed: Option<i64>,
}

impl PostgresEngine {
    pub(crate) const fn new(connection: PgConnection, server: Server, opener: Opener) -> Self {
        Self { connection: Some(connection), server, opener, under_way: 0, committed: None }
    }

    async fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        if self.connection.is_none() {
            self.connection = Some(reconnect(&self.server, self.opener).await?);
        }
        self.connection.as_mut().ok_or(sqlx::Error::WorkerCrashed)
    }

    async fn lock(&mut self) -> Result<i64, sqlx::Error> {
        let lock = match self.opener {
            Opener::Service => LOCK,
            Opener::Restore => LOCK_TO_RESTORE,
        };
        let connection = self.connection().await?;
        within_limit(async { sqlx::raw_sql(lock).fetch_one(connection).await?.try_get(0) }).await
    }

    /// A server that has ended the session between two batches has lost nothing of them. A ledger that was closed says why to
    /// whoever connects anew.
    async fn lock_again(&mut self) -> Result<i64, sqlx::Error> {
        let had_connection = self.connection.is_some();
        match self.lock().await {
            Err(error) if had_connection && is_session_lost(&error) => {
                self.connection = None;
                // The next server may be another one, which has not seen our last commits.
                self.committed = None;
                self.lock().await
            }
            locked => locked,
        }
    }
}

impl Engine for PostgresEngine {
    const SYSTEM: &'static str = "postgresql";

    async fn begin(&mut self) -> Result<Option<Numbers>, LedgerError> {
        self.under_way = self.lock_again().await?;
        if self.committed.is_some_and(|committed| committed + 1 == self.under_way) {
            return Ok(None);
        }
        Ok(Some(self.numbers().await?))
    }

    async fn numbers(&mut self) -> Result<Numbers, LedgerError> {
        let connection = self.connection().await?;
        Ok(within_limit(sqlx::query_as(NUMBERS).fetch_one(connection)).await?)
    }

    async fn load(&mut self, needs: &Needs) -> Result<String, LedgerError> {
        let numbers = |ids: &mut dyn Iterator<Item = i64>| ids.collect::<Vec<i64>>();
        let query = sqlx::query_scalar(LOAD)
            .bind(numbers(&mut needs.orders.iter().map(|id| id.get())))
            .bind(numbers(&mut needs.attempts.iter().map(|id| id.get())))
            .bind(numbers(&mut needs.transactions.iter().map(|id| id.get())))
            .bind(needs.charges.iter().cloned().collect::<Vec<String>>());
        Ok(within_limit(query.fetch_one(self.connection().await?)).await?)
    }

    async fn load_receipts(&mut self, orders: &BTreeSet<OrderId>) -> Result<String, LedgerError> {
        let orders: Vec<i64> = orders.iter().map(|id| id.get()).collect();
        let query = sqlx::query_scalar(LOAD_RECEIPTS).bind(orders);
        Ok(within_limit(query.fetch_one(self.connection().await?)).await?)
    }

    async fn store(&mut self, writes: Writes) -> Result<(), LedgerError> {
        let notify =
            if writes.grow_outbox() { format!("NOTIFY {OUTBOX_CHANNEL}; COMMIT") } else { "COMMIT".into() };
        let connection = self.connection().await?;
        for (statement, rows) in STORE.iter().zip(rows_of(&writes)) {
            if let Some(rows) = rows {
                within_limit(sqlx::query(*statement).bind(rows).execute(&mut *connection)).await?;
            }
        }
        within_limit(connection.execute(AssertSqlSafe(notify))).await?;
        self.committed = Some(self.under_way);
        Ok(())
    }

    async fn change(&mut self, changes: Vec<Change>) -> Result<u64, LedgerError> {
        let counted = self.lock_again().await?;
        let connection = self.connection().await?;
        let mut first = None;
        for (statement, parameters) in changes {
            let query = parameters.into_iter().fold(sqlx::query(statement), sqlx::query::Query::bind);
            let done = within_limit(query.execute(&mut *connection)).await?.rows_affected();
            if *first.get_or_insert(done) == 0 {
                break;
            }
        }
        within_limit(connection.execute("COMMIT")).await?;
        // No upkeep changes what is remembered: it is as good as before.
        if self.committed.is_some_and(|committed| committed + 1 == counted) {
            self.committed = Some(counted);
        }
        Ok(first.unwrap_or(0))
    }

    async fn recover(&mut self, error: &LedgerError) -> Option<Numbers> {
        // Also a COMMIT that was not answered may have been done.
        self.committed = None;
        let in_doubt = matches!(error, LedgerError::Storage(error) if error.as_database_error().is_none());
        if let Some(connection) = &mut self.connection
            && (in_doubt || within_limit(connection.execute("ROLLBACK")).await.is_err())
        {
            // What is under way on it ends by the server's own limits.
            self.connection = None;
        }
        // The next batch reads the numbers under the lock.
        None
    }

    async fn close(self) {
        if let Some(connection) = self.connection
            && let Err(error) = within_limit(connection.close()).await
        {
            tracing::warn!(%error, "the ledger's connection did not close cleanly");
        }
    }
}

/// The rows of each statement of [`STORE`], in its order. `None`: there is nothing for it to do.
fn rows_of(writes: &Writes) -> [Option<String>; STORE.len()] {
    let new_orders: Vec<NewOrderRow<'_>> = writes.new_orders.iter().map(NewOrderRow::from).collect();
    [
        rows(&new_orders),
        rows(&writes.receipts.kept),
        rows(&writes.attempts),
        rows(&writes.orders),
        rows(&writes.callbacks),
        rows(&writes.unverified),
        rows(&writes.events),
        rows(&writes.sent),
        rows(&writes.sent_again),
        rows(&writes.refused),
        rows(&writes.refunds),
        rows(&writes.refund_steps),
        rows(&writes.checks),
        rows(&writes.calls),
        rows(&writes.telegram_payments),
        rows(&writes.phone_invoices),
        rows(&writes.reconciliation.reports),
        rows(&writes.reconciliation.days),
        rows(&writes.reconciliation.restore_checks),
        rows(&writes.receipts.steps),
    ]
}

/// The JSON of rows, where there are any.
fn rows<R: Serialize>(rows: &[R]) -> Option<String> {
    (!rows.is_empty()).then(|| json(rows))
}

/// The server ended the session, or cannot be reached through it.
fn is_session_lost(error: &sqlx::Error) -> bool {
    match error.as_database_error() {
        // admin_shutdown, crash_shutdown, idle sessions: class 57P.
        Some(refusal) => refusal.code().is_some_and(|code| code.starts_with("57P")),
        None => !matches!(error, sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut),
    }
}
