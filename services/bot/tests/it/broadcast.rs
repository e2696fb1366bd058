//! Broadcasts: through 429, shoppers who blocked the bot, and a crash.

use std::time::Duration;

use time::macros::datetime;
use tolov_domain::UserId;
use tolov_shop::{
    broadcast::{Broadcast, BroadcastState},
    records,
    shopper::Shopper,
};

use crate::{telegram::Answer, world::World};

const AUTHOR: i64 = 900;
const PEOPLE: i64 = 30;
const COPY: &str = "copymessage 900:5";

fn user(id: i64) -> UserId {
    UserId::try_new(id).unwrap()
}

/// Thirty shoppers, and a broadcast that has just been started.
async fn started(world: &World) {
    let met_at = datetime!(2026-11-23 07:00 UTC);
    for id in 1..=PEOPLE {
        let shopper = Shopper { registered_at: Some(met_at), ..Shopper::new(user(id)) };
        records::insert(&world.shop.documents, &shopper).await.unwrap();
    }
    let broadcast = Broadcast {
        source_message_ids: vec![5],
        state: BroadcastState::Running,
        total: u32::try_from(PEOPLE).unwrap(),
        ..Broadcast::gathering(1, user(AUTHOR), AUTHOR, met_at)
    };
    records::insert(&world.shop.documents, &broadcast).await.unwrap();
}

async fn until_done(world: &World) -> Broadcast {
    let wait = async {
        loop {
            let broadcast: Broadcast = records::read(&world.shop.documents, 1).await.unwrap().unwrap();
            if broadcast.state == BroadcastState::Done {
                return broadcast;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(40), wait).await.unwrap()
}

fn copies(world: &World, id: i64) -> usize {
    world.telegram.shown(&id.to_string()).iter().filter(|text| *text == COPY).count()
}

#[tokio::test]
async fn everybody_gets_a_broadcast_once_despite_429_and_a_block_is_recorded() {
    let world = World::new().await;
    started(&world).await;
    world.telegram.will_answer("7", [Answer::RetryAfter(1)]);
    world.telegram.will_answer("9", [Answer::Refuse(403, "Forbidden: bot was blocked by the user")]);
    world.telegram.will_answer("11", [Answer::Refuse(500, "Internal Server Error")]);
    let bot = world.run_bot();
    let done = until_done(&world).await;
    world.telegram.until(&AUTHOR.to_string(), |arrived| !arrived.is_empty()).await;
    bot.stop().await;
    assert_eq!((done.sent, done.blocked, done.failed), (29, 1, 0));
    for id in (1..=PEOPLE).filter(|id| *id != 9) {
        assert_eq!(copies(&world, id), 1, "person {id}");
    }
    let blocked: Shopper = records::read(&world.shop.documents, 9).await.unwrap().unwrap();
    assert!(blocked.blocked_at.is_some());
    let last = world.telegram.edited(&AUTHOR.to_string()).pop().unwrap();
    assert!(last.text.contains("30 / 30"), "{}", last.text);
}

#[tokio::test]
async fn after_a_restart_a_broadcast_continues_where_it_was() {
    let world = World::new().await;
    started(&world).await;
    world.telegram.will_answer("15", [Answer::ShowAndHang]);
    let bot = world.run_bot();
    world.telegram.until("15", |arrived| !arrived.is_empty()).await;
    bot.kill().await;
    let killed: Broadcast = records::read(&world.shop.documents, 1).await.unwrap().unwrap();
    let reached = killed.reached.map_or(0, UserId::get);
    world.clock.advance(time::Duration::minutes(5));
    let bot = world.run_bot();
    let done = until_done(&world).await;
    bot.stop().await;
    assert_eq!(done.sent, 30);
    for id in 1..=PEOPLE {
        let most = if (reached + 1..=reached + 10).contains(&id) { 2 } else { 1 };
        assert!((1..=most).contains(&copies(&world, id)), "person {id}: {}", copies(&world, id));
    }
}

#[tokio::test]
async fn somebody_whose_answer_is_late_does_not_hold_up_those_who_are_next() {
    let mut world = World::new().await;
    world.config.request_timeout = Duration::from_mins(10);
    started(&world).await;
    world.telegram.will_answer("5", [Answer::ShowAndHang]);
    let bot = world.run_bot();
    world.telegram.until("14", |arrived| !arrived.is_empty()).await;
    let running: Broadcast = records::read(&world.shop.documents, 1).await.unwrap().unwrap();
    assert_eq!(running.reached, Some(user(4)), "those before are recorded");
    assert_eq!(copies(&world, 15), 0, "after a crash at most ten get it twice");
    bot.kill().await;
}

#[tokio::test]
async fn a_broadcast_ends_when_its_message_was_deleted() {
    let world = World::new().await;
    started(&world).await;
    world.telegram.will_answer("1", [Answer::Refuse(400, "Bad Request: message to copy not found")]);
    let bot = world.run_bot();
    let stopped = async {
        loop {
            let broadcast: Broadcast = records::read(&world.shop.documents, 1).await.unwrap().unwrap();
            if broadcast.state == BroadcastState::Stopped {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), stopped).await.unwrap();
    bot.stop().await;
    assert_eq!(copies(&world, 30), 0);
}
