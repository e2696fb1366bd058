//! Opening after a crash: a killed process closes nothing, so the tests drop without closing.

use tolov_contract::bus::RETRY_DELAYS_MS;
use tolov_domain::{
    Event, EventId, EventKind, OrderId, OrderedProduct, ProductId, Tiyin, UserId,
    order::OrderStatus,
    ports::{
        bus::{Queue, Verdict},
        shop::{Claim, NotificationLog, OrderProjection, Orders, Outcome, Shoppers},
    },
};
use tolov_embedded::EmbeddedShop;

use crate::{drain, names, open_bus, publish, receive_one, settle};

#[tokio::test]
async fn a_reopened_bus_has_every_message_that_was_not_settled() {
    let folder = tempfile::tempdir().unwrap();
    let bus = open_bus(folder.path()).await;
    publish(&bus, &["done", "held", "retried", "parked", "waiting"]).await;
    let consumer = bus.consumer(Queue::ProjectorPayments);
    settle(&*consumer, receive_one(&*consumer).await, Verdict::Done).await;
    let held = receive_one(&*consumer).await;
    let retry = Verdict::Retry { reason: "the store is away".to_owned() };
    settle(&*consumer, receive_one(&*consumer).await, retry).await;
    let park = Verdict::Park { reason: "no schema".to_owned() };
    settle(&*consumer, receive_one(&*consumer).await, park).await;
    drop((held, consumer, bus));

    let bus = open_bus(folder.path()).await;
    let consumer = bus.consumer(Queue::ProjectorPayments);
    let mut came = Vec::new();
    for _ in 0..3 {
        let delivery = receive_one(&*consumer).await;
        came.push((delivery.id.to_string(), delivery.retries));
    }
    came.sort();
    assert_eq!(came, [("held".to_owned(), 0), ("retried".to_owned(), 1), ("waiting".to_owned(), 0)]);
    drop(consumer);
    assert_eq!(drain(&bus).await, names(&["held", "retried", "waiting"]));
    let parked = bus.admin().parked(Queue::ProjectorPayments, 0, 10).await.unwrap();
    assert_eq!((parked[0].id.as_str(), parked[0].reason.as_str()), ("parked", "no schema"));
    bus.close().await.unwrap();
}

#[tokio::test]
async fn one_folder_has_one_running_bus() {
    let folder = tempfile::tempdir().unwrap();
    let bus = open_bus(folder.path()).await;
    let clock = std::sync::Arc::new(tolov_kit::clock::SystemClock);
    let second = tolov_embedded::EmbeddedBus::open(folder.path(), clock, RETRY_DELAYS_MS).await;
    assert!(second.unwrap_err().to_string().contains("another process"));
    publish(&bus, &["one"]).await;
    drop(bus);
    assert_eq!(drain(&open_bus(folder.path()).await).await, names(&["one"]));
}

#[tokio::test]
async fn a_shop_comes_back_with_all_that_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let now = time::macros::datetime!(2026-11-23 09:00 UTC);
    let later = now + time::Duration::MINUTE;
    let order_id = OrderId::try_new(7).unwrap();
    let user_id = UserId::try_new(5551).unwrap();
    let line = OrderedProduct { product_id: ProductId::try_new(7).unwrap(), count: 2 };
    let expired = Event {
        id: Event::id_of(order_id, &EventKind::OrderExpired),
        order_id,
        user_id,
        products: vec![line],
        amount: Tiyin::try_new(3_000_000).unwrap(),
        occurred_at: now,
        kind: EventKind::OrderExpired,
    };
    let sent = EventId::new("payment.completed:7/shopper");
    let claimed = EventId::new("payment.completed:7/staff");

    let shop = EmbeddedShop::open(folder.path()).await.unwrap();
    shop.apply(&[expired]).await.unwrap();
    shop.set_cart_line(user_id, line).await.unwrap();
    let number = shop.next_order_id().await.unwrap();
    shop.claim(&[sent.clone(), claimed.clone()], now, later).await.unwrap();
    let outcome = Outcome::Sent { message_id: 77 };
    shop.settle(std::slice::from_ref(&sent), &outcome, now).await.unwrap();
    drop(shop);

    let shop = EmbeddedShop::open(folder.path()).await.unwrap();
    assert_eq!(shop.order(order_id).await.unwrap().unwrap().status, OrderStatus::Expired);
    assert_eq!(shop.user(user_id).await.unwrap().unwrap().cart, [line]);
    assert!(shop.next_order_id().await.unwrap() > number);
    assert_eq!(shop.outcome(&sent).await.unwrap(), Some(outcome));
    assert_eq!(shop.claim(&[claimed], now, later).await.unwrap(), [Claim::Busy { until: later }]);
    shop.close().await.unwrap();
    assert!(shop.user(user_id).await.unwrap_err().is_unavailable());
    assert!(shop.next_order_id().await.unwrap_err().is_unavailable());
}
