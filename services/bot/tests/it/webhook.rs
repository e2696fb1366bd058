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
    let addr = free_addr();
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

/// Another bot behind the same public address.
async fn start_beside(world: &mut World, first: &Poster) -> (Running, Poster) {
    let addr = free_addr();
    let Updates::Webhook(webhook) = &mut world.config.updates else {
        unreachable!("the first bot has a webhook")
    };
    webhook.addr = addr;
    let bot = world.run_bot();
    let listens = async {
        while tokio::net::TcpStream::connect(addr).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), listens).await.unwrap();
    (bot, Poster { http: first.http.clone(), url: format!("http://{addr}/telegram/webhook") })
}

fn free_addr() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn message(id: i64, person: i64) -> Value {
    written(id, person, "/menu")
}

fn written(id: i64, person: i64, text: &str) -> Value {
    json!({
        "update_id": id,
        "message": {
            "message_id": id, "date": 1_763_881_506, "text": text,
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

/// As behind a load balancer, which gives each call to any of them, and a repetition to another.
#[tokio::test]
async fn two_bots_that_take_posted_updates_answer_each_once_and_each_person_in_order() {
    const PEOPLE: i64 = 6;
    const TEXTS: i64 = 8;
    let mut world = World::new().await;
    let (first, one) = start(&mut world).await;
    let (second, other) = start_beside(&mut world, &one).await;
    for text in 0..TEXTS {
        for person in 1..=PEOPLE {
            let update = written(100 * text + person, person, &format!("topilmas {text}"));
            let (taken_by, repeated_to) =
                if (text + person) % 2 == 0 { (&one, &other) } else { (&other, &one) };
            assert_eq!(taken_by.update(&update).await, 200);
            assert_eq!(repeated_to.update(&update).await, 200);
        }
    }
    until_done(&world, u64::try_from(PEOPLE * TEXTS).unwrap()).await;
    for bot in [first, second] {
        bot.stop().await;
    }
    for person in 1..=PEOPLE {
        let answers = world.telegram.arrived(&person.to_string()).into_iter();
        let queries =
            answers.filter_map(|answer| Some(answer.text.split_once('«')?.1.split_once('»')?.0.to_owned()));
        let expected: Vec<_> = (0..TEXTS).map(|text| format!("topilmas {text}")).collect();
        assert_eq!(queries.collect::<Vec<_>>(), expected, "person {person}");
    }
}
