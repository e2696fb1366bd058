//! The steps of a purchase with their times, printed as they happen.

use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy)]
pub(super) struct Timeline {
    started: Instant,
    silent: bool,
}

impl Timeline {
    pub(super) fn start() -> Self {
        Self { started: Instant::now(), silent: false }
    }

    pub(super) fn silent() -> Self {
        Self { silent: true, ..Self::start() }
    }

    /// Prints the step with its time and returns the time.
    pub(super) fn note(&self, what: impl std::fmt::Display) -> Duration {
        let elapsed = self.started.elapsed();
        if !self.silent {
            println!("  {:>6} ms  {what}", elapsed.as_millis());
        }
        elapsed
    }
}
