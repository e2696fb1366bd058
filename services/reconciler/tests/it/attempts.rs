//! Silent attempts and the comparison of a day.

use time::Duration;
use tolov_domain::refund::api::{CallOutcome, SeenPayment, SeenRequest};

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
    SeenRequest { payment, accept }
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
    // The list of refunds, that of attempts, then the record of the call.
    world.dies_at(3, false);
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
