//! The contract suites on SQLite, and tests of what only files need.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod backup;
mod contract;
mod delays;
mod deliveries;
mod killed;
mod notes;
mod operating;
mod reopened;

use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};

use tolov_contract::bus::{RETRY_DELAYS_MS, payment_route};
use tolov_domain::{
    EventId,
    ports::bus::{Consumer, Delivery, OutgoingMessage, Published, Queue, Verdict},
};
use tolov_embedded::EmbeddedBus;
use tolov_kit::clock::SystemClock;

/// Long enough for any arrival, on any machine.
const ARRIVAL_LIMIT: Duration = Duration::from_secs(10);
/// How long a test waits to see that nothing is delivered.
const QUIET_TIME: Duration = Duration::from_millis(200);

async fn open_bus(folder: &Path) -> EmbeddedBus {
    EmbeddedBus::open(folder, Arc::new(SystemClock), RETRY_DELAYS_MS).await.unwrap()
}

async fn publish(bus: &EmbeddedBus, names: &[&str]) {
    let window: Vec<_> = names.iter().map(|name| message(name)).collect();
    let answers = bus.publisher().publish(&window).await.unwrap();
    assert!(answers.iter().all(|answer| *answer == Published::Confirmed), "{answers:?}");
}

fn message(name: &str) -> OutgoingMessage {
    OutgoingMessage {
        id: EventId::new(name),
        route: payment_route("payment.completed"),
        schema: "payment.completed/1".to_owned(),
        body: name.as_bytes().to_vec(),
        traceparent: None,
    }
}

async fn receive_one(consumer: &dyn Consumer) -> Delivery {
    let received = tokio::time::timeout(ARRIVAL_LIMIT, consumer.receive(1)).await;
    received.unwrap().unwrap().pop().unwrap()
}

async fn settle(consumer: &dyn Consumer, delivery: Delivery, verdict: Verdict) {
    assert_eq!(consumer.settle(vec![(delivery, verdict)]).await.unwrap(), 1);
}

/// The names of all messages that wait, also for their next try; none may be delivered twice.
async fn drain(bus: &EmbeddedBus) -> BTreeSet<String> {
    let depth = bus.admin().depth(Queue::ProjectorPayments).await.unwrap();
    let waiting = usize::try_from(depth.ready + depth.retrying).unwrap();
    let consumer = bus.consumer(Queue::ProjectorPayments);
    let mut names = BTreeSet::new();
    loop {
        // A busy machine may take long for those that are there. After them nothing may come.
        let patience = if names.len() < waiting { ARRIVAL_LIMIT } else { QUIET_TIME };
        let Ok(deliveries) = tokio::time::timeout(patience, consumer.receive(500)).await else { break };
        for delivery in deliveries.unwrap() {
            assert!(names.insert(delivery.id.to_string()), "{} was delivered twice", delivery.id);
        }
    }
    names
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}
