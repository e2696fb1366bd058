//! What the handlers share.

use std::{sync::Arc, time::Duration};

use tokio::sync::Semaphore;
use tolov_kit::{clock::Clock, secret::Secret};

use crate::{
    believed_time::BelievedTime, config::ClickConfig, ledger::Ledger, readiness::Readiness,
    restore_gate::RestoreGate, undecided::Undecided,
};

/// What the handlers need.
#[derive(Debug)]
pub struct App {
    pub ledger: Ledger,
    pub clock: Arc<dyn Clock>,
    pub click: ClickConfig,
    pub api_token: Secret,
    /// How long an order can be paid. `None`: for ever.
    pub order_ttl: Option<Duration>,
    pub(crate) believed_time: BelievedTime,
    pub(crate) undecided: Undecided,
    pub(crate) readiness: Readiness,
    pub(crate) restore_gate: RestoreGate,
    pub(crate) flood_brake: FloodBrake,
}

impl App {
    /// Whether Prepares wait until CLICK was asked for what a restored ledger lost.
    pub(super) async fn refuses_prepares(&self) -> bool {
        let (gate, now) = (&self.restore_gate, self.clock.monotonic());
        if gate.is_closed(now)
            && gate.is_look_due(now)
            && matches!(self.ledger.unchecked_restores().await, Ok(None))
        {
            gate.open();
        }
        gate.is_closed(now)
    }
}

/// How long the answer to an unverified callback beyond the budget waits. CLICK waits longer than this for an answer.
const FLOOD_PAUSE: Duration = Duration::from_millis(500);
/// The most answers that wait. One address has no more connections, but one proxy may bring many callers.
const PAUSED_MAX: usize = 256;

/// Slows down whoever floods: an address has few connections, so that one which waits for each answer asks little.
#[derive(Debug)]
pub(crate) struct FloodBrake {
    paused: Semaphore,
}

impl Default for FloodBrake {
    fn default() -> Self {
        Self { paused: Semaphore::new(PAUSED_MAX) }
    }
}

impl FloodBrake {
    /// Waits, unless as many wait already as may.
    pub(super) async fn pause(&self) {
        if let Ok(_place) = self.paused.try_acquire() {
            tokio::time::sleep(FLOOD_PAUSE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, future::join_all};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_so_many_answers_wait() {
        let brake = FloodBrake::default();
        let mut paused = Box::pin(join_all((0..PAUSED_MAX).map(|_| brake.pause())));
        assert!((&mut paused).now_or_never().is_none());
        assert!(brake.pause().now_or_never().is_some(), "one more does not wait");
        paused.await;
        assert!(brake.pause().now_or_never().is_none(), "there is room again");
    }
}
