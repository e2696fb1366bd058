//! Consuming and settling while the broker or the connection fail.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use lapin::{
    BasicProperties,
    options::{
        BasicGetOptions, BasicNackOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeleteOptions,
    },
    types::{AMQPValue, FieldTable},
};
use tolov_contract::{bus::all_parked, chaos_proxy::Direction};
use tolov_domain::{
    EventId,
    ports::bus::{
        BusAdmin, Consumer, DELIVERY_LIMIT, DELIVERY_LIMIT_REASON, Delivery, Published, Publisher, Queue,
        QueueDepth, Verdict,
    },
};
use tolov_rabbitmq::{RabbitBus, RabbitOptions};

use crate::world::{
    ARRIVAL_LIMIT, World, in_world, options, payment, payments, raw_channel, receive_one, settle, through,
    until,
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

async fn receive_many(consumer: &dyn Consumer, count: usize) -> anyhow::Result<Vec<Delivery>> {
    let mut deliveries = Vec::new();
    while deliveries.len() < count {
        let missing = count - deliveries.len();
        deliveries.extend(tokio::time::timeout(ARRIVAL_LIMIT, consumer.receive(missing)).await??);
    }
    Ok(deliveries)
}

fn ids(deliveries: &[Delivery]) -> BTreeSet<EventId> {
    deliveries.iter().map(|delivery| delivery.id.clone()).collect()
}

async fn wait_for_depth(world: &World, expected: QueueDepth) -> anyhow::Result<()> {
    until(&format!("{expected:?}"), async || Ok(world.depth().await? == expected)).await
}

#[test]
fn consuming_survives_cuts_and_no_unsettled_message_is_lost() -> anyhow::Result<()> {
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
        assert!(
            times_seen.values().any(|times| *times > 1),
            "no cut caused a redelivery, so nothing was tested"
        );
        let mut leftover = 0;
        while let Ok(deliveries) = tokio::time::timeout(Duration::from_secs(1), consumer.receive(50)).await {
            leftover += settle(&consumer, deliveries?, Verdict::Done).await?;
        }
        assert!(leftover <= 256, "{leftover} were redelivered, more than one prefetch");
        drop(consumer);
        wait_for_depth(world, QueueDepth::default()).await
    })
}

#[test]
fn a_verdict_on_a_cut_connection_does_not_count_and_the_message_is_redelivered() -> anyhow::Result<()> {
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
        // The tags of the new channel are the same numbers; only the generation differs.
        assert_eq!(stale[0].tag.number, fresh[0].tag.number);
        assert_eq!(settle(&consumer, stale, Verdict::Done).await?, 0);
        assert_eq!(settle(&consumer, fresh, Verdict::Done).await?, 2);
        drop(consumer);
        wait_for_depth(world, QueueDepth::default()).await
    })
}

#[test]
fn acknowledgements_in_any_order_settle_exactly_their_messages() -> anyhow::Result<()> {
    const COUNT: usize = 400;
    let prefetch = u16::try_from(COUNT)? + 1;
    in_world(RabbitOptions { prefetch, ..options() }, async |world| {
        publish(world, 0..COUNT + 1).await?;
        let consumer = world.direct.consumer(QUEUE);
        let kept = receive_one(&consumer).await?;
        let mut deliveries = receive_many(&consumer, COUNT).await?;
        // Shuffled, in the same way every time, and partly concurrent.
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
        // A quorum queue takes acknowledgements in with a delay, and forgets those that wait when their channel ends. With
        // a full prefetch as many new messages arrive as acknowledgements are taken in: all of them.
        publish(world, COUNT + 1..2 * COUNT + 1).await?;
        let new: BTreeSet<_> = ids(&receive_many(&consumer, COUNT).await?);
        let generation = kept.tag.generation;
        let expected = &new | &BTreeSet::from([kept.id.clone()]);
        drop((consumer, kept));
        let again = world.direct.consumer(QUEUE);
        let deliveries = receive_many(&again, COUNT + 1).await?;
        assert_eq!(ids(&deliveries), expected, "no group may have covered the unsettled one");
        assert!(deliveries.iter().all(|delivery| delivery.tag.generation > generation));
        settle(&again, deliveries, Verdict::Done).await?;
        drop(again);
        wait_for_depth(world, QueueDepth::default()).await
    })
}

#[test]
fn a_consumer_receives_no_more_than_its_prefetch() -> anyhow::Result<()> {
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
fn an_outage_is_an_error_in_bounded_time_and_ends_by_itself() -> anyhow::Result<()> {
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
        until("it consumes again", async || {
            Ok(matches!(consumer.receive(1).await, Ok(deliveries) if deliveries[0].id == payment(0).id))
        })
        .await
    })
}

#[test]
fn a_queue_that_is_deleted_under_its_consumer_is_declared_again_and_consumed() -> anyhow::Result<()> {
    in_world(options(), async |world| {
        publish(world, 0..1).await?;
        let consumer = world.direct.consumer(QUEUE);
        let held = receive_one(&consumer).await?;
        let (_connection, channel) = raw_channel().await?;
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
        let (_connection, channel) = raw_channel().await?;
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
fn a_retry_that_cannot_be_stored_is_redelivered_unchanged() -> anyhow::Result<()> {
    in_world(options(), async |world| {
        publish(world, 0..2).await?;
        let consumer = world.proxied.consumer(QUEUE);
        let first = receive_one(&consumer).await?;
        let second = receive_one(&consumer).await?;
        // The consumer's connection works; the publishing one, which a retry needs, cannot be opened.
        world.proxy.refuse_new();
        let verdicts = vec![(first, retry("the store is away")), (second, Verdict::Done)];
        assert_eq!(consumer.settle(verdicts).await?, 1, "the other verdict is stored");
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
fn abandoned_settling_redelivers_the_messages() -> anyhow::Result<()> {
    in_world(options(), async |world| {
        publish(world, 0..1).await?;
        let consumer = world.proxied.consumer(QUEUE);
        let delivery = receive_one(&consumer).await?;
        // Nothing can be published, and the caller stops waiting.
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
fn a_message_at_the_delivery_limit_is_parked_by_the_broker_with_the_reason() -> anyhow::Result<()> {
    in_world(options(), async |world| {
        publish(world, 0..1).await?;
        let (_connection, channel) = raw_channel().await?;
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
        let parked = all_parked(&world.direct.admin(), QUEUE).await?;
        assert_eq!((&parked[0].id, &parked[0].body), (&payment(0).id, &payment(0).body));
        assert!(parked[0].reason.contains("delivery limit"), "{}", parked[0].reason);
        // More looks than RabbitMQ 4's default delivery limit.
        for _ in 0..25 {
            assert_eq!(all_parked(&world.direct.admin(), QUEUE).await?.len(), 1);
        }
        assert_eq!(world.direct.admin().requeue_parked(QUEUE, &[payment(0).id].into()).await?.len(), 1);
        let consumer = world.direct.consumer(QUEUE);
        let delivery = receive_one(&consumer).await?;
        assert_eq!(settle(&consumer, vec![delivery], Verdict::Park { reason: "still".to_owned() }).await?, 1);
        assert_eq!(all_parked(&world.direct.admin(), QUEUE).await?[0].reason, "still");
        Ok(())
    })
}

/// A reader that dies of one message takes all that it holds with it, again and again, until the broker has enough of all of them.
#[test]
fn of_what_a_dying_reader_held_nothing_vanishes_at_the_delivery_limit() -> anyhow::Result<()> {
    const COUNT: usize = 100;
    in_world(RabbitOptions { prefetch: 100, ..options() }, async |world| {
        publish(world, 0..COUNT).await?;
        let all: BTreeSet<EventId> = payments(0..COUNT).into_iter().map(|message| message.id).collect();
        let deadly = payment(COUNT / 2).id;
        let mut handled = BTreeSet::new();
        let mut deaths = 0;
        while world.depth().await?.parked < u64::try_from(COUNT - handled.len())? {
            let consumer = world.direct.consumer(QUEUE);
            let receiving = tokio::time::timeout(Duration::from_secs(1), consumer.receive(COUNT));
            let Ok(Ok(mut deliveries)) = receiving.await else { continue };
            deaths += 1;
            assert!(deaths < 4 * DELIVERY_LIMIT, "they are delivered without an end");
            // Each time it gets one neighbour done before it dies.
            let place = deliveries.iter().position(|delivery| delivery.id != deadly);
            if let Some(neighbour) = place.map(|place| deliveries.swap_remove(place)) {
                let id = neighbour.id.clone();
                assert!(!handled.contains(&id), "{id} comes again");
                if settle(&consumer, vec![neighbour], Verdict::Done).await? == 1 {
                    handled.insert(id);
                }
            }
        }
        let parked = all_parked(&world.direct.admin(), QUEUE).await?;
        assert!(parked.iter().all(|message| message.reason == DELIVERY_LIMIT_REASON), "{parked:?}");
        let parked: BTreeSet<EventId> = parked.into_iter().map(|message| message.id).collect();
        assert!(parked.contains(&deadly) && parked.is_disjoint(&handled), "{handled:?}");
        assert_eq!(&parked | &handled, all);
        assert_eq!(world.direct.admin().requeue_parked(QUEUE, &parked).await?, parked);
        let consumer = world.direct.consumer(QUEUE);
        let requeued = receive_many(&consumer, parked.len()).await?;
        assert_eq!(ids(&requeued), parked);
        settle(&consumer, requeued, Verdict::Done).await?;
        drop(consumer);
        wait_for_depth(world, QueueDepth::default()).await
    })
}

/// More than one look took in when it asked for them one by one, and of a minute's reading.
#[test]
fn a_parked_message_behind_ten_thousand_others_is_found_requeued_and_dropped() -> anyhow::Result<()> {
    const COUNT: usize = 10_200;
    in_world(options(), async |world| {
        world.direct.declare().await?;
        let (_connection, channel) = raw_channel().await?;
        let parking = world.named("projector.payments.parked");
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        for number in 0..COUNT {
            let message = payment(number);
            let properties = BasicProperties::default().with_message_id(message.id.as_str().into());
            let (exchange, options) = ("".into(), BasicPublishOptions::default());
            channel
                .basic_publish(exchange, parking.as_str().into(), options, &message.body, properties)
                .await?;
        }
        channel.wait_for_confirms().await?;
        let all = u64::try_from(COUNT)?;
        until("they are parked", async || Ok(world.depth().await?.parked == all)).await?;
        let (admin, last) = (world.direct.admin(), payment(COUNT - 1));
        assert_eq!(admin.find_parked(QUEUE, &last.id).await?.map(|found| found.body), Some(last.body));
        assert!(admin.drop_parked(QUEUE, &last.id).await?.is_some());
        let many: BTreeSet<EventId> = payments(0..COUNT - 2).into_iter().map(|message| message.id).collect();
        assert_eq!(admin.requeue_parked(QUEUE, &many).await?, many);
        let depth = QueueDepth { ready: all - 2, retrying: 0, parked: 1 };
        wait_for_depth(world, depth).await
    })
}

#[test]
fn a_message_of_another_client_is_retried_and_parked_like_ours() -> anyhow::Result<()> {
    in_world(options(), async |world| {
        world.direct.declare().await?;
        let mut headers = FieldTable::default();
        headers.insert("x-retries".into(), AMQPValue::LongString("many".into()));
        headers.insert("x-death".into(), AMQPValue::LongString("of old age".into()));
        headers.insert("schema".into(), AMQPValue::LongString("s".repeat(60_000).into()));
        let strange = [BasicProperties::default(), BasicProperties::default().with_headers(headers)];
        let (_connection, channel) = raw_channel().await?;
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
            assert!(world.direct.admin().drop_parked(QUEUE, &id).await?.is_some());
        }
        wait_for_depth(world, QueueDepth::default()).await
    })
}

#[test]
fn heartbeats_end_a_half_open_connection_on_which_nothing_was_expected() -> anyhow::Result<()> {
    // Neither a request nor a renewal finds out; heartbeats alone do.
    let outage_report_every = Duration::from_millis(100);
    let options =
        RabbitOptions { outage_report_every, idle_renewal_every: Duration::from_hours(1), ..options() };
    in_world(options, async |world| {
        let url = format!("{}?heartbeat=1", through(world.proxy.addr())?);
        let consumer = RabbitBus::try_new(&url, world.options.clone())?.consumer(QUEUE);
        publish(world, 0..1).await?;
        let delivery = receive_one(&consumer).await?;
        settle(&consumer, vec![delivery], Verdict::Done).await?;
        wait_for_depth(world, QueueDepth::default()).await?;
        world.proxy.swallow(Direction::ToClient);
        world.proxy.swallow(Direction::ToServer);
        publish(world, 1..2).await?;
        let noticed = tokio::time::timeout(ARRIVAL_LIMIT, consumer.receive(1)).await?;
        assert!(noticed.is_err_and(|error| error.is_unavailable()));
        world.proxy.restore();
        let delivery = receive_one(&consumer).await?;
        assert_eq!(delivery.id, payment(1).id);
        assert_eq!(settle(&consumer, vec![delivery], Verdict::Done).await?, 1);
        Ok(())
    })
}

#[test]
fn what_is_put_off_for_a_moment_does_not_wait_behind_what_waits_for_long() -> anyhow::Result<()> {
    let retry_delays_ms = vec![100, 60_000];
    in_world(RabbitOptions { retry_delays_ms, ..options() }, async |world| {
        publish(world, 0..2).await?;
        let consumer = world.direct.consumer(QUEUE);
        let mut deliveries = receive_many(&consumer, 2).await?;
        let (failing, put_off) = (deliveries.remove(0), deliveries.remove(0));
        let expected = put_off.id.clone();
        settle(&consumer, vec![failing], retry("the store is away")).await?;
        let failing = receive_one(&consumer).await?;
        settle(&consumer, vec![failing], retry("the store is away")).await?;
        settle(&consumer, vec![put_off], Verdict::Later { after: Duration::from_secs(5) }).await?;
        let again = receive_one(&consumer).await?;
        assert_eq!((&again.id, again.retries), (&expected, 0));
        settle(&consumer, vec![again], Verdict::Done).await?;
        Ok(())
    })
}
