//! The connection breaks: callers are told in time, and what they repeat has one effect.

use std::time::{Duration, Instant};

use mongodb::bson::{Document, doc};
use tolov_contract::chaos_proxy::{ChaosProxy, Direction};
use tolov_domain::{
    EventId,
    ports::{
        documents::{Body, Collection, Documents, Key, Put, Query, Write, Written},
        notifications::{Claim, NotificationLog},
    },
};
use tolov_mongodb::MongoShop;

use crate::world::{NOON, Server, World};

const CALL_TIMEOUT: Duration = Duration::from_secs(4);

/// What a busy machine may add to a limit.
pub(crate) const SLACK: Duration = Duration::from_secs(2);

const ORDERS: Collection = Collection::new("orders", &["status"]);
const USERS: Collection = Collection::new("users", &[]);
const KEY: Key = Key::Number(1);

pub(crate) async fn a_server_that_goes_away_is_unavailable_in_time_and_is_used_again_when_it_is_back(
    server: Server,
) -> anyhow::Result<()> {
    let world = World::fresh(server).await?;
    let (proxy, shop) = world.shop_over_proxy(CALL_TIMEOUT).await;
    assert_eq!(shop.put(USERS, &KEY, None, &Body::new()).await?, Put::Done(1));

    proxy.refuse_new();
    proxy.cut_all();
    for _ in 0..2 {
        let begun = Instant::now();
        let error = shop.put(USERS, &KEY, Some(1), &Body::new()).await.unwrap_err();
        assert!(error.is_unavailable(), "{error}");
        assert!(begun.elapsed() < CALL_TIMEOUT + SLACK, "{:?}", begun.elapsed());
    }

    proxy.restore();
    assert_eq!(shop.put(USERS, &KEY, Some(1), &Body::new()).await?, Put::Done(2));
    world.remove().await
}

pub(crate) async fn a_store_that_started_without_a_server_works_when_the_server_is_there(
    server: Server,
) -> anyhow::Result<()> {
    let world = World::fresh(server).await?;
    let (proxy, shop) = world.shop_over_proxy(CALL_TIMEOUT).await;
    proxy.refuse_new();
    assert!(shop.put(USERS, &KEY, None, &Body::new()).await.unwrap_err().is_unavailable());

    proxy.restore();
    assert_eq!(shop.put(USERS, &KEY, None, &Body::new()).await?, Put::Done(1));
    world.remove().await
}

pub(crate) async fn a_server_that_stops_answering_is_unavailable_in_time(
    server: Server,
) -> anyhow::Result<()> {
    for direction in [Direction::ToServer, Direction::ToClient] {
        let world = World::fresh(server).await?;
        let (proxy, shop) = world.shop_over_proxy(CALL_TIMEOUT).await;
        shop.ping().await?;
        proxy.swallow(direction);
        let begun = Instant::now();
        let error = shop.get(USERS, &KEY).await.unwrap_err();
        assert!(error.is_unavailable(), "{error}");
        assert!(begun.elapsed() < CALL_TIMEOUT + SLACK, "{:?}", begun.elapsed());
        proxy.restore();
        assert_eq!(shop.get(USERS, &KEY).await?, None);
        world.remove().await?;
    }
    Ok(())
}

pub(crate) async fn a_claim_whose_answer_is_lost_is_busy_until_its_lease_ends(
    server: Server,
) -> anyhow::Result<()> {
    let world = World::fresh(server).await?;
    let (proxy, shop) = world.shop_over_proxy(CALL_TIMEOUT).await;
    let ids = [EventId::new("payment.completed:1024/shopper")];
    let lease = NOON + Duration::from_mins(1);
    let claimed = losing_the_answer(&proxy, &shop, shop.claim(&ids, NOON, lease)).await;
    assert!(claimed.unwrap_err().is_unavailable());
    assert_eq!(shop.claim(&ids, NOON, lease).await?, [Claim::Busy { until: lease }]);
    world.remove().await
}

pub(crate) async fn a_batch_whose_answer_is_lost_is_stored_once_and_its_repetition_conflicts(
    server: Server,
) -> anyhow::Result<()> {
    let world = World::fresh(server).await?;
    let (proxy, shop) = world.shop_over_proxy(CALL_TIMEOUT).await;
    for (seen, status) in [(None, "new"), (Some(1), "paid")] {
        let batch = batch(seen, status);
        let lost = losing_the_answer(&proxy, &shop, shop.put_many(ORDERS, &batch)).await;
        assert!(lost.unwrap_err().is_unavailable());
        let written = shop.put_many(ORDERS, &batch).await?;
        // Where the server was still at work, some of the second batch were first.
        let version = seen.unwrap_or_default() + 1;
        assert!(written.iter().all(|w| matches!(w, Written::Conflict) || *w == Written::Done(version)));
        assert_stored_once(&shop, &batch).await?;
    }
    world.remove().await
}

pub(crate) async fn a_connection_that_breaks_within_a_batch_is_mended_without_the_caller(
    server: Server,
) -> anyhow::Result<()> {
    let world = World::fresh(server).await?;
    for round in 0..5 {
        let seen = (round > 0).then_some(round);
        let (proxy, shop) = world.shop_over_proxy(Duration::from_secs(20)).await;
        shop.ping().await?;
        let batch = batch(seen, "paid");
        let writing = tokio::spawn({
            let (shop, batch) = (shop.clone(), batch.clone());
            async move { shop.put_many(ORDERS, &batch).await }
        });
        let orders = world.database.collection::<Document>("orders");
        while orders.find_one(doc! { "version": round + 1 }).await?.is_none() {
            tokio::task::yield_now().await;
        }
        proxy.cut_all();
        let written = writing.await??;
        assert!(written.iter().all(|w| matches!(w, Written::Conflict) || *w == Written::Done(round + 1)));
        assert_stored_once(&shop, &batch).await?;
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

fn batch(seen: Option<i64>, status: &str) -> Vec<Write> {
    let body: Body = [("status".to_owned(), status.into())].into_iter().collect();
    (1..=200).map(|number| Write { key: Key::Number(number), seen, body: body.clone() }).collect()
}

async fn assert_stored_once(shop: &MongoShop, batch: &[Write]) -> anyhow::Result<()> {
    let stored = shop.find(&Query::all(ORDERS, u32::MAX)).await?;
    assert_eq!(stored.len(), batch.len());
    for (stored, write) in stored.into_iter().zip(batch) {
        let stored = stored.map_err(|unreadable| anyhow::anyhow!("{unreadable:?}"))?;
        let expected = (&write.key, write.seen.unwrap_or_default() + 1, &write.body);
        assert_eq!((&stored.key, stored.version, &stored.body), expected);
    }
    Ok(())
}
