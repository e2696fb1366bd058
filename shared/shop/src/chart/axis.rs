//! Round numbers for an axis.

const LINES_MAX: i64 = 5;
/// Without sales there is an axis all the same.
const MAX_AT_LEAST: i64 = 1_000;

/// The numbers of an axis that begins at 0 and has room for the largest value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Axis {
    /// From one line to the next: 1, 2 or 5 with zeros.
    pub(super) step: i64,
    /// How many steps there are.
    pub(super) steps: i64,
}

impl Axis {
    pub(super) fn for_max(max: i64) -> Self {
        let max = max.max(MAX_AT_LEAST);
        let mut power = 1_i64;
        loop {
            for times in [1, 2, 5] {
                let step = power.saturating_mul(times);
                let steps = max.saturating_add(step).saturating_sub(1) / step;
                if steps <= LINES_MAX {
                    return Self { step, steps };
                }
            }
            power = power.saturating_mul(10);
        }
    }

    pub(super) const fn top(self) -> i64 {
        self.step.saturating_mul(self.steps)
    }

    /// The value of every line, from 0 up.
    pub(super) fn values(self) -> impl Iterator<Item = i64> {
        (0..=self.steps).map(move |line| line.saturating_mul(self.step))
    }
}

/// `750`, `1.5M`: as short as an axis can say it without rounding.
pub(super) fn short(number: i64) -> String {
    for (unit, letter) in [(1_000_000_000, "B"), (1_000_000, "M"), (1_000, "K")] {
        // A unit fits where at most one decimal is left.
        if number >= unit && number % (unit / 10) == 0 {
            let decimal = number % unit / (unit / 10);
            let whole = number / unit;
            return if decimal == 0 {
                format!("{whole}{letter}")
            } else {
                format!("{whole}.{decimal}{letter}")
            };
        }
    }
    number.to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_stand_at_round_numbers() {
        let lines = |max| Axis::for_max(max).values().map(short).collect::<Vec<_>>();
        assert_eq!(lines(0), ["0", "200", "400", "600", "800", "1K"]);
        assert_eq!(lines(2_400_000), ["0", "500K", "1M", "1.5M", "2M", "2.5M"]);
        assert_eq!(lines(1_000_000), ["0", "200K", "400K", "600K", "800K", "1M"]);
        assert_eq!(lines(12_345_678_900), ["0", "5B", "10B", "15B"]);
        assert_eq!(short(1_250), "1250");
    }

    proptest! {
        #[test]
        fn every_value_has_room(max in 0..=10_000_000_000_000_i64) {
            let axis = Axis::for_max(max);
            prop_assert!(axis.top() >= max && (2..=LINES_MAX).contains(&axis.steps), "{axis:?}");
        }
    }
}
