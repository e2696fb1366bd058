//! Events that are published once more, and what another process reads of the ledger's file.

use sqlx::Executor;
use tolov_domain::{EventKind, OrderId};
use tolov_kit::clock::Clock;
use tolov_webhook::ledger::{LedgerReader, OrderStatus, Outcome, ReplayRefusal};

use crate::{
    app::{TestApp, wait_until},
    click::Callback,
    engine,
};

fn order_id(number: i64) -> OrderId {
    OrderId::try_new(number).unwrap()
}

async fn times_seen(app: &TestApp, event_id: &str, times: usize) {
    wait_until(event_id, async || app.bus.times_seen(event_id) == times).await;
    app.until_the_outbox_is_empty().await;
}

#[tokio::test]
async fn a_payment_is_published_once_more_while_the_service_runs_also_after_its_event_was_deleted() {
    let mut app = TestApp::start().await;
    app.order(1).await;
    app.paid(1).await;
    app.order(12).await;
    app.paid(12).await;
    times_seen(&app, "payment.completed:1", 1).await;
    let (status, answer) = app.replay(1).await;
    assert!(status.is_success(), "{answer}");
    times_seen(&app, "payment.completed:1", 2).await;

    app.events_may_be_pruned();
    app.file().await.execute("DELETE FROM outbox WHERE order_id = 1").await.unwrap();
    assert_eq!(app.ledger().replay(&[order_id(1)]).await.unwrap(), [Outcome::Applied]);
    times_seen(&app, "payment.completed:1", 3).await;
    let [first, .., last] = &app.bus.events()[..] else { panic!("{:?}", app.bus.events()) };
    assert_eq!((&first.id, &first.kind), (&last.id, &last.kind), "made anew, it says the same");
    assert_eq!((first.amount, first.occurred_at), (last.amount, last.occurred_at));
    assert_eq!(app.bus.times_seen("payment.completed:12"), 1, "no other order's");
    let unknown = app.ledger().replay(&[order_id(7)]).await.unwrap();
    assert_eq!(unknown, [Outcome::Refused(ReplayRefusal::Unknown)]);
    app.finish().await;
}

#[tokio::test]
async fn every_event_of_an_order_comes_again_cancelled_attempts_and_questions_too() {
    let app = TestApp::start().await;
    app.order(1).await;
    let prepare_id = app.prepared(1).await;
    assert_eq!(app.code(&Callback::complete(1, prepare_id).amount("1")).await, -2);
    assert_eq!(app.code(&Callback::cancel(1, prepare_id, -5017)).await, -9);
    assert!(app.cancel(1).await.0.is_success());
    app.until_the_outbox_is_empty().await;
    let mut before = app.bus.confirmed();
    assert_eq!(before.len(), 3, "{before:?}");
    assert_eq!(app.ledger().replay(&[order_id(1)]).await.unwrap(), [Outcome::Applied]);
    wait_until("all of them come again", async || app.bus.confirmed().len() == 6).await;
    let mut again = app.bus.confirmed().split_off(3);
    before.sort();
    again.sort();
    assert_eq!(again, before);
    app.finish().await;
}

#[tokio::test]
async fn another_process_reads_what_is_paid_what_has_changed_and_what_waits() {
    let mut app = TestApp::start().await;
    let reader = LedgerReader::open(app.place()).await.unwrap();
    let began = app.clock.now();
    for number in [1, 2, 3] {
        app.order(number).await;
    }
    app.paid(1).await;
    app.until_the_outbox_is_empty().await;
    app.clock.advance(time::Duration::hours(2));
    let later = app.clock.now();
    app.bus.go_away();
    app.paid(3).await;
    app.clock.advance(time::Duration::hours(1));
    let now = app.clock.now();

    let payments = reader.payments(1..=i64::MAX, 10).await.unwrap();
    assert_eq!(payments.iter().map(|event| event.order_id.get()).collect::<Vec<_>>(), [1, 3]);
    assert!(matches!(payments[0].kind, EventKind::PaymentCompleted { late: false, .. }), "{payments:?}");
    assert_eq!(payments[0], app.bus.events()[0], "the event as it was published");
    assert_eq!(reader.payments(2..=2, 10).await.unwrap(), []);
    assert_eq!(reader.payments(1..=3, 1).await.unwrap().len(), 1);
    let [paid] = &reader.payments_of(&[order_id(2), order_id(3)]).await.unwrap()[..] else { panic!() };
    assert_eq!(paid.order_id, order_id(3));
    let statuses = reader.statuses(&[order_id(2), order_id(3), order_id(4)]).await.unwrap();
    assert_eq!(statuses.into_values().collect::<Vec<_>>(), [OrderStatus::Pending, OrderStatus::Paid]);
    let changed = |since, until| reader.changed_orders(0, (since, until), 10);
    assert_eq!(changed(began, now).await.unwrap(), [order_id(1), order_id(3)]);
    assert_eq!(changed(later, now).await.unwrap(), [order_id(3)]);
    assert_eq!(reader.changed_orders(1, (began, now), 10).await.unwrap(), [order_id(3)]);
    let unsent = reader.unsent(now, 10).await.unwrap();
    assert_eq!(
        unsent.iter().map(|event| event.event_id.as_str()).collect::<Vec<_>>(),
        ["payment.completed:3"]
    );
    assert_eq!(reader.unsent(later, 10).await.unwrap(), [], "only what is older");
    let [event] = &reader.events(order_id(1)).await.unwrap()[..] else { panic!() };
    assert!(event.sent_at.is_some() && event.event_id == "payment.completed:1", "{event:?}");
    app.bus.come_back();
    app.until_the_outbox_is_empty().await;
    reader.close().await;
    app.events_may_wait();
    app.finish().await;
}

/// An order that was cancelled while an attempt was open, by which it is paid afterwards.
async fn paid_late(app: &TestApp, number: i64) {
    app.order(number).await;
    let prepare_id = app.prepared(number).await;
    assert!(app.cancel(number).await.0.is_success());
    assert_eq!(app.code(&Callback::complete(number, prepare_id)).await, 0);
}

async fn late_payments(app: &TestApp) -> Vec<i64> {
    let reader = LedgerReader::open(app.place()).await.unwrap();
    let mut payments = reader.payments(1..=i64::MAX, 10).await.unwrap();
    reader.close().await;
    payments.retain(|event| matches!(event.kind, EventKind::PaymentCompleted { late: true, .. }));
    payments.into_iter().map(|event| event.order_id.get()).collect()
}

#[tokio::test]
async fn a_payment_that_came_late_is_late_for_ever() {
    let mut app = TestApp::start().await;
    paid_late(&app, 1).await;
    app.order(2).await;
    app.paid(2).await;
    app.events_may_be_pruned();
    // By the service that has seen it, and by one that has not.
    for times in 1..=3 {
        times_seen(&app, "payment.completed:1", times).await;
        times_seen(&app, "payment.completed:2", times).await;
        app.file().await.execute("DELETE FROM outbox").await.unwrap();
        assert_eq!(late_payments(&app).await, [1]);
        if times == 2 {
            app.stop().await;
            app.start_again().await;
        }
        let replayed = app.ledger().replay(&[order_id(1), order_id(2)]).await.unwrap();
        assert_eq!(replayed, [Outcome::Applied; 2]);
    }
    times_seen(&app, "payment.completed:2", 4).await;
    for event in app.bus.events() {
        if let EventKind::PaymentCompleted { late, .. } = event.kind {
            assert_eq!(late, event.order_id.get() == 1, "{event:?}");
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn what_came_late_before_a_ledger_kept_it_is_known_by_its_event_or_by_attempts_that_were_given_up() {
    let mut app = TestApp::start().await;
    paid_late(&app, 1).await;
    app.order(2).await;
    app.paid(2).await;
    app.order(3).await;
    let first = app.prepared(3).await;
    assert_ne!(app.send(&Callback::prepare(3).trans(8)).await.prepare_id(), first);
    assert!(app.cancel(3).await.0.is_success());
    assert_eq!(app.code(&Callback::complete(3, first)).await, 0);
    app.until_the_outbox_is_empty().await;
    app.stop().await;
    let mut file = app.file().await;
    app.events_are_gone();
    file.execute("DELETE FROM outbox WHERE order_id = 3").await.unwrap();
    file.execute(sqlx::raw_sql(engine::WITHOUT_LATE)).await.unwrap();
    app.start_again().await;
    assert_eq!(late_payments(&app).await, [1, 3]);
    app.finish().await;
}
