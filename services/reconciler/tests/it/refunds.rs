//! One reversal, whatever is lost and whenever the process dies.

use std::time::Duration as StdDuration;

use time::{Duration, macros::datetime};
use tolov_domain::refund::{Decision, ManualReason, RefundState, RefundStatus, UndecidedState};
use tolov_kit::{clock::Clock, lifecycle::Stop};

use crate::world::{Fault, ORDER, PAYDOC, World, payment_id};

#[tokio::test]
async fn a_refund_is_checked_sent_once_and_looked_at_afterwards() {
    let mut world = World::new();
    world.ask_for_refund();
    world.round().await;
    let refund = world.refund();
    assert_eq!((refund.status(), refund.state.payment_id()), (RefundStatus::Done, Some(payment_id(PAYDOC))));
    let calls = world.ledger.state().calls.clone();
    let methods: Vec<&str> = calls.iter().map(|call| call.method.as_str()).collect();
    assert_eq!(methods, ["GET", "DELETE", "GET"], "status before, the reversal, status after");
    assert!(calls.iter().all(|call| call.order_id.unwrap().get() == ORDER && !call.path.contains(':')));
    world.pass(Duration::minutes(10)).await;
    assert_eq!(world.click.reversals_sent(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refund_that_is_asked_for_while_the_reconciler_runs_does_not_wait_for_the_next_round() {
    let (world, stop) = (World::new(), Stop::new());
    let running = tokio::spawn(world.service().run(stop.clone()));
    tokio::time::sleep(StdDuration::from_secs(1)).await;
    world.ask_for_refund();
    tokio::time::sleep(StdDuration::from_secs(3)).await;
    assert_eq!(world.refund().status(), RefundStatus::Done);
    stop.cancel();
    running.await.unwrap().unwrap();
}

/// Every call to the ledger fails once, before its effect or after it, as when the process dies there.
#[tokio::test]
async fn a_crash_at_any_step_gives_the_money_back_once_or_leaves_it_to_a_person() {
    for after_the_effect in [false, true] {
        for nth in 1..=9 {
            let mut world = World::new();
            world.ask_for_refund();
            world.dies_at(nth, after_the_effect);
            world.round().await;
            world.restart();
            world.pass(Duration::hours(3)).await;
            let refund = world.refund();
            let (sent, reversed) = (world.click.reversals_sent(), world.click.state().reversed);
            assert!(sent <= 1, "dies at {nth}, {after_the_effect}: sent {sent} times");
            let is_done = refund.status() == RefundStatus::Done && reversed == 1;
            // "sending" was committed, and the reversal was never sent.
            let waits = refund.undecided() == Some(UndecidedState::Unknown) && reversed == 0;
            let is_settled = is_done || waits;
            assert!(is_settled, "dies at {nth}, {after_the_effect}: {refund:?}, reversed {reversed} times");
        }
    }
}

/// Every call to CLICK is lost, before its effect or after it, or has no body.
#[tokio::test]
async fn a_lost_call_gives_the_money_back_once_or_leaves_it_to_a_person() {
    for fault in [Fault::LostBefore, Fault::LostAfter, Fault::Empty] {
        for nth in 0..3 {
            let mut world = World::new();
            world.ask_for_refund();
            world.click.state().faults.extend(std::iter::repeat_n(Fault::None, nth).chain([fault]));
            world.pass(Duration::hours(3)).await;
            let (refund, reversed) = (world.refund(), world.click.state().reversed);
            let what = format!("{fault:?} at call {nth}: {refund:?}, reversed {reversed} times");
            assert_eq!(world.click.reversals_sent(), 1, "{what}");
            let never_arrived = nth == 1 && fault != Fault::LostAfter;
            let expected = if never_arrived { RefundStatus::Unknown } else { RefundStatus::Done };
            assert_eq!((refund.status(), reversed == 1), (expected, !never_arrived), "{what}");
        }
    }
}

#[tokio::test]
async fn two_reconcilers_send_one_reversal() {
    for waits in 0..5 {
        let mut world = World::new();
        world.ask_for_refund();
        world.round_of_two(waits).await;
        world.pass(Duration::minutes(5)).await;
        let sent = (world.click.reversals_sent(), world.click.state().reversed);
        assert_eq!((world.refund().status(), sent), (RefundStatus::Done, (1, 1)), "{waits}");
    }
}

#[tokio::test]
async fn a_reversal_whose_answer_is_lost_after_its_effect_is_found_done() {
    let mut world = World::new();
    world.ask_for_refund();
    world.click.state().faults.extend([Fault::None, Fault::LostAfter]);
    world.round().await;
    assert_eq!(world.refund().status(), RefundStatus::Unknown);
    world.pass(Duration::minutes(1)).await;
    assert_eq!(world.refund().status(), RefundStatus::Done);
    assert_eq!(world.click.reversals_sent(), 1);
}

#[tokio::test]
async fn a_reversal_that_never_arrived_waits_for_a_person_and_is_then_sent_again() {
    let mut world = World::new();
    world.ask_for_refund();
    world.click.state().faults.extend([Fault::None, Fault::LostBefore]);
    world.round().await;
    world.pass(Duration::minutes(80)).await;
    assert_eq!(world.refund().undecided(), None, "asked after 1, 5, 15 and 60 minutes");
    world.pass(Duration::minutes(2)).await;
    assert_eq!(world.refund().undecided(), Some(UndecidedState::Unknown));
    assert_eq!(world.click.reversals_sent(), 1, "never by itself");
    world.pass(Duration::days(1)).await;
    assert_eq!(world.click.reversals_sent(), 1);
    let now = world.clock.now();
    let again = world.refund().decide(Decision::Retry, "5551", now).unwrap();
    *world.ledger.state().refunds.last_mut().unwrap() = again;
    world.round().await;
    assert_eq!((world.refund().status(), world.click.reversals_sent()), (RefundStatus::Done, 2));
    assert_eq!(world.click.state().reversed, 1);
}

#[tokio::test]
async fn a_refused_reversal_is_not_tried_again() {
    let mut world = World::new();
    world.ask_for_refund();
    world.click.state().faults.extend([Fault::None, Fault::Code(-500)]);
    world.round().await;
    let refused = world.refund();
    assert!(matches!(refused.state, RefundState::Refused { click_code: -500, .. }), "{refused:?}");
    world.pass(Duration::days(1)).await;
    assert_eq!((world.refund(), world.click.reversals_sent()), (refused, 1));
}

#[tokio::test]
async fn keys_that_click_refuses_stop_everything_and_change_nothing() {
    let mut world = World::new();
    world.ask_for_refund();
    // The reversal itself is refused over the keys, then they are mended.
    world.click.state().faults.extend([Fault::None, Fault::Code(-12)]);
    world.round().await;
    assert_eq!(world.refund().status(), RefundStatus::Checked);
    world.click.state().always = Some(Fault::Code(-12));
    world.pass(Duration::hours(5)).await;
    assert_eq!(world.refund().status(), RefundStatus::Checked);
    let asked = world.click.state().calls.len();
    assert!(asked < 40, "every ten minutes and not every minute: {asked}");
    world.click.state().always = None;
    world.pass(Duration::minutes(15)).await;
    assert_eq!(world.refund().status(), RefundStatus::Done);
    assert_eq!(world.click.state().reversed, 1);
}

#[tokio::test]
async fn a_payment_that_is_in_work_for_ever_is_waited_for_until_the_month_ends() {
    let mut world = World::new();
    world.click.state().payments.insert(PAYDOC, 1);
    world.ask_for_refund();
    world.pass(Duration::hours(2)).await;
    assert_eq!(world.refund().status(), RefundStatus::Requested);
    world.clock.advance(datetime!(2026-12-01 18:00 UTC) - world.clock.now());
    world.round().await;
    let why = world.refund().state;
    assert!(matches!(why, RefundState::Manual { why: ManualReason::OutsideMonth, .. }), "{why:?}");
    assert_eq!(world.click.reversals_sent(), 0);
}

#[tokio::test]
async fn what_click_shows_as_reversed_before_anything_was_sent_is_left_to_a_person() {
    let mut world = World::new();
    world.click.state().payments.insert(PAYDOC, -1);
    world.ask_for_refund();
    world.round().await;
    let state = world.refund().state;
    assert!(matches!(state, RefundState::Manual { why: ManualReason::LooksReversed, .. }), "{state:?}");
    assert_eq!(world.click.reversals_sent(), 0);
}

#[tokio::test]
async fn a_payment_with_another_number_is_found_by_its_order_on_another_day_or_given_to_a_person() {
    let mut world = World::new();
    world.click.state().payments.clear();
    world.click.state().payments.insert(PAYDOC + 5, 2);
    let other_day = (ORDER.to_string(), "2026-11-24".to_owned());
    world.click.state().of_order.insert(other_day.clone(), PAYDOC + 5);
    world.ask_for_refund();
    world.round().await;
    assert_eq!(world.refund().status(), RefundStatus::Requested, "not found on the day of the Prepare");
    world.clock.advance(Duration::hours(12));
    world.round().await;
    assert_eq!(world.refund().state, RefundState::Done { payment_id: payment_id(PAYDOC + 5) });

    let mut world = World::new();
    world.click.state().payments.clear();
    world.ask_for_refund();
    world.pass(Duration::minutes(80)).await;
    let state = world.refund().state;
    assert!(matches!(state, RefundState::Manual { why: ManualReason::PaymentNotFound, .. }), "{state:?}");
}

#[tokio::test]
async fn a_refund_that_is_withdrawn_in_the_last_moment_is_not_sent() {
    let mut world = World::new();
    world.ask_for_refund();
    // The operator is faster than the commit of "sending".
    world.dies_at(3, false);
    world.round().await;
    world.restart();
    let now = world.clock.now();
    let withdrawn = world.refund().decide(Decision::Withdraw, "5551", now).unwrap();
    *world.ledger.state().refunds.last_mut().unwrap() = withdrawn;
    world.pass(Duration::minutes(10)).await;
    assert_eq!(world.click.reversals_sent(), 0);
}

#[tokio::test]
async fn a_reversal_that_click_does_not_show_yet_is_asked_for_until_an_hour_has_passed() {
    let mut world = World::new();
    world.ask_for_refund();
    world.round().await;
    assert_eq!(world.refund().status(), RefundStatus::Done);
    let mut world = World::new();
    world.click.state().always_paid = true;
    world.ask_for_refund();
    world.round().await;
    assert_eq!(world.click.state().calls.len(), 3, "before, the reversal, after");
    world.pass(Duration::hours(2)).await;
    let asked = world.click.state().calls.len();
    assert_eq!((asked, world.click.reversals_sent()), (6, 1), "after 5, 15 and 60 minutes");
    assert_eq!(world.refund().status(), RefundStatus::Done);
}
