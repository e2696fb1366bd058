//! Copies of the stores' files.

use std::{path::Path, sync::Arc, time::Duration};

use tolov_domain::{
    EventId,
    ports::{
        bus::{OutgoingMessage, Queue, RETRY_DELAYS_MS, Route},
        documents::{Body, Collection, Documents, Key, Put, Sequence},
    },
};
use tolov_embedded::{
    EmbeddedBus, EmbeddedShop,
    backup::{StoreFile, copy, examine, hold, skip_numbers},
};
use tolov_kit::clock::SystemClock;

const ORDERS: Collection = Collection::new("orders", &[]);
const ORDER_NUMBERS: Sequence = Sequence::new("orders");

async fn bus(folder: &Path) -> EmbeddedBus {
    EmbeddedBus::open(folder, Arc::new(SystemClock), RETRY_DELAYS_MS).await.unwrap()
}

fn message(number: u32) -> OutgoingMessage {
    OutgoingMessage {
        id: EventId::new(format!("payment.completed:{number}")),
        route: Route::Notifications,
        schema: "notification/1".to_owned(),
        body: vec![b'x'; 200],
        traceparent: None,
    }
}

#[tokio::test]
async fn a_copy_of_a_running_bus_has_every_message_of_that_moment() {
    let (folder, copies) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let running = bus(folder.path()).await;
    let publisher = running.publisher();
    for number in 0..50 {
        publisher.publish(&[message(number)]).await.unwrap();
    }
    let copied = copies.path().join(StoreFile::Bus.name());
    let file = folder.path().join(StoreFile::Bus.name());
    let (publishing, copying) = tokio::join!(
        async {
            for number in 50..100 {
                publisher.publish(&[message(number)]).await.unwrap();
            }
        },
        copy(&file, &copied)
    );
    let ((), ()) = (publishing, copying.unwrap());
    examine(&copied).await.unwrap();
    assert!(hold(folder.path()).is_err(), "a running bus must not be replaced");
    let restored = bus(copies.path()).await;
    let depth = restored.admin().depth(Queue::BotNotifications).await.unwrap();
    assert!((50..=100).contains(&depth.ready), "{depth:?}");
    drop((publisher, running));
}

#[tokio::test]
async fn a_restored_shop_gives_no_order_number_twice() {
    for counter_is_lost in [false, true] {
        let (folder, copies) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let shop = EmbeddedShop::open(folder.path()).await.unwrap();
        let placed =
            if counter_is_lost { 1_500 } else { shop.next_number(ORDER_NUMBERS, 1_000).await.unwrap() };
        let key = Key::Number(placed);
        assert_eq!(shop.put(ORDERS, &key, None, &Body::new()).await.unwrap(), Put::Done(1));
        shop.put(ORDERS, &Key::from("draft"), None, &Body::new()).await.unwrap();
        let copied = copies.path().join(StoreFile::Shop.name());
        copy(&folder.path().join(StoreFile::Shop.name()), &copied).await.unwrap();
        examine(&copied).await.unwrap();
        let mut given_since = 0;
        for _ in 0..30 {
            given_since = shop.next_number(ORDER_NUMBERS, placed).await.unwrap();
        }
        let last = skip_numbers(&copied, ORDER_NUMBERS, ORDERS, Duration::from_mins(10)).await.unwrap();
        let restored = EmbeddedShop::open(copies.path()).await.unwrap();
        let fresh = restored.next_number(ORDER_NUMBERS, 0).await.unwrap();
        assert_eq!(fresh, last + 1);
        assert!(fresh > given_since, "{fresh} after {given_since}");
        assert!(restored.get(ORDERS, &key).await.unwrap().is_some(), "orders are restored");
    }
}

#[tokio::test]
async fn a_damaged_copy_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(StoreFile::Shop.name());
    std::fs::write(&file, "not a database, but as long as the header of one".repeat(20)).unwrap();
    assert!(examine(&file).await.is_err());
    assert!(copy(&folder.path().join("nowhere.db"), &folder.path().join("copy.db")).await.is_err());
}
