//! The relay: carries events from the outbox to the bus. At least once, never skipping a row.
//!
//! A row is marked only after the bus has confirmed it; a crash before that sends it again, and its readers know its
//! id. A row that the bus refuses for a reason of its own is retried alone, with back-off; when the bus itself fails,
//! all wait.

use std::{error::Error, sync::Arc, time::Duration};

use tolov_domain::{
    EventId, TraceParent,
    ports::{
        PortError,
        bus::{OutgoingMessage, Published, Publisher, Route, RoutingKey, RoutingKeyError},
    },
    time::{Timestamp, unix_ms},
};
use tolov_kit::{
    clock::Clock,
    lifecycle::Stop,
    retry::Pauses,
    spans::{self, Beginning, Kind, Span},
};

use crate::ledger::{Ledger, LedgerError, OutboxRow, OutboxWindow, RefusedEvent, RelayMarks};

/// Events of one closed window.
const WINDOW: u32 = 512;
/// A commit wakes the relay. This wakes it for a refused row that is due again.
const SWEEP: Duration = Duration::from_secs(1);
/// The longest pause while the bus is away or takes nothing: a failover takes seconds, and is over at once for us.
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// The longest pause of one refused row.
const REFUSED_PAUSE_MAX: Duration = Duration::from_mins(5);

/// Windows that are still published after a stop. The rest of a backlog waits for the next start.
const WINDOWS_AFTER_STOP: usize = 2;

/// What one step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relayed {
    /// Nothing was due.
    Idle,
    /// A window was published: so many events were confirmed, so many refused for reasons of their own. `is_last`: nothing
    /// more is due.
    Window { sent: usize, refused: usize, is_last: bool },
    /// The bus or the ledger failed. Nothing is lost: try again after a pause.
    Blocked(String),
}

#[derive(Debug)]
pub struct Relay {
    ledger: Ledger,
    bus: Arc<dyn Publisher>,
    clock: Arc<dyn Clock>,
}

impl Relay {
    pub fn new(ledger: Ledger, bus: Arc<dyn Publisher>, clock: Arc<dyn Clock>) -> Self {
        Self { ledger, bus, clock }
    }

    /// Relays until `stop`, and then a little of what is due.
    pub async fn run(self, stop: Stop) {
        let mut pauses = Pauses::new(Duration::from_millis(200), PAUSE_MAX);
        let mut blocked = false;
        let mut window = WINDOW;
        // Grows with the tries that the relay makes by itself: commits wake it too, and many of them say nothing about how
        // long the bus takes.
        let mut refused_pause = None;
        while !stop.is_cancelled() {
            let pause = match self.relay_once(window).await {
                Relayed::Window { sent: 0, refused, .. } => {
                    // Nothing gets through, as when a queue is missing. One event at a time finds out when that is over;
                    // a backlog that is published and refused whole keeps bus and ledger busy for nothing.
                    tracing::debug!(refused, "a window was refused whole");
                    window = 1;
                    *refused_pause.get_or_insert_with(|| pauses.next_pause())
                }
                Relayed::Window { sent, refused, is_last } => {
                    if blocked {
                        tracing::info!("the bus takes events again");
                    }
                    (blocked, window, refused_pause) = (false, WINDOW, None);
                    pauses.reset();
                    tracing::debug!(sent, refused, "events relayed");
                    if !is_last {
                        continue;
                    }
                    SWEEP
                }
                Relayed::Idle => SWEEP,
                Relayed::Blocked(reason) => {
                    if !blocked {
                        tracing::warn!(reason, "events wait in the outbox; payments are still accepted");
                        blocked = true;
                    }
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = tokio::time::sleep(pauses.next_pause()) => {}
                    }
                    continue;
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.ledger.outbox_grew() => {}
                () = tokio::time::sleep(pause) => refused_pause = None,
            }
        }
        for _ in 0..WINDOWS_AFTER_STOP {
            if !matches!(self.relay_once(WINDOW).await, Relayed::Window { sent: 1.., .. }) {
                break;
            }
        }
    }

    /// Publishes one window of at most so many events and marks what became of them.
    pub async fn relay_once(&self, window: u32) -> Relayed {
        let now = self.clock.now();
        match self.relay(now, window).await {
            Ok(relayed) => relayed,
            Err(error) => Relayed::Blocked(match error.source() {
                Some(source) => format!("{error}: {source}"),
                None => error.to_string(),
            }),
        }
    }

    async fn relay(&self, now: Timestamp, window: u32) -> Result<Relayed, RelayError> {
        let OutboxWindow { mut rows, is_last } = self.ledger.unsent(now, REFUSED_PAUSE_MAX, window).await?;
        let _relaying = begin_spans(&mut rows, unix_ms(now));
        if rows.is_empty() {
            return Ok(Relayed::Idle);
        }
        let window = rows.iter().map(message).collect::<Result<Vec<OutgoingMessage>, _>>()?;
        let outcomes = self.bus.publish(&window).await?;
        let answered_at_ms = unix_ms(self.clock.now());
        let mut marks = RelayMarks { sent: Vec::new(), refused: Vec::new(), at: now };
        let mut unknown = None;
        for (row, outcome) in rows.iter().zip(outcomes) {
            match outcome {
                Published::Confirmed => {
                    let lag_ms = u64::try_from(answered_at_ms - row.created_at).unwrap_or(0);
                    metrics::histogram!("tolov_relay_lag_seconds").record(Duration::from_millis(lag_ms));
                    marks.sent.push(row.id);
                }
                Published::Rejected(reason) => {
                    tracing::error!(event.id = %row.event_id, reason, "the bus refuses an event");
                    let retry_at = now + refused_pause(row.refusals);
                    marks.refused.push(RefusedEvent { id: row.id, retry_at, reason });
                }
                Published::Unknown(reason) => unknown = Some(reason),
            }
        }
        let (sent, refused) = (marks.sent.len(), marks.refused.len());
        if sent + refused > 0 {
            self.ledger.mark_relayed(marks).await?;
        }
        match unknown {
            Some(reason) if sent + refused == 0 => Ok(Relayed::Blocked(reason)),
            Some(_) => Ok(Relayed::Window { sent, refused, is_last: false }),
            None => Ok(Relayed::Window { sent, refused, is_last }),
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Bus(#[from] PortError),
    #[error("the outbox is damaged: {0}")]
    RoutingKey(#[from] RoutingKeyError),
}

/// From the outbox to the mark that the bus has it, for each event. What is published goes on from there.
fn begin_spans(rows: &mut [OutboxRow], now_ms: i64) -> Vec<Span> {
    if !spans::is_on() {
        return Vec::new();
    }
    let begin = |row: &mut OutboxRow| {
        let span = Span::begin(Kind::Internal, row.traceparent.take(), || {
            Beginning::of("relay")
                .with("messaging.message.id", row.event_id.clone())
                .with("tolov.outbox.waited_ms", now_ms.saturating_sub(row.created_at))
                .with("tolov.outbox.refusals", row.refusals)
        });
        row.traceparent = span.traceparent();
        span
    };
    rows.iter_mut().map(begin).collect()
}

fn message(row: &OutboxRow) -> Result<OutgoingMessage, RoutingKeyError> {
    Ok(OutgoingMessage {
        id: EventId::new(row.event_id.clone()),
        route: Route::Payments(RoutingKey::try_new(row.routing_key.clone())?),
        schema: row.schema.clone(),
        body: row.body.clone().into_bytes(),
        traceparent: row.traceparent.as_deref().and_then(|parent| TraceParent::parse(parent).ok()),
    })
}

/// One second, doubled with every refusal.
fn refused_pause(refusals: i64) -> Duration {
    let doublings = u32::try_from(refusals).unwrap_or(u32::MAX).min(16);
    Duration::from_secs(1).saturating_mul(2u32.saturating_pow(doublings)).min(REFUSED_PAUSE_MAX)
}
