//! Receiving and settling.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use tokio::time::Instant;
use tolov_domain::{
    EventId,
    ports::{
        PortError,
        bus::{Consumer, Delivery, DeliveryTag, Queue, Verdict},
    },
};

use super::{
    leases::{HELD_MAX, Lease},
    store::Store,
};
use crate::sqlite::BEGIN_WRITING;

/// How long a consumer sleeps without a look: another process may have requeued something, or the clock been set.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How much of a reason is kept.
const REASON_MAX_CHARS: usize = 1_000;

#[derive(Debug)]
pub(super) struct EmbeddedConsumer {
    store: Arc<Store>,
    queue: Queue,
    /// Also the generation of its tags: no two consumers of a run have the same.
    number: u64,
}

impl EmbeddedConsumer {
    pub(super) fn new(store: Arc<Store>, queue: Queue) -> Self {
        let number = store.next_consumer();
        Self { store, queue, number }
    }

    /// Leases up to `max` ready messages to this consumer.
    ///
    /// Nothing is lost when the future is dropped: leases are made after the last await.
    async fn take(&self, max: usize) -> Result<Vec<Delivery>, PortError> {
        let store = &*self.store;
        let mut writer = store.file.writer().await?;
        let (is_look_due, max, leased_rows) = {
            let reading = store.reading(self.queue);
            let is_look_due = reading.look_at.is_some_and(|at| at <= Instant::now());
            let room = HELD_MAX.saturating_sub(reading.leases.held_by(self.number));
            (is_look_due, max.min(room), reading.leases.leased_rows())
        };
        if max == 0 {
            return Ok(Vec::new());
        }
        if is_look_due {
            let look_at = self.end_delays(&mut writer).await.map_err(|error| store.file.failed(&error))?;
            store.reading(self.queue).look_at = look_at;
        }
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT seq, message_id, schema, body, retries FROM messages
             WHERE queue = ?1 AND state = 'ready' AND seq NOT IN (SELECT value FROM json_each(?2))
             ORDER BY seq LIMIT ?3",
        )
        .bind(self.queue.name())
        .bind(leased_rows)
        .bind(i64::try_from(max).unwrap_or(i64::MAX))
        .fetch_all(&mut *writer)
        .await
        .map_err(|error| store.file.failed(&error))?;
        let mut reading = store.reading(self.queue);
        let lease = |row: Row| {
            let lease = Lease { consumer: self.number, seq: row.seq, retries: row.retries };
            let tag = DeliveryTag { generation: self.number, number: reading.leases.add(lease) };
            row.into_delivery(tag)
        };
        Ok(rows.into_iter().map(lease).collect())
    }

    /// Makes delayed messages ready whose time has come; returns when to look again.
    ///
    /// A delay that is now longer than it was set for means that the clock was put back: it ends at once, since
    /// nobody knows how much of it has passed.
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
        Ok(next_ms.map(|next_ms| Instant::now() + remaining(next_ms).min(LOOK_EVERY)))
    }

    /// When to look without having been woken.
    fn next_look(&self) -> Instant {
        let latest = Instant::now() + LOOK_EVERY;
        self.store.reading(self.queue).look_at.map_or(latest, |at| at.min(latest))
    }
}

impl Drop for EmbeddedConsumer {
    fn drop(&mut self) {
        let had_any = self.store.reading(self.queue).leases.remove_all_of(self.number);
        if had_any {
            self.store.wakes.wake(self.queue);
        }
    }
}

#[async_trait]
impl Consumer for EmbeddedConsumer {
    async fn receive(&self, max: usize) -> Result<Vec<Delivery>, PortError> {
        let mut wake = self.store.wakes.watch(self.queue);
        loop {
            wake.mark_unchanged();
            let deliveries = self.take(max.max(1)).await?;
            if !deliveries.is_empty() {
                return Ok(deliveries);
            }
            tokio::select! {
                // The sender lives as long as the store.
                _ = wake.changed() => {}
                () = tokio::time::sleep_until(self.next_look()) => {}
                () = self.store.closing.cancelled() => {
                    return Err(PortError::Unavailable("the bus is closed".to_owned()));
                }
            }
        }
    }

    async fn settle(&self, verdicts: Vec<(Delivery, Verdict)>) -> Result<usize, PortError> {
        let (queue, number) = (self.queue, self.number);
        let store = Arc::clone(&self.store);
        store.to_the_end(async move |store| settle(&store, queue, number, verdicts).await).await
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
}

impl Row {
    fn into_delivery(self, tag: DeliveryTag) -> Delivery {
        Delivery {
            id: EventId::new(self.message_id),
            schema: self.schema,
            body: self.body,
            retries: self.retries,
            tag,
        }
    }
}

/// Verdicts as rows for one statement each.
#[derive(Debug, Default)]
struct Settling {
    done: Vec<i64>,
    /// Row, delay in milliseconds, retries from now on.
    delayed: Vec<(i64, i64, u32)>,
    /// Row, reason.
    parked: Vec<(i64, String)>,
}

impl Settling {
    fn add(&mut self, lease: Lease, verdict: Verdict, retry_delays_ms: [u64; 4]) {
        let Lease { seq, retries, .. } = lease;
        match verdict {
            Verdict::Done => self.done.push(seq),
            Verdict::Later { after } => {
                self.delayed.push((seq, i64::try_from(after.as_millis()).unwrap_or(MAX_DELAY_MS), retries));
            }
            Verdict::Retry { reason } => {
                let step = usize::try_from(retries).ok().and_then(|step| retry_delays_ms.get(step));
                match step {
                    Some(delay_ms) => {
                        let delay_ms = i64::try_from(*delay_ms).unwrap_or(MAX_DELAY_MS);
                        self.delayed.push((seq, delay_ms, retries + 1));
                    }
                    None => self.parked.push((seq, shortened(reason))),
                }
            }
            Verdict::Park { reason } => self.parked.push((seq, shortened(reason))),
        }
    }
}

/// No delay is longer than ten years, so that sums of times stay inside `i64`.
const MAX_DELAY_MS: i64 = 10 * 365 * 24 * 3_600 * 1_000;

fn shortened(reason: String) -> String {
    match reason.char_indices().nth(REASON_MAX_CHARS) {
        Some((end, _)) => format!("{}…", &reason[..end]),
        None => reason,
    }
}

async fn settle(
    store: &Store,
    queue: Queue,
    consumer: u64,
    verdicts: Vec<(Delivery, Verdict)>,
) -> Result<usize, PortError> {
    let mut writer = store.file.writer().await;
    let mut settling = Settling::default();
    let mut numbers = BTreeSet::new();
    let was_full = {
        let reading = store.reading(queue);
        for (delivery, verdict) in verdicts {
            let number = delivery.tag.number;
            if let Some(lease) = reading.leases.get(number, consumer)
                && numbers.insert(number)
            {
                settling.add(lease, verdict, store.retry_delays_ms);
            }
        }
        reading.leases.held_by(consumer) >= HELD_MAX
    };
    let count = numbers.len();
    let has_delayed = !settling.delayed.is_empty();
    let written = match &mut writer {
        Ok(writer) if count > 0 => {
            write(writer, settling, store.now_ms()).await.map_err(|error| store.file.failed(&error))
        }
        Ok(_) => Ok(()),
        Err(error) => Err(error.clone()),
    };
    // Settled or not, the deliveries are no longer in anybody's hands: what could not be written comes again.
    let mut reading = store.reading(queue);
    reading.leases.remove(numbers);
    if has_delayed {
        reading.look_at = Some(Instant::now());
    }
    drop(reading);
    if has_delayed || was_full || written.is_err() {
        store.wakes.wake(queue);
    }
    written.map(|()| count)
}

async fn write(writer: &mut SqliteConnection, settling: Settling, now_ms: i64) -> sqlx::Result<()> {
    let Settling { done, delayed, parked } = settling;
    let mut transaction = writer.begin_with(BEGIN_WRITING).await?;
    if !done.is_empty() {
        sqlx::query("DELETE FROM messages WHERE seq IN (SELECT value FROM json_each(?1))")
            .bind(json!(done).to_string())
            .execute(&mut *transaction)
            .await?;
    }
    if !delayed.is_empty() {
        sqlx::query(
            "UPDATE messages SET state = 'delayed', due_at_ms = ?2 + delay, delay_ms = delay, retries = steps
             FROM (SELECT value ->> 0 AS row, value ->> 1 AS delay, value ->> 2 AS steps FROM json_each(?1))
             WHERE seq = row",
        )
        .bind(json!(delayed).to_string())
        .bind(now_ms)
        .execute(&mut *transaction)
        .await?;
    }
    if !parked.is_empty() {
        sqlx::query(
            "UPDATE messages SET state = 'parked', parked_at_ms = ?2, reason = why
             FROM (SELECT value ->> 0 AS row, value ->> 1 AS why FROM json_each(?1))
             WHERE seq = row",
        )
        .bind(json!(parked).to_string())
        .bind(now_ms)
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await
}
