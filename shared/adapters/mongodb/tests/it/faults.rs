//! The way to the server breaks: callers are told in time, and what they repeat has one effect.

use std::time::{Duration, Instant};

use mongodb::bson::{Document, doc};
use tolov_contract::chaos_proxy::{ChaosProxy, Direction};
use tolov_domain::{
    Event, EventId,
    order::OrderStatus,
    ports::{
        PortError,
        shop::{Claim, NewOrder, NotificationLog, OrderProjection, Orders, Recorded, Shoppers},
    },
};
use tolov_mongodb::MongoShop;

use crate::world::{NOON, World, completed, order_id, product, user_id};

const CALL_TIMEOUT: Duration = Duration::from_secs(4);

/// What a busy machine may add to a limit.
const SLACK: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_server_that_goes_away_is_unavailable_in_time_and_is_used_again_when_it_is_back()
-> anyhow::Result<()> {
    let world = World::fresh().await?;
    let (proxy, shop) = world.shop_over_proxy(CALL_TIMEOUT).await;
    shop.set_cart_line(user_id(1), product(7, 1)).await?;

    proxy.refuse_new();
    proxy.cut_all();
    for _ in 0..2 {
        let begun = Instant::now();
        let error = shop.set_cart_line(user_id(1), product(7, 2)).await.unwrap_err();
        assert!(error.is_unavailable(), "{error}");
        assert!(begun.elapsed() < CALL_TIMEOUT + SLACK, "{:?}", begun.elapsed());
    }

    proxy.restore();
    shop.set_cart_line(user_id(1), product(7, 3)).await?;
    let user = shop.user(user_id(1)).await?.unwrap();
    assert_eq!(user.cart, [product(7, 3)]);
    world.remove().await
}

#[tokio::test]
async fn a_store_that_started_without_a_server_works_when_the_server_is_there() -> anyhow::Result<()> {
    let world = World::fresh().await?;
    let (proxy, shop) = world.shop_over_proxy(CALL_TIMEOUT).await;
    proxy.refuse_new();
    assert!(shop.next_order_id().await.unwrap_err().is_unavailable());

    proxy.restore();
    assert_eq!(shop.next_order_id().await?, order_id(1001));
    world.remove().await
}

#[tokio::test]
async fn a_server_that_has_stopped_answering_is_unavailable_in_time() -> anyhow::Result<()> {
    for direction in [Direction::ToServer, Direction::ToClient] {
        let world = World::fresh().await?;
        let (proxy, shop) = world.shop_over_proxy(CALL_TIMEOUT).await;
        shop.ping().await?;
        proxy.swallow(direction);
        let begun = Instant::now();
        let error = shop.user(user_id(1)).await.unwrap_err();
        assert!(error.is_unavailable(), "{error}");
        assert!(begun.elapsed() < CALL_TIMEOUT + SLACK, "{:?}", begun.elapsed());
        proxy.restore();
        shop.user(user_id(1)).await?;
        world.remove().await?;
    }
    Ok(())
}

#[tokio::test]
async fn writes_whose_answer_is_lost_may_be_repeated() -> anyhow::Result<()> {
    let world = World::fresh().await?;
    let (proxy, shop) = world.shop_over_proxy(CALL_TIMEOUT).await;
    let ids = [EventId::new("payment.completed:1024/shopper")];
    let lease = NOON + Duration::from_mins(1);
    let total = tolov_domain::Tiyin::ZERO;
    let order = NewOrder { id: order_id(1024), user_id: user_id(1), lines: vec![], total, created_at: NOON };

    let placed = losing_the_answer(&proxy, &shop, shop.place_order(&order)).await;
    let put = losing_the_answer(&proxy, &shop, shop.set_cart_line(user_id(1), product(7, 2))).await;
    let claimed = losing_the_answer(&proxy, &shop, shop.claim(&ids, NOON, lease)).await;
    assert!(placed.unwrap_err().is_unavailable());
    assert!(put.unwrap_err().is_unavailable());
    assert!(claimed.unwrap_err().is_unavailable());

    assert_eq!(shop.place_order(&order).await?, Recorded::Before);
    shop.set_cart_line(user_id(1), product(7, 2)).await?;
    assert_eq!(shop.user(user_id(1)).await?.unwrap().cart, [product(7, 2)]);
    // Nobody knows of the lost claim, so nobody sends until its lease is over.
    assert_eq!(shop.claim(&ids, NOON, lease).await?, [Claim::Busy { until: lease }]);
    world.remove().await
}

#[tokio::test]
async fn events_whose_answer_is_lost_between_orders_and_shoppers_count_once_when_they_come_again()
-> anyhow::Result<()> {
    let world = World::fresh().await?;
    let mut lost = 0;
    for round in 0..20 {
        let events = batch_of_round(round);
        let (proxy, shop) = world.shop_over_proxy(CALL_TIMEOUT).await;
        let applied = apply_until_the_first_order_is_there(&world, &shop, &events).await;
        proxy.swallow(Direction::ToClient);
        let outcome = applied.await?;
        proxy.restore();
        if let Err(error) = outcome {
            assert!(error.is_unavailable(), "{error}");
            lost += 1;
        }
        shop.apply(&events).await?;
        assert_counted_once(&shop, round, &events).await?;
        if lost == 2 {
            return world.remove().await;
        }
    }
    anyhow::bail!("no answer was lost in 20 rounds: the server is faster than this test");
}

#[tokio::test]
async fn a_connection_that_breaks_within_a_write_is_mended_without_the_caller() -> anyhow::Result<()> {
    let world = World::fresh().await?;
    for round in 0..5 {
        let events = batch_of_round(round);
        let (proxy, shop) = world.shop_over_proxy(Duration::from_secs(20)).await;
        let applied = apply_until_the_first_order_is_there(&world, &shop, &events).await;
        proxy.cut_all();
        let orders = applied.await??;
        assert!(orders.iter().all(|order| order.status == OrderStatus::Paid && order.history.len() == 1));
        assert_counted_once(&shop, round, &events).await?;
    }
    world.remove().await
}

/// Runs a call whose command reaches the server, on the connection that the ping leaves, while answers are swallowed.
pub(crate) async fn losing_the_answer<T>(
    proxy: &ChaosProxy,
    shop: &MongoShop,
    call: impl Future<Output = T>,
) -> T {
    shop.ping().await.unwrap();
    proxy.swallow(Direction::ToClient);
    let outcome = call.await;
    proxy.restore();
    outcome
}

fn batch_of_round(round: i64) -> Vec<Event> {
    (0..200).map(|n| completed(10_000 * (round + 1) + n, round + 1, &[product(7, 1)])).collect()
}

/// Starts to apply and returns once the server has written the first order and has most of the batch before it.
async fn apply_until_the_first_order_is_there(
    world: &World,
    shop: &MongoShop,
    events: &[Event],
) -> tokio::task::JoinHandle<Result<Vec<tolov_domain::order::Order>, PortError>> {
    shop.ping().await.unwrap();
    let first = doc! { "_id": events[0].order_id.get() };
    let (shop, events) = (shop.clone(), events.to_vec());
    let applied = tokio::spawn(async move { shop.apply(&events).await });
    let orders = world.database.collection::<Document>("orders");
    while orders.find_one(first.clone()).await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    applied
}

async fn assert_counted_once(shop: &MongoShop, round: i64, events: &[Event]) -> anyhow::Result<()> {
    let user = shop.user(user_id(round + 1)).await?.unwrap();
    assert_eq!(usize::try_from(user.order_count)?, events.len());
    Ok(())
}
