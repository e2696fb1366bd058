//! A clock that is set stalls nothing: whatever was to wait waits no longer than its pause, though a clock that was ahead dated
//! its end. And what is due by a clock that is ahead for a while is done once.

use time::Duration;
use tolov_domain::refund::RefundStatus;

use crate::world::{Fault, World};

/// Longer than every pause. The payment stays within its month.
const AHEAD: Duration = Duration::days(2);

/// A world whose clock is ahead. A whole round would compare a day by it.
fn ahead() -> World {
    let world = World::new();
    world.clock.jump(AHEAD);
    world
}

#[tokio::test]
async fn a_refund_that_waits_goes_on_when_the_clock_is_set_right() {
    let mut world = ahead();
    world.ask_for_refund();
    world.click.state().faults.push_back(Fault::LostBefore);
    world.round().await;
    assert_eq!(world.refund().status(), RefundStatus::Requested);
    world.clock.jump(-AHEAD);
    world.pass(Duration::minutes(5)).await;
    assert_eq!((world.refund().status(), world.click.reversals_sent()), (RefundStatus::Done, 1));
}

#[tokio::test]
async fn a_reversal_of_unknown_outcome_is_asked_for_when_the_clock_is_set_right_and_sent_once() {
    for (before, after) in [(AHEAD, -AHEAD), (-AHEAD, AHEAD)] {
        let mut world = World::new();
        world.clock.jump(before);
        world.ask_for_refund();
        world.click.state().faults.extend([Fault::None, Fault::LostAfter]);
        world.round().await;
        assert_eq!(world.refund().status(), RefundStatus::Unknown);
        world.clock.jump(after);
        world.pass(Duration::minutes(2)).await;
        let sent = (world.click.reversals_sent(), world.click.state().reversed);
        assert_eq!((world.refund().status(), sent), (RefundStatus::Done, (1, 1)), "{before}");
    }
}

#[tokio::test]
async fn a_reversal_that_click_does_not_show_yet_is_asked_for_when_the_clock_is_set_right() {
    let mut world = ahead();
    world.click.state().always_paid = true;
    world.ask_for_refund();
    world.refunds_round().await;
    assert_eq!(world.click.state().calls.len(), 3, "before, the reversal, after");
    world.clock.jump(-AHEAD);
    world.pass(Duration::hours(2)).await;
    assert_eq!(world.click.state().calls.len(), 6, "three times more");
}

#[tokio::test]
async fn after_refused_keys_click_is_asked_again_when_the_clock_is_set_right() {
    let mut world = ahead();
    world.ask_for_refund();
    world.click.state().faults.push_back(Fault::Code(-12));
    world.round().await;
    assert_eq!(world.click.state().calls.len(), 1, "everything pauses");
    world.clock.jump(-AHEAD);
    world.pass(Duration::minutes(10)).await;
    assert_eq!(world.refund().status(), RefundStatus::Done);
}

#[tokio::test]
async fn silent_attempts_are_asked_about_again_when_the_clock_is_set_right() {
    let mut world = ahead();
    let attempt = world.ledger.state().attempt.clone();
    world.ledger.state().silent.push(attempt);
    world.click.state().faults.push_back(Fault::LostBefore);
    world.attempts_round().await;
    assert_eq!(world.ledger.state().seen.len(), 0);
    world.clock.jump(-AHEAD);
    world.pass(Duration::minutes(5)).await;
    assert_eq!(world.ledger.state().seen.len(), 1);
}

#[tokio::test]
async fn a_day_of_which_click_answered_nothing_is_compared_when_the_clock_is_set_right() {
    let mut world = World::new();
    // 12:00 UTC is 17:00 in Tashkent; a day is due at 03:00.
    world.clock.advance(Duration::hours(13));
    world.clock.jump(Duration::hours(2));
    world.click.state().faults.push_back(Fault::LostBefore);
    world.round().await;
    assert_eq!(world.ledger.state().days.len(), 0);
    world.clock.jump(Duration::hours(-2));
    world.pass(Duration::minutes(30)).await;
    assert_eq!(world.ledger.state().days.len(), 1);
}
