//! POST /orders/ID/cancel: an order that nobody has paid is over at once, and money that comes afterwards is accepted.

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tolov_domain::EventKind;

use crate::{
    app::{API_TOKEN, TestApp},
    callers::order_json,
    click::Callback,
};

#[tokio::test]
async fn a_cancelled_order_is_shown_as_it_stands_and_told_as_expired() {
    let app = TestApp::start().await;
    app.order(1).await;
    app.prepared(1).await;
    app.clock.advance(time::Duration::minutes(5));
    let (status, answer) = app.cancel(1).await;
    assert_eq!((status, &answer["cancelled"]), (StatusCode::OK, &json!(true)));
    assert_eq!(answer["changed_at"], "2026-11-23T12:05:00Z");
    let (_, mut shown) = app.get("/orders/1").await;
    assert_eq!((&shown["status"], &shown["attempts"][0]["state"]), (&json!("expired"), &json!("given_up")));
    shown["cancelled"] = json!(true);
    assert_eq!(answer, shown);
    app.until_the_outbox_is_empty().await;
    let events = app.bus.events();
    assert_eq!(events.iter().map(|event| event.kind.clone()).collect::<Vec<_>>(), [EventKind::OrderExpired]);
    assert_eq!(app.events_of(1).await, ["order.expired:1"]);
    app.finish().await;
}

#[tokio::test]
async fn an_order_is_cancelled_once_however_often_it_is_asked_for() {
    let mut app = TestApp::start().await;
    app.order(1).await;
    let (_, first) = app.cancel(1).await;
    app.clock.advance(time::Duration::hours(1));
    assert_eq!(app.cancel(1).await, (StatusCode::OK, first.clone()));
    let again = join_all((0..100).map(|_| app.cancel(1))).await;
    assert!(again.iter().all(|answer| *answer == (StatusCode::OK, first.clone())));
    app.stop().await;
    app.start_again().await;
    assert_eq!(app.cancel(1).await, (StatusCode::OK, first));
    assert_eq!(app.events_of(1).await, ["order.expired:1"]);
    app.finish().await;
}

#[tokio::test]
async fn a_paid_order_is_not_cancelled_and_one_that_nobody_knows_is_not_found() {
    let app = TestApp::start().await;
    app.order(1).await;
    app.paid(1).await;
    let (status, refusal) = app.cancel(1).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(refusal["error"].is_string() && refusal.get("cancelled").is_none(), "{refusal}");
    assert_eq!(app.status_of(1).await, "paid");
    assert_eq!(app.events_of(1).await, ["payment.completed:1"]);
    for path in ["/orders/2/cancel", "/orders/0/cancel", "/orders/x/cancel", "/orders/01/cancel"] {
        let request = app.http.post(app.url(path)).bearer_auth(API_TOKEN);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::NOT_FOUND, "{path}");
    }
    let request = app.http.request(Method::GET, app.url("/orders/1/cancel")).bearer_auth(API_TOKEN);
    assert_eq!(request.send().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    app.finish().await;
}

#[tokio::test]
async fn a_cancelled_order_takes_no_new_prepare() {
    let app = TestApp::start().await;
    app.order(1).await;
    let prepare_id = app.prepared(1).await;
    assert_eq!(app.cancel(1).await.0, StatusCode::OK);
    assert_eq!(app.code(&Callback::prepare(1)).await, -9, "the same attempt");
    assert_eq!(app.code(&Callback::prepare(1).trans(8)).await, -9, "another attempt");
    assert_eq!(app.code(&Callback::cancel(1, prepare_id, -5017)).await, -9);
    assert_eq!(
        (app.status_of(1).await.as_str(), app.attempts_of(1).await),
        ("expired", vec!["cancelled".to_owned()])
    );
    app.finish().await;
}

#[tokio::test]
async fn money_that_was_under_way_when_the_order_was_cancelled_is_accepted_and_told_to_be_late() {
    let app = TestApp::start().await;
    app.order(1).await;
    let prepare_id = app.prepared(1).await;
    assert_eq!(app.cancel(1).await.0, StatusCode::OK);
    assert_eq!(app.code(&Callback::complete(1, prepare_id)).await, 0);
    assert_eq!(app.cancel(1).await.0, StatusCode::CONFLICT, "now it is paid");
    app.until_the_outbox_is_empty().await;
    let kinds: Vec<EventKind> = app.bus.events().into_iter().map(|event| event.kind).collect();
    assert!(
        matches!(kinds.as_slice(), [EventKind::OrderExpired, EventKind::PaymentCompleted { late: true, .. }]),
        "{kinds:?}"
    );
    app.finish().await;
}

#[tokio::test]
async fn a_cancel_that_races_a_complete_loses_or_makes_the_money_late() {
    let app = TestApp::start().await;
    let mut completes = Vec::new();
    for order_id in 1..=40 {
        app.order(order_id).await;
        completes.push(Callback::complete(order_id, app.prepared(order_id).await));
    }
    let paying = join_all(completes.iter().map(|complete| app.code(complete)));
    let cancelling = join_all((1..=40).map(|order_id| app.cancel(order_id)));
    let (codes, _) = tokio::join!(paying, cancelling);
    assert!(codes.iter().all(|code| *code == 0), "the money is taken: {codes:?}");
    app.until_the_outbox_is_empty().await;
    for order_id in 1..=40 {
        assert_eq!(app.status_of(order_id).await, "paid");
        let events = app.bus.events().into_iter().filter(|event| event.order_id.get() == order_id);
        let kinds: Vec<EventKind> = events.map(|event| event.kind).collect();
        let one_winner = matches!(
            kinds.as_slice(),
            [EventKind::PaymentCompleted { late: false, .. }]
                | [EventKind::OrderExpired, EventKind::PaymentCompleted { late: true, .. }]
        );
        assert!(one_winner, "{kinds:?}");
    }
    app.finish().await;
}

/// What waits for the writer becomes one transaction; which job comes first is chance.
#[tokio::test]
async fn orders_are_cancelled_in_the_transaction_that_makes_prepares_or_pays_them() {
    let app = TestApp::start().await;
    app.order(1).await;
    app.order(2).await;
    let complete = Callback::complete(2, app.prepared(2).await);
    let lock = app.hold_the_write_lock().await;
    let all_at_once = async {
        let prepare = Callback::prepare(1);
        let new = order_json(3, "30000");
        tokio::join!(
            app.send(&prepare),
            app.send(&complete),
            app.create(&new),
            join_all([1, 2, 3].map(|order_id| app.cancel(order_id))),
        )
    };
    let unlock = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        drop(lock);
    };
    let ((prepared, completed, created, cancelled), ()) = tokio::join!(all_at_once, unlock);
    assert!(matches!(prepared.code, 0 | -9), "before the cancel or after it");
    assert_eq!(completed.code, 0, "the money is taken");
    assert_eq!(created.0, StatusCode::CREATED);
    let statuses: Vec<u16> =
        cancelled.iter().map(|(status, _): &(StatusCode, Value)| status.as_u16()).collect();
    assert_eq!(statuses[0], 200);
    assert_eq!(app.status_of(1).await, "expired");
    assert!(app.attempts_of(1).await.iter().all(|state| state == "given_up"), "no attempt is left open");
    assert_eq!(app.status_of(2).await, "paid");
    let third = app.status_of(3).await;
    assert_eq!(third == "expired", statuses[2] == 200, "{third}: {statuses:?}");
    app.finish().await;
}
