//! The source of the current time: whatever needs it takes a [`Clock`].

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Instant,
};

use time::{Duration, OffsetDateTime};

pub trait Clock: Send + Sync + fmt::Debug {
    fn now(&self) -> OffsetDateTime;

    /// The time since some moment of this process, which no setting of the clock changes: between two readings of both
    /// [`Clock::now`] tells whether the clock was set.
    fn monotonic(&self) -> std::time::Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }

    /// Whether it shows the time that clocks of other machines show too. One that a test moves does not.
    fn is_real(&self) -> bool {
        true
    }
}

/// The machine's clock, in UTC, to the millisecond (which is what the stores keep).
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
        let now = OffsetDateTime::now_utc();
        now.replace_millisecond(now.millisecond()).unwrap_or(now)
    }
}

/// A clock that stands still until it is moved; clones share the time.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<ManualTime>>);

#[derive(Debug)]
struct ManualTime {
    now: OffsetDateTime,
    monotonic: std::time::Duration,
}

impl ManualClock {
    pub fn new(now: OffsetDateTime) -> Self {
        Self(Arc::new(Mutex::new(ManualTime { now, monotonic: std::time::Duration::ZERO })))
    }

    /// Lets time pass. A negative `by` sets the clock back, as [`ManualClock::jump`] does.
    pub fn advance(&self, by: Duration) {
        let mut time = self.time();
        time.now += by;
        time.monotonic += std::time::Duration::try_from(by).unwrap_or_default();
    }

    /// Sets the clock forward, or back where `by` is negative, while no time passes.
    pub fn jump(&self, by: Duration) {
        self.time().now += by;
    }

    fn time(&self) -> MutexGuard<'_, ManualTime> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> OffsetDateTime {
        self.time().now
    }

    fn monotonic(&self) -> std::time::Duration {
        self.time().monotonic
    }

    fn is_real(&self) -> bool {
        false
    }
}
