//! The log of notifications: claimed before a send, recorded after it. Waits while the store is unavailable.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tolov_domain::{
    EventId,
    ports::{
        PortError, ShopStore,
        bus::Verdict,
        notifications::{Claim, SendOutcome},
    },
    time::Timestamp,
};
use tolov_kit::{
    availability::Availability,
    clock::Clock,
    lifecycle::{Stop, pause},
    retry::Pauses,
};

use crate::{config::Config, deps::Deps};

/// How long recording an outcome is tried.
const RECORD_PATIENCE: Duration = Duration::from_secs(30);
/// How much longer than a send a lease lasts: the claim itself and the record take a part of it.
const LEASE_MARGIN: Duration = Duration::from_secs(1);
/// When something is wanted again that was given back because the other side is unavailable.
pub(super) const AWAY_AFTER: Duration = Duration::from_secs(10);
/// When something is wanted again that was given back because this process stops: another one may take it.
pub(super) const STOP_AFTER: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Claims {
    shop: Arc<dyn ShopStore>,
    clock: Arc<dyn Clock>,
    pub(super) store: Availability,
    hold: Duration,
    lease: Duration,
}

/// A notification that may be sent now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claimed {
    /// Counts from 1; above 1 an earlier send may have got through.
    pub(super) attempt: u32,
    /// When the next attempt may be made if the outcome of this one is unknown.
    pub(super) until: Instant,
}

impl Claims {
    pub(super) fn new(deps: &Deps, config: &Config) -> Self {
        Self {
            shop: Arc::clone(&deps.shop),
            clock: Arc::clone(&deps.clock),
            store: Availability::new("the shop store"),
            hold: config.hold,
            // After a crash it keeps the message back, so it is no longer than one send may take.
            lease: config.request_timeout + LEASE_MARGIN,
        }
    }

    /// Claims a notification for a send that begins now. The error is its verdict: it is settled already, another process
    /// sends it, or the store is unavailable for too long.
    pub(super) async fn claim(&self, id: &EventId, stop: &Stop) -> Result<Claimed, Verdict> {
        let answers = self.claim_all(std::slice::from_ref(id), stop).await?;
        answers.into_iter().next().unwrap_or_else(|| {
            Err(Verdict::Retry { reason: "the shop store has not answered a claim".to_owned() })
        })
    }

    /// The same for the notifications of one message; one answer each. The error is the verdict of all of them.
    pub(super) async fn claim_all(
        &self,
        ids: &[EventId],
        stop: &Stop,
    ) -> Result<Vec<Result<Claimed, Verdict>>, Verdict> {
        let give_up = Instant::now() + self.hold;
        let mut pauses = pauses();
        loop {
            let (until, now) = (Instant::now() + self.lease, self.clock.now());
            match self.shop.claim(ids, now, now + self.lease).await {
                Ok(claims) if claims.len() == ids.len() => {
                    self.store.mark_up();
                    return Ok(claims.into_iter().map(|claim| self.claimed(claim, until)).collect());
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

    fn claimed(&self, claim: Claim, until: Instant) -> Result<Claimed, Verdict> {
        match claim {
            Claim::Send { attempt } => Ok(Claimed { attempt, until }),
            Claim::Busy { until } => Err(Verdict::Later { after: self.remaining(until) }),
            Claim::Settled => Err(Verdict::Done),
        }
    }

    /// How long another process's lease lasts.
    fn remaining(&self, until: Timestamp) -> Duration {
        Duration::try_from(until - self.clock.now()).unwrap_or_default().max(STOP_AFTER)
    }

    /// Records how notifications ended.
    ///
    /// Where that is not possible they are acknowledged all the same: delivered again, they would certainly be sent again,
    /// while a second delivery of an acknowledged message is rare.
    pub(super) async fn record(&self, ids: &[EventId], outcome: &SendOutcome) {
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
                    "notifications were sent and could not be recorded; delivered again, they are sent again"
                );
                return;
            }
            self.store.mark_down(error);
            tokio::time::sleep(next).await;
        }
    }

    /// Gives claims up without a send. Where that fails the lease ends by itself.
    pub(super) async fn release(&self, ids: &[EventId]) {
        if let Err(error) = self.shop.release(ids).await {
            self.store.mark_down(error);
        }
    }
}

pub(super) fn pauses() -> Pauses {
    Pauses::new(Duration::from_millis(200), Duration::from_secs(10))
}
