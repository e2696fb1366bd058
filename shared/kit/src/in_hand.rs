//! What a service has taken and not finished: how much, and how old.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use time::OffsetDateTime;

/// Counts what is in hand. Clones count together.
#[derive(Clone, Default)]
pub struct InHand(Arc<Mutex<BTreeMap<OffsetDateTime, usize>>>);

/// One thing in hand, until it is dropped.
#[derive(Debug)]
pub struct Held {
    in_hand: InHand,
    since: OffsetDateTime,
}

impl InHand {
    /// Takes one thing in hand that is as old as `since`.
    pub fn take(&self, since: OffsetDateTime) -> Held {
        *self.counts().entry(since).or_insert(0) += 1;
        Held { in_hand: self.clone(), since }
    }

    pub fn len(&self) -> usize {
        self.counts().values().sum()
    }

    pub fn is_empty(&self) -> bool {
        self.counts().is_empty()
    }

    /// How old the oldest thing in hand is.
    pub fn oldest(&self) -> Option<OffsetDateTime> {
        self.counts().keys().next().copied()
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, BTreeMap<OffsetDateTime, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for InHand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("InHand").field("len", &self.len()).finish()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut counts = self.in_hand.counts();
        if let Some(count) = counts.get_mut(&self.since) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.since);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_in_hand_counts_until_it_is_finished() {
        let in_hand = InHand::default();
        let at = |seconds| OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(seconds);
        let (young, old, as_old) = (in_hand.take(at(9)), in_hand.take(at(1)), in_hand.take(at(1)));
        assert_eq!((in_hand.len(), in_hand.oldest()), (3, Some(at(1))));
        drop(old);
        assert_eq!(in_hand.oldest(), Some(at(1)));
        drop(as_old);
        assert_eq!((in_hand.len(), in_hand.oldest()), (1, Some(at(9))));
        drop(young);
        assert!(in_hand.is_empty() && in_hand.oldest().is_none());
    }
}
