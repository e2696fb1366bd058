//! Notices that the machine's clock was set. What it does by the clock and cannot undo, the service then leaves for a while:
//! by a wrong clock every unpaid order is overdue.

use std::time::Duration;

use tolov_domain::time::Timestamp;
use tolov_kit::clock::Clock;

/// Between two readings the clock may gain or lose so much: it is adjusted slowly all the time.
const TOLERANCE: Duration = Duration::from_mins(1);
/// For how long nothing is done by a clock that was set, unless it is set back. A person has the time to look.
const HOLD: Duration = Duration::from_hours(1);
/// A service that was stopped for longer cannot tell that from a clock that was set.
const STOPPED_MAX: time::Duration = time::Duration::days(1);

/// Compares the clock with the time that passes.
#[derive(Debug)]
pub(crate) struct ClockWatch {
    last: Reading,
    jump: Option<Jump>,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    now: Timestamp,
    monotonic: Duration,
}

#[derive(Debug)]
struct Jump {
    /// The sum of what the clock was set forward by since it was last believed.
    by: time::Duration,
    until: Duration,
}

impl ClockWatch {
    pub(crate) fn new(clock: &dyn Clock) -> Self {
        Self { last: Reading::of(clock), jump: None }
    }

    /// Compares the clock with when it was last believed, before a restart.
    pub(crate) fn compare_with(&mut self, believed_at: Timestamp) {
        let gone = self.last.now - believed_at;
        if gone > STOPPED_MAX || -gone > TOLERANCE {
            self.hold(gone, self.last.monotonic);
        }
    }

    fn hold(&mut self, by: time::Duration, since: Duration) {
        tracing::error!(
            jump_s = by.whole_seconds(),
            hold_s = HOLD.as_secs(),
            "the clock was set: nothing expires and nothing is deleted for a while; check the machine's time"
        );
        self.jump = Some(Jump { by, until: since + HOLD });
    }

    /// The time, or `None` while it is not to be acted on.
    pub(crate) fn believed_now(&mut self, clock: &dyn Clock) -> Option<Timestamp> {
        let reading = Reading::of(clock);
        let gained = reading.gained_since(self.last);
        self.last = reading;
        if gained.unsigned_abs() > TOLERANCE {
            let by = gained.saturating_add(self.jump.as_ref().map_or(time::Duration::ZERO, |jump| jump.by));
            if by.unsigned_abs() > TOLERANCE {
                self.hold(by, reading.monotonic);
            } else {
                tracing::warn!("the clock was set back to where it had been");
                self.jump = None;
            }
        }
        if self.jump.as_ref().is_some_and(|jump| reading.monotonic >= jump.until) {
            tracing::warn!("the clock has run evenly since it was set: it is believed from now on");
            self.jump = None;
        }
        let jumped_by = self.jump.as_ref().map_or(Duration::ZERO, |jump| jump.by.unsigned_abs());
        metrics::gauge!("tolov_clock_jump_seconds").set(jumped_by);
        self.jump.is_none().then_some(reading.now)
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
    use time::{Duration, macros::datetime};
    use tolov_kit::clock::ManualClock;

    use super::*;

    fn started() -> (ManualClock, ClockWatch) {
        let clock = ManualClock::new(datetime!(2026-11-23 12:00 UTC));
        let watch = ClockWatch::new(&clock);
        (clock, watch)
    }

    #[test]
    fn a_clock_that_runs_evenly_is_believed_however_long_a_round_takes() {
        let (clock, mut watch) = started();
        for passed in [Duration::ZERO, Duration::seconds(5), Duration::days(9)] {
            clock.advance(passed);
            clock.jump(Duration::seconds(40));
            assert_eq!(watch.believed_now(&clock), Some(clock.now()), "{passed}");
        }
    }

    #[test]
    fn a_clock_that_was_set_is_not_believed_for_an_hour() {
        for jump in [Duration::days(30), Duration::minutes(-2)] {
            let (clock, mut watch) = started();
            clock.jump(jump);
            assert_eq!(watch.believed_now(&clock), None);
            clock.advance(Duration::minutes(59));
            assert_eq!(watch.believed_now(&clock), None);
            clock.advance(Duration::minutes(1));
            assert_eq!(watch.believed_now(&clock), Some(clock.now()), "an even hour later it may be right");
        }
    }

    #[test]
    fn a_start_by_a_clock_that_was_set_is_noticed_and_a_short_stop_is_not() {
        for (gone, is_believed) in [
            (Duration::hours(20), true),
            (Duration::seconds(-30), true),
            (Duration::days(30), false),
            (Duration::days(-30), false),
        ] {
            let (clock, mut watch) = started();
            watch.compare_with(clock.now() - gone);
            assert_eq!(watch.believed_now(&clock).is_some(), is_believed, "{gone}");
        }
        let (clock, mut watch) = started();
        watch.compare_with(clock.now() - Duration::days(30));
        clock.jump(Duration::days(-30));
        assert_eq!(watch.believed_now(&clock), Some(clock.now()), "it was set right");
    }

    #[test]
    fn a_clock_that_is_set_back_to_where_it_was_is_believed_at_once() {
        let (clock, mut watch) = started();
        clock.jump(Duration::days(30));
        assert_eq!(watch.believed_now(&clock), None);
        clock.advance(Duration::minutes(5));
        clock.jump(Duration::days(-10));
        assert_eq!(watch.believed_now(&clock), None);
        clock.jump(Duration::days(-20));
        assert_eq!(watch.believed_now(&clock), Some(clock.now()));
    }
}
