//! The differences that were found, and what was compared.

use std::collections::BTreeMap;

use super::difference::{Difference, Subject};

/// The most differences that are kept, so that an audit of a store that is lost does not hold all of it in memory.
const DIFFERENCES_MAX: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Findings {
    differences: BTreeMap<Subject, Difference>,
    /// Beyond [`DIFFERENCES_MAX`]; seen once only.
    pub(super) more: u64,
}

/// What was compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) paid_orders: u64,
    pub(super) paid_tiyin: i64,
    pub(super) shop_orders: u64,
    pub(super) shop_paid_orders: u64,
    pub(super) shop_paid_tiyin: i64,
    pub(super) users: u64,
    pub(super) products: u64,
}

impl Findings {
    pub(super) fn add(&mut self, difference: Difference) {
        let subject = difference.subject();
        if self.differences.len() < DIFFERENCES_MAX || self.differences.contains_key(&subject) {
            self.differences.insert(subject, difference);
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    pub(super) fn extend(&mut self, differences: impl IntoIterator<Item = Difference>) {
        differences.into_iter().for_each(|difference| self.add(difference));
    }

    /// What this look and an earlier one have found alike.
    pub(super) fn confirmed(mut self, earlier: &Self) -> Self {
        self.differences.retain(|subject, _| earlier.differences.contains_key(subject));
        self.more = earlier.more;
        self
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Difference> {
        self.differences.values()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.differences.is_empty() && self.more == 0
    }

    pub(super) fn count(&self) -> u64 {
        u64::try_from(self.differences.len()).unwrap_or(u64::MAX).saturating_add(self.more)
    }
}

#[cfg(test)]
mod tests {
    use tolov_domain::UserId;

    use super::*;

    fn count(user: i64, counted: u32) -> Difference {
        Difference::OrderCount { user_id: UserId::try_new(user).unwrap(), counted, paid: 1 }
    }

    #[test]
    fn only_what_two_looks_find_is_a_difference_whatever_numbers_they_see() {
        let (mut first, mut second) = (Findings::default(), Findings::default());
        first.extend([count(1, 2), count(2, 2)]);
        second.extend([count(2, 3), count(3, 2)]);
        let confirmed = second.confirmed(&first);
        assert_eq!(confirmed.iter().collect::<Vec<_>>(), [&count(2, 3)]);
    }

    #[test]
    fn no_more_is_kept_than_the_limit_and_the_rest_is_counted() {
        let mut findings = Findings::default();
        findings.extend((1..=10_005).map(|user| count(user, 2)));
        assert_eq!((findings.iter().count(), findings.more, findings.count()), (10_000, 5, 10_005));
    }
}
