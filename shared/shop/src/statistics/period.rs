//! Days, weeks and months in Tashkent.

use time::{Date, Duration};
use tolov_domain::time::{TASHKENT, Timestamp};

/// The period of statistics and its steps. The current day, week or month is the last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Period {
    /// The last 30.
    Days,
    /// The last 12, Monday to Sunday.
    Weeks,
    /// The last 12.
    Months,
}

impl Period {
    pub const ALL: [Self; 3] = [Self::Days, Self::Weeks, Self::Months];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Days => "days",
            Self::Weeks => "weeks",
            Self::Months => "months",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|period| period.as_str() == text)
    }

    const fn steps(self) -> u8 {
        match self {
            Self::Days => 30,
            Self::Weeks | Self::Months => 12,
        }
    }

    /// The first day of each step, oldest first.
    pub fn starts(self, now: Timestamp) -> Vec<Date> {
        let today = day_of(now);
        let mut start = match self {
            Self::Days => today,
            Self::Weeks => before(today, today.weekday().number_days_from_monday()),
            Self::Months => first_of_month(today),
        };
        let mut starts = Vec::with_capacity(usize::from(self.steps()));
        for _ in 0..self.steps() {
            starts.push(start);
            start = match self {
                Self::Days => before(start, 1),
                Self::Weeks => before(start, 7),
                Self::Months => first_of_month(before(start, 1)),
            };
        }
        starts.reverse();
        starts
    }

    /// When the period began.
    pub fn from(self, now: Timestamp) -> Timestamp {
        let first = self.starts(now).into_iter().next().unwrap_or_else(|| day_of(now));
        first.midnight().assume_offset(TASHKENT)
    }
}

/// The day in Tashkent.
pub(super) fn day_of(at: Timestamp) -> Date {
    at.to_offset(TASHKENT).date()
}

fn before(date: Date, days: u8) -> Date {
    date.saturating_sub(Duration::days(i64::from(days)))
}

fn first_of_month(date: Date) -> Date {
    date.replace_day(1).unwrap_or(date)
}

#[cfg(test)]
mod tests {
    use time::macros::{date, datetime};

    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_tashkent() {
        assert_eq!(day_of(datetime!(2026-02-28 18:59:59 UTC)), date!(2026 - 02 - 28));
        assert_eq!(day_of(datetime!(2026-02-28 19:00 UTC)), date!(2026 - 03 - 01));
        assert_eq!(Period::Days.from(datetime!(2026-03-30 12:00 UTC)), datetime!(2026-02-28 19:00 UTC));
    }

    #[test]
    fn steps_end_with_the_running_one() {
        // A Wednesday.
        let now = datetime!(2026-03-04 12:00 UTC);
        let ends = |period: Period| {
            let starts = period.starts(now);
            (starts.len(), starts[0], starts[starts.len() - 1])
        };
        assert_eq!(ends(Period::Days), (30, date!(2026 - 02 - 03), date!(2026 - 03 - 04)));
        assert_eq!(ends(Period::Weeks), (12, date!(2025 - 12 - 15), date!(2026 - 03 - 02)));
        assert_eq!(ends(Period::Months), (12, date!(2025 - 04 - 01), date!(2026 - 03 - 01)));
        assert!(Period::ALL.into_iter().all(|period| Period::parse(period.as_str()) == Some(period)));
    }
}
