//! The logs of whole runs: no secret in them, and the order's number in every line about an order.

use serde_json::Value;
use tolov_click::{SecretKey, sign::SignedFields};

use crate::one_server::{OneServer, SECRETS};

const CARD: &str = "8600495473316478";

/// What must be in no log: the secrets of the settings, every signature that was made, and the card.
async fn secrets(server: &OneServer) -> Vec<String> {
    let mut secrets: Vec<String> = SECRETS.iter().map(|(_, secret)| (*secret).to_owned()).collect();
    // The part after the colon is enough to use the bot.
    secrets.push(SECRETS[0].1.split_once(':').unwrap().1.to_owned());
    secrets.push(CARD.to_owned());
    secrets.push("8600 4954 7331 6478".to_owned());
    secrets.push("f00dfacef00dfacef00dfacef00dface".to_owned());
    let calls = server.get(format!("{}/sandbox/click/payments", server.sandbox_url)).await;
    let signatures = signatures(&calls);
    assert_eq!(signatures.len(), 2, "of Prepare and Complete: {calls}");
    secrets.extend(signatures);
    secrets
}

/// The signatures of CLICK's calls, computed again: the sandbox does not record them.
fn signatures(calls: &Value) -> Vec<String> {
    let payments = calls.as_array().or_else(|| calls["payments"].as_array()).unwrap();
    let exchanges = payments.iter().flat_map(|payment| payment["exchanges"].as_array().unwrap());
    let key = SecretKey::new(SECRETS[2].1);
    exchanges
        .map(|exchange| {
            let fields = exchange["fields"].as_array().unwrap();
            let field = |name: &str| {
                let pair = fields.iter().find(|pair| pair[0] == name);
                pair.and_then(|pair| pair[1].as_str())
            };
            key.sign(&SignedFields {
                click_trans_id: field("click_trans_id").unwrap(),
                service_id: field("service_id").unwrap(),
                merchant_trans_id: field("merchant_trans_id").unwrap(),
                merchant_prepare_id: field("merchant_prepare_id"),
                amount: field("amount").unwrap(),
                action: field("action").unwrap(),
                sign_time: field("sign_time").unwrap(),
            })
        })
        .collect()
}

/// A purchase, a forged callback with a card number in it, a wrong token, a malformed body.
async fn use_the_shop(server: &OneServer) {
    server.buy(1001).await;
    let forged = format!(
        "click_trans_id=1&service_id=12345&click_paydoc_id=1&merchant_trans_id={CARD}&amount=30000&action=0&error=0\
         &error_note={CARD}&sign_time=2026-11-23+10:00:00&sign_string=f00dfacef00dfacef00dfacef00dface"
    );
    let callback = format!("{}/payments/click/webhook", server.webhook_url);
    server.http.post(&callback).body(forged).send().await.unwrap();
    let wrong_token =
        server.http.get(format!("{}/orders", server.webhook_url)).bearer_auth("planted-wrong-token");
    assert_eq!(wrong_token.send().await.unwrap().status(), 401);
    let bad_order =
        server.http.post(format!("{}/api/create_order", server.webhook_url)).bearer_auth(SECRETS[1].1);
    bad_order.body(format!("{{\"order_id\": \"{CARD}\"}}")).send().await.unwrap();
}

async fn log_of_a_run(format: &str, filter: &str) -> String {
    let mut server = OneServer::start(&[("LOG_FORMAT", format), ("RUST_LOG", filter)]).await;
    use_the_shop(&server).await;
    let secrets = secrets(&server).await;
    assert!(server.all.stop().success());
    let log = std::fs::read_to_string(server.all.log_path()).unwrap();
    assert!(
        log.contains("callback answered") && log.contains("shopper told"),
        "the log is of a whole run:\n{log}"
    );
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(&secret));
        assert_eq!(line, None, "a secret in the log ({format}, {filter})");
    }
    log
}

#[tokio::test(flavor = "multi_thread")]
async fn the_text_log_contains_no_secret_at_any_level() {
    for filter in ["info", "trace"] {
        log_of_a_run("text", filter).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_json_log_contains_no_secret_and_names_the_order_in_every_line_about_one() {
    let log =
        log_of_a_run("json", "info,tolov=debug,tolov_webhook=debug,tolov_bot=debug,tolov_projector=debug")
            .await;
    let mut with_order = 0;
    for line in log.lines() {
        let entry: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let concerns = |field: &str| entry[field].as_str().is_some_and(|id| id.contains("1001"));
        let is_of_the_order = entry["order.id"].to_string().trim_matches('"').contains("1001")
            || entry["order.ids"].to_string().contains("1001");
        let names_it = ["event.id", "notification.id", "message"].into_iter().any(concerns);
        assert!(!names_it || is_of_the_order, "a line without its order: {line}");
        with_order += u32::from(is_of_the_order);
    }
    assert!(
        log.lines().any(|line| line.contains("posted to staff") && line.contains("\"order.ids\":\"1001\"")),
        "{log}"
    );
    assert!(with_order >= 6, "registered, prepared, completed, paid, told, posted: {with_order} lines");
}
