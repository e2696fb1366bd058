//! What the handlers share.

use std::{sync::Arc, time::Duration};

use tolov_kit::{clock::Clock, http::FloodBrake, secret::Secret};

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

/// The most answers to unverified callbacks beyond the budget that wait. One address has no more connections, but one proxy may
/// bring many callers.
const PAUSED_MAX: usize = 256;

pub(crate) fn flood_brake() -> FloodBrake {
    FloodBrake::new(PAUSED_MAX)
}
