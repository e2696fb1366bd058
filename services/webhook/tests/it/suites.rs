//! CLICK's own test tools, step by step (docs/click.md, section 1.9).

use crate::{
    app::{Setup, TestApp},
    click::Callback,
};

/// What one step of a suite sends.
#[derive(Debug, Clone, Copy)]
enum Ask {
    Prepare,
    PrepareBadlySigned,
    Complete,
    CompleteBadlySigned,
    CompleteWithAmount(&'static str),
    CompleteWithPrepareId(&'static str),
    CompleteWithError(i32),
}

/// The order, what is sent for it, and the code that the tool wants to see.
type Step = (i64, Ask, i64);

/// Groups 9 and 12 of both tools begin with a fresh order; `ABSENT` was never registered.
const FIRST: i64 = 1;
const SECOND: i64 = 2;
const THIRD: i64 = 3;
const ABSENT: i64 = 918_273_645_546;

const POSTMAN: [Step; 15] = [
    (FIRST, Ask::PrepareBadlySigned, -1),
    (ABSENT, Ask::Prepare, -5),
    (FIRST, Ask::Prepare, 0),
    (FIRST, Ask::CompleteBadlySigned, -1),
    (FIRST, Ask::CompleteWithAmount("300"), -2),
    (FIRST, Ask::Complete, 0),
    (FIRST, Ask::Complete, -4),
    (FIRST, Ask::CompleteWithError(-5017), -9),
    (SECOND, Ask::Prepare, 0),
    (SECOND, Ask::CompleteWithPrepareId("999999999"), -6),
    (SECOND, Ask::Complete, 0),
    (THIRD, Ask::Prepare, 0),
    (THIRD, Ask::CompleteWithError(-5017), -9),
    (THIRD, Ask::CompleteWithError(-5017), -9),
    (THIRD, Ask::Complete, -9),
];

const DESKTOP: [Step; 15] = [
    (FIRST, Ask::PrepareBadlySigned, -1),
    (FIRST, Ask::Prepare, 0),
    (FIRST, Ask::CompleteBadlySigned, -1),
    (FIRST, Ask::CompleteWithAmount("499"), -2),
    (FIRST, Ask::Complete, 0),
    (FIRST, Ask::Complete, -4),
    (FIRST, Ask::CompleteWithError(-1), -4),
    (ABSENT, Ask::Prepare, -5),
    (SECOND, Ask::Prepare, 0),
    (SECOND, Ask::CompleteWithPrepareId("982213547109"), -6),
    (SECOND, Ask::Complete, 0),
    (THIRD, Ask::Prepare, 0),
    (THIRD, Ask::CompleteWithError(-5017), -9),
    (THIRD, Ask::CompleteWithError(-5017), -9),
    (THIRD, Ask::Complete, -9),
];

/// The desktop tester numbers every request anew, a Complete otherwise than its Prepare.
const DESKTOP_TRANS_IDS: [i64; 15] = [
    27_147, 18_409, 26_021, 73_907, 11_994, 64_307, 41_357, 77_816, 66_675, 26_216, 27_051, 54_679, 19_936,
    57_096, 16_994,
];

fn callback((order_id, ask, _): Step, prepare_id: i64) -> Callback {
    let complete = Callback::complete(order_id, prepare_id).amount("500");
    match ask {
        Ask::Prepare => Callback::prepare(order_id).amount("500"),
        Ask::PrepareBadlySigned => Callback::prepare(order_id).amount("500").badly_signed(),
        Ask::Complete => complete,
        Ask::CompleteBadlySigned => complete.badly_signed(),
        Ask::CompleteWithAmount(amount) => complete.amount(amount),
        Ask::CompleteWithPrepareId(prepare_id) => complete.with("merchant_prepare_id", prepare_id),
        Ask::CompleteWithError(error) => complete.with("error", error),
    }
}

async fn play(app: &TestApp, steps: &[Step; 15], change: impl Fn(usize, Callback) -> Callback) {
    for order_id in [FIRST, SECOND, THIRD] {
        app.order_of(order_id, "500.0").await;
    }
    let mut prepare_id = 0;
    for (position, step) in steps.iter().copied().enumerate() {
        let answer = app.send(&change(position, callback(step, prepare_id))).await;
        assert_eq!(answer.code, step.2, "step {}: {step:?}", position + 1);
        if let Some(given) = answer.body["merchant_prepare_id"].as_i64() {
            prepare_id = given;
        }
    }
    assert_eq!(app.status_of(FIRST).await, "paid");
    assert_eq!(app.attempts_of(FIRST).await, ["paid"]);
    assert_eq!(app.status_of(SECOND).await, "paid");
    assert_eq!(app.status_of(THIRD).await, "pending");
    assert_eq!(app.attempts_of(THIRD).await, ["cancelled"]);
    assert_eq!(news_of(app, THIRD).await, ["payment.cancelled:3:3", "confirmed_after_cancel"]);
}

/// Of an order's questions their kind alone.
async fn news_of(app: &TestApp, order_id: i64) -> Vec<String> {
    let kind_of = |id: String| {
        id.split_once(":trans-")
            .and_then(|(_, rest)| rest.split_once(':'))
            .map_or_else(|| id.clone(), |(_, kind)| kind.to_owned())
    };
    app.events_of(order_id).await.into_iter().map(kind_of).collect()
}

#[tokio::test]
async fn the_fifteen_requests_of_clicks_postman_collection_get_the_codes_it_expects() {
    let app = TestApp::start().await;
    play(&app, &POSTMAN, |_, callback| callback).await;
    assert_eq!(news_of(&app, FIRST).await, ["amount_differs", "payment.completed:1", "cancel_after_paid"]);
    app.finish().await;
}

#[tokio::test]
async fn the_fifteen_scenarios_of_clicks_desktop_tester_get_the_codes_it_expects() {
    // The one suite that runs on the machine's clock, as the tester's user does.
    let app = TestApp::start_with(Setup { system_clock: true, ..Setup::default() }).await;
    play(&app, &DESKTOP, |position, callback| {
        let callback = callback.trans(DESKTOP_TRANS_IDS[position]).with("error_note", "Ok");
        let is_prepare = callback.pairs().contains(&("action".to_owned(), "0".to_owned()));
        // It sends an empty merchant_prepare_id with every Prepare, and does not sign it.
        if is_prepare { callback.with("merchant_prepare_id", "") } else { callback }
    })
    .await;
    // Its second Complete has a transaction of its own.
    let news = ["amount_differs", "payment.completed:1", "paid_twice", "cancel_after_paid"];
    assert_eq!(news_of(&app, FIRST).await, news);
    app.finish().await;
}
