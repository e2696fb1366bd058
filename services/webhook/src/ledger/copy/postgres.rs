//! PostgreSQL's side of a copy: one transaction, from the first look to the last. Each exchange with the server has a limit on
//! this side: one that has gone silent is given up.

use std::time::Duration;

use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, error::DatabaseError,
    postgres::PgConnectOptions,
};
use tokio::time::Instant;
use tolov_kit::secret::Secret;

use super::{
    error::CopyError,
    table::{KeyColumn, Table, WITH_A_ROW, is_scratch},
};
use crate::ledger::{
    LedgerPlace, OpenError,
    postgres::{
        open::{Opener, bring_up_to_date, refuse_closed},
        session::{within, within_limit},
    },
};

pub(super) struct PostgresSide {
    connection: PgConnection,
    /// The foreign keys that were dropped, as SQL that adds them.
    foreign_keys: Vec<String>,
    /// It was closed by a copy to the same place that was cut off.
    was_left: bool,
}

/// Of `ledger_state`: what this engine keeps for itself.
const OWN_COLUMNS: [&str; 4] = ["commits", "schema_needed", "moved_to", "restoring_since"];
/// What the sessions of services and commands are called.
const SESSIONS_OF_OURS: &str = "tolov-ledger";
/// A session that was ended is seen for a moment.
const ENDING: Duration = Duration::from_secs(3);
/// The longest statement looks at every row of a table, and the last one makes the whole ledger durable. The server's limit, and
/// ours, which is a little longer.
const STATEMENT_TIMEOUT: &str = "15min";
const EXCHANGE_TIMEOUT: Duration = Duration::from_mins(16);

pub(in crate::ledger) async fn exchange<T, E: From<sqlx::Error>>(
    asked: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    within(EXCHANGE_TIMEOUT, asked).await
}

impl PostgresSide {
    /// No writer of a service gets past the lock, so nothing is added behind the copy's back.
    pub(super) async fn open_source(
        place: &LedgerPlace,
        url: &Secret,
        to: &LedgerPlace,
    ) -> Result<Self, CopyError> {
        let mut connection = connect_alone(place, url).await?;
        let was_left = match within_limit(refuse_closed(&mut connection, Opener::Service)).await {
            // A copy that was cut off goes on.
            Err(OpenError::Moved { to: known }) if known == to.to_string() => true,
            opened => opened.map(|()| false)?,
        };
        exchange(connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")).await?;
        exchange(connection.execute("LOCK TABLE ledger_state IN SHARE MODE")).await?;
        Ok(Self { connection, foreign_keys: Vec::new(), was_left })
    }

    /// Foreign keys are dropped, and added again at the end: orders and attempts refer to each other, and a check of all rows at
    /// once takes less than one for each.
    pub(super) async fn open_target(place: &LedgerPlace, url: &Secret) -> Result<Self, CopyError> {
        let connection = connect(place, url).await?;
        bring_up_to_date(url).await?;
        let mut side = Self { connection, foreign_keys: Vec::new(), was_left: false };
        exchange(side.connection.execute("BEGIN")).await?;
        let keys = sqlx::query_as(
            "SELECT conrelid::regclass::text, conname::text, pg_get_constraintdef(oid) FROM pg_constraint
             WHERE contype = 'f' AND connamespace = current_schema()::regnamespace ORDER BY 1, 2",
        );
        let keys: Vec<(String, String, String)> = exchange(keys.fetch_all(&mut side.connection)).await?;
        for (table, name, definition) in keys {
            side.run(format!("ALTER TABLE {table} DROP CONSTRAINT \"{name}\"")).await?;
            side.foreign_keys.push(format!("ALTER TABLE {table} ADD CONSTRAINT \"{name}\" {definition}"));
        }
        side.set_triggers("DISABLE").await?;
        Ok(side)
    }

    pub(super) const fn was_left(&self) -> bool {
        self.was_left
    }

    async fn set_triggers(&mut self, what: &str) -> Result<(), CopyError> {
        for table in self.tables().await? {
            self.run(format!("ALTER TABLE \"{}\" {what} TRIGGER USER", table.name)).await?;
        }
        Ok(())
    }

    async fn run(&mut self, sql: String) -> Result<(), CopyError> {
        exchange(self.connection.execute(AssertSqlSafe(sql))).await?;
        Ok(())
    }

    pub(super) async fn tables(&mut self) -> Result<Vec<Table>, CopyError> {
        let rows = sqlx::query_as(
            "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, NULL),
                    array_position(i.indkey::int2[], a.attnum)::bigint
             FROM pg_class AS c
             JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             LEFT JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary
             WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
             ORDER BY c.relname COLLATE \"C\", a.attname COLLATE \"C\"",
        );
        let rows: Vec<(String, String, String, Option<i64>)> =
            exchange(rows.fetch_all(&mut self.connection)).await?;
        let mut tables: Vec<(Table, Vec<i64>)> = Vec::new();
        let is_own = |table: &str, column: &str| table == WITH_A_ROW && OWN_COLUMNS.contains(&column);
        let rows =
            rows.into_iter().filter(|(table, column, ..)| !is_scratch(table) && !is_own(table, column));
        for (table, column, sql_type, place) in rows {
            if tables.last().is_none_or(|(last, _)| last.name != table) {
                let (columns, key) = (Vec::new(), Vec::new());
                tables.push((Table { name: table, columns, key }, Vec::new()));
            }
            let Some((table, places)) = tables.last_mut() else { continue };
            table.columns.push(column.clone());
            if let Some(place) = place {
                let at = places.partition_point(|other| *other < place);
                places.insert(at, place);
                table.key.insert(at, KeyColumn { name: column, sql_type });
            }
        }
        Ok(tables.into_iter().map(|(table, _)| table).collect())
    }

    pub(super) async fn page(
        &mut self,
        table: &Table,
        after: Option<&str>,
        limit: usize,
    ) -> Result<String, CopyError> {
        let last = |column: &KeyColumn| format!("($1::json ->> '{}')::{}", column.name, column.sql_type);
        let last: Vec<String> = table.key.iter().map(last).collect();
        let (key, last) = (table.key_list(), last.join(", "));
        let condition = after.map_or_else(String::new, |_| format!("WHERE ({key}) > ({last})"));
        let sql = format!(
            "SELECT coalesce(json_agg(row_to_json(page)), '[]')::text FROM (
               SELECT {} FROM \"{}\" {condition} ORDER BY {key} LIMIT {limit}) AS page",
            table.column_list(),
            table.name
        );
        let query = sqlx::query_scalar(AssertSqlSafe(sql));
        let query = if let Some(after) = after { query.bind(after) } else { query };
        Ok(exchange(query.fetch_one(&mut self.connection)).await?)
    }

    pub(super) async fn insert(&mut self, table: &Table, rows: &str) -> Result<(), CopyError> {
        let columns = table.column_list();
        let sql = format!(
            "INSERT INTO \"{name}\" ({columns}) OVERRIDING SYSTEM VALUE
             SELECT {columns} FROM json_populate_recordset(NULL::\"{name}\", $1::json)",
            name = table.name
        );
        exchange(sqlx::query(AssertSqlSafe(sql)).bind(rows).execute(&mut self.connection)).await?;
        Ok(())
    }

    pub(super) async fn count(&mut self, table: &Table) -> Result<u64, CopyError> {
        let count = sqlx::query_scalar(AssertSqlSafe(table.count()));
        let rows: i64 = exchange(count.fetch_one(&mut self.connection)).await?;
        Ok(u64::try_from(rows).unwrap_or(0))
    }

    pub(super) async fn update(&mut self, table: &Table, row: &str) -> Result<(), CopyError> {
        let columns = table.column_list();
        let sql = format!(
            "UPDATE \"{name}\" SET ({columns}) =
               (SELECT {columns} FROM json_populate_recordset(NULL::\"{name}\", $1::json))",
            name = table.name
        );
        exchange(sqlx::query(AssertSqlSafe(sql)).bind(row).execute(&mut self.connection)).await?;
        Ok(())
    }

    /// Foreign keys hold, triggers are on again, and numbers that the database gives go on above those that are there.
    pub(super) async fn check(&mut self) -> Result<(), CopyError> {
        for key in std::mem::take(&mut self.foreign_keys) {
            self.run(key).await?;
        }
        self.set_triggers("ENABLE").await?;
        for table in self.tables().await? {
            for column in &table.columns {
                let sql = format!(
                    "SELECT setval(pg_get_serial_sequence('\"{name}\"', '{column}'),
                            coalesce((SELECT max(\"{column}\") FROM \"{name}\"), 0) + 1, false)
                     WHERE pg_get_serial_sequence('\"{name}\"', '{column}') IS NOT NULL",
                    name = table.name
                );
                // max() of a text is no number, and a text has no sequence.
                if table.key.iter().any(|key| key.name == *column && key.sql_type == "bigint") {
                    self.run(sql).await?;
                }
            }
        }
        Ok(())
    }

    /// Commits, so that the lock ends and the mark stands in its place.
    pub(super) async fn leave(&mut self, to: &LedgerPlace) -> Result<(), CopyError> {
        let mark = sqlx::query("UPDATE ledger_state SET moved_to = $1").bind(to.to_string());
        exchange(mark.execute(&mut self.connection)).await?;
        exchange(self.connection.execute("COMMIT")).await?;
        Ok(())
    }

    pub(super) async fn stay(&mut self) {
        let open = self.connection.execute("UPDATE ledger_state SET moved_to = NULL");
        if let Err(error) = within_limit(open).await {
            tracing::warn!(%error, "the ledger that was to be copied stays closed to services; repeat the copy");
        }
    }

    pub(super) async fn close(mut self) -> Result<(), CopyError> {
        within_limit(self.connection.execute("ROLLBACK")).await?;
        Ok(within_limit(self.connection.close()).await?)
    }

    pub(super) async fn keep(mut self, place: &LedgerPlace) -> Result<(), CopyError> {
        if let Err(error) = exchange(self.connection.execute("COMMIT")).await {
            // What the server refuses it has taken back; whether it had done it when the session ended, nobody knows.
            let code = error.as_database_error().and_then(DatabaseError::code);
            let is_refused = code.is_some_and(|code| !code.starts_with("57P"));
            let place = place.clone();
            return Err(if is_refused {
                error.into()
            } else {
                CopyError::Unanswered { place, source: error }
            });
        }
        drop(within_limit(self.connection.close()).await);
        Ok(())
    }

    pub(super) async fn discard(mut self) {
        // A connection that is gone has nothing to take back.
        if within_limit(self.connection.execute("ROLLBACK")).await.is_ok() {
            drop(within_limit(self.connection.close()).await);
        }
    }
}

/// Connects to a ledger that is there and that no service has open, and brings it up to date.
pub(in crate::ledger) async fn connect_alone(
    place: &LedgerPlace,
    url: &Secret,
) -> Result<PgConnection, CopyError> {
    let mut connection = connect(place, url).await?;
    let exists = sqlx::query_scalar("SELECT to_regclass('ledger_state') IS NOT NULL");
    if !within_limit(exists.fetch_one(&mut connection)).await? {
        return Err(OpenError::NoLedger.into());
    }
    bring_up_to_date(url).await?;
    Ok(connection)
}

/// A session of its own, once no other one of ours is left. It may wait long between two statements.
async fn connect(place: &LedgerPlace, url: &Secret) -> Result<PgConnection, CopyError> {
    let options: PgConnectOptions = url.expose().parse()?;
    let limits =
        [("lock_timeout", "10s"), ("statement_timeout", STATEMENT_TIMEOUT), ("enable_seqscan", "off")];
    let options = options.application_name("tolov-ledger-copy").options(limits).disable_statement_logging();
    let mut connection = within_limit(options.connect()).await?;
    let until = Instant::now() + ENDING;
    loop {
        let query = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1",
        );
        let sessions: i64 = within_limit(query.bind(SESSIONS_OF_OURS).fetch_one(&mut connection)).await?;
        if sessions == 0 {
            return Ok(connection);
        }
        if Instant::now() > until {
            return Err(CopyError::InUse(place.clone()));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
