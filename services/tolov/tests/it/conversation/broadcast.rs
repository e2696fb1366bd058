//! A message to a thousand people: through Telegram's limits, past those who blocked the bot, over a pause in which the
//! bot dies. How far it is at a moment differs from run to run, so this story has no snapshot.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tolov_domain::{Language, UserId, time::from_unix_ms};
use tolov_shop::{broadcast::Broadcast, records, shopper};

use super::{
    person::Person,
    staff::{PICTURE, owner_comes_in},
    world::{OWNER, PATIENCE, Settings, Stores, World},
};
use crate::shop_world::{eventually, persistently};

const PEOPLE: i64 = 1_000;
/// Everybody with a number that ends so has blocked the bot; some of them long ago.
const EVERY_BLOCKED: i64 = 50;
const FIRST: i64 = 700_001;
const NEWS: &str = "Navro'z bilan! Hamma choyga chegirma.";

fn two_hundred_a_second(settings: &mut Settings) {
    settings.insert("BOT_MESSAGES_PER_S".to_owned(), "200".to_owned());
}

fn is_blocked(id: i64) -> bool {
    id % EVERY_BLOCKED == 0
}

/// A thousand people who once came in. Telegram refuses them `method` where they have blocked the bot.
async fn people_are_known(world: &World, method: &str) {
    for id in FIRST..FIRST + PEOPLE {
        let registered_at = from_unix_ms(1_795_000_000_000);
        let id = UserId::try_new(id).unwrap();
        let person = || shopper::Person { id, name: "Xaridor", username: None, language: Language::Uz };
        persistently(|| shopper::register_user(world.store(), person(), None, registered_at)).await;
        let id = id.get();
        if is_blocked(id) {
            world.post("telegram/shoppers", &json!({ "id": id, "first_name": "Xaridor" })).await;
            let fault = json!({ "method": method, "chat_id": id, "times": 5, "effect": "blocked" });
            world.inject(fault).await;
        }
    }
}

/// How often each of the thousand got the news.
async fn copies(world: &World) -> BTreeMap<i64, u64> {
    let counts: BTreeMap<i64, u64> = serde_json::from_value(world.get("telegram/counts").await).unwrap();
    counts.into_iter().filter(|(chat, count)| *chat >= FIRST && *count > 0).collect()
}

async fn until_reached(world: &World, people: usize) {
    eventually("the news reaches people", PATIENCE, || async { copies(world).await.len() >= people }).await;
}

/// Waits until nobody works on the broadcast; a process that dies at work is waited for longer than a test should take.
async fn until_left(world: &World) {
    eventually("the broadcast rests", PATIENCE, || async {
        let broadcast: Broadcast = records::read(world.store(), 1).await.unwrap().unwrap();
        broadcast.leased_until_at.is_none()
    })
    .await;
}

/// Nobody is left out, at most so many got it twice, and the owner sees the numbers.
async fn everybody_got_it(world: &World, aziz: &Person<'_>, twice_max: usize) {
    let copies = copies(world).await;
    let blocked = (FIRST..FIRST + PEOPLE).filter(|id| is_blocked(*id)).count();
    let missed: Vec<i64> =
        (FIRST..FIRST + PEOPLE).filter(|id| !is_blocked(*id) && !copies.contains_key(id)).collect();
    assert_eq!(missed, Vec::<i64>::new(), "nobody is left out");
    let twice = copies.values().filter(|count| **count > 1).count();
    assert!(
        twice <= twice_max,
        "{twice} people heard it twice: only who was being written to at the kill may"
    );
    assert!(copies.values().all(|count| *count <= 2), "{copies:?}");
    let screen = aziz.screen().await;
    // The owner is somebody who came in, too.
    let sent = usize::try_from(PEOPLE).unwrap() - blocked + 1;
    assert!(screen.contains(&format!(" {sent} ")) && screen.contains(&format!(" {blocked} ")), "{screen}");
}

async fn everybody_hears_once(stores: Stores) {
    let world = World::start(stores, two_hundred_a_second).await;
    people_are_known(&world, "copyMessage").await;
    let aziz = owner_comes_in(&world).await;
    aziz.says("/admin").await;
    aziz.taps_on("panel-broadcast").await;
    aziz.says(NEWS).await;
    world
        .inject(
            json!({ "method": "copyMessage", "times": 3, "effect": "too_many_requests", "retry_after_s": 1 }),
        )
        .await;
    aziz.taps_on("broadcast-send").await;
    until_reached(&world, 200).await;
    aziz.sees_button(&aziz.words("broadcast-pause")).await;
    aziz.taps_on("broadcast-pause").await;
    aziz.sees_text("broadcast-paused").await;
    until_left(&world).await;
    let paused_at = copies(&world).await.len();
    assert!(paused_at < 900, "paused too late: {paused_at}");
    world.kill_bot();
    world.start_bot().await;
    aziz.taps_on("broadcast-resume").await;
    aziz.sees("tugadi").await;

    everybody_got_it(&world, &aziz, 3).await;
    assert_eq!(told(&world).await, 1, "the author is one of the recipients");
    world.ends().await;
}

/// How often the owner got the news as a copy, beside the preview.
async fn told(world: &World) -> usize {
    let log = world.get(&format!("telegram/chats/{OWNER}/messages")).await;
    let is_copy = |message: &&Value| message["from"] == "bot" && message["text"] == NEWS;
    log.as_array().unwrap().iter().filter(is_copy).count() - 1
}

/// Nobody paused it: the bot dies while it writes to people, and whoever takes over goes on where it was.
async fn killed_while_sending(stores: Stores) {
    let world = World::start(stores, two_hundred_a_second).await;
    people_are_known(&world, "forwardMessage").await;
    let aziz = owner_comes_in(&world).await;
    aziz.says("/admin").await;
    aziz.taps_on("panel-broadcast").await;
    aziz.sends_photo(PICTURE.to_vec(), NEWS).await;
    aziz.taps_on("broadcast-forward").await;
    until_reached(&world, 300).await;
    world.kill_bot();
    let killed_at = copies(&world).await.len();
    assert!(killed_at < 900, "killed too late: {killed_at}");
    the_lease_is_over(&world).await;
    world.start_bot().await;
    aziz.sees("tugadi").await;
    everybody_got_it(&world, &aziz, 10).await;
    let log = world.get(&format!("telegram/chats/{}/messages", FIRST + 1)).await;
    let (news, kind) = (&log[0]["text"], &log[0]["kind"]);
    assert!(news == NEWS && kind == "photo" && log[0]["forward_origin"].is_object(), "{log}");
    world.ends().await;
}

/// As if the minute and a half had passed after which another process takes over from one that died.
async fn the_lease_is_over(world: &World) {
    let changed =
        records::change(world.store(), 1, |broadcast: &mut Broadcast| broadcast.leased_until_at.take());
    let (_, lease) = changed.await.unwrap().unwrap();
    assert!(lease.is_some(), "it was at work when it died");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_sending_on_files() {
    killed_while_sending(Stores::Files).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_sending_on_rabbitmq_and_mongodb() {
    killed_while_sending(Stores::Servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_hears_once_on_files() {
    everybody_hears_once(Stores::Files).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_hears_once_on_rabbitmq_and_mongodb() {
    everybody_hears_once(Stores::Servers).await;
}
