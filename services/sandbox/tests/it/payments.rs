//! Payments, correct ones and scenarios.

use tolov_click::PayLink;
use tolov_domain::{OrderId, Tiyin};
use tolov_sandbox::click::{
    BadLink, ClickError, MerchantAnswer, Payment, PaymentStatus, Scenario, ScenarioRequest, Step,
};

use crate::{
    merchant::{Merchant, Misbehaviour, closing_url},
    running::{MERCHANT_ID, SERVICE_ID, start},
};

fn codes(payment: &Payment, step: Step) -> Vec<Option<i64>> {
    let of_step = payment.exchanges.iter().filter(|exchange| exchange.step == step);
    of_step.map(|exchange| exchange.answer.error()).collect()
}

#[tokio::test]
async fn a_payer_pays_and_every_exchange_is_kept_without_the_signature() {
    let sandbox = start();
    let merchant = Merchant::known_to(&sandbox).await;
    let payment = sandbox.handle.click().pay("1001", "1500.00").await.unwrap();
    assert_eq!(payment.status, PaymentStatus::Paid { merchant_prepare_id: 500 });
    assert_eq!((payment.payment_status(), merchant.paid_times()), (2, 1));
    let [prepare, complete] = payment.exchanges.as_slice() else { panic!("{payment:?}") };
    assert_eq!((prepare.answer.error(), complete.answer.error()), (Some(0), Some(0)));
    let names: Vec<&str> = complete.fields.iter().map(|(name, _)| name.as_str()).collect();
    assert!(names.contains(&"merchant_prepare_id") && !names.contains(&"sign_string"));
    assert_eq!(sandbox.handle.click().payments(), [payment]);
}

#[tokio::test]
async fn a_pay_link_is_read_as_click_reads_it() {
    let sandbox = start();
    let merchant = Merchant::known_to(&sandbox).await;
    let links = PayLink {
        pay_page: sandbox.url("/services/pay").to_string(),
        service_id: SERVICE_ID,
        merchant_id: MERCHANT_ID,
        merchant_user_id: None,
        return_url: Some("https://t.me/bot?a=1&amount=2".to_owned()),
    };
    let link = links.for_order(OrderId::try_new(1001).unwrap(), Tiyin::from_soum(1500).unwrap());
    let click = sandbox.handle.click();
    assert_eq!(click.open_link(&link).unwrap().return_url.map(String::from), links.return_url);
    assert!(click.pay_link(&link).await.unwrap().is_paid());
    assert_eq!(merchant.paid_times(), 1);

    let bad = |from: &str, to: &str| click.open_link(&link.replace(from, to)).unwrap_err();
    assert_eq!(bad("transaction_param", "order"), BadLink::Missing("transaction_param"));
    assert_eq!(bad("1500.00", "-5"), BadLink::Amount);
    assert_eq!(bad("1500.00", "0"), BadLink::Amount);
    assert_eq!(bad("?", "?amount=1&"), BadLink::Twice("amount"));
    assert!(matches!(bad("12345", "999"), BadLink::OtherMerchant { field: "service_id", .. }));
}

#[tokio::test]
async fn a_refused_prepare_takes_no_money() {
    let sandbox = start();
    let merchant = Merchant::known_to(&sandbox).await;
    for (order, amount, code) in [("77", "1500", -5), ("1001", "1499.99", -2)] {
        let payment = sandbox.handle.click().pay(order, amount).await.unwrap();
        assert!(matches!(payment.status, PaymentStatus::Refused { error: Some(error), .. } if error == code));
        assert_eq!(payment.calls(Step::Complete), 0);
    }
    assert_eq!(merchant.paid_times(), 0);
}

#[tokio::test]
async fn a_complete_that_is_not_confirmed_is_sent_again() {
    let sandbox = start();
    let merchant = Merchant::known_to(&sandbox).await;
    merchant.next_completes([
        Misbehaviour::ServerError,
        Misbehaviour::Slow,
        Misbehaviour::StorageError,
        Misbehaviour::NotJson,
    ]);
    let payment = sandbox.handle.click().pay("1001", "1500").await.unwrap();
    assert_eq!(codes(&payment, Step::Complete), [None, None, Some(-7), None, Some(-4)]);
    let answers: Vec<_> = payment.exchanges.iter().map(|exchange| &exchange.answer).collect();
    assert!(matches!(answers[1], MerchantAnswer::NotUnderstood { http_status: 500, .. }));
    assert!(matches!(answers[2], MerchantAnswer::Unanswered { .. }));
    assert!(payment.is_paid(), "-4 settles it: {payment:?}");
    assert_eq!(merchant.paid_times(), 1);
}

#[tokio::test]
async fn a_merchant_that_never_confirms_leaves_the_payment_hanging() {
    let sandbox = start();
    let merchant = Merchant::known_to(&sandbox).await;
    merchant.next_completes([Misbehaviour::StorageError; 9]);
    let payment = sandbox.handle.click().pay("1001", "1500").await.unwrap();
    assert_eq!(payment.status, PaymentStatus::Hanging { merchant_prepare_id: 500 });
    assert_eq!(payment.calls(Step::Complete), 5);
}

#[tokio::test]
async fn a_merchant_that_does_not_answer_refuses_the_payment() {
    let sandbox = start();
    let click = sandbox.handle.click();
    assert_eq!(click.pay("1001", "1500").await, Err(ClickError::NoMerchant));
    let url = closing_url().await;
    click.set_merchant(url.clone(), url);
    let payment = click.pay("1001", "1500").await.unwrap();
    assert!(matches!(payment.status, PaymentStatus::Refused { error: None, .. }), "{payment:?}");
}

/// A correct merchant's answers to the Prepare and to the Completes, and how often it was paid.
type Expected = (i64, Vec<i64>, u32);

async fn outcome_of(scenario: Scenario) -> Expected {
    let sandbox = start();
    let merchant = Merchant::known_to(&sandbox).await;
    let request = ScenarioRequest::new("1001", "1500", scenario);
    let payment = sandbox.handle.click().run_scenario(request).await.unwrap();
    let prepare = codes(&payment, Step::Prepare).last().copied().flatten().unwrap_or(i64::MIN);
    let completes =
        codes(&payment, Step::Complete).into_iter().map(|code| code.unwrap_or(i64::MIN)).collect();
    (prepare, completes, merchant.paid_times())
}

#[tokio::test]
async fn each_scenario_does_what_it_says() {
    let field = |step, field: &str| Scenario::MissingField { step, field: field.to_owned() };
    let twice = |step, field: &str| Scenario::FieldTwice { step, field: field.to_owned() };
    let amount = |step| Scenario::WrongAmount { step, sent: "1.00".to_owned() };
    let cases: [(Scenario, Expected); 24] = [
        (Scenario::Normal, (0, vec![0], 1)),
        (Scenario::PrepareOnly, (0, vec![], 0)),
        (Scenario::WrongSignature { step: Step::Prepare }, (-1, vec![], 0)),
        (Scenario::WrongSignature { step: Step::Complete }, (0, vec![-1], 0)),
        (amount(Step::Prepare), (-2, vec![], 0)),
        (amount(Step::Complete), (0, vec![-2], 0)),
        (Scenario::WrongServiceId { step: Step::Prepare, service_id: 1 }, (-8, vec![], 0)),
        (Scenario::WrongServiceId { step: Step::Complete, service_id: 1 }, (0, vec![-8], 0)),
        (Scenario::UnknownPrepareId { merchant_prepare_id: 999_999_999_999 }, (0, vec![-6], 0)),
        (field(Step::Prepare, "click_paydoc_id"), (-8, vec![], 0)),
        (field(Step::Complete, "merchant_prepare_id"), (0, vec![-8], 0)),
        (twice(Step::Prepare, "amount"), (-8, vec![], 0)),
        (twice(Step::Complete, "error"), (0, vec![-8], 0)),
        (Scenario::UnknownAction { action: 2 }, (-3, vec![], 0)),
        (Scenario::CompleteWithoutPrepare { merchant_prepare_id: 500 }, (i64::MIN, vec![-6], 0)),
        (Scenario::RepeatedPrepare { times: 3 }, (0, vec![0], 1)),
        (Scenario::RepeatedComplete { times: 3 }, (0, vec![0, -4, -4], 1)),
        (Scenario::Cancel { error: -5017 }, (0, vec![-9], 0)),
        (Scenario::CancelPaid { error: -1 }, (0, vec![0, -4], 1)),
        (Scenario::CancelPaid { error: -5017 }, (0, vec![0, -9], 1)),
        (Scenario::OtherTransIdInComplete, (0, vec![0], 1)),
        (Scenario::DroppedAnswer { step: Step::Prepare }, (0, vec![0], 1)),
        (Scenario::DroppedAnswer { step: Step::Complete }, (0, vec![0, -4], 1)),
        (Scenario::Delay { delay_ms: 30 }, (0, vec![0], 1)),
    ];
    for (scenario, expected) in cases {
        assert_eq!(outcome_of(scenario.clone()).await, expected, "{scenario:?}");
    }
}

#[tokio::test]
async fn parallel_completes_pay_once_and_a_wrong_complete_can_be_followed_by_a_correct_one() {
    let sandbox = start();
    let merchant = Merchant::known_to(&sandbox).await;
    let click = sandbox.handle.click();
    let request = ScenarioRequest::new("1001", "1500", Scenario::ParallelCompletes { count: 20 });
    let payment = click.run_scenario(request).await.unwrap();
    let zeros = codes(&payment, Step::Complete).into_iter().filter(|code| *code == Some(0)).count();
    assert_eq!((payment.calls(Step::Complete), zeros, merchant.paid_times()), (20, 1, 1));

    let forged = Scenario::WrongSignature { step: Step::Complete };
    let payment =
        click.run_scenario(ScenarioRequest::new("1001", "1500", forged).then_complete()).await.unwrap();
    assert_eq!(codes(&payment, Step::Complete), [Some(-1), Some(0)]);
    let unknown = Scenario::MissingField { step: Step::Prepare, field: "amout".to_owned() };
    let refused = click.run_scenario(ScenarioRequest::new("1001", "1500", unknown)).await;
    assert_eq!(refused, Err(ClickError::NoSuchField("amout".to_owned())));
}

#[tokio::test]
async fn numbers_do_not_repeat_after_a_restart() {
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..2 {
        let sandbox = start();
        let _merchant = Merchant::known_to(&sandbox).await;
        for _ in 0..3 {
            let payment = sandbox.handle.click().pay("1001", "1500").await.unwrap();
            assert!(seen.insert(payment.click_trans_id) && seen.insert(payment.click_paydoc_id));
        }
    }
}
