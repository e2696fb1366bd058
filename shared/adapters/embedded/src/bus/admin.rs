//! The operator's side of the bus.

use std::{collections::BTreeSet, sync::Arc};

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

use super::store::Wakers;
use crate::sqlite::SqliteFile;

/// Counts messages and moves parked ones. Safe beside the process that runs the bus, because it changes nothing that a
/// consumer can have leased.
#[derive(Debug)]
pub struct EmbeddedBusAdmin {
    file: Arc<SqliteFile>,
    clock: Arc<dyn Clock>,
    wakers: Wakers,
}

impl EmbeddedBusAdmin {
    pub(super) fn new(file: Arc<SqliteFile>, clock: Arc<dyn Clock>, wakers: Wakers) -> Self {
        Self { file, clock, wakers }
    }

    /// Closes the file. Only for one that came from [`super::EmbeddedBus::admin_of`].
    pub async fn close(&self) -> Result<(), PortError> {
        self.file.close().await
    }
}

/// How many messages are in memory at a time.
const PAGE: i64 = 1_000;

/// A parked message, with its place in the order.
#[derive(sqlx::FromRow)]
struct Placed {
    parked_at_ms: i64,
    seq: i64,
    #[sqlx(flatten)]
    row: Row,
}

/// What is read of a parked message.
#[derive(sqlx::FromRow)]
struct Row {
    message_id: String,
    schema: String,
    body: Vec<u8>,
    reason: String,
    retries: u32,
}

impl From<Row> for ParkedMessage {
    fn from(row: Row) -> Self {
        let Row { message_id, schema, body, reason, retries } = row;
        Self { id: EventId::new(message_id), schema, body, reason, retries }
    }
}

#[async_trait]
impl BusAdmin for EmbeddedBusAdmin {
    async fn depth(&self, queue: Queue) -> Result<QueueDepth, PortError> {
        let (ready, retrying, due, parked): (i64, i64, i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM messages WHERE queue = ?1 AND state = 'ready'),
                    (SELECT count(*) FROM messages
                       WHERE queue = ?1 AND state = 'delayed' AND due_at_ms > ?2 AND due_at_ms <= ?2 + delay_ms),
                    (SELECT count(*) FROM messages
                       WHERE queue = ?1 AND state = 'delayed' AND (due_at_ms <= ?2 OR due_at_ms > ?2 + delay_ms)),
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

    async fn each_waiting(
        &self,
        queue: Queue,
        see: &mut (dyn FnMut(Vec<u8>) + Send),
    ) -> Result<(), PortError> {
        let mut last = 0;
        loop {
            // A delay that is longer than it was set for has ended, as for a reader. By number, whatever the state: no index.
            let page: Vec<(i64, Vec<u8>)> = sqlx::query_as(
                "SELECT seq, body FROM messages NOT INDEXED
                 WHERE seq > ?1 AND queue = ?2
                   AND (state = 'ready' OR (state = 'delayed' AND (due_at_ms <= ?3 OR due_at_ms > ?3 + delay_ms)))
                 ORDER BY seq LIMIT +?4",
            )
            .bind(last)
            .bind(queue.name())
            .bind(unix_ms(self.clock.now()))
            .bind(PAGE)
            .fetch_all(self.file.readers())
            .await
            .map_err(|error| self.file.failed(&error))?;
            let Some((seq, _)) = page.last() else { return Ok(()) };
            last = *seq;
            for (_, body) in page {
                see(body);
            }
        }
    }

    async fn each_parked(
        &self,
        queue: Queue,
        see: &mut (dyn FnMut(ParkedMessage) + Send),
    ) -> Result<(), PortError> {
        let mut last = (i64::MIN, 0);
        loop {
            let page: Vec<Placed> = sqlx::query_as(
                "SELECT parked_at_ms, seq, message_id, schema, body, reason, retries FROM messages
                 WHERE queue = ?1 AND state = 'parked' AND (parked_at_ms, seq) > (?2, ?3)
                 ORDER BY parked_at_ms, seq LIMIT +?4",
            )
            .bind(queue.name())
            .bind(last.0)
            .bind(last.1)
            .bind(PAGE)
            .fetch_all(self.file.readers())
            .await
            .map_err(|error| self.file.failed(&error))?;
            let Some(Placed { parked_at_ms, seq, .. }) = page.last() else { return Ok(()) };
            last = (*parked_at_ms, *seq);
            for placed in page {
                see(placed.row.into());
            }
        }
    }

    async fn requeue_parked(
        &self,
        queue: Queue,
        ids: &BTreeSet<EventId>,
    ) -> Result<BTreeSet<EventId>, PortError> {
        let ids: Vec<&str> = ids.iter().map(EventId::as_str).collect();
        let mut writer = self.file.writer().await?;
        let moved: Vec<(String,)> = sqlx::query_as(
            "UPDATE messages
             SET state = 'ready', retries = 0, deliveries = 0, parked_at_ms = NULL, reason = NULL
             WHERE seq IN (SELECT seq FROM (
                 SELECT seq, row_number() OVER (PARTITION BY message_id ORDER BY parked_at_ms, seq) AS place
                 FROM messages WHERE queue = ?1 AND state = 'parked'
                                 AND message_id IN (SELECT value FROM json_each(?2))) WHERE place = 1)
             RETURNING message_id",
        )
        .bind(queue.name())
        .bind(serde_json::Value::from(ids).to_string())
        .fetch_all(&mut *writer)
        .await
        .map_err(|error| self.file.failed(&error))?;
        self.wakers.wake(queue);
        Ok(moved.into_iter().map(|(id,)| EventId::new(id)).collect())
    }

    async fn drop_parked(&self, queue: Queue, id: &EventId) -> Result<Option<ParkedMessage>, PortError> {
        let mut writer = self.file.writer().await?;
        let dropped: Option<Row> = sqlx::query_as(
            "DELETE FROM messages
             WHERE seq = (SELECT seq FROM messages WHERE queue = ?1 AND state = 'parked' AND message_id = ?2
                          ORDER BY parked_at_ms, seq LIMIT 1)
             RETURNING message_id, schema, body, reason, retries",
        )
        .bind(queue.name())
        .bind(id.as_str())
        .fetch_optional(&mut *writer)
        .await
        .map_err(|error| self.file.failed(&error))?;
        Ok(dropped.map(ParkedMessage::from))
    }
}
