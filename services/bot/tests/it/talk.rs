//! What the bot answers to shoppers.

use std::time::Duration;

use time::macros::datetime;
use tokio::time::Instant;
use tolov_domain::{
    Language, OrderId, Tiyin, UserId,
    order::{Order, OrderStatus},
};

use crate::world::{World, for_shopper};

async fn answer_to(world: &World, user: i64, language_code: Option<&str>, text: &str) -> String {
    let chat = user.to_string();
    let before = world.telegram.arrived(&chat).len();
    world.telegram.write(user, language_code, text);
    let arrived = world.telegram.until(&chat, |arrived| arrived.len() > before).await;
    arrived.last().unwrap().text.clone()
}

#[tokio::test]
async fn start_greets_in_the_language_that_is_stored_or_told_or_uzbek() {
    let world = World::new().await;
    world.shop.has_language(UserId::try_new(1).unwrap(), Language::En);
    let bot = world.run_bot();
    assert!(answer_to(&world, 1, Some("ru"), "/start").await.starts_with("Hello!"));
    assert!(answer_to(&world, 2, Some("ru-RU"), "/start from_poster").await.starts_with("Здравствуйте!"));
    assert!(answer_to(&world, 3, Some("de"), "/start").await.starts_with("Assalomu alaykum!"));
    assert!(answer_to(&world, 4, None, "/start@shop_bot").await.starts_with("Assalomu alaykum!"));
    bot.stop().await;
    let users = world.shop.users.lock().unwrap();
    assert_eq!(users[&UserId::try_new(2).unwrap()].language, Some(Language::Ru));
    assert_eq!(users.len(), 4);
}

#[tokio::test]
async fn orders_shows_the_ten_latest_newest_first() {
    let world = World::new().await;
    let bot = world.run_bot();
    assert_eq!(answer_to(&world, 7, Some("en"), "/orders").await, "You have no orders yet.");
    for number in 1..=12 {
        world.shop.orders.lock().unwrap().push(Order {
            id: OrderId::try_new(number).unwrap(),
            user_id: UserId::try_new(7).unwrap(),
            lines: Vec::new(),
            total: Tiyin::from_soum(15_000).unwrap(),
            status: OrderStatus::Paid,
            created_at: datetime!(2026-11-23 20:05 UTC),
            payment: None,
            history: Vec::new(),
        });
    }
    let answer = answer_to(&world, 7, Some("en"), "/orders").await;
    bot.stop().await;
    let lines: Vec<_> = answer.lines().collect();
    assert_eq!(lines.len(), 11);
    assert_eq!(lines[0], "<b>Your latest 10 orders:</b>");
    assert_eq!(lines[1], "№12 · ✅ paid · 15 000 so'm · 24.11.2026 01:05");
}

#[tokio::test]
async fn what_is_not_understood_is_answered_with_what_the_bot_can_do() {
    let world = World::new().await;
    let bot = world.run_bot();
    for text in ["salom", "/nothing"] {
        let answer = answer_to(&world, 7, Some("uz"), text).await;
        assert!(answer.starts_with("Kechirasiz") && answer.contains("/orders"), "{answer}");
    }
    bot.stop().await;
}

#[tokio::test]
async fn an_answer_does_not_wait_behind_a_thousand_notifications() {
    let mut world = World::new().await;
    world.config.messages_per_s = 10;
    for number in 1001..=2000 {
        world.bus.deliver(&for_shopper(number, number));
    }
    let bot = world.run_bot();
    world.telegram.until("1005", |arrived| arrived.len() == 1).await;
    let began = Instant::now();
    answer_to(&world, 7, None, "/start").await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    bot.stop().await;
}
