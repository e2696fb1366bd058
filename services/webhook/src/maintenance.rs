//! What the ledger does by the clock: unpaid orders expire, and events that were sent long ago are deleted.

use std::{sync::Arc, time::Duration};

use tolov_kit::{
    clock::Clock,
    lifecycle::{Stop, pause},
};

use crate::ledger::{Ledger, UnverifiedLimits};

/// How often it looks.
const ROUND: Duration = Duration::from_secs(5);
/// How long sent events are kept for a replay (docs/events.md).
pub(crate) const SENT_KEPT: Duration = Duration::from_hours(7 * 24);

/// Runs until `stop`.
pub async fn run(
    ledger: Ledger,
    clock: Arc<dyn Clock>,
    order_ttl: Option<Duration>,
    unverified: UnverifiedLimits,
    stop: Stop,
) {
    while pause(&stop, ROUND).await {
        if let Some(order_ttl) = order_ttl {
            expire_due(&ledger, clock.as_ref(), order_ttl).await;
        }
        if let Err(error) = ledger.prune_outbox(clock.now() - SENT_KEPT).await {
            tracing::warn!(error = error.chain(), "cannot prune the outbox");
        }
        let received_before = clock.now() - unverified.kept_for;
        if let Err(error) = ledger.prune_unverified(received_before, unverified.rows_max).await {
            tracing::warn!(error = error.chain(), "cannot prune the unverified callbacks");
        }
        let disk = ledger.disk();
        // A disk that hangs blocks this thread and not the service.
        drop(tokio::task::spawn_blocking(move || disk.measure()));
    }
}

/// Expires every order that is due now. Returns how many.
pub async fn expire_due(ledger: &Ledger, clock: &dyn Clock, order_ttl: Duration) -> usize {
    let mut expired = 0;
    loop {
        let now = clock.now();
        match ledger.expire_orders(now - order_ttl, now).await {
            Ok(0) => break,
            Ok(count) => expired += count,
            Err(error) => {
                tracing::warn!(error = error.chain(), "cannot expire orders");
                break;
            }
        }
    }
    if expired > 0 {
        tracing::info!(expired, "orders expired");
    }
    expired
}
