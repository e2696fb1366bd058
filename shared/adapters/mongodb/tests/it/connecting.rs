//! What the URL says, and what is never told of it.

use std::time::{Duration, Instant};

use tolov_domain::ports::{PortError, documents::Collection, shop::Shoppers};
use tolov_kit::secret::Secret;
use tolov_mongodb::{MongoOptions, MongoShop};

use crate::world::{World, shop_at, user_id};

/// An address of this machine where nobody listens.
async fn nobody() -> std::net::SocketAddr {
    tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn the_database_is_the_one_of_the_url_or_else_tolov() {
    let named = shop_at("mongodb://127.0.0.1:1/bazaar?directConnection=true", MongoOptions::default()).await;
    assert_eq!(named.database_name(), "bazaar");
    let unnamed = shop_at("mongodb://127.0.0.1:1", MongoOptions::default()).await;
    assert_eq!(unnamed.database_name(), "tolov");
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable_in_bounded_time_and_the_password_is_not_told() {
    let url = format!("mongodb://shop:hunter2@{}/bazaar", nobody().await);
    let shop = shop_at(&url, MongoOptions::default()).await;
    let begun = Instant::now();

    let error = shop.user(user_id(1)).await.unwrap_err();

    assert!(error.is_unavailable(), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let told = format!("{error} {error:?} {shop:?}");
    assert!(!told.contains("hunter2"), "{told}");
}

#[tokio::test]
async fn a_url_that_cannot_be_read_is_refused_without_a_word_of_its_password() {
    for url in
        ["mongodb://shop:hun/ter2@db/x", "mongodb://shop:hunter2@db:port/x", "hunter2://shop:hunter2@db", ""]
    {
        let error = MongoShop::connect(&Secret::new(url), MongoOptions::default()).await.unwrap_err();
        assert!(
            matches!(&error, PortError::Refused(advice) if advice.contains("write mongodb://")),
            "{error}"
        );
        assert!(!error.to_string().contains("hun"), "{error}");
    }
    let unknown = Secret::new("mongodb://db/x?tls=perhaps");
    let error = MongoShop::connect(&unknown, MongoOptions::default()).await.unwrap_err();
    assert!(error.to_string().contains("tls"), "without a password the driver's words help: {error}");
}

#[tokio::test]
async fn the_indexes_that_queries_need_are_there_after_the_first_reach_and_one_that_is_gone_is_told()
-> anyhow::Result<()> {
    let world = World::fresh().await?;
    let shop = world.shop().await;
    shop.ping().await?;
    world.shop().await.ping().await?;
    let names = async |collection: &str| {
        world.database.collection::<mongodb::bson::Document>(collection).list_index_names().await
    };
    assert_eq!(names("orders").await?, ["_id_", "user_id_1__id_-1"]);
    for collection in Collection::ALL.into_iter().filter(|collection| !collection.indexed().is_empty()) {
        let fields = collection.indexed().iter().map(|field| format!("{field}_1__id_1"));
        let mut expected: Vec<_> = std::iter::once("_id_".to_owned()).chain(fields).collect();
        expected.sort();
        let mut found = names(collection.name()).await?;
        found.sort();
        assert_eq!(found, expected, "{collection:?}");
    }
    assert_eq!(shop.diagnose().await?.missing_indexes, Vec::<String>::new());
    let fulfilments = world.database.collection::<mongodb::bson::Document>("fulfilments");
    fulfilments.drop_index("stage_1__id_1").await?;
    assert_eq!(shop.diagnose().await?.missing_indexes, ["fulfilments.stage"]);
    world.remove().await
}
