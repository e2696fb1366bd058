//! Which consumer holds which message. In memory, because consumers end with the process.

use std::collections::{BTreeMap, BTreeSet};

/// How many unsettled deliveries one consumer may have, like a prefetch count of AMQP.
pub(super) const PREFETCH_MAX: usize = 10_000;

/// A message that a consumer has received and not settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lease {
    pub(super) consumer: u64,
    /// The message's row.
    pub(super) seq: i64,
    pub(super) retries: u32,
}

/// The leases of one queue, by numbers that are never given twice.
#[derive(Debug, Default)]
pub(super) struct Leases {
    by_number: BTreeMap<u64, Lease>,
    leased: BTreeSet<i64>,
    last_number: u64,
}

impl Leases {
    pub(super) fn add(&mut self, lease: Lease) -> u64 {
        self.last_number += 1;
        self.leased.insert(lease.seq);
        self.by_number.insert(self.last_number, lease);
        self.last_number
    }

    /// The lease of this number, if it is still this consumer's.
    pub(super) fn get(&self, number: u64, consumer: u64) -> Option<Lease> {
        self.by_number.get(&number).copied().filter(|lease| lease.consumer == consumer)
    }

    pub(super) fn remove(&mut self, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            if let Some(lease) = self.by_number.remove(&number) {
                self.leased.remove(&lease.seq);
            }
        }
    }

    /// Ends every lease of a consumer. Returns whether there were any.
    pub(super) fn remove_all_of(&mut self, consumer: u64) -> bool {
        let gone = |lease: &Lease| lease.consumer == consumer;
        let numbers: Vec<_> =
            self.by_number.iter().filter(|(_, lease)| gone(lease)).map(|(number, _)| *number).collect();
        let were_any = !numbers.is_empty();
        self.remove(numbers);
        were_any
    }

    pub(super) fn count_of(&self, consumer: u64) -> usize {
        self.by_number.values().filter(|lease| lease.consumer == consumer).count()
    }

    /// The rows that are leased, as a JSON array.
    pub(super) fn leased_rows(&self) -> String {
        serde_json::json!(self.leased).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_belongs_to_its_consumer_and_its_number_is_never_reused() {
        let mut leases = Leases::default();
        let lease = Lease { consumer: 1, seq: 7, retries: 2 };
        let number = leases.add(lease);
        assert_eq!(leases.get(number, 1), Some(lease));
        assert_eq!(leases.get(number, 2), None);
        assert_eq!(leases.leased_rows(), "[7]");
        assert!(leases.remove_all_of(1));
        assert!(!leases.remove_all_of(1));
        assert_eq!(leases.leased_rows(), "[]");
        let again = leases.add(Lease { consumer: 2, ..lease });
        assert_ne!(again, number);
        assert_eq!((leases.count_of(1), leases.count_of(2)), (0, 1));
    }
}
