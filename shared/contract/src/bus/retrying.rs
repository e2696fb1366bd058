//! The ladder: how a message that failed comes again, and where it ends.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use tolov_domain::ports::bus::{Queue, Verdict};

use super::{
    BusWorld, RETRY_DELAYS_MS,
    messages::{
        done, ensure_quiet, payment, payments, publish, receive_one, retry, settle_one, wait_for_parked,
    },
};

/// Stores keep milliseconds, so a step may look shorter by what was rounded away.
const ROUNDING: Duration = Duration::from_millis(3);

pub async fn a_retry_comes_back_after_its_step_and_not_before(world: &dyn BusWorld) -> anyhow::Result<()> {
    let message = payment(1);
    publish(&*world.publisher().await, std::slice::from_ref(&message)).await?;
    let consumer = world.consumer(Queue::ProjectorPayments).await;
    let mut delivery = receive_one(&*consumer).await?;
    for (retries, delay_ms) in (1..).zip(RETRY_DELAYS_MS) {
        let settled_at = Instant::now();
        settle_one(&*consumer, delivery, retry("the store is away")).await?;
        delivery = receive_one(&*consumer).await?;
        let waited = settled_at.elapsed();
        assert!(waited + ROUNDING >= Duration::from_millis(delay_ms), "step {retries} took only {waited:?}");
        assert_eq!(delivery.retries, retries);
        assert_eq!(delivery.id, message.id);
        assert_eq!(delivery.schema, message.schema);
        assert_eq!(delivery.body, message.body);
    }
    done(&*consumer, vec![delivery]).await?;
    ensure_quiet(world, &*consumer).await
}

pub async fn a_message_that_failed_on_every_step_is_parked_with_its_last_reason(
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
    assert_eq!(parked[0].retries, 4, "as many as the delivery that failed last had behind it");
    ensure_quiet(world, &*consumer).await
}

pub async fn later_comes_back_without_a_step_on_the_ladder(world: &dyn BusWorld) -> anyhow::Result<()> {
    const AFTER: Duration = Duration::from_millis(80);
    publish(&*world.publisher().await, &[payment(1)]).await?;
    let consumer = world.consumer(Queue::ProjectorPayments).await;
    let delivery = receive_one(&*consumer).await?;
    settle_one(&*consumer, delivery, retry("the store is away")).await?;
    let mut delivery = receive_one(&*consumer).await?;
    // More often than the ladder has steps.
    for _ in 0..6 {
        let settled_at = Instant::now();
        settle_one(&*consumer, delivery, Verdict::Later { after: AFTER }).await?;
        delivery = receive_one(&*consumer).await?;
        let waited = settled_at.elapsed();
        assert!(waited + ROUNDING >= AFTER, "it came back after only {waited:?}");
        assert_eq!((&delivery.id, delivery.retries), (&payment(1).id, 1));
    }
    done(&*consumer, vec![delivery]).await
}

pub async fn a_poisoned_message_does_not_stop_the_others(world: &dyn BusWorld) -> anyhow::Result<()> {
    const COUNT: usize = 60;
    let poisoned = BTreeSet::from([payment(1).id, payment(30).id]);
    publish(&*world.publisher().await, &payments(COUNT)).await?;
    let consumer = world.consumer(Queue::ProjectorPayments).await;
    let mut done_ids = BTreeSet::new();
    let mut failures = 0;
    while done_ids.len() < COUNT - poisoned.len() || failures < 5 * poisoned.len() {
        let delivery = receive_one(&*consumer).await?;
        if poisoned.contains(&delivery.id) {
            failures += 1;
            settle_one(&*consumer, delivery, retry("it cannot be read")).await?;
        } else {
            assert!(done_ids.insert(delivery.id.clone()), "{} came twice", delivery.id);
            done(&*consumer, vec![delivery]).await?;
        }
    }
    let parked = wait_for_parked(world, poisoned.len()).await?;
    assert_eq!(parked.into_iter().map(|message| message.id).collect::<BTreeSet<_>>(), poisoned);
    ensure_quiet(world, &*consumer).await
}
