//! What all parts of the notifier share.

use std::sync::Arc;

use tokio::sync::mpsc;
use tolov_domain::ports::bus::{Consumer, Delivery, Verdict};
use tolov_kit::{availability::Availability, in_flight::InFlight};

use crate::{
    config::Config,
    deps::{Deps, HandlerDeps},
    notify::claims::Claims,
};

#[derive(Debug)]
pub(crate) struct Notifier {
    pub(super) config: Config,
    pub(super) consumer: Arc<dyn Consumer>,
    pub(super) handlers: Arc<HandlerDeps>,
    pub(super) claims: Claims,
    pub(super) bus: Availability,
    pub(super) in_hand: InFlight,
}

/// A delivery with its verdict, on its way to the bus.
pub(super) type Verdicts = mpsc::Sender<(Delivery, Verdict)>;

impl Notifier {
    pub(crate) fn new(deps: &Deps, handlers: Arc<HandlerDeps>) -> Self {
        let config = Config::clone(&handlers.config);
        Self {
            claims: Claims::new(deps, &config),
            consumer: Arc::clone(&deps.consumer),
            config,
            handlers,
            bus: Availability::new("the message bus"),
            in_hand: InFlight::default(),
        }
    }

    pub(crate) fn in_hand(&self) -> InFlight {
        self.in_hand.clone()
    }

    /// Brings verdicts to the bus, as many at once as there are, until nobody can send any more.
    pub(super) async fn settle(&self, mut decided: mpsc::Receiver<(Delivery, Verdict)>, max: usize) {
        let mut ready = Vec::with_capacity(max);
        while decided.recv_many(&mut ready, max).await > 0 {
            // What the bus does not settle is delivered again, and found in the log of notifications.
            match self.consumer.settle(std::mem::take(&mut ready)).await {
                Ok(_) => self.bus.mark_up(),
                Err(error) => {
                    self.bus.mark_down(error);
                }
            }
        }
    }
}
