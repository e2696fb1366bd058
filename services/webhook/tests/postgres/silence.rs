//! A server that falls silent, as a frozen machine or a partition does: nothing waits for it for ever.

use std::{
    net::{SocketAddr, ToSocketAddrs},
    time::Duration,
};

use futures_util::future::join_all;
use sqlx::Executor;
use tokio::{
    task::{JoinHandle, LocalSet},
    time::Instant,
};
use tolov_contract::chaos_proxy::{ChaosProxy, Direction};
use tolov_domain::OrderId;
use tolov_kit::{clock::Clock, secret::Secret};
use tolov_webhook::ledger::{
    Ledger, LedgerPlace, LedgerReader, copy::copy, restore::Restore, restored::ready_postgres,
};

use crate::{
    app::{PATIENCE, TestApp, generous},
    engine::{Connection, Database},
};

/// The ledger of an app behind a proxy.
async fn behind_a_proxy(app: &TestApp) -> (ChaosProxy, LedgerPlace) {
    let mut url = app.database.url().clone();
    let server = (url.host_str().unwrap(), url.port().unwrap_or(5432));
    let server: SocketAddr = server.to_socket_addrs().unwrap().next().unwrap();
    let proxy = ChaosProxy::start(server).await.unwrap();
    url.set_ip_host(proxy.addr().ip()).unwrap();
    url.set_port(Some(proxy.addr().port())).unwrap();
    (proxy, LedgerPlace::Postgres(Secret::new(url.as_str())))
}

fn order_id() -> OrderId {
    OrderId::try_new(1).unwrap()
}

/// How long it takes to hear that the server is silent, on a clock that runs ahead while nothing happens.
async fn time_to_fail(read: impl Future<Output = bool>) -> Duration {
    let started = Instant::now();
    tokio::time::pause();
    let failed = tokio::time::timeout(Duration::from_hours(1), read).await;
    tokio::time::resume();
    assert_eq!(failed, Ok(true), "it fails, and within an hour");
    started.elapsed()
}

/// A session that keeps everybody else from the orders until it rolls back.
async fn with_orders_locked(app: &TestApp) -> Connection {
    let mut admin = app.file().await;
    admin.execute("BEGIN").await.unwrap();
    admin.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE").await.unwrap();
    admin
}

/// How long a command takes to fail whose server falls silent while it waits for a lock.
async fn time_to_give_up(
    command: impl Future<Output = bool> + 'static,
    admin: &mut Connection,
    proxy: &ChaosProxy,
) -> Duration {
    let local = LocalSet::new();
    let under_way = local.spawn_local(command);
    let failed = local.run_until(async {
        until_waiting(admin, 1).await;
        proxy.swallow(Direction::ToClient);
        time_to_fail(async { under_way.await.unwrap() }).await
    });
    let failed = failed.await;
    proxy.restore();
    failed
}

/// Readings that the server keeps waiting, as many as it is asked at a time.
async fn until_waiting(admin: &mut Connection, count: i64) {
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND database =
       (SELECT oid FROM pg_database WHERE datname = current_database())";
    let started = std::time::Instant::now();
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut *admin).await.unwrap() < count {
        assert!(started.elapsed() < PATIENCE, "{count} wait");
    }
}

#[tokio::test]
async fn readers_of_a_service_give_a_silent_server_up_after_seconds_and_read_when_it_is_back() {
    let app = TestApp::start().await;
    app.order(1).await;
    let (proxy, place) = behind_a_proxy(&app).await;
    let (ledger, writer) = Ledger::open(place, generous()).await.unwrap();
    let mut admin = with_orders_locked(&app).await;
    // More than there are sessions.
    let under_way = (0..10).map(|_| {
        let ledger = ledger.clone();
        tokio::spawn(async move { ledger.order(order_id()).await.is_err() })
    });
    let under_way: Vec<JoinHandle<bool>> = under_way.collect();
    until_waiting(&mut admin, 4).await;
    proxy.swallow(Direction::ToClient);
    let failed = time_to_fail(async { join_all(under_way).await.into_iter().all(Result::unwrap) }).await;
    assert!(failed < Duration::from_secs(8), "{failed:?}");
    let failed = time_to_fail(async {
        ledger.order(order_id()).await.is_err() && ledger.outbox_status().await.is_err()
    });
    assert!(failed.await < Duration::from_secs(14), "six seconds for each of two");
    admin.execute("ROLLBACK").await.unwrap();
    proxy.restore();
    let reads = join_all((0..10).map(|_| ledger.order(order_id()))).await;
    assert!(reads.iter().all(Result::is_ok), "{reads:?}");
    drop(ledger);
    writer.close().await;
    app.finish().await;
}

#[tokio::test]
async fn a_callback_waits_for_no_reader_of_staff_to_learn_its_trace() {
    let app = TestApp::start().await;
    app.order(1).await;
    let mut admin = with_orders_locked(&app).await;
    let reading = (0..4).map(|_| {
        let ledger = app.ledger().clone();
        tokio::spawn(async move { ledger.order(order_id()).await })
    });
    let reading: Vec<JoinHandle<_>> = reading.collect();
    until_waiting(&mut admin, 4).await;
    let started = Instant::now();
    assert_eq!(app.ledger().traceparent(order_id()).await, None);
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    admin.execute("ROLLBACK").await.unwrap();
    for read in reading {
        assert!(read.await.unwrap().unwrap().is_some());
    }
    app.finish().await;
}

#[tokio::test]
async fn an_operators_command_gives_a_silent_server_up_after_minutes() {
    let app = TestApp::start().await;
    app.order(1).await;
    let (proxy, place) = behind_a_proxy(&app).await;
    let reader = LedgerReader::open(place).await.unwrap();
    let mut admin = with_orders_locked(&app).await;
    let asked = reader.clone();
    let under_way = tokio::spawn(async move { asked.order(order_id()).await.is_err() });
    until_waiting(&mut admin, 1).await;
    proxy.swallow(Direction::ToClient);
    let failed = time_to_fail(async { under_way.await.unwrap() }).await;
    assert!(failed > Duration::from_mins(1) && failed < Duration::from_mins(3), "{failed:?}");
    admin.execute("ROLLBACK").await.unwrap();
    proxy.restore();
    assert!(reader.order(order_id()).await.unwrap().is_some());
    reader.close().await;
    app.finish().await;
}

#[tokio::test]
async fn a_service_that_starts_on_a_silent_server_ends_instead_of_waiting() {
    let app = TestApp::start().await;
    let (proxy, place) = behind_a_proxy(&app).await;
    proxy.swallow(Direction::ToClient);
    let failed = time_to_fail(async { Ledger::open(&place, generous()).await.is_err() }).await;
    assert!(failed < Duration::from_secs(10), "{failed:?}");
    app.finish().await;
}

#[tokio::test]
async fn a_copy_of_the_ledger_gives_a_silent_server_up_whichever_side_it_is() {
    let mut app = TestApp::start().await;
    app.order(1).await;
    app.stop().await;
    let (proxy, place) = behind_a_proxy(&app).await;
    // A file's work is done by threads, which a clock that runs ahead does not wait for.
    let other = Database::new().await;
    let (_, writer) = Ledger::open(other.place(), generous()).await.unwrap();
    writer.close().await;
    let mut admin = with_orders_locked(&app).await;
    for (from, to) in [(place.clone(), other.place()), (other.place(), place)] {
        let copying = async move { copy(&from, &to, &()).await.is_err() };
        let failed = time_to_give_up(copying, &mut admin, &proxy).await;
        assert!(failed < Duration::from_mins(30), "{failed:?}");
    }
    admin.execute("ROLLBACK").await.unwrap();
    app.finish().await;
}

#[tokio::test]
async fn the_command_after_a_restore_gives_a_silent_server_up() {
    let mut app = TestApp::start().await;
    app.order(1).await;
    app.stop().await;
    let (proxy, place) = behind_a_proxy(&app).await;
    let LedgerPlace::Postgres(url) = place else { panic!("{place:?}") };
    let mut admin = with_orders_locked(&app).await;
    let at = app.clock.now();
    let restore = Restore { at, backup_made_at: at, replaced: None, beyond_click_int: false };
    let restoring = async move { ready_postgres(&url, restore).await.is_err() };
    let failed = time_to_give_up(restoring, &mut admin, &proxy).await;
    assert!(failed < Duration::from_mins(30), "{failed:?}");
    admin.execute("ROLLBACK").await.unwrap();
    app.finish().await;
}
