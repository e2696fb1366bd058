//! The log of notifications: claimed before a send, recorded after it. Waits while the store is unavailable.
//!
//! Messages that are sent at the same time are claimed in one command and recorded in one, and each of them is claimed for a send
//! that is about to begin. What the store refuses to do for several is done for each of them alone.

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

use crate::{
    config::Config,
    deps::Deps,
    notify::together::{Others, Together},
};

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
    claiming: Together<EventId, Result<(Claim, Instant), PortError>>,
    recording: Together<(EventId, SendOutcome), Result<(), PortError>>,
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
    /// What was sent is recorded with what is sent beside it.
    pub(super) fn new(deps: &Deps, config: &Config, others: Others) -> Self {
        Self {
            shop: Arc::clone(&deps.shop),
            clock: Arc::clone(&deps.clock),
            store: Availability::new("the shop store"),
            hold: config.hold,
            // After a crash it keeps the message back, so it is no longer than one send may take.
            lease: config.request_timeout + LEASE_MARGIN,
            claiming: Together::at_once(),
            recording: Together::with(others),
        }
    }

    /// Claims a notification for a send that begins now, in one command with others that do. The error is its verdict: it is
    /// settled already, another process sends it, or the store is unavailable for too long.
    pub(super) async fn claim(&self, id: &EventId, stop: &Stop) -> Result<Claimed, Verdict> {
        let give_up = Instant::now() + self.hold;
        let mut pauses = pauses();
        loop {
            let claimed = self.claiming.call(id.clone(), |ids| self.claim_together(ids)).await;
            match claimed.unwrap_or_else(|given_up| Err(given_up.into())) {
                Ok((claim, until)) => {
                    self.store.mark_up();
                    return self.claimed(claim, until);
                }
                Err(error) => self.wait_for_store(error, &mut pauses, give_up, stop).await?,
            }
        }
    }

    /// One answer each, with the end of the lease.
    async fn claim_together(&self, ids: Vec<EventId>) -> Vec<Result<(Claim, Instant), PortError>> {
        together_or_alone(ids, |ids| async move { self.claim_once(&ids).await }).await
    }

    /// The same, in one command.
    async fn claim_once(&self, ids: &[EventId]) -> Result<Vec<(Claim, Instant)>, PortError> {
        let (until, now) = (Instant::now() + self.lease, self.clock.now());
        let claims = self.shop.claim(ids, now, now + self.lease).await?;
        if claims.len() != ids.len() {
            let reason = format!("{} claims for {} notifications", claims.len(), ids.len());
            return Err(PortError::Refused(reason));
        }
        Ok(claims.into_iter().map(|claim| (claim, until)).collect())
    }

    /// The error is the verdict where it is too long.
    async fn wait_for_store(
        &self,
        error: PortError,
        pauses: &mut Pauses,
        give_up: Instant,
        stop: &Stop,
    ) -> Result<(), Verdict> {
        let error = match error {
            PortError::Refused(reason) => return Err(Verdict::Retry { reason }),
            error @ PortError::Unavailable(_) => error,
        };
        self.store.mark_down(error);
        let next = pauses.next_pause();
        if Instant::now() + next > give_up {
            return Err(Verdict::Later { after: AWAY_AFTER });
        }
        if !pause(stop, next).await {
            return Err(Verdict::Later { after: STOP_AFTER });
        }
        Ok(())
    }

    /// Claims the notifications of one message; one answer each. The error is the verdict of all of them.
    pub(super) async fn claim_all(
        &self,
        ids: &[EventId],
        stop: &Stop,
    ) -> Result<Vec<Result<Claimed, Verdict>>, Verdict> {
        let give_up = Instant::now() + self.hold;
        let mut pauses = pauses();
        loop {
            match self.claim_once(ids).await {
                Ok(claims) => {
                    self.store.mark_up();
                    return Ok(claims.into_iter().map(|(claim, until)| self.claimed(claim, until)).collect());
                }
                Err(error) => self.wait_for_store(error, &mut pauses, give_up, stop).await?,
            }
        }
    }

    fn claimed(&self, claim: Claim, until: Instant) -> Result<Claimed, Verdict> {
        match claim {
            Claim::Send { attempt } => Ok(Claimed { attempt, until }),
            Claim::Busy { until } => Err(Verdict::Later { after: self.remaining(until) }),
            Claim::Settled => Err(Verdict::Done),
            Claim::Refused { reason } => Err(Verdict::Retry { reason }),
        }
    }

    /// How long another process's lease lasts.
    fn remaining(&self, until: Timestamp) -> Duration {
        Duration::try_from(until - self.clock.now()).unwrap_or_default().max(STOP_AFTER)
    }

    /// Records how notifications of one message ended.
    ///
    /// Where that is not possible they are acknowledged all the same: delivered again, they would certainly be sent again,
    /// while a second delivery of an acknowledged message is rare.
    pub(super) async fn record(&self, ids: &[EventId], outcome: &SendOutcome) {
        self.until_recorded(ids, || self.shop.settle(ids, outcome, self.clock.now())).await;
    }

    /// The same for one, in one command with others that end a moment later.
    pub(super) async fn record_one(&self, id: &EventId, outcome: &SendOutcome) {
        let record = || async {
            let ended = (id.clone(), outcome.clone());
            let recorded = self.recording.call(ended, |ended| self.record_together(ended)).await;
            recorded.unwrap_or_else(|given_up| Err(given_up.into()))
        };
        self.until_recorded(std::slice::from_ref(id), record).await;
    }

    async fn record_together(&self, ended: Vec<(EventId, SendOutcome)>) -> Vec<Result<(), PortError>> {
        let record = |ended: Vec<(EventId, SendOutcome)>| async move {
            self.shop.settle_each(&ended, self.clock.now()).await?;
            Ok(vec![(); ended.len()])
        };
        together_or_alone(ended, record).await
    }

    async fn until_recorded<R>(&self, ids: &[EventId], record: impl Fn() -> R)
    where
        R: Future<Output = Result<(), PortError>>,
    {
        let give_up = Instant::now() + RECORD_PATIENCE;
        let mut pauses = pauses();
        loop {
            let error = match record().await {
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

/// One answer an item, from one command; where the store refuses that, from one command each.
async fn together_or_alone<T: Clone, R: Clone, C>(
    items: Vec<T>,
    command: impl Fn(Vec<T>) -> C,
) -> Vec<Result<R, PortError>>
where
    C: Future<Output = Result<Vec<R>, PortError>>,
{
    let count = items.len();
    match command(items.clone()).await {
        Ok(answers) => answers.into_iter().map(Ok).collect(),
        Err(PortError::Refused(_)) if count > 1 => {
            let mut answers = Vec::with_capacity(count);
            for item in items {
                match command(vec![item]).await {
                    Ok(alone) => answers.extend(alone.into_iter().map(Ok)),
                    Err(error) => answers.push(Err(error)),
                }
            }
            answers
        }
        Err(error) => vec![Err(error); count],
    }
}

pub(super) fn pauses() -> Pauses {
    Pauses::new(Duration::from_millis(200), Duration::from_secs(10))
}
