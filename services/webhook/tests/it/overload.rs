//! More work than the writer can take is refused at once, and floods of forgeries cost payments nothing.

use std::time::{Duration, Instant};

use futures_util::{FutureExt, future::join_all};
use sqlx::Executor;
use tolov_click::{Callback as Read, CallbackForm, form::FIELDS};
use tolov_domain::PrepareId;
use tolov_kit::clock::Clock;
use tolov_webhook::ledger::{Arrival, Content, LedgerError, Quota, UnverifiedLimits};

use crate::{
    app::{Setup, TestApp, wait_until},
    click::Callback,
    log_watch,
};

/// A callback as the HTTP side hands it to the ledger.
pub(crate) fn arrival(app: &TestApp, callback: &Callback) -> Arrival {
    let (form, outcome) = CallbackForm::parse(callback.body().as_bytes());
    assert_eq!(outcome, Ok(()));
    let content = Content::Callback(Read::read(&form).unwrap());
    Arrival { received_at: app.clock.now(), peer: "a test".to_owned(), form, content }
}

#[tokio::test]
async fn what_the_queue_cannot_hold_is_refused_at_once_and_the_rest_is_answered() {
    let app = TestApp::start().await;
    app.order(1).await;
    let mut lock = app.hold_the_write_lock().await;
    let (mut waiting, mut refused) = (Vec::new(), 0);
    for _ in 0..6000 {
        let mut answer = Box::pin(app.ledger().answer(arrival(&app, &Callback::prepare(1))));
        match (&mut answer).now_or_never() {
            None => waiting.push(answer),
            Some(answer) => {
                assert!(matches!(answer, Err(LedgerError::Full)), "{answer:?}");
                refused += 1;
            }
        }
    }
    assert!(refused >= 1000, "{refused} were refused at once, while the others wait");
    lock.execute("COMMIT").await.unwrap();
    for answer in join_all(waiting).await {
        match answer {
            Ok(reply) => assert_eq!(reply.merchant_prepare_id.map(PrepareId::get), Some(1)),
            // A machine that is busy with other tests; what was taken is committed all the same.
            Err(error) => assert!(matches!(error, LedgerError::TimedOut(_)), "{error:?}"),
        }
    }
    let taken = 6000 - refused;
    wait_until("all that was taken is kept", async || {
        count_of(&app, "SELECT count(*) FROM callbacks").await == taken
    })
    .await;
    app.count_callbacks(taken, taken);
    assert_eq!(app.attempts_of(1).await, ["prepared"]);
    assert_eq!(app.code(&Callback::complete(1, 1)).await, 0, "and then it goes on");
    app.finish().await;
}

#[tokio::test]
async fn a_flood_of_forgeries_is_answered_and_keeps_no_payment_out() {
    let unverified = Some(UnverifiedLimits::default());
    let app = TestApp::start_with(Setup { unverified, ..Setup::default() }).await;
    app.order(1).await;
    let prepare_id = app.prepared(1).await;
    let mut lock = app.hold_the_write_lock().await;
    let forged = Callback::prepare(1).badly_signed();
    let flood = join_all((0..250).map(|_| app.code(&forged)));
    let payment = app.ledger().answer(arrival(&app, &Callback::complete(1, prepare_id)));
    let (answers, paid, _) = tokio::join!(flood, payment, lock.execute("COMMIT"));
    assert_eq!(paid.unwrap().error, 0);
    assert!(answers.iter().all(|code| *code == -1), "{answers:?}");
    // Those beyond the budget are answered without being kept.
    app.count_callbacks(1, 1 - 230);
    app.finish().await;
}

/// The fields of D1's flood: as large as a body may be, of control characters, which grow sixfold in JSON.
fn largest_forgery() -> String {
    let fields = FIELDS.into_iter().filter(|field| *field != "sign_string");
    let fields = fields.map(|field| format!("{field}={}", "%01".repeat(240)));
    format!("{}&sign_string={}", fields.collect::<Vec<_>>().join("&"), "0".repeat(32))
}

pub(crate) async fn count_of(app: &TestApp, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(&mut app.file().await).await.unwrap()
}

#[tokio::test]
async fn a_flood_of_one_stranger_keeps_little_and_its_log_lines_are_few() {
    let unverified = Some(UnverifiedLimits::default());
    let app = TestApp::start_with(Setup { unverified, ..Setup::default() }).await;
    let lines_before = log_watch::answers_logged();
    for _ in 0..4 {
        let answers = join_all((0..250).map(|_| app.send_body(largest_forgery()))).await;
        assert!(answers.iter().all(|answer| answer.code == -1));
        app.clock.advance(time::Duration::seconds(10));
    }
    let kept = count_of(&app, "SELECT count(*) FROM unverified_callbacks").await;
    assert_eq!(kept, 20, "the first of the minute, of 1,000");
    let bytes = count_of(&app, "SELECT CAST(max(length(fields)) AS BIGINT) FROM unverified_callbacks").await;
    assert!(bytes < 1_000, "{bytes}");
    let lines = log_watch::answers_logged() - lines_before;
    assert!(lines < 100, "{lines} lines, other tests' among them");
    assert_eq!(count_of(&app, "SELECT count(*) FROM callbacks").await, 0);
    app.count_callbacks(0, -980);
    app.finish().await;
}

#[tokio::test]
async fn whoever_floods_waits_for_each_answer_beyond_the_budget() {
    let one = Quota { rows: 1, bytes: 1_000_000 };
    let unverified = Some(UnverifiedLimits { peer_minute: one, ..UnverifiedLimits::default() });
    let app = TestApp::start_with(Setup { unverified, ..Setup::default() }).await;
    let forged = Callback::prepare(1).badly_signed();
    assert_eq!(app.code(&forged).await, -1, "within the budget");
    let asked = Instant::now();
    assert_eq!(app.code(&forged).await, -1);
    assert!(asked.elapsed() >= Duration::from_millis(500));
    app.count_callbacks(0, -1);
    app.finish().await;
}

#[tokio::test]
async fn whoever_floods_with_what_no_route_sees_waits_too() {
    let one = Quota { rows: 1, bytes: 1_000_000 };
    let unverified = Some(UnverifiedLimits { peer_minute: one, ..UnverifiedLimits::default() });
    let app = TestApp::start_with(Setup { unverified, ..Setup::default() }).await;
    let too_large = || "x".repeat(9_000);
    assert_eq!(app.send_body(too_large()).await.code, -8, "within the budget");
    assert_eq!(
        count_of(&app, "SELECT count(*) FROM unverified_callbacks").await,
        1,
        "kept before it is answered"
    );
    let asked = Instant::now();
    assert_eq!(app.send_body(too_large()).await.code, -8);
    assert!(asked.elapsed() >= Duration::from_millis(500));
    app.count_callbacks(0, -1);
    app.finish().await;
}

#[tokio::test]
async fn unverified_callbacks_are_deleted_after_days_and_beyond_a_number() {
    let app = TestApp::start().await;
    app.order(1).await;
    app.paid(1).await;
    let forged = Callback::prepare(1).badly_signed();
    for _ in 0..5 {
        app.code(&forged).await;
        app.clock.advance(time::Duration::days(1));
    }
    let day = |ago| app.clock.now() - time::Duration::days(ago);
    assert_eq!(app.ledger().prune_unverified(day(6), 5).await.unwrap(), 0);
    assert_eq!(app.ledger().prune_unverified(day(3), 5).await.unwrap(), 2, "by age");
    assert_eq!(app.ledger().prune_unverified(day(9), 1).await.unwrap(), 2, "by number, the oldest");
    let left = count_of(&app, "SELECT received_at FROM unverified_callbacks").await;
    assert_eq!(left, tolov_domain::time::unix_ms(day(1)));
    assert_eq!(count_of(&app, "SELECT count(*) FROM callbacks").await, 2, "genuine ones stay");
    app.count_callbacks(0, -4);
    app.finish().await;
}
