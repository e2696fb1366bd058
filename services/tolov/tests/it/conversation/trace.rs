//! An owner asks what is known of an order; nobody else hears anything of it.

use std::collections::BTreeSet;

use serde_json::Value;
use tolov_domain::{
    EventId,
    notification::{self, Recipient},
};

use super::{
    habits::{buys, comes_in},
    person::Person,
    staff::{becomes_staff, owner_comes_in},
    world::{PATIENCE, Stores, World},
};
use crate::shop_world::eventually;

/// Telegram counts in UTF-16.
const MESSAGE_MAX_UNITS: usize = 4096;

/// What the bot answers to a text, without markup.
async fn answers(world: &World, person: &Person<'_>, text: &str) -> Vec<String> {
    let log = format!("telegram/chats/{}/messages", person.id);
    let number = |message: &Value| message["message_id"].as_i64().unwrap();
    let before: BTreeSet<i64> = world.get(&log).await.as_array().unwrap().iter().map(number).collect();
    person.says(text).await;
    let after = world.get(&log).await;
    let new = after.as_array().unwrap().iter().filter(|message| !before.contains(&number(message)));
    let told = new.filter(|message| message["from"] == "bot");
    told.map(|message| message["text"].as_str().unwrap_or_default().to_owned()).collect()
}

async fn owners_trace_orders_and_nobody_else(world: &World) {
    let dilnoza = comes_in(world, "Dilnoza", "uz").await;
    let payment = buys(&dilnoza, "Choy", "Qora choy").await;
    let order = payment["order_id"].as_str().unwrap();
    let told =
        Recipient::ALL.map(|to| notification::id_of(&EventId::new(format!("payment.completed:{order}")), to));
    eventually("both are told, and that is recorded", PATIENCE, || async {
        world.store().outcomes(&told).await.unwrap().iter().all(Option::is_some)
    })
    .await;
    world.command("replay", &["--order", order]);
    // Long reasons, so that one message does not hold all.
    let reason = "a long reason ".repeat(30);
    for _ in 0..3 {
        world.command("refund", &[order, "--amount", "1000", "--reason", &reason, "--yes"]);
        world.command("refund", &[order, "--withdraw", "--yes"]);
    }

    let aziz = owner_comes_in(world).await;
    let asked = format!("/trace {order}");
    let told = answers(world, &aziz, &asked).await;
    assert!(told.len() > 1, "more than one message holds: {told:?}");
    for message in &told {
        assert!(message.encode_utf16().count() <= MESSAGE_MAX_UNITS, "{message}");
    }
    let all = told.join("\n");
    let paid = format!("payment.completed:{order}");
    let transaction = payment["click_trans_id"].to_string();
    for known in [
        "to‘lovlar daftari",
        "chiquvchi hodisalar",
        "do‘kon",
        "operatorlar",
        "Prepare",
        "Complete",
        "replay",
        "qaytarib olingan",
        &reason,
        &paid,
        &transaction,
    ] {
        assert!(all.contains(known), "{known} is not in {all}");
    }
    assert!(!all.contains("So‘rab bo‘lmadi"), "every store is asked: {all}");
    let unknown = answers(world, &aziz, "/trace 987654").await;
    assert_eq!((unknown.len(), unknown[0].contains("987654")), (1, true), "{unknown:?}");
    let which = answers(world, &aziz, "/trace").await;
    assert!(which[0].contains("/trace 1001"), "{which:?}");

    aziz.says("/language").await;
    aziz.taps("Русский").await;
    let told = answers(world, &aziz, &asked).await.join("\n");
    assert!(told.contains("журнал платежей") && told.contains("отвечено"), "{told}");

    let rustam = comes_in(world, "Rustam", "uz").await;
    aziz.reads_in("ru");
    becomes_staff(&rustam, &aziz, "role-manager").await;
    for person in [&dilnoza, &rustam] {
        let of_none = answers(world, person, "/nothing 1").await;
        let told = answers(world, person, &asked).await;
        assert_eq!(told, of_none, "{} hears what any unknown command is answered", person.title());
        assert!(!told.is_empty() && !told.join("\n").contains(&transaction), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_trace_orders_and_nobody_else_on_files() {
    let world = World::start(Stores::Files, |_settings| {}).await;
    owners_trace_orders_and_nobody_else(&world).await;
    world.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_trace_orders_and_nobody_else_on_rabbitmq_and_mongodb() {
    let world = World::start(Stores::Servers, |_settings| {}).await;
    owners_trace_orders_and_nobody_else(&world).await;
    world.ends().await;
}
