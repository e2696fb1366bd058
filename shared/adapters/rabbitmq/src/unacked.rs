//! The deliveries that were handed out and wait for their verdict, and the way their acknowledgements go back.
//!
//! A delivery tag is a number on one channel. When the channel is replaced the numbers start again, so every tag
//! carries the generation of its channel, and a tag of an older generation is never sent to a newer channel: it would
//! acknowledge another message.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use lapin::{
    Acker,
    options::{BasicAckOptions, BasicNackOptions},
};
use tokio::sync::watch;
use tolov_domain::ports::bus::DeliveryTag;

/// The longest that a batch of acknowledgements may take to be written.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// A delivery in the reader's hands.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) tag: DeliveryTag,
    pub(crate) acker: Acker,
    /// When it was published first, in seconds since 1970.
    pub(crate) published_s: u64,
}

#[derive(Debug)]
pub(crate) struct Unsettled {
    holding: Mutex<Holding>,
    /// Locked while acknowledgements are planned and written: of two that go at once, a `multiple` of one could
    /// cover a single one of the other, and the broker closes the channel at a tag that it does not know (any more).
    settled: tokio::sync::Mutex<Settled>,
    /// The generation that must not be read from any more, because something of it is stuck.
    stuck: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Holding {
    generation: u64,
    deliveries: HashMap<u64, Held>,
}

impl Unsettled {
    pub(crate) fn new() -> Self {
        Self {
            holding: Mutex::default(),
            settled: tokio::sync::Mutex::default(),
            stuck: watch::Sender::new(0),
        }
    }

    /// A new channel is read from; whatever is held of the one before will be delivered again.
    pub(crate) fn begin(&self, generation: u64) {
        *self.holding() = Holding { generation, deliveries: HashMap::new() };
    }

    pub(crate) fn hold(&self, held: Held) {
        self.holding().deliveries.insert(held.tag.number, held);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.holding().deliveries.is_empty()
    }

    /// Takes a delivery out to settle it; `None` when its channel is gone.
    pub(crate) fn take(&self, tag: DeliveryTag) -> Option<Held> {
        let mut holding = self.holding();
        if holding.generation == tag.generation { holding.deliveries.remove(&tag.number) } else { None }
    }

    /// Returns when the channel of this generation must be replaced.
    pub(crate) async fn stuck(&self, generation: u64) {
        // The sender lives as long as `self`, so the wait cannot fail.
        drop(self.stuck.subscribe().wait_for(|stuck| *stuck >= generation).await);
    }

    /// Marks the generation as one whose channel must go: only that brings back what was taken and is not settled.
    pub(crate) fn give_up(&self, generation: u64) {
        self.stuck.send_if_modified(|stuck| {
            let newer = generation > *stuck;
            *stuck = generation.max(*stuck);
            newer
        });
    }

    /// Acknowledges, in one frame as far as no earlier delivery is still open. Returns how many the broker was told.
    pub(crate) async fn ack(&self, held: Vec<Held>) -> usize {
        self.write(held, async |plan, held| {
            let mut told = 0;
            if let Some(last) = plan.group {
                let members = plan.group_size;
                told += if acked(held, last, true).await { members } else { return told };
            }
            for number in plan.singles {
                told += if acked(held, number, false).await { 1 } else { return told };
            }
            told
        })
        .await
    }

    /// Gives deliveries back to the queue. Returns how many the broker was told.
    pub(crate) async fn requeue(&self, held: Vec<Held>) -> usize {
        self.write(held, async |_, held| {
            let mut told = 0;
            for delivery in held.values() {
                let options = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
                // As with `ack`: Ok(false) means that the channel is gone, and that nothing was written.
                told += if matches!(delivery.acker.nack(options).await, Ok(true)) { 1 } else { return told };
            }
            told
        })
        .await
    }

    /// Writes what settles these deliveries. If that does not succeed to the end, their channel is given up.
    async fn write(
        &self,
        held: Vec<Held>,
        writing: impl AsyncFnOnce(Plan, &HashMap<u64, Held>) -> usize,
    ) -> usize {
        let Some(generation) = held.first().map(|delivery| delivery.tag.generation) else { return 0 };
        let count = held.len();
        let held: HashMap<_, _> = held.into_iter().map(|delivery| (delivery.tag.number, delivery)).collect();
        let unfinished = Unfinished { unsettled: self, generation, finished: false };
        let told = tokio::time::timeout(WRITE_TIMEOUT, async {
            let mut settled = self.settled.lock().await;
            let plan = settled.plan(generation, held.keys().copied());
            writing(plan, &held).await
        });
        let told = told.await.unwrap_or(0);
        unfinished.end(told == count);
        told
    }

    fn holding(&self) -> MutexGuard<'_, Holding> {
        self.holding.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes one acknowledgement. lapin answers `Ok(false)`, not an error, when the delivery's channel is gone.
async fn acked(held: &HashMap<u64, Held>, number: u64, multiple: bool) -> bool {
    match held.get(&number) {
        Some(delivery) => matches!(delivery.acker.ack(BasicAckOptions { multiple }).await, Ok(true)),
        None => false,
    }
}

/// Gives the channel up if what was begun is not brought to its end, also when its future is dropped in between:
/// the deliveries are in nobody's hands then, and only a new channel brings them back.
#[derive(Debug)]
pub(crate) struct Unfinished<'a> {
    unsettled: &'a Unsettled,
    generation: u64,
    finished: bool,
}

impl<'a> Unfinished<'a> {
    pub(crate) fn begin(unsettled: &'a Unsettled, generation: u64) -> Self {
        Self { unsettled, generation, finished: false }
    }

    pub(crate) fn end(mut self, finished: bool) {
        self.finished = finished;
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.unsettled.give_up(self.generation);
        }
    }
}

/// Which tags of the present channel are settled.
#[derive(Debug, Default)]
struct Settled {
    generation: u64,
    /// Every tag up to this one is.
    up_to: u64,
    /// And these, with gaps in between.
    beyond: BTreeSet<u64>,
}

/// How to acknowledge a batch of tags.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    /// One `multiple` acknowledgement up to and with this tag, which is of the batch itself: the broker knows no
    /// tag that is settled already.
    group: Option<u64>,
    group_size: usize,
    singles: Vec<u64>,
}

impl Settled {
    fn plan(&mut self, generation: u64, tags: impl Iterator<Item = u64>) -> Plan {
        let mut batch: Vec<u64> = tags.collect();
        batch.sort_unstable();
        if generation < self.generation {
            // Of a channel that is gone: each will be told so by lapin.
            return Plan { group: None, group_size: 0, singles: batch };
        }
        if generation > self.generation {
            *self = Self { generation, ..Self::default() };
        }
        self.beyond.extend(&batch);
        while self.beyond.remove(&(self.up_to + 1)) {
            self.up_to += 1;
        }
        let singles = batch.split_off(batch.partition_point(|tag| *tag <= self.up_to));
        Plan { group: batch.last().copied(), group_size: batch.len(), singles }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(settled: &mut Settled, tags: &[u64]) -> (Option<u64>, usize, Vec<u64>) {
        let Plan { group, group_size, singles } = settled.plan(1, tags.iter().copied());
        (group, group_size, singles)
    }

    #[test]
    fn a_group_never_reaches_over_a_delivery_that_is_still_open() {
        let mut settled = Settled::default();
        assert_eq!(plan(&mut settled, &[3, 2, 5]), (None, 0, vec![2, 3, 5]));
        assert_eq!(plan(&mut settled, &[1]), (Some(1), 1, vec![]));
        assert_eq!(settled.up_to, 3);
        assert_eq!(plan(&mut settled, &[4, 6, 8]), (Some(6), 2, vec![8]));
        assert_eq!(plan(&mut settled, &[7, 9]), (Some(9), 2, vec![]));
        assert!(settled.beyond.is_empty());
    }

    #[test]
    fn the_last_of_a_group_is_a_tag_that_the_broker_still_knows() {
        let mut settled = Settled::default();
        plan(&mut settled, &[2, 3]);
        // 3 was acknowledged by itself before: naming it again would close the channel.
        assert_eq!(plan(&mut settled, &[1]).0, Some(1));
    }

    #[test]
    fn a_new_channel_counts_from_the_beginning() {
        let mut settled = Settled::default();
        plan(&mut settled, &[1, 2, 3]);
        let single = Plan { group: None, group_size: 0, singles: vec![2] };
        assert_eq!(settled.plan(2, [2].into_iter()), single);
        assert_eq!(settled.plan(1, [2].into_iter()), single);
        assert_eq!((settled.generation, settled.up_to), (2, 0));
    }

    #[tokio::test]
    async fn what_is_left_in_the_middle_gives_its_channel_up() {
        let unsettled = Unsettled::new();
        drop(Unfinished::begin(&unsettled, 7));
        unsettled.stuck(7).await;
        Unfinished::begin(&unsettled, 8).end(true);
        assert_eq!(*unsettled.stuck.borrow(), 7);
    }
}
