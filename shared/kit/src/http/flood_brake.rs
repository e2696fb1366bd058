//! Slows down whoever floods: each sender has few requests under way, so that one which waits for its answers asks little.

use std::time::Duration;

use tokio::sync::Semaphore;

/// CLICK and Telegram wait longer than this for an answer.
const PAUSE: Duration = Duration::from_millis(500);

/// Lets answers wait for half a second, as many at once as it has places.
#[derive(Debug)]
pub struct FloodBrake {
    places: Semaphore,
}

impl FloodBrake {
    pub fn new(places: usize) -> Self {
        Self { places: Semaphore::new(places) }
    }

    /// Waits, unless as many wait already as may.
    pub async fn pause(&self) {
        if let Ok(_place) = self.places.try_acquire() {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, future::join_all};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_so_many_answers_wait() {
        let brake = FloodBrake::new(3);
        let mut paused = Box::pin(join_all((0..3).map(|_| brake.pause())));
        assert!((&mut paused).now_or_never().is_none());
        assert!(brake.pause().now_or_never().is_some(), "one more does not wait");
        paused.await;
        assert!(brake.pause().now_or_never().is_none(), "there is room again");
    }
}
