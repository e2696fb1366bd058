//! The loop that brings broadcasts to people: through all profiles by id, a few at a time, and after each few how far it
//! has come is written down.

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
    broadcast::{self, Broadcast, BroadcastState, Order, Reached, Tally},
    profile::Profile,
    records,
};

use crate::{
    broadcast::{
        progress_message,
        send::{Attempt, BroadcastMessage, send},
    },
    conversation::dialogue::ShownMessage,
    deps::HandlerDeps,
    telegram::{copy::MessageRef, limits::Pace},
};
use tolov_kit::availability::Availability;

/// How often it is looked whether there is something to send.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// So many are under way at the same time, and so many may get it twice when the process dies.
const BATCH: u32 = 10;
/// A batch's waiting and its last request together stay well below this.
const LEASE: Duration = Duration::from_secs(90);
/// For how long a batch waits for its turns.
const BATCH_PATIENCE: Duration = Duration::from_secs(15);
const LINE_EVERY: Duration = Duration::from_secs(3);
/// So often Telegram may fail at one person's message while others get theirs.
const FAILING_MAX: u32 = 3;

/// Works until `stop`; what is under way then is finished and written down.
pub(crate) async fn run(deps: Arc<HandlerDeps>, stop: Stop) {
    // Two thirds of what Telegram allows; at least one a second.
    let rate = (deps.config.messages_per_s.saturating_mul(2) / 3).max(1);
    let pace = Arc::new(Pace::new(rate, Duration::from_secs(1), 1));
    let store = Availability::new("the shop store (broadcasts)");
    while pause(&stop, LOOK_EVERY).await {
        match work_once(&deps, &pace, &stop).await {
            Ok(()) => store.mark_up(),
            Err(error) => {
                store.mark_down(error);
            }
        }
    }
}

async fn work_once(deps: &Arc<HandlerDeps>, pace: &Arc<Pace>, stop: &Stop) -> Result<(), PortError> {
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
            Run::new(deps, pace, broadcast, until).through(stop).await?;
        }
    }
    Ok(())
}

/// As the store keeps instants.
fn later(now: Timestamp) -> Timestamp {
    from_unix_ms(unix_ms(now + LEASE))
}

/// One broadcast, as long as this process has it.
struct Run<'a> {
    deps: &'a Arc<HandlerDeps>,
    pace: &'a Arc<Pace>,
    broadcast: Broadcast,
    tally: Tally,
    lease: Timestamp,
    /// Those beyond the tally whose turn was over before that of somebody in front of them.
    ahead: BTreeMap<UserId, Reached>,
    failing: BTreeMap<UserId, u32>,
    line_at: Option<Instant>,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Go,
    Leave,
}

impl<'a> Run<'a> {
    fn new(deps: &'a Arc<HandlerDeps>, pace: &'a Arc<Pace>, broadcast: Broadcast, lease: Timestamp) -> Self {
        let (ahead, failing) = (BTreeMap::new(), BTreeMap::new());
        Self { deps, pace, tally: broadcast.tally(), broadcast, lease, ahead, failing, line_at: None }
    }

    async fn through(mut self, stop: &Stop) -> Result<(), PortError> {
        let Some(source) = source_of(&self.broadcast) else { return self.give_up().await };
        let message = BroadcastMessage { source, is_forward: self.broadcast.is_forward };
        self.show(true).await?;
        loop {
            let batch = broadcast::next_audience(self.deps.documents(), self.tally.reached, BATCH).await?;
            if batch.is_empty() {
                return self.finish().await;
            }
            let tried = self.try_batch(&batch, message, stop).await;
            if tried.values().any(|tried| *tried == Attempt::SourceGone) {
                return self.give_up().await;
            }
            self.count(&batch, &tried);
            let goes_on = !stop.is_cancelled();
            if self.keep(goes_on).await? == Next::Leave || !goes_on {
                return Ok(());
            }
            self.show(false).await?;
            if self.broadcast.state != BroadcastState::Running {
                return self.leave().await;
            }
        }
    }

    /// Those of a batch who are to get it, at the same time, each in its turn.
    async fn try_batch(
        &self,
        batch: &[Profile],
        message: BroadcastMessage,
        stop: &Stop,
    ) -> BTreeMap<UserId, Attempt> {
        let deadline = Instant::now() + BATCH_PATIENCE;
        let mut sending = JoinSet::new();
        let mut tried = BTreeMap::new();
        for person in batch {
            if let Some(reached) = self.ahead.get(&person.id) {
                tried.insert(person.id, Attempt::As(*reached));
            } else if let Some(blocked_at) = person.blocked_at {
                tried.insert(person.id, Attempt::As(self.broadcast.unreached(blocked_at)));
            } else {
                let (deps, pace, stop) = (Arc::clone(self.deps), Arc::clone(self.pace), stop.clone());
                let id = person.id;
                sending.spawn(async move { (id, send(&deps, &pace, message, id, (deadline, &stop)).await) });
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

    /// Counts up to the first who was not tried; who comes after that one is remembered, and not sent to again.
    fn count(&mut self, batch: &[Profile], tried: &BTreeMap<UserId, Attempt>) {
        let takes_others = tried.values().any(|tried| matches!(tried, Attempt::As(Reached::Sent)));
        let mut all_before = true;
        for person in batch {
            let reached = match tried.get(&person.id) {
                Some(Attempt::As(reached)) => Some(*reached),
                Some(Attempt::Failing) if takes_others => self.failed_again(person.id),
                // A panic is that person's: the same again would be the same.
                None => Some(Reached::Failed),
                Some(Attempt::NotYet | Attempt::Failing | Attempt::SourceGone) => None,
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

    /// Writes down how far it is, and hears whether it was paused or stopped meanwhile.
    async fn keep(&mut self, goes_on: bool) -> Result<Next, PortError> {
        let (lease, tally) = (self.lease, self.tally.clone());
        let until = goes_on.then(|| later(self.deps.now()));
        let kept = records::change(self.deps.documents(), self.broadcast.id, |broadcast: &mut Broadcast| {
            broadcast.keep(&tally, lease, until)
        });
        let Some((broadcast, true)) = kept.await? else {
            tracing::warn!(broadcast.id = self.broadcast.id, "another process goes on with a broadcast");
            return Ok(Next::Leave);
        };
        self.broadcast = broadcast;
        self.lease = until.unwrap_or(lease);
        Ok(Next::Go)
    }

    /// Paused or stopped: whoever resumes it need not wait for the lease to end.
    async fn leave(mut self) -> Result<(), PortError> {
        self.keep(false).await?;
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

    /// There is nothing left to copy.
    async fn give_up(mut self) -> Result<(), PortError> {
        tracing::warn!(broadcast.id = self.broadcast.id, "a broadcast is stopped: its message is gone");
        let stopped =
            records::change(self.deps.documents(), self.broadcast.id, |broadcast: &mut Broadcast| {
                broadcast.obey(Order::Stop);
                broadcast.leased_until_at = None;
            });
        let Some((broadcast, ())) = stopped.await? else { return Ok(()) };
        self.broadcast = broadcast;
        self.show(true).await
    }

    /// The line in the author's chat: every few seconds, or at once. What Telegram says to it does not hold anything up.
    async fn show(&mut self, at_once: bool) -> Result<(), PortError> {
        let is_due = self.line_at.is_none_or(|at| at.elapsed() >= LINE_EVERY);
        if !is_due && !at_once && self.broadcast.state == BroadcastState::Running {
            return Ok(());
        }
        self.line_at = Some(Instant::now());
        let author = self.broadcast.author_id;
        let screen = progress_message::screen(self.deps.language_of(author).await, &self.broadcast);
        if let Some(message_id) = self.broadcast.progress_message_id.and_then(|id| i32::try_from(id).ok()) {
            let shown = ShownMessage { message_id, has_photo: false };
            match self.deps.telegram.change(ChatId(author.get()), shown, &screen).await {
                Ok(false) => {}
                Ok(true) => return Ok(()),
                Err(error) => {
                    tracing::debug!(?error, "the line of a broadcast is not brought up to date");
                    return Ok(());
                }
            }
        }
        let shown = match self.deps.tell(author, &screen).await {
            Ok(shown) => shown,
            Err(error) => {
                tracing::debug!(?error, "the author of a broadcast does not see how far it is");
                return Ok(());
            }
        };
        let kept = records::change(self.deps.documents(), self.broadcast.id, |broadcast: &mut Broadcast| {
            broadcast.progress_message_id = Some(i64::from(shown.message_id));
        });
        if let Some((broadcast, ())) = kept.await? {
            self.broadcast.progress_message_id = broadcast.progress_message_id;
        }
        Ok(())
    }
}

fn source_of(broadcast: &Broadcast) -> Option<MessageRef> {
    let message_id = i32::try_from(broadcast.source_message_id).ok()?;
    Some(MessageRef { chat: ChatId(broadcast.source_chat_id), message_id })
}
