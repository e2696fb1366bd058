//! Refunds over the internal API: recorded before anything is sent, one at a time, never more than was paid.

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::Executor;
use tolov_domain::OrderId;
use tolov_kit::clock::Clock;
use tolov_webhook::ledger::LedgerReader;

use crate::{
    app::{Setup, TestApp},
    click::Callback,
};

const CLICK_ID: i64 = 4_710_103_925;

async fn start() -> TestApp {
    TestApp::start_with(Setup { merchant_api: true, ..Setup::default() }).await
}

/// An app with order 1 paid.
async fn with_a_paid_order() -> TestApp {
    let app = start().await;
    app.order(1).await;
    app.paid(1).await;
    app
}

fn asked(request_id: &str) -> Value {
    json!({"request_id": request_id, "requested_by": "5551", "reason": "no stock",
           "returned": [{"product_id": 7, "count": 2}]})
}

fn partial(request_id: &str, amount_tiyin: i64) -> Value {
    json!({"request_id": request_id, "requested_by": "5551", "amount_tiyin": amount_tiyin})
}

async fn ask(app: &TestApp, body: &Value) -> Value {
    let (status, refund) = app.post("/orders/1/refunds", body).await;
    assert_eq!(status, StatusCode::CREATED, "{refund}");
    refund
}

/// Makes a step of the reconciler, and returns the refund.
async fn step(app: &TestApp, refund: &Value, change: &Value) -> Value {
    let (status, refund) = try_step(app, refund, change).await;
    assert_eq!(status, StatusCode::OK, "{refund}");
    refund
}

async fn try_step(app: &TestApp, refund: &Value, change: &Value) -> (StatusCode, Value) {
    let mut body = change.clone();
    body["step"] = refund["step"].clone();
    app.post(&format!("/refunds/{}/step", refund["refund_id"]), &body).await
}

async fn sending(app: &TestApp) -> Value {
    let refund = ask(app, &asked("tap-1")).await;
    let refund = step(app, &refund, &json!({"change": "found_paid", "payment_id": CLICK_ID})).await;
    step(app, &refund, &json!({"change": "send"})).await
}

async fn decide(app: &TestApp, refund: &Value, what: &str) -> (StatusCode, Value) {
    let body = json!({"by": "5551", "document": "transfer 17"});
    app.post(&format!("/refunds/{}/{what}", refund["refund_id"]), &body).await
}

#[tokio::test]
async fn a_refund_through_click_is_told_once_and_the_order_stays_paid() {
    let app = with_a_paid_order().await;
    let (_, before) = app.get("/orders/1/refunds").await;
    assert_eq!(before["allowed"], json!({"by_click": true, "reason": "ok", "until": "2026-12-01T18:00:00Z"}));
    let refund = sending(&app).await;
    assert_eq!((&refund["state"], &refund["tries"]), (&json!("sending"), &json!(1)));
    let (_, open) = app.get("/refunds/open").await;
    assert_eq!(open["refunds"][0]["refund"], refund);
    assert_eq!(open["refunds"][0]["attempt"]["click_paydoc_id"], 16_853_761);
    let done = step(&app, &refund, &json!({"change": "reversed"})).await;
    assert_eq!(done["state"], "done");
    let (status, late) = try_step(&app, &refund, &json!({"change": "reversed"})).await;
    assert_eq!((status, &late["reason"]), (StatusCode::CONFLICT, &json!("stale")));
    let (_, after) = app.get("/orders/1/refunds").await;
    assert_eq!((&after["refunded_tiyin"], &after["open"]), (&json!(3_000_000), &Value::Null));
    assert_eq!(after["allowed"]["reason"], "nothing_left");
    assert_eq!(app.status_of(1).await, "paid");
    assert_eq!(app.code(&Callback::prepare(1).trans(777)).await, -4, "it cannot be paid again");
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.events_of(1).await, ["payment.completed:1", "payment.reversed:1"]);
    let event = app.bus.events().pop().unwrap();
    let body: Value = serde_json::from_slice(&event.to_json()).unwrap();
    assert_eq!(body["returned"], json!([{"product_id": 7, "count": 2}]));
    assert_eq!((&body["refunded_tiyin"], &body["by_hand"]), (&json!(3_000_000), &json!(false)));
    app.finish().await;
}

#[tokio::test]
async fn the_same_request_is_the_same_refund_and_two_operators_open_one() {
    let app = with_a_paid_order().await;
    let bodies = ["tap-1", "tap-1", "tap-2", "tap-3"].map(asked);
    let answers = join_all(bodies.iter().map(|body| app.post("/orders/1/refunds", body))).await;
    let count = |status| answers.iter().filter(|(answered, _)| *answered == status).count();
    assert_eq!(count(StatusCode::CREATED), 1, "{answers:?}");
    assert!(count(StatusCode::CONFLICT) >= 2, "{answers:?}");
    let opened = answers.iter().find(|(status, _)| *status == StatusCode::CREATED).unwrap().1.clone();
    let id = opened["request_id"].as_str().unwrap();
    let (status, same) = app.post("/orders/1/refunds", &asked(id)).await;
    assert_eq!((status, &same["refund_id"]), (StatusCode::OK, &opened["refund_id"]));
    let (status, other) = app.post("/orders/1/refunds", &partial(id, 1)).await;
    assert_eq!((status, &other["reason"]), (StatusCode::CONFLICT, &json!("other_request")));
    app.finish().await;
}

#[tokio::test]
async fn parts_go_by_hand_and_end_with_the_whole() {
    let app = with_a_paid_order().await;
    let first = ask(&app, &partial("tap-1", 1_000_000)).await;
    assert_eq!((&first["state"], &first["why"]), (&json!("manual"), &json!("partial_by_hand")));
    let (status, _) = app.post("/orders/1/refunds", &partial("tap-2", 1)).await;
    assert_eq!(status, StatusCode::CONFLICT, "one is open");
    assert_eq!(decide(&app, &first, "retry").await.0, StatusCode::CONFLICT);
    assert_eq!(decide(&app, &first, "by-hand").await.1["state"], "done_by_hand");
    let withdrawn = ask(&app, &partial("tap-3", 2_000_000)).await;
    assert_eq!(decide(&app, &withdrawn, "withdraw").await.1["state"], "withdrawn");
    let (status, _) = app.post("/orders/1/refunds", &partial("tap-4", 2_000_001)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let rest = ask(&app, &json!({"request_id": "tap-5", "requested_by": "5551"})).await;
    assert_eq!(rest["amount_tiyin"], 2_000_000);
    decide(&app, &rest, "by-hand").await;
    let (_, after) = app.get("/orders/1/refunds").await;
    assert_eq!(
        (&after["refunded_tiyin"], &after["allowed"]["reason"]),
        (&json!(3_000_000), &json!("nothing_left"))
    );
    app.until_the_outbox_is_empty().await;
    let events = app.events_of(1).await;
    let of = |name: &str| events.iter().filter(|event| event.starts_with(name)).count();
    assert_eq!(
        (of("payment.partly_reversed:1:"), of("payment.reversed:1"), of("refund.undecided:1:")),
        (1, 1, 3)
    );
    app.finish().await;
}

#[tokio::test]
async fn a_refused_reversal_waits_for_staff_and_may_be_tried_again() {
    let app = with_a_paid_order().await;
    let refund = sending(&app).await;
    let refused =
        step(&app, &refund, &json!({"change": "refused", "click_code": -500, "click_note": "no"})).await;
    assert_eq!((&refused["state"], &refused["click_note"]), (&json!("refused"), &json!("no")));
    let (status, again) = decide(&app, &refused, "retry").await;
    assert_eq!((status, &again["state"]), (StatusCode::OK, &json!("requested")));
    let checked = step(&app, &again, &json!({"change": "found_paid", "payment_id": CLICK_ID})).await;
    let second = step(&app, &checked, &json!({"change": "send"})).await;
    assert_eq!(second["tries"], 2);
    step(&app, &second, &json!({"change": "reversed"})).await;
    app.until_the_outbox_is_empty().await;
    let undecided = format!("refund.undecided:1:{}:refused:3", refund["refund_id"]);
    assert_eq!(app.events_of(1).await, ["payment.completed:1", &undecided, "payment.reversed:1"]);
    app.finish().await;
}

#[tokio::test]
async fn a_refund_survives_a_kill_at_every_step() {
    let mut app = with_a_paid_order().await;
    let refund = ask(&app, &asked("tap-1")).await;
    app.kill();
    app.start_again().await;
    let checked = step(&app, &refund, &json!({"change": "found_paid", "payment_id": CLICK_ID})).await;
    let sending = step(&app, &checked, &json!({"change": "send"})).await;
    app.kill();
    app.start_again().await;
    let (_, open) = app.get("/refunds/open").await;
    assert_eq!(open["refunds"][0]["refund"], sending);
    let (status, _) = try_step(&app, &sending, &json!({"change": "send"})).await;
    assert_eq!(status, StatusCode::CONFLICT, "what is being sent is not sent again");
    let unknown = json!({"change": "outcome_unknown", "click_code": null, "click_note": "", "next_step_at": "2026-11-23T12:01:00Z"});
    let unknown = step(&app, &sending, &unknown).await;
    let waits = step(&app, &unknown, &json!({"change": "wait"})).await;
    assert_eq!(waits["state"], "unknown");
    step(&app, &waits, &json!({"change": "found_reversed", "payment_id": CLICK_ID})).await;
    assert_eq!(app.replay(1).await.0, StatusCode::OK);
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.events_of(1).await.iter().filter(|id| id.starts_with("payment.reversed")).count(), 1);
    app.finish().await;
}

#[tokio::test]
async fn the_events_of_a_refund_are_made_anew_after_they_were_deleted() {
    let mut app = with_a_paid_order().await;
    let refund = sending(&app).await;
    step(&app, &refund, &json!({"change": "reversed"})).await;
    app.until_the_outbox_is_empty().await;
    let first = app.bus.events().pop().unwrap();
    app.file().await.execute("DELETE FROM outbox WHERE routing_key = 'payment.reversed'").await.unwrap();
    app.events_may_be_pruned();
    app.replay(1).await;
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.bus.events().into_iter().rev().find(|event| event.id == first.id), Some(first));
    app.finish().await;
}

#[tokio::test]
async fn operators_find_the_order_of_a_refund_and_read_its_steps() {
    let app = with_a_paid_order().await;
    let order = OrderId::try_new(1).unwrap();
    app.clock.advance(time::Duration::DAY);
    let since = app.clock.now();
    let refund = sending(&app).await;
    step(&app, &refund, &json!({"change": "reversed"})).await;
    let reader = LedgerReader::open(app.place()).await.unwrap();
    let range = (since, since + time::Duration::HOUR);
    assert_eq!(reader.changed_orders(0, range, 10).await.unwrap(), [order], "for a replay");
    let steps = reader.refund_steps(order).await.unwrap();
    let states: Vec<(&str, &str)> =
        steps.iter().map(|step| (step.state.as_str(), step.by.as_str())).collect();
    let by_reconciler = ["checked", "sending", "done"].map(|state| (state, "reconciler"));
    assert_eq!(states, [&[("requested", "5551")][..], &by_reconciler[..]].concat());
    reader.close().await;
    app.finish().await;
}

#[tokio::test]
async fn a_cancel_that_click_sends_for_a_refunded_payment_is_no_question() {
    let app = with_a_paid_order().await;
    let refund = sending(&app).await;
    assert_eq!(app.code(&Callback::cancel(1, 1, -5017)).await, -9);
    step(&app, &refund, &json!({"change": "reversed"})).await;
    assert_eq!(app.code(&Callback::cancel(1, 1, -1)).await, -4);
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.events_of(1).await, ["payment.completed:1", "payment.reversed:1"]);
    app.finish().await;
}

#[tokio::test]
async fn money_that_may_have_gone_back_twice_is_a_question() {
    let app = with_a_paid_order().await;
    let refund = sending(&app).await;
    let lost = json!({"change": "outcome_unknown", "click_code": null, "click_note": "no answer"});
    let unknown = step(&app, &refund, &lost).await;
    assert_eq!(decide(&app, &unknown, "by-hand").await.1["state"], "done_by_hand");
    // The reversal had its effect after all.
    assert_eq!(app.code(&Callback::cancel(1, 1, -5017)).await, -9);
    app.until_the_outbox_is_empty().await;
    let question = "payment.questioned:1:1:trans-3647911001:cancel_after_paid".to_owned();
    assert!(app.events_of(1).await.contains(&question), "{:?}", app.events_of(1).await);
    app.finish().await;

    let app = with_a_paid_order().await;
    ask(&app, &partial("tap-1", 1_000_000)).await;
    assert_eq!(app.code(&Callback::cancel(1, 1, -5017)).await, -9);
    app.until_the_outbox_is_empty().await;
    assert!(app.events_of(1).await.contains(&question), "the whole went back: {:?}", app.events_of(1).await);
    app.finish().await;
}

#[tokio::test]
async fn the_schema_refuses_refunds_that_no_program_should_write() {
    let app = with_a_paid_order().await;
    app.order(2).await;
    app.prepared(2).await;
    let refund = sending(&app).await;
    let id = &refund["refund_id"];
    step(&app, &refund, &json!({"change": "reversed"})).await;
    let insert = |refund_id: i64, order: i64, attempt: i64, amount: i64| {
        format!(
            "INSERT INTO refunds VALUES ({refund_id}, {order}, {attempt}, 'x{refund_id}', {amount}, '[]', 'a', '', 0, 'requested',
               NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0)"
        )
    };
    for statement in [
        insert(5, 1, 1, 1),
        insert(6, 2, 2, 1),
        insert(7, 1, 1, 0),
        format!("UPDATE refunds SET state = 'requested', step = 9 WHERE refund_id = {id}"),
        format!("UPDATE refunds SET amount_tiyin = 1, step = 9 WHERE refund_id = {id}"),
        "DELETE FROM refunds".to_owned(),
        "DELETE FROM refund_steps".to_owned(),
        "UPDATE refund_steps SET by = 'nobody'".to_owned(),
    ] {
        let mut file = app.file().await;
        assert!(file.execute(sqlx::AssertSqlSafe(statement.clone())).await.is_err(), "{statement}");
    }
    app.finish().await;
}

#[tokio::test]
async fn without_the_merchant_api_and_outside_the_month_refunds_go_by_hand() {
    let app = TestApp::start().await;
    app.order(1).await;
    let (_, unpaid) = app.get("/orders/1/refunds").await;
    assert_eq!(unpaid["allowed"]["reason"], "not_paid");
    let (status, refused) = app.post("/orders/1/refunds", &asked("tap-1")).await;
    assert_eq!((status, &refused["reason"]), (StatusCode::CONFLICT, &json!("not_paid")));
    app.paid(1).await;
    assert_eq!(ask(&app, &asked("tap-1")).await["why"], "merchant_api_off");
    app.finish().await;

    let app = with_a_paid_order().await;
    until(&app, time::macros::datetime!(2026-12-01 17:59 UTC));
    assert_eq!(app.get("/orders/1/refunds").await.1["allowed"]["reason"], "ok");
    until(&app, time::macros::datetime!(2026-12-01 18:00 UTC));
    assert_eq!(app.get("/orders/1/refunds").await.1["allowed"]["reason"], "outside_month");
    app.finish().await;
}

fn until(app: &TestApp, moment: tolov_domain::time::Timestamp) {
    app.clock.advance(moment - app.clock.now());
}
