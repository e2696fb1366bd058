//! Parked messages, and the operator's tools for them.

use std::collections::BTreeSet;

use anyhow::Context;
use tolov_domain::{
    EventId,
    ports::bus::{Queue, QueueDepth},
};

use super::{
    messages::{
        ARRIVAL_LIMIT, all_parked, ensure_quiet, park, payment, payments, publish, receive, receive_one,
        retry, settle_done, settle_one, wait_for_parked,
    },
    world::{BusWorld, RETRY_DELAYS_MS},
};

const QUEUE: Queue = Queue::ProjectorPayments;

pub async fn park_parks_a_message_at_once(world: &dyn BusWorld) -> anyhow::Result<()> {
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
    let elsewhere = all_parked(&*world.admin().await, Queue::BotNotifications).await?;
    assert_eq!(elsewhere, [], "each queue has its own parking queue");
    Ok(())
}

pub async fn parked_messages_are_listed_oldest_first_and_stay(world: &dyn BusWorld) -> anyhow::Result<()> {
    // More than a quorum queue of RabbitMQ 3.10 takes back at once in their order.
    const COUNT: usize = 50;
    publish(&*world.publisher().await, &payments(COUNT)).await?;
    let consumer = world.consumer(QUEUE).await;
    let deliveries = receive(&*consumer, COUNT).await?;
    let verdicts = deliveries.into_iter().map(|delivery| (delivery, park("no schema"))).collect();
    assert_eq!(consumer.settle(verdicts).await?, COUNT);
    wait_for_parked(world, COUNT).await?;
    let (admin, published) = (world.admin().await, payments(COUNT));
    for _ in 0..3 {
        let all = all_parked(&*admin, QUEUE).await?;
        let ids: Vec<_> = all.iter().map(|message| &message.id).collect();
        assert_eq!(ids, published.iter().map(|message| &message.id).collect::<Vec<_>>());
        let last = admin.find_parked(QUEUE, &published[COUNT - 1].id).await?.context("it is parked")?;
        assert_eq!((&last.body, last.reason.as_str()), (&published[COUNT - 1].body, "no schema"));
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
    let second = [payment(2).id].into();
    assert_eq!(world.admin().await.requeue_parked(QUEUE, &second).await?, second);
    for retries in 0..=1 {
        let delivery = receive_one(&*consumer).await?;
        assert_eq!(
            (&delivery.id, delivery.retries),
            (&payment(2).id, retries),
            "retries are counted from zero"
        );
        assert_eq!(delivery.body, payment(2).body);
        assert_eq!(delivery.schema, payment(2).schema);
        assert_eq!(delivery.traceparent, payment(2).traceparent);
        if retries == 0 {
            settle_one(&*consumer, delivery, retry("the store is away")).await?;
        } else {
            settle_done(&*consumer, vec![delivery]).await?;
        }
    }
    ensure_quiet(world, &*consumer).await?;
    let left: Vec<_> = wait_for_parked(world, 1).await?.into_iter().map(|message| message.id).collect();
    assert_eq!(left, [payment(1).id]);
    Ok(())
}

pub async fn many_are_requeued_in_one_look_and_the_others_stay_in_their_order(
    world: &dyn BusWorld,
) -> anyhow::Result<()> {
    const COUNT: usize = 200;
    let (publisher, consumer) = (world.publisher().await, world.consumer(QUEUE).await);
    // Each twice: the second ones stay.
    for round in 1..=2 {
        for window in payments(COUNT).chunks(50) {
            publish(&*publisher, window).await?;
            let deliveries = receive(&*consumer, window.len()).await?;
            let verdicts = deliveries.into_iter().map(|delivery| (delivery, park("no schema"))).collect();
            assert_eq!(consumer.settle(verdicts).await?, window.len(), "round {round}");
        }
    }
    wait_for_parked(world, 2 * COUNT).await?;
    // Alone, side by side, and at both ends.
    let is_meant = |place: usize| place.is_multiple_of(2) || (60..140).contains(&place) || place == COUNT - 1;
    let ids: Vec<EventId> = payments(COUNT).into_iter().map(|message| message.id).collect();
    let (meant, others): (Vec<_>, Vec<_>) = ids.iter().enumerate().partition(|(place, _)| is_meant(*place));
    let [meant, others] = [meant, others].map(|part| part.into_iter().map(|(_, id)| id.clone()));
    let (meant, others): (Vec<EventId>, Vec<EventId>) = (meant.collect(), others.collect());
    let admin = world.admin().await;
    let mut wanted: BTreeSet<EventId> = meant.iter().cloned().collect();
    wanted.insert(EventId::new("payment.completed:404"));
    let requeued = admin.requeue_parked(QUEUE, &wanted).await?;
    assert_eq!(requeued, meant.iter().cloned().collect());
    let mut delivered = Vec::new();
    while delivered.len() < meant.len() {
        let deliveries = receive(&*consumer, 50.min(meant.len() - delivered.len())).await?;
        delivered.extend(deliveries.iter().map(|delivery| delivery.id.clone()));
        settle_done(&*consumer, deliveries).await?;
    }
    assert_eq!(delivered, meant, "in the order in which they were parked");
    ensure_quiet(world, &*consumer).await?;
    let left = wait_for_parked(world, 2 * COUNT - meant.len()).await?;
    let left: Vec<EventId> = left.into_iter().map(|message| message.id).collect();
    assert_eq!(left, [others, ids].concat());
    Ok(())
}

pub async fn a_dropped_message_is_returned_and_gone_for_good(world: &dyn BusWorld) -> anyhow::Result<()> {
    park_each(world, 3).await?;
    let admin = world.admin().await;
    let dropped = admin.drop_parked(QUEUE, &payment(2).id).await?.context("it was parked")?;
    assert_eq!((dropped.id, dropped.body), (payment(2).id, payment(2).body));
    let left: BTreeSet<_> = wait_for_parked(world, 2).await?.into_iter().map(|message| message.id).collect();
    assert_eq!(left, BTreeSet::from([payment(1).id, payment(3).id]));
    assert_eq!(admin.drop_parked(QUEUE, &payment(2).id).await?, None);
    ensure_quiet(world, &*world.consumer(QUEUE).await).await
}

pub async fn an_unknown_id_is_neither_found_nor_requeued_nor_dropped(
    world: &dyn BusWorld,
) -> anyhow::Result<()> {
    park_each(world, 1).await?;
    let admin = world.admin().await;
    let unknown = EventId::new("payment.completed:404");
    assert_eq!(admin.requeue_parked(QUEUE, &[unknown.clone()].into()).await?, BTreeSet::new());
    assert_eq!(admin.drop_parked(QUEUE, &unknown).await?, None);
    assert_eq!(admin.find_parked(QUEUE, &unknown).await?, None);
    let elsewhere = admin.requeue_parked(Queue::BotNotifications, &[payment(1).id].into()).await?;
    assert_eq!(elsewhere, BTreeSet::new(), "another queue");
    assert_eq!(wait_for_parked(world, 1).await?[0].id, payment(1).id);
    Ok(())
}

pub async fn of_two_operators_who_remove_the_same_message_one_learns_that_it_is_gone(
    world: &dyn BusWorld,
) -> anyhow::Result<()> {
    park_each(world, 3).await?;
    let (one, other) = (world.admin().await, world.admin().await);
    let id = payment(2).id;
    let (dropped, dropped_too) = tokio::join!(one.drop_parked(QUEUE, &id), other.drop_parked(QUEUE, &id));
    assert!(dropped?.is_some() ^ dropped_too?.is_some());
    let id = payment(3).id;
    let meant = [id.clone()].into();
    let (moved, moved_too) =
        tokio::join!(one.requeue_parked(QUEUE, &meant), other.requeue_parked(QUEUE, &meant));
    assert!(moved?.is_empty() ^ moved_too?.is_empty());
    let consumer = world.consumer(QUEUE).await;
    let delivery = receive_one(&*consumer).await?;
    assert_eq!(delivery.id, id);
    settle_done(&*consumer, vec![delivery]).await?;
    ensure_quiet(world, &*consumer).await?;
    assert_eq!(wait_for_parked(world, 1).await?[0].id, payment(1).id);
    Ok(())
}

pub async fn a_listing_takes_no_message_from_another_operators_view(
    world: &dyn BusWorld,
) -> anyhow::Result<()> {
    park_each(world, 4).await?;
    let mut operators = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let admin = world.admin().await;
        operators.spawn(async move {
            for _ in 0..5 {
                assert_eq!(all_parked(&*admin, QUEUE).await?.len(), 4);
                assert!(admin.find_parked(QUEUE, &payment(3).id).await?.is_some());
            }
            anyhow::Ok(())
        });
    }
    while let Some(operator) = operators.join_next().await {
        operator??;
    }
    Ok(())
}

pub async fn depth_counts_ready_and_parked_messages(world: &dyn BusWorld) -> anyhow::Result<()> {
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
        settle_one(&*consumer, delivery, park("no schema")).await?;
        wait_for_parked(world, number).await?;
    }
    Ok(())
}

/// A broker's counts may be a moment late.
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
    in_time.with_context(|| format!("{last:?} instead of {expected:?}"))?
}
