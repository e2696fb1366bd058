//! Albums, whose parts Telegram delivers one by one.

use serde_json::{Value, json};
use time::Duration;
use tolov_domain::UserId;
use tolov_shop::{
    broadcast::{Broadcast, BroadcastState},
    catalogue::{Category, Product},
    records,
};

use crate::{
    shopfront::{Chat, sells, text},
    telegram::Answer,
    world::World,
};

const OWNER: i64 = 5;
const SHOPPER: i64 = 6;

async fn world() -> World {
    let mut world = World::new().await;
    world.config.owners = vec![UserId::try_new(OWNER).unwrap()];
    world
}

fn part(album: &str) -> Value {
    let photo = json!({"file_id": "p", "file_unique_id": "u", "width": 9, "height": 9, "file_size": 9});
    json!({"photo": [photo], "media_group_id": album})
}

/// The ids of the messages that a call copies or forwards.
fn copied<'a>(calls: &'a [(String, Value)], method: &str, chat: i64) -> Vec<&'a Value> {
    let to_chat = calls.iter().filter(|(called, body)| called == method && body["chat_id"] == chat);
    to_chat.map(|(_, body)| &body["message_ids"]).collect()
}

async fn stored(world: &World) -> Broadcast {
    records::read(&world.shop.documents, 1).await.unwrap().unwrap()
}

/// Waits until the owner was shown so many previews. Returns the id of the last.
async fn until_previewed(world: &World, count: usize) -> i64 {
    let is_preview = |buttons: &Value| buttons.to_string().contains("1:abs");
    let shown = world
        .telegram
        .until("5", |arrived| arrived.iter().filter(|message| is_preview(&message.buttons)).count() >= count)
        .await;
    let last = shown.iter().rfind(|message| is_preview(&message.buttons)).unwrap();
    world.telegram.number_of(&last.text)
}

/// Sends an album of two parts, and waits until its preview is shown. Returns the preview's id.
async fn previewed_album(owner: &Chat<'_>) -> i64 {
    owner.tap("1:ab").await;
    owner.send(part("77")).await;
    owner.send(part("77")).await;
    owner.world.clock.advance(Duration::seconds(1));
    let preview = until_previewed(owner.world, 1).await;
    until_state(owner.world, BroadcastState::Draft).await;
    preview
}

async fn until_state(world: &World, state: BroadcastState) {
    let reached = async {
        while stored(world).await.state != state {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), reached).await.unwrap();
}

#[tokio::test]
async fn an_album_is_broadcast_as_one() {
    let world = world().await;
    let (owner, ali) = (Chat { world: &world, id: OWNER }, Chat { world: &world, id: SHOPPER });
    let bot = world.run_bot();
    ali.write("/start").await;
    owner.tap("1:ab").await;
    let first = world.telegram.brought() + 1;
    for _ in 0..3 {
        assert_eq!(owner.send(part("77")).await, Vec::<Value>::new(), "nothing is said to a part");
    }
    let album = json!([first, first + 1, first + 2]);
    assert_eq!(copied(&world.telegram.calls(), "copymessages", OWNER), Vec::<&Value>::new(), "more may come");
    world.clock.advance(Duration::seconds(1));
    let preview = until_previewed(&world, 1).await;
    assert_eq!(copied(&world.telegram.calls(), "copymessages", OWNER), [&album]);
    until_state(&world, BroadcastState::Draft).await;
    owner.tap_on(preview, "1:abs:1:0").await;
    until_state(&world, BroadcastState::Done).await;
    bot.stop().await;
    assert_eq!(copied(&world.telegram.calls(), "copymessages", SHOPPER), [&album], "one call for a person");
    assert_eq!(world.telegram.calls().iter().filter(|(method, _)| method == "copymessage").count(), 0);
}

#[tokio::test]
async fn an_album_of_which_a_part_comes_late_is_shown_again_and_its_preview_stays() {
    let world = world().await;
    let owner = Chat { world: &world, id: OWNER };
    let bot = world.run_bot();
    let preview = previewed_album(&owner).await;
    assert_eq!(owner.send(part("77")).await, Vec::<Value>::new(), "it is no search");
    assert_eq!(stored(&world).await.state, BroadcastState::Gathering);
    owner.tap_on(preview, "1:abs:1:0").await;
    assert_eq!(stored(&world).await.state, BroadcastState::Gathering, "it is to be looked at again");
    world.clock.advance(Duration::seconds(1));
    until_previewed(&world, 2).await;
    until_state(&world, BroadcastState::Draft).await;
    owner.write("choy").await;
    let calls = world.telegram.calls();
    let is_removal = |(method, body): &&(String, Value)| {
        method == "deletemessage" && body["message_id"].as_i64() == Some(preview)
    };
    assert_eq!(calls.iter().find(is_removal), None, "a search does not remove the preview");
    owner.tap("1:ab").await;
    bot.stop().await;
    assert_eq!(copied(&calls, "copymessages", OWNER)[1].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn the_preview_of_a_message_stays_and_its_draft_is_found_again() {
    let world = world().await;
    let owner = Chat { world: &world, id: OWNER };
    let bot = world.run_bot();
    owner.tap("1:ab").await;
    owner.write("Sale!").await;
    let preview = until_previewed(&world, 1).await;
    owner.write("choy").await;
    owner.write("/menu").await;
    let calls = world.telegram.calls();
    let is_removal = |(method, body): &&(String, Value)| {
        method == "deletemessage" && body["message_id"].as_i64() == Some(preview)
    };
    assert_eq!(calls.iter().find(is_removal), None, "another screen does not remove the preview");
    let asked = owner.tap("1:ab").await;
    assert!(asked[0]["reply_markup"].to_string().contains("1:abv:1"), "{asked:?}");
    owner.tap("1:abv:1").await;
    let preview = until_previewed(&world, 2).await;
    owner.tap_on(preview, "1:abs:1:0").await;
    bot.stop().await;
    assert_ne!(stored(&world).await.state, BroadcastState::Draft);
}

#[tokio::test]
async fn a_part_that_comes_after_the_start_is_refused_with_words() {
    let world = world().await;
    let owner = Chat { world: &world, id: OWNER };
    let bot = world.run_bot();
    let preview = previewed_album(&owner).await;
    owner.tap_on(preview, "1:abs:1:1").await;
    until_state(&world, BroadcastState::Done).await;
    let said = owner.send(part("77")).await;
    bot.stop().await;
    // The last report of its progress may come at the same moment.
    assert!(said.iter().any(|call| text(call).contains("too late")), "{said:?}");
    assert_eq!(copied(&world.telegram.calls(), "forwardmessages", OWNER).len(), 1);
}

#[tokio::test]
async fn a_restart_between_the_parts_of_an_album_loses_none() {
    let world = world().await;
    let owner = Chat { world: &world, id: OWNER };
    let bot = world.run_bot();
    owner.tap("1:ab").await;
    let first = world.telegram.brought() + 1;
    owner.send(part("77")).await;
    bot.kill().await;
    let bot = world.run_bot();
    owner.send(part("77")).await;
    world.clock.advance(Duration::seconds(1));
    until_previewed(&world, 1).await;
    bot.stop().await;
    let album = json!([first, first + 1]);
    assert_eq!(copied(&world.telegram.calls(), "copymessages", OWNER), [&album]);
}

#[tokio::test]
async fn an_album_that_telegram_does_not_copy_is_refused_and_another_message_is_waited_for() {
    let world = world().await;
    let owner = Chat { world: &world, id: OWNER };
    let bot = world.run_bot();
    owner.tap("1:ab").await;
    owner.send(part("77")).await;
    owner.send(part("77")).await;
    world.telegram.will_answer("5", [Answer::Refuse(400, "Bad Request: message can't be copied")]);
    world.clock.advance(Duration::seconds(1));
    world.telegram.until("5", |arrived| arrived.iter().any(|message| message.text.contains("can’t"))).await;
    assert_eq!(stored(&world).await.state, BroadcastState::Stopped);
    owner.write("Sale!").await;
    until_previewed(&world, 1).await;
    bot.stop().await;
}

/// Waits until messages were copied to this chat together.
async fn until_copied(world: &World, chat: i64) {
    let is_album = |arrived: &[crate::telegram::Arrived]| {
        arrived.iter().any(|message| message.text.starts_with("copymessages"))
    };
    world.telegram.until(&chat.to_string(), is_album).await;
}

#[tokio::test]
async fn an_album_goes_to_staff_and_back_as_one() {
    let world = world().await;
    let (owner, ali) = (Chat { world: &world, id: OWNER }, Chat { world: &world, id: SHOPPER });
    let bot = world.run_bot();
    ali.tap("1:su").await;
    let first = world.telegram.brought() + 1;
    for _ in 0..2 {
        assert_eq!(ali.send(part("77")).await, Vec::<Value>::new(), "nothing is said to a part");
    }
    world.clock.advance(Duration::seconds(1));
    until_copied(&world, OWNER).await;
    assert_eq!(copied(&world.telegram.calls(), "copymessages", OWNER), [&json!([first, first + 1])]);
    world
        .telegram
        .until("6", |arrived| arrived.iter().any(|it| it.text.contains("answer will come here")))
        .await;
    let arrived = world.telegram.arrived("5");
    let headers: Vec<_> = arrived.iter().filter(|it| it.buttons.to_string().contains("1:asu")).collect();
    let [header] = headers[..] else { panic!("one header above both: {arrived:?}") };
    owner.tap_on(world.telegram.number_of(&header.text), "1:asu").await;
    let first = world.telegram.brought() + 1;
    for _ in 0..3 {
        owner.send(part("88")).await;
    }
    world.clock.advance(Duration::seconds(1));
    until_copied(&world, SHOPPER).await;
    let said = "answer has been sent to the customer";
    world.telegram.until("5", |arrived| arrived.iter().any(|it| it.text.contains(said))).await;
    let album = json!([first, first + 1, first + 2]);
    assert_eq!(copied(&world.telegram.calls(), "copymessages", SHOPPER), [&album]);
    let late = owner.send(part("88")).await;
    assert!(late.iter().any(|call| text(call).contains("too late")), "{late:?}");
    bot.stop().await;
}

#[tokio::test]
async fn an_album_is_all_the_photos_of_a_product() {
    let world = world().await;
    sells(&world, 7, "Choy", None).await;
    let owner = Chat { world: &world, id: OWNER };
    let bot = world.run_bot();
    owner.tap("1:gpe:7:f").await;
    let photo = |album: &str, name: &str| {
        let mut part = part(album);
        part["photo"][0]["file_id"] = json!(name);
        part
    };
    for name in ["a", "b", "c"] {
        owner.send(photo("77", name)).await;
    }
    let product = records::read::<Product>(&world.shop.documents, 7).await.unwrap().unwrap();
    assert_eq!(product.photos(), ["kept-a", "kept-b", "kept-c"]);
    // Another photo is a new answer, and what belongs to no album is a search.
    let said = owner.send(photo("88", "d")).await;
    let product = records::read::<Product>(&world.shop.documents, 7).await.unwrap().unwrap();
    assert_eq!(product.photos().len(), 3, "{said:?}");
    owner.tap("1:gpe:7:f").await;
    owner.send(photo("99", "e")).await;
    let product = records::read::<Product>(&world.shop.documents, 7).await.unwrap().unwrap();
    assert_eq!(product.photos(), ["kept-e"], "a new answer replaces all of them");
    bot.stop().await;
}

#[tokio::test]
async fn an_album_that_nothing_gathers_is_answered_once() {
    let world = world().await;
    sells(&world, 7, "Choy", None).await;
    let (owner, ali) = (Chat { world: &world, id: OWNER }, Chat { world: &world, id: SHOPPER });
    let bot = world.run_bot();
    let nothing = Vec::<Value>::new();
    owner.tap("1:gcp:1").await;
    owner.send(part("77")).await;
    let category = records::read::<Category>(&world.shop.documents, 1).await.unwrap().unwrap();
    assert_eq!(category.photo.as_deref(), Some("kept"));
    assert_eq!(owner.send(part("77")).await, nothing);
    assert_ne!(ali.send(part("88")).await, nothing, "a hint");
    assert_eq!(ali.send(part("88")).await, nothing);
    assert_ne!(ali.send(part("99")).await, nothing, "another album");
    ali.checks_out(7).await;
    let mut captioned = part("111");
    captioned["caption"] = json!("Chilonzor 5");
    let review = ali.send(captioned).await;
    assert!(review.iter().any(|call| text(call).contains("Chilonzor 5")), "{review:?}");
    assert_eq!(ali.send(part("111")).await, nothing, "no comment");
    bot.stop().await;
}
