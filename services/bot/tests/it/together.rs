//! Notifications to shoppers that are sent at the same time: claimed in one command, recorded in one, and each on its own.

use std::{sync::atomic::Ordering, time::Duration};

use tolov_domain::{
    EventId,
    notification::Notification,
    ports::{
        bus::Verdict,
        notifications::{Claim, NotificationLog},
    },
};
use tolov_kit::clock::Clock;
use tolov_shop::{
    order::{OrderState, ShopOrder, Stock},
    records,
};

use crate::world::{self, World, for_shopper};

const COUNT: i64 = 40;

/// So many shoppers are to be told by a bot whose store is slow.
async fn world() -> World {
    let world = World::where_the_test_redelivers().await;
    *world.shop.takes.lock().unwrap() = Duration::from_millis(50);
    for number in 1..=COUNT {
        world.bus.deliver(&for_shopper(number, number));
    }
    world
}

fn id(number: i64) -> EventId {
    for_shopper(number, number).notification_id
}

/// Everybody is told once, but for this one.
async fn all_are_told_but(world: &World, other: Option<i64>) {
    for number in (1..=COUNT).filter(|number| Some(*number) != other) {
        assert_eq!(world.bus.until_verdicts(&id(number), 1).await, [Verdict::Done], "shopper {number}");
        assert_eq!(world.telegram.shown(&number.to_string()).len(), 1, "shopper {number}");
        assert!(world.shop.outcome_of(&id(number)).is_some(), "shopper {number}");
    }
}

#[tokio::test]
async fn those_who_are_told_at_the_same_time_take_a_few_commands_together() {
    let world = world().await;
    let bot = world.run_bot();
    all_are_told_but(&world, None).await;
    bot.stop().await;
    for calls in [&world.shop.claims, &world.shop.records] {
        let calls = calls.lock().unwrap();
        assert!(calls.len() <= 6, "{calls:?}");
        let mut ids: Vec<&EventId> = calls.iter().flatten().collect();
        ids.sort_unstable();
        let mut all: Vec<EventId> = (1..=COUNT).map(id).collect();
        all.sort_unstable();
        assert!(ids.into_iter().eq(&all), "each once");
    }
}

#[tokio::test]
async fn a_message_that_another_bot_is_sending_holds_back_no_other_of_its_command() {
    let world = world().await;
    let now = world.clock.now();
    let claimed = world.shop.claim(&[id(7)], now, now + Duration::from_secs(16)).await;
    assert_eq!(claimed, Ok(vec![Claim::Send { attempt: 1 }]));
    let bot = world.run_bot();
    all_are_told_but(&world, Some(7)).await;
    let verdicts = world.bus.until_verdicts(&id(7), 1).await;
    assert_eq!(verdicts, [Verdict::Later { after: Duration::from_secs(16) }]);
    bot.stop().await;
    assert_eq!(world.telegram.arrived("7").len(), 0);
}

#[tokio::test]
async fn a_message_whose_record_is_damaged_is_tried_again_alone() {
    for refuses_the_call in [false, true] {
        let world = world().await;
        let damaged = if refuses_the_call { &world.shop.refuses_calls_with } else { &world.shop.cannot_read };
        *damaged.lock().unwrap() = Some(id(7));
        let bot = world.run_bot();
        all_are_told_but(&world, Some(7)).await;
        let verdicts = world.bus.until_verdicts(&id(7), 1).await;
        assert!(matches!(verdicts[..], [Verdict::Retry { .. }]), "{verdicts:?}");
        bot.stop().await;
        assert_eq!(world.telegram.arrived("7").len(), 0);
    }
}

#[tokio::test]
async fn a_store_that_is_away_for_a_moment_loses_no_message_and_repeats_none() {
    let world = world().await;
    world.shop.away_calls.store(2, Ordering::SeqCst);
    world.shop.away_records.store(2, Ordering::SeqCst);
    let bot = world.run_bot();
    all_are_told_but(&world, None).await;
    bot.stop().await;
}

#[tokio::test]
async fn a_panic_in_the_command_of_several_is_one_messages_own() {
    let world = world().await;
    world.shop.panicking_calls.store(1, Ordering::SeqCst);
    let bot = world.run_bot();
    let mut retried = 0;
    for number in 1..=COUNT {
        let verdicts = world.bus.until_verdicts(&id(number), 1).await;
        retried += usize::from(verdicts == [Verdict::Retry { reason: "sending it panicked".to_owned() }]);
    }
    assert_eq!(retried, 1, "the one that ran the command");
    world.bus.redeliver_put_off();
    world.bus.until_empty().await;
    bot.stop().await;
    for number in 1..=COUNT {
        assert_eq!(world.telegram.shown(&number.to_string()).len(), 1, "shopper {number}");
    }
}

#[tokio::test]
async fn a_message_costs_one_read_of_each_document_and_a_second_look_at_the_order() {
    let world = World::new().await;
    let Notification { user_id, notification_id, .. } = for_shopper(1001, 5);
    let order = ShopOrder { stock: Stock::Released, ..world::order(1001, user_id, OrderState::Expired) };
    records::insert(&world.shop.documents, &order).await.unwrap();
    let bot = world.run_bot();
    // Sent anew, because the order has no message yet; then its message is edited.
    for told in [for_shopper(1001, 5), world::expired(1001, 5)] {
        world.shop.reads.lock().unwrap().clear();
        world.bus.deliver(&told);
        world.bus.until_empty().await;
    }
    bot.stop().await;
    let of_messages = ["users", "orders", "order_messages", "dialogues"];
    let reads = world.shop.reads.lock().unwrap().clone();
    let reads: Vec<&str> =
        reads.into_iter().filter(|(call, _)| *call == "get").map(|(_, collection)| collection).collect();
    let reads: Vec<&str> = reads.into_iter().filter(|read| of_messages.contains(read)).collect();
    assert_eq!(reads, ["users", "orders", "order_messages", "orders", "dialogues"]);
    assert!(world.shop.outcome_of(&notification_id).is_some());
}
