//! Where the behaviours of a message bus take place.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tolov_domain::ports::bus::{BusAdmin, Consumer, Publisher, Queue};

/// A bus of its own for one behaviour: nobody else publishes to it or reads from it.
///
/// It has the retry delays [`RETRY_DELAYS_MS`], so that a test can wait for all of them.
#[async_trait]
pub trait BusWorld: Send + Sync {
    async fn publisher(&self) -> Arc<dyn Publisher>;

    /// A new consumer, with a channel of its own where the adapter has channels. What it has not settled when it is
    /// dropped is delivered again. No behaviour leaves more than 64 deliveries unsettled.
    async fn consumer(&self, queue: Queue) -> Arc<dyn Consumer>;

    async fn admin(&self) -> Arc<dyn BusAdmin>;

    /// How long a behaviour waits to see that nothing is delivered. Longer for a bus over a network.
    fn quiet_time(&self) -> Duration {
        Duration::from_millis(300)
    }

    /// Removes all that the world has made.
    async fn close(self: Box<Self>);
}

/// The retry delays of every world, in milliseconds.
pub const RETRY_DELAYS_MS: [u64; 4] = [50, 100, 100, 100];
