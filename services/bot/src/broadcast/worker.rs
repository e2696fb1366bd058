//! Sends broadcasts: to all shoppers by id, a few at a time, and records after each few how far it has come.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use teloxide::types::ChatId;
use tokio::{task::JoinSet, time::Instant};
use tolov_domain::{
    UserId,
    ports::PortError,
    time::{Timestamp, from_unix_ms, unix_ms},
};
use tolov_kit::lifecycle::{Stop, pause};
use tolov_shop::{
    broadcast::{self, Broadcast, BroadcastState, Command, Reached, Tally},
    records,
    shopper::Shopper,
};

use crate::{
    broadcast::{
        preview::source_of,
        progress_message,
        send::{Attempt, BroadcastMessage, send},
    },
    conversation::dialogue::ShownMessage,
    deps::HandlerDeps,
    telegram::limits::RateLimiter,
};
use tolov_kit::availability::Availability;

/// How often broadcasts to send are looked for.
const POLL_EVERY: Duration = Duration::from_secs(2);
/// How many are sent at the same time: as many may get it twice when the process dies.
const BATCH: u32 = 10;
/// Far above what a batch may take.
const LEASE: Duration = Duration::from_secs(90);
/// How long a batch waits for its turns.
const BATCH_PATIENCE: Duration = Duration::from_secs(15);
const PROGRESS_EVERY: Duration = Duration::from_secs(3);
/// How often Telegram may fail at one person's message while others get theirs.
const FAILING_MAX: u32 = 3;

/// Runs until `stop`; what is under way then is finished and recorded.
pub(crate) async fn run(deps: Arc<HandlerDeps>, stop: Stop) {
    // Two thirds of what Telegram allows; at least one a second.
    let rate = (deps.config.messages_per_s.saturating_mul(2) / 3).max(1);
    let rate_limiter = Arc::new(RateLimiter::new(rate, Duration::from_secs(1), 1));
    let store = Availability::new("the shop store (broadcasts)");
    while pause(&stop, POLL_EVERY).await {
        match work_once(&deps, &rate_limiter, &stop).await {
            Ok(()) => store.mark_up(),
            Err(error) => {
                store.mark_down(error);
            }
        }
    }
}

async fn work_once(
    deps: &Arc<HandlerDeps>,
    rate_limiter: &Arc<RateLimiter>,
    stop: &Stop,
) -> Result<(), PortError> {
    for waiting in broadcast::running(deps.documents()).await? {
        if stop.is_cancelled() {
            return Ok(());
        }
        let now = deps.now();
        let until = later(now);
        let leased = records::change(deps.documents(), waiting.id, |broadcast: &mut Broadcast| {
            broadcast.lease(now, until)
        });
        if let Some((broadcast, true)) = leased.await? {
            Sending::new(deps, rate_limiter, broadcast, until).through(stop).await?;
        }
    }
    Ok(())
}

/// In milliseconds, as the store keeps it.
fn later(now: Timestamp) -> Timestamp {
    from_unix_ms(unix_ms(now + LEASE))
}

/// A broadcast while this process holds its lease.
struct Sending<'a> {
    deps: &'a Arc<HandlerDeps>,
    rate_limiter: &'a Arc<RateLimiter>,
    broadcast: Broadcast,
    tally: Tally,
    lease: Timestamp,
    /// Those behind the tally who were reached before somebody in front of them.
    ahead: BTreeMap<UserId, Reached>,
    failing: BTreeMap<UserId, u32>,
    shown_at: Option<Instant>,
}

/// Whether this process goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Go,
    Leave,
}

impl<'a> Sending<'a> {
    fn new(
        deps: &'a Arc<HandlerDeps>,
        rate_limiter: &'a Arc<RateLimiter>,
        broadcast: Broadcast,
        lease: Timestamp,
    ) -> Self {
        let (ahead, failing) = (BTreeMap::new(), BTreeMap::new());
        Self {
            deps,
            rate_limiter,
            tally: broadcast.tally(),
            broadcast,
            lease,
            ahead,
            failing,
            shown_at: None,
        }
    }

    async fn through(mut self, stop: &Stop) -> Result<(), PortError> {
        let Some(source) = source_of(&self.broadcast) else { return self.give_up().await };
        let message = Arc::new(BroadcastMessage { source, is_forward: self.broadcast.is_forward });
        self.show(true).await?;
        loop {
            let batch = broadcast::next_audience(self.deps.documents(), self.tally.reached, BATCH).await?;
            if batch.is_empty() {
                return self.finish().await;
            }
            let tried = self.try_batch(&batch, &message, stop).await;
            if tried.values().any(|tried| *tried == Attempt::SourceGone) {
                return self.give_up().await;
            }
            self.count(&batch, &tried);
            let goes_on = !stop.is_cancelled();
            if self.record(goes_on).await? == Next::Leave || !goes_on {
                return Ok(());
            }
            self.show(false).await?;
            if self.broadcast.state != BroadcastState::Running {
                return self.leave().await;
            }
        }
    }

    /// Sends to a batch at the same time, each in its turn.
    async fn try_batch(
        &self,
        batch: &[Shopper],
        message: &Arc<BroadcastMessage>,
        stop: &Stop,
    ) -> BTreeMap<UserId, Attempt> {
        let deadline = Instant::now() + BATCH_PATIENCE;
        let mut sending = JoinSet::new();
        let mut tried = BTreeMap::new();
        for person in batch {
            if let Some(reached) = self.ahead.get(&person.id) {
                tried.insert(person.id, Attempt::Ended(*reached));
            } else if let Some(reached) = self.broadcast.unreached(person) {
                tried.insert(person.id, Attempt::Ended(reached));
            } else {
                let (deps, rate_limiter, stop) =
                    (Arc::clone(self.deps), Arc::clone(self.rate_limiter), stop.clone());
                let (id, message) = (person.id, Arc::clone(message));
                sending.spawn(async move {
                    (id, send(&deps, &rate_limiter, &message, id, (deadline, &stop)).await)
                });
            }
        }
        while let Some(ended) = sending.join_next().await {
            match ended {
                Ok((id, outcome)) => {
                    tried.insert(id, outcome);
                }
                Err(error) => tracing::error!(%error, "a message of a broadcast panicked"),
            }
        }
        tried
    }

    /// Counts up to the first who is postponed. Those behind are remembered and not sent to again.
    fn count(&mut self, batch: &[Shopper], tried: &BTreeMap<UserId, Attempt>) {
        let takes_others = tried.values().any(|tried| matches!(tried, Attempt::Ended(Reached::Sent)));
        let mut all_before = true;
        for person in batch {
            let reached = match tried.get(&person.id) {
                Some(Attempt::Ended(reached)) => Some(*reached),
                Some(Attempt::Failing) if takes_others => self.failed_again(person.id),
                // A panic: it would most likely repeat.
                None => Some(Reached::Failed),
                Some(Attempt::Postponed | Attempt::Failing | Attempt::SourceGone) => None,
            };
            match reached {
                Some(reached) if all_before => {
                    self.ahead.remove(&person.id);
                    self.tally.count(person.id, reached);
                }
                Some(reached) => {
                    self.ahead.insert(person.id, reached);
                }
                None => all_before = false,
            }
        }
    }

    fn failed_again(&mut self, id: UserId) -> Option<Reached> {
        let times = self.failing.entry(id).or_default();
        *times += 1;
        (*times >= FAILING_MAX).then_some(Reached::Failed)
    }

    /// Records how far it has come, and reads whether it was paused or stopped meanwhile.
    async fn record(&mut self, goes_on: bool) -> Result<Next, PortError> {
        let (lease, tally) = (self.lease, self.tally.clone());
        let until = goes_on.then(|| later(self.deps.now()));
        let recorded =
            records::change(self.deps.documents(), self.broadcast.id, |broadcast: &mut Broadcast| {
                broadcast.record(&tally, lease, until)
            });
        let Some((broadcast, true)) = recorded.await? else {
            tracing::warn!(broadcast.id = self.broadcast.id, "another process has taken a broadcast over");
            return Ok(Next::Leave);
        };
        self.broadcast = broadcast;
        self.lease = until.unwrap_or(lease);
        Ok(Next::Go)
    }

    /// Paused or stopped: the lease is given up, so that it can be resumed at once.
    async fn leave(mut self) -> Result<(), PortError> {
        self.record(false).await?;
        self.show(true).await
    }

    async fn finish(mut self) -> Result<(), PortError> {
        let finished = records::change(self.deps.documents(), self.broadcast.id, Broadcast::finish);
        let Some((broadcast, ())) = finished.await? else { return Ok(()) };
        let Broadcast { id, sent, blocked, failed, .. } = broadcast;
        tracing::info!(broadcast.id = id, sent, blocked, failed, "a broadcast is done");
        self.broadcast = broadcast;
        self.show(true).await
    }

    /// The message that is copied was deleted.
    async fn give_up(mut self) -> Result<(), PortError> {
        tracing::warn!(broadcast.id = self.broadcast.id, "a broadcast is stopped: its message was deleted");
        let stopped =
            records::change(self.deps.documents(), self.broadcast.id, |broadcast: &mut Broadcast| {
                broadcast.apply(Command::Stop);
                broadcast.leased_until_at = None;
            });
        let Some((broadcast, ())) = stopped.await? else { return Ok(()) };
        self.broadcast = broadcast;
        self.show(true).await
    }

    /// Updates the progress message of the author, every few seconds or at once. Best effort.
    async fn show(&mut self, at_once: bool) -> Result<(), PortError> {
        let is_due = self.shown_at.is_none_or(|at| at.elapsed() >= PROGRESS_EVERY);
        if !is_due && !at_once && self.broadcast.state == BroadcastState::Running {
            return Ok(());
        }
        self.shown_at = Some(Instant::now());
        let author = self.broadcast.author_id;
        let screen = progress_message::screen(self.deps.language_of(author).await, &self.broadcast);
        if let Some(message_id) = self.broadcast.progress_message_id.and_then(|id| i32::try_from(id).ok()) {
            let shown = ShownMessage { message_id, has_photo: false };
            match self.deps.telegram.change(ChatId(author.get()), shown, &screen).await {
                Ok(false) => {}
                Ok(true) => return Ok(()),
                Err(error) => {
                    tracing::debug!(%error, "the progress of a broadcast is not shown");
                    return Ok(());
                }
            }
        }
        let shown = match self.deps.send_to(author, &screen).await {
            Ok(shown) => shown,
            Err(error) => {
                tracing::debug!(%error, "the progress of a broadcast is not shown");
                return Ok(());
            }
        };
        let recorded =
            records::change(self.deps.documents(), self.broadcast.id, |broadcast: &mut Broadcast| {
                broadcast.progress_message_id = Some(i64::from(shown.message_id));
            });
        if let Some((broadcast, ())) = recorded.await? {
            self.broadcast.progress_message_id = broadcast.progress_message_id;
        }
        Ok(())
    }
}
