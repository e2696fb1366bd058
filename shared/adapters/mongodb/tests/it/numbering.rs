//! Order numbers, also when the counters are lost.

use mongodb::bson::{Document, doc};
use tolov_domain::ports::shop::{OrderProjection, Orders};

use crate::world::{World, completed, order_id};

#[tokio::test]
async fn an_empty_shop_begins_with_1001() -> anyhow::Result<()> {
    let world = World::fresh().await?;
    let shop = world.shop().await;
    assert_eq!(shop.next_order_id().await?, order_id(1001));
    assert_eq!(shop.next_order_id().await?, order_id(1002));
    world.remove().await
}

#[tokio::test]
async fn a_number_of_an_order_that_came_from_an_event_is_not_given_out() -> anyhow::Result<()> {
    let world = World::fresh().await?;
    let shop = world.shop().await;
    assert_eq!(shop.next_order_id().await?, order_id(1001));
    shop.apply(&[completed(5000, 1, &[]), completed(4000, 1, &[])]).await?;
    assert_eq!(shop.next_order_id().await?, order_id(5001));
    world.remove().await
}

#[tokio::test]
async fn counters_that_are_lost_are_made_from_the_orders() -> anyhow::Result<()> {
    let world = World::fresh().await?;
    let shop = world.shop().await;
    shop.apply(&[completed(5000, 1, &[])]).await?;

    world.database.collection::<Document>("counters").drop().await?;
    assert_eq!(shop.next_order_id().await?, order_id(5001), "while a process runs");

    let lowered = doc! { "$set": { "value": 7_i64 } };
    world.database.collection::<Document>("counters").update_one(doc! { "_id": "orders" }, lowered).await?;
    assert_eq!(world.shop().await.next_order_id().await?, order_id(5001), "at the start of a process");
    world.remove().await
}
