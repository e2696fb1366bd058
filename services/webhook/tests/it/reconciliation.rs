//! Reports of payments from a statement and from owners, days that are compared, and restored ledgers.

use std::{sync::Arc, time::Duration as StdDuration};

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::Executor;
use time::Duration;
use tolov_domain::{DayCompared, OrderId, UnplacedPayment, time::unix_ms};
use tolov_kit::clock::Clock;
use tolov_webhook::{believed_time::BelievedTime, days::record_due, ledger::LedgerReader};

use crate::{
    app::{Setup, TestApp},
    click::Callback,
};

/// Above 2^32, as CLICK's numbers have been since 2025.
const PAYDOC: i64 = 4_710_103_925;
const AMOUNT: i64 = 3_000_000;

async fn with_merchant_api() -> TestApp {
    TestApp::start_with(Setup { merchant_api: true, ..Setup::default() }).await
}

/// An app with order 1 prepared.
async fn with_a_prepared_attempt() -> TestApp {
    let app = with_merchant_api().await;
    app.order(1).await;
    assert_eq!(app.code(&Callback::prepare(1).with("click_paydoc_id", PAYDOC)).await, 0);
    app
}

async fn seen(app: &TestApp, source: &str, amount: i64, accept: bool) -> Value {
    let body = json!({"payment": {"payment_id": PAYDOC, "status": 2}, "accept": accept, "source": source,
        "amount_tiyin": amount});
    app.post("/attempts/1/seen", &body).await.1
}

async fn accept(app: &TestApp, by: &str) -> (StatusCode, Value) {
    app.post("/attempts/1/accept", &json!({"by": by})).await
}

async fn reports(app: &TestApp) -> Vec<(i64, String, String, i64)> {
    let reader = LedgerReader::open(app.place()).await.unwrap();
    let reports = reader.payment_reports(OrderId::try_new(1).unwrap()).await.unwrap();
    assert_eq!(reader.payment_reports(OrderId::try_new(2).unwrap()).await.unwrap(), []);
    reader.close().await;
    reports.into_iter().map(|it| (it.prepare_id, it.source, it.by, it.payment_id)).collect()
}

#[tokio::test]
async fn a_row_of_a_statement_makes_the_order_paid_and_its_source_is_kept() {
    let app = with_a_prepared_attempt().await;
    assert_eq!(seen(&app, "statement", AMOUNT, true).await["outcome"], "paid");
    assert_eq!(seen(&app, "statement", AMOUNT, true).await["outcome"], "already_paid");
    let kept = (1, "statement".to_owned(), "operator".to_owned(), PAYDOC);
    assert_eq!(reports(&app).await, [kept]);
    app.finish().await;
}

#[tokio::test]
async fn a_sum_that_is_not_the_attempts_is_a_question_and_nothing_is_paid() {
    let app = with_a_prepared_attempt().await;
    let reply = seen(&app, "statement", AMOUNT - 1, true).await;
    assert_eq!(reply, json!({"outcome": "questioned", "anomaly": "amount_differs"}));
    assert_eq!((app.status_of(1).await.as_str(), reports(&app).await.len()), ("pending", 0));
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.events_of(1).await, ["payment.questioned:1:1:trans-3647911001:amount_differs"]);
    app.finish().await;
}

#[tokio::test]
async fn an_owner_accepts_what_click_has_shown_and_of_two_the_first_is_recorded() {
    let app = with_a_prepared_attempt().await;
    let (status, refused) = accept(&app, "5551").await;
    assert_eq!((status, &refused["reason"]), (StatusCode::CONFLICT, &json!("not_reported")));
    seen(&app, "status", AMOUNT, false).await;
    let (first, second) = tokio::join!(accept(&app, "5551"), accept(&app, "5552"));
    let mut outcomes = [&first.1["outcome"], &second.1["outcome"]].map(|outcome| outcome.as_str().unwrap());
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["already_paid", "paid"]);
    let winner = if first.1["outcome"] == "paid" { "5551" } else { "5552" };
    assert_eq!(reports(&app).await, [(1, "owner".to_owned(), winner.to_owned(), PAYDOC)]);
    app.until_the_outbox_is_empty().await;
    let mut events = app.events_of(1).await;
    events.sort_unstable();
    assert_eq!(events, ["payment.completed:1", "payment.questioned:1:1:trans-3647911001:reported_paid"]);
    let (status, _) = app.post("/attempts/77/accept", &json!({"by": "5551"})).await;
    assert_eq!(status, StatusCode::CONFLICT);
    app.finish().await;
}

async fn next_day(app: &TestApp) -> Value {
    app.get("/days/next").await.1["day"].clone()
}

/// Compares what is due, and returns which days that was.
async fn compare_all(app: &TestApp) -> Vec<String> {
    let mut compared = Vec::new();
    while let Value::String(day) = next_day(app).await {
        let nothing = json!({"agreed": 0, "differing": [], "unanswered": 0});
        app.post(&format!("/days/{day}"), &nothing).await;
        assert!(!compared.contains(&day), "{day} is compared for ever");
        compared.push(day);
    }
    compared
}

fn days_told(app: &TestApp) -> Vec<DayCompared> {
    let told = app.bus.messages();
    told.iter().filter_map(|message| DayCompared::from_json(&message.body).ok()).collect()
}

#[tokio::test]
async fn days_are_compared_one_after_the_other_and_missed_ones_are_caught_up() {
    let app = with_merchant_api().await;
    assert_eq!(next_day(&app).await, Value::Null, "a shop without orders");
    app.order(1).await;
    app.paid(1).await;
    assert_eq!(next_day(&app).await, Value::Null, "today is not over");
    app.clock.advance(Duration::days(1));
    assert_eq!(next_day(&app).await, "2026-11-23");
    let click = json!({"agreed": 0, "differing": [1], "unanswered": 0});
    let (_, next) = app.post("/days/2026-11-23", &click).await;
    assert_eq!(next, json!({"day": null}));
    app.post("/days/2026-11-23", &json!({"agreed": 1, "differing": [], "unanswered": 0})).await;
    app.until_the_outbox_is_empty().await;
    let [told] = days_told(&app).try_into().unwrap();
    assert_eq!((told.orders, told.sum_tiyin.get(), told.paid.len()), (1, AMOUNT, 1));
    assert_eq!(told.click.unwrap().differing.len(), 1, "what was recorded first");
    // Three days without a reconciler.
    app.clock.advance(Duration::days(3));
    for day in ["2026-11-24", "2026-11-25", "2026-11-26"] {
        assert_eq!(next_day(&app).await, day);
        app.post(&format!("/days/{day}"), &json!({"agreed": 0, "differing": [], "unanswered": 0})).await;
    }
    assert_eq!(next_day(&app).await, Value::Null);
    app.until_the_outbox_is_empty().await;
    assert_eq!(days_told(&app).iter().map(|told| told.orders).collect::<Vec<_>>(), [1, 0, 0, 0]);
    app.finish().await;
}

#[tokio::test]
async fn a_shop_without_the_merchant_api_compares_ledger_and_shop_alone() {
    let app = TestApp::start().await;
    let time = believed_time(&app);
    app.order(1).await;
    app.paid(1).await;
    app.clock.advance(Duration::days(1));
    assert_eq!(record_due(app.ledger(), &time).await.unwrap(), 1);
    assert_eq!(record_due(app.ledger(), &time).await.unwrap(), 0);
    app.until_the_outbox_is_empty().await;
    assert_eq!(days_told(&app)[0].click, None);
    app.finish().await;
}

/// As the service knows it; it sees from now on how time passes.
fn believed_time(app: &TestApp) -> BelievedTime {
    BelievedTime::new(app.ledger().clone(), Arc::new(app.clock.clone()), StdDuration::ZERO)
}

#[tokio::test]
async fn a_clock_that_is_set_forward_for_a_while_compares_no_day_that_is_not_over_and_skips_none() {
    let app = TestApp::start().await;
    let time = believed_time(&app);
    app.order(1).await;
    app.paid(1).await;
    app.clock.jump(Duration::days(30));
    app.clock.advance(Duration::minutes(2));
    assert_eq!(record_due(app.ledger(), &time).await.unwrap(), 0);
    app.clock.jump(Duration::days(-30));
    assert_eq!(record_due(app.ledger(), &time).await.unwrap(), 0, "today is not over");
    for day in 1..=3 {
        app.clock.advance(Duration::days(1));
        assert_eq!(record_due(app.ledger(), &time).await.unwrap(), 1, "of day {day}");
    }
    app.until_the_outbox_is_empty().await;
    assert_eq!(days_told(&app).iter().map(|told| told.orders).collect::<Vec<_>>(), [1, 0, 0]);
    app.finish().await;
}

#[tokio::test]
async fn a_service_that_is_stopped_every_night_compares_each_day_when_it_is_over() {
    let app = TestApp::start().await;
    app.order(1).await;
    for day in 1..=5 {
        app.clock.advance(Duration::hours(16));
        let time = believed_time(&app);
        assert_eq!(record_due(app.ledger(), &time).await.unwrap(), 1, "of day {day}");
        app.clock.advance(Duration::hours(8));
        assert_eq!(record_due(app.ledger(), &time).await.unwrap(), 0, "after day {day}");
    }
    app.finish().await;
}

#[tokio::test]
async fn the_reconciler_is_told_of_no_day_by_a_clock_that_is_ahead_and_of_every_day_by_one_that_was_set_right()
 {
    let app = with_merchant_api().await;
    app.order(1).await;
    assert_eq!(next_day(&app).await, Value::Null);
    app.clock.jump(Duration::days(30));
    assert_eq!(next_day(&app).await, Value::Null, "thirty days of which none has passed");
    app.post("/days/2026-12-22", &json!({"agreed": 0, "differing": [], "unanswered": 0})).await;
    app.until_the_outbox_is_empty().await;
    assert_eq!(days_told(&app), []);
    // One that was wrong before and is right now is believed after a day, so that nothing stands still for good.
    app.clock.advance(Duration::DAY + Duration::SECOND);
    assert_eq!(next_day(&app).await, "2026-12-23");
    app.finish().await;
}

#[tokio::test]
async fn a_day_that_a_clock_which_was_ahead_has_compared_is_compared_again_when_it_is_over() {
    let app = with_merchant_api().await;
    app.order(1).await;
    app.paid(1).await;
    app.clock.advance(Duration::days(1));
    assert_eq!(compare_all(&app).await, ["2026-11-23"]);
    // Ahead for so long that it is believed.
    app.clock.jump(Duration::days(30));
    assert_eq!(compare_all(&app).await, [""; 0]);
    app.clock.advance(Duration::DAY + Duration::SECOND);
    assert_eq!(compare_all(&app).await.len(), 31, "to 2026-12-24");
    app.clock.jump(Duration::days(-30));
    app.order(2).await;
    app.paid(2).await;
    assert_eq!(compare_all(&app).await, ["2026-11-24"], "it is over now");
    assert_eq!(compare_all(&app).await, [""; 0], "today is not");
    app.clock.advance(Duration::DAY);
    assert_eq!(compare_all(&app).await, ["2026-11-25"]);
    app.until_the_outbox_is_empty().await;
    let told = days_told(&app).into_iter().filter(|told| told.day.to_string() == "2026-11-25");
    assert_eq!(
        told.map(|told| told.orders).collect::<Vec<_>>(),
        [0, 1],
        "before it began, and when it was over"
    );
    app.finish().await;
}

/// An app on a ledger that was put back from a backup of now, with orders 1 and 2, of which 1 is prepared.
async fn restored() -> TestApp {
    let mut app = with_a_prepared_attempt().await;
    app.order(2).await;
    let mut file = app.file().await;
    app.stop().await;
    file.execute(
        "INSERT INTO restores (restored_at, backup_made_at, prepare_id_floor, order_id_floor)
         VALUES (1795446000000, 1795435200000, 0, 0)",
    )
    .await
    .unwrap();
    drop(file);
    app.start_again().await;
    app
}

#[tokio::test]
async fn prepares_wait_on_a_restored_ledger_until_click_was_asked() {
    let mut app = restored().await;
    let (_, check) = app.get("/restore").await;
    assert_eq!(check["backup_made_at"], "2026-11-23T12:00:00Z");
    assert_eq!(check["restored_at"], "2026-11-23T15:00:00Z");
    let unattempted = json!([{"order_id": 2, "registered_at": "2026-11-23T12:00:00Z"}]);
    assert_eq!(check["orders"], unattempted, "order 1 has an attempt");
    let (_, next) = app.get("/restore?after=2").await;
    assert_eq!(next["orders"], json!([]), "the page after the last one");
    app.order(3).await;
    let (_, next) = app.get("/restore?after=2").await;
    assert_eq!(next["orders"][0]["order_id"], 3, "registered in the same millisecond");
    assert_eq!(app.code(&Callback::prepare(2)).await, -7, "CLICK comes again");
    assert_eq!(app.code(&Callback::complete(1, 1)).await, 0, "money that was taken is welcome");
    let (_, checked) = app.post("/restore", &json!({"done": true})).await;
    assert_eq!(checked, json!({"backup_made_at": null, "restored_at": null, "orders": []}));
    app.paid(2).await;
    app.stop().await;
    app.start_again().await;
    app.paid(3).await;
    app.finish().await;
}

#[tokio::test]
async fn prepares_are_let_in_by_every_process_once_one_was_told_that_click_was_asked() {
    let app = restored().await;
    assert_eq!(app.code(&Callback::prepare(2)).await, -7);
    // What the reconciler tells another process on this ledger.
    app.ledger().restores_checked(app.clock.now()).await.unwrap();
    app.clock.advance(Duration::SECOND);
    app.paid(2).await;
    app.finish().await;
}

#[tokio::test]
async fn a_payment_that_click_shows_of_an_order_without_an_attempt_is_told_to_staff_once_and_listed() {
    let mut app = restored().await;
    let found = json!({"order_id": 2, "payment_id": PAYDOC});
    for _ in 0..2 {
        let (status, check) = app.post("/restore/found", &found).await;
        assert_eq!((status, &check["orders"]), (StatusCode::OK, &json!([])));
    }
    let told = async |app: &TestApp| {
        app.until_the_outbox_is_empty().await;
        let told = app.bus.messages();
        let told = told.iter().filter_map(|message| UnplacedPayment::from_json(&message.body).ok());
        told.collect::<Vec<_>>()
    };
    let [first] = told(&app).await.try_into().unwrap();
    app.events_may_be_pruned();
    app.file().await.execute("DELETE FROM outbox").await.unwrap();
    let time = json!({"since_ms": 0, "until_ms": unix_ms(app.clock.now())});
    app.post("/payments/unplaced/replay", &time).await;
    assert_eq!(told(&app).await, [first.clone(), first.clone()], "once more, when it is asked for");
    let told = first;
    assert_eq!((told.order_id().map(OrderId::get), told.click_paydoc_id), (Some(2), PAYDOC.to_string()));
    let (_, listed) = app.get("/payments/unplaced").await;
    let listed = listed["payments"].as_array().unwrap();
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(
        (&listed[0]["source"], &listed[0]["answer"], &listed[0]["fields"]["click_paydoc_id"]),
        (&json!("restore"), &json!(-6), &json!(PAYDOC.to_string()))
    );
    assert_eq!(app.status_of(2).await, "expired");
    app.post("/restore", &json!({"done": true})).await;
    assert_eq!(app.code(&Callback::prepare(2)).await, -9, "nobody pays it a second time");
    app.finish().await;
}

#[tokio::test]
async fn prepares_are_let_in_before_click_was_asked_where_the_shop_wants_that_or_nobody_asks() {
    let app = restored().await;
    let (_, checked) = app.post("/restore", &json!({"done": false})).await;
    assert_ne!(checked["backup_made_at"], Value::Null, "it is still to be asked");
    app.paid(2).await;
    app.finish().await;

    // A clock that is set opens nothing before its time and keeps nobody out after it.
    for jump in [Duration::ZERO, Duration::days(30), Duration::days(-30)] {
        let app = restored().await;
        assert_eq!(app.code(&Callback::prepare(2)).await, -7);
        app.clock.jump(jump);
        app.clock.advance(Duration::minutes(15) - Duration::SECOND);
        assert_eq!(app.code(&Callback::prepare(2)).await, -7, "{jump}");
        app.clock.advance(Duration::SECOND);
        app.paid(2).await;
        app.finish().await;
    }
}
