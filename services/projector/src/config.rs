use std::time::Duration;

/// How large batches are, and how long one is held while the store or the bus is away.
#[derive(Debug, Clone)]
pub struct Config {
    /// The most events that are taken at once.
    pub batch_max: usize,
    /// After so long a batch is given back, well before the broker's acknowledgement timeout (30 min by default).
    pub hold: Duration,
    /// The first pause before another try; later ones grow.
    pub first_pause: Duration,
    pub longest_pause: Duration,
    /// When a batch that was given back is wanted again.
    pub return_after: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            batch_max: 128,
            hold: Duration::from_mins(5),
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(10),
            return_after: Duration::from_secs(10),
        }
    }
}
