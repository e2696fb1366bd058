//! The count of deliveries over restarts of the process.

use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};

use tolov_contract::bus::{RETRY_DELAYS_MS, all_parked};
use tolov_domain::ports::bus::{DELIVERY_LIMIT, DELIVERY_LIMIT_REASON, Queue, Verdict};
use tolov_embedded::EmbeddedBus;
use tolov_kit::clock::SystemClock;

use crate::{ARRIVAL_LIMIT, drain, names, open_bus, publish, receive_one, settle};

const QUEUE: Queue = Queue::ProjectorPayments;

/// Opens the bus again after its process ended. Another test of this process may be starting a child at this moment,
/// which has a copy of the lock's file until it runs its own program.
async fn reopen(folder: &Path) -> EmbeddedBus {
    let opening = async {
        loop {
            match EmbeddedBus::open(folder, Arc::new(SystemClock), RETRY_DELAYS_MS).await {
                Ok(bus) => return bus,
                Err(error) => assert!(error.to_string().contains("another process"), "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(ARRIVAL_LIMIT, opening).await.unwrap()
}

async fn until_parked(bus: &EmbeddedBus) {
    while all_parked(&*bus.admin(), QUEUE).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_message_that_kills_the_process_is_parked_and_its_neighbours_are_handled() {
    let folder = tempfile::tempdir().unwrap();
    let bus = open_bus(folder.path()).await;
    publish(&bus, &["before", "deadly", "after"]).await;
    drop(bus);
    let (mut deaths, mut handled) = (0, BTreeSet::new());
    for _ in 0..2 * DELIVERY_LIMIT {
        let bus = reopen(folder.path()).await;
        let consumer = bus.consumer(QUEUE);
        // A short limit on the wait would give a delivery up that counts already.
        let next = async {
            tokio::select! {
                deliveries = consumer.receive(10) => Some(deliveries.unwrap()),
                () = until_parked(&bus), if handled.len() == 2 => None,
            }
        };
        let Some(deliveries) = tokio::time::timeout(ARRIVAL_LIMIT, next).await.unwrap() else { break };
        if deliveries.iter().any(|delivery| delivery.id.as_str() == "deadly") {
            deaths += 1;
            assert!(deaths <= DELIVERY_LIMIT, "it is delivered without an end");
            continue;
        }
        for delivery in deliveries {
            handled.insert(delivery.id.to_string());
            settle(&*consumer, delivery, Verdict::Done).await;
        }
    }
    assert_eq!(deaths, DELIVERY_LIMIT);
    assert_eq!(handled, names(&["before", "after"]));
    let bus = reopen(folder.path()).await;
    let parked = all_parked(&*bus.admin(), QUEUE).await.unwrap();
    assert_eq!((parked.len(), parked[0].id.as_str()), (1, "deadly"));
    assert_eq!(parked[0].reason, DELIVERY_LIMIT_REASON);
    assert_eq!(bus.admin().requeue_parked(QUEUE, &[parked[0].id.clone()].into()).await.unwrap().len(), 1);
    assert_eq!(drain(&bus).await, names(&["deadly"]), "requeued, it is counted from zero");
}

#[tokio::test]
async fn a_verdict_starts_the_count_again() {
    let folder = tempfile::tempdir().unwrap();
    let bus = open_bus(folder.path()).await;
    publish(&bus, &["one"]).await;
    let consumer = bus.consumer(QUEUE);
    for _ in 0..=DELIVERY_LIMIT {
        let delivery = receive_one(&*consumer).await;
        settle(&*consumer, delivery, Verdict::Later { after: Duration::ZERO }).await;
    }
    assert_eq!(all_parked(&*bus.admin(), QUEUE).await.unwrap(), []);
}

#[tokio::test]
async fn a_reader_that_often_stops_waiting_does_not_wear_a_message_out() {
    let folder = tempfile::tempdir().unwrap();
    let bus = open_bus(folder.path()).await;
    publish(&bus, &["one"]).await;
    let consumer = bus.consumer(QUEUE);
    let mut received = None;
    for wait_us in 0..u64::from(2 * DELIVERY_LIMIT) {
        let waiting = tokio::time::timeout(Duration::from_micros(wait_us), consumer.receive(1));
        if let Ok(deliveries) = waiting.await {
            received = deliveries.unwrap().pop();
            break;
        }
    }
    let delivery = match received {
        Some(delivery) => delivery,
        None => receive_one(&*consumer).await,
    };
    settle(&*consumer, delivery, Verdict::Done).await;
    assert_eq!(all_parked(&*bus.admin(), QUEUE).await.unwrap(), []);
}
