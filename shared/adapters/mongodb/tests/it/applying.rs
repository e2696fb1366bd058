//! Events become orders and shoppers, once.

use mongodb::bson::{Document, doc};
use tolov_domain::{
    Tiyin,
    order::{OrderLine, OrderStatus},
    ports::shop::{NewOrder, OrderProjection, Orders, Recorded, Shoppers},
};

use crate::world::{NOON, World, cancelled, completed, expired, order_id, product, user_id};

#[tokio::test]
async fn an_order_that_nobody_placed_is_made_from_its_event_with_names_and_prices_of_the_catalogue()
-> anyhow::Result<()> {
    let world = World::fresh().await?;
    let products = world.database.collection::<Document>("products");
    products.insert_one(doc! { "_id": 7_i64, "title": "$lagman", "price": 1_500_000_i64 }).await?;
    products.insert_one(doc! { "_id": 8_i64, "title": "half an entry", "price": "dear" }).await?;
    let shop = world.shop().await;

    let event = completed(1024, 5551, &[product(7, 2), product(8, 1), product(9, 1)]);
    let orders = shop.apply(std::slice::from_ref(&event)).await?;

    let line = |id, count, title: &str, price| {
        let product = product(id, count);
        OrderLine { product_id: product.product_id, count, title: title.to_owned(), price }
    };
    let price = Some(Tiyin::try_new(1_500_000)?);
    assert_eq!(
        orders[0].lines,
        [line(7, 2, "$lagman", price), line(8, 1, "half an entry", None), line(9, 1, "", None)]
    );
    assert_eq!(orders[0].status, OrderStatus::Paid);
    assert_eq!(shop.order(event.order_id).await?.as_ref(), Some(&orders[0]));
    world.remove().await
}

#[tokio::test]
async fn one_batch_may_hold_an_order_twice_and_many_orders_of_one_shopper() -> anyhow::Result<()> {
    let world = World::fresh().await?;
    let shop = world.shop().await;
    shop.set_cart_line(user_id(1), product(7, 5)).await?;
    shop.set_cart_line(user_id(1), product(8, 1)).await?;
    let batch = [
        expired(11, 1, &[product(7, 2)]),
        completed(11, 1, &[product(7, 2)]),
        cancelled(12, 1, &[product(8, 1)]),
        completed(12, 1, &[product(8, 1), product(7, 1)]),
        completed(11, 1, &[product(7, 2)]),
        expired(11, 1, &[product(7, 2)]),
    ];

    for _ in 0..3 {
        let orders = shop.apply(&batch).await?;
        let numbers: Vec<i64> = orders.iter().map(|order| order.id.get()).collect();
        assert_eq!(numbers, [11, 11, 12, 12, 11, 11], "an answer for each event, in the order given");
        assert!(orders.iter().all(|order| order.status == OrderStatus::Paid));
        assert_eq!(orders[0].history.len(), 2, "{:?}", orders[0].history);
        let user = shop.user(user_id(1)).await?.unwrap();
        assert_eq!((user.order_count, user.cart.as_slice()), (2, [product(7, 2)].as_slice()));
    }
    world.remove().await
}

#[tokio::test]
async fn five_hundred_events_in_one_call_and_again_have_one_effect() -> anyhow::Result<()> {
    let world = World::fresh().await?;
    let shop = world.shop().await;
    let events: Vec<_> = (0..500).map(|n| completed(2_000 + n, 1 + n % 50, &[product(7, 1)])).collect();

    let first = shop.apply(&events).await?;
    let second = shop.apply(&events).await?;

    assert_eq!(first.len(), 500);
    assert!(first == second, "the second call changed an order");
    for user in 1..=50 {
        assert_eq!(shop.user(user_id(user)).await?.map(|user| user.order_count), Some(10));
    }
    world.remove().await
}

#[tokio::test]
async fn writers_that_race_on_the_first_events_of_one_shopper_all_count() -> anyhow::Result<()> {
    let world = World::fresh().await?;
    for round in 0..10 {
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..4 {
            let shop = world.shop().await;
            shop.ping().await?;
            let order = 100 * (round + 1);
            // Orders of their own, and one that all of them have.
            let events = [completed(order + writer, round + 1, &[]), completed(order + 50, round + 1, &[])];
            writers.spawn(async move { shop.apply(&events).await });
        }
        while let Some(applied) = writers.join_next().await {
            applied??;
        }
        let user = world.shop().await.user(user_id(round + 1)).await?.unwrap();
        assert_eq!(user.order_count, 5, "four orders and the shared one");
    }
    world.remove().await
}

#[tokio::test]
async fn a_replay_after_hundreds_of_later_orders_counts_nothing_again() -> anyhow::Result<()> {
    let world = World::fresh().await?;
    let shop = world.shop().await;
    let events: Vec<_> = (0..400).map(|n| completed(2_000 + n, 1, &[])).collect();
    shop.apply(&events).await?;

    shop.apply(&events[..1]).await?;

    assert_eq!(shop.user(user_id(1)).await?.map(|user| user.order_count), Some(400));
    world.remove().await
}

#[tokio::test]
async fn checkout_after_the_event_leaves_the_paid_order_as_it_is() -> anyhow::Result<()> {
    let world = World::fresh().await?;
    let shop = world.shop().await;
    let paid = shop.apply(&[completed(1024, 1, &[product(7, 1)])]).await?;
    let late = NewOrder {
        id: order_id(1024),
        user_id: user_id(1),
        lines: vec![],
        total: Tiyin::ZERO,
        created_at: NOON,
    };

    assert_eq!(shop.place_order(&late).await?, Recorded::Before);

    assert_eq!(shop.order(order_id(1024)).await?.as_ref(), paid.first());
    world.remove().await
}

#[tokio::test]
async fn a_document_that_cannot_be_read_is_named() -> anyhow::Result<()> {
    let world = World::fresh().await?;
    let shop = world.shop().await;
    shop.apply(&[completed(1024, 1, &[])]).await?;
    let orders = world.database.collection::<Document>("orders");
    orders.update_one(doc! { "_id": 1024_i64 }, doc! { "$set": { "status": "lost" } }).await?;

    let refusal = shop.order(order_id(1024)).await.unwrap_err();

    assert!(!refusal.is_unavailable());
    let text = refusal.to_string();
    assert!(text.contains("1024 in orders") && text.contains("lost") && text.contains("repair"), "{text}");
    world.remove().await
}

#[tokio::test]
async fn a_unique_index_that_somebody_added_is_refused_and_not_tried_for_ever() -> anyhow::Result<()> {
    let world = World::fresh().await?;
    let shop = world.shop().await;
    let unique_total = mongodb::IndexModel::builder()
        .keys(doc! { "total": 1 })
        .options(mongodb::options::IndexOptions::builder().unique(true).build())
        .build();
    world.database.collection::<Document>("orders").create_index(unique_total).await?;

    let refusal = shop.apply(&[completed(1, 1, &[]), completed(2, 1, &[])]).await.unwrap_err();

    assert!(!refusal.is_unavailable(), "{refusal}");
    assert!(refusal.to_string().contains("11000"), "{refusal}");
    assert!(shop.order(order_id(1)).await?.is_some(), "what came before it is written");
    world.remove().await
}
