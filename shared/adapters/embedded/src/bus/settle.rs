//! Settling: the verdicts of a call are one transaction.

use std::{collections::BTreeSet, time::Duration};

use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use tokio::time::Instant;
use tolov_domain::ports::{
    PortError,
    bus::{Delivery, Queue, Verdict},
};

use super::{
    leases::{Lease, PREFETCH_MAX},
    store::Store,
};
use crate::sqlite::BEGIN_WRITING;

/// How much of a reason is kept.
const REASON_MAX_CHARS: usize = 1_000;
/// No delay is longer than ten years, so that sums of times stay inside `i64`.
const MAX_DELAY: Duration = Duration::from_hours(10 * 365 * 24);

/// The verdicts of a call, by the statement that stores them.
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
                self.delayed.push((seq, delay_ms(after), retries));
            }
            Verdict::Retry { reason } => {
                let step = usize::try_from(retries).ok().and_then(|step| retry_delays_ms.get(step));
                match step {
                    Some(step_ms) => {
                        self.delayed.push((seq, delay_ms(Duration::from_millis(*step_ms)), retries + 1));
                    }
                    None => self.parked.push((seq, shortened(reason))),
                }
            }
            Verdict::Park { reason } => self.parked.push((seq, shortened(reason))),
        }
    }
}

fn delay_ms(delay: Duration) -> i64 {
    i64::try_from(delay.min(MAX_DELAY).as_millis()).unwrap_or(i64::MAX)
}

fn shortened(reason: String) -> String {
    match reason.char_indices().nth(REASON_MAX_CHARS) {
        Some((end, _)) => format!("{}…", &reason[..end]),
        None => reason,
    }
}

pub(super) async fn settle(
    store: &Store,
    queue: Queue,
    consumer: u64,
    verdicts: Vec<(Delivery, Verdict)>,
) -> Result<usize, PortError> {
    let mut writer = store.file.writer().await;
    let mut settling = Settling::default();
    let mut numbers = BTreeSet::new();
    let was_full = {
        let state = store.queue(queue);
        for (delivery, verdict) in verdicts {
            let number = delivery.tag.number;
            if let Some(lease) = state.leases.get(number, consumer)
                && numbers.insert(number)
            {
                settling.add(lease, verdict, store.retry_delays_ms);
            }
        }
        state.leases.count_of(consumer) >= PREFETCH_MAX
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
    // The leases end even if the write failed: those messages are delivered again.
    let mut state = store.queue(queue);
    state.leases.remove(numbers);
    if has_delayed {
        state.next_due = Some(Instant::now());
    }
    drop(state);
    if has_delayed || was_full || written.is_err() {
        store.wakers.wake(queue);
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
            "UPDATE messages SET state = 'delayed', due_at_ms = ?2 + delay, delay_ms = delay, retries = steps,
                 deliveries = 0
             FROM (SELECT value ->> 0 AS row, value ->> 1 AS delay, value ->> 2 AS steps FROM jsonb_each(?1))
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
             FROM (SELECT value ->> 0 AS row, value ->> 1 AS why FROM jsonb_each(?1))
             WHERE seq = row",
        )
        .bind(json!(parked).to_string())
        .bind(now_ms)
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await
}
