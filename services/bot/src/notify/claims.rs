//! The record of what was sent, with patience for a store that is away.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tolov_domain::{
    EventId,
    ports::{
        PortError,
        bus::Verdict,
        shop::{Claim, Outcome, ShopStore},
    },
    time::Timestamp,
};
use tolov_kit::{
    availability::Availability,
    clock::Clock,
    lifecycle::{Stop, pause},
    retry::Pauses,
};

use crate::{config::BotConfig, deps::Deps};

/// For how long the record of a message that was sent is tried.
const RECORD_PATIENCE: Duration = Duration::from_secs(30);
/// When something is wanted again that was given back because the other side is away.
pub(crate) const AWAY_AFTER: Duration = Duration::from_secs(10);
/// When something is wanted again that was given back because this process stops: another one may take it.
pub(crate) const STOP_AFTER: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Journal {
    shop: Arc<dyn ShopStore>,
    clock: Arc<dyn Clock>,
    pub(crate) store: Availability,
    hold: Duration,
    patience: Duration,
    lease: Duration,
}

/// What a claim allows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lease {
    /// The last moment for beginning to send.
    pub(crate) send_by: Instant,
    /// When the next try may be made if the outcome of this one is unknown.
    pub(crate) until: Instant,
}

impl Journal {
    pub(crate) fn new(deps: &Deps, config: &BotConfig) -> Self {
        Self {
            shop: Arc::clone(&deps.shop),
            clock: Arc::clone(&deps.clock),
            store: Availability::new("the shop store"),
            hold: config.hold,
            patience: config.patience,
            // Waiting, then a send and perhaps one more to the number that a group has moved to, then the record.
            lease: config.patience + 2 * config.request_timeout + RECORD_PATIENCE,
        }
    }

    /// Takes notifications for sending; one answer each. Holds while the store is away; the error is the verdict for
    /// all of them.
    pub(crate) async fn claim(&self, ids: &[EventId], stop: &Stop) -> Result<(Vec<Claim>, Lease), Verdict> {
        let give_up = Instant::now() + self.hold;
        let mut pauses = pauses();
        loop {
            let began = Instant::now();
            let now = self.clock.now();
            match self.shop.claim(ids, now, now + self.lease).await {
                Ok(claims) if claims.len() == ids.len() => {
                    self.store.mark_up();
                    return Ok((claims, Lease { send_by: began + self.patience, until: began + self.lease }));
                }
                Ok(claims) => {
                    let reason = format!("{} claims for {} notifications", claims.len(), ids.len());
                    return Err(Verdict::Retry { reason });
                }
                Err(PortError::Refused(reason)) => return Err(Verdict::Retry { reason }),
                Err(error @ PortError::Unavailable(_)) => {
                    self.store.mark_down(error);
                    let next = pauses.next_pause();
                    if Instant::now() + next > give_up {
                        return Err(Verdict::Later { after: AWAY_AFTER });
                    }
                    if !pause(stop, next).await {
                        return Err(Verdict::Later { after: STOP_AFTER });
                    }
                }
            }
        }
    }

    /// Records how notifications ended.
    ///
    /// Where that cannot be done in a while they are acknowledged all the same: delivering them again would surely
    /// send them again, while a second delivery of what was acknowledged is rare.
    pub(crate) async fn record(&self, ids: &[EventId], outcome: &Outcome) {
        let give_up = Instant::now() + RECORD_PATIENCE;
        let mut pauses = pauses();
        loop {
            let error = match self.shop.settle(ids, outcome, self.clock.now()).await {
                Ok(()) => return self.store.mark_up(),
                Err(error) => error,
            };
            let next = pauses.next_pause();
            if !error.is_unavailable() || Instant::now() + next > give_up {
                tracing::error!(
                    first.notification.id = %ids.first().map_or("", EventId::as_str),
                    count = ids.len(),
                    %error,
                    "sent, but the record of it could not be kept; they may be sent again if they are delivered again"
                );
                return;
            }
            self.store.mark_down(error);
            tokio::time::sleep(next).await;
        }
    }

    /// Gives claims back. Where that fails the lease ends by itself.
    pub(crate) async fn release(&self, ids: &[EventId]) {
        if let Err(error) = self.shop.release(ids).await {
            self.store.mark_down(error);
        }
    }

    /// How long until somebody else's claim ends.
    pub(crate) fn busy_for(&self, until: Timestamp) -> Duration {
        Duration::try_from(until - self.clock.now()).unwrap_or_default().max(STOP_AFTER)
    }
}

pub(crate) fn pauses() -> Pauses {
    Pauses::new(Duration::from_millis(200), Duration::from_secs(10))
}
