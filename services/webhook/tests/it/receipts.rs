//! Fiscal receipts over the internal API: agreed with the order, needed once it is paid, sent with one content, told once.

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::Executor;
use time::{Duration, format_description::well_known::Rfc3339};
use tolov_domain::time::unix_ms;
use tolov_kit::clock::Clock;

use crate::app::TestApp;

const CLICK_ID: i64 = 4_710_103_925;
const URL: &str = "https://ofd.soliq.uz/check?t=UZ1&r=2&c=20261123120500&s=4";

fn content(paid: i64) -> Value {
    json!({"lines": [{"name": "Choy dona", "amount": 2000, "good_price": paid / 2, "price": paid, "discount": 0, "vat": 0,
        "fiscal": {"mxik": "01234567890123456", "package_code": "1506113", "vat_percent": 0}}]})
}

pub(crate) fn order(number: i64, paid: i64) -> Value {
    json!({"order_id": number, "user_id": 5551, "products": [{"product_id": 7, "count": 2}], "total_amount": 30000,
           "payment_method": "click", "receipt": content(paid)})
}

/// An app with order 1 paid, whose receipt is needed.
async fn with_a_paid_order() -> TestApp {
    let app = TestApp::start().await;
    let (status, answer) = app.post("/api/create_order", &order(1, 3_000_000)).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    assert_eq!(app.get("/receipts/1").await.0, StatusCode::NOT_FOUND, "the order is not paid");
    app.paid(1).await;
    app
}

async fn try_step(app: &TestApp, receipt: &Value, change: &Value) -> (StatusCode, Value) {
    let mut body = change.clone();
    body["step"] = receipt["step"].clone();
    app.post("/receipts/1/step", &body).await
}

async fn step(app: &TestApp, receipt: &Value, change: &Value) -> Value {
    let (status, receipt) = try_step(app, receipt, change).await;
    assert_eq!(status, StatusCode::OK, "{receipt}");
    receipt
}

fn submit(hash: &str) -> Value {
    json!({"change": "submit", "payment_id": CLICK_ID, "body_hash": hash.repeat(64)})
}

fn found() -> Value {
    json!({"change": "found_receipt", "payment_id": CLICK_ID, "url": URL})
}

async fn needed(app: &TestApp) -> Value {
    app.get("/receipts/1").await.1
}

#[tokio::test]
async fn what_is_no_hash_is_refused_for_good() {
    let app = with_a_paid_order().await;
    let receipt = needed(&app).await;
    for hash in ["a".repeat(63), "a".repeat(65), "g".repeat(64)] {
        let change = json!({"change": "submit", "payment_id": CLICK_ID, "body_hash": hash});
        let (status, answer) = try_step(&app, &receipt, &change).await;
        assert_eq!((status, &answer["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("body_hash")));
    }
    app.finish().await;
}

#[tokio::test]
async fn a_receipt_is_needed_once_its_order_is_paid_and_is_told_once() {
    let mut app = with_a_paid_order().await;
    let (_, open) = app.get("/receipts/open").await;
    let receipt = open["receipts"][0]["receipt"].clone();
    assert_eq!((&receipt["state"], &receipt["content"]), (&json!("needed"), &content(3_000_000)));
    assert_eq!((&open["receipts"][0]["refund"], &open["waiting"]), (&json!("none"), &json!(1)));
    let sending = step(&app, &receipt, &submit("a")).await;
    assert_eq!((&sending["state"], &sending["tries"]), (&json!("submitting"), &json!(1)));
    let (status, late) = try_step(&app, &receipt, &submit("a")).await;
    assert_eq!((status, &late["reason"]), (StatusCode::CONFLICT, &json!("stale")));
    let taken = step(&app, &sending, &json!({"change": "taken"})).await;
    let known = step(&app, &taken, &found()).await;
    assert_eq!((&known["state"], &known["url"]), (&json!("known"), &json!(URL)));
    assert_eq!(try_step(&app, &known, &json!({"change": "wait"})).await.0, StatusCode::CONFLICT);
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.events_of(1).await, ["payment.completed:1", "receipt.issued:1"]);
    let event = app.bus.events().pop().unwrap();
    let body: Value = serde_json::from_slice(&event.to_json()).unwrap();
    assert_eq!(body["receipt_url"], URL);
    let mut file = app.file().await;
    let steps: Vec<String> = sqlx::query_scalar("SELECT state FROM receipt_steps ORDER BY step")
        .fetch_all(&mut file)
        .await
        .unwrap();
    assert_eq!(steps, ["needed", "submitting", "submitted", "known"]);

    app.events_may_be_pruned();
    file.execute("DELETE FROM outbox").await.unwrap();
    app.replay(1).await;
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.bus.times_seen("receipt.issued:1"), 2, "made anew after it was deleted");
    let again = app.bus.events().into_iter().rfind(|it| it.id == event.id);
    assert_eq!(again, Some(event), "and it says the same");
    app.finish().await;
}

#[tokio::test]
async fn two_reconcilers_submit_it_once() {
    let app = with_a_paid_order().await;
    let receipt = needed(&app).await;
    let body = submit("a");
    let answers = join_all((0..4).map(|_| try_step(&app, &receipt, &body))).await;
    let won = answers.iter().filter(|(status, _)| *status == StatusCode::OK).count();
    assert_eq!(won, 1, "{answers:?}");
    app.finish().await;
}

#[tokio::test]
async fn the_content_never_changes_and_no_other_body_is_sent() {
    let app = with_a_paid_order().await;
    // The same order again, with another content.
    let (status, _) = app.post("/api/create_order", &order(1, 3_000_000)).await;
    assert_eq!(status, StatusCode::OK);
    let sending = step(&app, &needed(&app).await, &submit("a")).await;
    let refusal = json!({"change": "not_taken", "click_code": -500, "click_note": "нет"});
    let refused = step(&app, &sending, &refusal).await;
    assert_eq!((&refused["state"], &refused["click_code"]), (&json!("needed"), &json!(-500)));
    let (status, answer) = try_step(&app, &refused, &submit("b")).await;
    assert_eq!((status, &answer["reason"]), (StatusCode::CONFLICT, &json!("not_allowed")));
    let mut file = app.file().await;
    for statement in [
        "UPDATE receipts SET content = '{}', step = step + 1",
        "UPDATE receipts SET body_hash = NULL, step = step + 1",
        "UPDATE receipts SET state = 'agreed', step = step + 1",
        "UPDATE receipts SET next_step_at = 0",
        "DELETE FROM receipts",
        "UPDATE receipt_steps SET state = 'known'",
        "DELETE FROM receipt_steps",
    ] {
        file.execute(statement).await.expect_err(statement);
    }
    app.finish().await;
}

#[tokio::test]
async fn a_content_that_does_not_add_up_is_refused_with_its_order() {
    let app = TestApp::start().await;
    let (status, answer) = app.post("/api/create_order", &order(1, 2_999_999)).await;
    assert_eq!((status, &answer["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("receipt")));
    assert_eq!(app.get("/orders/1").await.0, StatusCode::NOT_FOUND);
    app.finish().await;
}

#[tokio::test]
async fn missing_receipts_are_listed_with_the_returns_that_need_one_by_hand() {
    let app = with_a_paid_order().await;
    let given_up = step(&app, &needed(&app).await, &json!({"change": "give_up", "why": "no_codes"})).await;
    let (_, missing) = app.get("/receipts/missing").await;
    assert_eq!((&missing["count"], &missing["receipts"][0]["receipt"]), (&json!(1), &given_up));
    let by = json!({"by": "5551", "document": "Z-report 17"});
    let (_, again) = app.post("/receipts/1/retry", &by).await;
    assert_eq!(again["state"], "needed");
    step(&app, &again, &found()).await;
    assert_eq!(app.get("/receipts/missing").await.1["count"], 0);
    assert_eq!(app.post("/receipts/1/by-hand", &by).await.0, StatusCode::CONFLICT, "nothing is missing");

    let refund = json!({"request_id": "tap-1", "requested_by": "5551", "by_hand": "transfer 17"});
    assert_eq!(app.post("/orders/1/refunds", &refund).await.0, StatusCode::CREATED);
    let (_, missing) = app.get("/receipts/missing").await;
    assert_eq!((&missing["count"], &missing["receipts"][0]["return_of_refund"]), (&json!(1), &json!(true)));
    assert_eq!(app.post("/receipts/1/by-hand", &by).await.1["state"], "by_hand");
    assert_eq!(app.get("/receipts/missing").await.1["count"], 0);
    assert_eq!(app.get("/receipts/7").await.0, StatusCode::NOT_FOUND);
    app.finish().await;
}

#[tokio::test]
async fn a_receipt_whose_turn_was_set_by_a_clock_that_was_ahead_waits_no_longer_than_any_other() {
    let app = TestApp::start().await;
    app.clock.jump(Duration::days(30));
    app.post("/api/create_order", &order(1, 3_000_000)).await;
    app.paid(1).await;
    let mut file = app.file().await;
    let restored = "INSERT INTO restores (restored_at, backup_made_at, prepare_id_floor, order_id_floor)
                    VALUES ($1, $1, 0, 0)";
    sqlx::query(restored).bind(unix_ms(app.clock.now())).execute(&mut file).await.unwrap();
    app.clock.jump(Duration::days(-30));
    let due = async || app.get("/receipts/open").await.1["receipts"].as_array().unwrap().len();
    assert_eq!(due().await, 1, "the restore is of that clock too");
    for (pause, is_due) in [(Duration::DAY, 0), (Duration::DAY + Duration::hours(1), 1)] {
        let next_step_at = (app.clock.now() + pause).format(&Rfc3339).unwrap();
        let wait = json!({"change": "wait", "next_step_at": next_step_at});
        step(&app, &needed(&app).await, &wait).await;
        assert_eq!(due().await, is_due, "{pause}");
    }
    sqlx::query(restored).bind(unix_ms(app.clock.now())).execute(&mut file).await.unwrap();
    assert_eq!(due().await, 0, "after a restore CLICK prints first");
    app.finish().await;
}
