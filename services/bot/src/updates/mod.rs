//! Updates: polled, stored, handled.
//!
//! An update is stored before Telegram is told that it arrived, and marked as done when it has been handled. So none is lost in
//! a crash, none is handled twice when it is delivered again, and those that wait take no memory. The updates of one user are
//! handled one after the other, whichever bot handles them: of several bots one polls, and all of them work on what is stored.

use std::sync::Arc;

use tolov_kit::lifecycle::Stop;

use crate::{
    deps::HandlerDeps,
    telegram::membership::PollingLease,
    updates::{answering::Answering, arrivals::Arrivals, inbox::Inbox, poll::Poll, user_queues::UserQueues},
};

mod answering;
mod arrivals;
pub(crate) mod inbox;
mod poll;
mod sweeper;
mod throttle;
mod user_queue;
mod user_queues;

#[cfg(test)]
mod away_tests;
#[cfg(test)]
mod user_queues_tests;

/// Runs until `stop`; then finishes what is in hand.
pub(crate) async fn run(deps: Arc<HandlerDeps>, lease: PollingLease, stop: Stop) {
    let documents = Arc::clone(&deps.shop);
    let inbox = Inbox::new(documents, Arc::clone(&deps.clock));
    let queues = Arc::new(UserQueues::new(Answering::new(Arc::clone(&deps)), inbox));
    let arrivals = Arc::new(Arrivals::new(Arc::clone(&deps), Arc::clone(&queues)));
    let poll = Poll::new(deps, arrivals, lease);
    tokio::join!(poll.run(&stop), sweeper::run(&queues, &stop), queues.run(&stop));
}
