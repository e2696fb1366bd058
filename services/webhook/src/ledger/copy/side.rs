//! One of the two places of a copy, whichever engine it has.

use serde_json::Value;

use super::{
    error::CopyError,
    postgres::PostgresSide,
    sqlite::SqliteSide,
    table::{Table, WITH_A_ROW},
};
use crate::ledger::LedgerPlace;

pub(super) enum Side {
    Sqlite(SqliteSide),
    Postgres(PostgresSide),
}

impl Side {
    /// To be read; as it is at this moment. One that has moved is read for the same place alone.
    pub(super) async fn open_source(place: &LedgerPlace, to: &LedgerPlace) -> Result<Self, CopyError> {
        Ok(match place {
            LedgerPlace::File(path) => Self::Sqlite(SqliteSide::open_source(path).await?),
            LedgerPlace::Postgres(url) => Self::Postgres(PostgresSide::open_source(place, url, to).await?),
        })
    }

    /// Whether a copy to the same place has closed it, and was cut off.
    pub(super) const fn was_left(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres(side) => side.was_left(),
        }
    }

    /// An empty ledger with the schema of this release, in a transaction.
    pub(super) async fn open_target(place: &LedgerPlace) -> Result<Self, CopyError> {
        let mut side = match place {
            LedgerPlace::File(path) => Self::Sqlite(SqliteSide::open_target(path).await?),
            LedgerPlace::Postgres(url) => Self::Postgres(PostgresSide::open_target(place, url).await?),
        };
        match side.refuse_used(place).await {
            Ok(()) => Ok(side),
            Err(error) => {
                side.discard().await;
                Err(error)
            }
        }
    }

    /// Refuses a ledger that has been used.
    async fn refuse_used(&mut self, place: &LedgerPlace) -> Result<(), CopyError> {
        for table in self.tables().await? {
            let rows = self.count(&table).await?;
            if rows > 0 && table.name != WITH_A_ROW {
                return Err(CopyError::NotEmpty { place: place.clone(), table: table.name, rows });
            }
        }
        Ok(())
    }

    pub(super) async fn tables(&mut self) -> Result<Vec<Table>, CopyError> {
        match self {
            Self::Sqlite(side) => side.tables().await,
            Self::Postgres(side) => side.tables().await,
        }
    }

    /// Rows behind this one, in the order of the key, as a JSON array of objects.
    pub(super) async fn page(
        &mut self,
        table: &Table,
        after: Option<&Value>,
        limit: usize,
    ) -> Result<String, CopyError> {
        let after = after.map(Value::to_string);
        match self {
            Self::Sqlite(side) => side.page(table, after.as_deref(), limit).await,
            Self::Postgres(side) => side.page(table, after.as_deref(), limit).await,
        }
    }

    pub(super) async fn insert(&mut self, table: &Table, rows: &str) -> Result<(), CopyError> {
        match (self, table.name == WITH_A_ROW) {
            (Self::Sqlite(side), false) => side.insert(table, rows).await,
            (Self::Sqlite(side), true) => side.update(table, rows).await,
            (Self::Postgres(side), false) => side.insert(table, rows).await,
            (Self::Postgres(side), true) => side.update(table, rows).await,
        }
    }

    async fn count(&mut self, table: &Table) -> Result<u64, CopyError> {
        match self {
            Self::Sqlite(side) => side.count(table).await,
            Self::Postgres(side) => side.count(table).await,
        }
    }

    /// What had to rest during the copy holds again.
    pub(super) async fn check(&mut self) -> Result<(), CopyError> {
        match self {
            Self::Sqlite(side) => side.check().await,
            Self::Postgres(side) => side.check().await,
        }
    }

    /// Closes the ledger that was read to services: what is paid from now on is in the other place. A file is closed by the note
    /// beside it ([`super::Notes`]).
    pub(super) async fn leave(&mut self, to: &LedgerPlace) -> Result<(), CopyError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(side) => side.leave(to).await,
        }
    }

    /// Takes that back: nothing is in the other place.
    pub(super) async fn stay(&mut self) {
        match self {
            Self::Sqlite(_) => {}
            Self::Postgres(side) => side.stay().await,
        }
    }

    pub(super) async fn close(self) -> Result<(), CopyError> {
        match self {
            Self::Sqlite(side) => {
                side.close().await;
                Ok(())
            }
            Self::Postgres(side) => side.close().await,
        }
    }

    /// Makes the copy last.
    pub(super) async fn keep(self, place: &LedgerPlace) -> Result<(), CopyError> {
        match self {
            Self::Sqlite(side) => side.keep(place).await,
            Self::Postgres(side) => side.keep(place).await,
        }
    }

    /// Leaves nothing of it.
    pub(super) async fn discard(self) {
        match self {
            Self::Sqlite(side) => side.discard().await,
            Self::Postgres(side) => side.discard().await,
        }
    }
}
