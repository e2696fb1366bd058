//! Updates that Telegram posts.

use std::{net::SocketAddr, sync::atomic::Ordering, time::Duration};

use serde_json::{Value, json};
use tolov_bot::{Updates, UpdatesWebhook};
use tolov_kit::{http::TrustedProxies, secret::Secret};

use crate::{
    updates::until_done,
    world::{Running, World},
};

const SECRET: &str = "secret-of-the-webhook-0";
const SECRET_HEADER: &str = "X-Telegram-Bot-Api-Secret-Token";

/// Telegram, as far as it posts.
struct Poster {
    http: reqwest::Client,
    url: String,
}

impl Poster {
    async fn post(&self, secret: &str, body: String) -> u16 {
        let request = self.http.post(&self.url).header(SECRET_HEADER, secret).body(body);
        request.send().await.unwrap().status().as_u16()
    }

    async fn update(&self, update: &Value) -> u16 {
        self.post(SECRET, update.to_string()).await
    }
}

/// What the bot has told Telegram of its webhook.
fn told(world: &World) -> Vec<Value> {
    let calls = world.telegram.calls().into_iter();
    calls.filter(|(method, _)| method == "setwebhook").map(|(_, body)| body).collect()
}

/// A bot with a webhook, once it is set.
async fn start(world: &mut World) -> (Running, Poster) {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr: SocketAddr = free.local_addr().unwrap();
    drop(free);
    let url = format!("http://{addr}/telegram/webhook");
    world.config.updates = Updates::Webhook(UpdatesWebhook {
        url: url.parse().unwrap(),
        addr,
        secret: Secret::new(SECRET),
        trusted_proxies: TrustedProxies::default(),
    });
    let bot = world.run_bot();
    let set = async {
        while told(world).is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), set).await.unwrap();
    assert_eq!(told(world)[0]["url"], url.as_str());
    (bot, Poster { http: reqwest::Client::builder().no_proxy().build().unwrap(), url })
}

fn message(id: i64, person: i64) -> Value {
    json!({
        "update_id": id,
        "message": {
            "message_id": id, "date": 1_763_881_506, "text": "/menu",
            "from": {"id": person, "is_bot": false, "first_name": "A", "language_code": "uz"},
            "chat": {"id": person, "type": "private", "first_name": "A"},
        },
    })
}

#[tokio::test]
async fn an_update_that_is_posted_is_stored_before_200_and_answered_once() {
    let mut world = World::new().await;
    let (bot, telegram) = start(&mut world).await;
    let told = told(&world);
    // A form: every value is a text.
    assert_eq!((&told[0]["secret_token"], &told[0]["max_connections"]), (&json!(SECRET), &json!("40")));
    let allowed = told[0]["allowed_updates"].to_string();
    assert!(allowed.contains("pre_checkout_query") && allowed.contains("callback_query"), "{allowed}");

    world.shop.documents_away.store(true, Ordering::SeqCst);
    assert_eq!(telegram.update(&message(7, 1)).await, 503, "it is posted again");
    world.shop.documents_away.store(false, Ordering::SeqCst);
    for _ in 0..3 {
        assert_eq!(telegram.update(&message(7, 1)).await, 200);
    }
    until_done(&world, 1).await;
    let answered = world.telegram.arrived("1").len();
    assert!(answered > 0);
    assert_eq!(telegram.update(&message(8, 2)).await, 200);
    until_done(&world, 2).await;
    assert_eq!((world.telegram.arrived("1").len(), world.telegram.arrived("2").len()), (answered, answered));
    bot.stop().await;
}

#[tokio::test]
async fn what_is_not_telegrams_is_refused_and_stored_nowhere() {
    let mut world = World::new().await;
    let (bot, telegram) = start(&mut world).await;
    let good = message(7, 1).to_string();
    for (secret, body, status) in [
        ("", good.clone(), 401),
        ("secret-of-the-webhook-1", good.clone(), 401),
        (SECRET, "{".to_owned(), 400),
        (SECRET, json!({"message": {}}).to_string(), 400),
        (SECRET, format!("{good}{}", " ".repeat(1024 * 1024)), 413),
    ] {
        assert_eq!(telegram.post(secret, body).await, status);
    }
    let elsewhere = Poster { url: telegram.url.replace("/webhook", "/other"), ..telegram };
    assert_eq!(elsewhere.update(&message(7, 1)).await, 404);
    until_done(&world, 0).await;
    assert!(world.telegram.arrived("1").is_empty());
    bot.stop().await;
}
