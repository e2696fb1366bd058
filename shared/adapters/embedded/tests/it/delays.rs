//! Delays under a clock that the test moves.

use std::{sync::Arc, time::Duration};

use tempfile::TempDir;
use time::macros::datetime;
use tolov_domain::ports::bus::{Queue, QueueDepth, RETRY_DELAYS_MS, Verdict};
use tolov_embedded::EmbeddedBus;
use tolov_kit::clock::ManualClock;

use crate::{QUIET_TIME, publish, receive_one, settle};

async fn bus_with_clock() -> (EmbeddedBus, ManualClock, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new(datetime!(2026-11-23 09:00 UTC));
    let bus = EmbeddedBus::open(folder.path(), Arc::new(clock.clone()), RETRY_DELAYS_MS).await.unwrap();
    (bus, clock, folder)
}

#[tokio::test]
async fn a_retry_delay_is_measured_by_the_clock() {
    let (bus, clock, _folder) = bus_with_clock().await;
    publish(&bus, &["one"]).await;
    let consumer = bus.consumer(Queue::ProjectorPayments);
    let mut delivery = receive_one(&*consumer).await;
    for delay_ms in RETRY_DELAYS_MS {
        settle(&*consumer, delivery, Verdict::Retry { reason: "the store is away".to_owned() }).await;
        let retrying = QueueDepth { ready: 0, retrying: 1, parked: 0 };
        assert_eq!(bus.admin().depth(Queue::ProjectorPayments).await.unwrap(), retrying);
        let almost = Duration::from_millis(delay_ms - 1);
        clock.advance(almost.try_into().unwrap());
        assert!(tokio::time::timeout(QUIET_TIME, consumer.receive(1)).await.is_err(), "1 ms too early");
        clock.advance(time::Duration::MILLISECOND);
        let waiting = QueueDepth { ready: 1, retrying: 0, parked: 0 };
        assert_eq!(bus.admin().depth(Queue::ProjectorPayments).await.unwrap(), waiting);
        delivery = receive_one(&*consumer).await;
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_delays_nothing() {
    let (bus, clock, _folder) = bus_with_clock().await;
    publish(&bus, &["delayed"]).await;
    let consumer = bus.consumer(Queue::ProjectorPayments);
    let delivery = receive_one(&*consumer).await;
    settle(&*consumer, delivery, Verdict::Later { after: Duration::from_mins(10) }).await;
    clock.advance(-time::Duration::HOUR);
    let (admin, mut shown) = (bus.admin(), 0);
    admin.each_waiting(Queue::ProjectorPayments, &mut |_| shown += 1).await.unwrap();
    assert_eq!((shown, admin.depth(Queue::ProjectorPayments).await.unwrap().retrying), (1, 0));
    assert_eq!(receive_one(&*consumer).await.id.as_str(), "delayed");
    publish(&bus, &["new"]).await;
    assert_eq!(receive_one(&*consumer).await.id.as_str(), "new");
}

#[tokio::test]
async fn the_longest_delay_does_not_overflow() {
    let (bus, clock, _folder) = bus_with_clock().await;
    publish(&bus, &["one"]).await;
    let consumer = bus.consumer(Queue::ProjectorPayments);
    let delivery = receive_one(&*consumer).await;
    settle(&*consumer, delivery, Verdict::Later { after: Duration::MAX }).await;
    clock.advance(time::Duration::weeks(52 * 11));
    assert_eq!(receive_one(&*consumer).await.id.as_str(), "one");
}
