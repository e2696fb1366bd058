//! Tells an abandoned lease from one that is renewed. What the holder's clock says counts for nothing: a lease that stays as it is for
//! its whole length, by the time that passes here, was given up.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tolov_domain::ports::documents::Version;

#[derive(Debug)]
pub(super) struct LeaseWatch {
    length: Duration,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// Each record with its version, and when that was seen first.
    leases: HashMap<i64, (Version, Duration)>,
    evicted_at: Duration,
}

impl LeaseWatch {
    pub(super) fn new(length: Duration) -> Self {
        Self { length, seen: Mutex::default() }
    }

    /// Whether the holder of the lease that was read in this version may go on, as far as was seen until `now`.
    pub(super) fn is_held(&self, id: i64, version: Version, now: Duration) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Seen { leases, evicted_at } = &mut *seen;
        if now.saturating_sub(*evicted_at) >= self.length {
            *evicted_at = now;
            // What was not taken for so long is done, or will be seen again.
            leases.retain(|_, (_, since)| now.saturating_sub(*since) < self.length * 10);
        }
        let (last, since) = leases.entry(id).or_insert((version, now));
        if *last != version {
            (*last, *since) = (version, now);
        }
        now.saturating_sub(*since) < self.length
    }
}
