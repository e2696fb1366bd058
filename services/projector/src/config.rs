//! The sizes and times of the projector.

use std::time::Duration;

/// How large batches are, and how long one is held while the store or the bus is away.
#[derive(Debug, Clone)]
pub struct Config {
    /// The most events that are received at once.
    pub batch_max: usize,
    /// After this a batch is returned to the bus, well before the broker's acknowledgement timeout (30 min by default).
    pub hold: Duration,
    /// The first pause before another try; later ones are longer.
    pub first_pause: Duration,
    pub longest_pause: Duration,
    /// When a returned batch is delivered again.
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
