//! Updates: polled or posted, stored, handled.
//!
//! An update is stored before Telegram is told that it arrived, and marked as done when it has been handled. So none is lost in
//! a crash, none is handled twice when it is delivered again, and those that wait take no memory. The updates of one user are
//! handled one after the other, whichever bot handles them: of several bots one polls, and all of them work on what is stored.

use std::{io, sync::Arc};

use tolov_kit::lifecycle::Stop;

use crate::{
    deps::HandlerDeps,
    telegram::membership::PollingLease,
    updates::{
        answering::Answering, arrivals::Arrivals, inbox::Inbox, poll::Poll, settings::Updates,
        user_queues::UserQueues, webhook::Webhook,
    },
};

mod answering;
mod arrivals;
pub(crate) mod inbox;
mod lease_watch;
mod poll;
pub(crate) mod settings;
mod sweeper;
mod throttle;
mod user_queue;
mod user_queues;
mod webhook;

#[cfg(test)]
mod away_tests;
#[cfg(test)]
mod user_queues_tests;

/// Runs until `stop`; then finishes what is in hand. Fails where the webhook cannot listen.
pub(crate) async fn run(deps: Arc<HandlerDeps>, lease: PollingLease, stop: Stop) -> io::Result<()> {
    let inbox = Inbox::new(deps.grouped.clone(), Arc::clone(&deps.clock));
    let queues = Arc::new(UserQueues::new(Answering::new(Arc::clone(&deps)), inbox, lease.clone()));
    let arrivals = Arc::new(Arrivals::new(Arc::clone(&deps), Arc::clone(&queues)));
    let receive = async {
        match deps.config.updates.clone() {
            Updates::Polling => {
                Poll::new(Arc::clone(&deps), arrivals, lease).run(&stop).await;
                Ok(())
            }
            Updates::Webhook(settings) => {
                let received = Webhook::new(Arc::clone(&deps), settings, arrivals).run(&stop).await;
                // The service ends with the error; nothing is left half done.
                if received.is_err() {
                    stop.cancel();
                }
                received
            }
        }
    };
    let (received, (), ()) = tokio::join!(receive, sweeper::run(&queues, &stop), queues.run(&stop));
    received
}
