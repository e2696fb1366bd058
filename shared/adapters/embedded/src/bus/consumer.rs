//! Receiving: leases in memory, a count of deliveries on the disk.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use serde_json::json;
use sqlx::SqliteConnection;
use tokio::time::Instant;
use tolov_domain::{
    EventId,
    ports::{
        PortError,
        bus::{Consumer, DELIVERY_LIMIT, DELIVERY_LIMIT_REASON, Delivery, DeliveryTag, Queue, Verdict},
    },
};

use super::{
    leases::{Lease, PREFETCH_MAX},
    settle::settle,
    store::Store,
};

/// How long a consumer sleeps without looking: another process may have requeued a message, or the clock been set.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// A message that was delivered so often without a verdict is delivered alone from then on: if it kills its reader,
/// that no longer counts against its neighbours.
const SUSPECT_FROM: u32 = 5;

#[derive(Debug)]
pub(super) struct EmbeddedConsumer(Arc<Subscription>);

#[derive(Debug)]
struct Subscription {
    store: Arc<Store>,
    queue: Queue,
    /// Also the generation of its tags: no two consumers of a process have the same.
    number: u64,
    /// Leased, counted and not yet returned: whoever asked for them may have stopped waiting.
    buffer: Mutex<VecDeque<Delivery>>,
}

impl EmbeddedConsumer {
    pub(super) fn new(store: Arc<Store>, queue: Queue) -> Self {
        let number = store.next_consumer();
        Self(Arc::new(Subscription { store, queue, number, buffer: Mutex::default() }))
    }
}

impl Subscription {
    fn buffer(&self) -> MutexGuard<'_, VecDeque<Delivery>> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_buffered(&self, max: usize) -> Vec<Delivery> {
        let mut buffer = self.buffer();
        let count = max.min(buffer.len());
        buffer.drain(..count).collect()
    }

    /// Leases up to `max` ready messages into the buffer. Must run to its end, or a message would be counted as
    /// delivered that was not.
    async fn lease(&self, max: usize) -> Result<(), PortError> {
        let store = &*self.store;
        let mut writer = store.file.writer().await?;
        let (is_due, max, leased_rows) = {
            let queue = store.queue(self.queue);
            let is_due = queue.next_due.is_some_and(|at| at <= Instant::now());
            let free = PREFETCH_MAX.saturating_sub(queue.leases.count_of(self.number));
            (is_due, max.min(free), queue.leases.leased_rows())
        };
        if max == 0 {
            return Ok(());
        }
        if is_due {
            let next_due = self.end_delays(&mut writer).await.map_err(|error| store.file.failed(&error))?;
            store.queue(self.queue).next_due = next_due;
        }
        let rows = self.ready(&mut writer, max, &leased_rows).await;
        let rows = rows.map_err(|error| store.file.failed(&error))?;
        self.count_deliveries(&mut writer, &rows).await.map_err(|error| store.file.failed(&error))?;
        let mut queue = store.queue(self.queue);
        let lease = |row: Row| {
            let lease = Lease { consumer: self.number, seq: row.seq, retries: row.retries };
            let tag = DeliveryTag { generation: self.number, number: queue.leases.add(lease) };
            row.into_delivery(tag)
        };
        self.buffer().extend(rows.into_iter().map(lease));
        Ok(())
    }

    /// The oldest ready messages that may be delivered together. Those at the delivery limit are parked.
    async fn ready(
        &self,
        writer: &mut SqliteConnection,
        max: usize,
        leased_rows: &str,
    ) -> sqlx::Result<Vec<Row>> {
        loop {
            let mut rows: Vec<Row> = sqlx::query_as(
                "SELECT seq, message_id, schema, body, retries, deliveries, traceparent FROM messages
                 WHERE queue = ?1 AND state = 'ready' AND seq NOT IN (SELECT value FROM json_each(?2))
                 ORDER BY seq LIMIT +?3",
            )
            .bind(self.queue.name())
            .bind(leased_rows)
            .bind(i64::try_from(max).unwrap_or(i64::MAX))
            .fetch_all(&mut *writer)
            .await?;
            match rows.first() {
                Some(first) if first.deliveries >= DELIVERY_LIMIT => self.park(writer, first).await?,
                _ => {
                    let suspect = rows.iter().position(|row| row.deliveries >= SUSPECT_FROM);
                    rows.truncate(suspect.map_or(max, |index| index.max(1)));
                    return Ok(rows);
                }
            }
        }
    }

    async fn park(&self, writer: &mut SqliteConnection, row: &Row) -> sqlx::Result<()> {
        let (id, queue, reason) = (&row.message_id, self.queue.name(), DELIVERY_LIMIT_REASON);
        tracing::error!(event.id = id, queue, reason, "message parked");
        sqlx::query("UPDATE messages SET state = 'parked', parked_at_ms = ?2, reason = ?3 WHERE seq = ?1")
            .bind(row.seq)
            .bind(self.store.now_ms())
            .bind(reason)
            .execute(writer)
            .await
            .map(drop)
    }

    async fn count_deliveries(&self, writer: &mut SqliteConnection, rows: &[Row]) -> sqlx::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let seqs: Vec<i64> = rows.iter().map(|row| row.seq).collect();
        sqlx::query(
            "UPDATE messages SET deliveries = deliveries + 1 WHERE seq IN (SELECT value FROM json_each(?1))",
        )
        .bind(json!(seqs).to_string())
        .execute(writer)
        .await
        .map(drop)
    }

    /// Makes messages ready whose delay has ended; returns when the next one ends.
    ///
    /// A delay that is now longer than it was set for means that the clock was put back. It ends at once, since nobody
    /// knows how much of it has passed.
    async fn end_delays(&self, writer: &mut SqliteConnection) -> sqlx::Result<Option<Instant>> {
        let now_ms = self.store.now_ms();
        sqlx::query(
            "UPDATE messages SET state = 'ready', due_at_ms = NULL, delay_ms = NULL
             WHERE queue = ?1 AND state = 'delayed' AND (due_at_ms <= ?2 OR due_at_ms > ?2 + delay_ms)",
        )
        .bind(self.queue.name())
        .bind(now_ms)
        .execute(&mut *writer)
        .await?;
        let next_ms: Option<i64> =
            sqlx::query_scalar("SELECT min(due_at_ms) FROM messages WHERE queue = ?1 AND state = 'delayed'")
                .bind(self.queue.name())
                .fetch_one(writer)
                .await?;
        let remaining = |next_ms: i64| Duration::from_millis(u64::try_from(next_ms - now_ms).unwrap_or(0));
        Ok(next_ms.map(|next_ms| Instant::now() + remaining(next_ms).min(POLL_EVERY)))
    }

    /// When to look without having been woken.
    fn next_poll(&self) -> Instant {
        let latest = Instant::now() + POLL_EVERY;
        self.store.queue(self.queue).next_due.map_or(latest, |at| at.min(latest))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let had_any = self.store.queue(self.queue).leases.remove_all_of(self.number);
        if had_any {
            self.store.wakers.wake(self.queue);
        }
    }
}

#[async_trait]
impl Consumer for EmbeddedConsumer {
    async fn receive(&self, max: usize) -> Result<Vec<Delivery>, PortError> {
        let Self(subscription) = self;
        let max = max.max(1);
        let mut woken = subscription.store.wakers.watch(subscription.queue);
        loop {
            woken.mark_unchanged();
            let buffered = subscription.take_buffered(max);
            if !buffered.is_empty() {
                return Ok(buffered);
            }
            let leasing = Arc::clone(subscription);
            let store = Arc::clone(&subscription.store);
            store.run_to_completion(async move |_| leasing.lease(max).await).await?;
            let leased = subscription.take_buffered(max);
            if !leased.is_empty() {
                return Ok(leased);
            }
            tokio::select! {
                // The sender lives as long as the store.
                _ = woken.changed() => {}
                () = tokio::time::sleep_until(subscription.next_poll()) => {}
                () = subscription.store.closing.cancelled() => {
                    return Err(PortError::Unavailable("the bus is closed".to_owned()));
                }
            }
        }
    }

    async fn settle(&self, verdicts: Vec<(Delivery, Verdict)>) -> Result<usize, PortError> {
        let (queue, number) = (self.0.queue, self.0.number);
        let store = Arc::clone(&self.0.store);
        store.run_to_completion(async move |store| settle(&store, queue, number, verdicts).await).await
    }
}

/// What is read of a message that is ready.
#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    message_id: String,
    schema: String,
    body: Vec<u8>,
    retries: u32,
    deliveries: u32,
    traceparent: Option<String>,
}

impl Row {
    fn into_delivery(self, tag: DeliveryTag) -> Delivery {
        Delivery {
            id: EventId::new(self.message_id),
            schema: self.schema,
            body: self.body,
            retries: self.retries,
            traceparent: self.traceparent.and_then(|parent| parent.try_into().ok()),
            tag,
        }
    }
}
