//! Documents as they are stored, documents and indexes that others made, and lost answers.

use std::time::Duration;

use mongodb::bson::{DateTime, Document, doc};
use serde_json::{Value, json};
use tolov_domain::ports::{
    PortError,
    documents::{Body, Collection, Documents, Key, Put, Query, Sequence, Write, Written},
};

use crate::{
    faults::losing_the_answer,
    world::{Server, World},
};

const ORDERS: Collection = Collection::new("orders", &["status"]);
const PRODUCTS: Collection = Collection::new("products", &["category_id"]);
const SEVEN: Key = Key::Number(7);

fn body(fields: &Value) -> Body {
    fields.as_object().unwrap().clone()
}

async fn stored(world: &World, collection: &str) -> Document {
    world.database.collection::<Document>(collection).find_one(doc! {}).await.unwrap().unwrap()
}

pub(crate) async fn fields_are_stored_flat_beside_the_version_as_dates_and_int64(
    server: Server,
) -> anyhow::Result<()> {
    let world = World::fresh(server).await?;
    let shop = world.shop().await;
    let fields = json!({ "status": "new", "placed_at": 1_000, "total": 5, "steps": [{ "done_at": 7 }] });
    let key = Key::Number(1024);
    shop.put(ORDERS, &key, None, &body(&fields)).await?;
    let expected = doc! {
        "_id": 1024_i64,
        "version": 1_i64,
        "status": "new",
        "placed_at": DateTime::from_millis(1_000),
        "total": 5_i64,
        "steps": [{ "done_at": DateTime::from_millis(7) }],
    };
    let sorted = |document: Document| document.into_iter().collect::<std::collections::BTreeMap<_, _>>();
    assert_eq!(sorted(stored(&world, "orders").await), sorted(expected.clone()));
    shop.put(ORDERS, &key, Some(1), &body(&fields)).await?;
    let mut changed = expected;
    changed.insert("version", 2_i64);
    assert_eq!(sorted(stored(&world, "orders").await), sorted(changed));
    world.remove().await
}

pub(crate) async fn a_document_inserted_by_hand_is_read_as_version_0_and_can_be_changed(
    server: Server,
) -> anyhow::Result<()> {
    let world = World::fresh(server).await?;
    let shop = world.shop().await;
    let by_hand = doc! { "_id": 7, "title": "non", "price": 1_500_000_000_000.0, "category_id": 2 };
    world.database.collection::<Document>("products").insert_one(by_hand).await?;
    let read = shop.get(PRODUCTS, &SEVEN).await?.unwrap();
    let meant = body(&json!({ "title": "non", "price": 1_500_000_000_000_i64, "category_id": 2 }));
    assert_eq!((read.version, &read.body), (0, &meant));
    assert_eq!(shop.find(&Query::is(PRODUCTS, "category_id", 2, 1)).await?, [Ok(read)]);
    assert_eq!(shop.put(PRODUCTS, &SEVEN, None, &meant).await?, Put::Conflict);
    assert_eq!(shop.put(PRODUCTS, &SEVEN, Some(0), &meant).await?, Put::Done(1));
    assert_eq!(shop.put(PRODUCTS, &SEVEN, Some(0), &meant).await?, Put::Conflict);
    assert!(shop.remove(PRODUCTS, &SEVEN, 1).await?);
    world.remove().await
}

pub(crate) async fn an_unreadable_document_is_refused_with_its_key_and_field(
    server: Server,
) -> anyhow::Result<()> {
    let world = World::fresh(server).await?;
    let shop = world.shop().await;
    let odd = doc! { "_id": 7_i64, "version": 1_i64, "price": 1.5 };
    world.database.collection::<Document>("products").insert_one(odd).await?;
    let error = shop.get(PRODUCTS, &SEVEN).await.unwrap_err();
    let told = error.to_string();
    assert!(matches!(error, PortError::Refused(_)), "{told}");
    assert!(told.contains("document 7 in products") && told.contains("price"), "{told}");
    world.remove().await
}

pub(crate) async fn writes_whose_answer_is_lost_are_stored_and_a_repetition_conflicts(
    server: Server,
) -> anyhow::Result<()> {
    let world = World::fresh(server).await?;
    let (proxy, shop) = world.shop_over_proxy(Duration::from_secs(4)).await;
    let (first, second) = (body(&json!({ "title": "non" })), body(&json!({ "title": "somsa" })));

    let created = losing_the_answer(&proxy, &shop, shop.put(PRODUCTS, &SEVEN, None, &first)).await;
    assert!(created.unwrap_err().is_unavailable());
    assert_eq!(shop.get(PRODUCTS, &SEVEN).await?.unwrap().body, first);
    assert_eq!(shop.put(PRODUCTS, &SEVEN, None, &first).await?, Put::Conflict);

    let changed = losing_the_answer(&proxy, &shop, shop.put(PRODUCTS, &SEVEN, Some(1), &second)).await;
    assert!(changed.unwrap_err().is_unavailable());
    let read = shop.get(PRODUCTS, &SEVEN).await?.unwrap();
    assert_eq!((read.version, read.body), (2, second.clone()));
    assert_eq!(shop.put(PRODUCTS, &SEVEN, Some(1), &second).await?, Put::Conflict);

    let removed = losing_the_answer(&proxy, &shop, shop.remove(PRODUCTS, &SEVEN, 2)).await;
    assert!(removed.unwrap_err().is_unavailable());
    assert_eq!(shop.get(PRODUCTS, &SEVEN).await?, None);
    assert!(!shop.remove(PRODUCTS, &SEVEN, 2).await?);
    world.remove().await
}

pub(crate) async fn a_unique_index_that_somebody_added_refuses_its_document_alone(
    server: Server,
) -> anyhow::Result<()> {
    let world = World::fresh(server).await?;
    let shop = world.shop().await;
    let unique = mongodb::IndexModel::builder()
        .keys(doc! { "total": 1 })
        .options(mongodb::options::IndexOptions::builder().unique(true).build())
        .build();
    world.database.collection::<Document>("orders").create_index(unique).await?;
    let batch = [(1, 5), (2, 5), (3, 6)].map(|(key, total)| Write {
        key: Key::Number(key),
        seen: None,
        body: body(&json!({ "total": total })),
    });
    let mut written = shop.put_many(ORDERS, &batch).await?;
    // The writes of a batch go in any order: either of the two with one total may come first.
    written.sort_by_key(|written| matches!(written, Written::Refused(_)));
    assert!(
        matches!(&written[..], [Written::Done(1), Written::Done(1), Written::Refused(why)] if why.contains("11000")),
        "{written:?}"
    );
    let total = body(&json!({ "total": 5 }));
    let refused = shop.put(ORDERS, &Key::Number(4), None, &total).await;
    assert!(matches!(refused, Err(PortError::Refused(_))), "{refused:?}");
    world.remove().await
}

pub(crate) async fn a_counter_that_was_lost_goes_on_above_the_numbers_in_use(
    server: Server,
) -> anyhow::Result<()> {
    let world = World::fresh(server).await?;
    let shop = world.shop().await;
    let numbers = Sequence::new("orders");
    assert_eq!(shop.next_number(numbers, 1_000).await?, 1_001);
    world.database.collection::<Document>("counters").drop().await?;
    assert_eq!(shop.next_number(numbers, 5_000).await?, 5_001);
    world.remove().await
}
