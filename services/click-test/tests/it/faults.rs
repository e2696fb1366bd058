//! Each fault fails the case that covers it, and a merchant without faults passes every case.

use tolov_click_test::{Report, Verdict, run};

use crate::merchant::{Fault, Merchant};

async fn run_against(fault: Fault, only: &[&str]) -> Report {
    let merchant = Merchant::with(fault).await;
    let mut options = merchant.options();
    options.only = only.iter().map(ToString::to_string).collect();
    run(options, |_| ()).await.unwrap()
}

#[tokio::test]
async fn a_correct_merchant_passes_every_case() {
    let report = run_against(Fault::None, &[]).await;
    assert_eq!((report.failed(), report.skipped()), (0, 0), "{}", report.table(true));
    assert_eq!(report.exit_code(), 0);
}

#[tokio::test]
async fn every_known_fault_fails_its_case_and_a_correct_merchant_passes_it() {
    for (fault, case) in [
        (Fault::BadSignatureIsAServerError, "signature.prepare"),
        (Fault::UnsignedCancelIsAccepted, "signature.unsigned-cancel"),
        (Fault::DuplicatesAreRefusedBeforeTheSignature, "signature.junk-does-not-block"),
        (Fault::PrepareIdIsNotChecked, "attempts.unknown-prepare-id"),
        (Fault::PrepareIdOfAnotherOrderIsTaken, "attempts.other-orders-prepare-id"),
        (Fault::CompleteWithoutPreparePays, "attempts.no-prepare"),
        (Fault::PaymentIsFoundByTransId, "attempts.other-trans-id"),
        (Fault::PaymentIsFoundByTransId, "tools.desktop"),
        (Fault::CancelledCanBeConfirmed, "replay.cancelled"),
        (Fault::CancelledCanBeConfirmed, "tools.postman"),
        (Fault::PaidCanBePaidAgain, "replay.new-attempt-after-paid"),
        (Fault::PaidCanBePaidAgain, "attempts.two"),
        (Fault::TransIdPaysTwoOrders, "attempts.trans-id-of-another-order"),
        (Fault::CompletesRace, "race.completes"),
        (Fault::CompletesRace, "race.two-attempts"),
        (Fault::CompletesRace, "race.complete-and-cancel"),
        (Fault::ToleranceOfOneTiyin, "amount.one-tiyin"),
        (Fault::NanIsAnAmount, "amount.not-money"),
        (Fault::UnderpaymentPasses, "amount.differs-in-complete"),
        (Fault::AmountIsReformattedBeforeHashing, "amount.as-written"),
        (Fault::OnlyLackOfMoneyIsACancel, "cancel.any-error"),
        (Fault::LinkIsNotEncoded, "create.pay-link"),
        (Fault::OrdersAreOpenToTheWorld, "create.open-to-the-world"),
        (Fault::PaidByOwnWord, "create.paid-by-own-word"),
        (Fault::NoCodeForMissingFields, "form.missing-field"),
        (Fault::IdsPassThroughAFloat, "limits.largest-ids"),
    ] {
        let report = run_against(fault, &[case]).await;
        assert_eq!(report.cases.len(), 1);
        assert_eq!(report.cases[0].verdict, Verdict::Failed, "{fault:?} and {}", report.table(true));
        assert_eq!(report.exit_code(), 1);
        let healthy = run_against(Fault::None, &[case]).await;
        assert_eq!(healthy.cases[0].verdict, Verdict::Passed, "{}", healthy.table(true));
    }
}

#[tokio::test]
async fn codes_sent_as_text_fail_one_case_and_no_others() {
    let report = run_against(Fault::CodesAreText, &["tools", "answers"]).await;
    let failed: Vec<&str> =
        report.cases.iter().filter(|case| case.verdict == Verdict::Failed).map(|case| case.id).collect();
    assert_eq!(failed, ["answers.error-is-integer"]);
}
