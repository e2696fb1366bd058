//! Invoices to a phone number over the internal API: one open an order, moved on by steps that only the first one makes.

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::Executor;
use time::Duration;
use tolov_domain::time::unix_ms;
use tolov_kit::clock::Clock;

use crate::{
    app::{Setup, TestApp},
    click::Callback,
};

async fn start() -> TestApp {
    let app = TestApp::start_with(Setup { merchant_api: true, ..Setup::default() }).await;
    app.order(1).await;
    app
}

async fn ask(app: &TestApp) -> (StatusCode, Value) {
    app.post("/orders/1/phone-invoices", &json!({"user_id": 5551, "phone": "+998901234567"})).await
}

async fn step(app: &TestApp, invoice: &Value, change: &Value) -> (StatusCode, Value) {
    let mut body = change.clone();
    body["step"] = invoice["step"].clone();
    app.post(&format!("/phone-invoices/{}/step", invoice["phone_invoice_id"]), &body).await
}

async fn due(app: &TestApp) -> Value {
    app.get("/phone-invoices/due").await.1["due"].clone()
}

#[tokio::test]
async fn an_order_has_one_open_invoice_however_often_it_is_asked_for() {
    let mut app = start().await;
    let asked = join_all((0..10).map(|_| ask(&app))).await;
    assert_eq!(asked.iter().filter(|(status, _)| *status == StatusCode::CREATED).count(), 1);
    let (_, invoice) = asked[0].clone();
    assert!(asked.iter().all(|(_, other)| *other == invoice), "{asked:?}");
    assert_eq!((&invoice["phone"], &invoice["amount_tiyin"]), (&json!("998901234567"), &json!(3_000_000)));
    app.stop().await;
    app.start_again().await;
    assert_eq!(ask(&app).await, (StatusCode::OK, invoice.clone()));
    assert_eq!(due(&app).await, json!([{"invoice": invoice, "is_payable": true}]));
    app.finish().await;
}

#[tokio::test]
async fn a_refused_invoice_makes_room_for_another_one_and_an_unknown_one_does_not() {
    let app = start().await;
    let (_, first) = ask(&app).await;
    let send = json!({"change": "send"});
    let answers = join_all((0..4).map(|_| step(&app, &first, &send))).await;
    let sent = answers.iter().filter(|(status, _)| *status == StatusCode::OK);
    let [(_, sending)] = sent.collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(step(&app, &first, &send).await.0, StatusCode::CONFLICT, "sent once");
    let refused = json!({"change": "refused", "click_code": -514, "click_note": "no user"});
    assert_eq!(step(&app, sending, &refused).await.1["state"], "refused");
    let (status, second) = ask(&app).await;
    assert_eq!(status, StatusCode::CREATED);
    let (_, sending) = step(&app, &second, &json!({"change": "send"})).await;
    let unknown = json!({"change": "outcome_unknown", "click_note": "no answer"});
    let (_, unknown) = step(&app, &sending, &unknown).await;
    assert_eq!(ask(&app).await, (StatusCode::OK, unknown));
    assert_eq!(due(&app).await, json!([]));
    app.finish().await;
}

#[tokio::test]
async fn a_number_that_no_invoice_has_is_refused_for_good() {
    let app = start().await;
    let (_, invoice) = ask(&app).await;
    let (_, sending) = step(&app, &invoice, &json!({"change": "send"})).await;
    for invoice_id in [0, -1] {
        let (status, answer) =
            step(&app, &sending, &json!({"change": "sent", "invoice_id": invoice_id})).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    }
    assert_eq!(step(&app, &sending, &json!({"change": "sent", "invoice_id": 1})).await.1["state"], "sent");
    app.finish().await;
}

#[tokio::test]
async fn the_payment_of_an_invoice_is_an_ordinary_prepare_and_complete() {
    let app = start().await;
    let (_, invoice) = ask(&app).await;
    let (_, sending) = step(&app, &invoice, &json!({"change": "send"})).await;
    let (_, sent) = step(&app, &sending, &json!({"change": "sent", "invoice_id": 171_010_156})).await;
    let prepare_id = app.prepared(1).await;
    assert_eq!(app.code(&Callback::complete(1, prepare_id)).await, 0);
    assert_eq!(due(&app).await[0]["is_payable"], false);
    assert_eq!(step(&app, &sent, &json!({"change": "over"})).await.1["state"], "over");
    assert_eq!(ask(&app).await.0, StatusCode::CONFLICT, "the order is paid");
    let (_, shown) = app.get("/orders/1/phone-invoices").await;
    assert_eq!(shown["phone_invoices"].as_array().map(Vec::len), Some(1));
    app.finish().await;
}

#[tokio::test]
async fn nobody_has_a_bill_sent_for_anothers_order_or_without_the_merchant_api() {
    let app = start().await;
    let (status, refusal) =
        app.post("/orders/1/phone-invoices", &json!({"user_id": 9, "phone": "+998901234567"})).await;
    assert_eq!((status, &refusal["reason"]), (StatusCode::CONFLICT, &json!("other_user")));
    app.finish().await;
    let app = TestApp::start().await;
    app.order(1).await;
    assert_eq!(ask(&app).await.1["reason"], "merchant_api_off");
    app.finish().await;
}

#[tokio::test]
async fn an_invoice_whose_turn_was_set_by_a_clock_that_was_ahead_waits_no_longer_than_any_other() {
    let app = start().await;
    app.clock.jump(Duration::days(30));
    let (_, invoice) = ask(&app).await;
    app.clock.jump(Duration::days(-30));
    assert_eq!(due(&app).await[0]["invoice"], invoice);
    let (_, sending) = step(&app, &invoice, &json!({"change": "send"})).await;
    let (_, mut sent) = step(&app, &sending, &json!({"change": "sent", "invoice_id": 171_010_156})).await;
    for (pause, is_due) in [(Duration::minutes(10), 0), (Duration::minutes(12), 1)] {
        let wait = json!({"change": "wait", "next_step_at": unix_ms(app.clock.now() + pause)});
        sent = step(&app, &sent, &wait).await.1;
        assert_eq!(due(&app).await.as_array().unwrap().len(), is_due, "{pause}");
    }
    app.finish().await;
}

#[tokio::test]
async fn the_file_itself_lets_an_invoice_be_sent_once() {
    let app = start().await;
    let (_, invoice) = ask(&app).await;
    step(&app, &invoice, &json!({"change": "send"})).await;
    let mut file = app.file().await;
    for statement in [
        "UPDATE phone_invoices SET state = 'requested', step = 9",
        "UPDATE phone_invoices SET state = 'sending', step = 9",
        "UPDATE phone_invoices SET phone = '998900000000', step = 9",
        "DELETE FROM phone_invoices",
    ] {
        assert!(file.execute(statement).await.is_err(), "{statement}");
    }
    app.finish().await;
}
