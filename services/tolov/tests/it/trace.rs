//! `tolov trace`, and the audit, beside a running shop.

use std::time::Duration;

use serde_json::Value;
use tolov_domain::ports::documents::{Documents, Key};
use tolov_embedded::EmbeddedShop;
use tolov_shop::order::ORDERS;

use crate::{
    books::Books,
    one_server::{OneServer, SECRETS, callback_body},
    shop_world::eventually,
};

fn text(output: &std::process::Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_of_an_order_is_told_in_the_order_of_time() {
    let server = OneServer::start(&[]).await;
    server.buy(1001).await;
    server.buy(10017).await;
    server.run("replay", &["--order", "1001"]);
    let traced: Value = serde_json::from_slice(&server.run("trace", &["1001", "--json"]).stdout).unwrap();
    let entries = traced["entries"].as_array().unwrap();
    let told: Vec<(&str, &str)> = entries
        .iter()
        .map(|entry| (entry["source"].as_str().unwrap(), entry["what"].as_str().unwrap()))
        .collect();
    for wanted in [
        ("ledger", "registered"),
        ("ledger", "callback"),
        ("ledger", "prepared"),
        ("ledger", "attempt-paid"),
        ("ledger", "ended"),
        ("outbox", "event"),
        ("shop", "placed"),
        ("shop", "history"),
        ("shop", "stands"),
        ("bot", "told"),
        ("bot", "message"),
        ("operators", "operator"),
    ] {
        assert!(told.contains(&wanted), "{wanted:?} is not in {traced:#}");
    }
    assert_eq!(told.iter().filter(|it| **it == ("ledger", "callback")).count(), 2, "Prepare and Complete");
    assert_eq!(told.iter().filter(|it| **it == ("bot", "told")).count(), 2, "shopper and staff");
    for sent in ["told", "message"] {
        let mut sent_at = entries.iter().filter(|entry| entry["what"] == sent).map(|entry| &entry["at_ms"]);
        assert!(sent_at.all(Value::is_i64), "when they were {sent}: {traced:#}");
    }
    let times: Vec<i64> = entries.iter().filter_map(|entry| entry["at_ms"].as_i64()).collect();
    assert!(times.is_sorted() && times.len() > 8, "{times:?}");
    assert!(!traced.to_string().contains("10017"), "nothing of another order: {traced:#}");
    for (language, words) in [("en", "was answered"), ("ru", "отвечено"), ("uz", "uchun javob")] {
        let told = text(&server.run("trace", &["1001", "--language", language]));
        assert!(told.contains(words) && told.contains("30\u{a0}000"), "{told}");
    }
    let nothing = text(&server.run("trace", &["77", "--language", "en"]));
    assert!(nothing.contains("Nobody knows this order number"), "{nothing}");
    assert!(!server.run("trace", &["first"]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_without_an_order_are_listed_newest_first_page_by_page() {
    let server = OneServer::start(&[]).await;
    let none = text(&server.run("trace", &["--unplaced", "--language", "en"]));
    assert!(none.contains("No payment without an order"), "{none}");
    // As many as two pages have, and one more.
    for number in 1..=201 {
        let body = callback_body(
            SECRETS[2].1,
            &format!("table-{number}"),
            &format!("{}", 900_000 + number),
            Some("77"),
        );
        assert_eq!(server.callback(body).await["error"], -5);
    }
    let mut before = Vec::new();
    let mut named = Vec::new();
    loop {
        let arguments = [vec!["--unplaced".to_owned(), "--json".to_owned()], before].concat();
        let page = server.run("trace", &arguments.iter().map(String::as_str).collect::<Vec<_>>());
        let page: Value = serde_json::from_slice(&page.stdout).unwrap();
        for entry in page["entries"].as_array().unwrap() {
            assert_eq!(entry["what"], "unplaced");
            let fields: Value = serde_json::from_str(entry["facts"]["fields"].as_str().unwrap()).unwrap();
            named.push(fields["merchant_trans_id"].as_str().unwrap().to_owned());
        }
        let Some(next) = page["next"].as_str() else { break };
        before = vec!["--before".to_owned(), next.to_owned()];
    }
    let expected: Vec<_> = (1..=201).rev().map(|number| format!("table-{number}")).collect();
    assert_eq!(named, expected);
    let told = text(&server.run("trace", &["--unplaced", "--language", "en"]));
    assert!(told.contains("900201") && told.contains("tolov trace --unplaced --before "), "{told}");
    let payment = serde_json::json!({"payload": "table-202", "user_id": 5_551, "amount_tiyin": 3_000_000,
        "currency": "UZS", "telegram_charge_id": "tg-202", "provider_charge_id": "902202"});
    let told =
        server.http.post(format!("{}/telegram-payments", server.webhook_url)).bearer_auth(SECRETS[1].1);
    assert!(told.json(&payment).send().await.unwrap().status().is_success());
    let page: Value = serde_json::from_slice(&server.run("trace", &["--unplaced", "--json"]).stdout).unwrap();
    assert_eq!(page["entries"][0]["what"], "unplaced-in-telegram", "{page}");
    assert_eq!(page["entries"][0]["facts"]["charge"], "tg-202", "{page}");
    for (language, words) in
        [("en", "belongs to no order"), ("ru", "ни к какому заказу"), ("uz", "hech qaysi buyurtma")]
    {
        let told = text(&server.run("trace", &["--unplaced", "--language", language]));
        assert!(told.contains(words) && told.contains("902202"), "{told}");
    }
    let advice = text(&server.run("trace", &["table-7"]));
    assert!(advice.contains("tolov trace --unplaced"), "{advice}");
    let replayed = server.run("replay", &["--since", "1h"]);
    let told = text(&replayed);
    assert!(
        replayed.status.success() && told.contains("and 202 that belong to no order"),
        "beside the service: {told}"
    );
}

#[tokio::test]
async fn a_store_that_is_away_is_named_and_the_others_are_asked_all_the_same() {
    let books = Books::open().await;
    books.bought(1001).await;
    let environment = [
        ("AMQP_URL".to_owned(), "amqp://127.0.0.1:9/%2f".to_owned()),
        ("MONGO_URL".to_owned(), "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=300".to_owned()),
    ];
    let mut trace = crate::processes::tolov("trace", books.folder(), &environment.into_iter().collect());
    let output = trace.args(["1001", "--language", "en"]).output().unwrap();
    let told = text(&output);
    assert!(output.status.success() && told.contains("Registered for shopper 5001001"), "{told}");
    for source in ["bus                Could not be asked", "shop               Could not be asked"] {
        assert!(told.contains(source), "{source} in {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_shop_is_audited_and_repaired_without_being_stopped() {
    let server = OneServer::start(&[]).await;
    server.buy(1001).await;
    server.buy(1002).await;
    let audit = |more: &[&str]| server.run("audit", &[&["--settle-for", "1"], more].concat());
    let found = audit(&[]);
    assert_eq!(found.status.code(), Some(0), "{}", text(&found));
    let store = EmbeddedShop::open(&server.folder().join("tolov-data")).await.unwrap();
    let order = store.get(ORDERS, &Key::Number(1002)).await.unwrap().unwrap();
    assert!(store.remove(ORDERS, &order.key, order.version).await.unwrap());
    let found = audit(&["--repair"]);
    assert_eq!(found.status.code(), Some(1), "{}", text(&found));
    assert!(
        text(&found)
            .contains("order 1002 is paid in the ledger and unknown to the shop store\n    → repaired")
    );
    eventually("nothing differs any more", Duration::from_secs(30), || async {
        audit(&[]).status.code() == Some(0)
    })
    .await;
    eventually("the metrics say so", Duration::from_secs(30), || async {
        let metrics = server.metrics().await;
        metrics.contains("tolov_audit_differences 0") && !metrics.contains("tolov_audit_age_seconds inf")
    })
    .await;
    store.close().await.unwrap();
}
