//! Silent attempts and the comparison of a day.

use time::Duration;
use tolov_domain::{
    ClickPaydocId, Day, OrderId, PrepareId,
    day::ClickComparison,
    refund::RefundStatus,
    refund::api::{CallOutcome, FoundPayment, ReportSource, SeenPayment, SeenRequest, UnattemptedOrder},
};
use tolov_kit::clock::Clock;

use crate::world::{Fault, ORDER, PAYDOC, World, payment_id};

fn silent() -> World {
    let world = World::new();
    {
        let mut state = world.ledger.state();
        state.attempt.is_paid = false;
        let attempt = state.attempt.clone();
        state.silent.push(attempt);
    }
    world
}

fn seen(status: Option<i64>, accept: bool) -> SeenRequest {
    let payment = status.map(|status| SeenPayment { payment_id: payment_id(PAYDOC), status });
    SeenRequest { payment, source: ReportSource::Status, amount_tiyin: None, accept }
}

#[tokio::test]
async fn a_silent_attempt_is_told_as_click_shows_it() {
    for status in [2, 1, 0, -1] {
        let mut world = silent();
        world.click.state().payments.insert(PAYDOC, status);
        world.round().await;
        assert_eq!(world.ledger.state().seen, [seen(Some(status), true)]);
    }
}

#[tokio::test]
async fn an_attempt_that_click_does_not_find_is_asked_for_by_its_order_and_told_as_unseen() {
    let mut world = silent();
    world.click.state().payments.clear();
    world.round().await;
    assert_eq!(world.ledger.state().seen, [seen(None, true)]);
    let paths: Vec<String> = world.ledger.state().calls.iter().map(|call| call.path.clone()).collect();
    assert!(paths[1].ends_with(&format!("status_by_mti/12345/{ORDER}/2026-11-23")), "{paths:?}");

    // Another attempt of the order failed: that says nothing of this one.
    let mut world = silent();
    {
        let mut click = world.click.state();
        click.payments.clear();
        click.payments.insert(PAYDOC + 1, -9);
        click.of_order.insert((ORDER.to_string(), "2026-11-23".to_owned()), PAYDOC + 1);
    }
    world.round().await;
    assert_eq!(world.ledger.state().seen, [seen(None, true)]);
}

#[tokio::test]
async fn wrong_keys_and_lost_answers_for_a_month_tell_the_ledger_nothing() {
    for fault in [Fault::Code(-12), Fault::Code(-15), Fault::LostBefore, Fault::Empty, Fault::Code(-3)] {
        let mut world = silent();
        world.click.state().always = Some(fault);
        for _ in 0..30 * 24 {
            world.clock.advance(Duration::HOUR);
            world.round().await;
        }
        let state = world.ledger.state();
        assert_eq!(state.seen, [], "{fault:?}");
        let expected =
            if matches!(fault, Fault::Code(-12 | -15)) { CallOutcome::Setup } else { CallOutcome::Unknown };
        assert!(state.calls.iter().all(|call| call.outcome == expected), "{fault:?}");
    }
}

#[tokio::test]
async fn while_click_is_away_it_is_asked_every_five_minutes() {
    let mut world = silent();
    world.click.state().always = Some(Fault::LostBefore);
    world.pass(Duration::hours(1)).await;
    let asked = world.click.state().calls.len();
    assert!((10..=13).contains(&asked), "{asked}");
    world.click.state().always = None;
    world.pass(Duration::minutes(6)).await;
    assert_eq!(world.ledger.state().seen, [seen(Some(2), true)]);
}

#[tokio::test]
async fn calls_are_recorded_later_when_the_ledger_was_away() {
    let mut world = silent();
    // The lists of refunds, invoices, receipts and attempts, then the record of the call.
    world.dies_at(5, false);
    world.round().await;
    assert_eq!(world.ledger.state().calls.len(), 0);
    world.ledger.state().dies_at = None;
    world.round().await;
    assert_eq!(world.ledger.state().calls.len(), 2);
}

#[tokio::test]
async fn the_payments_of_a_day_are_compared_once_in_the_night() {
    let mut world = World::new();
    // 12:00 UTC is 17:00 in Tashkent.
    world.clock.advance(Duration::minutes(10 * 60 - 1));
    world.round().await;
    assert_eq!(world.ledger.state().seen, []);
    world.clock.advance(Duration::MINUTE);
    world.round().await;
    assert_eq!(world.ledger.state().seen, [seen(Some(2), false)], "nothing is accepted by a comparison");
    world.clock.advance(Duration::hours(1));
    world.round().await;
    assert_eq!(world.ledger.state().seen.len(), 1);
}

fn days(world: &World) -> Vec<(String, u32, u32)> {
    let state = world.ledger.state();
    state.days.iter().map(|(day, compared)| (day.to_string(), compared.agreed, compared.unanswered)).collect()
}

fn day(text: &str, agreed: u32, unanswered: u32) -> (String, u32, u32) {
    (text.to_owned(), agreed, unanswered)
}

#[tokio::test]
async fn days_that_were_missed_are_compared_after_a_stop() {
    let mut world = World::new();
    world.clock.advance(Duration::days(3));
    for _ in 0..4 {
        world.round().await;
    }
    let expected = [day("2026-11-23", 1, 0), day("2026-11-24", 0, 0), day("2026-11-25", 0, 0)];
    assert_eq!(days(&world), expected);
}

#[tokio::test]
async fn a_day_whose_record_is_lost_is_recorded_once() {
    for after_the_effect in [false, true] {
        let mut world = World::new();
        world.clock.advance(Duration::days(1));
        let service = world.service();
        // The next day, a page of attempts, a record of a call, what was seen, the end of the pages, the record of the day.
        world.dies_at(6, after_the_effect);
        service.compare_when_due(&tolov_kit::lifecycle::Stop::new()).await;
        world.restart();
        world.pass(Duration::minutes(2)).await;
        assert_eq!(days(&world), [day("2026-11-23", 1, 0)]);
    }
}

#[tokio::test]
async fn a_night_in_which_click_answers_nothing_is_compared_later_or_told_as_unanswered() {
    let mut world = World::new();
    world.click.state().always = Some(Fault::LostBefore);
    world.clock.advance(Duration::hours(11));
    world.pass(Duration::hours(1)).await;
    assert_eq!(days(&world), []);
    world.click.state().always = None;
    world.pass(Duration::hours(1)).await;
    assert_eq!(days(&world), [day("2026-11-23", 1, 0)]);

    let mut world = World::new();
    world.click.state().always = Some(Fault::Code(-12));
    for _ in 0..24 {
        world.clock.advance(Duration::HOUR);
        world.round().await;
    }
    assert_eq!(days(&world), [day("2026-11-23", 0, 1)]);
}

#[tokio::test]
async fn a_payment_that_click_shows_otherwise_is_named() {
    let mut world = World::new();
    world.click.state().payments.insert(PAYDOC, -1);
    world.ledger.state().answers = tolov_domain::refund::api::SeenOutcome::Questioned;
    world.clock.advance(Duration::days(1));
    world.round().await;
    let order_id = world.ledger.state().attempt.order_id;
    let compared = ClickComparison { differing: vec![order_id], ..ClickComparison::default() };
    assert_eq!(world.ledger.state().days, [(Day::parse("2026-11-23").unwrap(), compared)]);
}

#[tokio::test]
async fn after_a_restore_open_attempts_are_asked_for_and_prepares_are_let_in() {
    let mut world = silent();
    world.ledger.state().silent.clear();
    world.ledger.state().restored = Some((world.clock.now(), world.clock.now()));
    world.click.state().always = Some(Fault::LostBefore);
    world.round().await;
    assert_eq!(world.ledger.state().let_in, Vec::<bool>::new(), "CLICK has not answered");
    world.click.state().always = None;
    world.round().await;
    let expected = SeenRequest { source: ReportSource::Restore, ..seen(Some(2), true) };
    let state = world.ledger.state();
    assert_eq!((state.seen.as_slice(), state.let_in.as_slice()), ([expected].as_slice(), [true].as_slice()));
}

#[tokio::test]
async fn attempts_that_were_made_between_the_backup_and_the_restore_are_asked_for_and_no_later_ones() {
    let hours = Duration::hours;
    for (restored_after, is_asked) in [(hours(20), true), (hours(12), false)] {
        let mut world = silent();
        world.ledger.state().silent.clear();
        let prepared_at = world.ledger.state().attempt.prepared_at;
        let backup_made_at = prepared_at - hours(18);
        world.ledger.state().restored = Some((backup_made_at, backup_made_at + restored_after));
        world.round().await;
        let state = world.ledger.state();
        assert_eq!((state.seen.len() == 1, state.let_in.as_slice()), (is_asked, [true].as_slice()));
    }
}

#[tokio::test]
async fn in_parallel_prepares_are_let_in_while_click_is_asked() {
    let world = silent();
    world.ledger.state().restored = Some((world.clock.now(), world.clock.now()));
    world.click.state().always = Some(Fault::LostBefore);
    let service = world.service().restore_in_parallel(true);
    service.restore_round(&tolov_kit::lifecycle::Stop::new()).await;
    assert_eq!(world.ledger.state().let_in, [false]);
    world.click.state().always = None;
    service.restore_round(&tolov_kit::lifecycle::Stop::new()).await;
    assert_eq!(world.ledger.state().let_in, [false, false, true]);
}

#[tokio::test]
async fn after_a_restore_orders_without_an_attempt_are_asked_for_before_prepares_are_let_in() {
    let mut world = World::new();
    let (registered_at, order) = (world.clock.now(), |id| OrderId::try_new(id).unwrap());
    world.ledger.state().unattempted =
        [7, 8].map(|id| UnattemptedOrder { order_id: order(id), registered_at }).to_vec();
    world.clock.advance(Duration::days(2));
    world.ledger.state().restored = Some((world.clock.now(), world.clock.now()));
    // Paid on the day after, and another one that was not paid.
    for (id, payment, status) in [("7", 501, 2), ("8", 502, 1)] {
        world.click.state().of_order.insert((id.to_owned(), "2026-11-24".to_owned()), payment);
        world.click.state().payments.insert(payment, status);
    }
    world.click.state().faults.extend([
        Fault::None,
        Fault::None,
        Fault::None,
        Fault::None,
        Fault::None,
        Fault::LostAfter,
    ]);
    world.round().await;
    assert!(world.ledger.state().let_in.is_empty(), "CLICK has not answered about every order");
    world.round().await;
    let state = world.ledger.state();
    let found = FoundPayment { order_id: order(7), payment_id: payment_id(501) };
    assert_eq!((state.found.as_slice(), state.let_in.as_slice()), ([found].as_slice(), [true].as_slice()));
}

/// Silent attempts of orders 2001 and so on, each with a payment number of its own.
fn several_silent(count: i64) -> World {
    let world = World::new();
    {
        let mut state = world.ledger.state();
        for number in 1..=count {
            let mut attempt = state.attempt.clone();
            attempt.is_paid = false;
            attempt.prepare_id = PrepareId::try_new(200 + number).unwrap();
            attempt.order_id = OrderId::try_new(2_000 + number).unwrap();
            attempt.click_paydoc_id = ClickPaydocId::try_new(PAYDOC + number).unwrap();
            state.silent.push(attempt);
        }
    }
    world
}

#[tokio::test]
async fn attempts_of_which_click_never_says_anything_hold_up_no_other() {
    let mut world = several_silent(5);
    world.click.state().payments.extend([(PAYDOC + 4, 2), (PAYDOC + 5, 2)]);
    world.click.state().unanswerable.extend((1..=3).map(|number| PAYDOC + number));
    world.pass(Duration::minutes(12)).await;
    let seen = |number| {
        let payment = SeenPayment { payment_id: payment_id(PAYDOC + number), status: 2 };
        SeenRequest { payment: Some(payment), source: ReportSource::Status, amount_tiyin: None, accept: true }
    };
    assert_eq!(world.ledger.state().seen, [seen(4), seen(5)]);
    let asked = world.click.state().calls.len();
    world.pass(Duration::minutes(30)).await;
    let more = world.click.state().calls.len() - asked;
    assert!((9..=21).contains(&more), "the others are asked about every five minutes: {more}");
}

#[tokio::test]
async fn a_shop_that_may_not_look_for_payments_by_order_goes_on_with_everything_else() {
    let mut world = several_silent(1);
    world.click.state().refuses_by_order = true;
    world.attempts_round().await;
    assert_eq!(world.ledger.state().seen, [seen(None, true)], "the keys are right: CLICK names no payment");
    world.ask_for_refund();
    world.round().await;
    assert_eq!(world.refund().status(), RefundStatus::Done);

    // Nothing has shown yet that the keys are right.
    let mut world = World::new();
    world.click.state().refuses_by_order = true;
    let registered_at = world.clock.now();
    world.ledger.state().unattempted =
        vec![UnattemptedOrder { order_id: OrderId::try_new(7).unwrap(), registered_at }];
    world.ledger.state().restored = Some((world.clock.now(), world.clock.now()));
    world.round().await;
    world.ask_for_refund();
    world.round().await;
    let state = world.ledger.state();
    assert_eq!(state.refunds[0].status(), RefundStatus::Done);
    assert_eq!(state.let_in, [true], "CLICK has answered about the refund, so the keys are right");
}

#[tokio::test]
async fn after_a_restore_an_attempt_that_failed_hides_no_other_payment_of_its_order() {
    let mut world = silent();
    world.ledger.state().silent.clear();
    world.clock.advance(Duration::days(2));
    world.ledger.state().restored = Some((world.clock.now(), world.clock.now()));
    // The payer's second attempt, a day later, was only in the ledger that is lost.
    world.click.state().payments.extend([(PAYDOC, -5017), (502, 2)]);
    world.click.state().of_order.insert((ORDER.to_string(), "2026-11-24".to_owned()), 502);
    world.round().await;
    let state = world.ledger.state();
    let found = FoundPayment { order_id: OrderId::try_new(ORDER).unwrap(), payment_id: payment_id(502) };
    assert_eq!((state.found.as_slice(), state.let_in.as_slice()), ([found].as_slice(), [true].as_slice()));
}

#[tokio::test]
async fn after_a_restore_every_page_of_orders_is_asked_for() {
    let mut world = World::new();
    let (registered_at, order) = (world.clock.now(), |id| OrderId::try_new(id).unwrap());
    world.ledger.state().unattempted =
        [7, 8, 9, 10, 11].map(|id| UnattemptedOrder { order_id: order(id), registered_at }).to_vec();
    world.ledger.state().restored = Some((world.clock.now(), world.clock.now()));
    world.click.state().of_order.insert(("11".to_owned(), "2026-11-23".to_owned()), 501);
    world.click.state().payments.insert(501, 2);
    world.round().await;
    let state = world.ledger.state();
    let found = FoundPayment { order_id: order(11), payment_id: payment_id(501) };
    assert_eq!((state.found.as_slice(), state.let_in.as_slice()), ([found].as_slice(), [true].as_slice()));
}

#[tokio::test]
async fn what_click_does_not_answer_for_three_days_after_a_restore_is_given_up() {
    let mut world = silent();
    world.ledger.state().silent.clear();
    world.click.state().unanswerable.insert(PAYDOC);
    let backup_made_at = world.clock.now();
    world.ledger.state().restored = Some((backup_made_at, backup_made_at));
    world.clock.advance(Duration::days(3) - Duration::MINUTE);
    world.round().await;
    assert_eq!(world.ledger.state().let_in, Vec::<bool>::new());
    world.clock.advance(Duration::MINUTE);
    world.round().await;
    assert_eq!(world.ledger.state().let_in, [true]);
}
