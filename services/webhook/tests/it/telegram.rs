//! Payment by Telegram's invoice, in the ledger: an attempt that keeps CLICK's page closed while it is open, and money that
//! is recorded once and never refused.

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::Executor;
use tolov_domain::{EventKind, payment::HOLD};

use crate::{
    app::{Setup, TestApp},
    click::Callback,
    receipts::order as with_receipt,
};

/// Of every order's shopper.
const USER_ID: i64 = 5551;
const TIYIN: i64 = 3_000_000;

async fn check_out(app: &TestApp, order_id: i64) -> (StatusCode, Value) {
    check_out_with(app, order_id, &json!({})).await
}

async fn check_out_with(app: &TestApp, order_id: i64, changed: &Value) -> (StatusCode, Value) {
    let body = json!({"user_id": USER_ID, "amount_tiyin": TIYIN, "currency": "UZS"});
    app.post(&format!("/orders/{order_id}/telegram-checkouts"), &with(body, changed)).await
}

fn with(mut body: Value, changed: &Value) -> Value {
    body.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
    body
}

/// A payment of an order, named so by Telegram and by the provider.
pub(crate) fn payment(order_id: i64, charge: &str, provider: &str) -> Value {
    json!({"payload": format!("order-{order_id}"), "user_id": USER_ID, "amount_tiyin": TIYIN, "currency": "UZS",
           "telegram_charge_id": charge, "provider_charge_id": provider})
}

async fn pay(app: &TestApp, payment: &Value) -> String {
    let (status, reply) = app.post("/telegram-payments", payment).await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    reply["outcome"].as_str().unwrap().to_owned()
}

async fn reason(app: &TestApp, order_id: i64, changed: &Value) -> String {
    let (status, refusal) = check_out_with(app, order_id, changed).await;
    assert_eq!(status, StatusCode::CONFLICT, "{refusal}");
    refusal["reason"].as_str().unwrap().to_owned()
}

async fn anomalies(app: &TestApp) -> Vec<String> {
    app.until_the_outbox_is_empty().await;
    let events = app.bus.events().into_iter();
    let anomaly = |kind| {
        let EventKind::PaymentQuestioned { anomaly, .. } = kind else { return None };
        Some(anomaly.as_str().to_owned())
    };
    events.filter_map(|event| anomaly(event.kind)).collect()
}

#[tokio::test]
async fn a_payment_in_telegram_pays_the_order_once_with_event_and_evidence() {
    let app = TestApp::start().await;
    app.order(1).await;
    let (status, hold) = check_out(&app, 1).await;
    assert_eq!((status, &hold["held_until"]), (StatusCode::OK, &json!("2026-11-23T12:05:00Z")));
    assert_eq!(pay(&app, &payment(1, "tg-1", "4711")).await, "paid");
    app.until_the_outbox_is_empty().await;
    let events = app.bus.events();
    let [event] = events.as_slice() else { panic!("{events:?}") };
    let EventKind::PaymentCompleted { click_trans_id, click_paydoc_id, late, .. } = event.kind else {
        panic!("{event:?}")
    };
    assert!(click_trans_id.is_of_telegram() && !late);
    assert_eq!(click_paydoc_id.get(), 4711, "the provider's number is what people see");
    let same = payment(1, "tg-1", "4711");
    let again = join_all((0..20).map(|_| pay(&app, &same))).await;
    assert!(again.iter().all(|outcome| outcome == "already_applied"), "{again:?}");
    let (_, shown) = app.get("/orders/1").await;
    assert_eq!((&shown["status"], &shown["attempts"][0]["state"]), (&json!("paid"), &json!("paid")));
    let kept = &shown["telegram_payments"];
    assert_eq!((kept.as_array().map(Vec::len), &kept[0]["outcome"]), (Some(1), &json!("paid")));
    assert_eq!(app.events_of(1).await, ["payment.completed:1"]);
    app.finish().await;
}

#[tokio::test]
async fn a_restart_and_a_repetition_in_one_moment_make_no_second_payment() {
    let mut app = TestApp::start().await;
    app.order(1).await;
    check_out(&app, 1).await;
    let same = payment(1, "tg-1", "4711");
    let both = join_all((0..20).map(|_| pay(&app, &same))).await;
    assert_eq!(both.iter().filter(|outcome| *outcome == "paid").count(), 1, "{both:?}");
    app.stop().await;
    app.start_again().await;
    assert_eq!(pay(&app, &payment(1, "tg-1", "4711")).await, "already_applied");
    assert_eq!(app.code(&Callback::prepare(1)).await, -4, "CLICK's page is told that the order is paid");
    app.finish().await;
}

#[tokio::test]
async fn an_invoice_is_refused_unless_it_is_the_payers_own_order_that_can_be_paid() {
    let app = TestApp::start().await;
    for order_id in 1..=3 {
        app.order(order_id).await;
    }
    assert_eq!(reason(&app, 1, &json!({"user_id": USER_ID + 1})).await, "other_user");
    for changed in
        [json!({"amount_tiyin": TIYIN - 1}), json!({"amount_tiyin": -1}), json!({"currency": "USD"})]
    {
        assert_eq!(reason(&app, 1, &changed).await, "amount_differs");
    }
    app.cancel(2).await;
    assert_eq!(reason(&app, 2, &json!({})).await, "expired");
    app.paid(3).await;
    assert_eq!(reason(&app, 3, &json!({})).await, "paid");
    assert_eq!(check_out(&app, 7).await.0, StatusCode::NOT_FOUND);
    assert!(app.attempts_of(1).await.is_empty(), "a refusal opens no attempt");
    app.finish().await;
}

#[tokio::test]
async fn clicks_page_and_the_invoice_keep_each_other_closed_while_an_attempt_is_open() {
    let app = TestApp::start().await;
    app.order(1).await;
    app.order(2).await;
    app.prepared(1).await;
    assert_eq!(reason(&app, 1, &json!({})).await, "being_paid");
    assert_eq!(check_out(&app, 2).await.0, StatusCode::OK);
    assert_eq!(app.code(&Callback::prepare(2)).await, -9, "Telegram may be taking the money");
    assert_eq!(check_out(&app, 2).await.0, StatusCode::OK, "the same way may be tried once more");
    app.clock.advance(HOLD);
    assert_eq!(check_out(&app, 1).await.0, StatusCode::OK, "CLICK's page was left");
    assert_eq!(app.code(&Callback::prepare(2)).await, 0, "the invoice was left");
    app.finish().await;
}

#[tokio::test]
async fn an_attempt_that_clicks_page_has_ended_keeps_the_invoice_open() {
    let app = TestApp::start().await;
    app.order(1).await;
    let prepare_id = app.prepared(1).await;
    assert_eq!(app.code(&Callback::cancel(1, prepare_id, -5017)).await, -9);
    assert_eq!(check_out(&app, 1).await.0, StatusCode::OK);
    app.finish().await;
}

#[tokio::test]
async fn a_second_payment_is_a_question_to_staff_whichever_way_it_comes() {
    let app = TestApp::start().await;
    app.order(1).await;
    app.order(2).await;
    let prepare_id = app.prepared(1).await;
    app.clock.advance(HOLD);
    check_out(&app, 1).await;
    assert_eq!(app.code(&Callback::complete(1, prepare_id)).await, 0, "money that was taken counts");
    assert_eq!(pay(&app, &payment(1, "tg-1", "4711")).await, "questioned");
    assert_eq!(pay(&app, &payment(1, "tg-1", "4711")).await, "already_applied");
    assert_eq!(pay(&app, &payment(1, "tg-2", "4712")).await, "questioned", "a third is one of its own");

    let prepare_id = app.prepared(2).await;
    app.clock.advance(HOLD);
    check_out(&app, 2).await;
    assert_eq!(pay(&app, &payment(2, "tg-3", "4713")).await, "paid");
    assert_eq!(app.code(&Callback::complete(2, prepare_id)).await, -4);
    assert_eq!(anomalies(&app).await, ["paid_twice", "paid_twice", "paid_twice"]);
    app.finish().await;
}

#[tokio::test]
async fn both_ways_at_the_same_moment_never_pay_an_order_twice_in_silence() {
    let app = TestApp::start().await;
    for order_id in 1..=40 {
        app.order(order_id).await;
    }
    join_all((1..=40).map(|order_id| {
        let app = &app;
        async move {
            let invoice = async {
                if check_out(app, order_id).await.0 == StatusCode::OK {
                    pay(app, &payment(order_id, &format!("tg-{order_id}"), &format!("{order_id}"))).await;
                }
            };
            let page = async {
                let prepared = app.send(&Callback::prepare(order_id)).await;
                if prepared.code == 0 {
                    app.send(&Callback::complete(order_id, prepared.prepare_id())).await;
                }
            };
            tokio::join!(invoice, page);
        }
    }))
    .await;
    assert_eq!(anomalies(&app).await, Vec::<String>::new(), "one of the two was refused before the money");
    for order_id in 1..=40 {
        assert_eq!(app.status_of(order_id).await, "paid");
    }
    app.finish().await;
}

#[tokio::test]
async fn money_that_comes_after_the_end_of_the_order_is_late_and_counts() {
    let app = TestApp::start().await;
    app.order(1).await;
    check_out(&app, 1).await;
    app.cancel(1).await;
    assert_eq!(pay(&app, &payment(1, "tg-1", "not a number")).await, "paid");
    app.until_the_outbox_is_empty().await;
    let last = app.bus.events().into_iter().map(|event| event.kind).next_back();
    assert!(matches!(last, Some(EventKind::PaymentCompleted { late: true, .. })), "{last:?}");
    app.finish().await;
}

#[tokio::test]
async fn money_that_fits_no_order_is_told_to_staff_once() {
    let app = TestApp::start().await;
    app.order(1).await;
    app.order(2).await;
    let less = with(payment(1, "tg-1", "1"), &json!({"amount_tiyin": 5}));
    assert_eq!(pay(&app, &less).await, "questioned");
    assert_eq!(pay(&app, &payment(1, "tg-2", "2")).await, "paid", "without a checkout too");
    assert_eq!(pay(&app, &payment(2, "tg-2", "3")).await, "questioned", "Telegram's name pays one order");
    assert_eq!(pay(&app, &payment(2, "tg-4", "2")).await, "questioned", "the provider's name pays one order");
    assert_eq!(anomalies(&app).await, ["amount_differs", "transaction_reused", "transaction_reused"]);
    for payload in ["order-7", "order-x", "another bot's"] {
        let stray = with(payment(7, "tg-7", "7"), &json!({"payload": payload}));
        assert_eq!(pay(&app, &stray).await, "unplaced");
    }
    app.until_the_outbox_is_empty().await;
    let mut file = app.file().await;
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM telegram_payments WHERE outcome = 'unplaced'")
        .fetch_one(&mut file)
        .await
        .unwrap();
    assert_eq!(kept, 1, "three tellings of one charge");
    app.finish().await;
}

#[tokio::test]
async fn the_merchant_api_is_never_asked_about_a_payment_in_telegram() {
    let app = TestApp::start_with(Setup { merchant_api: true, ..Setup::default() }).await;
    app.post("/api/create_order", &with_receipt(1, TIYIN)).await;
    check_out(&app, 1).await;
    app.clock.advance(time::Duration::minutes(30));
    for path in ["/attempts/silent", "/attempts"] {
        assert_eq!(app.get(path).await.1["attempts"], json!([]), "{path}");
    }
    pay(&app, &payment(1, "tg-1", "4711")).await;
    let (_, open) = app.get("/receipts/open").await;
    assert_eq!(open["receipts"][0]["in_telegram"], true, "{open}");
    assert_eq!(app.get("/orders/1/refunds").await.1["allowed"]["reason"], "paid_in_telegram");
    let asked = json!({"request_id": "tap-1", "requested_by": "5551"});
    let (_, refund) = app.post("/orders/1/refunds", &asked).await;
    assert_eq!((&refund["state"], &refund["why"]), (&json!("manual"), &json!("paid_in_telegram")));
    let retry = format!("/refunds/{}/retry", refund["refund_id"]);
    assert_eq!(app.post(&retry, &json!({"by": "5551"})).await.0, StatusCode::CONFLICT);
    app.finish().await;
}

#[tokio::test]
async fn the_file_itself_keeps_payments_in_telegram_as_they_were_told() {
    let app = TestApp::start().await;
    app.order(1).await;
    pay(&app, &payment(1, "tg-1", "4711")).await;
    let mut file = app.file().await;
    for statement in [
        "DELETE FROM telegram_payments",
        "UPDATE telegram_payments SET amount_tiyin = 1",
        "INSERT INTO telegram_payments (payload, user_id, amount_tiyin, currency, telegram_charge_id, provider_charge_id,
           received_at, outcome) VALUES ('order-2', 77, 1, 'UZS', 'tg-9', '9', 0, 'paid')",
    ] {
        assert!(file.execute(statement).await.is_err(), "{statement}");
    }
    app.finish().await;
}
