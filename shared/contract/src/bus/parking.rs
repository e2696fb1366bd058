//! Messages that were given up, and the operator's tools for them.

use std::collections::BTreeSet;

use anyhow::Context;
use tolov_domain::{
    EventId,
    ports::bus::{Queue, QueueDepth},
};

use super::{
    BusWorld, RETRY_DELAYS_MS,
    messages::{
        ARRIVAL_LIMIT, done, ensure_quiet, park, payment, payments, publish, receive_one, retry, settle_one,
        wait_for_parked,
    },
};

const QUEUE: Queue = Queue::ProjectorPayments;

pub async fn park_sets_a_message_aside_at_once(world: &dyn BusWorld) -> anyhow::Result<()> {
    publish(&*world.publisher().await, &[payment(1)]).await?;
    let consumer = world.consumer(QUEUE).await;
    let delivery = receive_one(&*consumer).await?;
    settle_one(&*consumer, delivery, park("schema payment.completed/9 is not known")).await?;
    let parked = wait_for_parked(world, 1).await?;
    assert_eq!(parked[0].id, payment(1).id);
    assert_eq!(parked[0].schema, payment(1).schema);
    assert_eq!(parked[0].body, payment(1).body);
    assert_eq!(parked[0].reason, "schema payment.completed/9 is not known");
    assert_eq!(parked[0].retries, 0);
    ensure_quiet(world, &*consumer).await?;
    let elsewhere = world.admin().await.parked(Queue::BotNotifications, 10).await?;
    assert_eq!(elsewhere, [], "each queue has a parking queue of its own");
    Ok(())
}

pub async fn parked_messages_are_listed_oldest_first_and_stay(world: &dyn BusWorld) -> anyhow::Result<()> {
    park_each(world, 3).await?;
    let admin = world.admin().await;
    for _ in 0..3 {
        let all = admin.parked(QUEUE, 10).await?;
        let ids: Vec<_> = all.into_iter().map(|message| message.id).collect();
        assert_eq!(ids, [payment(1).id, payment(2).id, payment(3).id]);
        let first_two = admin.parked(QUEUE, 2).await?;
        let ids: Vec<_> = first_two.into_iter().map(|message| message.id).collect();
        assert_eq!(ids, [payment(1).id, payment(2).id]);
    }
    Ok(())
}

pub async fn a_requeued_message_is_as_new(world: &dyn BusWorld) -> anyhow::Result<()> {
    publish(&*world.publisher().await, &payments(2)).await?;
    let consumer = world.consumer(QUEUE).await;
    for _ in 0..2 * (RETRY_DELAYS_MS.len() + 1) {
        let delivery = receive_one(&*consumer).await?;
        settle_one(&*consumer, delivery, retry("the store is away")).await?;
    }
    wait_for_parked(world, 2).await?;
    assert!(world.admin().await.requeue_parked(QUEUE, &payment(2).id).await?);
    for retries in 0..=1 {
        let delivery = receive_one(&*consumer).await?;
        assert_eq!((&delivery.id, delivery.retries), (&payment(2).id, retries), "the ladder begins anew");
        assert_eq!(delivery.body, payment(2).body);
        assert_eq!(delivery.schema, payment(2).schema);
        if retries == 0 {
            settle_one(&*consumer, delivery, retry("the store is away")).await?;
        } else {
            done(&*consumer, vec![delivery]).await?;
        }
    }
    ensure_quiet(world, &*consumer).await?;
    let left: Vec<_> = wait_for_parked(world, 1).await?.into_iter().map(|message| message.id).collect();
    assert_eq!(left, [payment(1).id]);
    Ok(())
}

pub async fn a_dropped_message_is_gone_for_good(world: &dyn BusWorld) -> anyhow::Result<()> {
    park_each(world, 3).await?;
    let admin = world.admin().await;
    assert!(admin.drop_parked(QUEUE, &payment(2).id).await?);
    let left: BTreeSet<_> = wait_for_parked(world, 2).await?.into_iter().map(|message| message.id).collect();
    assert_eq!(left, BTreeSet::from([payment(1).id, payment(3).id]));
    assert!(!admin.drop_parked(QUEUE, &payment(2).id).await?);
    ensure_quiet(world, &*world.consumer(QUEUE).await).await
}

pub async fn an_unknown_id_is_neither_requeued_nor_dropped(world: &dyn BusWorld) -> anyhow::Result<()> {
    park_each(world, 1).await?;
    let admin = world.admin().await;
    let unknown = EventId::new("payment.completed:404");
    assert!(!admin.requeue_parked(QUEUE, &unknown).await?);
    assert!(!admin.drop_parked(QUEUE, &unknown).await?);
    assert!(!admin.requeue_parked(Queue::BotNotifications, &payment(1).id).await?, "another queue");
    assert_eq!(wait_for_parked(world, 1).await?[0].id, payment(1).id);
    Ok(())
}

pub async fn depth_counts_what_waits_and_what_is_parked(world: &dyn BusWorld) -> anyhow::Result<()> {
    wait_for_depth(world, QueueDepth::default()).await?;
    park_each(world, 2).await?;
    publish(&*world.publisher().await, &payments(5)).await?;
    wait_for_depth(world, QueueDepth { ready: 5, retrying: 0, parked: 2 }).await
}

async fn park_each(world: &dyn BusWorld, count: usize) -> anyhow::Result<()> {
    let publisher = world.publisher().await;
    let consumer = world.consumer(QUEUE).await;
    for number in 1..=count {
        publish(&*publisher, &[payment(number)]).await?;
        let delivery = receive_one(&*consumer).await?;
        settle_one(&*consumer, delivery, park("it says nothing")).await?;
        wait_for_parked(world, number).await?;
    }
    Ok(())
}

/// A broker may count a little late, so the numbers are waited for.
async fn wait_for_depth(world: &dyn BusWorld, expected: QueueDepth) -> anyhow::Result<()> {
    let admin = world.admin().await;
    let mut last = admin.depth(QUEUE).await?;
    let reached = async {
        while last != expected {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            last = admin.depth(QUEUE).await?;
        }
        anyhow::Ok(())
    };
    let in_time = tokio::time::timeout(ARRIVAL_LIMIT, reached).await;
    in_time.with_context(|| format!("{last:?} where {expected:?} was to be"))?
}
