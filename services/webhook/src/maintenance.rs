//! What the ledger does by the clock: unpaid orders expire, events that were sent long ago and old unverified callbacks
//! are deleted.

use std::{sync::Arc, time::Duration};

use tolov_domain::time::Timestamp;
use tolov_kit::{
    clock::Clock,
    clock_watch::ClockWatch,
    lifecycle::{Stop, pause},
};

use crate::ledger::{Ledger, LedgerError, UnverifiedLimits};

/// How often it looks.
const ROUND: Duration = Duration::from_secs(5);
/// How long sent events are kept for a replay (docs/events.md).
const SENT_KEPT: Duration = Duration::from_hours(7 * 24);

const CLOCK_NOTED_EVERY: Duration = Duration::from_mins(5);

/// The most prunings of one round: faster than events come, and no round takes long.
const PRUNINGS_MAX: usize = 50;

/// Keeps the ledger tidy, a round every few seconds.
#[derive(Debug)]
pub struct Maintenance {
    ledger: Ledger,
    clock: Arc<dyn Clock>,
    watch: ClockWatch,
    clock_noted: ClockNoted,
    /// How long an order can be paid. `None`: for ever.
    order_ttl: Option<Duration>,
    unverified: UnverifiedLimits,
}

impl Maintenance {
    pub fn new(
        ledger: Ledger,
        clock: Arc<dyn Clock>,
        order_ttl: Option<Duration>,
        unverified: UnverifiedLimits,
    ) -> Self {
        let longest_limit = SENT_KEPT.max(unverified.kept_for).max(order_ttl.unwrap_or_default());
        let watch = ClockWatch::new(clock.as_ref(), longest_limit);
        Self { ledger, clock, watch, clock_noted: ClockNoted::Unread, order_ttl, unverified }
    }

    /// Runs until `stop`.
    pub async fn run(mut self, stop: Stop) {
        while pause(&stop, ROUND).await {
            self.round().await;
        }
    }

    /// Does what is due. Nothing is until the ledger has said up to when an earlier process has seen time pass.
    pub async fn round(&mut self) {
        if let Err(error) = self.look_at_the_clock().await {
            tracing::warn!(error = error.chain(), "the ledger cannot remember the time");
            return;
        }
        if let Some(created_before) = self.order_ttl.and_then(|order_ttl| self.watch.older_than(order_ttl)) {
            expire_due(&self.ledger, created_before, self.clock.now()).await;
        }
        let pruned = async {
            if let Some(sent_before) = self.watch.older_than(SENT_KEPT) {
                for _ in 0..PRUNINGS_MAX {
                    if self.ledger.prune_outbox(sent_before).await? == 0 {
                        break;
                    }
                }
            }
            if let Some(received_before) = self.watch.older_than(self.unverified.kept_for) {
                self.ledger.prune_unverified(received_before, self.unverified.rows_max).await?;
            }
            Ok::<_, LedgerError>(())
        };
        if let Err(error) = pruned.await {
            tracing::warn!(
                error = error.chain(),
                "cannot delete old rows of the ledger; the next round tries again"
            );
        }
    }
}

/// When the ledger was last told the time.
#[derive(Debug, Clone, Copy)]
enum ClockNoted {
    /// Not since the start: the service before this one may have noted a time.
    Unread,
    At(Option<Timestamp>),
}

impl Maintenance {
    async fn look_at_the_clock(&mut self) -> Result<(), LedgerError> {
        let noted = match self.clock_noted {
            ClockNoted::At(noted) => noted,
            ClockNoted::Unread => {
                let noted = self.ledger.clock_believed_at().await?;
                if let Some(noted) = noted {
                    self.watch.compare_with(noted, CLOCK_NOTED_EVERY);
                }
                self.clock_noted = ClockNoted::At(noted);
                noted
            }
        };
        self.watch.look(self.clock.as_ref());
        let time = self.watch.time_to_note();
        if noted.is_none_or(|noted| (time - noted).unsigned_abs() >= CLOCK_NOTED_EVERY) {
            self.ledger.note_clock(time).await?;
            self.clock_noted = ClockNoted::At(Some(time));
        }
        Ok(())
    }
}

/// Expires every order that was created before this. Returns how many.
pub async fn expire_due(ledger: &Ledger, created_before: Timestamp, now: Timestamp) -> usize {
    let mut expired = 0;
    loop {
        match ledger.expire_orders(created_before, now).await {
            Ok(0) => break,
            Ok(count) => expired += count,
            Err(error) => {
                tracing::warn!(error = error.chain(), "cannot expire orders; the next round tries again");
                break;
            }
        }
    }
    if expired > 0 {
        tracing::info!(expired, "orders expired");
    }
    expired
}
