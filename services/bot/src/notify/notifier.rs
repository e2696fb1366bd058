//! What all parts of the notifier work with.

use std::sync::Arc;

use tokio::sync::mpsc;
use tolov_domain::{
    ports::bus::{Delivery, Verdict},
    ports::shop::Outcome,
};
use tolov_kit::{availability::Availability, in_hand::InHand};

use crate::{
    config::BotConfig,
    deps::{Deps, HandlerDeps},
    notify::claims::Journal,
    telegram::{
        client::Telegram,
        limits::{Flood, Pace},
    },
};

/// What all parts of the notifier work with.
#[derive(Debug)]
pub(crate) struct Notifier {
    pub(super) deps: Deps,
    pub(super) config: BotConfig,
    pub(super) telegram: Arc<Telegram>,
    /// Everything that the bot sends, as Telegram counts it.
    pub(super) overall: Arc<Pace>,
    /// For the messages and the posts of orders, which follow what is told and done.
    pub(super) handlers: Arc<HandlerDeps>,
    pub(super) flood: Flood,
    pub(super) journal: Journal,
    pub(super) bus: Availability,
    pub(super) in_hand: InHand,
}

/// A delivery with its verdict, on its way to the bus.
pub(super) type Verdicts = mpsc::Sender<(Delivery, Verdict)>;

/// Verdicts that are settled at once.
const VERDICTS_MAX: usize = 256;

impl Notifier {
    pub(crate) fn new(deps: Deps, handlers: Arc<HandlerDeps>) -> Self {
        let config = BotConfig::clone(&handlers.config);
        Self {
            journal: Journal::new(&deps, &config),
            deps,
            config,
            telegram: Arc::clone(&handlers.telegram),
            overall: Arc::clone(&handlers.overall),
            handlers,
            flood: Flood::default(),
            bus: Availability::new("the message bus"),
            in_hand: InHand::default(),
        }
    }

    pub(crate) fn in_hand(&self) -> InHand {
        self.in_hand.clone()
    }

    /// Brings verdicts to the bus, as many at once as there are, until nobody can send any more.
    pub(super) async fn settle(&self, mut decided: mpsc::Receiver<(Delivery, Verdict)>) {
        let mut ready = Vec::with_capacity(VERDICTS_MAX);
        while decided.recv_many(&mut ready, VERDICTS_MAX).await > 0 {
            // What the bus took no note of is delivered again; the journal knows by then what was sent.
            match self.deps.consumer.settle(std::mem::take(&mut ready)).await {
                Ok(_) => self.bus.mark_up(),
                Err(error) => {
                    self.bus.mark_down(error);
                }
            }
        }
    }
}

/// How a try to send ended, and what the journal and the bus have to hear.
#[derive(Debug)]
pub(super) enum Ending {
    /// It is over for good.
    Final(Outcome),
    /// Nothing was sent: anybody may try again.
    Free(Verdict),
    /// Perhaps sent: nobody may try again before the lease ends.
    Leased(Verdict),
}
