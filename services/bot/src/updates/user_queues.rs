//! Who is answered: a queue for each person for whom something waits, all of them side by side.

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

use crate::updates::{answering::Work, inbox::Inbox, throttle::UserThrottle};

/// Updates that are answered at the same time.
const IN_HAND_MAX: usize = 64;
/// Persons with a queue at the same time. Each holds a page of updates at most; for the others they wait in the store.
const LANES_MAX: usize = 1000;
/// How long what is in hand may go on after the stop. The process itself has 20 s.
pub(crate) const LAST_CALL: Duration = Duration::from_secs(8);
/// Then what was cut off is given back.
const GIVING_BACK: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(crate) struct UserQueues<W> {
    pub(super) work: Arc<W>,
    pub(super) inbox: Inbox,
    pub(super) throttle: UserThrottle,
    pub(super) in_hand: Semaphore,
    pub(super) store: Availability,
    open: Mutex<Open>,
    woken: Notify,
    /// There is room again for somebody who was left waiting in the store.
    pub(super) has_room: Notify,
}

#[derive(Debug, Default)]
struct Open {
    /// For each person with a queue whether something has come since the queue looked.
    queues: HashMap<i64, bool>,
    to_start: VecDeque<i64>,
    left_waiting: bool,
}

impl<W: Work> UserQueues<W> {
    pub(crate) fn new(work: W, inbox: Inbox) -> Self {
        Self {
            work: Arc::new(work),
            inbox,
            throttle: UserThrottle::default(),
            in_hand: Semaphore::new(IN_HAND_MAX),
            store: Availability::new("the shop store (for updates)"),
            open: Mutex::default(),
            woken: Notify::new(),
            has_room: Notify::new(),
        }
    }

    /// Something waits for this person in the inbox.
    pub(crate) fn wake(&self, person: i64) {
        let mut open = self.open();
        if let Some(has_more) = open.queues.get_mut(&person) {
            *has_more = true;
        } else if open.queues.len() < LANES_MAX {
            open.queues.insert(person, false);
            open.to_start.push_back(person);
            self.woken.notify_one();
        } else {
            open.left_waiting = true;
        }
    }

    /// Runs queues until `stop`, then waits for what is in hand.
    pub(crate) async fn run(self: &Arc<Self>, stop: &Stop) {
        // Dropped with this future: then nothing goes on by itself.
        let mut running = JoinSet::new();
        let mut persons = HashMap::new();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(ended) = running.join_next_with_id() => self.ended(&mut persons, ended),
                () = self.woken.notified() => {
                    let to_start = std::mem::take(&mut self.open().to_start);
                    for person in to_start {
                        let queue = Arc::clone(self).queue(person, stop.clone());
                        persons.insert(running.spawn(queue).id(), person);
                    }
                }
            }
        }
        let all = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_CALL + GIVING_BACK, all).await.is_err() {
            tracing::warn!(
                "answers are cut off by the stop; their updates are answered after the next start"
            );
        }
    }

    fn ended(&self, persons: &mut HashMap<Id, i64>, ended: Result<(Id, ()), JoinError>) {
        match ended {
            Ok((id, ())) => {
                persons.remove(&id);
            }
            Err(error) => {
                tracing::error!(%error, "a queue of updates panicked; it is opened anew");
                if let Some(person) = persons.remove(&error.id()) {
                    self.leave(person);
                }
            }
        }
    }

    /// Ends a queue unless something has come meanwhile.
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

    /// Ends a queue with whatever waits there; it is found again when all that waits is looked through.
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
