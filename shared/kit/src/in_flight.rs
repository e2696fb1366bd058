//! What a service has received and not finished: how much, and how old.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use time::OffsetDateTime;

/// Counts what is in flight. Clones count together.
#[derive(Clone, Default)]
pub struct InFlight(Arc<Mutex<BTreeMap<OffsetDateTime, usize>>>);

/// Counts one item as in flight until it is dropped.
#[derive(Debug)]
pub struct InFlightGuard {
    in_flight: InFlight,
    since: OffsetDateTime,
}

impl InFlight {
    /// Counts one item that has been waiting since `since`.
    pub fn enter(&self, since: OffsetDateTime) -> InFlightGuard {
        *self.counts().entry(since).or_insert(0) += 1;
        InFlightGuard { in_flight: self.clone(), since }
    }

    pub fn len(&self) -> usize {
        self.counts().values().sum()
    }

    pub fn is_empty(&self) -> bool {
        self.counts().is_empty()
    }

    /// Since when the oldest item has been waiting.
    pub fn oldest(&self) -> Option<OffsetDateTime> {
        self.counts().keys().next().copied()
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, BTreeMap<OffsetDateTime, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for InFlight {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("InFlight").field("len", &self.len()).finish()
    }
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        let mut counts = self.in_flight.counts();
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
    fn the_oldest_item_in_flight_counts_until_it_is_finished() {
        let in_flight = InFlight::default();
        let at = |seconds| OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(seconds);
        let (young, old, as_old) = (in_flight.enter(at(9)), in_flight.enter(at(1)), in_flight.enter(at(1)));
        assert_eq!((in_flight.len(), in_flight.oldest()), (3, Some(at(1))));
        drop(old);
        assert_eq!(in_flight.oldest(), Some(at(1)));
        drop(as_old);
        assert_eq!((in_flight.len(), in_flight.oldest()), (1, Some(at(9))));
        drop(young);
        assert!(in_flight.is_empty() && in_flight.oldest().is_none());
    }
}
