//! What is only true of a ledger in a file: SQLite's.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::json;
use sqlx::{ConnectOptions, Connection, Executor, sqlite::SqliteConnectOptions};
use tolov_domain::OrderId;
use tolov_kit::clock::{Clock, SystemClock};
use tolov_webhook::{
    Deps, Service, StartError,
    ledger::{Ledger, OpenError, UnverifiedLimits},
};

use crate::{
    app::{API_TOKEN, Setup, TestApp, generous, wait_until},
    click::{Callback, SECRET_KEY},
    engine::Database,
    killing::{Victim, journey, take_over},
    overload::count_of,
    receipts::order as with_receipt,
};

#[tokio::test]
async fn a_file_that_is_no_ledger_is_refused_and_left_as_it_is() {
    let folder = tempfile::TempDir::new().unwrap();
    let junk = folder.path().join("notes.txt");
    std::fs::write(&junk, "Non, 2 ta; sut, 1 litr.\n".repeat(100)).unwrap();
    let before = std::fs::read(&junk).unwrap();
    assert!(Ledger::open(&junk, generous()).await.is_err());
    assert_eq!(std::fs::read(&junk).unwrap(), before);
    assert!(Ledger::open(folder.path(), generous()).await.is_err(), "a folder is no file");
    let (ledger, writer) =
        Ledger::open(&folder.path().join("new/folder/payments.db"), generous()).await.unwrap();
    assert!(ledger.is_writable(SystemClock.now()).await, "but a folder that is missing is made");
    writer.close().await;
}

#[tokio::test]
async fn a_ledger_that_was_closed_is_one_file() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("payments.db");
    let (ledger, writer) = Ledger::open(&path, generous()).await.unwrap();
    for _ in 0..10 {
        assert!(ledger.is_writable(SystemClock.now()).await);
        assert_eq!(ledger.order(OrderId::try_new(1).unwrap()).await.unwrap().map(|_| ()), None);
    }
    drop(ledger);
    writer.close().await;
    for ending in ["-wal", "-shm"] {
        assert!(!folder.path().join(format!("payments.db{ending}")).exists(), "{ending}");
    }
}

#[tokio::test]
async fn the_wal_shrinks_after_a_long_read() {
    let app = TestApp::start().await;
    let mut reader = app.file().await;
    reader.execute("BEGIN; SELECT count(*) FROM orders").await.unwrap();
    let wal = app.ledger_path().with_extension("db-wal");
    let size = || std::fs::metadata(&wal).unwrap().len();
    let products: Vec<String> = (1..=100).map(|id| format!("{{\"product_id\":{id},\"count\":1}}")).collect();
    let products = format!("[{}]", products.join(","));
    let mut order_id = 0;
    while size() < 20 << 20 {
        let bodies: Vec<String> = (0..50)
            .map(|n| {
                let order_id = order_id + n + 1;
                format!("{{\"order_id\":{order_id},\"user_id\":1,\"products\":{products},\"total_amount\":1,\"payment_method\":\"click\"}}")
            })
            .collect();
        join_all(bodies.iter().map(|body| app.create(body))).await;
        order_id += 50;
    }
    reader.execute("COMMIT").await.unwrap();
    wait_until("the WAL is small again", async || {
        // Any commit writes the WAL from its beginning again.
        app.code(&Callback::prepare(1)).await;
        size() <= 16 << 20
    })
    .await;
    app.finish().await;
}

#[tokio::test]
async fn a_second_service_on_the_same_ledger_is_refused_and_the_first_goes_on() {
    let app = TestApp::start().await;
    let deps = Deps { bus: app.bus.clone(), clock: Arc::new(app.clock.clone()) };
    let second = Service::new(app.config(), deps).await;
    let refusal = second.unwrap_err();
    assert!(matches!(refusal, StartError::Ledger(OpenError::Locked(_))), "{refusal:?}");
    assert!(refusal.to_string().contains("open in another process"), "{refusal}");
    app.order(1).await;
    app.paid(1).await;
    app.finish().await;
}

#[tokio::test]
async fn the_ledgers_files_hold_no_secret() {
    let app = TestApp::start().await;
    app.order(1).await;
    app.paid(1).await;
    app.code(&Callback::prepare(1).badly_signed()).await;
    let folder = app.ledger_path().parent().unwrap().to_owned();
    let mut files = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let content = std::fs::read(file.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&content).into_owned();
        for secret in
            [SECRET_KEY, API_TOKEN, &Callback::prepare(1).signature(), "10a250d95b1a6afedcda8360a12a1341"]
        {
            assert!(!text.contains(secret), "{secret}");
        }
        files += 1;
    }
    assert!(files >= 2, "the ledger and its WAL");
    app.finish().await;
}

#[tokio::test]
async fn a_full_disk_is_answered_with_minus_seven_and_nothing_is_stored_by_halves() {
    let database = Database::new().await;
    let mut victim = Victim::start(&database, Some(1000)).await;
    let mut journeys = Vec::new();
    let mut refused = 0;
    for order_id in 1..=400 {
        let progress = journey(&victim, order_id).await;
        refused += i32::from(!progress.paid);
        journeys.push((order_id, progress));
        if refused == 5 {
            break;
        }
    }
    assert_eq!(refused, 5, "the disk was never full");
    victim.process.kill().await.unwrap();
    let app = TestApp::start_in(database, Setup::default()).await;
    victim.hand_over(&app);
    for (order_id, progress) in &journeys {
        take_over(&app, *order_id, progress).await;
    }
    app.finish().await;
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("payments.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut other = options.connect().await.unwrap();
    other.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, amount REAL)").await.unwrap();
    other.close().await.unwrap();
    let before = std::fs::read(&path).unwrap();
    let refused = Ledger::open(&path, generous()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Foreign(_)), "{refused:?}");
    assert!(refused.to_string().contains("LEDGER_PATH"), "{refused}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn below_the_disk_reserve_nothing_unverified_is_kept_and_payments_go_on() {
    let unverified = Some(UnverifiedLimits { disk_reserve_bytes: u64::MAX, ..UnverifiedLimits::default() });
    let app = TestApp::start_with(Setup { unverified, ..Setup::default() }).await;
    app.order(1).await;
    for _ in 0..3 {
        assert_eq!(app.code(&Callback::prepare(1).badly_signed()).await, -1);
    }
    app.paid(1).await;
    assert_eq!(count_of(&app, "SELECT count(*) FROM unverified_callbacks").await, 0);
    app.count_callbacks(0, -3);
    app.finish().await;
}

#[tokio::test]
async fn returns_that_an_earlier_release_did_not_open_for_refunds_of_a_restore_are_open_after_the_upgrade() {
    let mut app = TestApp::start().await;
    app.post("/api/create_order", &with_receipt(1, 3_000_000)).await;
    app.paid(1).await;
    let refund = json!({"request_id": "tap-1", "requested_by": "5551", "by_hand": "transfer 17"});
    app.post("/orders/1/refunds", &refund).await;
    app.stop().await;
    let mut file = app.file().await;
    file.execute("DELETE FROM open_returns; DELETE FROM _sqlx_migrations WHERE version = 8").await.unwrap();
    for _ in 0..2 {
        app.start_again().await;
        assert_eq!(count_of(&app, "SELECT count(*) FROM open_returns").await, 1);
        app.stop().await;
    }
    app.finish().await;
}
