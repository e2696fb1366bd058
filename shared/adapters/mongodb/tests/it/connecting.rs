//! Connecting, secrets in errors, and closing.

use std::time::{Duration, Instant};

use tolov_contract::documents::COLLECTIONS;
use tolov_domain::ports::{
    PortError,
    documents::{Body, Collection, Documents, Key, Put},
};
use tolov_kit::secret::Secret;
use tolov_mongodb::{MongoOptions, MongoShop};

use crate::world::{Server, World, shop_at};

const USERS: Collection = Collection::new("users", &[]);

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
async fn a_server_that_is_away_is_unavailable_in_bounded_time_without_showing_the_password() {
    let url = format!("mongodb://shop:hunter2@{}/bazaar", nobody().await);
    let shop = shop_at(&url, MongoOptions::default()).await;
    let begun = Instant::now();

    let error = shop.get(USERS, &Key::Number(1)).await.unwrap_err();

    assert!(error.is_unavailable(), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let told = format!("{error} {error:?} {shop:?}");
    assert!(!told.contains("hunter2"), "{told}");
}

#[tokio::test]
async fn an_invalid_url_is_refused_without_showing_its_password() {
    for url in
        ["mongodb://shop:hun/ter2@db/x", "mongodb://shop:hunter2@db:port/x", "hunter2://shop:hunter2@db", ""]
    {
        let error = MongoShop::connect(&Secret::new(url), MongoOptions::default(), &[]).await.unwrap_err();
        assert!(
            matches!(&error, PortError::Refused(advice) if advice.contains("write mongodb://")),
            "{error}"
        );
        assert!(!error.to_string().contains("hun"), "{error}");
    }
    let unknown = Secret::new("mongodb://db/x?tls=perhaps");
    let error = MongoShop::connect(&unknown, MongoOptions::default(), &[]).await.unwrap_err();
    assert!(error.to_string().contains("tls"), "without a password the driver's error is shown: {error}");
}

pub(crate) async fn the_first_call_creates_the_indexes_and_a_missing_one_is_reported(
    server: Server,
) -> anyhow::Result<()> {
    let world = World::fresh(server).await?;
    let shop = world.shop().await;
    shop.ping().await?;
    world.shop().await.ping().await?;
    let names = async |collection: &str| {
        world.database.collection::<mongodb::bson::Document>(collection).list_index_names().await
    };
    for collection in COLLECTIONS.into_iter().filter(|collection| !collection.indexed().is_empty()) {
        let fields = collection.indexed().iter().map(|field| format!("{field}_1__id_1"));
        let mut expected: Vec<_> = std::iter::once("_id_".to_owned()).chain(fields).collect();
        expected.sort();
        let mut found = names(collection.name()).await?;
        found.sort();
        assert_eq!(found, expected, "{collection:?}");
    }
    assert_eq!(shop.diagnose().await?.missing_indexes, Vec::<String>::new());
    let orders = world.database.collection::<mongodb::bson::Document>("orders");
    orders.drop_index("status_1__id_1").await?;
    assert_eq!(shop.diagnose().await?.missing_indexes, ["orders.status"]);
    world.remove().await
}

/// A task of the driver that outlives its runtime panics when its peers are gone.
#[test]
fn after_a_close_no_task_of_the_driver_is_left_and_calls_are_unavailable() -> anyhow::Result<()> {
    [Server::Alone, Server::ReplicaSet].into_iter().try_for_each(close_in_the_middle_of_calls)
}

fn close_in_the_middle_of_calls(server: Server) -> anyhow::Result<()> {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let (outside, inside) = (runtime()?, runtime()?);
    let world = outside.block_on(World::fresh(server))?;
    inside.block_on(async {
        let shop = world.shop().await;
        let key = Key::Number(1);
        assert_eq!(shop.put(USERS, &key, None, &Body::new()).await?, Put::Done(1));
        let calls = (0..8).map(|_| {
            let shop = shop.clone();
            tokio::spawn(async move { shop.get(USERS, &Key::Number(1)).await })
        });
        let calls: Vec<_> = calls.collect();
        shop.close().await?;
        for call in calls {
            let outcome = call.await.unwrap();
            let is_fine = outcome.as_ref().map_or_else(PortError::is_unavailable, Option::is_some);
            assert!(is_fine, "{outcome:?}");
        }
        // One waits for the drop of the driver's last handle. A task is counted for a moment after its end.
        let ended = async {
            while inside.metrics().num_alive_tasks() > 1 {
                tokio::task::yield_now().await;
            }
        };
        assert!(
            tokio::time::timeout(Duration::from_secs(10), ended).await.is_ok(),
            "a task of the driver is left"
        );
        assert!(shop.get(USERS, &key).await.unwrap_err().is_unavailable());
        assert!(shop.ping().await.unwrap_err().is_unavailable());
        shop.close().await
    })?;
    outside.block_on(world.remove())
}
