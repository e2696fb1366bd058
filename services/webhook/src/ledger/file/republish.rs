//! Publishing events once more, after a broker or a shop store has lost what was sent.

use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};
use tolov_domain::time::{Timestamp, unix_ms};

use super::{backup::BackupError, restore::Place};

/// Marks the events since this moment as unsent; the relay publishes them when the service starts. Returns how many.
///
/// Readers know an event by its id, so one that has arrived before has no second effect. The service must be stopped, which
/// the place proves. Events are kept for a week after they were sent.
pub async fn mark_unsent(place: &Place, since: Timestamp) -> Result<u64, BackupError> {
    if !place.path().exists() {
        return Err(BackupError::Missing(place.path().to_owned()));
    }
    let failed = |source| BackupError::Sqlite { file: place.path().to_owned(), source };
    let mut connection = SqliteConnectOptions::new()
        .filename(place.path())
        .foreign_keys(true)
        .disable_statement_logging()
        .connect()
        .await
        .map_err(failed)?;
    let marked = sqlx::query(
        "UPDATE outbox SET sent_at = NULL, refusals = 0, retry_at = 0
         WHERE sent_at IS NOT NULL AND created_at >= ?1",
    )
    .bind(unix_ms(since))
    .execute(&mut connection)
    .await
    .map_err(failed)?;
    connection.close().await.map_err(failed)?;
    Ok(marked.rows_affected())
}
