//! Is the process alive, and is it any use?

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::Executor;

use crate::app::{TestApp, wait_until};

/// Without a token: what watches the service need not know one.
async fn ask(app: &TestApp, path: &str) -> (StatusCode, Value) {
    let response = app.http.get(app.url(path)).send().await.unwrap();
    (response.status(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_healthy_service_says_so_to_anyone() {
    let app = TestApp::start().await;
    assert_eq!(ask(&app, "/health").await, (StatusCode::OK, json!({"status": "ok"})));
    let expected = json!({"status": "ready", "dependencies": {"ledger": "ok", "bus": "ok"},
        "outbox": {"depth": 0, "oldest_age_ms": 0, "refused": 0}});
    assert_eq!(ask(&app, "/ready").await, (StatusCode::OK, expected));
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
    assert_eq!(ask(&app, "/ready").await, (StatusCode::OK, expected));
    app.bus.reject("payment.completed:1");
    app.bus.come_back();
    wait_until("the bus has refused one", async || app.ledger().outbox_status().await.unwrap().refused == 1)
        .await;
    wait_until("the other is out", async || app.ledger().outbox_status().await.unwrap().depth == 1).await;
    let (status, ready) = ask(&app, "/ready").await;
    assert_eq!(
        (status, &ready["outbox"]),
        (StatusCode::OK, &json!({"depth": 1, "oldest_age_ms": 60_000, "refused": 1}))
    );
    app.bus.accept("payment.completed:1");
    app.clock.advance(time::Duration::seconds(1));
    app.finish().await;
}

#[tokio::test]
async fn without_the_ledger_it_is_alive_and_not_ready() {
    let app = TestApp::start().await;
    let mut file = app.file().await;
    file.execute("ALTER TABLE outbox RENAME TO outbox_out_of_reach").await.unwrap();
    let (status, ready) = ask(&app, "/ready").await;
    assert_eq!((status, &ready["dependencies"]["ledger"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("away")));
    assert_eq!(ask(&app, "/health").await.0, StatusCode::OK);
    file.execute("ALTER TABLE outbox_out_of_reach RENAME TO outbox").await.unwrap();
    assert_eq!(ask(&app, "/ready").await.0, StatusCode::OK);
    app.finish().await;
}
