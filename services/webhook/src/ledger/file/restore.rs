//! Putting a ledger back from a backup, without ever giving a number to CLICK twice.

use std::{
    fs::File,
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{ConnectOptions, Connection, SqliteConnection, SqliteExecutor, sqlite::SqliteConnectOptions};
use tolov_domain::time::{Timestamp, unix_ms};

use super::{
    backup::{BackupError, read_only},
    open::{OpenError, beside, lock, migrate},
};

/// After the copy was made, numbers may have been given out so much faster than in its busiest hour.
const RATE_FACTOR: u64 = 10;
/// The least that an hour may have brought, whatever the copy has seen.
const AN_HOUR_MIN: u64 = 100;
/// What is added for the clocks of two machines.
const MARGIN: u64 = 1_000;
/// Clocks that are right do not differ by so much.
const CLOCKS_DIFFER_MAX: time::Duration = time::Duration::hours(1);
/// Taken for the age of a backup that was made in the future: one of two clocks is wrong, and by how much nobody knows.
const UNKNOWN_AGE: Duration = Duration::from_hours(31 * 24);
/// CLICK's documents call merchant_prepare_id an `int`: what it does with more than 31 bits is not known.
pub const CLICK_INT_MAX: i64 = 2_147_483_647;

/// The place of a ledger, held so that no service can open it.
#[derive(Debug)]
pub struct Place {
    path: PathBuf,
    /// Held until this is dropped.
    _lock: File,
}

/// The restore as the ledger remembers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restore {
    pub at: Timestamp,
    pub backup_made_at: Timestamp,
    /// The last numbers of the ledger to be replaced, where it can still be read.
    pub replaced: Option<Numbers>,
    /// Whether merchant_prepare_id may go on above [`CLICK_INT_MAX`].
    pub beyond_click_int: bool,
}

/// A merchant_prepare_id and an order number, each the highest of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    pub prepare_id: i64,
    pub order_id: i64,
}

impl Place {
    /// Refused while a service has the ledger open.
    pub fn take(path: &Path) -> Result<Self, OpenError> {
        Ok(Self { path: path.to_owned(), _lock: lock(path)? })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// While this file is there, no service opens the ledger: it is made before a restore replaces anything and
    /// deleted when everything is in its place.
    pub fn unfinished_mark(&self) -> PathBuf {
        beside(&self.path, UNFINISHED)
    }

    pub fn lock_path(&self) -> PathBuf {
        beside(&self.path, ".lock")
    }
}

/// The last numbers of a ledger. `None`: it is not there, or cannot be read.
pub async fn numbers_of(ledger: &Path) -> Option<Numbers> {
    if !ledger.exists() {
        return None;
    }
    let mut connection = read_only(ledger).await.ok()?;
    let last = last_numbers(&mut connection).await;
    // Nothing was written; a close that fails changes nothing about what was read.
    drop(connection.close().await);
    last.ok()
}

/// Whether a restore of this ledger was begun and not finished.
pub fn is_unfinished(ledger: &Path) -> bool {
    beside(ledger, UNFINISHED).exists()
}

pub(crate) const UNFINISHED: &str = ".restoring";

/// Brings a copy up to date and raises its numbers above everything that may have been given out since it was made.
/// Returns the new floor. Refuses one that is larger than CLICK's `int`, unless it may be.
pub async fn ready(copy: &Path, restore: Restore) -> Result<i64, BackupError> {
    let sqlite = |source| BackupError::Sqlite { file: copy.to_owned(), source };
    let mut connection = SqliteConnectOptions::new()
        .filename(copy)
        .foreign_keys(true)
        .disable_statement_logging()
        .connect()
        .await
        .map_err(sqlite)?;
    migrate(&mut connection).await.map_err(|source| BackupError::Schema { file: copy.to_owned(), source })?;
    let floors = floors(&mut connection, &restore).await.map_err(sqlite)?;
    if floors.prepare_id > CLICK_INT_MAX && !restore.beyond_click_int {
        return Err(BackupError::NumbersUsedUp { floor: floors.prepare_id });
    }
    sqlx::query(
        "INSERT INTO restores (restored_at, backup_made_at, prepare_id_floor, order_id_floor)
         VALUES (?1, ?2, ?3, ?4)",
    )
    .bind(unix_ms(restore.at))
    .bind(unix_ms(restore.backup_made_at))
    .bind(floors.prepare_id)
    .bind(floors.order_id)
    .execute(&mut connection)
    .await
    .map_err(sqlite)?;
    connection.close().await.map_err(sqlite)?;
    Ok(floors.prepare_id)
}

/// The highest merchant_prepare_id and the highest order number that may have been given out by now.
async fn floors(connection: &mut SqliteConnection, restore: &Restore) -> Result<Numbers, sqlx::Error> {
    let copied = last_numbers(connection).await?;
    let attempts: i64 = sqlx::query_scalar(
        "SELECT coalesce(max(attempts), 0) FROM
           (SELECT count(*) AS attempts FROM attempts GROUP BY prepared_at / 3600000)",
    )
    .fetch_one(&mut *connection)
    .await?;
    let orders: i64 = sqlx::query_scalar(
        "SELECT coalesce(max(orders), 0) FROM
           (SELECT count(*) AS orders FROM orders GROUP BY created_at / 3600000)",
    )
    .fetch_one(connection)
    .await?;
    Ok(floors_since(copied, (attempts, orders), restore))
}

/// The same from the last numbers of a copy, and from how many attempts and orders the busiest hour of it brought.
pub(crate) fn floors_since(copied: Numbers, (attempts, orders): (i64, i64), restore: &Restore) -> Numbers {
    let replaced = restore.replaced.unwrap_or(copied);
    let prepare_id = copied.prepare_id.max(replaced.prepare_id);
    let order_id = copied.order_id.max(replaced.order_id);
    Numbers {
        prepare_id: prepare_id.saturating_add(given_since(attempts, restore)),
        order_id: order_id.saturating_add(given_since(orders, restore)),
    }
}

async fn last_numbers(connection: &mut SqliteConnection) -> Result<Numbers, sqlx::Error> {
    let prepare_id = last_given_prepare_id(connection).await?;
    Ok(Numbers { prepare_id, order_id: highest_order_id(connection).await? })
}

/// How many numbers may have been given out since the backup, by the most that it has seen in an hour.
fn given_since(busiest_hour: i64, restore: &Restore) -> i64 {
    let an_hour = u64::try_from(busiest_hour).unwrap_or(0).max(AN_HOUR_MIN).saturating_mul(RATE_FACTOR);
    let age = restore.at - restore.backup_made_at;
    let age =
        if age < -CLOCKS_DIFFER_MAX { UNKNOWN_AGE } else { Duration::try_from(age).unwrap_or_default() };
    let hours = age.as_secs().div_ceil(3_600).max(1);
    i64::try_from(an_hour.saturating_mul(hours).saturating_add(MARGIN)).unwrap_or(i64::MAX)
}

/// The highest number of an order, or that an order may have had in a ledger that was lost.
async fn highest_order_id(executor: impl SqliteExecutor<'_>) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT max((SELECT coalesce(max(order_id), 0) FROM orders),
                    (SELECT coalesce(max(order_id_floor), 0) FROM restores))",
    )
    .fetch_one(executor)
    .await
}

/// The last number that was given to an attempt, or may have been by a ledger that was lost.
async fn last_given_prepare_id(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT max((SELECT coalesce(max(prepare_id), 0) FROM attempts),
                    (SELECT coalesce(max(prepare_id_floor), 0) FROM restores))",
    )
    .fetch_one(connection)
    .await
}
