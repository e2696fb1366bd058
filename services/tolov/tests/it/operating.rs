//! The operator's commands beside a running shop.

use std::{os::unix::fs::PermissionsExt, time::Duration};

use serde_json::json;

use crate::{
    one_server::OneServer,
    processes::tolov,
    shop_world::{STAFF_CHANNEL, eventually},
};

fn printed(output: &std::process::Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The value of a metric's line, labels included in the name.
fn value(metrics: &str, name: &str) -> Option<String> {
    metrics.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(' ')?.to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_is_counted_in_every_service() {
    let server = OneServer::start(&[]).await;
    let metrics = server.metrics().await;
    for name in ["tolov_orders_total{state=\"paid\"}", "tolov_paid_tiyin_total"] {
        let first = value(&metrics, name);
        assert_eq!(first.as_deref(), Some("0"), "{name}: a first value above 0 is no increase\n{metrics}");
    }
    server.buy(1001).await;
    let all_there = json!({"ledger": "ok", "bus": "ok", "shop": "ok", "telegram": "ok"});
    eventually("the report says that all is there and nothing waits", Duration::from_secs(30), || async {
        let ready = server.get(format!("{}/ready", server.status_url)).await;
        let is_idle = |waiting: &&str| ready[*waiting]["oldest_age_ms"] == 0;
        (&ready["status"], &ready["dependencies"]) == (&json!("ready"), &all_there)
            && ["outbox", "events_in_hand", "notifications_in_hand"].iter().all(is_idle)
    })
    .await;
    let say = format!("{}/sandbox/telegram/shoppers/5551/text", server.sandbox_url);
    server.http.post(say).json(&json!({"text": "/orders"})).send().await.unwrap();
    eventually("the answer to /orders is counted", Duration::from_secs(30), || async {
        let answered = "tolov_updates_total{kind=\"message\",result=\"ok\"}";
        value(&server.metrics().await, answered).as_deref() == Some("1")
    })
    .await;
    let metrics = server.metrics().await;
    for (name, wanted) in [
        ("tolov_click_callbacks_total{action=\"prepare\",code=\"0\"}", "1"),
        ("tolov_click_callbacks_total{action=\"complete\",code=\"0\"}", "1"),
        ("tolov_callback_seconds_count{action=\"complete\"}", "1"),
        ("tolov_orders_total{state=\"pending\"}", "1"),
        ("tolov_orders_total{state=\"paid\"}", "1"),
        ("tolov_payments_total{state=\"prepared\"}", "1"),
        ("tolov_payments_total{state=\"paid\"}", "1"),
        ("tolov_paid_tiyin_total", "3000000"),
        ("tolov_relay_lag_seconds_count", "1"),
        ("tolov_projector_lag_seconds_count", "1"),
        ("tolov_projector_deliveries_total{verdict=\"done\"}", "1"),
        ("tolov_paid_to_notified_seconds_count", "1"),
        ("tolov_sends_total{method=\"sendMessage\",result=\"sent\"}", "2"),
        ("tolov_handler_seconds_count{kind=\"message\"}", "1"),
        ("tolov_outbox_depth", "0"),
        ("tolov_outbox_lag_seconds", "0"),
        ("tolov_payment_pending_age_seconds", "0"),
        ("tolov_send_queue_depth", "0"),
        ("tolov_queue_depth{queue=\"projector.payments\",state=\"ready\"}", "0"),
        ("tolov_dlq_depth{queue=\"bot.notifications\"}", "0"),
        ("tolov_up{dependency=\"telegram\"}", "1"),
    ] {
        assert_eq!(value(&metrics, name).as_deref(), Some(wanted), "{name} in\n{metrics}");
    }
    assert!(metrics.contains("tolov_paid_to_notified_seconds_bucket{le=\"1\"}"), "a histogram:\n{metrics}");
    let public = server.http.get(format!("{}/metrics", server.webhook_url)).send().await.unwrap();
    assert_eq!(public.status(), reqwest::StatusCode::NOT_FOUND, "not on the public port");
    assert!(server.run("healthcheck", &[]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_slow_to_be_sent_is_reported_with_its_age() {
    let server = OneServer::start(&[]).await;
    let slow = json!({"method": "sendMessage", "times": 2, "effect": "delay", "delay_ms": 10_000});
    let faults = format!("{}/sandbox/telegram/faults", server.sandbox_url);
    assert!(server.http.post(faults).json(&slow).send().await.unwrap().status().is_success());
    server.order(1001).await;
    server.pay(1001).await;
    let in_hand = async || {
        let ready = server.get(format!("{}/ready", server.status_url)).await;
        let in_hand = &ready["notifications_in_hand"];
        (in_hand["depth"].as_i64().unwrap(), in_hand["oldest_age_ms"].as_i64().unwrap())
    };
    let limit = Duration::from_secs(30);
    eventually("both messages are reported with a growing age", limit, || async {
        let (depth, oldest_age_ms) = in_hand().await;
        depth == 2 && oldest_age_ms > 1_000
    })
    .await;
    assert_eq!(value(&server.metrics().await, "tolov_send_queue_depth").as_deref(), Some("2"));
    eventually("they are not reported after they were sent", limit, || async { in_hand().await == (0, 0) })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_healthcheck_of_a_stopped_service_fails() {
    let mut server = OneServer::start(&[]).await;
    assert!(server.all.stop().success());
    assert_eq!(server.run("healthcheck", &[]).status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_running_shop_restores_it() {
    let mut server = OneServer::start(&[]).await;
    server.buy(1001).await;
    server.order(1002).await;
    let made = server.run("backup", &["shop.tar"]);
    assert!(made.status.success(), "{}", printed(&made));
    assert!(printed(&made).contains("2 orders, 1 of them paid with 30\u{a0}000 so'm"), "{}", printed(&made));
    let file = server.file("shop.tar");
    let ledger = std::fs::metadata(server.file("payments.db")).unwrap();
    assert_eq!(ledger.permissions().mode() & 0o777, 0o600, "for its owner alone");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let again = server.run("backup", &["shop.tar"]);
    assert!(!again.status.success() && printed(&again).contains("never replaces"), "{}", printed(&again));

    let refused = server.run("restore", &["shop.tar"]);
    assert!(
        !refused.status.success() && printed(&refused).contains("another process"),
        "{}",
        printed(&refused)
    );
    let lost = server.pay(1002).await;
    assert!(server.all.stop().success());
    for name in ["payments.db", "payments.db-wal", "tolov-data/bus.db", "tolov-data/shop.db"] {
        // The disk is lost.
        std::fs::remove_file(server.file(name)).ok();
    }
    let restored = server.run("restore", &["shop.tar"]);
    assert!(restored.status.success(), "{}", printed(&restored));
    server.all.spawn();
    server.until_ready().await;
    let webhook = async |path: &str| -> serde_json::Value {
        let request = server.http.get(format!("{}/{path}", server.webhook_url));
        request.bearer_auth(crate::one_server::SECRETS[1].1).send().await.unwrap().json().await.unwrap()
    };
    assert_eq!(webhook("orders/1001").await["status"], "paid");
    // No store knows the payment of 1002, and no attempt: CLICK does.
    eventually("CLICK was asked for what is lost", Duration::from_mins(1), || async {
        webhook("restore").await["backup_made_at"].is_null()
    })
    .await;
    assert_eq!(webhook("orders/1002").await["status"], "expired", "nobody pays it a second time");
    let staff = format!("{}/sandbox/telegram/chats/{STAFF_CHANNEL}/messages", server.sandbox_url);
    eventually("staff hear of its payment", Duration::from_mins(1), || async {
        server.get(staff.clone()).await.to_string().contains(&lost["click_paydoc_id"].to_string())
    })
    .await;
    let paid_again = server.buy(1003).await;
    let number = |payment: &serde_json::Value| {
        let text = payment.to_string();
        let rest = text.split("\"merchant_prepare_id\":").nth(1).unwrap().to_owned();
        rest.split(|letter: char| !letter.is_ascii_digit()).next().unwrap().parse::<i64>().unwrap()
    };
    assert!(number(&paid_again) > number(&lost) + 1_000, "{paid_again} after {lost}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_restore_replaces_is_kept() {
    let mut server = OneServer::start(&[]).await;
    server.buy(1001).await;
    assert!(server.run("backup", &["shop.tar"]).status.success());
    assert!(server.all.stop().success());
    assert!(server.run("restore", &["shop.tar"]).status.success());
    let names: Vec<String> = std::fs::read_dir(server.folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(names.iter().any(|name| name.starts_with("payments.db.replaced-")), "{names:?}");
    for left in [".restoring", ".restored", ".tolov-restore", ".tolov-backup"] {
        assert!(!names.iter().any(|name| name.contains(left)), "{names:?}");
    }
    // What a restore leaves that was killed between its renames.
    std::fs::write(server.file("payments.db.restoring"), "").unwrap();
    std::fs::remove_file(server.file("payments.db")).unwrap();
    let refused = server.run("all", &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(printed(&refused).contains("run `tolov restore` again"), "{}", printed(&refused));
    assert_eq!(server.run("doctor", &[]).status.code(), Some(1));
    let again = server.run("restore", &["shop.tar"]);
    assert!(again.status.success(), "{}", printed(&again));
    let whole = std::fs::read(server.file("shop.tar")).unwrap();
    std::fs::write(server.file("torn.tar"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(server.file("text.tar"), "no backup").unwrap();
    for wrong in ["torn.tar", "text.tar", "nowhere.tar"] {
        let refused = server.run("restore", &[wrong]);
        assert_eq!(refused.status.code(), Some(1), "{wrong}: {}", printed(&refused));
    }
    server.all.spawn();
    server.until_ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_reports_no_errors_of_a_good_shop_and_each_problem_in_three_languages() {
    let mut server = OneServer::start(&[]).await;
    server.buy(1001).await;
    let good = server.run("doctor", &["--language", "en"]);
    let told = printed(&good);
    assert_eq!(good.status.code(), Some(0), "{told}");
    for wanted in [
        "the token is that of @",
        "the bot may post in",
        "refuses forged calls and knows CLICK’s key",
        "1 orders, 1 paid",
        "takes our API_TOKEN",
        "No backup was made yet",
        "Inline mode is on",
        "ADMIN_IDS is empty",
        "The clock is right",
        "is ready",
        "Queue bot.notifications",
    ] {
        assert!(told.contains(wanted), "{wanted} is missing in\n{told}");
    }
    for (_, secret) in crate::one_server::SECRETS {
        assert!(!told.contains(secret), "{told}");
    }
    server.environment.insert("CLICK_SECRET_KEY".to_owned(), "another-key-88".to_owned());
    server.environment.insert("API_TOKEN".to_owned(), "another-token-of-the-bot".to_owned());
    server.environment.insert("DB_CHANNEL".to_owned(), "-1009999999999".to_owned());
    server.environment.remove("CLICK_MERCHANT_ID");
    server.environment.insert("WEBHOOK_ADDR".to_owned(), "everywhere".to_owned());
    for (language, words) in [
        (
            "en",
            [
                "CLICK_MERCHANT_ID is missing",
                "WEBHOOK_ADDR cannot be read",
                "refuses our API_TOKEN",
                "Staff channel -1009999999999",
            ],
        ),
        (
            "ru",
            [
                "Нет CLICK_MERCHANT_ID",
                "WEBHOOK_ADDR не читается",
                "не принимает наш API_TOKEN",
                "Канал сотрудников -1009999999999",
            ],
        ),
        (
            "uz",
            [
                "CLICK_MERCHANT_ID yo‘q",
                "WEBHOOK_ADDR qiymatini o‘qib bo‘lmadi",
                "API_TOKEN ni qabul qilmaydi",
                "Xodimlar kanali -1009999999999",
            ],
        ),
    ] {
        let bad = server.run("doctor", &["--language", language]);
        let told = printed(&bad);
        assert_eq!(bad.status.code(), Some(1), "{told}");
        for word in words {
            assert!(told.contains(word), "{word} is missing in\n{told}");
        }
    }
    server.environment.insert("CLICK_MERCHANT_ID".to_owned(), "6789".to_owned());
    server.environment.insert("LANG".to_owned(), "ru_RU.UTF-8".to_owned());
    let told = printed(&server.run("doctor", &[]));
    assert!(told.contains("другой CLICK_SECRET_KEY"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_checks_owners_delivery_and_pickup() {
    let mut server = OneServer::start(&[]).await;
    for (name, value) in
        [("ADMIN_IDS", "5551, Sardor"), ("DELIVERY_PRICE", "20000"), ("PICKUP_ADDRESS", "Navoiy ko'chasi 1")]
    {
        server.environment.insert(name.to_owned(), value.to_owned());
    }
    let bad = server.run("doctor", &["--language", "en"]);
    let told = printed(&bad);
    assert_eq!(bad.status.code(), Some(1), "{told}");
    for wanted in [
        "\"Sardor\" is not a Telegram id",
        "Owner 5551: ",
        "A delivery costs 20\u{a0}000\u{a0}UZS",
        "can be picked up: Navoiy ko'chasi 1",
    ] {
        assert!(told.contains(wanted), "{wanted} is missing in\n{told}");
    }
    server.environment.insert("PICKUP_ADDRESS".to_owned(), "\"Navoiy 1\"".to_owned());
    let told = printed(&server.run("doctor", &["--language", "en"]));
    assert!(told.contains("PICKUP_ADDRESS has quotes around its value"), "{told}");
    // A bot that cannot reach the webhook service cannot register orders.
    server.environment.insert("WEBHOOK_URL".to_owned(), "http://127.0.0.1:9".to_owned());
    server.environment.insert("AMQP_URL".to_owned(), "amqp://127.0.0.1:9/%2f".to_owned());
    server
        .environment
        .insert("MONGO_URL".to_owned(), "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=300".to_owned());
    let told = printed(&server.run("doctor", &["--language", "en", "--role", "bot"]));
    assert!(told.contains("✗ The webhook service at http://127.0.0.1:9/ does not answer"), "{told}");
    // They ask nobody who would tell the time.
    for role in ["projector", "reconciler"] {
        let told = printed(&server.run("doctor", &["--language", "en", "--role", role]));
        assert!(!told.contains("Nobody could be asked for the time"), "{role}: {told}");
    }
}

#[test]
fn a_service_with_a_local_default_beside_a_real_token_refuses_to_start() {
    let folder = tempfile::tempdir().unwrap();
    let environment = [
        ("BOT_TOKEN", "7000000001:AAErealrealrealrealrealrealrealreal"),
        ("DB_CHANNEL", "-1001"),
        ("API_TOKEN", "sandbox-only-api-token"),
        ("CLICK_SECRET_KEY", "sandbox-only-click-key"),
        ("CLICK_SERVICE_ID", "1"),
        ("CLICK_MERCHANT_ID", "1"),
        ("AMQP_URL", "amqp://tolov:sandbox-only-password@127.0.0.1:1/%2f"),
        ("MONGO_URL", "mongodb://tolov:sandbox-only-password@127.0.0.1:1/tolov"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    for (role, held) in [
        ("webhook", &["API_TOKEN", "CLICK_SECRET_KEY", "AMQP_URL"][..]),
        ("projector", &["AMQP_URL", "MONGO_URL"]),
        ("bot", &["AMQP_URL", "MONGO_URL"]),
        ("all", &["API_TOKEN", "CLICK_SECRET_KEY", "AMQP_URL", "MONGO_URL"]),
    ] {
        let refused = tolov(role, folder.path(), &environment).output().unwrap();
        let told = printed(&refused);
        assert_eq!(refused.status.code(), Some(2), "{role}: {told}");
        for name in held {
            assert!(
                told.contains(&format!("{name} is a local default")),
                "{role} does not name {name}: {told}"
            );
        }
        assert!(!told.contains("sandbox-only-"), "{told}");
    }
}
