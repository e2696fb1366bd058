//! Opening after a crash: a killed process closes nothing, so the tests drop without closing.

use sqlx::{ConnectOptions, Connection};
use tolov_contract::bus::{RETRY_DELAYS_MS, all_parked};
use tolov_domain::{
    EventId,
    ports::{
        bus::{Queue, Verdict},
        documents::{Body, Collection, Documents, Key, Put, Query, Sequence},
        notifications::{Claim, NotificationLog, SendOutcome},
    },
};
use tolov_embedded::EmbeddedShop;

use crate::{drain, names, open_bus, publish, receive_one, settle};

#[tokio::test]
async fn a_reopened_bus_has_every_message_that_was_not_settled() {
    let folder = tempfile::tempdir().unwrap();
    let bus = open_bus(folder.path()).await;
    publish(&bus, &["done", "held", "parked", "retried", "waiting"]).await;
    let consumer = bus.consumer(Queue::ProjectorPayments);
    settle(&*consumer, receive_one(&*consumer).await, Verdict::Done).await;
    let held = receive_one(&*consumer).await;
    let park = Verdict::Park { reason: "no schema".to_owned() };
    settle(&*consumer, receive_one(&*consumer).await, park).await;
    // Last, so that its second try, however soon, is received by nobody before the crash.
    let retry = Verdict::Retry { reason: "the store is away".to_owned() };
    settle(&*consumer, receive_one(&*consumer).await, retry).await;
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
    let parked = all_parked(&*bus.admin(), Queue::ProjectorPayments).await.unwrap();
    assert_eq!((parked[0].id.as_str(), parked[0].reason.as_str()), ("parked", "no schema"));
    bus.close().await.unwrap();
}

#[tokio::test]
async fn a_release_that_is_rolled_back_starts_on_newer_schemas_unless_a_file_forbids_it() {
    let folder = tempfile::tempdir().unwrap();
    let bus = open_bus(folder.path()).await;
    publish(&bus, &["kept"]).await;
    bus.close().await.unwrap();
    drop(bus);
    EmbeddedShop::open(folder.path()).await.unwrap().close().await.unwrap();
    for (name, table) in [("bus.db", "messages"), ("shop.db", "documents")] {
        change_file(
            folder.path(),
            name,
            &format!(
                "CREATE TABLE added_later (id INTEGER PRIMARY KEY) STRICT;
             ALTER TABLE {table} ADD COLUMN added_later TEXT;
             INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
               VALUES (99, 'of a newer release', 1, x'00', 0)"
            ),
        )
        .await;
    }
    let bus = open_bus(folder.path()).await;
    assert_eq!(drain(&bus).await, names(&["kept"]));
    let shop = EmbeddedShop::open(folder.path()).await.unwrap();
    assert_eq!(shop.next_number(Sequence::new("orders"), 0).await, Ok(1));
    shop.close().await.unwrap();

    change_file(folder.path(), "shop.db", "PRAGMA user_version = 99").await;
    let refused = EmbeddedShop::open(folder.path()).await.unwrap_err().to_string();
    assert!(refused.contains("needs migration 99") && refused.contains("at least as new"), "{refused}");
}

async fn change_file(folder: &std::path::Path, name: &str, statements: &str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join(name));
    let mut file = options.connect().await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(statements.to_owned())).execute(&mut file).await.unwrap();
    file.close().await.unwrap();
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
    const ORDERS: Collection = Collection::new("orders", &["status"]);
    let folder = tempfile::tempdir().unwrap();
    let now = time::macros::datetime!(2026-11-23 09:00 UTC);
    let later = now + time::Duration::MINUTE;
    let key = Key::Number(1_001);
    let body: Body = [("status".to_owned(), "expired".into())].into_iter().collect();
    let sent = EventId::new("payment.completed:7/shopper");
    let claimed = EventId::new("payment.completed:7/staff");

    let shop = EmbeddedShop::open(folder.path()).await.unwrap();
    assert_eq!(shop.put(ORDERS, &key, None, &body).await.unwrap(), Put::Done(1));
    let number = shop.next_number(Sequence::new("orders"), 0).await.unwrap();
    shop.claim(&[sent.clone(), claimed.clone()], now, later).await.unwrap();
    let outcome = SendOutcome::Sent { message_id: 77 };
    shop.settle(std::slice::from_ref(&sent), &outcome, now).await.unwrap();
    drop(shop);

    let shop = EmbeddedShop::open(folder.path()).await.unwrap();
    let found = shop.find(&Query::is(ORDERS, "status", "expired", 10)).await.unwrap();
    assert_eq!(found[0].as_ref().map(|order| (&order.key, &order.body)), Ok((&key, &body)));
    assert!(shop.next_number(Sequence::new("orders"), 0).await.unwrap() > number);
    assert_eq!(shop.outcome(&sent).await.unwrap(), Some(outcome));
    assert_eq!(shop.claim(&[claimed], now, later).await.unwrap(), [Claim::Busy { until: later }]);
    shop.close().await.unwrap();
    assert!(shop.get(ORDERS, &key).await.unwrap_err().is_unavailable());
    assert!(shop.put(ORDERS, &key, None, &body).await.unwrap_err().is_unavailable());
}
