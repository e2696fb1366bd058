//! Documents as they lie in MongoDB, beside what other hands put there, and over a way that breaks.

use std::time::Duration;

use mongodb::bson::{DateTime, Document, doc};
use serde_json::{Value, json};
use tolov_domain::{
    Tiyin,
    ports::{
        PortError,
        documents::{Body, Collection, Documents, Key, Put, Query},
        shop::OrderProjection,
    },
};

use crate::world::{World, completed, product};

const PRODUCTS: Collection = Collection::Products;
const SEVEN: Key = Key::Number(7);

fn body(fields: &Value) -> Body {
    fields.as_object().unwrap().clone()
}

async fn stored(world: &World, collection: &str) -> Document {
    world.database.collection::<Document>(collection).find_one(doc! {}).await.unwrap().unwrap()
}

#[tokio::test]
async fn fields_lie_flat_beside_the_version_with_dates_and_whole_numbers() -> anyhow::Result<()> {
    let world = World::fresh().await?;
    let shop = world.shop().await;
    let fields = json!({ "stage": "new", "placed_at": 1_000, "total": 5, "steps": [{ "done_at": 7 }] });
    let key = Key::Number(1024);
    shop.put(Collection::Fulfilments, &key, None, &body(&fields)).await?;
    let expected = doc! {
        "_id": 1024_i64,
        "version": 1_i64,
        "stage": "new",
        "placed_at": DateTime::from_millis(1_000),
        "total": 5_i64,
        "steps": [{ "done_at": DateTime::from_millis(7) }],
    };
    let sorted = |document: Document| document.into_iter().collect::<std::collections::BTreeMap<_, _>>();
    assert_eq!(sorted(stored(&world, "fulfilments").await), sorted(expected.clone()));
    shop.put(Collection::Fulfilments, &key, Some(1), &body(&fields)).await?;
    let mut changed = expected;
    changed.insert("version", 2_i64);
    assert_eq!(sorted(stored(&world, "fulfilments").await), sorted(changed));
    world.remove().await
}

#[tokio::test]
async fn an_order_from_an_event_finds_name_and_price_in_the_documents_of_products() -> anyhow::Result<()> {
    let world = World::fresh().await?;
    let shop = world.shop().await;
    shop.put(PRODUCTS, &SEVEN, None, &body(&json!({ "title": "non", "price": 5_000, "other": {} }))).await?;
    let orders = shop.apply(&[completed(1024, 5551, &[product(7, 2)])]).await?;
    let line = &orders[0].lines[0];
    assert_eq!((line.title.as_str(), line.price), ("non", Some(Tiyin::try_new(5_000)?)));
    world.remove().await
}

#[tokio::test]
async fn what_somebody_put_there_by_hand_is_read_as_version_0_and_changed_from_there() -> anyhow::Result<()> {
    let world = World::fresh().await?;
    let shop = world.shop().await;
    let by_hand = doc! { "_id": 7, "title": "non", "price": 1_500_000_000_000.0, "category_id": 2 };
    world.database.collection::<Document>("products").insert_one(by_hand).await?;
    let read = shop.get(PRODUCTS, &SEVEN).await?.unwrap();
    let meant = body(&json!({ "title": "non", "price": 1_500_000_000_000_i64, "category_id": 2 }));
    assert_eq!((read.version, &read.body), (0, &meant));
    assert_eq!(shop.find(&Query::is(PRODUCTS, "category_id", 2, 1)).await?, std::slice::from_ref(&read));

    assert_eq!(shop.put(PRODUCTS, &SEVEN, None, &meant).await?, Put::Conflict);
    assert_eq!(shop.put(PRODUCTS, &SEVEN, Some(0), &meant).await?, Put::Done(1));
    assert_eq!(shop.put(PRODUCTS, &SEVEN, Some(0), &meant).await?, Put::Conflict);
    assert!(shop.remove(PRODUCTS, &SEVEN, 1).await?);
    world.remove().await
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_its_name() -> anyhow::Result<()> {
    let world = World::fresh().await?;
    let shop = world.shop().await;
    let odd = doc! { "_id": 7_i64, "version": 1_i64, "price": 1.5 };
    world.database.collection::<Document>("products").insert_one(odd).await?;
    let error = shop.get(PRODUCTS, &SEVEN).await.unwrap_err();
    let told = error.to_string();
    assert!(matches!(error, PortError::Refused(_)), "{told}");
    assert!(told.contains("document 7 in products") && told.contains("price"), "{told}");
    world.remove().await
}

#[tokio::test]
async fn writes_whose_answer_is_lost_are_there_and_a_repetition_hears_a_conflict() -> anyhow::Result<()> {
    let world = World::fresh().await?;
    let (proxy, shop) = world.shop_over_proxy(Duration::from_secs(4)).await;
    let (first, second) = (body(&json!({ "title": "non" })), body(&json!({ "title": "somsa" })));

    let made =
        crate::faults::losing_the_answer(&proxy, &shop, shop.put(PRODUCTS, &SEVEN, None, &first)).await;
    assert!(made.unwrap_err().is_unavailable());
    assert_eq!(shop.get(PRODUCTS, &SEVEN).await?.unwrap().body, first);
    assert_eq!(shop.put(PRODUCTS, &SEVEN, None, &first).await?, Put::Conflict);

    let changed = shop.put(PRODUCTS, &SEVEN, Some(1), &second);
    let changed = crate::faults::losing_the_answer(&proxy, &shop, changed).await;
    assert!(changed.unwrap_err().is_unavailable());
    let read = shop.get(PRODUCTS, &SEVEN).await?.unwrap();
    assert_eq!((read.version, read.body), (2, second.clone()));
    assert_eq!(shop.put(PRODUCTS, &SEVEN, Some(1), &second).await?, Put::Conflict);

    let removed = crate::faults::losing_the_answer(&proxy, &shop, shop.remove(PRODUCTS, &SEVEN, 2)).await;
    assert!(removed.unwrap_err().is_unavailable());
    assert_eq!(shop.get(PRODUCTS, &SEVEN).await?, None);
    assert!(!shop.remove(PRODUCTS, &SEVEN, 2).await?);
    world.remove().await
}
