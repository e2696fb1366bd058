//! The notifier: from the bus to shoppers and to the staff channel, each notification once.
//!
//! Claim, send, record, acknowledge: a process may die between any two of them. Before the send nothing is lost;
//! after the record nothing is sent again; between the two nobody knows, and after the lease the message is sent once
//! more, with the order's number in it. That is why the claim comes with a lease and the acknowledgement comes last.

mod intake;
mod journal;
mod send;
mod shopper;
mod staff;
mod waiting_room;

use std::sync::Arc;

use tokio::sync::mpsc;
use tolov_domain::{
    ports::bus::{Delivery, Verdict},
    ports::shop::Outcome,
};
use tolov_kit::{availability::Availability, in_flight::InFlight, lifecycle::Stop};

use crate::{BotConfig, Deps, ctx::HandlerDeps, pace::Pace, telegram::Telegram};
use journal::Journal;

/// What all parts of the notifier work with.
#[derive(Debug)]
pub(crate) struct Notifier {
    deps: Deps,
    config: BotConfig,
    telegram: Arc<Telegram>,
    /// Everything that the bot sends, as Telegram counts it.
    overall: Arc<Pace>,
    /// For the messages and the posts of orders, which follow what is told and done.
    handlers: Arc<HandlerDeps>,
    flood: send::Flood,
    journal: Journal,
    bus: Availability,
    in_hand: InFlight,
}

/// A delivery with its verdict, on its way to the bus.
type Verdicts = mpsc::Sender<(Delivery, Verdict)>;

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
            flood: send::Flood::default(),
            bus: Availability::new("the message bus"),
            in_hand: InFlight::default(),
        }
    }

    pub(crate) fn in_hand(&self) -> InFlight {
        self.in_hand.clone()
    }

    /// Runs until `stop`: takes in nothing more then, and returns when what it holds is sent or given back.
    pub(crate) async fn run(self: Arc<Self>, stop: Stop) {
        let (verdicts, decided) = mpsc::channel(VERDICTS_MAX);
        let (notices, waiting) = mpsc::channel(self.config.staff_waiting_max);
        let channel = staff::StaffChannel::new(Arc::clone(&self), verdicts.clone());
        tokio::join!(
            intake::run(Arc::clone(&self), notices, verdicts, stop.clone()),
            channel.run(waiting, stop),
            self.settle(decided),
        );
    }

    /// Brings verdicts to the bus, as many at once as there are, until nobody can send any more.
    async fn settle(&self, mut decided: mpsc::Receiver<(Delivery, Verdict)>) {
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
enum Ending {
    /// It is over for good.
    Final(Outcome),
    /// Nothing was sent: anybody may try again.
    Free(Verdict),
    /// Perhaps sent: nobody may try again before the lease ends.
    Leased(Verdict),
}
