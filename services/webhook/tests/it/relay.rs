//! Events reach the bus at least once, in the order of their order, whatever the bus does.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::Executor;
use tolov_domain::ports::bus::{Route, RoutingKey};
use tolov_kit::clock::Clock;
use tolov_webhook::{Deps, Service, StartError, ledger::OpenError, maintenance::expire_due};

use crate::{
    app::{Setup, TestApp, wait_until},
    bus::RecordingBus,
    click::Callback,
};

/// An order with a cancelled attempt and then a paid one: two events.
async fn cancelled_then_paid(app: &TestApp, order_id: i64) {
    app.order(order_id).await;
    let first = app.prepared(order_id).await;
    assert_eq!(app.code(&Callback::cancel(order_id, first, -5017)).await, -9);
    let trans_id = 100 + order_id;
    let second = app.send(&Callback::prepare(order_id).trans(trans_id)).await.prepare_id();
    assert_eq!(app.code(&Callback::complete(order_id, second).trans(trans_id)).await, 0);
}

/// What the bus has confirmed of one order, in order.
fn confirmed_of(app: &TestApp, order_id: i64) -> Vec<String> {
    let events = app.bus.events().into_iter().filter(|event| event.order_id.get() == order_id);
    events.map(|event| event.id.to_string()).collect()
}

#[tokio::test]
async fn an_event_is_published_once_with_its_name_as_key_and_marked() {
    let app = TestApp::start().await;
    app.order(1).await;
    app.paid(1).await;
    app.until_the_outbox_is_empty().await;
    let messages = app.bus.messages();
    let [message] = messages.as_slice() else { panic!("{messages:?}") };
    assert_eq!(message.route, Route::Payments(RoutingKey::try_new("payment.completed").unwrap()));
    assert_eq!(
        (message.id.as_str(), message.schema.as_str()),
        ("payment.completed:1", "payment.completed/1")
    );
    assert_eq!(
        String::from_utf8(message.body.clone()).unwrap(),
        r#"{"schema":"payment.completed/1","event_id":"payment.completed:1","order_id":1,"user_id":5551,"products":[{"product_id":7,"count":2}],"amount_tiyin":3000000,"occurred_at":"2026-11-23T12:00:00Z","click_trans_id":3647911001,"click_paydoc_id":16853761,"merchant_prepare_id":1,"late":false}"#
    );
    app.order(2).await;
    app.paid(2).await;
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.bus.windows(), [["payment.completed:1"], ["payment.completed:2"]]);
    app.finish().await;
}

#[tokio::test]
async fn payments_are_accepted_while_the_bus_is_away_and_told_in_order_when_it_is_back() {
    let bus = Arc::new(RecordingBus::default());
    bus.go_away();
    let app = TestApp::start_with(Setup { bus, ..Setup::default() }).await;
    for order_id in 1..=5 {
        cancelled_then_paid(&app, order_id).await;
    }
    wait_until("the relay has tried", async || app.bus.tries_while_away() > 0).await;
    assert_eq!(app.ledger().outbox_status().await.unwrap().depth, 10);
    app.bus.come_back();
    app.until_the_outbox_is_empty().await;
    for order_id in 1..=5 {
        assert_eq!(confirmed_of(&app, order_id), app.events_of(order_id).await);
    }
    app.bus.go_away();
    cancelled_then_paid(&app, 6).await;
    app.bus.come_back();
    app.until_the_outbox_is_empty().await;
    assert_eq!(confirmed_of(&app, 6), app.events_of(6).await);
    assert_eq!(app.bus.confirmed().len(), 12, "each once");
    app.finish().await;
}

#[tokio::test]
async fn an_event_that_the_bus_refuses_waits_alone_and_only_its_own_order_waits_with_it() {
    let app = TestApp::start().await;
    let refused = "payment.cancelled:1:1";
    app.bus.reject(refused);
    cancelled_then_paid(&app, 1).await;
    cancelled_then_paid(&app, 2).await;
    wait_until("the other order flows", async || confirmed_of(&app, 2).len() == 2).await;
    assert_eq!(app.bus.times_seen(refused), 1);
    assert_eq!(app.bus.times_seen("payment.completed:1"), 0, "it waits behind the refused one");
    wait_until("the other order is marked", async || {
        let status = app.ledger().outbox_status().await.unwrap();
        (status.depth, status.refused) == (2, 1)
    })
    .await;
    // It is tried again after one second, then after two more, and not before.
    for (passed_ms, seen) in [(999, 1), (1, 2), (1999, 2), (1, 3)] {
        app.clock.advance(time::Duration::milliseconds(passed_ms));
        let others = app.bus.windows().len();
        wake_the_relay(&app, others).await;
        wait_until("the refused one is due", async || app.bus.times_seen(refused) >= seen).await;
        assert_eq!(app.bus.times_seen(refused), seen, "after {passed_ms} ms more");
    }
    app.bus.accept(refused);
    app.clock.advance(time::Duration::seconds(4));
    app.until_the_outbox_is_empty().await;
    assert_eq!(confirmed_of(&app, 1), app.events_of(1).await);
    app.finish().await;
}

/// Pays another order and waits until its event is out: the relay has then looked at the outbox anew.
async fn wake_the_relay(app: &TestApp, number: usize) {
    let order_id = 1000 + i64::try_from(number).unwrap();
    app.order(order_id).await;
    app.paid(order_id).await;
    wait_until("the new event is out", async || !confirmed_of(app, order_id).is_empty()).await;
}

#[tokio::test]
async fn an_event_whose_confirm_was_lost_is_sent_again_with_the_same_id() {
    let app = TestApp::start().await;
    app.bus.lose_the_confirm_of("payment.completed:1");
    app.order(1).await;
    app.paid(1).await;
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.bus.windows(), [["payment.completed:1"], ["payment.completed:1"]]);
    app.finish().await;
}

#[tokio::test]
async fn an_event_whose_confirm_was_lost_keeps_the_later_ones_of_its_order_behind_it() {
    let app = TestApp::start().await;
    app.bus.go_away();
    cancelled_then_paid(&app, 1).await;
    cancelled_then_paid(&app, 2).await;
    app.bus.lose_the_confirm_of("payment.cancelled:1:1");
    app.bus.come_back();
    app.until_the_outbox_is_empty().await;
    for order_id in [1, 2] {
        assert_eq!(confirmed_of(&app, order_id), app.events_of(order_id).await);
    }
    app.finish().await;
}

#[tokio::test]
async fn of_a_window_with_mixed_outcomes_each_event_has_its_own() {
    let bus = Arc::new(RecordingBus::default());
    bus.go_away();
    let app = TestApp::start_with(Setup { bus, ..Setup::default() }).await;
    for order_id in 1..=6 {
        app.order(order_id).await;
        app.paid(order_id).await;
    }
    let completed = |order_id: i64| format!("payment.completed:{order_id}");
    app.bus.reject(&completed(2));
    app.bus.reject(&completed(5));
    app.bus.lose_the_confirm_of(&completed(3));
    app.bus.come_back();
    wait_until("all but the refused are out", async || app.bus.confirmed().len() == 4).await;
    let first_window: Vec<String> = (1..=6).map(completed).collect();
    assert_eq!(app.bus.windows()[..2], [first_window, vec![completed(3)]]);
    for order_id in [2, 5] {
        app.bus.accept(&completed(order_id));
    }
    app.clock.advance(time::Duration::seconds(1));
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.bus.confirmed().len(), 6);
    app.finish().await;
}

#[tokio::test]
async fn a_death_between_the_bus_and_the_mark_sends_the_event_again_with_the_same_id() {
    let mut app = TestApp::start().await;
    app.bus.fall_silent();
    for order_id in [1, 2] {
        app.order(order_id).await;
        app.paid(order_id).await;
    }
    wait_until("the bus has the first event", async || app.bus.times_seen("payment.completed:1") == 1).await;
    app.kill();
    app.bus.speak_again();
    app.start_again().await;
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.bus.times_seen("payment.completed:1"), 2);
    assert_eq!(app.bus.confirmed(), ["payment.completed:1", "payment.completed:2"]);
    app.finish().await;
}

#[tokio::test]
async fn what_waits_at_a_clean_stop_is_sent_before_the_end() {
    let mut app = TestApp::start().await;
    app.bus.go_away();
    for order_id in [1, 2, 3] {
        cancelled_then_paid(&app, order_id).await;
    }
    app.bus.come_back();
    app.stop().await;
    assert_eq!(app.bus.confirmed().len(), 6);
    app.finish().await;
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_bus_that_is_away() {
    let mut app = TestApp::start().await;
    app.bus.go_away();
    cancelled_then_paid(&app, 1).await;
    let started = Instant::now();
    app.stop().await;
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    app.events_may_wait();
    app.finish().await;
}

#[tokio::test]
async fn a_clean_stop_with_the_bus_away_leaves_the_events_for_the_next_start() {
    let mut app = TestApp::start().await;
    app.bus.go_away();
    cancelled_then_paid(&app, 1).await;
    app.stop().await;
    app.bus.come_back();
    app.start_again().await;
    app.until_the_outbox_is_empty().await;
    assert_eq!(confirmed_of(&app, 1), app.events_of(1).await);
    app.finish().await;
}

#[tokio::test]
async fn a_backlog_of_five_thousand_events_drains_in_windows_each_event_once() {
    let ttl = Duration::from_hours(1);
    let app = TestApp::start_with(Setup { order_ttl: Some(ttl), ..Setup::default() }).await;
    app.bus.go_away();
    let mut file = app.file().await;
    file.execute(
        "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 5000)
         INSERT INTO orders SELECT n, 5551, '[{\"product_id\":7,\"count\":2}]', 3000000, 'click', 'pending',
            1700000000000, 1700000000000, NULL, NULL FROM number",
    )
    .await
    .unwrap();
    let expired = expire_due(app.ledger(), app.clock.now() - ttl, app.clock.now()).await;
    wait_until("all are expired", async || app.ledger().outbox_status().await.unwrap().depth == 5000).await;
    assert!(expired <= 5000);
    app.bus.come_back();
    app.until_the_outbox_is_empty().await;
    let mut confirmed = app.bus.confirmed();
    assert_eq!(confirmed.len(), 5000);
    confirmed.sort_unstable();
    confirmed.dedup();
    assert_eq!(confirmed.len(), 5000);
    assert!(app.bus.windows().iter().all(|window| window.len() <= 512));
    app.finish().await;
}

/// Registers and ends so many orders: an event each.
async fn backlog_of(app: &TestApp, orders: i64) {
    let mut file = app.file().await;
    let statement = format!(
        "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {orders})
         INSERT INTO orders SELECT n, 5551, '[{{\"product_id\":7,\"count\":2}}]', 3000000, 'click', 'pending',
            1700000000000, 1700000000000, NULL, NULL FROM number"
    );
    file.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
    let now = app.clock.now();
    expire_due(app.ledger(), now, now).await;
}

#[tokio::test]
async fn a_stop_leaves_a_backlog_to_the_next_start() {
    let mut app = TestApp::start().await;
    app.bus.go_away();
    backlog_of(&app, 3000).await;
    wait_until("the relay has tried", async || app.bus.tries_while_away() > 0).await;
    app.ask_to_stop();
    app.bus.come_back();
    app.stop().await;
    assert!(app.bus.confirmed().len() <= 4 * 512, "{} were drained", app.bus.confirmed().len());
    app.start_again().await;
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.bus.confirmed().len(), 3000);
    app.finish().await;
}

#[tokio::test]
async fn while_nothing_gets_through_a_backlog_is_not_published_again_and_again() {
    let app = TestApp::start().await;
    app.bus.reject_all();
    backlog_of(&app, 2000).await;
    wait_until("the bus has refused some", async || !app.bus.windows().is_empty()).await;
    wait_until("one event at a time is tried", async || app.bus.windows().len() > 3).await;
    let windows = app.bus.windows();
    let sizes: Vec<usize> = windows.iter().map(Vec::len).collect();
    assert!(sizes[1..].iter().all(|size| *size == 1), "one at a time after the first: {sizes:?}");
    app.bus.accept_all();
    app.clock.advance(time::Duration::minutes(5));
    // The relay may be in a pause of many seconds by now: a payment ends it.
    wake_the_relay(&app, 2000).await;
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.bus.confirmed().len(), 2001);
    app.finish().await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_holds_no_refused_event_back() {
    let app = TestApp::start().await;
    app.bus.reject("payment.completed:1");
    app.order(1).await;
    app.paid(1).await;
    wait_until("it is refused", async || app.ledger().outbox_status().await.unwrap().refused == 1).await;
    app.bus.accept("payment.completed:1");
    app.clock.jump(-time::Duration::days(30));
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.bus.confirmed(), ["payment.completed:1"]);
    app.finish().await;
}

#[tokio::test]
async fn a_second_service_on_the_same_ledger_is_refused_and_the_first_goes_on() {
    let app = TestApp::start().await;
    let deps = Deps { bus: app.bus.clone(), clock: Arc::new(app.clock.clone()) };
    let second = Service::new(app.config(), deps).await;
    let refusal = second.unwrap_err();
    assert!(matches!(refusal, StartError::Ledger(OpenError::Locked(_))), "{refusal:?}");
    assert!(refusal.to_string().contains("open in another process"), "{refusal}");
    app.order(1).await;
    app.paid(1).await;
    app.finish().await;
}
