//! `tolov init`: a person answers, and a shop has its settings.

use std::{
    collections::BTreeMap,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Output, Stdio},
};

use crate::{
    one_server::{OneServer, SECRETS},
    processes::tolov,
    shop_world::STAFF_CHANNEL,
};

/// Runs `tolov init` in a folder with these lines as answers.
fn init(
    folder: &Path,
    environment: &BTreeMap<String, String>,
    arguments: &[&str],
    answers: &[&str],
) -> Output {
    let mut child = tolov("init", folder, environment)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = format!("{}\n", answers.join("\n"));
    // It may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(lines.as_bytes());
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_checked_as_they_come_and_end_in_a_file_that_only_its_owner_reads() {
    let server = OneServer::start(&[]).await;
    let folder = tempfile::tempdir().unwrap();
    let environment: BTreeMap<String, String> =
        [("BOT_API_URL".to_owned(), server.sandbox_url.clone()), ("LANG".to_owned(), "en".to_owned())].into();
    let (token, channel) = (SECRETS[0].1, STAFF_CHANNEL.to_string());
    let answers = [
        "7:another",
        token,
        "@nobody",
        &channel,
        "German",
        "ru",
        "Ali",
        "",
        "12345",
        "sixty",
        "6789",
        "",
        "short",
        "Ab3kd93kd0",
        "",
        "nine",
        "9000",
        "",
    ];
    let output = init(folder.path(), &environment, &["--stdin"], &answers);
    let told = said(&output);
    assert!(output.status.success(), "{told}");
    for wanted in [
        "Enter alone leaves a setting open",
        "✓ ",
        "✗ ADMIN_IDS \"Ali\" is not a Telegram id",
        "✗ CLICK_MERCHANT_ID is not a whole number",
        "✗ CLICK_SECRET_KEY does not look like a key",
        "✗ DELIVERY_PRICE cannot be read: write the amount as digits",
        "tolov.env is written",
        "start the shop: tolov --env-file tolov.env all",
    ] {
        assert!(told.contains(wanted), "{wanted:?} is missing in:\n{told}");
    }
    let asked = told.split("tolov.env is written").next().unwrap_or_default();
    for stand_in in ["ADMIN_IDS is empty", "Staff channel 0", "invalid digit"] {
        assert!(!asked.contains(stand_in), "{stand_in:?} is said of no answer:\n{told}");
    }
    let path = folder.path().join("tolov.env");
    let file = std::fs::read_to_string(&path).unwrap();
    for (name, value) in [
        ("BOT_TOKEN", token),
        ("DB_CHANNEL", &channel),
        ("STAFF_LANGUAGE", "ru"),
        ("CLICK_SERVICE_ID", "12345"),
        ("CLICK_MERCHANT_ID", "6789"),
        ("CLICK_SECRET_KEY", "Ab3kd93kd0"),
        ("DELIVERY_PRICE", "9000"),
        ("AMQP_URL", ""),
    ] {
        assert!(file.lines().any(|line| line == format!("{name}={value}")), "{name} in:\n{file}");
    }
    let api_token = file.lines().find_map(|line| line.strip_prefix("API_TOKEN=")).unwrap();
    assert_eq!((api_token.len(), told.contains(api_token)), (48, false), "it is made up and not shown");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let again = init(folder.path(), &environment, &["--stdin"], &answers);
    assert!(!again.status.success() && said(&again).contains("not replaced"), "{}", said(&again));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), file);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_address_is_tried_while_one_types_in_uzbek_russian_and_english() {
    let server = OneServer::start(&[]).await;
    let (token, channel, key) = (SECRETS[0].1, STAFF_CHANNEL.to_string(), SECRETS[2].1);
    let (sandbox, webhook) = (server.sandbox_url.as_str(), server.webhook_url.as_str());
    let answers = [token, &channel, "", "", "12345", "6789", "", key, sandbox, webhook, "", ""];
    for (locale, not_ours, good, written) in [
        ("uz_UZ.UTF-8", "soxta chaqiruvga", "kabinetga Prepare va Complete", "tolov.env yozildi"),
        ("ru_RU.UTF-8", "отвечает на подделку кодом", "укажите его в кабинете", "Файл tolov.env записан"),
        ("en_GB.UTF-8", "answers a forged call with", "enter it in the cabinet", "tolov.env is written"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let environment = [("BOT_API_URL", sandbox), ("LANG", locale)];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let output = init(folder.path(), &environment, &["--stdin"], &answers);
        let told = said(&output);
        assert!(output.status.success(), "{told}");
        let asked = told.split(written).next().unwrap_or_default();
        assert!(asked.len() < told.len(), "{written:?} is missing in:\n{told}");
        let marks =
            [format!("✗ {sandbox}/payments/click/webhook"), format!("✓ {webhook}/payments/click/webhook")];
        for wanted in [not_ours, good, &marks[0], &marks[1]] {
            assert!(asked.contains(wanted), "{wanted:?} is missing in:\n{told}");
        }
        let file = std::fs::read_to_string(folder.path().join("tolov.env")).unwrap();
        assert!(file.lines().any(|line| line == format!("PUBLIC_URL={webhook}")), "{file}");
    }
}

#[test]
fn without_a_terminal_the_settings_come_from_arguments_and_nothing_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let environment = BTreeMap::from([("BOT_API_URL".to_owned(), "http://127.0.0.1:9".to_owned())]);
    let set = [
        "--set",
        "CLICK_SERVICE_ID=12345",
        "--set",
        "PICKUP_ADDRESS=Chilonzor 5",
        "--set",
        "DOMAIN=pay.example.uz",
        ".env",
    ];
    let output = init(folder.path(), &environment, &set, &[]);
    let told = said(&output);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("docker compose --profile https up -d"), "{told}");
    // Nothing was started yet, and compose gives each service its addresses.
    for away in ["✗ The webhook service", "✗ The bus", "✗ The shop store", "localhost"] {
        assert!(!told.contains(away), "{told}");
    }
    let file = std::fs::read_to_string(folder.path().join(".env")).unwrap();
    assert!(
        file.contains("\nPICKUP_ADDRESS=Chilonzor 5\n") && !file.contains("RABBITMQ_ADMIN_PASSWORD=\n"),
        "{file}"
    );
    assert!(file.contains("\nDOMAIN=pay.example.uz\n"), "{file}");
    let unknown = init(folder.path(), &environment, &["--set", "BOT_TOKN=7:a", "other.env"], &[]);
    assert!(!unknown.status.success() && said(&unknown).contains("no such setting"), "{}", said(&unknown));
}
