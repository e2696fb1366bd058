//! More work than the writer can take: it is refused at once and honestly, and forgeries do not crowd out payments.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sqlx::Executor;
use tolov_click::{Callback as Read, CallbackForm, ClickCode};
use tolov_kit::clock::Clock;
use tolov_webhook::ledger::{Arrival, Content, LedgerError};

use crate::{app::TestApp, click::Callback};

/// A callback as the HTTP side hands it to the ledger.
pub(crate) fn arrival(app: &TestApp, callback: &Callback) -> Arrival {
    let (form, outcome) = CallbackForm::parse(callback.body().as_bytes());
    assert_eq!(outcome, Ok(()));
    let content = Content::Callback(Read::read(&form).unwrap());
    Arrival { received_at: app.clock.now(), peer: "a test".to_owned(), fields: form.to_record(), content }
}

fn forged(app: &TestApp) -> Arrival {
    let content = Content::Unverified(ClickCode::SignCheckFailed);
    Arrival { content, ..arrival(app, &Callback::prepare(1)) }
}

#[tokio::test]
async fn what_the_queue_cannot_hold_is_refused_at_once_and_the_rest_is_answered() {
    let app = TestApp::start().await;
    app.order(1).await;
    let mut lock = app.hold_the_write_lock().await;
    let started = Instant::now();
    let waiting = join_all((0..6000).map(|_| app.ledger().answer(arrival(&app, &Callback::prepare(1)))));
    let (answers, _) = tokio::join!(waiting, lock.execute("COMMIT"));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let (answered, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert!(
        answered.into_iter().flatten().all(|reply| reply.merchant_prepare_id.is_some_and(|id| id.get() == 1))
    );
    assert!(refused.len() >= 1000, "{} were refused", refused.len());
    let refused_count = i64::try_from(refused.len()).unwrap();
    assert!(refused.into_iter().all(|refusal| matches!(refusal, Err(LedgerError::Full))));
    app.count_callbacks(6000 - refused_count, 6000 - refused_count);
    assert_eq!(app.attempts_of(1).await, ["prepared"]);
    assert_eq!(app.code(&Callback::complete(1, 1)).await, 0, "and then it goes on");
    app.finish().await;
}

#[tokio::test]
async fn a_flood_of_forgeries_is_answered_and_does_not_crowd_out_a_payment() {
    let app = TestApp::start().await;
    app.order(1).await;
    let prepare_id = app.prepared(1).await;
    let mut lock = app.hold_the_write_lock().await;
    let flood = join_all((0..3000).map(|_| app.ledger().answer(forged(&app))));
    let payment = app.ledger().answer(arrival(&app, &Callback::complete(1, prepare_id)));
    let (answers, paid, _) = tokio::join!(flood, payment, lock.execute("COMMIT"));
    assert_eq!(paid.unwrap().error, 0);
    assert!(answers.into_iter().all(|answer| answer.unwrap().error == -1));
    // Those beyond the limit are answered without being kept.
    app.count_callbacks(3001, 1001);
    app.finish().await;
}
