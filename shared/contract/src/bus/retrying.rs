//! Retries, and where they end.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use tolov_domain::ports::bus::{DELIVERY_LIMIT, DELIVERY_LIMIT_REASON, Queue, Verdict};

use super::{
    messages::{
        all_parked, ensure_quiet, payment, payments, publish, receive_one, retry, settle_done, settle_one,
        wait_for_parked,
    },
    world::{BusWorld, RETRY_DELAYS_MS},
};

/// Stores keep milliseconds, so a delay may look shorter by what was rounded away.
const ROUNDING: Duration = Duration::from_millis(3);

pub async fn a_retry_is_delivered_after_its_delay_and_not_before(world: &dyn BusWorld) -> anyhow::Result<()> {
    let message = payment(1);
    publish(&*world.publisher().await, std::slice::from_ref(&message)).await?;
    let consumer = world.consumer(Queue::ProjectorPayments).await;
    let mut delivery = receive_one(&*consumer).await?;
    for (retries, delay_ms) in (1..).zip(RETRY_DELAYS_MS) {
        let settled_at = Instant::now();
        settle_one(&*consumer, delivery, retry("the store is away")).await?;
        delivery = receive_one(&*consumer).await?;
        let waited = settled_at.elapsed();
        assert!(
            waited + ROUNDING >= Duration::from_millis(delay_ms),
            "retry {retries} came after only {waited:?}"
        );
        assert_eq!(delivery.retries, retries);
        assert_eq!(delivery.id, message.id);
        assert_eq!(delivery.schema, message.schema);
        assert_eq!(delivery.body, message.body);
        assert_eq!(delivery.traceparent, message.traceparent);
    }
    settle_done(&*consumer, vec![delivery]).await?;
    ensure_quiet(world, &*consumer).await
}

pub async fn a_message_that_failed_every_retry_is_parked_with_its_last_reason(
    world: &dyn BusWorld,
) -> anyhow::Result<()> {
    publish(&*world.publisher().await, &[payment(1)]).await?;
    let consumer = world.consumer(Queue::ProjectorPayments).await;
    for failure in 0..=RETRY_DELAYS_MS.len() {
        let delivery = receive_one(&*consumer).await?;
        assert_eq!(usize::try_from(delivery.retries)?, failure);
        settle_one(&*consumer, delivery, retry(&format!("failure {failure}"))).await?;
    }
    let parked = wait_for_parked(world, 1).await?;
    assert_eq!(parked[0].id, payment(1).id);
    assert_eq!(parked[0].body, payment(1).body);
    assert_eq!(parked[0].schema, payment(1).schema);
    assert_eq!(parked[0].reason, "failure 4");
    assert_eq!(parked[0].retries, 4, "those before the last delivery");
    ensure_quiet(world, &*consumer).await
}

pub async fn later_delivers_again_without_counting_as_a_retry(world: &dyn BusWorld) -> anyhow::Result<()> {
    const AFTER: Duration = Duration::from_millis(80);
    publish(&*world.publisher().await, &[payment(1)]).await?;
    let consumer = world.consumer(Queue::ProjectorPayments).await;
    let delivery = receive_one(&*consumer).await?;
    settle_one(&*consumer, delivery, retry("the store is away")).await?;
    let mut delivery = receive_one(&*consumer).await?;
    // More often than there are retries.
    for _ in 0..6 {
        let settled_at = Instant::now();
        settle_one(&*consumer, delivery, Verdict::Later { after: AFTER }).await?;
        delivery = receive_one(&*consumer).await?;
        let waited = settled_at.elapsed();
        let soonest = Duration::from_millis(RETRY_DELAYS_MS[0]);
        assert!(waited + ROUNDING >= soonest, "delivered after only {waited:?}");
        assert_eq!((&delivery.id, delivery.retries), (&payment(1).id, 1));
        assert_eq!(delivery.traceparent, payment(1).traceparent);
    }
    settle_done(&*consumer, vec![delivery]).await
}

pub async fn a_poison_message_does_not_stop_the_others(world: &dyn BusWorld) -> anyhow::Result<()> {
    const COUNT: usize = 60;
    let poison = BTreeSet::from([payment(1).id, payment(30).id]);
    publish(&*world.publisher().await, &payments(COUNT)).await?;
    let consumer = world.consumer(Queue::ProjectorPayments).await;
    let mut done_ids = BTreeSet::new();
    let mut failures = 0;
    while done_ids.len() < COUNT - poison.len() || failures < 5 * poison.len() {
        let delivery = receive_one(&*consumer).await?;
        if poison.contains(&delivery.id) {
            failures += 1;
            settle_one(&*consumer, delivery, retry("it cannot be read")).await?;
        } else {
            assert!(done_ids.insert(delivery.id.clone()), "{} was delivered twice", delivery.id);
            settle_done(&*consumer, vec![delivery]).await?;
        }
    }
    let parked = wait_for_parked(world, poison.len()).await?;
    assert_eq!(parked.into_iter().map(|message| message.id).collect::<BTreeSet<_>>(), poison);
    ensure_quiet(world, &*consumer).await
}

/// A reader that dies of a message settles nothing: it is dropped, as a killed process drops its connection.
pub async fn a_message_that_kills_its_reader_again_and_again_is_parked(
    world: &dyn BusWorld,
) -> anyhow::Result<()> {
    publish(&*world.publisher().await, &[payment(1)]).await?;
    let admin = world.admin().await;
    let mut deaths = 0;
    let parked = loop {
        let parked = all_parked(&*admin, Queue::ProjectorPayments).await?;
        if !parked.is_empty() {
            break parked;
        }
        let consumer = world.consumer(Queue::ProjectorPayments).await;
        // A broker may need a moment to park it.
        if tokio::time::timeout(world.quiet_time(), consumer.receive(1)).await.is_ok() {
            deaths += 1;
            assert!(deaths <= 2 * DELIVERY_LIMIT, "it is delivered without an end");
        }
    };
    // Not every delivery of a broker reaches the reader before it dies.
    assert!(deaths >= DELIVERY_LIMIT / 2, "parked after {deaths} deliveries");
    assert_eq!((&parked[0].id, &parked[0].body), (&payment(1).id, &payment(1).body));
    assert_eq!(parked[0].reason, DELIVERY_LIMIT_REASON);
    publish(&*world.publisher().await, &[payment(2)]).await?;
    let consumer = world.consumer(Queue::ProjectorPayments).await;
    let delivery = receive_one(&*consumer).await?;
    assert_eq!(delivery.id, payment(2).id);
    settle_done(&*consumer, vec![delivery]).await?;
    ensure_quiet(world, &*consumer).await
}
