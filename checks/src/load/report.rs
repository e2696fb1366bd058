//! The results of a run.

use std::{fmt, time::Duration};

/// The latencies of a run, and its duration.
#[derive(Debug, Clone)]
pub struct Report {
    sorted: Vec<Duration>,
    count: usize,
    elapsed: Duration,
}

impl Report {
    pub fn new(latencies: Vec<Duration>, elapsed: Duration) -> Self {
        let count = latencies.len();
        Self::of_windows(latencies, count, elapsed)
    }

    /// Each latency is of a window; `count` is of what was in all of them.
    pub fn of_windows(mut latencies: Vec<Duration>, count: usize, elapsed: Duration) -> Self {
        latencies.sort_unstable();
        Self { sorted: latencies, count, elapsed }
    }

    /// Callbacks, or whatever was counted, a second.
    pub fn rate(&self) -> u128 {
        let count = u128::try_from(self.count).unwrap_or(0);
        count * 1_000_000 / self.elapsed.as_micros().max(1)
    }

    /// The latency that this many of a thousand stayed within.
    pub fn per_mille(&self, per_mille: usize) -> Duration {
        let index = (self.sorted.len() * per_mille / 1000).min(self.sorted.len().saturating_sub(1));
        self.sorted.get(index).copied().unwrap_or_default()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |duration: Duration| {
            let us = duration.as_micros();
            format!("{}.{:03} ms", us / 1000, us % 1000)
        };
        write!(
            formatter,
            "{:>8}/s   p50 {:>10}   p99 {:>10}   p99.9 {:>10}",
            self.rate(),
            ms(self.per_mille(500)),
            ms(self.per_mille(990)),
            ms(self.per_mille(999))
        )
    }
}
