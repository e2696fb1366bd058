//! Receiving and settling.

use std::{collections::BTreeSet, time::Duration};

use tolov_domain::ports::bus::{Queue, Verdict};

use super::{
    messages::{
        ARRIVAL_LIMIT, all_parked, ensure_quiet, ids_of, park, payment, payments, publish, receive,
        receive_one, retry, settle_done,
    },
    world::BusWorld,
};

pub async fn a_waiting_consumer_wakes_when_a_message_is_published(
    world: &dyn BusWorld,
) -> anyhow::Result<()> {
    let publisher = world.publisher().await;
    let consumer = world.consumer(Queue::ProjectorPayments).await;
    for number in 1..=20 {
        let waiting = consumer.clone();
        let received = tokio::spawn(async move { receive_one(&*waiting).await });
        // Long enough for the consumer to be waiting.
        tokio::time::sleep(Duration::from_millis(5)).await;
        publish(&*publisher, &[payment(number)]).await?;
        let delivery = tokio::time::timeout(Duration::from_secs(5), received).await???;
        assert_eq!(delivery.id, payment(number).id);
        settle_done(&*consumer, vec![delivery]).await?;
    }
    Ok(())
}

pub async fn receive_returns_no_more_than_was_asked_for(world: &dyn BusWorld) -> anyhow::Result<()> {
    publish(&*world.publisher().await, &payments(40)).await?;
    let consumer = world.consumer(Queue::ProjectorPayments).await;
    let mut received = BTreeSet::new();
    while received.len() < 40 {
        let deliveries = tokio::time::timeout(ARRIVAL_LIMIT, consumer.receive(7)).await??;
        assert!(
            (1..=7).contains(&deliveries.len()),
            "{} were delivered, at most 7 were asked for",
            deliveries.len()
        );
        received.extend(ids_of(&deliveries));
        settle_done(&*consumer, deliveries).await?;
    }
    ensure_quiet(world, &*consumer).await
}

pub async fn unsettled_messages_are_redelivered_when_their_consumer_is_dropped(
    world: &dyn BusWorld,
) -> anyhow::Result<()> {
    publish(&*world.publisher().await, &payments(10)).await?;
    let first = world.consumer(Queue::ProjectorPayments).await;
    let mut deliveries = receive(&*first, 10).await?;
    let unsettled = deliveries.split_off(4);
    settle_done(&*first, deliveries).await?;
    let expected = ids_of(&unsettled);
    drop((first, unsettled));
    let second = world.consumer(Queue::ProjectorPayments).await;
    let redelivered = receive(&*second, 6).await?;
    assert_eq!(ids_of(&redelivered), expected);
    assert!(redelivered.iter().all(|delivery| delivery.retries == 0), "a redelivery is no retry");
    settle_done(&*second, redelivered).await?;
    ensure_quiet(world, &*second).await
}

pub async fn settled_messages_are_not_redelivered(world: &dyn BusWorld) -> anyhow::Result<()> {
    publish(&*world.publisher().await, &payments(10)).await?;
    let first = world.consumer(Queue::ProjectorPayments).await;
    let deliveries = receive(&*first, 10).await?;
    settle_done(&*first, deliveries).await?;
    ensure_quiet(world, &*first).await?;
    drop(first);
    ensure_quiet(world, &*world.consumer(Queue::ProjectorPayments).await).await
}

pub async fn a_receive_that_is_dropped_loses_nothing(world: &dyn BusWorld) -> anyhow::Result<()> {
    const COUNT: usize = 300;
    let publisher = world.publisher().await;
    let first = world.consumer(Queue::ProjectorPayments).await;
    let publishing = tokio::spawn(async move {
        for window in payments(COUNT).chunks(3) {
            publish(&*publisher, window).await?;
        }
        anyhow::Ok(())
    });
    let mut seen = BTreeSet::new();
    for wait_us in (50..2_000).step_by(13) {
        let wait = Duration::from_micros(wait_us);
        if let Ok(deliveries) = tokio::time::timeout(wait, first.receive(5)).await {
            let deliveries = deliveries?;
            seen.extend(ids_of(&deliveries));
            settle_done(&*first, deliveries).await?;
        }
    }
    publishing.await??;
    drop(first);
    let second = world.consumer(Queue::ProjectorPayments).await;
    while seen.len() < COUNT {
        let delivery = receive_one(&*second).await?;
        seen.insert(delivery.id.clone());
        settle_done(&*second, vec![delivery]).await?;
    }
    Ok(())
}

pub async fn two_consumers_share_a_queue_without_duplicates(world: &dyn BusWorld) -> anyhow::Result<()> {
    const COUNT: usize = 600;
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..2 {
        let consumer = world.consumer(Queue::ProjectorPayments).await;
        let quiet_time = world.quiet_time().max(Duration::from_secs(1));
        readers.spawn(async move {
            let mut seen = Vec::new();
            while let Ok(deliveries) = tokio::time::timeout(quiet_time, consumer.receive(10)).await {
                let deliveries = deliveries?;
                seen.extend(ids_of(&deliveries));
                settle_done(&*consumer, deliveries).await?;
            }
            anyhow::Ok(seen)
        });
    }
    for window in payments(COUNT).chunks(50) {
        publish(&*world.publisher().await, window).await?;
    }
    let mut all = Vec::new();
    while let Some(seen) = readers.join_next().await {
        all.extend(seen??);
    }
    assert_eq!(all.len(), COUNT, "nothing failed, so nothing was delivered twice");
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), COUNT);
    Ok(())
}

/// A delivery tag belongs to its consumer: with another consumer it would settle a message that nobody has handled.
pub async fn a_delivery_of_a_dropped_consumer_cannot_be_settled(world: &dyn BusWorld) -> anyhow::Result<()> {
    publish(&*world.publisher().await, &payments(3)).await?;
    let first = world.consumer(Queue::ProjectorPayments).await;
    let stale = receive(&*first, 3).await?;
    drop(first);
    let second = world.consumer(Queue::ProjectorPayments).await;
    let fresh = receive(&*second, 3).await?;
    let verdicts = stale.into_iter().map(|delivery| (delivery, Verdict::Done)).collect();
    assert_eq!(second.settle(verdicts).await?, 0);
    drop((second, fresh));
    let third = world.consumer(Queue::ProjectorPayments).await;
    let redelivered = receive(&*third, 3).await?;
    assert_eq!(ids_of(&redelivered).len(), 3, "the stale verdicts changed nothing");
    settle_done(&*third, redelivered).await
}

pub async fn one_call_settles_deliveries_with_different_verdicts(world: &dyn BusWorld) -> anyhow::Result<()> {
    publish(&*world.publisher().await, &payments(4)).await?;
    let consumer = world.consumer(Queue::ProjectorPayments).await;
    let mut deliveries = receive(&*consumer, 4).await?;
    deliveries.sort_by(|left, right| left.id.cmp(&right.id));
    let later = Verdict::Later { after: Duration::from_millis(50) };
    let verdicts = deliveries
        .into_iter()
        .zip([Verdict::Done, retry("the store is away"), later, park("no schema")])
        .collect();
    assert_eq!(consumer.settle(verdicts).await?, 4);
    let mut back = receive(&*consumer, 2).await?;
    back.sort_by(|left, right| left.id.cmp(&right.id));
    assert_eq!((&back[0].id, back[0].retries), (&payment(2).id, 1));
    assert_eq!((&back[1].id, back[1].retries), (&payment(3).id, 0));
    settle_done(&*consumer, back).await?;
    ensure_quiet(world, &*consumer).await?;
    let parked = all_parked(&*world.admin().await, Queue::ProjectorPayments).await?;
    assert_eq!(parked.iter().map(|message| &message.id).collect::<Vec<_>>(), [&payment(4).id]);
    Ok(())
}
