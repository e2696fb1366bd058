//! Sends broadcasts: to all shoppers by id, in a window of a few at a time, and records as it goes how far it has come.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::{
    task::{Id, JoinError, JoinSet},
    time::{Instant, MissedTickBehavior, interval},
};
use tolov_domain::{
    UserId,
    ports::{PortError, documents::Documents},
    time::{Timestamp, in_whole_ms},
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
        window::Window,
    },
    deps::HandlerDeps,
    telegram::limits::RateLimiter,
};
use tolov_kit::availability::Availability;

/// How often broadcasts to send are looked for.
const POLL_EVERY: Duration = Duration::from_secs(2);
/// After how many sends it is recorded how far it has come: a part of the window, so that others are under way meanwhile.
const RECORD_AFTER: usize = 3;
/// How often that is recorded at least, with the lease, and a pause of its author is noticed.
const RECORD_EVERY: Duration = Duration::from_secs(1);
/// Far above the time between two records.
const LEASE: Duration = Duration::from_secs(90);
/// How long a send waits for its turn before it is tried again.
const SEND_PATIENCE: Duration = Duration::from_secs(15);
/// How many profiles are read at once.
const PAGE: u32 = 50;
const PROGRESS_EVERY: Duration = Duration::from_secs(3);

/// Runs until `stop`; what is under way then is finished and recorded.
pub(crate) async fn run(deps: Arc<HandlerDeps>, stop: Stop) {
    // Two thirds of what Telegram allows; at least one a second.
    let rate = (deps.config.messages_per_s.saturating_mul(2) / 3).max(1);
    let rate_limiter = Arc::new(RateLimiter::new(rate, Duration::from_secs(1), 1));
    let store = Availability::new("the shop store (broadcasts)");
    while pause(&stop, POLL_EVERY).await {
        store.mark(work_once(&deps, &rate_limiter, &stop).await);
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

fn later(now: Timestamp) -> Timestamp {
    in_whole_ms(now + LEASE)
}

/// A broadcast while this process holds its lease.
struct Sending<'a> {
    deps: &'a Arc<HandlerDeps>,
    rate_limiter: &'a Arc<RateLimiter>,
    broadcast: Broadcast,
    tally: Tally,
    lease: Timestamp,
    audience: Audience,
    window: Window,
    sends: JoinSet<(UserId, Attempt)>,
    /// Whom each send is to.
    recipients: HashMap<Id, UserId>,
    is_source_gone: bool,
    shown_at: Option<Instant>,
}

/// Those who are next and not in the window yet.
struct Audience {
    read: VecDeque<Shopper>,
    after: Option<UserId>,
    is_over: bool,
}

impl Audience {
    async fn next(&mut self, documents: &dyn Documents) -> Result<Option<Shopper>, PortError> {
        if self.read.is_empty() && !self.is_over {
            self.read = broadcast::next_audience(documents, self.after, PAGE).await?.into();
            self.is_over = self.read.is_empty();
            self.after = self.read.back().map_or(self.after, |last| Some(last.id));
        }
        Ok(self.read.pop_front())
    }
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
        Self {
            deps,
            rate_limiter,
            tally: broadcast.tally(),
            audience: Audience { read: VecDeque::new(), after: broadcast.reached, is_over: false },
            broadcast,
            lease,
            window: Window::default(),
            sends: JoinSet::new(),
            recipients: HashMap::new(),
            is_source_gone: false,
            shown_at: None,
        }
    }

    async fn through(mut self, stop: &Stop) -> Result<(), PortError> {
        let Some(source) = source_of(&self.broadcast) else { return self.give_up().await };
        let message = Arc::new(BroadcastMessage { source, is_forward: self.broadcast.is_forward });
        self.show(true).await?;
        let mut tick = interval(RECORD_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.fill(&message, stop).await?;
            let is_idle = self.window.is_empty();
            let is_over = is_idle && self.audience.is_over;
            let mut is_due = is_over;
            tokio::select! {
                biased;
                () = stop.cancelled() => {
                    self.drain().await;
                    return self.record(false).await.map(drop);
                }
                Some(ended) = self.sends.join_next_with_id() => self.end(ended),
                _ = tick.tick() => {
                    is_due = true;
                    for id in self.window.take_postponed() {
                        self.send(id, &message, stop);
                    }
                }
                // Nobody of those who were read is to be sent to.
                () = std::future::ready(()), if is_idle => {}
            }
            if self.is_source_gone {
                self.drain().await;
                return if self.record(true).await? == Next::Go { self.give_up().await } else { Ok(()) };
            }
            is_due |= self.window.count(&mut self.tally) >= RECORD_AFTER;
            if is_due && self.record(true).await? == Next::Leave {
                return Ok(());
            }
            self.show(false).await?;
            if self.broadcast.state != BroadcastState::Running {
                self.drain().await;
                return self.leave().await;
            }
            if is_over {
                return self.finish().await;
            }
        }
    }

    /// Begins as many sends as the window has room for.
    async fn fill(&mut self, message: &Arc<BroadcastMessage>, stop: &Stop) -> Result<(), PortError> {
        loop {
            while self.window.has_room() {
                let Some(person) = self.audience.next(self.deps.documents()).await? else { break };
                self.window.push(person.id, self.broadcast.unreached(&person));
            }
            // Those in front who need no send make room.
            self.window.count(&mut self.tally);
            match self.window.next_send() {
                Some(id) => self.send(id, message, stop),
                None => return Ok(()),
            }
        }
    }

    fn send(&mut self, id: UserId, message: &Arc<BroadcastMessage>, stop: &Stop) {
        let deadline = Instant::now() + SEND_PATIENCE;
        let (deps, rate_limiter) = (Arc::clone(self.deps), Arc::clone(self.rate_limiter));
        let (message, stop) = (Arc::clone(message), stop.clone());
        let task = self
            .sends
            .spawn(async move { (id, send(&deps, &rate_limiter, &message, id, (deadline, &stop)).await) });
        self.recipients.insert(task.id(), id);
    }

    fn end(&mut self, ended: Result<(Id, (UserId, Attempt)), JoinError>) {
        match ended {
            Ok((task, (id, attempt))) => {
                self.recipients.remove(&task);
                self.is_source_gone |= attempt == Attempt::SourceGone;
                self.window.end(id, attempt);
            }
            Err(error) => {
                tracing::error!(%error, "a message of a broadcast panicked");
                // It would most likely repeat.
                if let Some(id) = self.recipients.remove(&error.id()) {
                    self.window.end(id, Attempt::Ended(Reached::Failed));
                }
            }
        }
    }

    /// Waits for the sends that are under way, and counts them.
    async fn drain(&mut self) {
        while let Some(ended) = self.sends.join_next_with_id().await {
            self.end(ended);
        }
        self.window.count(&mut self.tally);
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
        self.window.recorded();
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
        let before = self.broadcast.progress_message_id.and_then(|id| i32::try_from(id).ok());
        let shown = progress_message::show(self.deps, author, before, &screen, true).await;
        let Some(message_id) = shown.filter(|_| shown != before) else { return Ok(()) };
        let recorded =
            records::change(self.deps.documents(), self.broadcast.id, |broadcast: &mut Broadcast| {
                broadcast.progress_message_id = Some(i64::from(message_id));
            });
        if let Some((broadcast, ())) = recorded.await? {
            self.broadcast.progress_message_id = broadcast.progress_message_id;
        }
        Ok(())
    }
}
