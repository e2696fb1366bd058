//! How updates come in: polled, kept, answered.
//!
//! An update is written down in the shop store before Telegram is told that it arrived, and crossed out when it is
//! answered. So none is lost when the process dies, none is answered twice when Telegram or another bot brings it again,
//! and what waits takes no memory. Each person has a lane, in which updates are answered one after the other.

use std::sync::Arc;

use tolov_kit::lifecycle::Stop;

use crate::ctx::HandlerDeps;

use self::{answering::Answering, inbox::Inbox, lanes::Lanes, poll::Poll};

mod answering;
mod flood;
mod inbox;
mod lane;
mod lanes;
mod poll;
mod tending;

#[cfg(test)]
mod away_tests;
#[cfg(test)]
mod lanes_tests;

/// Listens to people for ever; after `stop` finishes what is in hand.
pub(crate) async fn run(deps: Arc<HandlerDeps>, stop: Stop) {
    let documents = Arc::clone(&deps.shop);
    let inbox = Inbox::new(documents, Arc::clone(&deps.clock));
    let lanes = Arc::new(Lanes::new(Answering::new(Arc::clone(&deps)), inbox));
    let poll = Poll::new(deps, Arc::clone(&lanes));
    tokio::join!(poll.run(&stop), tending::run(&lanes, &stop), lanes.run(&stop));
}
