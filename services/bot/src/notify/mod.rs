//! The notifier: from the bus to shoppers and to the staff channel, each notification once.
//!
//! Claim, send, record, acknowledge: a process may die between any two of them. Before the send nothing is lost;
//! after the record nothing is sent again; between the two nobody knows, and after the lease the message is sent once
//! more, with the order's number in it. That is why the claim comes with a lease and the acknowledgement comes last.

mod claims;
mod intake;
pub(crate) mod notifier;
mod post_queue;
mod send;
mod shopper;
mod staff;
mod texts;

use std::sync::Arc;

use tokio::sync::mpsc;
use tolov_kit::lifecycle::Stop;

use self::notifier::Notifier;

/// Verdicts that are settled at once.
const VERDICTS_MAX: usize = 256;

/// Runs until `stop`: takes in nothing more then, and returns when what it holds is sent or given back.
pub(crate) async fn run(notifier: Arc<Notifier>, stop: Stop) {
    let (verdicts, decided) = mpsc::channel(VERDICTS_MAX);
    let (notices, waiting) = mpsc::channel(notifier.config.staff_waiting_max);
    let channel = staff::StaffChannel::new(Arc::clone(&notifier), verdicts.clone());
    tokio::join!(
        intake::run(Arc::clone(&notifier), notices, verdicts, stop.clone()),
        channel.run(waiting, stop),
        notifier.settle(decided),
    );
}
