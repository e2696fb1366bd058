//! The updates of one user, handled one after the other.

use std::{sync::Arc, time::Duration};

use teloxide::types::{CallbackQuery, Update, UpdateKind};
use tokio::{
    sync::SemaphorePermit,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until, timeout},
};
use tolov_domain::ports::PortError;
use tolov_kit::{
    lifecycle::{Stop, pause},
    retry::Pauses,
};

use crate::updates::{
    answering::Work,
    inbox::{Claimed, Entry, LEASE, Own},
    user_queues::{SHUTDOWN_GRACE, UserQueues},
};

/// An update that takes longer is given up.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// How long the queue waits for a message beside the answer.
const NOTICE_MAX: Duration = Duration::from_secs(5);
/// How many waiting updates a queue reads at once; more of a throttled user, to see taps that need no work.
const PAGE: u32 = 10;
const PAGE_OF_THROTTLED: u32 = 50;

/// What the queue does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Look,
    /// Told to stop, or another bot handles the updates of this user.
    Leave,
}

/// How handling an update ended.
enum Ended {
    Answered,
    Panicked,
    TookTooLong,
    CutOff,
}

impl<W: Work> UserQueues<W> {
    /// `own`: the update that the queue was opened for, where it is claimed already.
    pub(super) async fn run_queue(self: Arc<Self>, person: i64, mut own: Option<Own>, stop: Stop) {
        self.look(person, &mut own, &stop).await;
        if let Some(own) = own
            && let Err(error) = self.inbox.release_own(own).await
        {
            tracing::debug!(%error, "an update could not be released; its lease ends by itself");
        }
    }

    async fn look(&self, person: i64, own: &mut Option<Own>, stop: &Stop) {
        let mut pauses = Pauses::new(Duration::from_secs(1), Duration::from_secs(10));
        while !stop.is_cancelled() {
            let limit = if self.throttle.is_throttled(person) { PAGE_OF_THROTTLED } else { PAGE };
            let mut is_all = false;
            let next = match self.inbox.waiting_of(person, limit).await {
                Ok(page) => {
                    let is_last = page.len() < usize::try_from(limit).unwrap_or(usize::MAX);
                    // What this bot stores wakes the queue.
                    is_all = page.is_empty() || is_last && self.lease.is_held();
                    self.page(person, page, own, stop).await
                }
                Err(error) => Err(error),
            };
            match next {
                Ok(Next::Look) => {
                    self.store.mark_up();
                    pauses.reset();
                    if is_all && self.leave_if_idle(person) {
                        return;
                    }
                }
                Ok(Next::Leave) => break,
                Err(error) => {
                    self.store.mark_down(error);
                    pause(stop, pauses.next_pause()).await;
                }
            }
        }
        self.leave(person);
    }

    async fn page(
        &self,
        person: i64,
        page: Vec<Entry>,
        own: &mut Option<Own>,
        stop: &Stop,
    ) -> Result<Next, PortError> {
        let page: Vec<(Entry, Option<Update>)> =
            page.into_iter().map(|entry| (entry.clone(), entry.update())).collect();
        for (place, (entry, update)) in page.iter().enumerate() {
            let Some(update) = update else {
                tracing::error!(
                    update.id = entry.stored.id,
                    "a stored update cannot be read; it is given up"
                );
                self.inbox.finish(entry).await?;
                continue;
            };
            if self.throttle.is_throttled(person) {
                let later = page.iter().skip(place + 1).map_while(|(_, update)| update.as_ref());
                if is_repeated(update, later) && !self.inbox.is_leased(entry) {
                    if !self.inbox.finish(entry).await? {
                        return Ok(Next::Leave);
                    }
                    timeout(NOTICE_MAX, self.work.end_tap(update)).await.ok();
                    continue;
                }
                if !self.slowly(person, stop).await {
                    return Ok(Next::Leave);
                }
            }
            let Some(_room) = self.room(stop).await else { return Ok(Next::Leave) };
            let own = own.take_if(|own| own.id() == entry.stored.id);
            match self.inbox.claim(entry, own).await? {
                Claimed::Ours(taken) => {
                    if !self.answer(update, taken, stop).await {
                        return Ok(Next::Leave);
                    }
                }
                Claimed::Theirs => return Ok(Next::Leave),
                Claimed::GivenUp => {
                    tracing::error!(
                        update.id = entry.stored.id,
                        "an update was begun several times and never finished; it is given up"
                    );
                    timeout(NOTICE_MAX, self.work.apologise(update)).await.ok();
                }
            }
        }
        Ok(Next::Look)
    }

    /// Waits for the turn of a throttled user. `false`: told to stop.
    async fn slowly(&self, person: i64, stop: &Stop) -> bool {
        if self.throttle.should_notify(person) {
            tracing::info!(user.id = person, "a user sends too many updates and is throttled");
            timeout(NOTICE_MAX, self.work.slow_down(person)).await.ok();
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => false,
            () = sleep_until(self.throttle.next_turn(person)) => true,
        }
    }

    async fn room(&self, stop: &Stop) -> Option<SemaphorePermit<'_>> {
        tokio::select! {
            biased;
            () = stop.cancelled() => None,
            room = self.in_hand.acquire() => room.ok(),
        }
    }

    /// Handles one update. `false`: the queue ends.
    async fn answer(&self, update: &Update, mut taken: Entry, stop: &Stop) -> bool {
        let id = taken.stored.id;
        match self.work_on(update.clone(), &mut taken, stop).await {
            Ended::Answered => {}
            Ended::CutOff => {
                tracing::warn!(
                    update.id = id,
                    "an update is cut off by the stop; it is handled after the next start"
                );
                if let Err(error) = self.inbox.release(taken).await {
                    tracing::debug!(%error, "an update could not be released; its lease ends by itself");
                }
                return false;
            }
            // Trying again would most likely panic again, and repeat what was done already.
            Ended::Panicked => {
                tracing::error!(update.id = id, "handling an update panicked; it is given up");
                timeout(NOTICE_MAX, self.work.apologise(update)).await.ok();
            }
            Ended::TookTooLong => {
                tracing::error!(update.id = id, "handling an update took too long; it is given up");
                timeout(NOTICE_MAX, self.work.apologise(update)).await.ok();
            }
        }
        self.mark_done(&taken, stop).await
    }

    /// In a task of its own, so that a panic ends nothing else.
    async fn work_on(&self, update: Update, taken: &mut Entry, stop: &Stop) -> Ended {
        let work = Arc::clone(&self.work);
        let mut working = JoinSet::new();
        working.spawn(async move { work.answer(update).await });
        let cut = async {
            stop.cancelled().await;
            sleep(SHUTDOWN_GRACE).await;
        };
        let too_long = sleep(ANSWER_MAX);
        tokio::pin!(cut, too_long);
        let mut renewal = interval_at(Instant::now() + LEASE / 3, LEASE / 3);
        renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                ended = working.join_next() => match ended {
                    Some(Ok(())) | None => return Ended::Answered,
                    Some(Err(error)) => {
                        tracing::debug!(%error, "a handler ended early");
                        return Ended::Panicked;
                    }
                },
                () = &mut cut => return Ended::CutOff,
                () = &mut too_long => return Ended::TookTooLong,
                _ = renewal.tick() => self.inbox.renew(taken).await,
            }
        }
    }

    /// However long the store is unavailable: else the update would be handled twice.
    async fn mark_done(&self, taken: &Entry, stop: &Stop) -> bool {
        let mut pauses = Pauses::new(Duration::from_millis(200), Duration::from_secs(3));
        loop {
            match self.inbox.done(taken).await {
                Ok(()) => return true,
                Err(error) => {
                    self.store.mark_down(error);
                    if !pause(stop, pauses.next_pause()).await {
                        return false;
                    }
                }
            }
        }
    }
}

/// Whether the same button is tapped again before anything but a tap comes.
fn is_repeated<'a>(update: &Update, later: impl IntoIterator<Item = &'a Update>) -> bool {
    let Some(tap) = tap(update) else { return false };
    let name = |query: &CallbackQuery| {
        let message = query.message.as_ref().map(|message| (message.chat().id, message.id()));
        (message, query.inline_message_id.clone(), query.data.clone())
    };
    let wanted = name(tap);
    later.into_iter().map_while(self::tap).any(|later| name(later) == wanted)
}

fn tap(update: &Update) -> Option<&CallbackQuery> {
    if let UpdateKind::CallbackQuery(query) = &update.kind { Some(query) } else { None }
}
