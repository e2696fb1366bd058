//! Publishing while the broker, its queues or the connection fail.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use crate::world::{
    ARRIVAL_LIMIT, World, impatient, in_world, options, payment, payments, raw_channel, settle, until,
};
use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use tolov_contract::{bus::payment_route, chaos_proxy::Direction};
use tolov_domain::{
    EventId,
    ports::{
        PortError,
        bus::{BODY_MAX_BYTES, Consumer, OutgoingMessage, Published, Publisher, Queue, Route, Verdict},
    },
};
use tolov_rabbitmq::RabbitPublisher;

fn unroutable(number: usize) -> OutgoingMessage {
    OutgoingMessage {
        id: EventId::new(format!("shop.asked:{number}")),
        route: payment_route("shop.asked"),
        ..payment(number)
    }
}

fn is_rejected(published: &Published) -> bool {
    matches!(published, Published::Rejected(_))
}

fn is_unknown(published: &Published) -> bool {
    matches!(published, Published::Unknown(_))
}

/// An impatient publisher may find a healthy broker too slow where other tests use the processors.
async fn until_confirmed(publisher: &RabbitPublisher, number: usize) -> anyhow::Result<()> {
    let is_confirmed = async || match publisher.publish(&[payment(number)]).await {
        Ok(published) => Ok(published == [Published::Confirmed]),
        Err(PortError::Unavailable(_)) => Ok(false),
        Err(error) => Err(error.into()),
    };
    until("the message is confirmed", is_confirmed).await
}

/// Windows with unroutable messages at changing positions.
fn mixed_windows(count: usize) -> impl Iterator<Item = Vec<OutgoingMessage>> {
    (0..count).map(|window| {
        let numbers = window * 64..(window + 1) * 64;
        numbers.map(|n| if n * 7919 % (11 + window % 5) == 0 { unroutable(n) } else { payment(n) }).collect()
    })
}

fn check_mixed(window: &[OutgoingMessage], published: &[Published]) -> usize {
    for (message, published) in window.iter().zip(published) {
        let expects_rejection = message.route == unroutable(0).route;
        assert_eq!(is_rejected(published), expects_rejection, "{}: {published:?}", message.id);
        assert!(expects_rejection || *published == Published::Confirmed, "{}: {published:?}", message.id);
    }
    published.iter().filter(|published| **published == Published::Confirmed).count()
}

#[test]
fn no_unroutable_message_is_confirmed_in_many_windows() -> anyhow::Result<()> {
    in_world(options(), async |world| {
        let publisher = world.direct.publisher();
        let mut confirmed = 0;
        for window in mixed_windows(150) {
            confirmed += check_mixed(&window, &publisher.publish(&window).await?);
        }
        let expected = u64::try_from(confirmed)?;
        until("all that was confirmed is in the queue", async || Ok(world.depth().await?.ready == expected))
            .await
    })
}

#[test]
fn an_abandoned_window_does_not_affect_the_next() -> anyhow::Result<()> {
    in_world(options(), async |world| {
        let publisher = world.direct.publisher();
        publisher.publish(&[payment(1_000_000)]).await?;
        for (number, window) in mixed_windows(80).enumerate() {
            let wait = Duration::from_micros(u64::try_from(number)? * 100);
            // Dropped somewhere between the first frame and the last confirm.
            drop(tokio::time::timeout(wait, publisher.publish(&window)).await);
            check_mixed(&window, &publisher.publish(&window).await?);
        }
        Ok(())
    })
}

#[test]
fn a_connection_cut_during_a_window_loses_no_confirmed_message() -> anyhow::Result<()> {
    const COUNT: usize = 6_000;
    in_world(options(), async |world| {
        let publisher = world.proxied.publisher();
        let mut outbox = payments(0..COUNT);
        let (mut windows, mut unknown) = (0, 0);
        while !outbox.is_empty() {
            let window: Vec<_> = outbox.iter().take(100).cloned().collect();
            windows += 1;
            let cutting = async {
                // Every third of the first windows is cut, each later after its beginning.
                if windows % 3 == 0 && windows < 90 {
                    tokio::time::sleep(Duration::from_micros(windows * 100)).await;
                    world.proxy.cut_all();
                }
            };
            let (answers, ()) = tokio::join!(publisher.publish(&window), cutting);
            let Ok(answers) = answers else { continue };
            unknown += answers.iter().filter(|answer| is_unknown(answer)).count();
            let stored: BTreeSet<_> = window
                .into_iter()
                .zip(answers)
                .filter(|(_, answer)| *answer == Published::Confirmed)
                .map(|(message, _)| message.id)
                .collect();
            outbox.retain(|message| !stored.contains(&message.id));
        }
        assert!(unknown > 0, "no cut hit a window, so nothing was tested");
        let missing =
            read_until_quiet(world, payments(0..COUNT).into_iter().map(|message| message.id).collect());
        assert_eq!(missing.await?, BTreeSet::new());
        Ok(())
    })
}

/// Consumes the queue until every id has arrived. Returns the missing ones.
async fn read_until_quiet(
    world: &World,
    mut missing: BTreeSet<EventId>,
) -> anyhow::Result<BTreeSet<EventId>> {
    let consumer = world.direct.consumer(Queue::ProjectorPayments);
    while !missing.is_empty() {
        let Ok(deliveries) = tokio::time::timeout(ARRIVAL_LIMIT, consumer.receive(256)).await else { break };
        let deliveries = deliveries?;
        for delivery in &deliveries {
            missing.remove(&delivery.id);
        }
        settle(&consumer, deliveries, Verdict::Done).await?;
    }
    Ok(missing)
}

#[test]
fn a_deleted_queue_rejects_only_its_messages_until_it_is_declared_again() -> anyhow::Result<()> {
    in_world(options(), async |world| {
        let publisher = world.direct.publisher();
        publisher.publish(&[payment(1)]).await?;
        let (_connection, channel) = raw_channel().await?;
        let queue = world.named("projector.payments");
        channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await?;
        let notification = OutgoingMessage { route: Route::Notifications, ..payment(3) };
        let window = [payment(2), notification];
        let answers = publisher.publish(&window).await?;
        assert!(is_rejected(&answers[0]), "{answers:?}");
        assert_eq!(answers[1], Published::Confirmed, "the other queue exists");
        until("the queue is declared again", async || {
            Ok(publisher.publish(&window[..1]).await? == [Published::Confirmed])
        })
        .await
    })
}

#[test]
fn a_missing_exchange_costs_one_window() -> anyhow::Result<()> {
    in_world(options(), async |world| {
        let publisher = world.direct.publisher();
        publisher.publish(&[payment(1)]).await?;
        let (_connection, channel) = raw_channel().await?;
        let exchange = world.named("tolov.payments");
        channel.exchange_delete(exchange.as_str().into(), ExchangeDeleteOptions::default()).await?;
        let window = payments(2..12);
        let answers = publisher.publish(&window).await?;
        assert!(answers.iter().all(is_unknown), "the broker has closed the channel: {answers:?}");
        let again = publisher.publish(&window).await?;
        assert!(again.iter().all(|published| *published == Published::Confirmed), "{again:?}");
        Ok(())
    })
}

#[test]
fn an_unreachable_broker_is_an_error_at_once_and_is_found_again() -> anyhow::Result<()> {
    in_world(impatient(), async |world| {
        let publisher = world.proxied.publisher();
        world.proxy.refuse_new();
        for _ in 0..3 {
            let begun = Instant::now();
            let refusal = publisher.publish(&[payment(1)]).await.unwrap_err();
            assert!(refusal.is_unavailable(), "{refusal}");
            assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        }
        assert!(!publisher.is_reachable().await);
        world.proxy.restore();
        until("the broker is found again", async || Ok(publisher.is_reachable().await)).await?;
        until_confirmed(&publisher, 1).await?;
        world.proxy.refuse_new();
        world.proxy.cut_all();
        until("the outage is noticed", async || Ok(publisher.publish(&[payment(2)]).await.is_err())).await?;
        world.proxy.restore();
        until_confirmed(&publisher, 3).await?;
        Ok(())
    })
}

#[test]
fn a_silent_broker_costs_bounded_time_and_leaves_no_connection() -> anyhow::Result<()> {
    in_world(impatient(), async |world| {
        let publisher = world.proxied.publisher();
        until_confirmed(&publisher, 1).await?;
        world.proxy.swallow(Direction::ToClient);
        let begun = Instant::now();
        let answers = publisher.publish(&payments(2..52)).await?;
        assert!(answers.iter().all(is_unknown), "{answers:?}");
        for _ in 0..6 {
            let error = publisher.publish(&[payment(60)]).await.unwrap_err();
            assert!(error.is_unavailable(), "{error}");
            assert!(!publisher.is_reachable().await);
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "{:?}", begun.elapsed());
        until("every socket is shut down without an answer", async || Ok(world.proxy.connections() == 0))
            .await?;
        world.proxy.restore();
        until_confirmed(&publisher, 61).await?;
        Ok(())
    })
}

#[test]
fn a_window_waits_for_the_previous_one_in_bounded_time() -> anyhow::Result<()> {
    in_world(impatient(), async |world| {
        let publisher = world.proxied.publisher();
        until_confirmed(&publisher, 1).await?;
        world.proxy.swallow(Direction::ToClient);
        let begun = Instant::now();
        let (one, two, three) = ([payment(2)], [payment(3)], [payment(4)]);
        let (first, second, third) =
            tokio::join!(publisher.publish(&one), publisher.publish(&two), publisher.publish(&three));
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        assert!(is_unknown(&first?[0]));
        for waited in [second, third] {
            assert!(matches!(waited, Err(PortError::Unavailable(_))), "{waited:?}");
        }
        Ok(())
    })
}

#[test]
fn what_amqp_cannot_carry_is_rejected_alone() -> anyhow::Result<()> {
    in_world(options(), async |world| {
        let nameless = OutgoingMessage { id: EventId::new("i".repeat(256)), ..payment(1) };
        let schemaless = OutgoingMessage { schema: "s".repeat(300), ..payment(2) };
        let bulky = OutgoingMessage { body: vec![0; BODY_MAX_BYTES + 1], ..payment(3) };
        let full = OutgoingMessage { body: vec![0xff; BODY_MAX_BYTES], ..payment(4) };
        let published = world.direct.publisher().publish(&[nameless, schemaless, bulky, full]).await?;
        assert!(published[..3].iter().all(is_rejected), "{published:?}");
        assert_eq!(published[3], Published::Confirmed);
        Ok(())
    })
}
