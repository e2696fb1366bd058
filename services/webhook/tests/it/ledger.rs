//! The ledger guards itself: against bugs of the program, against a bad job, and against trouble with the disk.

use std::ops::RangeInclusive;

use futures_util::future::join_all;
use sqlx::Executor;
use tolov_domain::{OrderId, Tiyin, UserId};
use tolov_kit::clock::Clock;
use tolov_webhook::ledger::{Ledger, LedgerError, NewOrder, OpenError, SchemaError};

use crate::{
    app::{TestApp, generous, wait_until},
    click::Callback,
    engine,
    overload::arrival,
};

/// What a bug or an operator's mistake might try. Order 1 is paid by attempt 1, order 2 is prepared as attempt 2, order 3
/// is cancelled as attempt 3, order 4 is only registered.
const REFUSED: &[&str] = &[
    "UPDATE callbacks SET code = 0",
    "DELETE FROM callbacks",
    "DELETE FROM orders WHERE order_id = 4",
    "DELETE FROM attempts WHERE prepare_id = 2",
    "UPDATE orders SET status = 'pending', paid_by = NULL WHERE order_id = 1",
    "UPDATE orders SET status = 'expired', paid_by = NULL WHERE order_id = 1",
    "UPDATE orders SET paid_by = 2 WHERE order_id = 1",
    "UPDATE orders SET paid_by = NULL WHERE order_id = 1",
    "UPDATE orders SET status = 'paid' WHERE order_id = 4",
    "UPDATE orders SET status = 'paid', paid_by = 99 WHERE order_id = 4",
    "UPDATE orders SET status = 'free' WHERE order_id = 4",
    "UPDATE orders SET amount_tiyin = 1 WHERE order_id = 4",
    "UPDATE orders SET user_id = 1 WHERE order_id = 4",
    "UPDATE orders SET products = '[]' WHERE order_id = 4",
    "UPDATE orders SET order_id = 40 WHERE order_id = 4",
    "INSERT INTO orders VALUES (5, 1, '[]', 0, 'click', 'pending', 0, 0, NULL, NULL)",
    "INSERT INTO orders VALUES (5, 1, '[]', -1, 'click', 'pending', 0, 0, NULL, NULL)",
    "INSERT INTO orders VALUES (5, 1, '[]', 'many', 'click', 'pending', 0, 0, NULL, NULL)",
    "INSERT INTO orders VALUES (5, 1, 'none', 1, 'click', 'pending', 0, 0, NULL, NULL)",
    "INSERT INTO orders VALUES (5, 1, '[]', 1, 'cash', 'pending', 0, 0, NULL, NULL)",
    "INSERT INTO orders VALUES (0, 1, '[]', 1, 'click', 'pending', 0, 0, NULL, NULL)",
    "INSERT INTO orders VALUES (1, 1, '[]', 1, 'click', 'pending', 0, 0, NULL, NULL)",
    "INSERT INTO attempts VALUES (9, 99, 5, 5, 1, 'prepared', 0, NULL, NULL, NULL, NULL, 'callback', FALSE)",
    "INSERT INTO attempts VALUES (9, 4, 5, 5, -1, 'prepared', 0, NULL, NULL, NULL, NULL, 'callback', FALSE)",
    "INSERT INTO attempts VALUES (9007199254740992, 4, 5, 5, 1, 'prepared', 0, NULL, NULL, NULL, NULL, 'callback', FALSE)",
    "INSERT INTO attempts VALUES (9, 4, 5, 5, 1, 'prepared', 0, 1, NULL, NULL, NULL, 'callback', FALSE)",
    "INSERT INTO attempts VALUES (9, 4, 5, 5, 1, 'paid', 0, 1, NULL, NULL, NULL, 'callback', FALSE)",
    "INSERT INTO attempts VALUES (9, 4, 5, 5, 1, 'cancelled', 0, 1, NULL, NULL, NULL, 'callback', FALSE)",
    "INSERT INTO attempts VALUES (9, 4, 5, 5, 1, 'prepared', 0, NULL, NULL, NULL, NULL, 'callback', TRUE)",
    "INSERT INTO attempts VALUES (9, 4, 5, 5, 1, 'done', 0, 1, NULL, NULL, NULL, 'callback', FALSE)",
    // A second Prepare with a click_trans_id that the order has already.
    "INSERT INTO attempts VALUES (9, 2, 3647911002, 5, 1, 'prepared', 0, NULL, NULL, NULL, NULL, 'callback', FALSE)",
    // A second payment of order 1, and a second use of the transaction that paid it.
    "INSERT INTO attempts VALUES (9, 1, 5, 5, 3000000, 'paid', 0, 1, 6, 6, NULL, 'callback', FALSE)",
    "INSERT INTO attempts VALUES (9, 4, 5, 5, 3000000, 'paid', 0, 1, 3647911001, 6, NULL, 'callback', FALSE)",
    "UPDATE attempts SET state = 'prepared', settled_at = NULL, paid_trans_id = NULL, paid_paydoc_id = NULL
     WHERE prepare_id = 1",
    "UPDATE attempts SET paid_trans_id = 7 WHERE prepare_id = 1",
    "UPDATE attempts SET state = 'prepared', settled_at = NULL, click_error = NULL WHERE prepare_id = 3",
    "UPDATE attempts SET state = 'paid', paid_trans_id = 7, paid_paydoc_id = 7, click_error = NULL
     WHERE prepare_id = 3",
    "UPDATE attempts SET amount_tiyin = 1 WHERE prepare_id = 2",
    "UPDATE attempts SET order_id = 4 WHERE prepare_id = 2",
    "INSERT INTO callbacks VALUES (9, 0, 'x', NULL, '{}', 1, '{}', FALSE, 'click')",
    "INSERT INTO callbacks VALUES (9, 0, NULL, NULL, '{}', 0, '{}', FALSE, 'click')",
    "INSERT INTO unverified_callbacks VALUES (9, 0, 'x', '{}', 0)",
    "INSERT INTO outbox (event_id, order_id, routing_key, schema, body, created_at)
     VALUES ('payment.completed:1', 1, 'payment.completed', 'payment.completed/1', '{}', 0)",
    "INSERT INTO outbox (event_id, order_id, routing_key, schema, body, created_at)
     VALUES ('payment.completed:99', 99, 'payment.completed', 'payment.completed/1', '{}', 0)",
];

#[tokio::test]
async fn the_schema_itself_refuses_what_must_not_be() {
    let app = TestApp::start().await;
    for order_id in 1..=4 {
        app.order(order_id).await;
    }
    app.paid(1).await;
    app.prepared(2).await;
    let third = app.prepared(3).await;
    app.code(&Callback::cancel(3, third, -5017)).await;
    let mut file = app.file().await;
    for statement in REFUSED.iter().chain(engine::REFUSED) {
        let refusal = file.execute(*statement).await;
        assert!(refusal.is_err(), "let through: {statement}");
        let refusal = refusal.unwrap_err();
        let code = refusal.as_database_error().unwrap().code().unwrap();
        assert!(engine::is_constraint(&code), "{refusal}: {statement}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_job_that_breaks_a_rule_of_the_schema_fails_alone() {
    let app = TestApp::start().await;
    for order_id in 1..=20 {
        app.order(order_id).await;
    }
    let prepares = |orders: RangeInclusive<i64>| {
        join_all(orders.map(|order_id| app.ledger().answer(arrival(&app, &Callback::prepare(order_id)))))
    };
    let for_nothing = NewOrder {
        order_id: OrderId::try_new(21).unwrap(),
        user_id: UserId::try_new(5551).unwrap(),
        products: Vec::new(),
        amount: Tiyin::ZERO,
        created_at: app.clock.now(),
        receipt: None,
    };
    // While the file is locked the jobs gather: the writer holds the first of them, the others share a batch.
    let mut lock = app.hold_the_write_lock().await;
    let (first, refused, second, _) = tokio::join!(
        prepares(1..=10),
        app.ledger().create_order(for_nothing),
        prepares(11..=20),
        lock.execute("COMMIT")
    );
    assert!(matches!(refused, Err(LedgerError::NotCommitted)), "{refused:?}");
    let answers = first.into_iter().chain(second);
    let mut numbers: Vec<i64> =
        answers.map(|answer| answer.unwrap().merchant_prepare_id.unwrap().get()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=20).collect::<Vec<i64>>(), "no number is given twice or lost");
    assert_eq!(app.get("/orders/21").await.0, 404);
    app.count_callbacks(20, 20);
    app.finish().await;
}

#[tokio::test]
async fn a_number_that_another_program_has_taken_is_never_given_to_another_order() {
    let app = TestApp::start().await;
    for order_id in 1..=12 {
        app.order(order_id).await;
    }
    let mut file = app.file().await;
    file.execute("INSERT INTO attempts VALUES (1, 12, 5, 5, 3000000, 'prepared', 0, NULL, NULL, NULL, NULL, 'callback', FALSE)")
        .await
        .unwrap();
    let prepares: Vec<Callback> = (1..=11).map(Callback::prepare).collect();
    let answers = join_all(prepares.iter().map(|prepare| app.send(prepare))).await;
    for (answer, order_id) in answers.into_iter().zip(1..) {
        // One that was alone in its batch is answered -7, and is repeated.
        let prepare_id = if answer.code == -7 { app.prepared(order_id).await } else { answer.prepare_id() };
        assert_ne!(prepare_id, 1, "the number of order 12's attempt");
        assert_eq!(app.code(&Callback::complete(order_id, prepare_id)).await, 0);
    }
    assert_eq!(app.attempts_of(12).await, ["prepared"]);
    app.finish().await;
}

#[tokio::test]
async fn while_the_ledger_cannot_write_click_is_answered_minus_seven_and_its_retry_succeeds() {
    let app = TestApp::start().await;
    app.order(1).await;
    app.order(2).await;
    let prepare_id = app.prepared(1).await;
    let mut file = app.file().await;
    for table in ["callbacks", "unverified_callbacks"] {
        let rename = format!("ALTER TABLE {table} RENAME TO {table}_out_of_reach");
        file.execute(sqlx::AssertSqlSafe(rename)).await.unwrap();
    }
    let complete = Callback::complete(1, prepare_id);
    let prepare = Callback::prepare(2);
    for _ in 0..3 {
        assert_eq!(app.code(&complete).await, -7);
        assert_eq!(app.code(&prepare).await, -7);
        assert_eq!(app.code(&Callback::prepare(2).badly_signed()).await, -7);
    }
    assert_eq!(
        [app.status_of(1).await, app.status_of(2).await],
        ["pending", "pending"],
        "nothing half-written"
    );
    for table in ["callbacks", "unverified_callbacks"] {
        let rename = format!("ALTER TABLE {table}_out_of_reach RENAME TO {table}");
        file.execute(sqlx::AssertSqlSafe(rename)).await.unwrap();
    }
    assert_eq!(app.code(&complete).await, 0);
    assert_eq!(app.send(&prepare).await.prepare_id(), prepare_id + 1);
    app.finish().await;
}

#[tokio::test]
async fn a_file_that_somebody_else_keeps_locked_is_answered_in_time_and_the_retry_succeeds() {
    let app = TestApp::start().await;
    app.order(1).await;
    let lock = app.hold_the_write_lock().await;
    let started = std::time::Instant::now();
    assert_eq!(app.code(&Callback::prepare(1)).await, -7);
    assert!(started.elapsed().as_secs() < 9, "CLICK is not kept waiting: {:?}", started.elapsed());
    let (status, _) = app.get("/orders/1").await;
    assert_eq!(status, 200, "reading goes on");
    wait_until("it says that no payment can be accepted", async || app.get("/ready").await.0 == 503).await;
    drop(lock);
    wait_until("it is ready, and nobody had to pay first", async || app.get("/ready").await.0 == 200).await;
    assert_eq!(app.prepared(1).await, 1);
    assert_eq!(app.code(&Callback::complete(1, 1)).await, 0);
    app.finish().await;
}

#[tokio::test]
async fn a_restart_keeps_every_row() {
    let mut app = TestApp::start().await;
    for order_id in 1..=3 {
        app.order(order_id).await;
    }
    app.paid(1).await;
    app.prepared(2).await;
    app.code(&Callback::prepare(3).badly_signed()).await;
    app.until_the_outbox_is_empty().await;
    let before = dump(&app).await;
    app.stop().await;
    app.start_again().await;
    assert_eq!(dump(&app).await, before);
    app.kill();
    app.start_again().await;
    assert_eq!(dump(&app).await, before);
    app.finish().await;
}

/// Every row of every table of ours, as text.
async fn dump(app: &TestApp) -> Vec<String> {
    let mut file = app.file().await;
    let mut rows = Vec::new();
    for query in [
        "SELECT concat_ws(' ', order_id, user_id, products, amount_tiyin, status, created_at, changed_at, paid_by) FROM orders",
        "SELECT concat_ws(' ', prepare_id, order_id, click_trans_id, state, prepared_at, settled_at, paid_trans_id) FROM attempts",
        "SELECT concat_ws(' ', id, received_at, peer, order_id, fields, code, answer) FROM callbacks",
        "SELECT concat_ws(' ', id, received_at, peer, fields, code) FROM unverified_callbacks",
        "SELECT concat_ws(' ', id, event_id, order_id, body, created_at, sent_at, refusals) FROM outbox",
    ] {
        rows.extend(sqlx::query_scalar::<_, String>(query).fetch_all(&mut file).await.unwrap());
    }
    rows
}

#[tokio::test]
async fn a_release_that_is_rolled_back_starts_on_the_schema_of_the_newer_one_unless_the_ledger_forbids_it() {
    let mut app = TestApp::start().await;
    app.order(1).await;
    app.stop().await;
    let mut file = app.file().await;
    file.execute(sqlx::raw_sql(engine::EXTENDED)).await.unwrap();
    app.start_again().await;
    app.paid(1).await;
    app.stop().await;
    file.execute(engine::TOO_NEW).await.unwrap();
    let refused = Ledger::open(app.place(), generous()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Schema(SchemaError::TooNew { needed: 99, .. })), "{refused:?}");
    assert!(refused.to_string().contains("install the newer version"), "{refused}");
    app.finish().await;
}
