//! Messages to publish, and ways to wait for them.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, ensure};
use tolov_domain::{
    EventId, TraceParent,
    ports::{
        PortError,
        bus::{
            BusAdmin, Consumer, Delivery, OutgoingMessage, ParkedMessage, Published, Publisher, Queue, Route,
            RoutingKey, Verdict,
        },
    },
};

use super::world::BusWorld;

/// No delivery takes longer.
pub(super) const ARRIVAL_LIMIT: Duration = Duration::from_secs(20);
/// How many deliveries a behaviour leaves unsettled at most: a bus may deliver no more before some are settled.
const UNSETTLED_MAX: usize = 64;

/// The exchange of payments with this routing key.
#[expect(clippy::expect_used, reason = "tests write their keys out")]
pub fn payment_route(key: &str) -> Route {
    Route::Payments(RoutingKey::try_new(key).expect("a routing key"))
}

/// A message for the projector, identified by its number.
pub(super) fn payment(number: usize) -> OutgoingMessage {
    OutgoingMessage {
        id: EventId::new(format!("payment.completed:{number}")),
        route: payment_route("payment.completed"),
        schema: "payment.completed/1".to_owned(),
        body: format!("{{\"order_id\":{number}}}").into_bytes(),
        traceparent: TraceParent::parse(&format!(
            "00-4bf92f3577b34da6a3ce929d0e0e4736-{:016x}-01",
            number + 1
        ))
        .ok(),
    }
}

pub(super) fn payments(count: usize) -> Vec<OutgoingMessage> {
    (1..=count).map(payment).collect()
}

/// A message that no queue is bound for.
pub(super) fn unroutable(number: usize) -> OutgoingMessage {
    OutgoingMessage {
        id: EventId::new(format!("shop.asked:{number}")),
        route: payment_route("shop.asked"),
        ..payment(number)
    }
}

pub(super) async fn publish(publisher: &dyn Publisher, window: &[OutgoingMessage]) -> anyhow::Result<()> {
    let outcome = publisher.publish(window).await?;
    ensure!(outcome.len() == window.len(), "{} answers for {} messages", outcome.len(), window.len());
    ensure!(outcome.iter().all(|published| *published == Published::Confirmed), "{outcome:?}");
    Ok(())
}

/// Receives until there are `count` deliveries, however many calls that takes.
pub(super) async fn receive(consumer: &dyn Consumer, count: usize) -> anyhow::Result<Vec<Delivery>> {
    let mut deliveries = Vec::new();
    while deliveries.len() < count {
        let more =
            tokio::time::timeout(ARRIVAL_LIMIT, consumer.receive(count - deliveries.len()))
                .await
                .with_context(|| format!("{} of {count} were delivered, then nothing", deliveries.len()))??;
        ensure!(!more.is_empty(), "receive returned without a message");
        deliveries.extend(more);
    }
    ensure!(deliveries.len() == count, "{} were delivered, {count} were asked for", deliveries.len());
    Ok(deliveries)
}

/// Receives and settles `count` deliveries in batches. Returns their ids; none may be delivered twice.
pub(super) async fn receive_and_settle(
    consumer: &dyn Consumer,
    count: usize,
) -> anyhow::Result<BTreeSet<EventId>> {
    let mut seen = BTreeSet::new();
    while seen.len() < count {
        let deliveries = tokio::time::timeout(ARRIVAL_LIMIT, consumer.receive(UNSETTLED_MAX))
            .await
            .with_context(|| format!("{} of {count} were delivered, then nothing", seen.len()))??;
        ensure!((1..=UNSETTLED_MAX).contains(&deliveries.len()), "{} were delivered", deliveries.len());
        for delivery in &deliveries {
            ensure!(seen.insert(delivery.id.clone()), "{} was delivered twice", delivery.id);
        }
        settle_done(consumer, deliveries).await?;
    }
    Ok(seen)
}

pub(super) async fn receive_one(consumer: &dyn Consumer) -> anyhow::Result<Delivery> {
    receive(consumer, 1).await?.pop().context("one was received")
}

pub(super) async fn settle_one(
    consumer: &dyn Consumer,
    delivery: Delivery,
    verdict: Verdict,
) -> anyhow::Result<()> {
    let settled = consumer.settle(vec![(delivery, verdict)]).await?;
    ensure!(settled == 1, "{settled} settled instead of one");
    Ok(())
}

pub(super) async fn settle_done(consumer: &dyn Consumer, deliveries: Vec<Delivery>) -> anyhow::Result<()> {
    let count = deliveries.len();
    let verdicts = deliveries.into_iter().map(|delivery| (delivery, Verdict::Done)).collect();
    let settled = consumer.settle(verdicts).await?;
    ensure!(settled == count, "{settled} settled instead of {count}");
    Ok(())
}

pub(super) fn retry(reason: &str) -> Verdict {
    Verdict::Retry { reason: reason.to_owned() }
}

pub(super) fn park(reason: &str) -> Verdict {
    Verdict::Park { reason: reason.to_owned() }
}

pub(super) fn ids_of(deliveries: &[Delivery]) -> BTreeSet<EventId> {
    deliveries.iter().map(|delivery| delivery.id.clone()).collect()
}

/// Fails if anything is delivered within [`BusWorld::quiet_time`].
pub(super) async fn ensure_quiet(world: &dyn BusWorld, consumer: &dyn Consumer) -> anyhow::Result<()> {
    match tokio::time::timeout(world.quiet_time(), consumer.receive(10)).await {
        Err(_) => Ok(()),
        Ok(deliveries) => anyhow::bail!("nothing was to be delivered: {deliveries:?}"),
    }
}

/// The parked messages of a queue.
pub async fn all_parked(admin: &dyn BusAdmin, queue: Queue) -> Result<Vec<ParkedMessage>, PortError> {
    let mut all = Vec::new();
    admin.each_parked(queue, &mut |message| all.push(message)).await?;
    Ok(all)
}

/// The parked messages of the projector, once there are `count`: a broker may take a moment to move a message.
pub(super) async fn wait_for_parked(
    world: &dyn BusWorld,
    count: usize,
) -> anyhow::Result<Vec<ParkedMessage>> {
    let admin = world.admin().await;
    let reached = async {
        loop {
            let parked = all_parked(&*admin, Queue::ProjectorPayments).await?;
            if parked.len() == count {
                return anyhow::Ok(parked);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let in_time = tokio::time::timeout(ARRIVAL_LIMIT, reached).await;
    in_time.with_context(|| format!("{count} messages were never parked"))?
}
