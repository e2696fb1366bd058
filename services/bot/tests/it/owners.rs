//! The comparison of a day: one message to each owner, once, whatever fails.

use std::sync::atomic::Ordering;

use tolov_domain::{
    Day, DayCompared, EventId, Language, Tiyin, UserId,
    day::{ClickComparison, SCHEMA},
    ports::{bus::Verdict, notifications::SendOutcome},
};

use crate::{
    telegram::Answer,
    world::{World, for_shopper},
};

fn compared() -> DayCompared {
    let day = Day::parse("2026-11-23").unwrap();
    DayCompared {
        schema: SCHEMA.to_owned(),
        event_id: DayCompared::id_of(day),
        day,
        orders: 2,
        sum_tiyin: Tiyin::from_soum(60_000).unwrap(),
        paid: Vec::new(),
        click: Some(ClickComparison::default()),
        shop_differing: Vec::new(),
        missing_receipts: 2,
        occurred_at: day.end(),
    }
}

fn deliver(world: &World) {
    let compared = compared();
    world.bus.deliver_body(&compared.notification_id(), compared.to_json());
}

fn user(id: i64) -> UserId {
    UserId::try_new(id).unwrap()
}

async fn world() -> World {
    let mut world = World::new().await;
    world.config.owners = vec![user(5551), user(5552)];
    world.shop.has_language(user(5551), Language::Ru).await;
    world.shop.has_language(user(5552), Language::En).await;
    world
}

#[tokio::test]
async fn every_owner_is_told_once_in_the_owners_language_also_when_it_is_delivered_again() {
    let world = world().await;
    let bot = world.run_bot();
    for _ in 0..3 {
        deliver(&world);
        world.bus.until_empty().await;
    }
    bot.stop().await;
    let (first, second) = (world.telegram.shown("5551"), world.telegram.shown("5552"));
    assert_eq!((first.len(), second.len()), (1, 1));
    assert!(first[0].contains("заказов 2") && second[0].contains("2 orders"), "{first:?} {second:?}");
    assert!(second[0].contains("2 fiscal receipts are missing"), "{second:?}");
    assert_eq!(world.telegram.arrived(crate::world::STAFF).len(), 0);
}

#[tokio::test]
async fn a_send_that_panics_is_tried_again_and_the_next_one_is_sent() {
    let world = world().await;
    world.shop.panicking_calls.store(1, Ordering::SeqCst);
    let bot = world.run_bot();
    deliver(&world);
    world.bus.until_empty().await;
    world.bus.deliver(&for_shopper(1, 5));
    world.bus.until_empty().await;
    bot.stop().await;
    assert_eq!(["5551", "5552", "5"].map(|chat| world.telegram.shown(chat).len()), [1, 1, 1]);
    let verdicts = world.bus.verdicts_of(&compared().notification_id());
    assert_eq!(verdicts, [Verdict::Retry { reason: "sending it panicked".to_owned() }, Verdict::Done]);
}

#[tokio::test]
async fn an_owner_who_cannot_be_written_to_keeps_the_message_from_no_other() {
    let world = world().await;
    let blocked = Answer::Refuse(403, "Forbidden: bot was blocked by the user");
    world.telegram.will_answer("5551", [blocked]);
    let bot = world.run_bot();
    deliver(&world);
    world.bus.until_empty().await;
    bot.stop().await;
    assert_eq!(world.telegram.shown("5552").len(), 1);
    let id = EventId::new("payment.day_compared:2026-11-23/owners-5551");
    assert!(matches!(world.shop.outcome_of(&id), Some(SendOutcome::Undeliverable { .. })));
}
