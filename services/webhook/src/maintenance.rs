//! What the ledger does by the clock: unpaid orders expire, events that were sent long ago and old unverified callbacks
//! are deleted; staff are asked about money that nothing was decided about.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tolov_domain::{
    OrderId,
    time::{Timestamp, from_unix_ms},
};
use tolov_kit::{
    clock::Clock,
    lifecycle::{Stop, pause},
};

use crate::{
    believed_time::BelievedTime,
    ledger::{EXPIRE_MAX, Ledger, LedgerError, UnverifiedLimits},
    undecided::Undecided,
};

/// How often it looks.
const ROUND: Duration = Duration::from_secs(5);
/// How long sent events are kept for a replay (docs/events.md).
const SENT_KEPT: Duration = Duration::from_hours(7 * 24);

/// The most prunings of one round: faster than events come, and no round takes long.
const PRUNINGS_MAX: usize = 50;
/// An order that is dated later than this after now was dated by a clock that was ahead.
const AHEAD: time::Duration = time::Duration::minutes(1);
/// The most of them that are looked at in one round, and that are remembered; further ones are met when those are over.
const MET_AT_ONCE: u32 = 1_000;
const MET_MAX: usize = 50_000;

/// Keeps the ledger tidy, a round every few seconds.
#[derive(Debug)]
pub struct Maintenance {
    ledger: Ledger,
    time: BelievedTime,
    /// How long an order can be paid. `None`: for ever.
    order_ttl: Option<Duration>,
    unverified: UnverifiedLimits,
    dated_ahead: Mutex<DatedAhead>,
    undecided: Undecided,
}

/// Pending orders that are dated after now, each with when this process met it first. By their dates they could be paid, and
/// would hold stock, until that time comes.
///
/// - The clock was ahead when they were registered, and was set back: they expire when this process has seen them pending for as
///   long as an order can be paid, by the time that passes.
/// - The clock is behind now, for a while: what was registered before is met here too. It was registered before it was met, so
///   it is as old at least and does not expire too soon, whatever becomes of the clock.
/// - Orders that are registered while the clock is behind are not met here: [`BelievedTime`] takes nothing for older when the
///   clock is set forward again.
///
/// After a restart they are met anew.
#[derive(Debug, Default)]
struct DatedAhead {
    /// By the monotonic clock.
    met_at: HashMap<OrderId, Duration>,
    /// The date after which the next round goes on. `None`: at the soonest.
    after: Option<Timestamp>,
}

impl DatedAhead {
    fn meet(&mut self, orders: &[(OrderId, i64)], now: Duration) {
        for (order_id, _) in orders {
            if self.met_at.len() < MET_MAX {
                self.met_at.entry(*order_id).or_insert(now);
            }
        }
        let is_last = orders.len() < usize::try_from(MET_AT_ONCE).unwrap_or(0);
        // Those of the same millisecond once more.
        self.after = orders.last().filter(|_| !is_last).map(|(_, created_at)| from_unix_ms(created_at - 1));
    }

    fn met_before(&self, limit: Duration, now: Duration) -> Vec<OrderId> {
        let over = self.met_at.iter().filter(|(_, met_at)| now.saturating_sub(**met_at) > limit);
        over.map(|(order_id, _)| *order_id).collect()
    }
}

impl Maintenance {
    pub fn new(
        ledger: Ledger,
        clock: Arc<dyn Clock>,
        order_ttl: Option<Duration>,
        unverified: UnverifiedLimits,
    ) -> Self {
        let longest_limit = SENT_KEPT.max(unverified.kept_for).max(order_ttl.unwrap_or_default());
        let time = BelievedTime::new(ledger.clone(), clock, longest_limit);
        let (dated_ahead, undecided) = (Mutex::default(), Undecided::new());
        Self { ledger, time, order_ttl, unverified, dated_ahead, undecided }
    }

    /// What it believes to be the time.
    pub fn believed_time(&self) -> BelievedTime {
        self.time.clone()
    }

    /// What it asks staff about.
    pub(crate) fn undecided(&self) -> Undecided {
        self.undecided.clone()
    }

    /// Runs until `stop`.
    pub async fn run(self, stop: Stop) {
        while pause(&stop, ROUND).await {
            self.round().await;
        }
    }

    /// Does what is due.
    pub async fn round(&self) {
        self.undecided.ask_staff(&self.ledger, self.time.clock().monotonic()).await;
        if let Err(error) = self.tidy().await {
            tracing::warn!(error = error.chain(), "the ledger is not tidied; the next round tries again");
        }
    }

    async fn tidy(&self) -> Result<(), LedgerError> {
        if let Some(order_ttl) = self.order_ttl {
            if let Some(created_before) = self.time.older_than(order_ttl).await? {
                expire_due(&self.ledger, created_before, self.time.clock().now()).await;
            }
            self.expire_dated_ahead(order_ttl).await?;
        }
        if let Some(sent_before) = self.time.older_than(SENT_KEPT).await? {
            for _ in 0..PRUNINGS_MAX {
                if self.ledger.prune_outbox(sent_before).await? == 0 {
                    break;
                }
            }
        }
        if let Some(received_before) = self.time.older_than(self.unverified.kept_for).await? {
            self.ledger.prune_unverified(received_before, self.unverified.rows_max).await?;
        }
        Ok(())
    }

    async fn expire_dated_ahead(&self, order_ttl: Duration) -> Result<(), LedgerError> {
        let clock = self.time.clock();
        let (now, passed) = (clock.now(), clock.monotonic());
        let soonest = now.saturating_add(AHEAD);
        let after = self.dated_ahead().after.map_or(soonest, |after| after.max(soonest));
        let met = self.ledger.pending_after(after, MET_AT_ONCE).await?;
        let over = {
            let mut dated_ahead = self.dated_ahead();
            dated_ahead.meet(&met, passed);
            dated_ahead.met_before(order_ttl, passed)
        };
        for part in over.chunks(usize::try_from(EXPIRE_MAX).unwrap_or(1)) {
            let expired = self.ledger.end_orders(part.to_vec(), now).await?;
            tracing::info!(expired, "orders expired that a clock had dated ahead");
            let mut dated_ahead = self.dated_ahead();
            for order_id in part {
                dated_ahead.met_at.remove(order_id);
            }
        }
        Ok(())
    }

    fn dated_ahead(&self) -> MutexGuard<'_, DatedAhead> {
        self.dated_ahead.lock().unwrap_or_else(PoisonError::into_inner)
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
