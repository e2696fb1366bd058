//! Unacknowledged deliveries, and how they are acknowledged.
//!
//! A delivery tag is a number on one channel. On a new channel the numbers start again, so every tag carries the
//! generation of its channel, and one of an older generation is never sent on a newer channel: it would acknowledge
//! another message.

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

/// The longest that writing a batch of acknowledgements may take.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// A delivery that waits for its verdict.
#[derive(Debug)]
pub(crate) struct UnackedDelivery {
    pub(crate) tag: DeliveryTag,
    pub(crate) acker: Acker,
    /// When it was published first, in seconds since 1970.
    pub(crate) published_s: u64,
}

#[derive(Debug)]
pub(crate) struct Unacked {
    deliveries: Mutex<Deliveries>,
    /// Locked while acknowledgements are planned and written: the `multiple` of one batch could cover a single one of
    /// another, and the broker closes the channel at a tag that it does not know.
    settled: tokio::sync::Mutex<Settled>,
    /// The newest generation whose channel must be replaced.
    abandoned: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Deliveries {
    generation: u64,
    by_number: HashMap<u64, UnackedDelivery>,
}

impl Unacked {
    pub(crate) fn new() -> Self {
        Self {
            deliveries: Mutex::default(),
            settled: tokio::sync::Mutex::default(),
            abandoned: watch::Sender::new(0),
        }
    }

    /// Starts a new channel; the deliveries of the last one will be redelivered.
    pub(crate) fn begin(&self, generation: u64) {
        *self.deliveries() = Deliveries { generation, by_number: HashMap::new() };
    }

    pub(crate) fn add(&self, delivery: UnackedDelivery) {
        self.deliveries().by_number.insert(delivery.tag.number, delivery);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.deliveries().by_number.is_empty()
    }

    /// Takes a delivery out to settle it; `None` when its channel was replaced.
    pub(crate) fn take(&self, tag: DeliveryTag) -> Option<UnackedDelivery> {
        let mut deliveries = self.deliveries();
        if deliveries.generation == tag.generation { deliveries.by_number.remove(&tag.number) } else { None }
    }

    /// Returns when the channel of this generation must be replaced.
    pub(crate) async fn abandoned(&self, generation: u64) {
        // The sender lives as long as `self`, so the wait cannot fail.
        drop(self.abandoned.subscribe().wait_for(|abandoned| *abandoned >= generation).await);
    }

    /// Marks a channel as one to replace: only that redelivers what was taken out and not settled.
    pub(crate) fn abandon(&self, generation: u64) {
        self.abandoned.send_if_modified(|abandoned| {
            let is_newer = generation > *abandoned;
            *abandoned = generation.max(*abandoned);
            is_newer
        });
    }

    /// Acknowledges, in one frame as far as no earlier delivery is unsettled. Returns how many were written.
    pub(crate) async fn ack(&self, deliveries: Vec<UnackedDelivery>) -> usize {
        self.write(deliveries, async |plan, deliveries| {
            let mut written = 0;
            if let Some(last) = plan.group {
                let members = plan.group_size;
                written += if acked(deliveries, last, true).await { members } else { return written };
            }
            for number in plan.singles {
                written += if acked(deliveries, number, false).await { 1 } else { return written };
            }
            written
        })
        .await
    }

    /// Requeues deliveries. Returns how many were written.
    pub(crate) async fn requeue(&self, deliveries: Vec<UnackedDelivery>) -> usize {
        self.write(deliveries, async |_, deliveries| {
            let mut written = 0;
            for delivery in deliveries.values() {
                let options = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
                // As with `ack`, Ok(false) means that the channel is closed and nothing was written.
                written +=
                    if matches!(delivery.acker.nack(options).await, Ok(true)) { 1 } else { return written };
            }
            written
        })
        .await
    }

    /// Writes acknowledgements. If not all can be written, the channel is abandoned.
    async fn write(
        &self,
        deliveries: Vec<UnackedDelivery>,
        writing: impl AsyncFnOnce(Plan, &HashMap<u64, UnackedDelivery>) -> usize,
    ) -> usize {
        let Some(generation) = deliveries.first().map(|delivery| delivery.tag.generation) else { return 0 };
        let count = deliveries.len();
        let deliveries: HashMap<_, _> =
            deliveries.into_iter().map(|delivery| (delivery.tag.number, delivery)).collect();
        let unfinished = Unfinished { unacked: self, generation, finished: false };
        let written = tokio::time::timeout(WRITE_TIMEOUT, async {
            let mut settled = self.settled.lock().await;
            let plan = settled.plan(generation, deliveries.keys().copied());
            writing(plan, &deliveries).await
        });
        let written = written.await.unwrap_or(0);
        unfinished.end(written == count);
        written
    }

    fn deliveries(&self) -> MutexGuard<'_, Deliveries> {
        self.deliveries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes one acknowledgement. lapin answers `Ok(false)`, not an error, when the channel is closed.
async fn acked(deliveries: &HashMap<u64, UnackedDelivery>, number: u64, multiple: bool) -> bool {
    match deliveries.get(&number) {
        Some(delivery) => matches!(delivery.acker.ack(BasicAckOptions { multiple }).await, Ok(true)),
        None => false,
    }
}

/// Abandons the channel unless settling was finished, also when its future is dropped: the deliveries were taken out
/// then, and only a new channel redelivers them.
#[derive(Debug)]
pub(crate) struct Unfinished<'a> {
    unacked: &'a Unacked,
    generation: u64,
    finished: bool,
}

impl<'a> Unfinished<'a> {
    pub(crate) fn begin(unacked: &'a Unacked, generation: u64) -> Self {
        Self { unacked, generation, finished: false }
    }

    pub(crate) fn end(mut self, finished: bool) {
        self.finished = finished;
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.unacked.abandon(self.generation);
        }
    }
}

/// The settled tags of the current channel.
#[derive(Debug, Default)]
struct Settled {
    generation: u64,
    /// Every tag up to this one.
    up_to: u64,
    /// Later ones, with gaps between them.
    beyond: BTreeSet<u64>,
}

/// How to acknowledge a batch of tags.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    /// One `multiple` acknowledgement up to this tag, which is of the batch: the broker does not know a tag that is
    /// settled already.
    group: Option<u64>,
    group_size: usize,
    singles: Vec<u64>,
}

impl Settled {
    fn plan(&mut self, generation: u64, tags: impl Iterator<Item = u64>) -> Plan {
        let mut batch: Vec<u64> = tags.collect();
        batch.sort_unstable();
        if generation < self.generation {
            // The channel is closed: lapin answers so for each.
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
    fn a_group_never_covers_an_unsettled_delivery() {
        let mut settled = Settled::default();
        assert_eq!(plan(&mut settled, &[3, 2, 5]), (None, 0, vec![2, 3, 5]));
        assert_eq!(plan(&mut settled, &[1]), (Some(1), 1, vec![]));
        assert_eq!(settled.up_to, 3);
        assert_eq!(plan(&mut settled, &[4, 6, 8]), (Some(6), 2, vec![8]));
        assert_eq!(plan(&mut settled, &[7, 9]), (Some(9), 2, vec![]));
        assert!(settled.beyond.is_empty());
    }

    #[test]
    fn a_group_ends_with_a_tag_that_the_broker_still_knows() {
        let mut settled = Settled::default();
        plan(&mut settled, &[2, 3]);
        // 3 was acknowledged before: a second time would close the channel.
        assert_eq!(plan(&mut settled, &[1]).0, Some(1));
    }

    #[test]
    fn a_new_channel_counts_from_one() {
        let mut settled = Settled::default();
        plan(&mut settled, &[1, 2, 3]);
        let single = Plan { group: None, group_size: 0, singles: vec![2] };
        assert_eq!(settled.plan(2, [2].into_iter()), single);
        assert_eq!(settled.plan(1, [2].into_iter()), single);
        assert_eq!((settled.generation, settled.up_to), (2, 0));
    }

    #[tokio::test]
    async fn unfinished_settling_abandons_its_channel() {
        let unacked = Unacked::new();
        drop(Unfinished::begin(&unacked, 7));
        unacked.abandoned(7).await;
        Unfinished::begin(&unacked, 8).end(true);
        assert_eq!(*unacked.abandoned.borrow(), 7);
    }
}
