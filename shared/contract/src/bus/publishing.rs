//! Publishing.

use std::collections::BTreeSet;

use tolov_domain::{
    EventId,
    ports::bus::{BODY_MAX_BYTES, OutgoingMessage, Published, Queue, Route},
};

use super::{
    messages::{
        ensure_quiet, ids_of, payment, payment_route, payments, publish, receive, receive_and_settle,
        receive_one, settle_done, unroutable,
    },
    world::BusWorld,
};

pub async fn a_confirmed_message_arrives_with_all_that_was_published(
    world: &dyn BusWorld,
) -> anyhow::Result<()> {
    let message = payment(1);
    publish(&*world.publisher().await, std::slice::from_ref(&message)).await?;
    let delivery = receive_one(&*world.consumer(Queue::ProjectorPayments).await).await?;
    assert_eq!(delivery.id, message.id);
    assert_eq!(delivery.schema, message.schema);
    assert_eq!(delivery.body, message.body);
    assert_eq!(delivery.retries, 0);
    assert_eq!(delivery.traceparent, message.traceparent);
    assert!(message.traceparent.is_some());
    Ok(())
}

pub async fn a_body_of_any_bytes_up_to_the_limit_arrives_unchanged(
    world: &dyn BusWorld,
) -> anyhow::Result<()> {
    let every_byte: Vec<u8> = (u8::MIN..=u8::MAX).collect();
    let largest = every_byte.iter().copied().cycle().take(BODY_MAX_BYTES).collect();
    let bodies: [Vec<u8>; 3] = [every_byte, largest, Vec::new()];
    let window: Vec<_> = (1..).zip(&bodies).map(|(number, body)| with_body(number, body.clone())).collect();
    publish(&*world.publisher().await, &window).await?;
    let consumer = world.consumer(Queue::ProjectorPayments).await;
    for delivery in receive(&*consumer, bodies.len()).await? {
        let sent = window.iter().find(|message| message.id == delivery.id).map(|message| &message.body);
        assert!(sent == Some(&delivery.body), "{} arrived with another body", delivery.id);
    }
    Ok(())
}

pub async fn unroutable_messages_are_rejected_and_the_others_of_their_window_confirmed(
    world: &dyn BusWorld,
) -> anyhow::Result<()> {
    let publisher = world.publisher().await;
    let mut confirmed = BTreeSet::new();
    // The positions change from round to round, so that a confirm that is matched to the wrong message shows.
    for round in 0..30 {
        let is_unroutable = |place: usize| place.is_multiple_of(2 + round % 3) || place == round;
        let number = |place: usize| round * 100 + place + 1;
        let window: Vec<_> = (0..12)
            .map(
                |place| if is_unroutable(place) { unroutable(number(place)) } else { payment(number(place)) },
            )
            .collect();
        let answers = publisher.publish(&window).await?;
        assert_eq!(answers.len(), window.len());
        for ((place, message), answer) in (0..).zip(&window).zip(answers) {
            if is_unroutable(place) {
                assert!(
                    matches!(answer, Published::Rejected(_)),
                    "round {round}, {}: {answer:?}",
                    message.id
                );
            } else {
                assert_eq!(answer, Published::Confirmed, "round {round}, {}", message.id);
                confirmed.insert(message.id.clone());
            }
        }
    }
    let consumer = world.consumer(Queue::ProjectorPayments).await;
    let received = receive_and_settle(&*consumer, confirmed.len()).await?;
    assert_eq!(received, confirmed, "exactly the confirmed messages arrived");
    ensure_quiet(world, &*consumer).await
}

pub async fn a_body_above_the_limit_is_rejected_alone(world: &dyn BusWorld) -> anyhow::Result<()> {
    let window = [payment(1), with_body(2, vec![b'x'; BODY_MAX_BYTES + 1]), payment(3)];
    let answers = world.publisher().await.publish(&window).await?;
    assert_eq!(answers[0], Published::Confirmed);
    assert!(matches!(answers[1], Published::Rejected(_)), "{:?}", answers[1]);
    assert_eq!(answers[2], Published::Confirmed);
    let consumer = world.consumer(Queue::ProjectorPayments).await;
    let received = receive(&*consumer, 2).await?;
    assert_eq!(ids_of(&received), BTreeSet::from([payment(1).id, payment(3).id]));
    ensure_quiet(world, &*consumer).await
}

pub async fn an_empty_window_needs_no_answer(world: &dyn BusWorld) -> anyhow::Result<()> {
    assert_eq!(world.publisher().await.publish(&[]).await?, []);
    Ok(())
}

pub async fn a_queue_receives_the_routing_keys_of_its_bindings_only(
    world: &dyn BusWorld,
) -> anyhow::Result<()> {
    let expired = OutgoingMessage {
        id: EventId::new("order.expired:2"),
        route: payment_route("order.expired"),
        ..payment(2)
    };
    let notification = OutgoingMessage {
        id: EventId::new("payment.completed:1/shopper"),
        route: Route::Notifications,
        ..payment(1)
    };
    let projector = world.consumer(Queue::ProjectorPayments).await;
    let bot = world.consumer(Queue::BotNotifications).await;
    publish(&*world.publisher().await, &[payment(1), expired.clone(), notification.clone()]).await?;
    assert_eq!(ids_of(&receive(&*projector, 2).await?), BTreeSet::from([payment(1).id, expired.id]));
    assert_eq!(receive_one(&*bot).await?.id, notification.id);
    ensure_quiet(world, &*projector).await?;
    ensure_quiet(world, &*bot).await
}

pub async fn windows_published_concurrently_all_arrive(world: &dyn BusWorld) -> anyhow::Result<()> {
    let mut publishers = tokio::task::JoinSet::new();
    for part in 0..4 {
        let publisher = world.publisher().await;
        publishers.spawn(async move {
            for window in 0..10 {
                let first = part * 1_000 + window * 10;
                let window: Vec<_> = (first..first + 10).map(payment).collect();
                publish(&*publisher, &window).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(published) = publishers.join_next().await {
        published??;
    }
    let consumer = world.consumer(Queue::ProjectorPayments).await;
    receive_and_settle(&*consumer, 400).await?;
    ensure_quiet(world, &*consumer).await
}

pub async fn several_thousand_messages_arrive(world: &dyn BusWorld) -> anyhow::Result<()> {
    const COUNT: usize = 4_000;
    let publisher = world.publisher().await;
    let publishing = tokio::spawn(async move {
        for window in payments(COUNT).chunks(250) {
            publish(&*publisher, window).await?;
        }
        anyhow::Ok(())
    });
    let consumer = world.consumer(Queue::ProjectorPayments).await;
    assert_eq!(receive_and_settle(&*consumer, COUNT).await?.len(), COUNT);
    publishing.await??;
    ensure_quiet(world, &*consumer).await
}

pub async fn a_working_bus_is_reachable(world: &dyn BusWorld) -> anyhow::Result<()> {
    let publisher = world.publisher().await;
    publish(&*publisher, &[payment(1)]).await?;
    assert!(publisher.is_reachable().await);
    let consumer = world.consumer(Queue::ProjectorPayments).await;
    let delivery = receive_one(&*consumer).await?;
    settle_done(&*consumer, vec![delivery]).await
}

fn with_body(number: usize, body: Vec<u8>) -> OutgoingMessage {
    OutgoingMessage { body, ..payment(number) }
}
