//! `tolov click-test` on the command line, against our own webhook service.

use std::{
    collections::BTreeMap,
    net::TcpStream,
    path::Path,
    process::{Command, Output},
    time::{Duration, Instant},
};

use crate::processes::{Role, free_port, tolov};

const SECRET_KEY: &str = "kalit-of-the-tests-7f1d";
const API_TOKEN: &str = "parol-of-the-tests-52aa";
const BODY: &str = r#"{"order_id": {order_id}, "user_id": 5551, "products": [{"product_id": 7, "count": 2}],
    "total_amount": {amount}, "payment_method": "click"}"#;

/// The webhook service alone: it needs neither the broker nor MongoDB to answer CLICK.
fn webhook(folder: &Path) -> (Role, String) {
    webhook_with(folder, SECRET_KEY, API_TOKEN)
}

fn webhook_with(folder: &Path, secret_key: &str, api_token: &str) -> (Role, String) {
    let address = format!("127.0.0.1:{}", free_port());
    let environment = BTreeMap::from(
        [
            ("CLICK_SERVICE_ID", "12345"),
            ("CLICK_MERCHANT_ID", "678"),
            ("CLICK_SECRET_KEY", secret_key),
            ("API_TOKEN", api_token),
            ("AMQP_URL", "amqp://guest:guest@127.0.0.1:1/%2f"),
            ("WEBHOOK_ADDR", &address),
            ("METRICS_ADDR", "127.0.0.1:0"),
            ("LEDGER_PATH", folder.join("payments.db").to_str().unwrap()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let role = Role::start("webhook", folder, &environment);
    let deadline = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(&address).is_err() {
        assert!(Instant::now() < deadline, "{}", role.log_tail());
        std::thread::sleep(Duration::from_millis(20));
    }
    (role, address)
}

fn click_test(folder: &Path, arguments: &[&str]) -> Output {
    tolov("click-test", folder, &BTreeMap::new()).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn our_own_webhook_service_passes_every_case() {
    let folder = tempfile::tempdir().unwrap();
    let (_webhook, address) = webhook(folder.path());
    // As an editor on Windows saves it.
    std::fs::write(folder.path().join("secret"), format!("\u{feff}{SECRET_KEY}\r\n")).unwrap();
    let url = format!("http://{address}/payments/click/webhook");
    let create_url = format!("http://{address}/api/create_order");
    let authorization = format!("Authorization: Bearer {API_TOKEN}");
    let created = [
        "--create-url",
        &create_url,
        "--create-header",
        &authorization,
        "--create-body",
        BODY,
        "--create-link-field",
        "payment_url",
    ];
    let mut arguments =
        vec![url.as_str(), "--service-id", "12345", "--secret-file", "secret", "--format", "json"];
    arguments.extend(["--verbose", "--junit", "report.xml"]);
    arguments.extend(created);
    let output = click_test(folder.path(), &arguments);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let judged = |verdict: &str| -> Vec<String> {
        let cases = report["cases"].as_array().unwrap();
        cases.iter().filter(|case| case["verdict"] == verdict).map(|case| case["case"].to_string()).collect()
    };
    assert_eq!((judged("failed"), judged("skipped")), (Vec::new(), Vec::new()));
    assert_eq!(output.status.code(), Some(0));
    assert!(judged("passed").len() > 60);
    let junit = std::fs::read_to_string(folder.path().join("report.xml")).unwrap();
    assert!(junit.contains("failures=\"0\"") && junit.contains("name=\"tools.postman\""));
    for shown in [text(&output.stdout), text(&output.stderr), junit] {
        assert!(!shown.contains(SECRET_KEY) && !shown.contains(API_TOKEN));
    }
}

#[test]
fn the_examples_of_the_help_run_as_they_are_printed() {
    let folder = tempfile::tempdir().unwrap();
    let help = text(&click_test(folder.path(), &["--help"]).stdout);
    assert!(help.contains("{n} is 1, 2, ..., {order_id} a new number"), "{help}");
    assert!(help.contains("a link that the create call does not return cannot be tested"), "{help}");
    let (_webhook, address) = webhook_with(folder.path(), "sandbox-only-click-key", "sandbox-only-api-token");
    let joined = help.replace("\\\n", " ").replace("127.0.0.1:8000", &address);
    let examples: Vec<&str> =
        joined.lines().filter_map(|line| line.trim_start().strip_prefix("tolov click-test")).collect();
    assert_eq!(examples.len(), 2, "{help}");
    for example in examples {
        let command = format!("exec '{}' click-test {example}", env!("CARGO_BIN_EXE_tolov"));
        let output = Command::new("sh").args(["-c", &command]).current_dir(folder.path()).output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{example}\n{}{}",
            text(&output.stdout),
            text(&output.stderr)
        );
    }
}

#[test]
fn the_exit_code_tells_failures_from_bad_usage() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = click_test(folder.path(), arguments);
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let unused_address = ["http://127.0.0.1:1/", "--service-id", "1", "--secret", "kalit"];
    let with = |more: &[&'static str]| run(&[&unused_address[..], more].concat());
    let (code, table, _) = with(&["--only", "attempts.unknown-order"]);
    assert!(code == Some(1) && table.contains("FAILED") && table.contains("why:"), "{table}");
    let (code, list, _) = run(&["--list"]);
    assert!(code == Some(0) && list.contains("tools.desktop"), "{list}");
    for (more, words) in [
        (&["--only", "nonsense"][..], "no case is named"),
        (&["--order", "1001"], "is not an order"),
        (&["--only", "race"], "nothing could be tested"),
        (&["--create-url", "http://127.0.0.1:1/", "--create-body", "{}"], "the create call does not work"),
        (&["--create-url", "http://127.0.0.1:1/"], "--create-body"),
        (&["--timeout", "0"], "--timeout"),
    ] {
        let (code, _, problem) = with(more);
        assert!(code == Some(2) && problem.contains(words), "{more:?}: {code:?} {problem}");
        assert!(!problem.contains("kalit"));
    }
    let (code, _, problem) = run(&["ftp://x/", "--service-id", "1", "--secret", "kalit"]);
    assert!(code == Some(2) && problem.contains("http://"), "{problem}");
}
