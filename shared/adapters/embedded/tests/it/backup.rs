//! Copies of the stores' files.

use std::{path::Path, sync::Arc, time::Duration};

use tolov_domain::{
    EventId, Language, UserId,
    ports::{
        bus::{OutgoingMessage, Queue, RETRY_DELAYS_MS, Route},
        shop::{Orders, Shoppers},
    },
};
use tolov_embedded::{
    EmbeddedBus, EmbeddedShop,
    backup::{StoreFile, copy, examine, hold, skip_order_numbers},
};
use tolov_kit::clock::SystemClock;

async fn bus(folder: &Path) -> EmbeddedBus {
    EmbeddedBus::open(folder, Arc::new(SystemClock), RETRY_DELAYS_MS).await.unwrap()
}

fn message(number: u32) -> OutgoingMessage {
    OutgoingMessage {
        id: EventId::new(format!("payment.completed:{number}")),
        route: Route::Notifications,
        schema: "notification/1".to_owned(),
        body: vec![b'x'; 200],
    }
}

#[tokio::test]
async fn a_bus_is_copied_while_it_works_and_every_message_of_that_moment_is_in_the_copy() {
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
    assert!(hold(folder.path()).is_err(), "a bus that runs is not to be replaced");
    let restored = bus(copies.path()).await;
    let depth = restored.admin().depth(Queue::BotNotifications).await.unwrap();
    assert!((50..=100).contains(&depth.ready), "{depth:?}");
    drop((publisher, running));
}

#[tokio::test]
async fn a_shop_that_is_put_back_gives_no_order_number_twice() {
    let (folder, copies) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let shop = EmbeddedShop::open(folder.path()).await.unwrap();
    let shopper = UserId::try_new(5_551).unwrap();
    shop.meet(shopper, Some(Language::Uz)).await.unwrap();
    shop.next_order_id().await.unwrap();
    let copied = copies.path().join(StoreFile::Shop.name());
    copy(&folder.path().join(StoreFile::Shop.name()), &copied).await.unwrap();
    examine(&copied).await.unwrap();
    let mut given_since = shop.next_order_id().await.unwrap();
    for _ in 0..30 {
        given_since = shop.next_order_id().await.unwrap();
    }
    let last = skip_order_numbers(&copied, Duration::from_mins(10)).await.unwrap();
    let restored = EmbeddedShop::open(copies.path()).await.unwrap();
    let fresh = restored.next_order_id().await.unwrap();
    assert_eq!(fresh.get(), last + 1);
    assert!(fresh > given_since);
    assert!(restored.user(shopper).await.unwrap().is_some(), "and the shoppers are there");
}

#[tokio::test]
async fn a_damaged_copy_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(StoreFile::Shop.name());
    std::fs::write(&file, "no database, but long enough to look like the head of one".repeat(20)).unwrap();
    assert!(examine(&file).await.is_err());
    assert!(copy(&folder.path().join("nowhere.db"), &folder.path().join("copy.db")).await.is_err());
}
