//! What a reader sees, and what becomes of its verdicts, while the broker or the line fail.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use lapin::{
    BasicProperties,
    options::{BasicGetOptions, BasicNackOptions, BasicPublishOptions, QueueDeleteOptions},
    types::{AMQPValue, FieldTable},
};
use tolov_contract::chaos_proxy::Direction;
use tolov_domain::ports::bus::{BusAdmin, Consumer, Published, Publisher, Queue, QueueDepth, Verdict};
use tolov_rabbitmq::RabbitOptions;

use crate::world::{
    ARRIVAL_LIMIT, World, hand, in_world, options, payment, payments, receive_one, settle, until,
};

const QUEUE: Queue = Queue::ProjectorPayments;

fn retry(reason: &str) -> Verdict {
    Verdict::Retry { reason: reason.to_owned() }
}

async fn publish(world: &World, numbers: std::ops::Range<usize>) -> anyhow::Result<()> {
    let published = world.direct.publisher().publish(&payments(numbers)).await?;
    assert!(published.iter().all(|published| *published == Published::Confirmed), "{published:?}");
    Ok(())
}

async fn wait_for_depth(world: &World, expected: QueueDepth) -> anyhow::Result<()> {
    until(&format!("{expected:?}"), async || Ok(world.depth().await? == expected)).await
}

#[test]
fn reading_goes_on_over_cuts_and_nothing_that_was_not_done_is_lost() -> anyhow::Result<()> {
    const COUNT: usize = 3_000;
    in_world(options(), async |world| {
        for start in (0..COUNT).step_by(500) {
            publish(world, start..start + 500).await?;
        }
        let consumer = world.proxied.consumer(QUEUE);
        let mut times_seen = BTreeMap::new();
        let mut calls = 0;
        while times_seen.len() < COUNT {
            let Ok(deliveries) = tokio::time::timeout(ARRIVAL_LIMIT, consumer.receive(50)).await? else {
                continue;
            };
            for delivery in &deliveries {
                *times_seen.entry(delivery.id.clone()).or_insert(0) += 1;
            }
            calls += 1;
            if calls % 10 == 0 && calls <= 50 {
                world.proxy.cut_all();
            }
            settle(&consumer, deliveries, Verdict::Done).await?;
        }
        assert!(times_seen.values().any(|times| *times > 1), "no cut was felt: the test has tested nothing");
        let mut leftover = 0;
        while let Ok(deliveries) = tokio::time::timeout(Duration::from_secs(1), consumer.receive(50)).await {
            leftover += settle(&consumer, deliveries?, Verdict::Done).await?;
        }
        assert!(leftover <= 256, "{leftover} came again, more than one connection can have held");
        drop(consumer);
        wait_for_depth(world, QueueDepth::default()).await
    })
}

#[test]
fn a_verdict_on_a_cut_connection_does_not_count_and_the_message_comes_again() -> anyhow::Result<()> {
    in_world(options(), async |world| {
        publish(world, 0..2).await?;
        let consumer = world.proxied.consumer(QUEUE);
        let mut stale = vec![receive_one(&consumer).await?];
        stale.push(receive_one(&consumer).await?);
        world.proxy.cut_all();
        let mut fresh = vec![receive_one(&consumer).await?];
        fresh.push(receive_one(&consumer).await?);
        let ids: BTreeSet<_> = stale.iter().map(|delivery| delivery.id.clone()).collect();
        assert_eq!(fresh.iter().map(|delivery| delivery.id.clone()).collect::<BTreeSet<_>>(), ids);
        // The numbers of the new channel are the same as those of the old one; only the generation tells them apart.
        assert_eq!(stale[0].tag.number, fresh[0].tag.number);
        assert_eq!(settle(&consumer, stale, Verdict::Done).await?, 0);
        assert_eq!(settle(&consumer, fresh, Verdict::Done).await?, 2);
        drop(consumer);
        wait_for_depth(world, QueueDepth::default()).await
    })
}

#[test]
fn acknowledgements_in_any_order_take_every_message_and_no_other() -> anyhow::Result<()> {
    const COUNT: usize = 400;
    in_world(RabbitOptions { prefetch: 500, ..options() }, async |world| {
        publish(world, 0..COUNT + 1).await?;
        let consumer = world.direct.consumer(QUEUE);
        let kept = receive_one(&consumer).await?;
        let mut deliveries = Vec::new();
        while deliveries.len() < COUNT {
            deliveries.extend(tokio::time::timeout(ARRIVAL_LIMIT, consumer.receive(COUNT)).await??);
        }
        // In an order that is mixed but the same every time; some settled at the same time.
        deliveries.sort_by_key(|delivery| delivery.tag.number * 7919 % 401);
        while !deliveries.is_empty() {
            let (one, two) = (deliveries.split_off(deliveries.len().saturating_sub(7)), deliveries.pop());
            let count = one.len();
            let (one, two) = tokio::join!(
                settle(&consumer, one, Verdict::Done),
                settle(&consumer, two.into_iter().collect(), Verdict::Done)
            );
            assert_eq!(one?, count);
            two?;
        }
        let generation = kept.tag.generation;
        let expected = kept.id.clone();
        drop((consumer, kept));
        let again = world.direct.consumer(QUEUE);
        let delivery = receive_one(&again).await?;
        assert_eq!(delivery.id, expected, "the first was open, so no group may have reached over it");
        assert!(delivery.tag.generation > generation);
        settle(&again, vec![delivery], Verdict::Done).await?;
        drop(again);
        wait_for_depth(world, QueueDepth::default()).await
    })
}

#[test]
fn a_reader_holds_no_more_than_its_prefetch() -> anyhow::Result<()> {
    in_world(RabbitOptions { prefetch: 10, ..options() }, async |world| {
        publish(world, 0..25).await?;
        let consumer = world.direct.consumer(QUEUE);
        let mut held = Vec::new();
        while held.len() < 10 {
            held.extend(tokio::time::timeout(ARRIVAL_LIMIT, consumer.receive(100)).await??);
        }
        assert_eq!(held.len(), 10);
        assert!(tokio::time::timeout(Duration::from_millis(300), consumer.receive(100)).await.is_err());
        settle(&consumer, held, Verdict::Done).await?;
        receive_one(&consumer).await?;
        Ok(())
    })
}

#[test]
fn a_reader_is_told_of_an_outage_in_bounded_time_and_finds_back() -> anyhow::Result<()> {
    let options = RabbitOptions { outage_report_every: Duration::from_millis(700), ..options() };
    in_world(options, async |world| {
        let consumer = world.proxied.consumer(QUEUE);
        world.proxy.refuse_new();
        for _ in 0..3 {
            let begun = Instant::now();
            let error = consumer.receive(10).await.unwrap_err();
            assert!(error.is_unavailable(), "{error}");
            assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
        }
        world.proxy.restore();
        publish(world, 0..1).await?;
        until("it reads again", async || {
            Ok(matches!(consumer.receive(1).await, Ok(deliveries) if deliveries[0].id == payment(0).id))
        })
        .await
    })
}

#[test]
fn a_queue_that_is_deleted_under_its_reader_is_made_again_and_read() -> anyhow::Result<()> {
    in_world(options(), async |world| {
        publish(world, 0..1).await?;
        let consumer = world.direct.consumer(QUEUE);
        let held = receive_one(&consumer).await?;
        let (_connection, channel) = hand().await?;
        let name = world.named("projector.payments");
        channel.queue_delete(name.as_str().into(), QueueDeleteOptions::default()).await?;
        let reading = receive_one(&consumer);
        let publishing = until("the queue takes messages again", async || {
            Ok(world.direct.publisher().publish(&[payment(7)]).await? == [Published::Confirmed])
        });
        let (delivery, published) = tokio::join!(reading, publishing);
        published?;
        let delivery = delivery?;
        assert_eq!(delivery.id, payment(7).id);
        assert_eq!(settle(&consumer, vec![held], Verdict::Done).await?, 0);
        assert_eq!(settle(&consumer, vec![delivery], Verdict::Done).await?, 1);
        Ok(())
    })
}

#[test]
fn a_queue_that_is_made_again_at_once_does_not_keep_its_reader_from_the_messages() -> anyhow::Result<()> {
    let options = RabbitOptions { idle_renewal_every: Duration::from_millis(500), ..options() };
    in_world(options, async |world| {
        let consumer = world.direct.consumer(QUEUE);
        let (_connection, channel) = hand().await?;
        let name = world.named("projector.payments");
        for number in 0..5 {
            publish(world, number..number + 1).await?;
            let delivery = receive_one(&consumer).await?;
            assert_eq!(delivery.id, payment(number).id);
            settle(&consumer, vec![delivery], Verdict::Done).await?;
            channel.queue_delete(name.as_str().into(), QueueDeleteOptions::default()).await?;
            world.direct.declare().await?;
        }
        Ok(())
    })
}

#[test]
fn a_retry_that_cannot_be_stored_comes_again_as_it_was() -> anyhow::Result<()> {
    in_world(options(), async |world| {
        publish(world, 0..2).await?;
        let consumer = world.proxied.consumer(QUEUE);
        let first = receive_one(&consumer).await?;
        let second = receive_one(&consumer).await?;
        // The reader's connection goes on; the publishing one, which a retry needs, cannot be made.
        world.proxy.refuse_new();
        let verdicts = vec![(first, retry("the store is away")), (second, Verdict::Done)];
        assert_eq!(
            consumer.settle(verdicts).await?,
            1,
            "what is done is done, whatever becomes of the other"
        );
        let again = receive_one(&consumer).await?;
        assert_eq!(again.retries, 0);
        world.proxy.restore();
        assert_eq!(settle(&consumer, vec![again], retry("the store is away")).await?, 1);
        let retried = receive_one(&consumer).await?;
        assert_eq!(retried.retries, 1);
        assert_eq!(settle(&consumer, vec![retried], Verdict::Done).await?, 1);
        drop(consumer);
        wait_for_depth(world, QueueDepth::default()).await
    })
}

#[test]
fn settling_that_is_left_in_the_middle_brings_the_messages_back() -> anyhow::Result<()> {
    in_world(options(), async |world| {
        publish(world, 0..1).await?;
        let consumer = world.proxied.consumer(QUEUE);
        let delivery = receive_one(&consumer).await?;
        // Nothing can be published through a line that swallows; the reader gives up waiting for it.
        world.proxy.swallow(Direction::ToClient);
        let settling = settle(&consumer, vec![delivery], retry("the store is away"));
        assert!(tokio::time::timeout(Duration::from_millis(200), settling).await.is_err());
        world.proxy.restore();
        let again = receive_one(&consumer).await?;
        assert_eq!(again.id, payment(0).id);
        Ok(())
    })
}

#[test]
fn a_message_that_kills_its_readers_is_parked_by_the_broker_with_the_reason() -> anyhow::Result<()> {
    in_world(options(), async |world| {
        publish(world, 0..1).await?;
        let (_connection, channel) = hand().await?;
        let queue = world.named("projector.payments");
        let mut deliveries = 0;
        while world.depth().await?.parked == 0 {
            let taken = channel.basic_get(queue.as_str().into(), BasicGetOptions::default()).await?;
            let Some(message) = taken else { continue };
            deliveries += 1;
            assert!(deliveries < 200, "it is delivered without an end");
            message.nack(BasicNackOptions { requeue: true, ..BasicNackOptions::default() }).await?;
        }
        assert!(deliveries >= 100, "only {deliveries} deliveries");
        let parked = world.direct.admin().parked(QUEUE, 10).await?;
        assert_eq!((&parked[0].id, &parked[0].body), (&payment(0).id, &payment(0).body));
        assert!(parked[0].reason.contains("delivery limit"), "{}", parked[0].reason);
        // It is looked at more often than RabbitMQ 4 delivers by default, and stays.
        for _ in 0..25 {
            assert_eq!(world.direct.admin().parked(QUEUE, 10).await?.len(), 1);
        }
        assert!(world.direct.admin().requeue_parked(QUEUE, &payment(0).id).await?);
        let consumer = world.direct.consumer(QUEUE);
        let delivery = receive_one(&consumer).await?;
        assert_eq!(settle(&consumer, vec![delivery], Verdict::Park { reason: "still".to_owned() }).await?, 1);
        assert_eq!(world.direct.admin().parked(QUEUE, 10).await?[0].reason, "still");
        Ok(())
    })
}

#[test]
fn a_message_of_a_stranger_goes_the_same_way_as_ours() -> anyhow::Result<()> {
    in_world(options(), async |world| {
        world.direct.declare().await?;
        let mut headers = FieldTable::default();
        headers.insert("x-retries".into(), AMQPValue::LongString("many".into()));
        headers.insert("x-death".into(), AMQPValue::LongString("of old age".into()));
        headers.insert("schema".into(), AMQPValue::LongString("s".repeat(60_000).into()));
        let strange = [BasicProperties::default(), BasicProperties::default().with_headers(headers)];
        let (_connection, channel) = hand().await?;
        let (exchange, queue) = (world.named("tolov.payments"), world.named("projector.payments"));
        for (number, properties) in strange.into_iter().enumerate() {
            let body = format!("not JSON {number}").into_bytes();
            let options = BasicPublishOptions::default();
            let key = "payment.completed".into();
            channel.basic_publish(exchange.as_str().into(), key, options, &body, properties).await?;
        }
        assert!(queue.ends_with("projector.payments"));
        let consumer = world.direct.consumer(QUEUE);
        let mut ids = BTreeSet::new();
        for _ in 0..2 {
            let delivery = receive_one(&consumer).await?;
            assert_eq!(delivery.retries, 0);
            settle(&consumer, vec![delivery], retry("it has no name")).await?;
        }
        for _ in 0..2 {
            let delivery = receive_one(&consumer).await?;
            assert_eq!(delivery.retries, 1);
            assert!(delivery.id.as_str().starts_with("unnamed:"), "{}", delivery.id);
            ids.insert(delivery.id.clone());
            let verdict = Verdict::Park { reason: "it has no name".to_owned() };
            assert_eq!(settle(&consumer, vec![delivery], verdict).await?, 1);
        }
        assert_eq!(ids.len(), 2);
        for id in ids {
            assert!(world.direct.admin().drop_parked(QUEUE, &id).await?);
        }
        wait_for_depth(world, QueueDepth::default()).await
    })
}
