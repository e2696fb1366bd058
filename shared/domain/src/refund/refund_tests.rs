use proptest::prelude::*;
use time::{Duration, macros::datetime};

use super::{
    api::{CallOutcome, RefundRequest, ReportSource},
    *,
};
use crate::ids::ProductId;

const NOW: Timestamp = datetime!(2026-11-23 12:00 UTC);

fn tiyin(tiyin: i64) -> Tiyin {
    Tiyin::try_new(tiyin).unwrap()
}

fn payment_id() -> ClickPaymentId {
    ClickPaymentId::try_new(4_710_103_925).unwrap()
}

fn product(id: i64, count: u32) -> OrderedProduct {
    OrderedProduct { product_id: ProductId::try_new(id).unwrap(), count }
}

fn paid() -> PaidAttempt {
    PaidAttempt {
        order_id: OrderId::try_new(1024).unwrap(),
        prepare_id: PrepareId::try_new(77).unwrap(),
        amount: tiyin(3_000_000),
        products: vec![product(7, 2), product(8, 1)],
        in_telegram: false,
        prepared_at: datetime!(2026-11-20 08:00 UTC),
    }
}

fn asked(amount: Option<i64>) -> RefundRequest {
    RefundRequest {
        request_id: "tap-1".to_owned(),
        amount_tiyin: amount.map(tiyin),
        returned: Vec::new(),
        requested_by: "5551".to_owned(),
        reason: "no stock".to_owned(),
        by_hand: None,
    }
}

fn open(amount: Option<i64>, before: &[Refund]) -> Result<Refund, RequestRefusal> {
    let id = RefundId::try_new(1_795_900_000).unwrap();
    request(id, Some(&paid()), before, &asked(amount), true, NOW)
}

fn sending() -> Refund {
    let refund = open(None, &[]).unwrap();
    let checked = refund.advance(Change::FoundPaid { payment_id: payment_id() }, None, NOW).unwrap();
    checked.advance(Change::Send, None, NOW).unwrap()
}

fn unknown() -> Refund {
    let lost = Change::OutcomeUnknown { click_code: None, click_note: "no answer".to_owned() };
    sending().advance(lost, Some(NOW), NOW).unwrap()
}

fn by_hand() -> Decision {
    Decision::ByHand { document: "transfer 17".to_owned() }
}

#[test]
fn a_whole_payment_goes_back_through_clicks_reversal() {
    let refund = open(None, &[]).unwrap();
    assert_eq!((refund.status(), refund.amount_tiyin), (RefundStatus::Requested, tiyin(3_000_000)));
    assert_eq!(refund.next_step_at, Some(NOW));
    let refund = sending();
    assert_eq!((refund.status(), refund.tries, refund.step), (RefundStatus::Sending, 1, 2));
    let done = refund.advance(Change::Reversed, None, NOW).unwrap();
    assert_eq!((done.status(), done.next_step_at, done.undecided()), (RefundStatus::Done, None, None));
}

#[test]
fn a_reversal_at_click_is_explained_by_a_refund_of_the_whole_that_may_have_sent_it() {
    let (whole, part) = (tiyin(3_000_000), tiyin(1_000_000));
    let asked_for = open(None, &[]).unwrap();
    let given_by_hand = open(Some(1_000_000), &[]).unwrap().decide(by_hand(), "owner", NOW).unwrap();
    let lost = Change::OutcomeUnknown { click_code: None, click_note: "no answer".to_owned() };
    let sent_before = sending().advance(lost, None, NOW).unwrap().decide(by_hand(), "owner", NOW).unwrap();
    let withdrawn = asked_for.clone().decide(Decision::Withdraw, "owner", NOW).unwrap();
    assert!(asked_for.explains_reversal_of(whole) && unknown().explains_reversal_of(whole));
    assert!(!asked_for.explains_reversal_of(part), "a part of the sum does not explain it");
    assert!(given_by_hand.explains_reversal_of(part) && !given_by_hand.explains_reversal_of(whole));
    assert!(!sent_before.explains_reversal_of(whole), "the money may be back twice");
    assert!(!withdrawn.explains_reversal_of(whole));
}

#[test]
fn what_click_cannot_give_back_begins_with_a_person() {
    let why = |refund: Refund| {
        let RefundState::Manual { why, .. } = refund.state else { return None };
        Some(why)
    };
    assert_eq!(open(Some(1_000_000), &[]).map(why), Ok(Some(ManualReason::PartialByHand)));
    let id = RefundId::try_new(1).unwrap();
    let off = request(id, Some(&paid()), &[], &asked(None), false, NOW);
    assert_eq!(off.map(why), Ok(Some(ManualReason::MerchantApiOff)));
    let late = request(id, Some(&paid()), &[], &asked(None), true, datetime!(2026-12-02 00:00 UTC));
    assert_eq!(late.map(why), Ok(Some(ManualReason::OutsideMonth)));
}

#[test]
fn a_payment_can_be_reversed_until_the_first_of_the_next_month_an_hour_less() {
    let created = datetime!(2026-11-20 08:00 UTC);
    // 23:00 in Tashkent on the 1st.
    assert_eq!(reversible_until(created), Some(datetime!(2026-12-01 18:00 UTC)));
    assert_eq!(reversible_until(datetime!(2026-12-31 17:00 UTC)), Some(datetime!(2027-01-01 18:00 UTC)));
    // Around midnight in Tashkent between two months the earlier one counts.
    for created in [datetime!(2026-11-30 18:59 UTC), datetime!(2026-11-30 19:00 UTC)] {
        assert_eq!(reversible_until(created), Some(datetime!(2026-12-01 18:00 UTC)), "{created}");
    }
    assert_eq!(reversible_until(datetime!(2026-11-30 20:00 UTC)), Some(datetime!(2027-01-01 18:00 UTC)));
}

#[test]
fn a_refund_is_refused_that_is_not_for_what_is_left() {
    let id = RefundId::try_new(1).unwrap();
    assert_eq!(request(id, None, &[], &asked(None), true, NOW), Err(RequestRefusal::NotPaid));
    assert_eq!(open(Some(0), &[]), Err(RequestRefusal::Field("amount_tiyin")));
    assert_eq!(open(Some(3_000_001), &[]), Err(RequestRefusal::Field("amount_tiyin")));
    let first = open(Some(1_000_000), &[]).unwrap();
    assert_eq!(open(None, std::slice::from_ref(&first)), Err(RequestRefusal::RefundOpen));
    let first = first.decide(by_hand(), "owner", NOW).unwrap();
    assert_eq!(
        open(Some(2_000_001), std::slice::from_ref(&first)),
        Err(RequestRefusal::Field("amount_tiyin"))
    );
    let rest = open(None, std::slice::from_ref(&first)).unwrap();
    assert_eq!((rest.amount_tiyin, rest.status()), (tiyin(2_000_000), RefundStatus::Manual));
    let rest = rest.decide(by_hand(), "owner", NOW).unwrap();
    assert_eq!(open(None, &[first, rest]), Err(RequestRefusal::NothingLeft));
}

#[test]
fn goods_go_back_that_were_bought_and_not_back_yet() {
    let returning = |returned: Vec<OrderedProduct>, before: &[Refund]| {
        let asked = RefundRequest { returned, ..asked(Some(1_000_000)) };
        request(RefundId::try_new(1).unwrap(), Some(&paid()), before, &asked, true, NOW)
    };
    let refused = Err(RequestRefusal::Field("returned"));
    assert_eq!(returning(vec![product(9, 1)], &[]), refused, "of another order");
    assert_eq!(returning(vec![product(7, 3)], &[]), refused, "more than were bought");
    assert_eq!(returning(vec![product(7, 0)], &[]), refused);
    assert_eq!(returning(vec![product(7, 1), product(7, 1)], &[]), refused, "twice in one list");
    let first = returning(vec![product(7, 1)], &[]).unwrap().decide(by_hand(), "owner", NOW).unwrap();
    assert_eq!(returning(vec![product(7, 2)], std::slice::from_ref(&first)), refused, "one is back");
    assert!(returning(vec![product(7, 1), product(8, 1)], &[first]).is_ok());
}

#[test]
fn a_reversal_of_unknown_outcome_is_never_sent_again_by_itself() {
    let refund = unknown();
    assert_eq!(refund.undecided(), None, "CLICK is asked first");
    for change in [Change::Send, Change::FoundPaid { payment_id: payment_id() }, Change::NotTaken] {
        assert_eq!(refund.clone().advance(change, None, NOW), Err(NotAllowed(RefundStatus::Unknown)));
    }
    for decision in [Decision::Withdraw, by_hand(), Decision::Retry] {
        assert_eq!(refund.clone().decide(decision, "owner", NOW), Err(NotAllowed(RefundStatus::Unknown)));
    }
    let waits = refund.clone().advance(Change::Wait, None, NOW).unwrap();
    assert_eq!(waits.undecided(), Some(UndecidedState::Unknown));
    let again = waits.decide(Decision::Retry, "owner", NOW).unwrap();
    assert_eq!((again.status(), again.tries), (RefundStatus::Requested, 1));
    let done = refund.advance(Change::FoundReversed { payment_id: payment_id() }, None, NOW).unwrap();
    assert_eq!(done.status(), RefundStatus::Done);
}

#[test]
fn a_payment_that_is_not_paid_at_click_is_a_refund_only_where_a_reversal_was_sent() {
    let reversed = || Change::FoundReversed { payment_id: payment_id() };
    let first = open(None, &[]).unwrap().advance(reversed(), None, NOW).unwrap();
    assert_eq!(first.undecided(), Some(UndecidedState::Manual));
    let waits = unknown().advance(Change::Wait, None, NOW).unwrap();
    let again = waits.decide(Decision::Retry, "owner", NOW).unwrap();
    assert_eq!(again.advance(reversed(), None, NOW).unwrap().status(), RefundStatus::Done);
}

#[test]
fn nobody_decides_while_a_reversal_is_under_way_or_the_refund_is_over() {
    let done = sending().advance(Change::Reversed, None, NOW).unwrap();
    let withdrawn = open(None, &[]).unwrap().decide(Decision::Withdraw, "owner", NOW).unwrap();
    for refund in [sending(), done, withdrawn] {
        let status = refund.status();
        for decision in [Decision::Withdraw, by_hand(), Decision::Retry] {
            assert_eq!(refund.clone().decide(decision, "owner", NOW), Err(NotAllowed(status)));
        }
    }
    let partial = open(Some(1), &[]).unwrap();
    assert!(partial.decide(Decision::Retry, "owner", NOW).is_err(), "a reversal is for the whole payment");
}

#[test]
fn keys_that_click_refuses_leave_the_refund_where_it_was() {
    let refund = sending().advance(Change::NotTaken, Some(NOW + Duration::HOUR), NOW).unwrap();
    assert_eq!((refund.status(), refund.next_step_at), (RefundStatus::Checked, Some(NOW + Duration::HOUR)));
}

#[test]
fn a_refund_is_read_back_as_it_was_written() {
    let refused = Change::Refused { click_code: -500, click_note: "нет".to_owned() };
    let refunds = [
        open(None, &[]).unwrap(),
        open(Some(1), &[]).unwrap(),
        sending(),
        unknown(),
        sending().advance(refused, None, NOW).unwrap(),
        open(Some(1), &[]).unwrap().decide(by_hand(), "owner", NOW).unwrap(),
    ];
    for refund in refunds {
        let json = serde_json::to_string(&refund).unwrap();
        assert_eq!(serde_json::from_str::<Refund>(&json).unwrap(), refund, "{json}");
    }
    let step = r#"{"step":2,"change":"refused","click_code":-500,"click_note":"no"}"#;
    let step: api::StepRequest = serde_json::from_str(step).unwrap();
    assert_eq!(step.change, Change::Refused { click_code: -500, click_note: "no".to_owned() });
}

fn changes() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::Wait),
        Just(Change::FoundPaid { payment_id: payment_id() }),
        Just(Change::FoundReversed { payment_id: payment_id() }),
        Just(Change::LeaveToStaff { why: ManualReason::OutsideMonth }),
        Just(Change::Send),
        Just(Change::Reversed),
        Just(Change::Refused { click_code: -500, click_note: String::new() }),
        Just(Change::NotTaken),
        Just(Change::OutcomeUnknown { click_code: None, click_note: String::new() }),
    ]
}

#[derive(Debug, Clone)]
enum Act {
    Ask(Option<i64>),
    Change(Change, bool),
    Decide(Decision),
}

fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        proptest::option::of(0_i64..4_000_000).prop_map(Act::Ask),
        (changes(), any::<bool>()).prop_map(|(change, goes_on)| Act::Change(change, goes_on)),
        prop_oneof![Just(Decision::Withdraw), Just(by_hand()), Just(Decision::Retry)].prop_map(Act::Decide),
    ]
}

proptest! {
    /// Whatever happens: one open refund, no more than was paid, and each reversal is sent after a person or a check.
    #[test]
    fn refunds_never_exceed_what_was_paid(acts in proptest::collection::vec(acts(), 1..60)) {
        let mut refunds: Vec<Refund> = Vec::new();
        for act in acts {
            let last = refunds.last().cloned();
            match (act, last) {
                (Act::Ask(amount), _) => refunds.extend(open(amount, &refunds)),
                (Act::Change(change, goes_on), Some(last)) => {
                    let (before, is_sent) = (last.clone(), change == Change::Send);
                    if let Ok(next) = last.advance(change, goes_on.then_some(NOW), NOW) {
                        prop_assert!(!is_sent || before.status() == RefundStatus::Checked);
                        prop_assert_eq!(next.step, before.step + 1);
                        *refunds.last_mut().unwrap() = next;
                    }
                }
                (Act::Decide(decision), Some(last)) => {
                    let is_over = !last.status().is_open();
                    if let Ok(next) = last.decide(decision, "owner", NOW) {
                        prop_assert!(!is_over);
                        *refunds.last_mut().unwrap() = next;
                    }
                }
                (Act::Change(..) | Act::Decide(_), None) => {}
            }
            prop_assert!(refunded(&refunds) <= paid().amount);
            prop_assert!(refunds.iter().filter(|refund| refund.status().is_open()).count() <= 1);
        }
    }
}

#[test]
fn money_that_was_given_back_by_hand_is_recorded_in_one_step_and_never_sent() {
    let asked = RefundRequest { by_hand: Some("cabinet, No 7".to_owned()), ..asked(None) };
    let id = RefundId::try_new(1_795_900_000).unwrap();
    let refund = request(id, Some(&paid()), &[], &asked, true, NOW).unwrap();
    assert_eq!((refund.status(), refund.next_step_at), (RefundStatus::DoneByHand, None));
    assert!(refund.clone().advance(Change::Send, None, NOW).is_err());
    assert_eq!(left(paid().amount, &[refund]), Tiyin::ZERO);
}

#[test]
fn each_step_keeps_its_time_and_the_request_its_own() {
    let later = NOW + Duration::hours(2);
    let found = Change::FoundPaid { payment_id: payment_id() };
    let checked = open(None, &[]).unwrap().advance(found, None, later).unwrap();
    assert_eq!((checked.requested_at, checked.changed_at, checked.step), (NOW, later, 1));
}

#[test]
fn a_state_has_its_name_perhaps_a_payment_and_says_whether_the_money_is_back() {
    let (payment_id, by) = (payment_id(), || "5551".to_owned());
    let (click_code, click_note) = (-500, String::new);
    let why = ManualReason::OutsideMonth;
    let document = "transfer 17".to_owned();
    for (state, payment, is_done) in [
        (RefundState::Requested, None, false),
        (RefundState::Checked { payment_id }, Some(payment_id), false),
        (RefundState::Sending { payment_id }, Some(payment_id), false),
        (
            RefundState::Unknown { payment_id, click_code: None, click_note: click_note() },
            Some(payment_id),
            false,
        ),
        (RefundState::Refused { payment_id, click_code, click_note: click_note() }, Some(payment_id), false),
        (RefundState::Manual { payment_id: Some(payment_id), why }, Some(payment_id), false),
        (RefundState::Manual { payment_id: None, why }, None, false),
        (RefundState::Done { payment_id }, Some(payment_id), true),
        (RefundState::DoneByHand { decided_by: by(), document }, None, true),
        (RefundState::Withdrawn { decided_by: by() }, None, false),
    ] {
        let status = state.status();
        assert_eq!((state.payment_id(), status.is_done()), (payment, is_done), "{state:?}");
        assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        assert_eq!(status.is_open(), RefundStatus::OPEN.contains(&status), "{state:?}");
    }
    let undecided = [
        (UndecidedState::Refused, "refused"),
        (UndecidedState::Unknown, "unknown"),
        (UndecidedState::Manual, "manual"),
    ];
    for (state, name) in undecided {
        assert_eq!(state.as_str(), name);
    }
}

#[test]
fn sources_and_outcomes_have_the_names_that_json_and_the_ledger_know() {
    for source in [ReportSource::Status, ReportSource::Restore, ReportSource::Statement, ReportSource::Owner]
    {
        assert_eq!(serde_json::to_value(source).unwrap(), source.as_str());
    }
    for outcome in CallOutcome::ALL {
        assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.as_str());
    }
}

#[test]
fn what_is_left_goes_through_click_or_by_hand_or_not_at_all() {
    let reason = |paid: Option<&PaidAttempt>, refunds: &[Refund], now| {
        let allowed = allowed(paid, refunds, true, now);
        assert_eq!(allowed.by_click, allowed.reason == AllowedReason::Ok);
        allowed.reason
    };
    let back = |amount| open(amount, &[]).unwrap().decide(by_hand(), "5551", NOW).unwrap();
    let paid = paid();
    let until = reversible_until(paid.prepared_at).unwrap();
    assert_eq!(reason(None, &[], NOW), AllowedReason::NotPaid);
    assert_eq!(reason(Some(&paid), &[], NOW), AllowedReason::Ok);
    assert_eq!(reason(Some(&paid), &[], until - Duration::SECOND), AllowedReason::Ok);
    assert_eq!(reason(Some(&paid), &[], until), AllowedReason::OutsideMonth);
    assert_eq!(reason(Some(&paid), &[open(None, &[]).unwrap()], NOW), AllowedReason::RefundOpen);
    assert_eq!(reason(Some(&paid), &[back(Some(1))], NOW), AllowedReason::PartialByHand);
    assert_eq!(reason(Some(&paid), &[back(None)], NOW), AllowedReason::NothingLeft);
}

#[test]
fn what_cannot_go_through_click_is_left_to_staff_with_the_payment_that_is_known() {
    let left = |refund: Refund| {
        refund.advance(Change::LeaveToStaff { why: ManualReason::OutsideMonth }, None, NOW).map(|it| it.state)
    };
    let why = ManualReason::OutsideMonth;
    let requested = open(None, &[]).unwrap();
    assert_eq!(left(requested.clone()), Ok(RefundState::Manual { payment_id: None, why }));
    let checked = requested.advance(Change::FoundPaid { payment_id: payment_id() }, None, NOW).unwrap();
    assert_eq!(left(checked), Ok(RefundState::Manual { payment_id: Some(payment_id()), why }));
    assert_eq!(left(sending()), Err(NotAllowed(RefundStatus::Sending)));
}
