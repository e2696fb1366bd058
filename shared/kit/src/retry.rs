//! Exponential back-off. The only place that names the `backoff` crate, which the project's owner asked for although
//! it is unmaintained (RUSTSEC-2025-0012, named in deny.toml).

use std::time::Duration;

use backoff::{ExponentialBackoff, ExponentialBackoffBuilder, backoff::Backoff};

/// Growing pauses with jitter, up to a cap, without end: for loops that never give up. The jitter is of `fastrand`'s generator
/// of this thread, so `fastrand::seed` decides it where all of a process runs on one.
#[derive(Debug)]
pub struct Pauses {
    schedule: ExponentialBackoff,
    longest: Duration,
}

impl Pauses {
    /// The first pause is about `first`, each one about twice the one before, none above `longest` by more than the
    /// jitter of a half.
    pub fn new(first: Duration, longest: Duration) -> Self {
        let schedule = ExponentialBackoffBuilder::new()
            .with_initial_interval(first)
            .with_multiplier(2.0)
            .with_randomization_factor(0.0)
            .with_max_interval(longest)
            .with_max_elapsed_time(None)
            .build();
        Self { schedule, longest }
    }

    pub fn next_pause(&mut self) -> Duration {
        let pause = self.schedule.next_backoff().unwrap_or(self.longest);
        pause / 2 + Duration::from_micros(fastrand::u64(0..=micros(pause)))
    }

    /// Starts again with the first pause, after a success.
    pub fn reset(&mut self) {
        self.schedule.reset();
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_cap_and_start_again_after_a_success() {
        let mut pauses = Pauses::new(Duration::from_millis(100), Duration::from_secs(2));
        let first = pauses.next_pause();
        assert!(first <= Duration::from_millis(150));
        let last = (0..20).map(|_| pauses.next_pause()).last().unwrap();
        assert!((Duration::from_secs(1)..=Duration::from_secs(3)).contains(&last));
        pauses.reset();
        assert!(pauses.next_pause() <= Duration::from_millis(150));
    }

    #[test]
    fn pauses_differ_unless_their_seed_is_the_same() {
        let pauses_of = |seed| {
            fastrand::seed(seed);
            let mut pauses = Pauses::new(Duration::from_millis(100), Duration::from_secs(2));
            [(); 5].map(|()| pauses.next_pause())
        };
        assert_eq!(pauses_of(1), pauses_of(1));
        assert_ne!(pauses_of(1), pauses_of(2));
    }
}
