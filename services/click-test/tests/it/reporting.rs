//! Reports, selection, secrecy and time limits.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tolov_click_test::{CreateCall, OrderSource, UsageError, Verdict, catalogue, given_order, header, run};

use crate::merchant::{Fault, Merchant, SECRET_KEY};

#[tokio::test]
async fn without_orders_the_cases_that_need_one_are_skipped_with_the_reason() {
    let merchant = Merchant::with(Fault::None).await;
    let mut options = merchant.options();
    options.orders = OrderSource::None;
    let report = run(options, |_| ()).await.unwrap();
    assert_eq!(report.failed(), 0, "{}", report.table(true));
    assert!(report.passed() >= 5 && report.skipped() > 40, "{}", report.table(false));
    assert_eq!(report.exit_code(), 0);
    let skipped = report.cases.iter().find(|case| case.id == "tools.postman").unwrap();
    let Verdict::Skipped(reason) = &skipped.verdict else {
        return assert_eq!(skipped.verdict, Verdict::Failed);
    };
    assert!(reason.contains("--order") && report.table(false).contains("skipped"));
    let junit = report.junit();
    assert!(junit.contains(&format!("skipped=\"{}\"", report.skipped())));
    assert_eq!(junit.matches("<skipped message=").count(), report.skipped());
}

#[tokio::test]
async fn orders_that_are_given_are_used_up_one_by_one() {
    let merchant = Merchant::with(Fault::None).await;
    let mut options = merchant.options();
    let orders = ["71", "72", "73", "74"].map(|id| merchant.order(id, "33139.73"));
    options.orders = OrderSource::Given(orders.to_vec());
    options.only = vec!["tools".to_owned(), "amount.differs-in-prepare".to_owned()];
    let report = run(options, |_| ()).await.unwrap();
    let verdict = |id: &str| report.cases.iter().find(|case| case.id == id).unwrap().verdict.clone();
    assert_eq!(verdict("tools.postman"), Verdict::Passed, "{}", report.table(true));
    assert!(matches!(verdict("tools.desktop"), Verdict::Skipped(reason) if reason.contains("used up")));
    assert!(matches!(verdict("amount.differs-in-prepare"), Verdict::Skipped(_)));
}

#[tokio::test]
async fn a_run_in_which_everything_was_skipped_has_not_passed() {
    let merchant = Merchant::with(Fault::None).await;
    let mut options = merchant.options();
    options.orders = OrderSource::None;
    options.only = vec!["race".to_owned()];
    assert_eq!(run(options, |_| ()).await.unwrap().exit_code(), 2);
}

#[tokio::test]
async fn neither_the_secret_nor_a_signature_is_ever_shown() {
    let merchant = Merchant::with(Fault::EchoesTheSignature).await;
    let mut options = merchant.options();
    options.only = vec!["tools".to_owned(), "form".to_owned(), "signature".to_owned()];
    let report = run(options, |_| ()).await.unwrap();
    for text in [report.table(true), report.json(), report.junit()] {
        assert!(!text.contains(SECRET_KEY) && !text.contains("parol-of-the-tests"));
        let hexadecimal = |run: &str| run.len() == 32 && run.bytes().all(|byte| byte.is_ascii_hexdigit());
        let forged = "10a250d95b1a6afedcda8360a12a1341";
        let shown = text.split(|letter: char| !letter.is_ascii_alphanumeric()).find(|run| hexadecimal(run));
        assert_eq!(shown.filter(|run| *run != forged), None);
    }
    assert!(report.table(true).contains("click_trans_id="), "the raw call is shown");
    assert!(!report.table(false).contains("click_trans_id="));
}

#[tokio::test]
async fn a_merchant_that_never_answers_costs_a_bounded_time() {
    let merchant = Merchant::with(Fault::AnswersNothing).await;
    let mut options = merchant.options();
    options.answer_timeout = Duration::from_millis(500);
    options.deadline = Duration::from_secs(3);
    let started = Instant::now();
    let report = run(options, |_| ()).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(30));
    assert_eq!((report.passed(), report.exit_code()), (0, 1));
    assert!(report.table(false).contains("no answer in time"));
    assert!(
        report
            .cases
            .iter()
            .any(|case| matches!(&case.verdict, Verdict::Skipped(why) if why.contains("over")))
    );
}

#[tokio::test]
async fn an_unreachable_merchant_fails_the_case_with_the_reason() {
    let merchant = Merchant::with(Fault::None).await;
    let mut options = merchant.options();
    options.prepare_url = url::Url::parse("http://127.0.0.1:1/").unwrap();
    options.complete_url = options.prepare_url.clone();
    options.only = vec!["attempts.unknown-order".to_owned()];
    let report = run(options, |_| ()).await.unwrap();
    assert!(
        report.exit_code() == 1 && report.table(false).contains("no answer: "),
        "{}",
        report.table(false)
    );
}

#[tokio::test]
async fn a_create_call_that_does_not_work_is_reported_before_any_case_runs() {
    let merchant = Merchant::with(Fault::None).await;
    let breakages: [fn(&mut CreateCall); 3] = [
        |call| call.headers.clear(),
        |call| call.id_field = Some("nowhere".to_owned()),
        |call| call.body = "{\"amount\": \"x\"}".to_owned(),
    ];
    for break_call in breakages {
        let mut options = merchant.options();
        if let OrderSource::Create(call) = &mut options.orders {
            break_call(call);
        }
        let refused = run(options, |_| ()).await;
        assert!(matches!(refused, Err(UsageError::Create(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn a_pay_link_that_the_create_call_does_not_return_is_skipped_with_the_reason() {
    let merchant = Merchant::with(Fault::None).await;
    let mut options = merchant.options();
    if let OrderSource::Create(call) = &mut options.orders {
        call.link_field = Some("order.pay_link".to_owned());
    }
    options.only = vec!["create.pay-link".to_owned()];
    let report = run(options, |_| ()).await.unwrap();
    let Verdict::Skipped(reason) = &report.cases[0].verdict else { panic!("{}", report.table(true)) };
    assert!(reason.contains("order.pay_link") && reason.contains("cannot be checked"), "{reason}");
}

#[tokio::test]
async fn only_selects_by_name_group_and_level_and_progress_counts_cases() {
    let merchant = Merchant::with(Fault::None).await;
    let mut options = merchant.options();
    options.only = vec!["nonsense".to_owned()];
    assert!(
        matches!(run(options.clone(), |_| ()).await, Err(UsageError::NoSuchCase(name)) if name == "nonsense")
    );
    options.only = vec!["limits".to_owned(), "replay.prepare".to_owned()];
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    let report = run(options, move |progress| told.lock().unwrap().push(progress)).await.unwrap();
    let ids: Vec<&str> = report.cases.iter().map(|case| case.id).collect();
    assert_eq!(ids, ["replay.prepare", "limits.bigint", "limits.largest-ids", "limits.large-body"]);
    let seen = seen.lock().unwrap();
    assert_eq!((seen.len(), seen[0].case, seen[4].case, seen[4].done), (5, Some("replay.prepare"), None, 4));
}

#[test]
fn the_list_names_every_case_and_the_orders_it_needs() {
    let list = catalogue();
    assert!(
        list.contains("tools.postman") && list.contains("3 orders") && list.contains("fresh unpaid orders")
    );
}

#[test]
fn orders_and_headers_are_read_from_the_command_line() {
    let order = given_order("A=7=1500.5").unwrap();
    assert_eq!(
        (order.id.as_str(), order.amount_text.as_str(), order.amount.get()),
        ("A=7", "1500.5", 150_050)
    );
    for bad in ["1001", "=5", "1001=", "1001=nan", "1001=0", "1001=-5"] {
        assert!(given_order(bad).is_err(), "{bad}");
    }
    assert_eq!(header("Authorization: Bearer a:b").unwrap().1, "Bearer a:b");
    let refused = header("no colon secret").unwrap_err().to_string();
    assert!(!refused.contains("secret"), "{refused}");
}
