//! Liveness for everybody, readiness for those who show the token.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::Executor;

use crate::{
    app::{TestApp, wait_until},
    click::Callback,
};

/// Waits until /ready says this: a report is made every few seconds.
async fn until_ready_says(app: &TestApp, expected: (StatusCode, Value)) {
    wait_until("the report says so", async || app.get("/ready").await == expected).await;
}

#[tokio::test]
async fn anyone_may_ask_whether_it_lives_and_only_the_token_whether_it_is_ready() {
    let app = TestApp::start().await;
    let health = app.http.get(app.url("/health")).send().await.unwrap();
    assert_eq!(health.json::<Value>().await.unwrap(), json!({"status": "ok"}));
    let expected = json!({"status": "ready", "dependencies": {"ledger": "ok", "bus": "ok"},
        "outbox": {"depth": 0, "oldest_age_ms": 0, "refused": 0}});
    until_ready_says(&app, (StatusCode::OK, expected)).await;
    let stranger = app.http.get(app.url("/ready")).send().await.unwrap();
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(app.get("/metrics").await.0, StatusCode::NOT_FOUND);
    app.finish().await;
}

#[tokio::test]
async fn however_often_readiness_is_asked_for_neither_ledger_nor_bus_is() {
    let app = TestApp::start().await;
    wait_until("a report was made", async || app.bus.reachability_checks() > 0).await;
    let before = app.bus.reachability_checks();
    for _ in 0..10 {
        join_all((0..50).map(|_| app.get("/ready"))).await;
    }
    let checks = app.bus.reachability_checks() - before;
    assert!(checks < 50, "{checks} checks for 500 questions");
    app.finish().await;
}

#[tokio::test]
async fn without_the_bus_it_is_ready_and_tells_how_much_waits_and_for_how_long() {
    let app = TestApp::start().await;
    app.bus.go_away();
    for order_id in [1, 2] {
        app.order(order_id).await;
        app.paid(order_id).await;
        app.clock.advance(time::Duration::seconds(30));
    }
    let expected = json!({"status": "ready, events wait for the bus", "dependencies": {"ledger": "ok", "bus": "away"},
        "outbox": {"depth": 2, "oldest_age_ms": 60_000, "refused": 0}});
    until_ready_says(&app, (StatusCode::OK, expected)).await;
    app.bus.reject("payment.completed:1");
    app.bus.come_back();
    wait_until("one is refused and the other is out", async || {
        let (status, ready) = app.get("/ready").await;
        status == StatusCode::OK
            && ready["outbox"] == json!({"depth": 1, "oldest_age_ms": 60_000, "refused": 1})
    })
    .await;
    app.bus.accept("payment.completed:1");
    app.clock.advance(time::Duration::seconds(1));
    app.finish().await;
}

#[tokio::test]
async fn without_the_ledger_it_is_alive_and_not_ready() {
    let app = TestApp::start().await;
    let mut file = app.file().await;
    file.execute("ALTER TABLE outbox RENAME TO outbox_out_of_reach").await.unwrap();
    wait_until("it is not ready", async || {
        let (status, ready) = app.get("/ready").await;
        (status, &ready["dependencies"]["ledger"]) == (StatusCode::SERVICE_UNAVAILABLE, &json!("away"))
    })
    .await;
    assert_eq!(app.get("/health").await.0, StatusCode::OK);
    file.execute("ALTER TABLE outbox_out_of_reach RENAME TO outbox").await.unwrap();
    wait_until("it is ready again", async || app.get("/ready").await.0 == StatusCode::OK).await;
    app.finish().await;
}

#[tokio::test]
async fn a_commit_that_hangs_ends_readiness_while_it_hangs() {
    let app = TestApp::start().await;
    app.order(1).await;
    wait_until("it is ready", async || app.get("/ready").await.0 == StatusCode::OK).await;
    let mut lock = app.hold_the_write_lock().await;
    let prepare = Callback::prepare(1);
    let watching = async {
        wait_until("it is not ready before the commit has failed", async || {
            let (status, ready) = app.get("/ready").await;
            let away = (status, &ready["dependencies"]["ledger"])
                == (StatusCode::SERVICE_UNAVAILABLE, &json!("away"));
            away && app.ledger().writer_busy() > Duration::ZERO
        })
        .await;
        lock.execute("COMMIT").await.unwrap();
    };
    // Its answer depends on which came first: the end of the lock, or the writer's patience.
    tokio::join!(app.send(&prepare), watching);
    wait_until("it is ready again", async || app.get("/ready").await.0 == StatusCode::OK).await;
    wait_until("the writer is idle", async || app.ledger().writer_busy() == Duration::ZERO).await;
    app.finish().await;
}

#[tokio::test]
async fn a_disk_that_hangs_while_nothing_is_asked_of_it_ends_readiness() {
    let app = TestApp::start().await;
    app.order(1).await;
    wait_until("it is ready", async || app.get("/ready").await.0 == StatusCode::OK).await;
    let mut lock = app.hold_the_write_lock().await;
    wait_until("it is not ready", async || {
        app.get("/ready").await.1["dependencies"]["ledger"] == json!("away")
    })
    .await;
    lock.execute("COMMIT").await.unwrap();
    wait_until("it is ready again", async || app.get("/ready").await.0 == StatusCode::OK).await;
    app.finish().await;
}
