//! Another program's database, as `tolov import-legacy` reads it.

use mongodb::bson::{DateTime, Document, doc, oid::ObjectId};
use serde_json::{Value, json};
use tolov_kit::secret::Secret;
use tolov_mongodb::{ForeignDatabase, is_same_database};

use crate::world::{Server, World};

pub(crate) async fn documents_of_any_shape_are_read_in_the_order_of_their_ids(
    server: Server,
) -> anyhow::Result<()> {
    let world = World::fresh(server).await?;
    let orders = world.database.collection::<Document>("orders");
    let id = ObjectId::parse_str("692aaf090000000000000000")?;
    orders
        .insert_one(doc! { "_id": id, "total_amount": 15000.5, "user_id": 5_551_i64, "count": 2_i32 })
        .await?;
    orders.insert_one(doc! { "_id": 1, "created_at": DateTime::from_millis(0) }).await?;
    let old = ForeignDatabase::connect(&Secret::new(world.url.clone())).await?;
    let mut read: Vec<Value> = Vec::new();
    old.each("orders", |document| read.push(document)).await?;
    old.each("nothing", |document| read.push(document)).await?;
    old.close().await;
    world.remove().await?;
    assert_eq!(
        read,
        [
            json!({ "_id": 1, "created_at": { "$date": "1970-01-01T00:00:00Z" } }),
            json!({ "_id": { "$oid": "692aaf090000000000000000" }, "total_amount": 15000.5, "user_id": 5551, "count": 2 }),
        ]
    );
    Ok(())
}

#[tokio::test]
async fn a_database_is_known_by_its_host_and_its_name() {
    let secret = |url: &str| Secret::new(url.to_owned());
    let own = secret("mongodb://bot:pw@db:27017/tolov");
    assert!(is_same_database(&own, &secret("mongodb://db/tolov")).await);
    assert!(!is_same_database(&own, &secret("mongodb://db/dbname")).await);
    assert!(!is_same_database(&own, &secret("mongodb://other/tolov")).await);
    assert!(ForeignDatabase::connect(&secret("mongodb://db:27017")).await.is_err(), "it names no database");
}
