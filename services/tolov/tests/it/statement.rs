//! `tolov reconcile --statement`: the exit code says whether the cabinet's statement and the ledger agree.

use serde_json::{Value, json};
use tolov_domain::Day;
use tolov_kit::clock::{Clock, SystemClock};
use tolov_sandbox::click::{Scenario, ScenarioRequest};

use crate::refunds::World;

/// A statement of today with these payments and sums.
fn statement(rows: &[(i64, &str)]) -> String {
    let today = Day::of(SystemClock.now());
    let rows: Vec<String> =
        rows.iter().map(|(payment, sum)| format!("{payment};{sum};{today};Успешно\n")).collect();
    format!("\u{feff}№ платежа;Сумма;Дата;Статус\n{}", rows.concat())
}

/// Returns the exit code and what was printed.
async fn reconcile(world: &World, statement: &str, more: &[&str]) -> (Option<i32>, Value) {
    std::fs::write(world.folder().join("statement.csv"), statement).unwrap();
    let arguments = [&["--statement", "statement.csv", "--json"], more].concat();
    let output = world.run("reconcile", &arguments).await;
    let printed = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| json!(String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), printed)
}

fn kinds(report: &Value) -> Vec<(String, Value)> {
    let differences = report["differences"].as_array().unwrap().iter();
    differences.map(|it| (it["kind"].as_str().unwrap().to_owned(), it["outcome"].clone())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_agrees_is_clean_and_one_that_differs_is_told_to_the_ledger() {
    let world = World::start().await;
    world.paid(1).await;
    world.paid(2).await;
    let paydocs: Vec<i64> = world.sandbox.click().payments().iter().map(|it| it.click_paydoc_id).collect();
    let journal = world.folder().join("operators.jsonl");

    let both = statement(&[(paydocs[0], "30 000,00"), (paydocs[1], "30000")]);
    let (code, report) = reconcile(&world, &both, &[]).await;
    assert_eq!((code, &report["payments"]), (Some(0), &json!(2)), "{report:#}");
    assert!(!journal.exists(), "the ledger was told nothing");

    let other = statement(&[(paydocs[0], "29999"), (4_710_103_925, "500")]);
    let (code, report) = reconcile(&world, &other, &["--dry-run"]).await;
    let known = [("unknown_payment", Value::Null), ("not_in_statement", Value::Null)];
    let mut expected: Vec<(String, Value)> = known.map(|(kind, outcome)| (kind.to_owned(), outcome)).into();
    expected.push(("amount_differs".to_owned(), Value::Null));
    assert_eq!((code, kinds(&report)), (Some(1), expected.clone()), "{report:#}");
    assert!(!journal.exists());

    expected.pop();
    expected.push(("amount_differs".to_owned(), json!("questioned")));
    for _ in 0..2 {
        let (code, report) = reconcile(&world, &other, &[]).await;
        assert_eq!((code, kinds(&report)), (Some(1), expected.clone()), "{report:#}");
    }
    let lines = std::fs::read_to_string(&journal).unwrap();
    assert!(lines.lines().count() == 2 && lines.contains(&paydocs[0].to_string()), "{lines}");

    let (code, refused) = reconcile(&world, "Документ;Сумма\n1;2\n", &[]).await;
    assert_eq!(code, Some(2));
    assert!(refused.to_string().contains("payment, time"), "{refused}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_attempt_that_the_statement_shows_as_paid_pays_its_order_and_the_trace_says_why() {
    let world = World::start().await;
    world.registered(1).await;
    let prepared = ScenarioRequest::new("1", "30000", Scenario::PrepareOnly);
    let paydoc = world.sandbox.click().run_scenario(prepared).await.unwrap().click_paydoc_id;
    let paid = statement(&[(paydoc, "30 000,00")]);
    let found = |outcome| (Some(1), vec![("paid_at_click".to_owned(), outcome)]);

    let (code, report) = reconcile(&world, &paid, &["--dry-run"]).await;
    assert_eq!((code, kinds(&report)), found(Value::Null), "{report:#}");
    assert_eq!(world.get("orders/1").await["status"], "pending");

    let (code, report) = reconcile(&world, &paid, &[]).await;
    assert_eq!((code, kinds(&report)), found(json!("paid")), "{report:#}");
    assert_eq!(world.get("orders/1").await["status"], "paid");
    assert_eq!(reconcile(&world, &paid, &[]).await.0, Some(0), "they agree now");

    for (language, words) in [
        ("en", format!("source statement, payment number {paydoc}, by operator")),
        ("ru", format!("источник statement, номер платежа {paydoc}, кем: operator")),
        ("uz", format!("manba statement, to‘lov raqami {paydoc}, kim: operator")),
    ] {
        let output = world.run("trace", &["1", "--language", language]).await;
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(told.contains(&words), "{told}{}", String::from_utf8_lossy(&output.stderr));
    }
    world.end().await;
}
