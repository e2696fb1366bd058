//! Measures age by the time that passes. A clock that was set, or a service that was stopped, makes nothing older: by the
//! clock alone every unpaid order would be overdue after either.

use std::time::Duration;

use time::OffsetDateTime;

use crate::clock::Clock;

/// Between two readings the clock may gain or lose so much: it is adjusted slowly all the time.
const TOLERANCE: Duration = Duration::from_mins(1);
/// The most jumps that are remembered one by one.
const JUMPS_MAX: usize = 100;
/// A stop that took longer may as well be a clock that was set.
const STOPPED_MAX: time::Duration = time::Duration::days(1);
/// For how long a jump is shown to the operator.
const SHOWN: Duration = Duration::from_hours(1);

/// Compares the clock with the time that passes.
#[derive(Debug)]
pub struct ClockWatch {
    last: Reading,
    /// The oldest first.
    jumps: Vec<Jump>,
    /// A jump that is older is over.
    longest_limit: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    now: OffsetDateTime,
    monotonic: Duration,
}

/// The clock went this much further than the time.
#[derive(Debug)]
struct Jump {
    by: time::Duration,
    at: Duration,
    /// Not what a stop of the service explains.
    is_strange: bool,
    /// Between two processes; nobody saw it.
    while_stopped: bool,
}

impl ClockWatch {
    /// `longest_limit`: of the limits that [`ClockWatch::older_than`] will be asked for.
    pub fn new(clock: &dyn Clock, longest_limit: Duration) -> Self {
        Self { last: Reading::of(clock), jumps: Vec::new(), longest_limit }
    }

    /// What went by since this time, which an earlier process noted as [`ClockWatch::time_to_note`], does not count: this
    /// process cannot know whether the clock was set meanwhile. `noted_every`: how old a note may be of a process that was
    /// replaced at once.
    pub fn compare_with(&mut self, noted: OffsetDateTime, noted_every: Duration) {
        let gone = self.last.now - noted;
        if gone > TOLERANCE + noted_every || -gone > TOLERANCE {
            // The note lacks the stops of the time that is remembered.
            let remembered = time::Duration::try_from(self.longest_limit).unwrap_or(time::Duration::MAX);
            let is_strange = gone > STOPPED_MAX.saturating_add(remembered) || gone.is_negative();
            self.jumped(Jump { by: gone, at: self.last.monotonic, is_strange, while_stopped: true });
        }
    }

    /// Reads the clock. To be called every few seconds.
    pub fn look(&mut self, clock: &dyn Clock) {
        let reading = Reading::of(clock);
        let gained = reading.gained_since(self.last);
        self.last = reading;
        if gained.unsigned_abs() > TOLERANCE {
            self.jumped(Jump { by: gained, at: reading.monotonic, is_strange: true, while_stopped: false });
        }
        metrics::gauge!("tolov_clock_jump_seconds").set(self.shown().unsigned_abs());
    }

    /// What was written at this moment or before is older than `limit`, however the clock was set since. `None`: before
    /// every date.
    pub fn older_than(&self, limit: Duration) -> Option<OffsetDateTime> {
        self.believed(limit).checked_sub(limit.try_into().ok()?)
    }

    /// The time without what it was set forward by in this time, or went forward by while the service did not run.
    pub fn believed(&self, within: Duration) -> OffsetDateTime {
        self.last.now.saturating_sub(self.ahead(within, |_| true))
    }

    /// The time without what this process saw it be set forward by in this time. A stop of the service puts it back by nothing:
    /// one that stops every night would be behind by a night more each day.
    pub fn unless_set(&self, within: Duration) -> OffsetDateTime {
        self.last.now.saturating_sub(self.ahead(within, |jump| !jump.while_stopped))
    }

    /// The time to be compared with after a restart.
    pub fn time_to_note(&self) -> OffsetDateTime {
        self.believed(self.longest_limit)
    }

    fn jumped(&mut self, jump: Jump) {
        let jump_s = jump.by.whole_seconds();
        if jump.is_strange {
            tracing::error!(jump_s, "the clock was set: nothing is older for it; check the machine's time");
        } else {
            tracing::info!(jump_s, "the service did not run: nothing is older for it");
        }
        self.jumps.push(jump);
        if self.jumps.len() > JUMPS_MAX {
            let oldest = self.jumps.remove(0);
            // What the two gained together or the second alone, whichever is more, so that nothing is taken for older.
            if let Some(next) = self.jumps.first_mut() {
                next.by = next.by.max(oldest.by.saturating_add(next.by));
            }
        }
    }

    /// By how much the clock was set in the last hour. Zero, when it was set back to where it had been.
    fn shown(&self) -> time::Duration {
        let since = self.last.monotonic.saturating_sub(SHOWN);
        let shown = self.jumps.iter().filter(|jump| jump.is_strange && jump.at >= since);
        shown.fold(time::Duration::ZERO, |sum, jump| sum.saturating_add(jump.by))
    }

    /// The most that the clock may be ahead of the one by which a thing was dated that is not yet older than `limit`: it
    /// was dated before the first, the second, … of the jumps since then.
    fn ahead(&self, limit: Duration, counts: impl Fn(&Jump) -> bool) -> time::Duration {
        let mut gained = time::Duration::ZERO;
        let mut most = time::Duration::ZERO;
        for jump in self.jumps.iter().rev().filter(|jump| counts(jump)) {
            if self.last.monotonic.saturating_sub(jump.at) > limit {
                break;
            }
            gained = gained.saturating_add(jump.by);
            most = most.max(gained);
        }
        most
    }
}

impl Reading {
    fn of(clock: &dyn Clock) -> Self {
        Self { now: clock.now(), monotonic: clock.monotonic() }
    }

    /// By how much more the clock went than the time.
    fn gained_since(self, before: Self) -> time::Duration {
        let passed = time::Duration::try_from(self.monotonic.saturating_sub(before.monotonic));
        (self.now - before.now).saturating_sub(passed.unwrap_or(time::Duration::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use proptest::prelude::*;
    use time::{Duration as Span, macros::datetime};

    const TTL: Duration = Duration::from_hours(1);
    const NOTED_EVERY: Duration = Duration::from_mins(5);
    const WEEK: Duration = Duration::from_hours(7 * 24);

    fn started() -> (ManualClock, ClockWatch) {
        let clock = ManualClock::new(datetime!(2026-11-23 12:00 UTC));
        let watch = ClockWatch::new(&clock, WEEK);
        (clock, watch)
    }

    #[test]
    fn age_is_measured_by_a_clock_that_runs_evenly_however_long_a_round_takes() {
        let (clock, mut watch) = started();
        for passed in [Span::ZERO, Span::seconds(5), Span::days(9)] {
            clock.advance(passed);
            clock.jump(Span::seconds(40));
            watch.look(&clock);
            assert_eq!(watch.older_than(TTL), Some(clock.now() - TTL), "{passed}");
        }
        assert_eq!(watch.older_than(Duration::from_hours(24 * 500_000_000)), None);
    }

    #[test]
    fn a_clock_that_is_set_forward_makes_nothing_older_and_keeps_nothing_for_longer() {
        let (clock, mut watch) = started();
        let dated = clock.now();
        clock.advance(Span::minutes(20));
        clock.jump(Span::days(30));
        watch.look(&clock);
        clock.advance(Span::minutes(40));
        watch.look(&clock);
        assert_eq!(watch.older_than(TTL), Some(dated), "an hour old by the time that passed");
        let dated_after = clock.now();
        clock.advance(Span::hours(1));
        watch.look(&clock);
        assert_eq!(watch.older_than(TTL), Some(dated_after));
        let week = watch.older_than(WEEK).unwrap();
        assert_eq!(week, clock.now() - Span::days(37), "for what is kept longer the jump is not over");
        assert_eq!((watch.believed(TTL), watch.believed(WEEK)), (clock.now(), clock.now() - Span::days(30)));
    }

    #[test]
    fn the_time_between_two_processes_makes_nothing_older_whatever_happened_in_it() {
        for (gone, counts) in [
            (Span::minutes(5), true),
            (Span::seconds(-30), true),
            (Span::hours(20), false),
            (Span::days(30), false),
        ] {
            let (clock, mut watch) = started();
            watch.compare_with(clock.now() - gone, NOTED_EVERY);
            let ahead = if counts { Span::ZERO } else { gone };
            assert_eq!(watch.older_than(TTL), Some(clock.now() - TTL - ahead), "{gone}");
            assert_eq!(watch.time_to_note(), clock.now() - ahead);
            assert_eq!(!watch.shown().is_zero(), gone > Span::days(8), "a stop pages nobody: {gone}");
        }
        let (clock, mut watch) = started();
        watch.compare_with(clock.now() + Span::days(30), NOTED_EVERY);
        assert_eq!(watch.older_than(TTL), Some(clock.now() - TTL), "set back: all that is dated later stays");
        clock.jump(Span::days(30));
        watch.look(&clock);
        assert_eq!(
            watch.older_than(TTL),
            Some(clock.now() - TTL - Span::days(30)),
            "some may be dated between"
        );
    }

    #[test]
    fn a_clock_that_is_set_back_to_where_it_was_counts_at_once() {
        let (clock, mut watch) = started();
        for (jump, shown) in [(30, 30), (-10, 20), (-20, 0)] {
            clock.jump(Span::days(jump));
            watch.look(&clock);
            assert_eq!(watch.shown(), Span::days(shown));
        }
        assert_eq!(watch.older_than(TTL), Some(clock.now() - TTL));
    }

    proptest! {
        /// However the clock was set, and how often: what is younger than the limit is never taken for older.
        #[test]
        fn nothing_is_taken_for_older_than_it_is(
            steps in prop::collection::vec((1i64..3_000, -200_000i64..200_000, prop::bool::weighted(0.3)), 1..250),
        ) {
            let (clock, mut watch) = started();
            let mut dated: Vec<(OffsetDateTime, Duration)> = Vec::new();
            for (passed, jump, is_set) in steps {
                dated.push((clock.now(), clock.monotonic()));
                clock.advance(Span::seconds(passed));
                if is_set {
                    clock.jump(Span::seconds(jump));
                }
                watch.look(&clock);
                let older = watch.older_than(TTL).unwrap();
                // Jumps below the tolerance are not seen, nor is a step that takes that long.
                let tolerated = TOLERANCE * 250;
                for (at, since) in &dated {
                    let age = clock.monotonic().saturating_sub(*since);
                    prop_assert!(*at > older || age + tolerated >= TTL, "{at} at the age of {age:?}");
                }
            }
        }
    }
}
