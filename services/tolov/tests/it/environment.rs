use std::{collections::BTreeMap, os::unix::ffi::OsStrExt};

use crate::processes::tolov;

/// Runs a role with these variables; returns its exit code and its errors.
fn run(role: &str, variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let environment: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let output = tolov(role, folder.path(), &environment).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn every_missing_variable_is_named_in_one_message_with_exit_code_2() {
    for (role, wanted) in [
        (
            "webhook",
            vec!["API_TOKEN", "CLICK_SERVICE_ID", "CLICK_MERCHANT_ID", "CLICK_SECRET_KEY", "AMQP_URL"],
        ),
        ("projector", vec!["AMQP_URL", "MONGO_URL"]),
        ("bot", vec!["BOT_TOKEN", "DB_CHANNEL", "AMQP_URL", "MONGO_URL"]),
        ("sandbox", vec!["CLICK_SERVICE_ID", "CLICK_MERCHANT_ID", "CLICK_SECRET_KEY", "WEBHOOK_URL"]),
        ("all", vec!["API_TOKEN", "CLICK_SERVICE_ID", "CLICK_SECRET_KEY", "BOT_TOKEN", "DB_CHANNEL"]),
    ] {
        let (code, said) = run(role, &[]);
        assert_eq!(code, Some(2), "{role}: {said}");
        for name in wanted {
            assert!(said.contains(&format!("{name} is missing")), "{role} does not name {name}:\n{said}");
        }
    }
}

#[test]
fn the_sandbox_refuses_a_key_that_is_not_marked_as_its_own() {
    let settings = [
        ("BOT_TOKEN", "1000000001:sandbox-only-bot-token"),
        ("CLICK_SERVICE_ID", "1"),
        ("CLICK_MERCHANT_ID", "1"),
        ("CLICK_SECRET_KEY", "a-real-key-hunter2"),
        ("CLICK_TEST_MODE", "true"),
        ("WEBHOOK_URL", "http://127.0.0.1:1"),
        ("SANDBOX_ADDR", "127.0.0.1:0"),
    ];
    let (code, said) = run("sandbox", &settings);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("sandbox-only") && said.contains("--real-key"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn a_bad_variable_is_named_without_its_value() {
    let secrets = [
        ("AMQP_URL", "amqp://shop:hunter2@127.0.0.1:1/%2f"),
        ("MONGO_URL", "mongodb://shop:hunter2@127.0.0.1:1"),
        ("BOT_TOKEN", "1:hunter2"),
        ("DB_CHANNEL", "staff"),
        ("BOT_MESSAGES_PER_S", "many"),
    ];
    let (code, said) = run("bot", &secrets);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("DB_CHANNEL cannot be read") && said.contains("BOT_MESSAGES_PER_S cannot be read"));
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn a_variable_of_others_that_is_not_utf8_stops_nothing_and_one_of_ours_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let not_utf8 = std::ffi::OsStr::from_bytes(b"\xa3");
    let said = |name: &str| {
        let mut command = tolov("webhook", folder.path(), &BTreeMap::new());
        let output = command.env(name, not_utf8).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    let others = said("CURRENCY_SIGN");
    assert!(others.contains("API_TOKEN is missing") && !others.contains("CURRENCY_SIGN"), "{others}");
    let ours = said("API_TOKEN");
    assert!(ours.contains("API_TOKEN") && !ours.contains("API_TOKEN is missing"), "{ours}");
}

#[test]
fn quotes_and_comments_that_a_tool_left_in_a_value_are_refused_at_start() {
    let variables = [
        ("CLICK_SECRET_KEY", "\"abc123hunter2\""),
        ("API_TOKEN", "hunter2hunter2hunter2 # between bot and webhook"),
        ("CLICK_SERVICE_ID", "1"),
        ("CLICK_MERCHANT_ID", "1"),
        ("AMQP_URL", "amqp://127.0.0.1:1/%2f"),
    ];
    let (code, said) = run("webhook", &variables);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("CLICK_SECRET_KEY has quotes around its value"), "{said}");
    assert!(said.contains("API_TOKEN has a comment behind its value"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn settings_can_come_from_a_file_that_was_edited_on_windows() {
    let folder = tempfile::tempdir().unwrap();
    let settings =
        "\u{feff}API_TOKEN=\"hunter2hunter2\"\r\n# CLICK\r\nCLICK_SERVICE_ID=1\r\nCLICK_MERCHANT_ID=many\r\n";
    std::fs::write(folder.path().join("tolov.env"), settings).unwrap();
    let environment = BTreeMap::from([("CLICK_MERCHANT_ID".to_owned(), "1".to_owned())]);
    let mut command = tolov("webhook", folder.path(), &environment);
    let output = command.args(["--env-file", "tolov.env"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("CLICK_SECRET_KEY is missing") && said.contains("AMQP_URL is missing"), "{said}");
    for name in ["API_TOKEN", "CLICK_SERVICE_ID", "CLICK_MERCHANT_ID"] {
        assert!(!said.contains(name), "{name} is in the file or in the environment: {said}");
    }
}

#[test]
fn an_address_that_can_never_work_is_refused_without_its_password() {
    let (code, said) =
        run("projector", &[("AMQP_URL", "http://shop:hunter2@mq"), ("MONGO_URL", "mongodb://127.0.0.1:1")]);
    assert_eq!(code, Some(1), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}
