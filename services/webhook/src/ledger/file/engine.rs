//! The writer's connection to the file. A batch crosses to SQLite's thread as one text of several statements.

use std::{collections::BTreeSet, fs::File};

use sqlx::{
    ConnectOptions, Connection, Executor, SqliteConnection, query::Query, sqlite::SqliteConnectOptions,
};
use tolov_domain::OrderId;

use super::{
    open::close,
    statements::{LOAD, LOAD_RECEIPTS},
    store::transaction,
};
use crate::ledger::{
    LedgerError,
    writer::{
        engine::{Change, Engine, NUMBERS, json},
        known::{Needs, Numbers},
        working_set::Writes,
    },
};

pub(crate) struct SqliteEngine {
    connection: SqliteConnection,
    /// To connect anew after trouble with the disk.
    options: SqliteConnectOptions,
    /// Keeps other processes out for as long as the writer lives.
    _lock: File,
}

impl SqliteEngine {
    pub(crate) const fn new(connection: SqliteConnection, options: SqliteConnectOptions, lock: File) -> Self {
        Self { connection, options, _lock: lock }
    }
}

impl Engine for SqliteEngine {
    const SYSTEM: &'static str = "sqlite";

    /// Nobody else writes: what is known holds, and the transaction begins with what it writes.
    async fn begin(&mut self) -> Result<Option<Numbers>, LedgerError> {
        Ok(None)
    }

    async fn numbers(&mut self) -> Result<Numbers, LedgerError> {
        Ok(sqlx::query_as(NUMBERS).fetch_one(&mut self.connection).await?)
    }

    async fn load(&mut self, needs: &Needs) -> Result<String, LedgerError> {
        let query = sqlx::query_scalar(LOAD)
            .bind(json(&needs.orders))
            .bind(json(&needs.attempts))
            .bind(json(&needs.transactions))
            .bind(json(&needs.charges));
        Ok(query.fetch_one(&mut self.connection).await?)
    }

    async fn load_receipts(&mut self, orders: &BTreeSet<OrderId>) -> Result<String, LedgerError> {
        let query = sqlx::query_scalar(LOAD_RECEIPTS).bind(json(orders));
        Ok(query.fetch_one(&mut self.connection).await?)
    }

    async fn store(&mut self, writes: Writes) -> Result<(), LedgerError> {
        self.connection.execute(transaction(writes)?).await?;
        Ok(())
    }

    async fn change(&mut self, changes: Vec<Change>) -> Result<u64, LedgerError> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        let mut first = None;
        for (statement, parameters) in changes {
            let query = parameters.into_iter().fold(sqlx::query(statement), Query::bind);
            let done = query.execute(&mut *transaction).await?.rows_affected();
            if *first.get_or_insert(done) == 0 {
                break;
            }
        }
        transaction.commit().await?;
        Ok(first.unwrap_or(0))
    }

    async fn recover(&mut self, error: &LedgerError) -> Option<Numbers> {
        // SQLite may have rolled back by itself (disk full, I/O error); then there is nothing to end.
        if let Err(error) = self.connection.execute("ROLLBACK").await {
            tracing::debug!(%error, "nothing to roll back");
        }
        if error.is_about_one_row() {
            // Perhaps the next number is taken, by a row that another program has written.
            return match self.numbers().await {
                Ok(numbers) => Some(numbers),
                Err(error) => {
                    tracing::warn!(error = error.chain(), "cannot read the last numbers of the ledger");
                    None
                }
            };
        }
        match self.options.connect().await {
            Ok(connection) => close(std::mem::replace(&mut self.connection, connection)).await,
            Err(error) => {
                tracing::error!(%error, "the ledger cannot be opened again; the next request tries once more");
            }
        }
        None
    }

    async fn close(self) {
        close(self.connection).await;
    }
}
