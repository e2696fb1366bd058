//! Imports of the catalogue from a file that staff send.

use std::{fmt::Write, time::Duration};

use serde_json::json;
use time::macros::datetime;
use tolov_domain::UserId;
use tolov_shop::{
    catalogue::Catalogue,
    csv::{self, ImportJob, ImportState},
    records,
};

use crate::{
    shopfront::{Chat, sells},
    telegram::{Answer, Edited},
    world::World,
};

const OWNER: i64 = 5;

async fn shop_of_an_owner() -> World {
    let mut world = World::new().await;
    world.config.owners = vec![UserId::try_new(OWNER).unwrap()];
    world
}

fn table(products: usize, description: &str) -> Vec<u8> {
    let mut table = "category;title;description;price\n".to_owned();
    for number in 1..=products {
        writeln!(table, "Idish;Piyola {number};{description};12000").unwrap();
    }
    table.into_bytes()
}

/// The newest edit of the owner's messages that says this.
async fn until_shown(world: &World, words: &str) -> Edited {
    let wait = async {
        loop {
            let edited = world.telegram.edited(&OWNER.to_string());
            if let Some(edit) = edited.into_iter().rev().find(|edit| edit.text.contains(words)) {
                return edit;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let shown = tokio::time::timeout(Duration::from_secs(20), wait).await;
    shown.unwrap_or_else(|_| panic!("{words} is not shown: {:?}", world.telegram.edited(&OWNER.to_string())))
}

async fn products(world: &World) -> usize {
    Catalogue::read(&world.shop.documents).await.unwrap().products.len()
}

#[tokio::test]
async fn a_table_of_several_megabytes_is_imported_by_a_job_that_ends_with_a_summary() {
    let world = shop_of_an_owner().await;
    let table = table(2_000, &"x".repeat(550));
    let size = table.len();
    assert!(size > 1_000_000);
    world.telegram.has_file("big", table);
    let bot = world.run_bot();
    let owner = Chat { world: &world, id: OWNER };
    owner.tap_on(500, "1:gxi").await;
    let document = json!({"file_id": "big", "file_unique_id": "u", "file_size": size, "file_name": "a.csv"});
    owner.send(json!({ "document": document })).await;
    let plan = until_shown(&world, "2000").await;
    owner.write("choy").await;
    let removed = world.telegram.calls().into_iter().filter(|(method, _)| method == "deletemessage");
    let removed: Vec<_> = removed.map(|(_, body)| body["message_id"].as_i64()).collect();
    assert!(!removed.contains(&Some(plan.message_id)), "a search does not remove the plan");
    owner.tap_on(plan.message_id, "1:gxs").await;
    let done = until_shown(&world, "Done").await;
    bot.stop().await;
    assert!(done.text.contains("2000"), "{}", done.text);
    assert_eq!(products(&world).await, 2_000);
}

#[tokio::test]
async fn an_import_that_a_killed_bot_left_half_done_is_finished_by_the_next_one() {
    let world = shop_of_an_owner().await;
    let half = csv::plan(&table(300, ""), &Catalogue::default()).unwrap();
    csv::apply(&world.shop.documents, &half).await.unwrap();
    world.telegram.has_file("table", table(700, ""));
    let owner = UserId::try_new(OWNER).unwrap();
    let new = ImportJob::new(owner, "table".to_owned(), Some(1), datetime!(2026-11-23 07:00 UTC));
    let job = ImportJob {
        state: ImportState::Applying,
        plan: "of the empty catalogue".to_owned(),
        is_begun: true,
        products_new: 300,
        total: 700,
        ..new
    };
    records::insert(&world.shop.documents, &job).await.unwrap();
    let bot = world.run_bot();
    let done = until_shown(&world, "Tayyor").await;
    bot.stop().await;
    assert!(done.text.contains("700"), "{}", done.text);
    assert_eq!(products(&world).await, 700);
}

#[tokio::test]
async fn a_bot_api_server_of_the_shops_own_gives_its_files_by_their_path_or_says_that_it_gives_none() {
    let world = shop_of_an_owner().await;
    let path = std::env::temp_dir().join(format!("tolov-import-{}.csv", std::process::id()));
    std::fs::write(&path, table(3, "")).unwrap();
    let bot = world.run_bot();
    let owner = Chat { world: &world, id: OWNER };
    owner.tap("1:gxi").await;
    for (file_id, shown) in
        [("/nowhere/1:x/documents/file_1.csv", "catalogue import"), (path.to_str().unwrap(), "New: 3")]
    {
        let document = json!({"file_id": file_id, "file_unique_id": "u", "file_size": 90});
        owner.send(json!({ "document": document })).await;
        until_shown(&world, shown).await;
    }
    bot.stop().await;
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn photos_are_kept_in_their_own_channel_and_follow_a_group_that_becomes_a_supergroup() {
    let mut world = shop_of_an_owner().await;
    world.config.store_channel = Some("-1007".parse().unwrap());
    sells(&world, 7, "Choy", None).await;
    world.telegram.will_answer("-1007", [Answer::MigrateTo(-1_008)]);
    let bot = world.run_bot();
    let owner = Chat { world: &world, id: OWNER };
    owner.tap("1:gpe:7:f").await;
    let photo = json!({"file_id": "p", "file_unique_id": "u", "width": 9, "height": 9, "file_size": 9});
    owner.send(json!({ "photo": [photo] })).await;
    bot.stop().await;
    let kept = Catalogue::read(&world.shop.documents).await.unwrap().products.remove(0).photo;
    assert_eq!(kept.as_deref(), Some("kept"));
    assert_eq!(world.telegram.shown("-1008").len(), 1);
}

#[tokio::test]
async fn a_plan_that_another_file_has_replaced_is_not_carried_out() {
    let world = shop_of_an_owner().await;
    let owner = UserId::try_new(OWNER).unwrap();
    let new = ImportJob::new(owner, "table".to_owned(), Some(77), datetime!(2026-11-23 07:00 UTC));
    let job = ImportJob { state: ImportState::Planned, ..new };
    records::insert(&world.shop.documents, &job).await.unwrap();
    let bot = world.run_bot();
    Chat { world: &world, id: OWNER }.tap_on(76, "1:gxs").await;
    bot.stop().await;
    let kept: ImportJob = records::read(&world.shop.documents, OWNER).await.unwrap().unwrap();
    assert_eq!(kept.state, ImportState::Planned);
}
