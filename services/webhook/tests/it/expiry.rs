//! ORDER_TTL: an order that nobody pays expires, and money that comes afterwards is accepted.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use sqlx::Executor;
use tolov_domain::EventKind;
use tolov_kit::clock::Clock;
use tolov_webhook::maintenance::{Maintenance, expire_due};

use crate::{
    app::{Setup, TestApp, generous},
    click::Callback,
};

const TTL: Duration = Duration::from_hours(24);

async fn start() -> TestApp {
    TestApp::start_with(Setup { order_ttl: Some(TTL), ..Setup::default() }).await
}

/// Advances the clock and does what the service's maintenance does every few seconds.
async fn expire_after(app: &TestApp, passed: time::Duration) -> usize {
    app.clock.advance(passed);
    expire_due(app.ledger(), app.clock.now() - TTL, app.clock.now()).await
}

#[tokio::test]
async fn an_order_expires_when_its_time_is_over_and_not_before() {
    let app = start().await;
    app.order(1).await;
    assert_eq!(expire_after(&app, time::Duration::hours(24)).await, 0);
    assert_eq!(app.status_of(1).await, "pending");
    assert_eq!(expire_after(&app, time::Duration::milliseconds(1)).await, 1);
    assert_eq!(app.status_of(1).await, "expired");
    assert_eq!(expire_after(&app, time::Duration::hours(1)).await, 0, "once");
    assert_eq!(app.events_of(1).await, ["order.expired:1"]);
    app.finish().await;
}

#[tokio::test]
async fn an_expired_order_takes_no_new_prepare() {
    let app = start().await;
    app.order(1).await;
    let prepare_id = app.prepared(1).await;
    assert_eq!(expire_after(&app, time::Duration::hours(25)).await, 1);
    assert_eq!(app.attempts_of(1).await, ["given_up"]);
    assert_eq!(app.code(&Callback::prepare(1)).await, -9, "the same attempt");
    assert_eq!(app.code(&Callback::prepare(1).trans(8)).await, -9, "another attempt");
    assert_eq!(app.code(&Callback::complete(1, prepare_id).amount("1")).await, -2);
    app.finish().await;
}

/// 256 rows is what one statement of SQLite's binds.
#[tokio::test]
async fn an_order_ends_with_all_its_attempts_however_many() {
    let app = start().await;
    app.order(1).await;
    for hundred in 0..3 {
        let prepares = (0..100).map(|n| Callback::prepare(1).trans(1_000 + 100 * hundred + n));
        let codes = join_all(prepares.map(async |prepare| app.code(&prepare).await)).await;
        assert!(codes.iter().all(|code| *code == 0), "{codes:?}");
    }
    assert_eq!(expire_after(&app, time::Duration::hours(25)).await, 1);
    assert_eq!(app.attempts_of(1).await, ["given_up"; 300]);
    app.finish().await;
}

#[tokio::test]
async fn money_that_was_under_way_when_the_order_expired_is_accepted_and_told_to_be_late() {
    let app = start().await;
    app.order(1).await;
    let prepare_id = app.prepared(1).await;
    assert_eq!(expire_after(&app, time::Duration::hours(25)).await, 1);
    assert_eq!(app.code(&Callback::complete(1, prepare_id)).await, 0);
    assert_eq!(app.code(&Callback::complete(1, prepare_id)).await, -4);
    assert_eq!(
        (app.status_of(1).await.as_str(), app.attempts_of(1).await),
        ("paid", vec!["paid".to_owned()])
    );
    app.until_the_outbox_is_empty().await;
    let kinds: Vec<EventKind> = app.bus.events().into_iter().map(|event| event.kind).collect();
    assert!(
        matches!(kinds.as_slice(), [EventKind::OrderExpired, EventKind::PaymentCompleted { late: true, .. }]),
        "{kinds:?}"
    );
    app.finish().await;
}

#[tokio::test]
async fn a_payment_in_time_is_not_told_to_be_late_and_a_paid_order_does_not_expire() {
    let app = start().await;
    app.order(1).await;
    app.paid(1).await;
    assert_eq!(expire_after(&app, time::Duration::days(365)).await, 0);
    assert_eq!(app.status_of(1).await, "paid");
    app.until_the_outbox_is_empty().await;
    let kind = app.bus.events().remove(0).kind;
    assert!(matches!(kind, EventKind::PaymentCompleted { late: false, .. }), "{kind:?}");
    app.finish().await;
}

#[tokio::test]
async fn an_attempt_that_was_given_up_can_still_be_cancelled_by_click() {
    let app = start().await;
    app.order(1).await;
    let prepare_id = app.prepared(1).await;
    assert_eq!(expire_after(&app, time::Duration::hours(25)).await, 1);
    assert_eq!(app.code(&Callback::cancel(1, prepare_id, -5017)).await, -9);
    assert_eq!(
        (app.status_of(1).await.as_str(), app.attempts_of(1).await),
        ("expired", vec!["cancelled".to_owned()])
    );
    assert_eq!(app.events_of(1).await, ["order.expired:1", "payment.cancelled:1:1"]);
    app.finish().await;
}

#[tokio::test]
async fn an_expiry_that_races_completes_leaves_every_order_paid_once_in_time_or_late() {
    let app = start().await;
    let mut completes = Vec::new();
    for order_id in 1..=40 {
        app.order(order_id).await;
        completes.push(Callback::complete(order_id, app.prepared(order_id).await));
    }
    app.clock.advance(time::Duration::hours(25));
    let paying = join_all(completes.iter().map(|complete| app.code(complete)));
    let (codes, expired) =
        tokio::join!(paying, expire_due(app.ledger(), app.clock.now() - TTL, app.clock.now()));
    assert!(codes.iter().all(|code| *code == 0), "the money is taken: {codes:?}");
    app.until_the_outbox_is_empty().await;
    let late = app
        .bus
        .events()
        .into_iter()
        .filter(|event| matches!(event.kind, EventKind::PaymentCompleted { late: true, .. }));
    assert_eq!(late.count(), expired, "late is what had expired, and nothing else");
    app.finish().await;
}

#[tokio::test]
async fn only_the_orders_that_are_due_expire_however_many_there_are() {
    let app = start().await;
    for order_id in 1..=250 {
        app.order(order_id).await;
    }
    app.clock.advance(time::Duration::hours(12));
    app.order(1000).await;
    assert_eq!(expire_after(&app, time::Duration::hours(13)).await, 250);
    assert_eq!(app.status_of(1000).await, "pending");
    app.finish().await;
}

#[tokio::test]
async fn the_service_expires_orders_by_itself_and_never_without_a_limit() {
    let limited = start().await;
    let unlimited = TestApp::start().await;
    limited.order(1).await;
    unlimited.order(1).await;
    limited.clock.advance(time::Duration::days(9));
    unlimited.clock.advance(time::Duration::days(9));
    crate::app::wait_until("the order expires", async || limited.status_of(1).await == "expired").await;
    assert_eq!(unlimited.status_of(1).await, "pending");
    limited.finish().await;
    unlimited.finish().await;
}

#[tokio::test]
async fn sent_events_are_pruned_a_week_later_and_unsent_ones_never() {
    let mut app = TestApp::start().await;
    for order_id in [1, 2] {
        app.order(order_id).await;
        let prepare_id = app.prepared(order_id).await;
        if order_id == 2 {
            app.bus.go_away();
        }
        assert_eq!(app.code(&Callback::cancel(order_id, prepare_id, -5017)).await, -9);
        if order_id == 1 {
            app.until_the_outbox_is_empty().await;
        }
    }
    let now = app.clock.now();
    assert_eq!(app.ledger().prune_outbox(now).await.unwrap(), 0, "not yet");
    assert_eq!(app.ledger().prune_outbox(now + time::Duration::milliseconds(1)).await.unwrap(), 1);
    assert_eq!(app.events_of(1).await, Vec::<String>::new());
    assert_eq!(app.events_of(2).await, ["payment.cancelled:2:2"], "it waits for the bus");
    app.bus.come_back();
    app.events_may_be_pruned();
    app.finish().await;
}

fn maintenance(app: &TestApp) -> Maintenance {
    Maintenance::new(app.ledger().clone(), Arc::new(app.clock.clone()), Some(TTL), generous())
}

#[tokio::test]
async fn a_clock_that_was_set_while_the_service_was_down_expires_nothing_until_somebody_could_look() {
    let mut app = TestApp::start().await;
    maintenance(&app).round().await;
    app.order(1).await;
    app.stop().await;
    app.clock.jump(time::Duration::days(30));
    app.start_again().await;
    let restarted = maintenance(&app);
    restarted.round().await;
    assert_eq!(app.status_of(1).await, "pending");
    app.clock.jump(time::Duration::days(-30));
    restarted.round().await;
    assert_eq!(app.status_of(1).await, "pending", "the clock is right again");
    app.clock.advance(time::Duration::hours(25));
    restarted.round().await;
    assert_eq!(app.status_of(1).await, "expired");
    app.finish().await;
}

#[tokio::test]
async fn a_service_that_is_off_every_night_does_not_fall_further_behind_each_day() {
    let mut app = TestApp::start().await;
    for day in 1..=8 {
        let maintenance = maintenance(&app);
        maintenance.round().await;
        if day == 6 {
            app.order(1).await;
        }
        for _ in 0..14 {
            app.clock.advance(time::Duration::hours(1));
            maintenance.round().await;
        }
        if day >= 6 {
            let expected = if day == 6 { "pending" } else { "expired" };
            assert_eq!(
                app.status_of(1).await,
                expected,
                "after 24 hours in which it could be paid: day {day}"
            );
        }
        drop(maintenance);
        app.stop().await;
        app.clock.jump(time::Duration::hours(10));
        app.start_again().await;
    }
    app.until_the_outbox_is_empty().await;
    app.finish().await;
}

#[tokio::test]
async fn a_clock_that_is_set_forward_expires_nothing_and_prunes_nothing() {
    // The service's own maintenance would see the jump too, but not at a moment of the test's choice.
    let app = TestApp::start().await;
    let maintenance = maintenance(&app);
    app.order(1).await;
    app.order(2).await;
    app.paid(2).await;
    app.until_the_outbox_is_empty().await;
    app.clock.jump(time::Duration::days(30));
    for _ in 0..3 {
        maintenance.round().await;
        app.clock.advance(time::Duration::seconds(5));
    }
    assert_eq!((app.status_of(1).await.as_str(), app.events_of(2).await.len()), ("pending", 1));
    app.clock.jump(time::Duration::days(-30));
    maintenance.round().await;
    assert_eq!((app.status_of(1).await.as_str(), app.events_of(2).await.len()), ("pending", 1));
    app.clock.advance(time::Duration::hours(25));
    maintenance.round().await;
    assert_eq!(app.status_of(1).await, "expired", "and with a clock that runs evenly it expires in time");
    app.finish().await;
}

#[tokio::test]
async fn an_order_of_a_clock_that_was_ahead_expires_when_its_time_has_passed() {
    let app = TestApp::start().await;
    app.clock.jump(time::Duration::days(365));
    let maintenance = maintenance(&app);
    app.order(1).await;
    maintenance.round().await;
    app.clock.jump(time::Duration::days(-365));
    maintenance.round().await;
    app.clock.advance(time::Duration::hours(12));
    app.order(2).await;
    for (passed, expected) in
        [(time::Duration::hours(12), "pending"), (time::Duration::minutes(1), "expired")]
    {
        app.clock.advance(passed);
        maintenance.round().await;
        assert_eq!(app.status_of(1).await, expected);
    }
    assert_eq!(app.status_of(2).await, "pending");
    app.finish().await;
}

#[tokio::test]
async fn a_clock_that_is_behind_for_a_while_shortens_no_orders_time() {
    let app = TestApp::start().await;
    let maintenance = maintenance(&app);
    maintenance.round().await;
    app.order(1).await;
    app.clock.advance(time::Duration::hours(1));
    app.clock.jump(time::Duration::days(-3));
    maintenance.round().await;
    app.order(2).await;
    app.clock.advance(time::Duration::hours(1));
    maintenance.round().await;
    app.clock.jump(time::Duration::days(3));
    for (passed, statuses) in [
        (time::Duration::ZERO, ["pending", "pending"]),
        // A minute before the second one, which was dated by the clock that was behind, has had its day.
        (time::Duration::minutes(22 * 60 + 59), ["pending", "pending"]),
        (time::Duration::minutes(2), ["expired", "expired"]),
    ] {
        app.clock.advance(passed);
        maintenance.round().await;
        assert_eq!([app.status_of(1).await, app.status_of(2).await], statuses, "{passed}");
    }
    app.finish().await;
}

#[tokio::test]
async fn orders_of_a_clock_that_was_ahead_expire_however_many_there_are() {
    let app = TestApp::start().await;
    let maintenance = maintenance(&app);
    let ahead = tolov_domain::time::unix_ms(app.clock.now() + time::Duration::days(365));
    let statement = format!(
        "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 2500)
         INSERT INTO orders (order_id, user_id, products, amount_tiyin, payment_method, status, created_at, changed_at)
         SELECT n, 5551, '[{{\"product_id\":7,\"count\":2}}]', 100, 'click', 'pending', {ahead} + n, {ahead} + n FROM number"
    );
    let mut file = app.file().await;
    file.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
    for _ in 0..3 {
        maintenance.round().await;
    }
    app.clock.advance(time::Duration::hours(25));
    maintenance.round().await;
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM orders WHERE status = 'pending'")
        .fetch_one(&mut file)
        .await
        .unwrap();
    assert_eq!(left, 0);
    app.finish().await;
}

#[tokio::test]
async fn pruning_keeps_up_with_any_load_and_is_not_stopped_by_unsent_rows() {
    let mut app = TestApp::start().await;
    app.bus.go_away();
    let mut file = app.file().await;
    let at = tolov_domain::time::unix_ms(app.clock.now() - time::Duration::days(8));
    for (first, last, sent) in [(1, 3000, "NULL"), (3001, 9000, "created_at")] {
        let statement = format!(
            "WITH RECURSIVE number (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM number WHERE n < {last})
             INSERT INTO outbox (event_id, routing_key, schema, body, created_at, sent_at, retry_at)
             SELECT 'test:' || n, 'payment.unplaced', 'payment.unplaced/1', '{{}}', {at}, NULL, 0 FROM number;
             UPDATE outbox SET sent_at = {sent} WHERE id BETWEEN {first} AND {last};"
        );
        file.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
    }
    maintenance(&app).round().await;
    let left: (i64, i64) =
        sqlx::query_as("SELECT count(*), count(sent_at) FROM outbox").fetch_one(&mut file).await.unwrap();
    assert_eq!(left, (3000, 0), "all 6,000 that were sent, behind 3,000 that were not");
    app.events_may_wait();
    app.events_may_be_pruned();
    app.finish().await;
}
