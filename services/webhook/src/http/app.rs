//! What the handlers share.

use std::{sync::Arc, time::Duration};

use tolov_kit::{clock::Clock, secret::Secret};

use crate::{config::ClickConfig, ledger::Ledger, readiness::Readiness, restore_gate::RestoreGate};

/// What the handlers need.
#[derive(Debug)]
pub struct App {
    pub ledger: Ledger,
    pub clock: Arc<dyn Clock>,
    pub click: ClickConfig,
    pub api_token: Secret,
    /// How long an order can be paid. `None`: for ever.
    pub order_ttl: Option<Duration>,
    pub(crate) readiness: Readiness,
    pub(crate) restore_gate: RestoreGate,
}
