//! The relay: carries events from the outbox to the bus. At least once, never skipping a row.
//!
//! A row is marked only after the bus has confirmed it; a crash before that sends it again, and its readers know its
//! id. A row that the bus refuses for a reason of its own backs off alone; trouble with the bus itself pauses all.

use std::{sync::Arc, time::Duration};

use tolov_domain::{
    ports::{
        PortError,
        bus::{OutgoingMessage, Published, Publisher, Route, RoutingKey, RoutingKeyError},
    },
    time::{Timestamp, unix_ms},
};
use tolov_kit::{clock::Clock, lifecycle::Stop, retry::Pauses};

use crate::ledger::{Ledger, LedgerError, OutboxRow, RelayMarks};

/// Events of one closed window.
const WINDOW: u32 = 512;
/// A commit wakes the relay; this is the safety net, and what wakes it for a row that is due again.
const SWEEP: Duration = Duration::from_secs(1);
/// The longest pause of one refused row.
const REFUSED_PAUSE_MAX: Duration = Duration::from_mins(5);

/// What one step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relayed {
    /// Nothing was due.
    Idle,
    /// A window went out: so many were confirmed, so many refused for reasons of their own.
    Window { sent: usize, refused: usize },
    /// The bus or the ledger is in trouble: nothing is lost, try again after a pause.
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

    /// Relays until `stop`, and then once more what is due, so that a clean stop leaves little behind.
    pub async fn run(self, stop: Stop) {
        let mut pauses = Pauses::new(Duration::from_millis(200), Duration::from_secs(15));
        let mut blocked = false;
        while !stop.is_cancelled() {
            match self.relay_once().await {
                Relayed::Window { sent, refused } => {
                    if blocked {
                        tracing::info!("the bus takes events again");
                    }
                    blocked = false;
                    pauses.reset();
                    tracing::debug!(sent, refused, "events relayed");
                }
                Relayed::Idle => {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = self.ledger.outbox_grew() => {}
                        () = tokio::time::sleep(SWEEP) => {}
                    }
                }
                Relayed::Blocked(reason) => {
                    if !blocked {
                        tracing::warn!(
                            reason,
                            "events wait in the outbox; payments are accepted all the same"
                        );
                        blocked = true;
                    }
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = tokio::time::sleep(pauses.next_pause()) => {}
                    }
                }
            }
        }
        while matches!(self.relay_once().await, Relayed::Window { sent: 1.., .. }) {}
    }

    /// Sends one window and marks what became of it.
    pub async fn relay_once(&self) -> Relayed {
        let now = self.clock.now();
        match self.relay(now).await {
            Ok(relayed) => relayed,
            Err(trouble) => Relayed::Blocked(trouble.to_string()),
        }
    }

    async fn relay(&self, now: Timestamp) -> Result<Relayed, Trouble> {
        let rows = self.ledger.unsent(now, WINDOW).await?;
        if rows.is_empty() {
            return Ok(Relayed::Idle);
        }
        let window = rows.iter().map(message).collect::<Result<Vec<OutgoingMessage>, _>>()?;
        let outcomes = self.bus.publish(&window).await?;
        let answered_at_ms = unix_ms(self.clock.now());
        let mut marks = RelayMarks { at_ms: unix_ms(now), ..RelayMarks::default() };
        let mut unknown = None;
        for (row, outcome) in rows.iter().zip(outcomes) {
            match outcome {
                Published::Confirmed => {
                    let lag_ms = u64::try_from(answered_at_ms - row.created_at).unwrap_or(0);
                    metrics::histogram!("tolov_relay_lag_seconds").record(Duration::from_millis(lag_ms));
                    marks.sent.push(row.id);
                }
                Published::Rejected(reason) => {
                    tracing::error!(event.id = %row.event_id, order.id = row.order_id, reason, "the bus refuses an event");
                    marks.refused.push((row.id, now + refused_pause(row.refusals), reason));
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
            _ => Ok(Relayed::Window { sent, refused }),
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("{0}")]
    Ledger(#[from] LedgerError),
    #[error("{0}")]
    Bus(#[from] PortError),
    #[error("the outbox is damaged: {0}")]
    RoutingKey(#[from] RoutingKeyError),
}

fn message(row: &OutboxRow) -> Result<OutgoingMessage, RoutingKeyError> {
    Ok(OutgoingMessage {
        id: row.event_id.clone(),
        route: Route::Payments(RoutingKey::try_new(row.routing_key.clone())?),
        schema: row.schema.clone(),
        body: row.body.clone().into_bytes(),
    })
}

/// One second, doubled with every refusal.
fn refused_pause(refusals: i64) -> Duration {
    let doublings = u32::try_from(refusals).unwrap_or(u32::MAX).min(16);
    Duration::from_secs(1).saturating_mul(2u32.saturating_pow(doublings)).min(REFUSED_PAUSE_MAX)
}
