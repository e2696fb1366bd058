use ::time::macros::datetime;
use proptest::prelude::*;

use super::*;

const NOW: Timestamp = datetime!(2026-11-23 12:00 UTC);

fn prepare_id(value: i64) -> PrepareId {
    PrepareId::try_new(value).unwrap()
}

fn confirmation() -> Confirmation {
    Confirmation {
        click_trans_id: ClickTransId::try_new(3_647_911_201).unwrap(),
        click_paydoc_id: ClickPaydocId::try_new(2_001).unwrap(),
        at: NOW,
    }
}

fn lack_of_money() -> ClickError {
    ClickError::from_code(-5017).unwrap()
}

/// A claim that agrees with the ledger.
const AGREED: Claim = Claim { error: None, amount_agrees: true, transaction_paid_another: false };

#[test]
fn a_prepared_attempt_of_a_pending_order_is_paid_once() {
    let first = confirm(OrderState::Pending, AttemptState::Prepared, prepare_id(1), confirmation());
    assert_eq!(first.answer, Answer::Success);
    assert_eq!(first.news, Some(News::Completed { late: false }));
    let again = confirm(first.order, first.attempt, prepare_id(1), confirmation());
    assert_eq!((again.answer, again.news), (Answer::AlreadyPaid, None));
    assert_eq!((again.order, again.attempt), (first.order, first.attempt));
}

#[test]
fn a_cancelled_attempt_leaves_the_order_payable_by_a_new_one() {
    let cancelled = cancel(OrderState::Pending, AttemptState::Prepared, lack_of_money(), NOW);
    assert_eq!(cancelled.answer, Answer::Cancelled);
    assert_eq!(prepare(cancelled.order, None, AGREED), Preparation::Opened(AttemptState::Prepared));
    let same = prepare(cancelled.order, Some(cancelled.attempt), AGREED);
    assert_eq!(same, Preparation::Refused(Answer::Cancelled, None));
}

#[test]
fn a_second_attempt_never_pays_a_paid_order_and_staff_hear_of_it() {
    let paid = OrderState::Paid { by: prepare_id(1), at: NOW };
    let second = confirm(paid, AttemptState::Prepared, prepare_id(2), confirmation());
    assert_eq!(second.answer, Answer::AlreadyPaid);
    assert_eq!(second.order, paid);
    assert_eq!(second.news, Some(News::Anomaly(Anomaly::PaidTwice)));
}

#[test]
fn another_transaction_of_a_paid_attempt_never_pays_again_and_staff_hear_of_it() {
    let paid = OrderState::Paid { by: prepare_id(1), at: NOW };
    let other = Confirmation { click_trans_id: ClickTransId::try_new(777).unwrap(), ..confirmation() };
    let second = confirm(paid, AttemptState::Paid { by: confirmation(), late: false }, prepare_id(1), other);
    assert_eq!(
        (second.order, second.attempt),
        (paid, AttemptState::Paid { by: confirmation(), late: false })
    );
    assert_eq!(second.answer, Answer::AlreadyPaid);
    assert_eq!(second.news, Some(News::Anomaly(Anomaly::PaidTwice)));
}

#[test]
fn a_cancel_of_a_paid_attempt_answers_what_both_of_clicks_suites_want() {
    let paid = AttemptState::Paid { by: confirmation(), late: false };
    let order = OrderState::Paid { by: prepare_id(1), at: NOW };
    for (code, answer) in [(-1, Answer::AlreadyPaid), (-5017, Answer::Cancelled), (-5014, Answer::Cancelled)]
    {
        let completion = cancel(order, paid, ClickError::from_code(code).unwrap(), NOW);
        assert_eq!((completion.answer, completion.order), (answer, order));
        assert_eq!(completion.attempt, paid);
        assert_eq!(completion.news, Some(News::Anomaly(Anomaly::CancelAfterPaid)));
    }
}

#[test]
fn money_for_an_expired_order_is_honoured_and_told_to_be_late() {
    let Ending::Ended(order) = end_order(OrderState::Pending, NOW) else { panic!("it was pending") };
    let attempt = give_up(AttemptState::Prepared, NOW);
    assert_eq!(prepare(order, None, AGREED), Preparation::Refused(Answer::Cancelled, None));
    let completion = confirm(order, attempt, prepare_id(1), confirmation());
    assert_eq!(completion.answer, Answer::Success);
    assert_eq!(completion.news, Some(News::Completed { late: true }));
}

#[test]
fn a_paid_order_does_not_expire() {
    assert_eq!(end_order(OrderState::Paid { by: prepare_id(1), at: NOW }, NOW), Ending::Paid);
    assert_eq!(end_order(OrderState::Expired { at: NOW }, NOW), Ending::AlreadyEnded);
    let paid = AttemptState::Paid { by: confirmation(), late: false };
    assert_eq!(give_up(paid, NOW), paid);
}

#[test]
fn a_claim_that_disagrees_changes_nothing_and_staff_hear_of_what_was_taken() {
    let order = OrderState::Pending;
    let wrong_amount = Claim { amount_agrees: false, ..AGREED };
    let reused = Claim { transaction_paid_another: true, ..AGREED };
    let failed = Claim { error: Some(lack_of_money()), ..AGREED };
    assert_eq!(prepare(order, None, failed), Preparation::Refused(Answer::Cancelled, None));
    assert_eq!(prepare(order, None, wrong_amount), Preparation::Refused(Answer::IncorrectAmount, None));
    assert_eq!(
        prepare(order, None, reused),
        Preparation::Refused(Answer::AlreadyPaid, Some(Anomaly::TransactionReused))
    );
    for (claim, answer, anomaly) in [
        (wrong_amount, Answer::IncorrectAmount, Anomaly::AmountDiffers),
        (reused, Answer::AlreadyPaid, Anomaly::TransactionReused),
    ] {
        let completion = complete(order, AttemptState::Prepared, prepare_id(1), claim, confirmation());
        let news = Some(News::Anomaly(anomaly));
        assert_eq!(completion, Completion { order, attempt: AttemptState::Prepared, answer, news });
    }
}

#[test]
fn a_claim_that_agrees_pays_unless_click_reports_a_failure_which_is_below_zero() {
    assert_eq!([0, 1].map(ClickError::from_code), [None, None]);
    assert_eq!(ClickError::from_code(-1).map(ClickError::code), Some(-1));
    let done = complete(OrderState::Pending, AttemptState::Prepared, prepare_id(1), AGREED, confirmation());
    assert_eq!((done.answer, done.news), (Answer::Success, Some(News::Completed { late: false })));
    let failed = Claim { error: Some(lack_of_money()), ..AGREED };
    let done = complete(OrderState::Pending, AttemptState::Prepared, prepare_id(1), failed, confirmation());
    assert_eq!((done.answer, done.order), (Answer::Cancelled, OrderState::Pending));
}

#[test]
fn one_way_to_pay_keeps_the_other_closed_for_five_minutes_and_only_while_its_attempt_is_open() {
    let at = |minutes| NOW + ::time::Duration::minutes(minutes);
    assert_eq!(
        [0, 4, 5, 6].map(|minutes| holds(AttemptState::Prepared, NOW, at(minutes))),
        [true, true, false, false]
    );
    for over in [AttemptState::Paid { by: confirmation(), late: false }, AttemptState::GivenUp { at: NOW }] {
        assert!(!holds(over, NOW, NOW), "{over:?}");
    }
    let opened = Preparation::Opened(AttemptState::Prepared);
    let refused = Preparation::Refused(Answer::Cancelled, None);
    let repeated = Preparation::Repeated(AttemptState::Prepared);
    for (same, free) in [(None, opened), (Some(AttemptState::Prepared), repeated)] {
        assert_eq!(prepare_unless_held(OrderState::Pending, same, AGREED, false), free);
        assert_eq!(prepare_unless_held(OrderState::Pending, same, AGREED, true), refused);
    }
    let paid = OrderState::Paid { by: prepare_id(1), at: NOW };
    let already_paid = Preparation::Refused(Answer::AlreadyPaid, None);
    assert_eq!(prepare_unless_held(paid, None, AGREED, true), already_paid);
    for (order, held, answer) in [
        (OrderState::Pending, false, Ok(())),
        (OrderState::Pending, true, Err(CheckoutRefusal::BeingPaid)),
        (OrderState::Expired { at: NOW }, false, Err(CheckoutRefusal::Expired)),
        (paid, false, Err(CheckoutRefusal::Paid)),
    ] {
        assert_eq!(check_out(order, held), answer);
    }
}

/// One event in the life of an order with three attempts.
#[derive(Debug, Clone)]
enum Step {
    Prepare(usize),
    Confirm(usize),
    Cancel(usize, i32),
    Expire,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..3usize).prop_map(Step::Prepare),
        (0..3usize).prop_map(Step::Confirm),
        (0..3usize, prop_oneof![Just(-1), Just(-5017)]).prop_map(|(which, code)| Step::Cancel(which, code)),
        Just(Step::Expire),
    ]
}

proptest! {
    #[test]
    fn an_order_is_paid_by_at_most_one_attempt_and_stays_paid(steps in prop::collection::vec(step(), 0..40)) {
        let mut order = OrderState::Pending;
        let mut attempts: [Option<AttemptState>; 3] = [None; 3];
        let mut completed = 0;
        for step in steps {
            let before = order;
            match step {
                Step::Prepare(which) => {
                    if let Preparation::Opened(state) | Preparation::Repeated(state) = prepare(order, attempts[which], AGREED) {
                        attempts[which] = Some(state);
                    }
                }
                Step::Confirm(which) => if let Some(attempt) = attempts[which] {
                    let done = confirm(order, attempt, prepare_id(i64::try_from(which).unwrap() + 1), confirmation());
                    prop_assert_eq!(done.answer == Answer::Success, matches!(done.news, Some(News::Completed { .. })));
                    completed += usize::from(done.answer == Answer::Success);
                    (order, attempts[which]) = (done.order, Some(done.attempt));
                }
                Step::Cancel(which, code) => if let Some(attempt) = attempts[which] {
                    let done = cancel(order, attempt, ClickError::from_code(code).unwrap(), NOW);
                    prop_assert_ne!(done.answer, Answer::Success);
                    (order, attempts[which]) = (done.order, Some(done.attempt));
                }
                Step::Expire => if let Ending::Ended(expired) = end_order(order, NOW) {
                    order = expired;
                    attempts = attempts.map(|attempt| attempt.map(|state| give_up(state, NOW)));
                }
            }
            let paid = attempts.iter().flatten().filter(|state| matches!(state, AttemptState::Paid { .. })).count();
            prop_assert!(paid <= 1);
            prop_assert_eq!(paid, completed);
            prop_assert_eq!(paid == 1, matches!(order, OrderState::Paid { .. }));
            if matches!(before, OrderState::Paid { .. }) {
                prop_assert_eq!(before, order);
            }
        }
    }
}
