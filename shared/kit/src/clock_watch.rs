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
const STOPPED_MAX: time::Duration = time::Duration::days(7);
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
    /// From the clock that it should show.
    apart: time::Duration,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    now: OffsetDateTime,
    monotonic: Duration,
}

/// What an earlier process tells the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The clock without what it gained by the jumps.
    pub believed: OffsetDateTime,
    /// Those that are not over, the oldest first.
    pub jumps: Vec<NotedJump>,
}

/// The clock went this much further than the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotedJump {
    pub by: time::Duration,
    /// How long the service has run since, in all its processes.
    pub age: time::Duration,
}

/// The clock went this much further than the time.
#[derive(Debug)]
struct Jump {
    by: time::Duration,
    /// By the monotonic clock. Below zero: in an earlier process.
    at: time::Duration,
    /// Not what a stop of the service explains.
    is_strange: bool,
    /// Between two processes, where nobody saw it, or in an earlier one.
    before_start: bool,
}

impl ClockWatch {
    /// `longest_limit`: of the limits that [`ClockWatch::older_than`] will be asked for.
    pub fn new(clock: &dyn Clock, longest_limit: Duration) -> Self {
        Self { last: Reading::of(clock), jumps: Vec::new(), longest_limit, apart: time::Duration::ZERO }
    }

    /// What went by since an earlier process made this note does not count: this process cannot know whether the clock was set
    /// meanwhile. What that process remembered grows no younger by a restart, or a service that stops every night would be
    /// behind by a night more each day. `noted_every`: how old a note may be of a process that was replaced at once.
    pub fn compare_with(&mut self, note: &Note, noted_every: Duration) {
        let now = self.last.monotonic();
        let remembered = note.jumps.iter().map(|jump| Jump {
            by: jump.by,
            at: now.saturating_sub(jump.age),
            is_strange: false,
            before_start: true,
        });
        self.jumps.splice(0..0, remembered);
        let noted_at = note.believed.saturating_add(most_gained(note.jumps.iter().rev().map(|jump| jump.by)));
        let gone = self.last.now - noted_at;
        if gone > TOLERANCE + noted_every || -gone > TOLERANCE {
            let is_strange = gone > STOPPED_MAX || gone.is_negative();
            self.jumped(Jump { by: gone, at: now, is_strange, before_start: true });
        }
    }

    /// The machine's clock is so far ahead of another one by which it has to go, or behind where that is negative; zero: they
    /// agree. Shown to the operator for as long as it lasts; it makes nothing older or younger.
    pub fn stands_apart(&mut self, by: time::Duration) {
        let apart_s = by.whole_seconds();
        if self.apart.is_zero() && !by.is_zero() {
            tracing::error!(
                apart_s,
                "the machine's clock is not right: it differs from the clock of the ledger's server"
            );
        } else if !self.apart.is_zero() && by.is_zero() {
            tracing::info!("the machine's clock agrees with that of the ledger's server again");
        }
        self.apart = by;
    }

    /// Reads the clock. To be called every few seconds.
    pub fn look(&mut self, clock: &dyn Clock) {
        let reading = Reading::of(clock);
        let gained = reading.gained_since(self.last);
        self.last = reading;
        if gained.unsigned_abs() > TOLERANCE {
            self.jumped(Jump { by: gained, at: reading.monotonic(), is_strange: true, before_start: false });
        }
        metrics::gauge!("tolov_clock_jump_seconds").set(self.shown().unsigned_abs());
    }

    /// What was written at this moment or before is older than `limit`, however the clock was set since. `None`: before
    /// every date.
    pub fn older_than(&self, limit: Duration) -> Option<OffsetDateTime> {
        self.believed(limit).checked_sub(limit.try_into().ok()?)
    }

    /// The time without what it was set forward by in this time, or went forward by while the service did not run.
    fn believed(&self, within: Duration) -> OffsetDateTime {
        self.last.now.saturating_sub(self.ahead(within, |_| true))
    }

    /// The time without what this process saw it be set forward by in this time. A stop of the service puts it back by nothing.
    pub fn unless_set(&self, within: Duration) -> OffsetDateTime {
        self.last.now.saturating_sub(self.ahead(within, |jump| !jump.before_start))
    }

    /// What the next process needs to know.
    pub fn note(&self) -> Note {
        let now = self.last.monotonic();
        let jumps = self.jumps.iter().map(|jump| NotedJump { by: jump.by, age: now.saturating_sub(jump.at) });
        let jumps = jumps.filter(|jump| jump.age <= self.longest_limit).collect();
        Note { believed: self.believed(self.longest_limit), jumps }
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

    /// By how much the clock is wrong, or else was set in the last hour. Zero, when it was set back to where it had been.
    fn shown(&self) -> time::Duration {
        if !self.apart.is_zero() {
            return self.apart;
        }
        let since = self.last.monotonic().saturating_sub(signed(SHOWN));
        let shown = self.jumps.iter().filter(|jump| jump.is_strange && jump.at >= since);
        shown.fold(time::Duration::ZERO, |sum, jump| sum.saturating_add(jump.by))
    }

    /// The most that the clock may be ahead of the one by which a thing was dated that is not yet older than `limit`.
    fn ahead(&self, limit: Duration, counts: impl Fn(&Jump) -> bool) -> time::Duration {
        let now = self.last.monotonic();
        let jumps = self.jumps.iter().rev().filter(|jump| counts(jump));
        most_gained(jumps.take_while(|jump| now.saturating_sub(jump.at) <= limit).map(|jump| jump.by))
    }
}

/// What the clock gained by the last jump, by the last two, …, whichever is the most: a thing may be dated before each of them.
/// The newest comes first.
fn most_gained(jumps: impl Iterator<Item = time::Duration>) -> time::Duration {
    let gained = jumps.scan(time::Duration::ZERO, |sum, by| {
        *sum = sum.saturating_add(by);
        Some(*sum)
    });
    gained.fold(time::Duration::ZERO, time::Duration::max)
}

fn signed(duration: Duration) -> time::Duration {
    duration.try_into().unwrap_or(time::Duration::MAX)
}

impl Reading {
    fn of(clock: &dyn Clock) -> Self {
        Self { now: clock.now(), monotonic: clock.monotonic() }
    }

    fn monotonic(self) -> time::Duration {
        signed(self.monotonic)
    }

    /// By how much more the clock went than the time.
    fn gained_since(self, before: Self) -> time::Duration {
        (self.now - before.now).saturating_sub(signed(self.monotonic.saturating_sub(before.monotonic)))
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

    fn noted(believed: OffsetDateTime) -> Note {
        Note { believed, jumps: Vec::new() }
    }

    /// The process ends; the next one finds its note.
    fn restarted(clock: &ManualClock, before: &ClockWatch) -> ClockWatch {
        let mut watch = ClockWatch::new(clock, WEEK);
        watch.compare_with(&before.note(), NOTED_EVERY);
        watch.look(clock);
        watch
    }

    #[test]
    fn a_machine_that_is_off_every_night_is_behind_by_the_nights_of_the_time_that_a_limit_takes_and_no_more()
    {
        let (clock, mut watch) = started();
        for day in 1..=60 {
            for _ in 0..14 {
                clock.advance(Span::hours(1));
                watch.look(&clock);
            }
            // The monotonic clock stands still.
            clock.jump(Span::hours(10));
            watch = restarted(&clock, &watch);
            let behind = |limit| (clock.now() - watch.believed(limit)).whole_hours() / 10;
            assert_eq!(behind(Duration::from_hours(24)), day.min(2), "nights, of 14 hours of work a day");
            assert_eq!(behind(WEEK), day.min(13));
        }
        for passed in [10, 2] {
            clock.advance(Span::days(passed));
            watch.look(&clock);
            assert_eq!(watch.older_than(TTL), Some(clock.now() - TTL));
        }
        assert_eq!(watch.note(), noted(clock.now()), "and nothing is left of it");
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
            watch.compare_with(&noted(clock.now() - gone), NOTED_EVERY);
            let ahead = if counts { Span::ZERO } else { gone };
            assert_eq!(watch.older_than(TTL), Some(clock.now() - TTL - ahead), "{gone}");
            assert_eq!(watch.note().believed, clock.now() - ahead);
            assert_eq!(!watch.shown().is_zero(), gone > Span::days(8), "a stop pages nobody: {gone}");
        }
        let (clock, mut watch) = started();
        watch.compare_with(&noted(clock.now() + Span::days(30)), NOTED_EVERY);
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

    #[test]
    fn a_clock_that_stands_apart_is_shown_for_as_long_as_it_does_and_makes_nothing_older() {
        let (clock, mut watch) = started();
        for (apart, hours) in [(Span::hours(1), 30), (Span::hours(-2), 1), (Span::ZERO, 0)] {
            watch.stands_apart(apart);
            clock.advance(Span::hours(hours));
            watch.look(&clock);
            assert_eq!(watch.shown(), apart);
            assert_eq!(watch.older_than(TTL), Some(clock.now() - TTL));
        }
    }

    proptest! {
        /// However the clock was set, how often, and whether the service ran: what is younger than the limit is never taken for
        /// older.
        #[test]
        fn nothing_is_taken_for_older_than_it_is(
            steps in prop::collection::vec(
                (1i64..3_000, -200_000i64..200_000, prop::bool::weighted(0.3), prop::bool::weighted(0.2)),
                1..250,
            ),
        ) {
            let (clock, mut watch) = started();
            let mut dated: Vec<(OffsetDateTime, Duration)> = Vec::new();
            let mut tolerated = Duration::ZERO;
            for (passed, jump, is_set, is_restarted) in steps {
                dated.push((clock.now(), clock.monotonic()));
                clock.advance(Span::seconds(passed));
                let jump = Span::seconds(if is_set { jump } else { 0 });
                clock.jump(jump);
                let seen = if is_restarted { TOLERANCE + NOTED_EVERY } else { TOLERANCE };
                if jump.unsigned_abs() <= seen {
                    tolerated += jump.unsigned_abs();
                }
                if is_restarted {
                    watch = restarted(&clock, &watch);
                }
                watch.look(&clock);
                let older = watch.older_than(TTL).unwrap();
                for (at, since) in &dated {
                    let age = clock.monotonic().saturating_sub(*since);
                    prop_assert!(*at > older || age + tolerated >= TTL, "{at} at the age of {age:?}");
                }
            }
        }
    }
}
