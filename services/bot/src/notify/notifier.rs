//! What all parts of the notifier share.

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use tolov_domain::ports::{
    bus::{Consumer, Delivery, Verdict},
    documents::Documents,
};
use tolov_kit::{availability::Availability, in_flight::InFlight};

use crate::{
    config::Config,
    deps::{Deps, HandlerDeps},
    notify::{claims::Claims, grouped::GroupedDocuments, together::Others},
};

/// Messages that are sent at the same time, each of unknown outcome when this process is killed.
const SENDS_MAX: usize = 32;

#[derive(Debug)]
pub(crate) struct Notifier {
    pub(super) config: Config,
    pub(super) consumer: Arc<dyn Consumer>,
    pub(super) handlers: Arc<HandlerDeps>,
    pub(super) claims: Claims,
    /// Reads that a message waits for.
    pub(super) before_send: GroupedDocuments,
    /// Reads that nobody waits for.
    pub(super) after_send: GroupedDocuments,
    pub(super) bus: Availability,
    pub(super) in_hand: InFlight,
    /// Messages to shoppers.
    pub(super) in_flight: Arc<Semaphore>,
    /// Those of them that wait for their turn or are being sent. After a kill so many may be repeated at most.
    pub(super) sends: Semaphore,
}

/// A delivery with its verdict, on its way to the bus.
pub(super) type Verdicts = mpsc::Sender<(Delivery, Verdict)>;

impl Notifier {
    pub(crate) fn new(deps: &Deps, handlers: Arc<HandlerDeps>) -> Self {
        let config = Config::clone(&handlers.config);
        let in_flight = Arc::new(Semaphore::new(config.in_flight_max));
        let others = Others { in_flight: Arc::clone(&in_flight), max: config.in_flight_max };
        let documents = || -> Arc<dyn Documents> { deps.shop.clone() };
        Self {
            claims: Claims::new(deps, &config, others.clone()),
            before_send: GroupedDocuments::at_once(documents()),
            after_send: GroupedDocuments::with(others, documents()),
            consumer: Arc::clone(&deps.consumer),
            config,
            handlers,
            bus: Availability::new("the message bus"),
            in_hand: InFlight::default(),
            in_flight,
            sends: Semaphore::new(SENDS_MAX),
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
