//! What a broker of its own does to an adapter: it is killed, or it loses patience.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use tolov_domain::{
    EventId,
    ports::bus::{
        BusAdmin, Consumer, Delivery, OutgoingMessage, Published, Publisher, Queue, QueueDepth, Route,
        Verdict,
    },
};
use tolov_rabbitmq::{RabbitBus, RabbitOptions};

use crate::{
    processes::PrivateRabbitMq,
    shop_world::{OWN_SERVERS, eventually},
};

const PATIENCE: Duration = Duration::from_mins(1);
const QUEUE: Queue = Queue::BotNotifications;

fn message(number: usize) -> OutgoingMessage {
    OutgoingMessage {
        id: EventId::new(format!("payment.completed:{number}/shopper")),
        route: Route::Notifications,
        schema: "notification/1".to_owned(),
        body: format!("{{\"order_id\":{number}}}").into_bytes(),
        traceparent: None,
    }
}

/// Messages of a publisher that goes on whether the broker is there or not, until so many are confirmed.
async fn publish_until(count: usize, bus: RabbitBus, confirmed: Arc<Mutex<BTreeSet<EventId>>>) {
    let publisher = bus.publisher();
    for first in (0..).step_by(50) {
        if confirmed.lock().unwrap().len() >= count {
            return;
        }
        let window: Vec<OutgoingMessage> = (first..first + 50).map(message).collect();
        let Ok(outcomes) = publisher.publish(&window).await else { continue };
        let stored = window.into_iter().zip(outcomes).filter(|(_, outcome)| *outcome == Published::Confirmed);
        confirmed.lock().unwrap().extend(stored.map(|(message, _)| message.id));
    }
}

async fn receive(consumer: &dyn Consumer) -> Vec<Delivery> {
    let receiving = async {
        loop {
            if let Ok(deliveries) = consumer.receive(256).await {
                return deliveries;
            }
        }
    };
    tokio::time::timeout(PATIENCE, receiving).await.unwrap()
}

async fn settle(consumer: &dyn Consumer, deliveries: Vec<Delivery>) -> usize {
    let done = deliveries.into_iter().map(|delivery| (delivery, Verdict::Done)).collect();
    consumer.settle(done).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_id_that_a_broker_confirmed_is_there_after_it_was_killed() {
    let _turn = OWN_SERVERS.acquire().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let broker = PrivateRabbitMq::start(folder.path());
    let bus = RabbitBus::try_new(&broker.url(), RabbitOptions::default()).unwrap();
    let confirmed: Arc<Mutex<BTreeSet<EventId>>> = Arc::default();
    let publishing = tokio::spawn(publish_until(3_000, bus.clone(), Arc::clone(&confirmed)));
    eventually("messages are confirmed", PATIENCE, async || confirmed.lock().unwrap().len() >= 1_000).await;
    tokio::task::block_in_place(|| {
        broker.kill_9();
        broker.spawn();
    });
    publishing.await.unwrap();
    let confirmed = confirmed.lock().unwrap().clone();
    let consumer = bus.consumer(QUEUE);
    let mut missing = confirmed.clone();
    while !missing.is_empty() {
        let deliveries = receive(&consumer).await;
        for delivery in &deliveries {
            missing.remove(&delivery.id);
        }
        settle(&consumer, deliveries).await;
    }
    assert!(confirmed.len() >= 3_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_held_for_too_long_comes_again_and_the_stream_goes_on() {
    let _turn = OWN_SERVERS.acquire().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let broker = PrivateRabbitMq::start_impatient(folder.path());
    let bus = RabbitBus::try_new(&broker.url(), RabbitOptions::default()).unwrap();
    assert_eq!(bus.publisher().publish(&[message(1)]).await.unwrap(), [Published::Confirmed]);
    let consumer = bus.consumer(QUEUE);
    let held = receive(&consumer).await;
    // The broker closes the channel of whoever does not acknowledge in time.
    let again = receive(&consumer).await;
    assert_eq!(again[0].id, held[0].id);
    assert_ne!(again[0].tag.generation, held[0].tag.generation, "on a new channel");
    assert_eq!(settle(&consumer, held).await, 0, "too late");
    assert_eq!(settle(&consumer, again).await, 1);
    assert_eq!(bus.publisher().publish(&[message(2)]).await.unwrap(), [Published::Confirmed]);
    let next = receive(&consumer).await;
    assert_eq!(next[0].id, message(2).id);
    assert_eq!(settle(&consumer, next).await, 1);
    eventually("nothing is left", PATIENCE, async || {
        bus.admin().depth(QUEUE).await.is_ok_and(|depth| depth == QueueDepth::default())
    })
    .await;
}

/// Under an alarm nobody is kept waiting, and what was confirmed before can be read.
async fn is_alarmed(broker: &PrivateRabbitMq, bus: &RabbitBus, raise: &[&str], first: usize) {
    let (publisher, consumer) = (bus.publisher(), bus.consumer(QUEUE));
    let window: Vec<OutgoingMessage> = (first..first + 20).map(message).collect();
    assert_eq!(publisher.publish(&window).await.unwrap(), vec![Published::Confirmed; 20]);
    tokio::task::block_in_place(|| broker.ctl(raise));
    eventually("the publisher hears of the alarm", PATIENCE, async || {
        let publishing = publisher.publish(&window[..1]);
        let answered = tokio::time::timeout(PATIENCE, publishing).await.unwrap();
        answered.is_err_and(|error| error.is_unavailable() && error.to_string().contains("alarm"))
    })
    .await;
    let mut missing: BTreeSet<EventId> = window.into_iter().map(|message| message.id).collect();
    while !missing.is_empty() {
        let deliveries = receive(&consumer).await;
        for delivery in &deliveries {
            missing.remove(&delivery.id);
        }
        settle(&consumer, deliveries).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn under_a_memory_or_disk_alarm_nothing_hangs_and_what_was_confirmed_is_read() {
    let _turn = OWN_SERVERS.acquire().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let broker = PrivateRabbitMq::start(folder.path());
    let options = RabbitOptions { window_timeout: Duration::from_secs(5), ..RabbitOptions::default() };
    let bus = RabbitBus::try_new(&broker.url(), options).unwrap();
    let memory = "set_vm_memory_high_watermark";
    let alarms: [(&[&str], &[&str]); 2] = [
        (&[memory, "absolute", "1"], &[memory, "0.4"]),
        (&["set_disk_free_limit", "1000000000000000"], &["set_disk_free_limit", "50MB"]),
    ];
    for (first, (raise, clear)) in (0..).step_by(100).zip(alarms) {
        is_alarmed(&broker, &bus, raise, first).await;
        tokio::task::block_in_place(|| broker.ctl(clear));
        let after = message(first + 50);
        eventually("messages are taken again", PATIENCE, async || {
            let published = bus.publisher().publish(std::slice::from_ref(&after)).await;
            published.is_ok_and(|published| published == [Published::Confirmed])
        })
        .await;
        let consumer = bus.consumer(QUEUE);
        let mut read = false;
        while !read {
            let deliveries = receive(&consumer).await;
            read = deliveries.iter().any(|delivery| delivery.id == after.id);
            settle(&consumer, deliveries).await;
        }
    }
}
