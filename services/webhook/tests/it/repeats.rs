//! The same thing many times, also at the same instant, has one effect.

use futures_util::{StreamExt, future::join_all, stream};
use sqlx::Executor;
use tokio::{io::AsyncWriteExt, net::TcpStream};
use tolov_domain::{OrderId, OrderedProduct, ProductId, Tiyin, UserId};
use tolov_kit::clock::Clock;
use tolov_webhook::{
    http::CLICK_PATH,
    ledger::{NewOrder, Outcome},
};

use crate::{
    app::{TestApp, wait_until},
    click::Callback,
};

/// Sends callbacks at the same time and returns the codes, sorted.
async fn codes_at_once(app: &TestApp, callbacks: &[Callback]) -> Vec<i64> {
    let mut codes = join_all(callbacks.iter().map(|callback| app.code(callback))).await;
    codes.sort_unstable();
    codes
}

/// How many of each code.
fn count(codes: &[i64], wanted: i64) -> usize {
    codes.iter().filter(|code| **code == wanted).count()
}

#[tokio::test]
async fn the_same_prepare_again_gets_the_same_number_and_no_new_row() {
    let app = TestApp::start().await;
    app.order(1).await;
    let first = app.send(&Callback::prepare(1)).await;
    let later = Callback::prepare(1).with("sign_time", "2026-04-29 18:05:00").with("click_paydoc_id", 99);
    assert_eq!(app.send(&Callback::prepare(1)).await, first);
    assert_eq!(app.send(&later).await, first);
    assert_eq!(app.attempts_of(1).await, ["prepared"]);
    app.finish().await;
}

#[tokio::test]
async fn a_hundred_equal_prepares_at_once_open_one_attempt() {
    let app = TestApp::start().await;
    app.order(1).await;
    let prepare = Callback::prepare(1);
    let answers = join_all((0..100).map(|_| app.send(&prepare))).await;
    assert!(answers.iter().all(|answer| answer.prepare_id() == 1));
    assert_eq!(app.attempts_of(1).await, ["prepared"]);
    app.finish().await;
}

#[tokio::test]
async fn a_hundred_prepares_of_different_orders_at_once_get_different_numbers() {
    let app = TestApp::start().await;
    for order_id in 1..=100 {
        app.order(order_id).await;
    }
    let mut numbers = join_all((1..=100).map(|order_id| app.prepared(order_id))).await;
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=100).collect::<Vec<i64>>());
    app.finish().await;
}

#[tokio::test]
async fn of_a_hundred_equal_completes_at_once_one_pays_and_the_others_hear_that_it_is_paid() {
    let app = TestApp::start().await;
    app.order(1).await;
    let prepare_id = app.prepared(1).await;
    // Half of them with click_trans_ids of their own, as the desktop tester sends them.
    let completes: Vec<Callback> = (0..100)
        .map(|number| {
            let complete = Callback::complete(1, prepare_id);
            if number % 2 == 0 { complete } else { complete.trans(5000 + number) }
        })
        .collect();
    let codes = codes_at_once(&app, &completes).await;
    assert_eq!((count(&codes, 0), count(&codes, -4)), (1, 99));
    let events = app.events_of(1).await;
    assert_eq!(events[0], "payment.completed:1");
    // Each transaction but the one that paid may be money of its own.
    assert_eq!(events.iter().filter(|event| event.ends_with(":paid_twice")).count(), 50);
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.bus.confirmed(), events);
    app.finish().await;
}

#[tokio::test]
async fn a_complete_that_races_a_cancel_has_one_winner_and_the_ledger_agrees_with_the_answers() {
    let app = TestApp::start().await;
    let mut won = [0, 0];
    for order_id in 1..=20 {
        app.order(order_id).await;
        let prepare_id = app.prepared(order_id).await;
        let complete = Callback::complete(order_id, prepare_id);
        let cancel = Callback::cancel(order_id, prepare_id, -5017);
        let codes = if order_id % 2 == 0 {
            let (complete, cancel) = tokio::join!(app.code(&complete), app.code(&cancel));
            [complete, cancel]
        } else {
            let (cancel, complete) = tokio::join!(app.code(&cancel), app.code(&complete));
            [complete, cancel]
        };
        let (state, status) = (app.attempts_of(order_id).await, app.status_of(order_id).await);
        let (expected_state, expected_status) = match codes {
            [0, -9] => ("paid", "paid"),
            [-9, -9] => ("cancelled", "pending"),
            other => panic!("nobody, or both, have won: {other:?}"),
        };
        assert_eq!((state, status.as_str()), (vec![expected_state.to_owned()], expected_status));
        won[usize::from(codes[0] == 0)] += 1;
    }
    assert_eq!(won.iter().sum::<i32>(), 20);
    app.finish().await;
}

#[tokio::test]
async fn of_two_attempts_completed_at_once_one_pays_and_staff_hear_that_the_other_may_have_too() {
    let app = TestApp::start().await;
    for order_id in 1..=10 {
        app.order(order_id).await;
        let trans_ids = [order_id * 10, order_id * 10 + 1];
        let mut completes = Vec::new();
        for trans_id in trans_ids {
            let prepare_id = app.send(&Callback::prepare(order_id).trans(trans_id)).await.prepare_id();
            completes.push(Callback::complete(order_id, prepare_id).trans(trans_id));
        }
        assert_eq!(codes_at_once(&app, &completes).await, [-4, 0]);
        let mut attempts = app.attempts_of(order_id).await;
        attempts.sort_unstable();
        assert_eq!(attempts, ["paid", "prepared"]);
        let events = app.events_of(order_id).await;
        assert_eq!(events[0], format!("payment.completed:{order_id}"));
        assert!(events[1].ends_with(":paid_twice") && events.len() == 2, "{events:?}");
    }
    app.finish().await;
}

/// Whichever transaction the attempt was prepared by, and however many come.
#[tokio::test]
async fn another_transaction_of_a_paid_attempt_is_a_question_of_its_own() {
    for pays_first in [7, 8] {
        let app = TestApp::start().await;
        app.order(1).await;
        let prepare_id = app.send(&Callback::prepare(1).trans(7)).await.prepare_id();
        let complete = |trans_id| Callback::complete(1, prepare_id).trans(trans_id);
        assert_eq!(app.code(&complete(pays_first)).await, 0);
        for trans_id in [7, 8, 9, 9] {
            assert_eq!(app.code(&complete(trans_id)).await, -4, "{trans_id}");
        }
        let others = [7, 8, 9].into_iter().filter(|trans_id| *trans_id != pays_first);
        let questions = others.map(|trans_id| format!("payment.questioned:1:1:trans-{trans_id}:paid_twice"));
        let expected: Vec<_> = std::iter::once("payment.completed:1".to_owned()).chain(questions).collect();
        assert_eq!(app.events_of(1).await, expected);
        app.finish().await;
    }
}

#[tokio::test]
async fn one_transaction_of_click_cannot_pay_two_orders() {
    let app = TestApp::start().await;
    for order_id in [1, 2, 3] {
        app.order(order_id).await;
    }
    let first = app.send(&Callback::prepare(1).trans(7)).await.prepare_id();
    let second = app.send(&Callback::prepare(2).trans(7)).await.prepare_id();
    assert_eq!(app.code(&Callback::complete(1, first).trans(7)).await, 0);
    assert_eq!(app.code(&Callback::complete(2, second).trans(7)).await, -4);
    assert_eq!(app.code(&Callback::prepare(3).trans(7)).await, -4);
    assert_eq!([app.status_of(2).await, app.status_of(3).await], ["pending", "pending"]);
    assert_eq!(app.events_of(2).await, [format!("payment.questioned:2:{second}:trans-7:transaction_reused")]);
    assert_eq!(app.events_of(3).await, ["payment.questioned:3:trans-7:transaction_reused"]);
    app.finish().await;
}

#[tokio::test]
async fn one_transaction_of_click_cannot_pay_two_orders_that_the_writer_has_to_read_again() {
    let mut app = TestApp::start().await;
    for order_id in 1..=5 {
        app.order(order_id).await;
    }
    let highest = app.send(&Callback::prepare(5).trans(1000)).await.prepare_id();
    assert_eq!(app.code(&Callback::complete(5, highest).trans(1000)).await, 0);
    forget_what_was_read(&app, 10_001).await;
    // Looked for and not found, and then paid by another order.
    let second = app.send(&Callback::prepare(2).trans(7)).await.prepare_id();
    let first = app.send(&Callback::prepare(1).trans(7)).await.prepare_id();
    assert_eq!(app.code(&Callback::complete(1, first).trans(7)).await, 0);
    assert_eq!(app.code(&Callback::complete(2, second).trans(7)).await, -4);
    forget_what_was_read(&app, 20_001).await;
    assert_eq!(app.code(&Callback::prepare(3).trans(7)).await, -4);
    assert_eq!(app.code(&Callback::complete(2, second).trans(7)).await, -4);
    assert_eq!(app.code(&Callback::complete(1, first).trans(7)).await, -4, "a repetition of what was paid");
    app.stop().await;
    app.start_again().await;
    assert_eq!(app.code(&Callback::prepare(4).trans(7)).await, -4);
    assert_eq!(app.code(&Callback::prepare(4).trans(8)).await, 0);
    app.finish().await;
}

/// Registers more orders than the writer remembers.
async fn forget_what_was_read(app: &TestApp, first: i64) {
    let registered = (first..first + 9_000).map(|order_id| async move {
        let order = NewOrder {
            order_id: OrderId::try_new(order_id).unwrap(),
            user_id: UserId::try_new(5551).unwrap(),
            products: vec![OrderedProduct { product_id: ProductId::try_new(7).unwrap(), count: 2 }],
            amount: Tiyin::parse_soum("30000").unwrap(),
            created_at: app.clock.now(),
            receipt: None,
        };
        assert_eq!(app.ledger().create_order(order).await.unwrap(), Outcome::Applied);
    });
    stream::iter(registered).buffer_unordered(256).collect::<()>().await;
}

#[tokio::test]
async fn one_transaction_that_completes_two_orders_at_once_pays_one_of_them() {
    let app = TestApp::start().await;
    let mut completes = Vec::new();
    for order_id in [1, 2] {
        app.order(order_id).await;
        let prepare_id = app.prepared(order_id).await;
        completes.push(Callback::complete(order_id, prepare_id).trans(7));
    }
    assert_eq!(codes_at_once(&app, &completes).await, [-4, 0]);
    app.finish().await;
}

#[tokio::test]
async fn a_client_that_hangs_up_has_paid_once_or_not_at_all_and_its_repetition_finds_out() {
    let app = TestApp::start().await;
    for order_id in 1..=10 {
        app.order(order_id).await;
        let prepare_id = app.prepared(order_id).await;
        let complete = Callback::complete(order_id, prepare_id);
        let body = complete.body();
        let mut lock = app.hold_the_write_lock().await;
        let mut client = TcpStream::connect(app.addr()).await.unwrap();
        let head = format!("POST {CLICK_PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
        client.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        app.count_callbacks(1, 0);
        drop(client);
        let (code, _) = tokio::join!(app.code(&complete), lock.execute("COMMIT"));
        assert!(code == 0 || code == -4, "{code}");
        assert_eq!(app.code(&complete).await, -4);
        assert_eq!(app.events_of(order_id).await, [format!("payment.completed:{order_id}")]);
    }
    app.finish().await;
}

#[tokio::test]
async fn each_payment_is_published_once_however_often_click_repeats_it() {
    let app = TestApp::start().await;
    let journeys = (1..=40).map(async |order_id| {
        app.order(order_id).await;
        let prepare_id = app.prepared(order_id).await;
        let complete = Callback::complete(order_id, prepare_id);
        codes_at_once(&app, &vec![complete; 5]).await
    });
    for codes in join_all(journeys).await {
        assert_eq!(codes, [-4, -4, -4, -4, 0]);
    }
    wait_until("every event is out", async || app.bus.confirmed().len() >= 40).await;
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.bus.confirmed().len(), 40);
    app.finish().await;
}
