//! The operator's side of the bus.

use std::sync::Arc;

use async_trait::async_trait;
use tolov_domain::{
    EventId,
    ports::{
        PortError,
        bus::{BusAdmin, ParkedMessage, Queue, QueueDepth},
    },
    time::unix_ms,
};
use tolov_kit::clock::Clock;

use super::store::Wakes;
use crate::sqlite::SqliteFile;

/// Looks at a bus and moves parked messages. Safe beside the process that runs the bus: it touches nothing that a
/// reader can hold.
#[derive(Debug)]
pub struct EmbeddedBusAdmin {
    file: Arc<SqliteFile>,
    clock: Arc<dyn Clock>,
    wakes: Wakes,
}

impl EmbeddedBusAdmin {
    pub(super) fn new(file: Arc<SqliteFile>, clock: Arc<dyn Clock>, wakes: Wakes) -> Self {
        Self { file, clock, wakes }
    }

    /// Closes the file. Only for one that came from [`super::EmbeddedBus::admin_of`].
    pub async fn close(&self) -> Result<(), PortError> {
        self.file.close().await
    }
}

#[async_trait]
impl BusAdmin for EmbeddedBusAdmin {
    async fn depth(&self, queue: Queue) -> Result<QueueDepth, PortError> {
        let (ready, retrying, due, parked): (i64, i64, i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM messages WHERE queue = ?1 AND state = 'ready'),
                    (SELECT count(*) FROM messages WHERE queue = ?1 AND state = 'delayed' AND due_at_ms > ?2),
                    (SELECT count(*) FROM messages WHERE queue = ?1 AND state = 'delayed' AND due_at_ms <= ?2),
                    (SELECT count(*) FROM messages WHERE queue = ?1 AND state = 'parked')",
        )
        .bind(queue.name())
        .bind(unix_ms(self.clock.now()))
        .fetch_one(self.file.readers())
        .await
        .map_err(|error| self.file.failed(&error))?;
        let count = |number: i64| u64::try_from(number).unwrap_or(0);
        Ok(QueueDepth { ready: count(ready + due), retrying: count(retrying), parked: count(parked) })
    }

    async fn parked(&self, queue: Queue, max: usize) -> Result<Vec<ParkedMessage>, PortError> {
        let rows: Vec<(String, String, Vec<u8>, String, u32)> = sqlx::query_as(
            "SELECT message_id, schema, body, reason, retries FROM messages
             WHERE queue = ?1 AND state = 'parked' ORDER BY parked_at_ms, seq LIMIT ?2",
        )
        .bind(queue.name())
        .bind(i64::try_from(max).unwrap_or(i64::MAX))
        .fetch_all(self.file.readers())
        .await
        .map_err(|error| self.file.failed(&error))?;
        let parked = |(id, schema, body, reason, retries): (String, String, Vec<u8>, String, u32)| {
            ParkedMessage { id: EventId::new(id), schema, body, reason, retries }
        };
        Ok(rows.into_iter().map(parked).collect())
    }

    async fn requeue_parked(&self, queue: Queue, id: &EventId) -> Result<bool, PortError> {
        let mut writer = self.file.writer().await?;
        let moved = sqlx::query(
            "UPDATE messages SET state = 'ready', retries = 0, parked_at_ms = NULL, reason = NULL
             WHERE seq = (SELECT seq FROM messages WHERE queue = ?1 AND state = 'parked' AND message_id = ?2
                          ORDER BY parked_at_ms, seq LIMIT 1)",
        )
        .bind(queue.name())
        .bind(id.as_str())
        .execute(&mut *writer)
        .await
        .map_err(|error| self.file.failed(&error))?;
        self.wakes.wake(queue);
        Ok(moved.rows_affected() > 0)
    }

    async fn drop_parked(&self, queue: Queue, id: &EventId) -> Result<bool, PortError> {
        let mut writer = self.file.writer().await?;
        let dropped = sqlx::query(
            "DELETE FROM messages
             WHERE seq = (SELECT seq FROM messages WHERE queue = ?1 AND state = 'parked' AND message_id = ?2
                          ORDER BY parked_at_ms, seq LIMIT 1)",
        )
        .bind(queue.name())
        .bind(id.as_str())
        .execute(&mut *writer)
        .await
        .map_err(|error| self.file.failed(&error))?;
        Ok(dropped.rows_affected() > 0)
    }
}
