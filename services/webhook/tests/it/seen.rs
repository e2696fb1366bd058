//! What CLICK's Merchant API says of attempts goes through the state machine of callbacks; silence changes nothing.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tolov_kit::clock::Clock;

use crate::{
    app::{Setup, TestApp},
    click::Callback,
};

/// Above 2^32, as CLICK's numbers have been since 2025.
const PAYDOC: i64 = 4_710_103_925;

/// An app with order 1 prepared.
async fn with_a_prepared_attempt() -> TestApp {
    let app = TestApp::start_with(Setup { merchant_api: true, ..Setup::default() }).await;
    app.order(1).await;
    assert_eq!(app.code(&Callback::prepare(1).with("click_paydoc_id", PAYDOC)).await, 0);
    app
}

async fn seen(app: &TestApp, payment: Value, accept: bool) -> Value {
    let (status, reply) = app.post("/attempts/1/seen", &json!({"payment": payment, "accept": accept})).await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    reply
}

fn payment(payment_id: i64, status: i64) -> Value {
    json!({"payment_id": payment_id, "status": status})
}

async fn silent(app: &TestApp) -> usize {
    app.get("/attempts/silent").await.1["attempts"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_payment_whose_complete_never_came_makes_the_order_paid_once() {
    let app = with_a_prepared_attempt().await;
    assert_eq!(seen(&app, payment(PAYDOC, 2), true).await["outcome"], "paid");
    assert_eq!(seen(&app, payment(PAYDOC, 2), true).await["outcome"], "already_paid");
    assert_eq!(app.status_of(1).await, "paid");
    assert_eq!(app.code(&Callback::complete(1, 1)).await, -4, "the Complete that comes after all");
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.events_of(1).await.len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn after_a_restart_an_attempt_is_found_by_its_number_alone() {
    let mut app = with_a_prepared_attempt().await;
    app.stop().await;
    app.start_again().await;
    assert_eq!(seen(&app, payment(PAYDOC, 2), true).await["outcome"], "paid");
    let (status, _) = app.post("/attempts/2/seen", &json!({"payment": null, "accept": true})).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "of a number that no attempt has");
    app.finish().await;
}

#[tokio::test]
async fn a_payment_is_a_question_where_its_sum_is_not_known_or_the_shop_wants_to_be_asked() {
    for (id, accept) in [(PAYDOC, false), (PAYDOC + 1, true)] {
        let app = with_a_prepared_attempt().await;
        let reply = seen(&app, payment(id, 2), accept).await;
        assert_eq!(reply, json!({"outcome": "questioned", "anomaly": "reported_paid"}));
        seen(&app, payment(id, 2), accept).await;
        assert_eq!(app.status_of(1).await, "pending");
        app.until_the_outbox_is_empty().await;
        assert_eq!(
            app.events_of(1).await,
            ["payment.questioned:1:1:trans-3647911001:reported_paid"],
            "asked once"
        );
        assert_eq!(app.code(&Callback::complete(1, 1)).await, 0, "the Complete is welcome");
        app.finish().await;
    }
}

#[tokio::test]
async fn what_click_does_not_find_or_does_not_show_as_paid_changes_nothing() {
    let app = with_a_prepared_attempt().await;
    for what in [Value::Null, payment(PAYDOC, 0), payment(PAYDOC, 1), payment(PAYDOC, -9)] {
        assert_eq!(seen(&app, what.clone(), true).await["outcome"], "unchanged", "{what}");
    }
    assert_eq!(
        (app.status_of(1).await.as_str(), app.attempts_of(1).await.remove(0).as_str()),
        ("pending", "prepared")
    );
    app.paid(1).await;
    app.finish().await;
}

#[tokio::test]
async fn money_for_a_cancelled_attempt_or_a_second_payment_is_a_question() {
    let app = with_a_prepared_attempt().await;
    app.code(&Callback::cancel(1, 1, -5017)).await;
    assert_eq!(seen(&app, payment(PAYDOC, 2), true).await["anomaly"], "confirmed_after_cancel");
    app.order(2).await;
    let first = app.prepared(2).await;
    let second = app.send(&Callback::prepare(2).trans(88).with("click_paydoc_id", PAYDOC)).await.prepare_id();
    assert_eq!(app.code(&Callback::complete(2, first)).await, 0);
    let body = json!({"payment": payment(PAYDOC, 2), "accept": true});
    let (_, reply) = app.post(&format!("/attempts/{second}/seen"), &body).await;
    assert_eq!(reply["anomaly"], "paid_twice");
    app.finish().await;
}

#[tokio::test]
async fn a_paid_attempt_that_click_shows_as_unpaid_is_a_question_unless_it_is_refunded() {
    let app = with_a_prepared_attempt().await;
    assert_eq!(app.code(&Callback::complete(1, 1).with("click_paydoc_id", PAYDOC)).await, 0);
    assert_eq!(seen(&app, Value::Null, true).await["outcome"], "unchanged", "absent is no evidence");
    assert_eq!(seen(&app, payment(PAYDOC, -1), true).await["anomaly"], "reported_unpaid");
    app.post("/orders/1/refunds", &json!({"request_id": "tap", "requested_by": "5551"})).await;
    assert_eq!(seen(&app, payment(PAYDOC, -1), true).await["outcome"], "unchanged");
    assert_eq!(app.status_of(1).await, "paid");
    app.finish().await;
}

#[tokio::test]
async fn a_silent_attempt_is_asked_about_five_times_a_day_at_most() {
    let app = with_a_prepared_attempt().await;
    assert_eq!(silent(&app).await, 0, "it is younger than ten minutes");
    app.cancel(1).await;
    let prepared_at = app.clock.now();
    for minutes in [10, 30, 120, 360, 1440] {
        until(&app, prepared_at + time::Duration::minutes(minutes) - time::Duration::seconds(1));
        assert_eq!(silent(&app).await, 0, "before {minutes} minutes");
        until(&app, prepared_at + time::Duration::minutes(minutes));
        assert_eq!(silent(&app).await, 1, "after {minutes} minutes");
        seen(&app, Value::Null, true).await;
        assert_eq!(silent(&app).await, 0);
    }
    until(&app, prepared_at + time::Duration::days(2));
    assert_eq!(silent(&app).await, 0);
    assert_eq!(seen(&app, payment(PAYDOC, 2), true).await["outcome"], "paid", "late money");
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.events_of(1).await, ["order.expired:1", "payment.completed:1"]);
    app.finish().await;
}

#[tokio::test]
async fn another_attempt_of_a_paid_order_is_asked_about_too() {
    let app = with_a_prepared_attempt().await;
    let other = app.send(&Callback::prepare(1).trans(88)).await.prepare_id();
    assert_eq!(app.code(&Callback::complete(1, other).trans(88)).await, 0);
    app.clock.advance(time::Duration::minutes(10));
    assert_eq!(silent(&app).await, 1, "CLICK may have taken the money of both");
    assert_eq!(seen(&app, payment(PAYDOC, 2), true).await["anomaly"], "paid_twice");
    assert_eq!(silent(&app).await, 0);
    app.finish().await;
}

#[tokio::test]
async fn an_owners_word_comes_by_name_and_only_for_what_click_has_shown() {
    let app = with_a_prepared_attempt().await;
    let body = json!({"payment": payment(PAYDOC, 2), "accept": true, "source": "owner"});
    let (status, reply) = app.post("/attempts/1/seen", &body).await;
    assert_eq!(
        (status, app.status_of(1).await.as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "pending"),
        "{reply}"
    );
    app.finish().await;
}

#[tokio::test]
async fn an_attempt_that_was_prepared_by_a_clock_that_was_ahead_is_asked_about_as_often_as_any_other() {
    let app = TestApp::start_with(Setup { merchant_api: true, ..Setup::default() }).await;
    app.order(1).await;
    app.clock.jump(time::Duration::days(30));
    app.prepared(1).await;
    app.clock.jump(time::Duration::days(-30));
    assert_eq!(silent(&app).await, 1, "nobody knows how old it is");
    seen(&app, Value::Null, true).await;
    for minutes in [30, 120, 360, 1440] {
        assert_eq!(silent(&app).await, 0);
        app.clock.advance(time::Duration::minutes(minutes));
        assert_eq!(silent(&app).await, 1, "{minutes} minutes after the last question");
        seen(&app, Value::Null, true).await;
    }
    app.clock.advance(time::Duration::days(2));
    assert_eq!(silent(&app).await, 0);
    app.finish().await;
}

#[tokio::test]
async fn what_was_asked_by_a_clock_that_was_ahead_is_asked_again_in_its_time() {
    let app = with_a_prepared_attempt().await;
    app.clock.advance(time::Duration::minutes(5));
    app.clock.jump(time::Duration::hours(25));
    assert_eq!(silent(&app).await, 1);
    seen(&app, Value::Null, true).await;
    app.clock.jump(time::Duration::hours(-25));
    for (minutes, is_due) in [(4, 0), (1, 1)] {
        app.clock.advance(time::Duration::minutes(minutes));
        assert_eq!(silent(&app).await, is_due);
    }
    seen(&app, Value::Null, true).await;
    assert_eq!(silent(&app).await, 0);
    app.clock.advance(time::Duration::minutes(20));
    assert_eq!(silent(&app).await, 1, "after half an hour, as any other");
    app.finish().await;
}

#[tokio::test]
async fn calls_of_the_merchant_api_are_kept() {
    let app = with_a_prepared_attempt().await;
    let call = json!({"at": "2026-11-23T12:00:00Z", "order_id": 1, "method": "GET", "path": "/v2/merchant/payment/status/1/2",
        "outcome": "setup", "code": -12, "note": "Неверные данные поставщика"});
    let (status, _) = app.post("/merchant-calls", &json!({"calls": [call]})).await;
    assert_eq!(status, StatusCode::OK);
    let mut file = app.file().await;
    let kept: (i64, String, i64) = sqlx::query_as("SELECT order_id, outcome, code FROM merchant_api_calls")
        .fetch_one(&mut file)
        .await
        .unwrap();
    assert_eq!(kept, (1, "setup".to_owned(), -12));
    app.finish().await;
}

fn until(app: &TestApp, moment: tolov_domain::time::Timestamp) {
    app.clock.advance(moment - app.clock.now());
}
