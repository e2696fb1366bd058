//! The clock of the simulated processes: it follows tokio's simulated time, and can be set like any machine's.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use time::{OffsetDateTime, macros::datetime};
use tokio::time::Instant;
use tolov_kit::clock::Clock;

const START: OffsetDateTime = datetime!(2026-11-23 09:00 UTC);

/// Clones share the time.
#[derive(Debug, Clone, Default)]
pub struct SimulatedClock(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// While tokio's simulated time runs, when that was zero.
    running_since: Option<Instant>,
    passed: Duration,
    set_forward_by: time::Duration,
}

impl SimulatedClock {
    /// Runs `work` on the simulated time of the runtime that this is called in.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> T {
        {
            let mut state = self.state();
            let now = Instant::now();
            state.running_since = Some(now.checked_sub(state.passed).unwrap_or(now));
        }
        let done = work.await;
        let passed = self.monotonic();
        let mut state = self.state();
        (state.passed, state.running_since) = (passed, None);
        done
    }

    /// Sets the clock forward, or back.
    pub fn set_forward(&self, by: time::Duration) {
        self.state().set_forward_by += by;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> OffsetDateTime {
        let passed = self.monotonic();
        let now = START.saturating_add(self.state().set_forward_by) + passed;
        now.replace_millisecond(now.millisecond()).unwrap_or(now)
    }

    fn monotonic(&self) -> Duration {
        let state = self.state();
        state.running_since.map_or(state.passed, |since| since.elapsed())
    }

    fn is_real(&self) -> bool {
        false
    }
}
