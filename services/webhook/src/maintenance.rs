//! What the ledger does by the clock: unpaid orders expire, events that were sent long ago and old unverified callbacks
//! are deleted.

use std::{sync::Arc, time::Duration};

use tolov_domain::time::Timestamp;
use tolov_kit::{
    clock::Clock,
    lifecycle::{Stop, pause},
};

use crate::{
    believed_time::BelievedTime,
    ledger::{Ledger, LedgerError, UnverifiedLimits},
};

/// How often it looks.
const ROUND: Duration = Duration::from_secs(5);
/// How long sent events are kept for a replay (docs/events.md).
const SENT_KEPT: Duration = Duration::from_hours(7 * 24);

/// The most prunings of one round: faster than events come, and no round takes long.
const PRUNINGS_MAX: usize = 50;

/// Keeps the ledger tidy, a round every few seconds.
#[derive(Debug)]
pub struct Maintenance {
    ledger: Ledger,
    time: BelievedTime,
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
        let time = BelievedTime::new(ledger.clone(), clock, longest_limit);
        Self { ledger, time, order_ttl, unverified }
    }

    /// What it believes to be the time.
    pub fn believed_time(&self) -> BelievedTime {
        self.time.clone()
    }

    /// Runs until `stop`.
    pub async fn run(self, stop: Stop) {
        while pause(&stop, ROUND).await {
            self.round().await;
        }
    }

    /// Does what is due.
    pub async fn round(&self) {
        if let Err(error) = self.tidy().await {
            tracing::warn!(error = error.chain(), "the ledger is not tidied; the next round tries again");
        }
    }

    async fn tidy(&self) -> Result<(), LedgerError> {
        if let Some(order_ttl) = self.order_ttl
            && let Some(created_before) = self.time.older_than(order_ttl).await?
        {
            expire_due(&self.ledger, created_before, self.time.clock().now()).await;
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
