//! Who is answered: a lane for each person for whom something waits, all of them side by side.

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

use super::{answering::Work, flood::Floods, inbox::Inbox};

/// Updates that are answered at the same time.
const IN_HAND_MAX: usize = 64;
/// Persons with a lane at the same time. Each holds a page of updates at most; for the others they wait in the store.
const LANES_MAX: usize = 1000;
/// How long what is in hand may go on after the stop. The process itself has 20 s.
pub(crate) const LAST_CALL: Duration = Duration::from_secs(8);
/// Then what was cut off is given back.
const GIVING_BACK: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(crate) struct Lanes<W> {
    pub(super) work: Arc<W>,
    pub(super) inbox: Inbox,
    pub(super) floods: Floods,
    pub(super) in_hand: Semaphore,
    pub(super) store: Availability,
    open: Mutex<Open>,
    rung: Notify,
    /// There is room again for somebody who was left waiting in the store.
    pub(super) has_room: Notify,
}

#[derive(Debug, Default)]
struct Open {
    /// For each person with a lane whether something has come since the lane looked.
    lanes: HashMap<i64, bool>,
    to_start: VecDeque<i64>,
    left_waiting: bool,
}

impl<W: Work> Lanes<W> {
    pub(crate) fn new(work: W, inbox: Inbox) -> Self {
        Self {
            work: Arc::new(work),
            inbox,
            floods: Floods::default(),
            in_hand: Semaphore::new(IN_HAND_MAX),
            store: Availability::new("the shop store (for updates)"),
            open: Mutex::default(),
            rung: Notify::new(),
            has_room: Notify::new(),
        }
    }

    /// Something waits for this person in the inbox.
    pub(crate) fn ring(&self, person: i64) {
        let mut open = self.open();
        if let Some(has_more) = open.lanes.get_mut(&person) {
            *has_more = true;
        } else if open.lanes.len() < LANES_MAX {
            open.lanes.insert(person, false);
            open.to_start.push_back(person);
            self.rung.notify_one();
        } else {
            open.left_waiting = true;
        }
    }

    /// Runs lanes until `stop`, then waits for what is in hand.
    pub(crate) async fn run(self: &Arc<Self>, stop: &Stop) {
        // Dropped with this future: then nothing goes on by itself.
        let mut running = JoinSet::new();
        let mut persons = HashMap::new();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(ended) = running.join_next_with_id() => self.ended(&mut persons, ended),
                () = self.rung.notified() => {
                    let to_start = std::mem::take(&mut self.open().to_start);
                    for person in to_start {
                        let lane = Arc::clone(self).lane(person, stop.clone());
                        persons.insert(running.spawn(lane).id(), person);
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
                tracing::error!(%error, "a lane of updates panicked; it is opened anew");
                if let Some(person) = persons.remove(&error.id()) {
                    self.leave(person);
                }
            }
        }
    }

    /// Ends a lane unless something has come meanwhile.
    pub(super) fn leave_if_idle(&self, person: i64) -> bool {
        let mut open = self.open();
        if let Some(has_more) = open.lanes.get_mut(&person)
            && std::mem::take(has_more)
        {
            return false;
        }
        self.floods.all_answered(person);
        self.close(&mut open, person);
        true
    }

    /// Ends a lane with whatever waits there; it is found again when all that waits is looked through.
    pub(super) fn leave(&self, person: i64) {
        self.close(&mut self.open(), person);
    }

    fn close(&self, open: &mut Open, person: i64) {
        open.lanes.remove(&person);
        if std::mem::take(&mut open.left_waiting) {
            self.has_room.notify_one();
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
