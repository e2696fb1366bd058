//! Closing, the operator's tools beside a running bus, file modes, and files that cannot be used.

use std::{fs::Permissions, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use tolov_contract::bus::all_parked;
use tolov_domain::{
    EventId,
    ports::{
        PortError,
        bus::{BusAdmin, OutgoingMessage, Published, Queue, Verdict},
    },
};
use tolov_embedded::{EmbeddedBus, EmbeddedShop};
use tolov_kit::clock::SystemClock;

use crate::{drain, message, names, open_bus, publish, receive_one, settle};

const QUEUE: Queue = Queue::ProjectorPayments;

#[tokio::test]
async fn closing_ends_a_waiting_receive_and_makes_later_calls_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    let bus = open_bus(folder.path()).await;
    let (publisher, consumer, admin) = (bus.publisher(), bus.consumer(QUEUE), bus.admin());
    let waiting = Arc::clone(&consumer);
    let waiting = tokio::spawn(async move { waiting.receive(1).await });
    tokio::time::sleep(Duration::from_millis(20)).await;
    bus.close().await.unwrap();
    assert!(waiting.await.unwrap().unwrap_err().is_unavailable());
    assert!(consumer.receive(1).await.unwrap_err().is_unavailable());
    assert!(publisher.publish(&[message("late")]).await.unwrap_err().is_unavailable());
    assert!(!publisher.is_reachable().await);
    assert!(admin.depth(QUEUE).await.unwrap_err().is_unavailable());
    assert!(!folder.path().join("bus.db-wal").exists(), "the log was written back");
    bus.close().await.unwrap();
}

#[tokio::test]
async fn an_operator_requeues_and_drops_beside_the_running_bus() {
    let folder = tempfile::tempdir().unwrap();
    let bus = open_bus(folder.path()).await;
    publish(&bus, &["one", "two"]).await;
    let consumer = bus.consumer(QUEUE);
    for _ in 0..2 {
        let delivery = receive_one(&*consumer).await;
        settle(&*consumer, delivery, Verdict::Park { reason: "no schema".to_owned() }).await;
    }
    let operator = EmbeddedBus::admin_of(folder.path(), Arc::new(SystemClock)).await.unwrap();
    assert_eq!(all_parked(&operator, QUEUE).await.unwrap().len(), 2);
    assert!(operator.drop_parked(QUEUE, &EventId::new("one")).await.unwrap().is_some());
    let two = [EventId::new("two")].into();
    assert_eq!(operator.requeue_parked(QUEUE, &two).await.unwrap(), two);
    operator.close().await.unwrap();
    assert_eq!(receive_one(&*consumer).await.id.as_str(), "two");
    assert_eq!(all_parked(&*bus.admin(), QUEUE).await.unwrap(), []);
    publish(&bus, &["three"]).await;
    assert_eq!(receive_one(&*consumer).await.id.as_str(), "three", "the running bus works on");
}

#[tokio::test]
async fn there_are_no_tools_for_a_folder_without_a_bus() {
    let folder = tempfile::tempdir().unwrap();
    let refused = EmbeddedBus::admin_of(folder.path(), Arc::new(SystemClock)).await;
    assert!(matches!(refused, Err(PortError::Refused(_))));
    assert!(!folder.path().join("bus.db").exists());
}

#[tokio::test]
async fn an_id_or_schema_that_is_too_long_is_rejected_alone() {
    let folder = tempfile::tempdir().unwrap();
    let bus = open_bus(folder.path()).await;
    let long = "x".repeat(256);
    let window =
        [message("one"), message(&long), OutgoingMessage { schema: long.clone(), ..message("three") }];
    let answers = bus.publisher().publish(&window).await.unwrap();
    assert_eq!(answers[0], Published::Confirmed);
    assert!(matches!(answers[1..], [Published::Rejected(_), Published::Rejected(_)]), "{answers:?}");
    assert_eq!(drain(&bus).await, names(&["one"]));
}

#[tokio::test]
async fn a_window_larger_than_one_statement_is_stored_whole() {
    let folder = tempfile::tempdir().unwrap();
    let bus = open_bus(folder.path()).await;
    let all: Vec<_> = (0..150).map(|number| number.to_string()).collect();
    let body = vec![0xff; tolov_domain::ports::bus::BODY_MAX_BYTES];
    let window: Vec<_> =
        all.iter().map(|name| OutgoingMessage { body: body.clone(), ..message(name) }).collect();
    let answers = bus.publisher().publish(&window).await.unwrap();
    assert!(answers.iter().all(|answer| *answer == Published::Confirmed));
    let consumer = bus.consumer(QUEUE);
    let deliveries = consumer.receive(200).await.unwrap();
    assert_eq!(deliveries.len(), all.len());
    assert!(deliveries.iter().all(|delivery| delivery.body == body));
}

#[tokio::test]
async fn messages_are_readable_by_their_owner_alone() {
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("data");
    // As an older version has left it.
    let old = parent.path().join("old");
    std::fs::create_dir(&old).unwrap();
    std::fs::write(old.join("bus.db"), "").unwrap();
    std::fs::set_permissions(old.join("bus.db"), Permissions::from_mode(0o644)).unwrap();
    for folder in [&folder, &old] {
        let bus = open_bus(folder).await;
        publish(&bus, &["one"]).await;
        for file in ["bus.db", "bus.db-wal"] {
            assert_eq!(mode(&folder.join(file)), 0o600, "{file}");
        }
    }
    assert_eq!(mode(&folder), 0o700);
}

#[tokio::test]
async fn a_file_that_is_no_database_and_a_path_that_is_no_folder_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shop.db"), "not a database, but long enough to be one".repeat(40))
        .unwrap();
    let refused = EmbeddedShop::open(folder.path()).await.unwrap_err();
    assert!(matches!(&refused, PortError::Refused(text) if text.contains("restore a backup")), "{refused}");
    let refused = EmbeddedShop::open(&folder.path().join("shop.db")).await.unwrap_err();
    assert!(matches!(&refused, PortError::Refused(text) if text.contains("folder")), "{refused}");
}
