//! Notifications: from the bus to shoppers and to the staff channel, each once.
//!
//! A notification is claimed when its message is about to be sent, then sent, recorded and acknowledged. A process may die
//! between any two of these: before the send nothing is lost, after the record nothing is repeated. Between the two nobody
//! knows whether the message was sent; once the lease of the claim has ended it is sent again, with the number of its order.

mod claims;
mod failure;
pub(crate) mod grouped;
mod intake;
pub(crate) mod notifier;
mod own_posts;
mod owners;
mod post_queue;
mod private;
mod shopper;
mod staff;
mod texts;
pub(crate) mod together;

use std::sync::Arc;

use tokio::sync::mpsc;
use tolov_kit::lifecycle::Stop;

use self::notifier::Notifier;

/// Verdicts that are settled at once.
const VERDICTS_MAX: usize = 256;

/// Runs until `stop`: receives nothing more then, and returns when what it holds is sent or given back.
pub(crate) async fn run(notifier: Arc<Notifier>, stop: Stop) {
    let (verdicts, decided) = mpsc::channel(VERDICTS_MAX);
    let (notices, waiting) = mpsc::channel(notifier.config.staff_waiting_max);
    let channel = staff::StaffChannel::new(Arc::clone(&notifier), verdicts.clone());
    tokio::join!(
        intake::run(Arc::clone(&notifier), notices, verdicts, stop.clone()),
        channel.run(waiting, stop),
        notifier.settle(decided, VERDICTS_MAX),
    );
}
