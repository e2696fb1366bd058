//! How many different people bought something, in a space that does not grow with them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tolov_domain::UserId;

/// People are told apart exactly up to here.
const EXACT_MAX: usize = 1_000;
/// Of a day, so that the days of a year are read at once.
const EXACT_OF_DAY_MAX: usize = 100;
/// 2048 registers: the count is within some 2 % (HyperLogLog, Flajolet and others, 2007).
const INDEX_BITS: u32 = 11;
const REGISTERS: usize = 1 << INDEX_BITS;

/// A set of people: exact while it is small, else an estimate of its size.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Buyers {
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    exact: BTreeSet<UserId>,
    /// A letter for each register, `A` for zero; empty while the set is exact.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    sketch: String,
}

impl Buyers {
    pub(super) fn add(&mut self, id: UserId) {
        if self.sketch.is_empty() {
            self.exact.insert(id);
            if self.exact.len() > EXACT_MAX {
                self.estimate();
            }
        } else {
            self.sketch = with_hash(std::mem::take(&mut self.sketch).into_bytes(), id);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if !other.sketch.is_empty() {
            self.estimate();
            let both = self.sketch.bytes().zip(other.sketch.bytes());
            self.sketch = both.map(|(ours, theirs)| char::from(ours.max(theirs))).collect();
        }
        for id in &other.exact {
            self.add(*id);
        }
    }

    /// As it is stored with a day.
    pub(super) fn shrink(&mut self) {
        if self.exact.len() > EXACT_OF_DAY_MAX {
            self.estimate();
        }
    }

    fn estimate(&mut self) {
        if self.sketch.is_empty() {
            let empty = vec![b'A'; REGISTERS];
            let exact = std::mem::take(&mut self.exact);
            self.sketch =
                exact.into_iter().fold(text(empty), |sketch, id| with_hash(sketch.into_bytes(), id));
        }
    }

    pub(super) fn count(&self) -> u32 {
        if self.sketch.is_empty() {
            return u32::try_from(self.exact.len()).unwrap_or(u32::MAX);
        }
        estimated(self.sketch.as_bytes())
    }
}

fn with_hash(mut registers: Vec<u8>, id: UserId) -> String {
    let hash = mixed(id.get().unsigned_abs());
    let index = usize::try_from(hash >> (u64::BITS - INDEX_BITS)).unwrap_or_default();
    // 1 to 54.
    let rank = (hash << INDEX_BITS).leading_zeros().min(u64::BITS - INDEX_BITS) + 1;
    if let Some(register) = registers.get_mut(index) {
        *register = (*register).max(b'A' + u8::try_from(rank).unwrap_or_default());
    }
    text(registers)
}

/// Registers are ASCII.
fn text(registers: Vec<u8>) -> String {
    String::from_utf8(registers).unwrap_or_default()
}

/// splitmix64: neighbouring ids get independent hashes.
const fn mixed(id: u64) -> u64 {
    let mut hash = id.wrapping_add(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// In whole numbers: a register stands for a fraction of 2^64, and few people are estimated by how many it takes on average to
/// leave so many registers empty.
fn estimated(registers: &[u8]) -> u32 {
    /// What the harmonic mean of 2048 registers is multiplied with, in thousandths of a percent.
    const ALPHA: u128 = 72_092;
    let size = u128::try_from(registers.len()).unwrap_or_default();
    let empty: u128 = registers.iter().map(|register| u128::from(*register == b'A')).sum();
    let fraction = |register: &u8| (1_u128 << 64) >> register.saturating_sub(b'A').min(64);
    let sum: u128 = registers.iter().map(fraction).sum();
    let raw = ((ALPHA * size * size / 100_000) << 64).checked_div(sum).unwrap_or_default();
    let estimate = if empty > 0 && raw * 2 <= size * 5 {
        let thousandths: u128 = (empty + 1..=size).map(|left| size * 1_000 / left).sum();
        thousandths / 1_000
    } else {
        raw
    };
    u32::try_from(estimate).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ids: impl Iterator<Item = i64>) -> Buyers {
        let mut buyers = Buyers::default();
        for id in ids {
            buyers.add(UserId::try_new(id).unwrap());
        }
        buyers
    }

    #[test]
    fn few_people_are_counted_exactly_and_many_within_a_few_percent() {
        assert_eq!(of((1..=700).chain(1..=700)).count(), 700);
        for count in [1_500, 20_000, 300_000] {
            let estimate = i64::from(of(5_000_000..5_000_000 + count).count());
            assert!((estimate - count).abs() * 100 < count * 6, "{estimate} of {count}");
        }
    }

    #[test]
    fn days_with_the_same_people_count_them_once() {
        let day = || {
            let mut day = of(1..=2_000);
            day.shrink();
            day
        };
        let mut year = of(1..=50);
        for _ in 0..30 {
            year.merge(&day());
        }
        year.merge(&of(1_990..=2_020));
        let estimate = year.count();
        assert!((1_900..2_150).contains(&estimate), "{estimate}");
        let mut few = of(1..=50);
        few.merge(&of(40..=60));
        assert_eq!(few.count(), 60);
        let stored = serde_json::to_string(&day()).unwrap();
        assert!(stored.len() < 2_200, "{}", stored.len());
        assert_eq!(serde_json::from_str::<Buyers>(&stored).unwrap(), day());
    }
}
