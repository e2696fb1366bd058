//! How updates come in: polled, kept, answered.
//!
//! An update is written down in the shop store before Telegram is told that it arrived, and crossed out when it is
//! answered. So none is lost when the process dies, none is answered twice when Telegram or another bot brings it again,
//! and what waits takes no memory. Each person has a queue, in which updates are answered one after the other.

use std::sync::Arc;

use tolov_kit::lifecycle::Stop;

use crate::{
    deps::HandlerDeps,
    updates::{answering::Answering, inbox::Inbox, poll::Poll, user_queues::UserQueues},
};

mod answering;
mod inbox;
mod poll;
mod sweeper;
mod throttle;
mod user_queue;
mod user_queues;

#[cfg(test)]
mod away_tests;
#[cfg(test)]
mod user_queues_tests;

/// Listens to people for ever; after `stop` finishes what is in hand.
pub(crate) async fn run(deps: Arc<HandlerDeps>, stop: Stop) {
    let documents = Arc::clone(&deps.shop);
    let inbox = Inbox::new(documents, Arc::clone(&deps.clock));
    let queues = Arc::new(UserQueues::new(Answering::new(Arc::clone(&deps)), inbox));
    let poll = Poll::new(deps, Arc::clone(&queues));
    tokio::join!(poll.run(&stop), sweeper::run(&queues, &stop), queues.run(&stop));
}
