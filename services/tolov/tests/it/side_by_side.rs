//! Two bots and two projectors on one broker and one store, by polling and by webhook.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    journey::{SENDS_AT_ONCE, make_purchases, told},
    processes::{Role, free_port},
    shop_world::{ShopWorld, eventually},
};

const TAKEOVER_MAX: Duration = Duration::from_secs(15);
const WRITERS: std::ops::RangeInclusive<i64> = 6_000_001..=6_000_006;
const TEXTS: usize = 8;

/// A second process of a role, with its log in a folder of its own.
fn beside(world: &ShopWorld, name: &'static str, more: &[(&str, String)]) -> Role {
    let folder = world.folder().join("second");
    std::fs::create_dir_all(&folder).unwrap();
    let mut environment: BTreeMap<String, String> = world.environment.clone();
    environment.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    Role::start(name, &folder, &environment)
}

/// A person writes to the bot.
async fn write(world: &ShopWorld, person: i64, text: &str) {
    let url = format!("{}/sandbox/telegram/shoppers/{person}/text", world.sandbox_url);
    let written = world.http.post(url).json(&json!({"text": text})).send().await.unwrap();
    assert!(written.status().is_success(), "{written:?}");
}

async fn introduce(world: &ShopWorld, person: i64) {
    let url = format!("{}/sandbox/telegram/shoppers", world.sandbox_url);
    let body = json!({"id": person, "first_name": "Ali", "language_code": "uz"});
    let made = world.http.post(url).json(&body).send().await.unwrap();
    assert!(made.status().is_success(), "{made:?}");
}

/// The searches that were answered in this chat, in order.
async fn answered(world: &ShopWorld, person: i64) -> Vec<String> {
    let url = format!("{}/sandbox/telegram/sends?chat_id={person}", world.sandbox_url);
    let Ok(answer) = world.http.get(url).send().await else { return Vec::new() };
    let calls: Value = answer.json().await.unwrap();
    let texts = calls.as_array().into_iter().flatten().filter_map(|call| call["text"].as_str());
    let query = |text: &str| Some(text.split_once('«')?.1.split_once('»')?.0.to_owned());
    texts.filter_map(query).collect()
}

/// Everybody writes, each several times; the bots answer each person in order, and each text once.
async fn write_and_check(world: &ShopWorld, limit: Duration) {
    let texts: Vec<String> = (1..=TEXTS).map(|number| format!("topilmas {number}")).collect();
    for text in &texts {
        for person in WRITERS {
            write(world, person, text).await;
        }
    }
    for person in WRITERS {
        eventually("everybody is answered", limit, async || answered(world, person).await.len() >= TEXTS)
            .await;
        assert_eq!(answered(world, person).await, texts, "person {person}");
    }
}

/// Whether this log is of the bot that polls.
fn polls(log: &std::path::Path) -> bool {
    let log = std::fs::read_to_string(log).unwrap_or_default();
    let (mine, others) = ("this bot polls", "another bot polls");
    log.rfind(mine) > log.rfind(others)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_bots_and_two_projectors_lose_and_repeat_nothing_though_one_of_each_is_killed() {
    let world = Arc::new(ShopWorld::start().await);
    let mut second_bot = beside(&world, "bot", &[]);
    let mut second_projector = beside(&world, "projector", &[]);
    for person in WRITERS {
        introduce(&world, person).await;
    }
    eventually("one bot polls", Duration::from_secs(30), async || {
        polls(&world.roles["bot"].lock().unwrap().log_path()) != polls(&second_bot.log_path())
    })
    .await;
    let buying = tokio::spawn({
        let world = Arc::clone(&world);
        async move { make_purchases(&world, 1..=200).await }
    });
    eventually("some are told", Duration::from_mins(2), async || {
        world.depths().await.is_some_and(|[payments, _]| payments.ready < 200) && world.sends().await > 20
    })
    .await;
    // The one that polls, and a projector.
    let first_polls = polls(&world.roles["bot"].lock().unwrap().log_path());
    if first_polls {
        world.roles["bot"].lock().unwrap().kill_9();
    } else {
        second_bot.kill_9();
    }
    world.roles["projector"].lock().unwrap().kill_9();
    let killed = Instant::now();
    introduce(&world, 6_000_100).await;
    write(&world, 6_000_100, "kim bor").await;
    eventually("the other bot answers", Duration::from_mins(1), async || {
        !answered(&world, 6_000_100).await.is_empty()
    })
    .await;
    let took = killed.elapsed();
    println!("the other bot answered {:.1} s after the kill", took.as_secs_f64());
    assert!(took < TAKEOVER_MAX, "{took:?}");
    if first_polls {
        world.roles["bot"].lock().unwrap().spawn();
    } else {
        second_bot.spawn();
    }
    world.roles["projector"].lock().unwrap().spawn();
    write_and_check(&world, Duration::from_mins(1)).await;
    let purchases = buying.await.unwrap();
    world.settle(&purchases).await;
    let counts = told(&world, &purchases).await;
    assert_eq!(counts.len(), purchases.len());
    let repeated: usize = counts.iter().map(|count| count - 1).sum();
    println!("{repeated} messages came twice");
    assert!(repeated <= SENDS_AT_ONCE, "{repeated} messages came twice");
    for role in [&mut second_bot, &mut second_projector] {
        let status = role.stop();
        assert!(status.success(), "{status}: {}", role.log_tail());
    }

    // The one that is left waits for nobody after a kill.
    let log = world.roles["bot"].lock().unwrap().log_path();
    eventually("the bot that is left polls", TAKEOVER_MAX, async || polls(&log)).await;
    world.roles["bot"].lock().unwrap().kill_9();
    std::fs::remove_file(&log).unwrap();
    world.roles["bot"].lock().unwrap().spawn();
    eventually("it polls again", Duration::from_mins(1), async || polls(&log)).await;
    let said = std::fs::read_to_string(&log).unwrap();
    assert!(
        said.contains("goes on where its earlier process has ended") && !said.contains("another bot polls"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_that_telegram_posts_are_answered_in_order_by_a_bot_that_replaces_one() {
    let world = ShopWorld::start().await;
    for person in WRITERS {
        introduce(&world, person).await;
    }
    // From polling to the webhook: the address does not change when one bot follows another there.
    assert!(world.roles["bot"].lock().unwrap().stop().success());
    let port = free_port();
    let webhook = [
        ("BOT_UPDATES", "webhook".to_owned()),
        ("BOT_WEBHOOK_ADDR", format!("127.0.0.1:{port}")),
        ("BOT_WEBHOOK_URL", format!("http://127.0.0.1:{port}/telegram/webhook")),
        ("BOT_WEBHOOK_SECRET", "secret-of-the-webhook-0".to_owned()),
    ];
    let mut bot = beside(&world, "bot", &webhook);
    eventually("the webhook is set", Duration::from_secs(30), async || {
        std::fs::read_to_string(bot.log_path()).unwrap().contains("Telegram posts updates to the webhook")
    })
    .await;
    write(&world, 6_000_001, "boshlandi").await;
    eventually("the first is answered", Duration::from_secs(30), async || {
        !answered(&world, 6_000_001).await.is_empty()
    })
    .await;
    bot.kill_9();
    let texts: Vec<String> = (1..=TEXTS).map(|number| format!("topilmas {number}")).collect();
    for text in &texts {
        write(&world, 6_000_002, text).await;
    }
    bot.spawn();
    eventually("what was posted again is answered", Duration::from_mins(1), async || {
        answered(&world, 6_000_002).await.len() >= TEXTS
    })
    .await;
    assert_eq!(answered(&world, 6_000_002).await, texts);
    // Back to polling: what waits is kept.
    assert!(bot.stop().success());
    write(&world, 6_000_003, "qaytdi").await;
    world.roles["bot"].lock().unwrap().spawn();
    eventually("what waited is answered", Duration::from_secs(30), async || {
        answered(&world, 6_000_003).await == ["qaytdi"]
    })
    .await;
}
