//! A queue for each user with waiting updates; all of them run in parallel.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, Semaphore},
    task::{Id, JoinError, JoinSet},
};
use tolov_kit::lifecycle::Stop;

use tolov_kit::availability::Availability;

use crate::{
    telegram::membership::PollingLease,
    updates::{
        answering::Work,
        inbox::{Inbox, Own},
        throttle::UserThrottle,
    },
};

/// Updates that are handled at the same time.
const IN_HAND_MAX: usize = 64;
/// Users with a queue at the same time. Each queue holds at most a page of updates; other users' updates wait in the store.
const QUEUES_MAX: usize = 1000;
/// How long updates in hand may go on after the stop. The process has 20 s.
pub(crate) const SHUTDOWN_GRACE: Duration = Duration::from_secs(8);
/// How long releasing what was cut off may take.
const RELEASING: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(crate) struct UserQueues<W> {
    pub(super) work: Arc<W>,
    pub(super) inbox: Inbox,
    pub(super) throttle: UserThrottle,
    pub(super) in_hand: Semaphore,
    pub(super) store: Availability,
    /// While this bot polls, nobody else stores updates.
    pub(super) lease: PollingLease,
    open: Mutex<Open>,
    woken: Notify,
    /// There is room again for a user whose updates were left waiting.
    pub(super) has_room: Notify,
}

#[derive(Debug, Default)]
struct Open {
    /// For each user with a queue, whether updates have come since it looked.
    queues: HashMap<i64, bool>,
    to_start: VecDeque<(i64, Option<Own>)>,
    left_waiting: bool,
}

/// A place for the queue of a person who has none. The queue begins when this is dropped.
pub(super) struct Reserved<'a, W: Work> {
    queues: &'a UserQueues<W>,
    person: i64,
    pub(super) own: Option<Own>,
}

impl<W: Work> Drop for Reserved<'_, W> {
    fn drop(&mut self) {
        self.queues.open().to_start.push_back((self.person, self.own.take()));
        self.queues.woken.notify_one();
    }
}

impl<W: Work> UserQueues<W> {
    pub(crate) fn new(work: W, inbox: Inbox, lease: PollingLease) -> Self {
        Self {
            work: Arc::new(work),
            inbox,
            throttle: UserThrottle::default(),
            in_hand: Semaphore::new(IN_HAND_MAX),
            store: Availability::new("the shop store (for updates)"),
            lease,
            open: Mutex::default(),
            woken: Notify::new(),
            has_room: Notify::new(),
        }
    }

    /// Updates of this user wait in the inbox.
    pub(crate) fn wake(&self, person: i64) {
        let mut open = self.open();
        if let Some(has_more) = open.queues.get_mut(&person) {
            *has_more = true;
        } else if open.queues.len() < QUEUES_MAX {
            open.queues.insert(person, false);
            open.to_start.push_back((person, None));
            self.woken.notify_one();
        } else {
            open.left_waiting = true;
        }
    }

    /// For an update that is about to be stored and handled at once. `None`: the person has a queue, or there is no room.
    pub(super) fn reserve(&self, person: i64) -> Option<Reserved<'_, W>> {
        let mut open = self.open();
        if open.queues.contains_key(&person) || open.queues.len() >= QUEUES_MAX {
            return None;
        }
        open.queues.insert(person, false);
        Some(Reserved { queues: self, person, own: None })
    }

    /// Runs queues until `stop`, then waits for what is in hand.
    pub(crate) async fn run(self: &Arc<Self>, stop: &Stop) {
        // Dropped with this future, so that nothing goes on by itself.
        let mut running = JoinSet::new();
        let mut persons = HashMap::new();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(ended) = running.join_next_with_id() => self.ended(&mut persons, ended),
                () = self.woken.notified() => {
                    let to_start = std::mem::take(&mut self.open().to_start);
                    for (person, own) in to_start {
                        let queue = Arc::clone(self).run_queue(person, own, stop.clone());
                        persons.insert(running.spawn(queue).id(), person);
                    }
                }
            }
        }
        let all = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(SHUTDOWN_GRACE + RELEASING, all).await.is_err() {
            tracing::warn!("updates are cut off by the stop; they are handled after the next start");
        }
    }

    fn ended(&self, persons: &mut HashMap<Id, i64>, ended: Result<(Id, ()), JoinError>) {
        match ended {
            Ok((id, ())) => {
                persons.remove(&id);
            }
            Err(error) => {
                tracing::error!(%error, "a queue of updates panicked; it is opened again");
                if let Some(person) = persons.remove(&error.id()) {
                    self.leave(person);
                }
            }
        }
    }

    /// Ends a queue unless updates have come meanwhile.
    pub(super) fn leave_if_idle(&self, person: i64) -> bool {
        let mut open = self.open();
        if let Some(has_more) = open.queues.get_mut(&person)
            && std::mem::take(has_more)
        {
            return false;
        }
        self.throttle.drained(person);
        self.close(&mut open, person);
        true
    }

    /// Ends a queue with whatever waits in it; the sweeper finds it again.
    pub(super) fn leave(&self, person: i64) {
        self.close(&mut self.open(), person);
    }

    fn close(&self, open: &mut Open, person: i64) {
        open.queues.remove(&person);
        if std::mem::take(&mut open.left_waiting) {
            self.has_room.notify_one();
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
