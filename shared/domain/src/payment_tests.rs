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
    assert_eq!(prepare(cancelled.order, None), Preparation::Opened(AttemptState::Prepared));
    assert_eq!(prepare(cancelled.order, Some(cancelled.attempt)), Preparation::Refused(Answer::Cancelled));
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
fn a_cancel_of_a_paid_attempt_answers_what_both_of_clicks_suites_want() {
    let paid = AttemptState::Paid(confirmation());
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
    let order = expire_order(OrderState::Pending, NOW).unwrap();
    let attempt = give_up(AttemptState::Prepared, NOW);
    assert_eq!(prepare(order, None), Preparation::Refused(Answer::Cancelled));
    let completion = confirm(order, attempt, prepare_id(1), confirmation());
    assert_eq!(completion.answer, Answer::Success);
    assert_eq!(completion.news, Some(News::Completed { late: true }));
}

#[test]
fn a_paid_order_does_not_expire() {
    assert_eq!(expire_order(OrderState::Paid { by: prepare_id(1), at: NOW }, NOW), None);
    let paid = AttemptState::Paid(confirmation());
    assert_eq!(give_up(paid, NOW), paid);
}

/// One thing that CLICK, or our clock, may do to an order with three attempts.
#[derive(Debug, Clone)]
enum Callback {
    Prepare(usize),
    Confirm(usize),
    Cancel(usize, i32),
    Expire,
}

fn callback() -> impl Strategy<Value = Callback> {
    prop_oneof![
        (0..3usize).prop_map(Callback::Prepare),
        (0..3usize).prop_map(Callback::Confirm),
        (0..3usize, prop_oneof![Just(-1), Just(-5017)])
            .prop_map(|(which, code)| Callback::Cancel(which, code)),
        Just(Callback::Expire),
    ]
}

proptest! {
    #[test]
    fn an_order_is_paid_by_at_most_one_attempt_and_stays_paid(callbacks in prop::collection::vec(callback(), 0..40)) {
        let mut order = OrderState::Pending;
        let mut attempts: [Option<AttemptState>; 3] = [None; 3];
        let mut completed = 0;
        for callback in callbacks {
            let before = order;
            match callback {
                Callback::Prepare(which) => {
                    if let Preparation::Opened(state) | Preparation::Repeated(state) = prepare(order, attempts[which]) {
                        attempts[which] = Some(state);
                    }
                }
                Callback::Confirm(which) => if let Some(attempt) = attempts[which] {
                    let done = confirm(order, attempt, prepare_id(i64::try_from(which).unwrap() + 1), confirmation());
                    prop_assert_eq!(done.answer == Answer::Success, matches!(done.news, Some(News::Completed { .. })));
                    completed += usize::from(done.answer == Answer::Success);
                    (order, attempts[which]) = (done.order, Some(done.attempt));
                }
                Callback::Cancel(which, code) => if let Some(attempt) = attempts[which] {
                    let done = cancel(order, attempt, ClickError::from_code(code).unwrap(), NOW);
                    prop_assert_ne!(done.answer, Answer::Success);
                    (order, attempts[which]) = (done.order, Some(done.attempt));
                }
                Callback::Expire => if let Some(expired) = expire_order(order, NOW) {
                    order = expired;
                    attempts = attempts.map(|attempt| attempt.map(|state| give_up(state, NOW)));
                }
            }
            let paid = attempts.iter().flatten().filter(|state| matches!(state, AttemptState::Paid(_))).count();
            prop_assert!(paid <= 1);
            prop_assert_eq!(paid, completed);
            prop_assert_eq!(paid == 1, matches!(order, OrderState::Paid { .. }));
            if matches!(before, OrderState::Paid { .. }) {
                prop_assert_eq!(before, order);
            }
        }
    }
}
