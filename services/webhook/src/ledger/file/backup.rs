//! Copies of the ledger: made beside the writer, believed only after they were opened and examined.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{
    open::{SchemaError, is_safe},
    restore::CLICK_INT_MAX,
};

/// Why a copy of a ledger cannot be made or must not be used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("there is no ledger at {0}; check LEDGER_PATH")]
    Missing(PathBuf),
    #[error("SQLite finds {file} damaged: {finding}; use an older backup")]
    Damaged { file: PathBuf, finding: String },
    #[error(
        "{file} breaks a rule of the ledger: {rule}, order {order_id}; use an older backup and report this"
    )]
    Rule { file: PathBuf, rule: &'static str, order_id: i64 },
    #[error("{file} cannot be read as a ledger: {source}")]
    Sqlite { file: PathBuf, source: sqlx::Error },
    #[error("the schema of {file} cannot be brought up to date: {source}")]
    Schema { file: PathBuf, source: SchemaError },
    #[error(
        "merchant_prepare_id would go on above {floor}, which is more than CLICK's documents allow ({CLICK_INT_MAX}). \
         Ask CLICK whether it may be larger, then restore with --beyond-click-int"
    )]
    NumbersUsedUp { floor: i64 },
}

/// What a ledger that passed every check holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Summary {
    pub orders: i64,
    pub paid: i64,
    pub paid_tiyin: i64,
    /// Events that the bus has not confirmed.
    pub unsent: i64,
    /// The last merchant_prepare_id of an attempt, 0 when there is none.
    pub last_prepare_id: i64,
}

pub(in crate::ledger) const SUMMARY: &str = "SELECT (SELECT count(*) FROM orders) AS orders,
    (SELECT count(*) FROM orders WHERE status = 'paid') AS paid,
    (SELECT CAST(coalesce(sum(amount_tiyin), 0) AS BIGINT) FROM orders WHERE status = 'paid') AS paid_tiyin,
    (SELECT count(*) FROM outbox WHERE sent_at IS NULL) AS unsent,
    (SELECT coalesce(max(prepare_id), 0) FROM attempts) AS last_prepare_id";

/// Rules between rows that no constraint of the schema can hold, the same on each engine. Each with a query that finds the orders
/// which break it. `$amount`: an event's, by the engine's way into JSON.
macro_rules! rules {
    ($amount:literal) => {
        [
            (
                "a paid order has one paid attempt, of its amount",
                "SELECT order_id FROM orders AS o WHERE status = 'paid' AND 1 <>
                   (SELECT count(*) FROM attempts AS a WHERE a.order_id = o.order_id AND a.state = 'paid'
                      AND a.prepare_id = o.paid_by AND a.amount_tiyin = o.amount_tiyin) LIMIT 1",
            ),
            (
                "a paid attempt pays its order",
                "SELECT a.order_id FROM attempts AS a LEFT JOIN orders AS o ON o.order_id = a.order_id
                 WHERE a.state = 'paid'
                   AND (o.status IS DISTINCT FROM 'paid' OR o.paid_by IS DISTINCT FROM a.prepare_id) LIMIT 1",
            ),
            (
                "a payment has its event",
                "SELECT order_id FROM orders AS o
                 WHERE status = 'paid' AND changed_at >= (SELECT outbox_pruned_before FROM ledger_state)
                   AND NOT EXISTS (SELECT 1 FROM outbox AS e WHERE e.event_id = 'payment.completed:' || o.order_id)
                 LIMIT 1",
            ),
            (
                "the event of a payment tells of a paid order, with its amount",
                concat!(
                    "SELECT e.order_id FROM outbox AS e LEFT JOIN orders AS o ON o.order_id = e.order_id
                     WHERE e.routing_key = 'payment.completed' AND (o.status IS DISTINCT FROM 'paid'
                       OR o.amount_tiyin IS DISTINCT FROM CAST(", $amount, " AS BIGINT)) LIMIT 1"
                ),
            ),
            (
                "a payment has one event",
                "SELECT order_id FROM outbox WHERE routing_key = 'payment.completed'
                 GROUP BY order_id HAVING count(*) > 1 LIMIT 1",
            ),
        ]
    };
}

type Rules = [(&'static str, &'static str); 5];

const RULES: Rules = rules!("e.body ->> '$.amount_tiyin'");
pub(in crate::ledger) const RULES_ON_POSTGRES: Rules = rules!("e.body::json ->> 'amount_tiyin'");

/// How SQLite holds a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteSettings {
    pub version: String,
    /// Whether this version keeps what was committed.
    pub is_safe: bool,
    /// Of the file; its services switch to `wal` at their start.
    pub journal_mode: String,
}

/// Reads the version of SQLite and the settings of a file.
pub async fn settings(file: &Path) -> Result<SqliteSettings, BackupError> {
    let mut connection = read_only(file).await?;
    let row: Result<(String, String), sqlx::Error> =
        sqlx::query_as("SELECT sqlite_version(), (SELECT journal_mode FROM pragma_journal_mode)")
            .fetch_one(&mut connection)
            .await;
    // Nothing was written; a close that fails changes nothing about what was read.
    drop(connection.close().await);
    let (version, journal_mode) =
        row.map_err(|source| BackupError::Sqlite { file: file.to_owned(), source })?;
    Ok(SqliteSettings { is_safe: is_safe(&version), version, journal_mode })
}

/// Copies the ledger to a new file, consistent as of one moment, while its service goes on writing.
pub async fn copy(ledger: &Path, copy: &Path) -> Result<(), BackupError> {
    if !ledger.exists() {
        return Err(BackupError::Missing(ledger.to_owned()));
    }
    let failed = |source| BackupError::Sqlite { file: ledger.to_owned(), source };
    let mut connection = read_only(ledger).await?;
    sqlx::query("VACUUM INTO ?1")
        .bind(copy.to_string_lossy().into_owned())
        .execute(&mut connection)
        .await
        .map_err(failed)?;
    connection.close().await.map_err(failed)
}

/// Opens a copy and checks everything that can be checked: the file, the references, the rules between rows.
pub async fn examine(file: &Path) -> Result<Summary, BackupError> {
    let mut connection = read_only(file).await?;
    let outcome = examine_with(&mut connection, file).await;
    if let Err(source) = connection.close().await {
        return Err(BackupError::Sqlite { file: file.to_owned(), source });
    }
    outcome
}

async fn examine_with(connection: &mut SqliteConnection, file: &Path) -> Result<Summary, BackupError> {
    let failed = |source| BackupError::Sqlite { file: file.to_owned(), source };
    let damaged = |finding| BackupError::Damaged { file: file.to_owned(), finding };
    let found: String =
        sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut *connection).await.map_err(failed)?;
    if found != "ok" {
        return Err(damaged(found));
    }
    let dangling: Option<String> =
        sqlx::query_scalar("SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1")
            .fetch_optional(&mut *connection)
            .await
            .map_err(failed)?;
    if let Some(table) = dangling {
        return Err(damaged(format!("a row of {table} refers to one that is not there")));
    }
    for (rule, query) in RULES {
        let broken: Option<i64> =
            sqlx::query_scalar(query).fetch_optional(&mut *connection).await.map_err(failed)?;
        if let Some(order_id) = broken {
            return Err(BackupError::Rule { file: file.to_owned(), rule, order_id });
        }
    }
    sqlx::query_as(SUMMARY).fetch_one(&mut *connection).await.map_err(failed)
}

pub(crate) async fn read_only(file: &Path) -> Result<SqliteConnection, BackupError> {
    SqliteConnectOptions::new()
        .filename(file)
        .read_only(true)
        .busy_timeout(Duration::from_secs(5))
        .disable_statement_logging()
        .connect()
        .await
        .map_err(|source| BackupError::Sqlite { file: file.to_owned(), source })
}
