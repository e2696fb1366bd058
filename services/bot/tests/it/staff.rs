//! The staff channel.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;
use tolov_domain::{
    notification::Recipient,
    ports::{bus::Verdict, notifications::SendOutcome},
};

use crate::{
    notices::names,
    telegram::Answer,
    world::{STAFF, World, for_shopper, for_staff, notification, unplaced},
};

#[tokio::test]
async fn a_single_order_is_posted_at_once() {
    let world = World::new().await;
    let bot = world.run_bot();
    let began = Instant::now();
    world.bus.deliver(&for_staff(1024));
    let posts = world.telegram.until(STAFF, |arrived| arrived.len() == 1).await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    world.bus.until_empty().await;
    bot.stop().await;
    assert!(posts[0].text.starts_with("🛒 <b>№1024 buyurtma to‘landi</b>"), "{}", posts[0].text);
    assert!(posts[0].text.contains(r#"<a href="tg://user?id=5551">5551</a>"#));
}

#[tokio::test]
async fn three_hundred_notifications_become_a_few_digests_and_none_is_lost() {
    let mut world = World::new().await;
    // More than one post holds and fewer than all: some wait for the next post, some go back to the bus.
    world.config.staff_waiting_max = 200;
    for number in 1..=300 {
        world.bus.deliver(&notification(number, 5551, Recipient::Staff, number % 100 == 0));
    }
    let bot = world.run_bot();
    world.bus.until_empty().await;
    bot.stop().await;
    let posts = world.telegram.shown(STAFF);
    assert!(posts.len() <= 15, "{} posts", posts.len());
    assert!(posts.iter().all(|post| post.encode_utf16().count() <= 4096));
    for number in 1..=300 {
        let mark = format!("⚠️ <b>№{number}</b> ");
        let about = |line: &&str| names(line, number) || line.starts_with(&mark);
        assert_eq!(posts.iter().flat_map(|post| post.lines()).filter(about).count(), 1, "order {number}");
        let id = for_staff(number).notification_id;
        assert!(matches!(world.shop.outcome_of(&id), Some(SendOutcome::Sent { .. })));
        assert_eq!(world.bus.verdicts_of(&id).last(), Some(&Verdict::Done));
    }
    assert_eq!(posts.iter().map(|post| post.matches("⚠️").count()).sum::<usize>(), 3, "the late ones");
}

#[tokio::test]
async fn a_post_above_the_rate_of_the_channel_is_given_back_until_its_turn() {
    let mut world = World::where_the_test_redelivers().await;
    (world.config.channel_posts_per_min, world.config.patience) = (1, Duration::from_secs(1));
    let bot = world.run_bot();
    world.bus.deliver(&for_staff(1));
    world.telegram.until(STAFF, |arrived| arrived.len() == 1).await;
    world.bus.deliver(&for_staff(2));
    let verdicts = world.bus.until_verdicts(&for_staff(2).notification_id, 1).await;
    let [Verdict::Later { after }] = verdicts[..] else { panic!("{verdicts:?}") };
    assert!(after > world.config.patience && after <= Duration::from_mins(1), "{after:?}");
    bot.stop().await;
    assert_eq!(world.telegram.arrived(STAFF).len(), 1);
}

#[tokio::test]
async fn after_a_kill_in_mid_post_the_waiting_posts_leave_at_once_and_only_the_cut_one_is_repeated() {
    let world = World::where_the_test_redelivers().await;
    world.shop.allow_claims(Some(1));
    world.telegram.will_answer(STAFF, [Answer::ShowAndHang]);
    world.bus.deliver(&for_staff(1));
    let bot = world.run_bot();
    world.telegram.until(STAFF, |arrived| arrived.len() == 1).await;
    for number in 2..=20 {
        world.bus.deliver(&for_staff(number));
    }
    world.bus.until_received().await;
    bot.kill().await;

    world.shop.allow_claims(None);
    world.telegram.will_answer(STAFF, []);
    world.bus.redeliver_unsettled();
    let bot = world.run_bot();
    for number in 2..=20 {
        let verdicts = world.bus.until_verdicts(&for_staff(number).notification_id, 1).await;
        assert_eq!(verdicts, [Verdict::Done], "order {number}: nobody had claimed it");
    }
    let cut = for_staff(1).notification_id;
    let verdicts = world.bus.until_verdicts(&cut, 1).await;
    let [Verdict::Later { after }] = verdicts[..] else { panic!("{verdicts:?}") };
    assert!(after <= Duration::from_secs(20), "the lease is short: {after:?}");
    world.clock.advance(time::Duration::try_from(after).unwrap());
    world.bus.redeliver_put_off();
    world.bus.until_empty().await;
    bot.stop().await;
    let posts = world.telegram.shown(STAFF);
    for number in 1..=20 {
        let named = posts.iter().flat_map(|post| post.lines()).filter(|line| names(line, number)).count();
        assert_eq!(named, if number == 1 { 2 } else { 1 }, "order {number} in {posts:?}");
    }
}

#[tokio::test]
async fn shoppers_do_not_wait_for_the_staff_channel() {
    let mut world = World::new().await;
    world.config.staff_waiting_max = 8;
    world.telegram.will_answer(STAFF, vec![Answer::ShowAndHang; 10]);
    for number in 1..=50 {
        world.bus.deliver(&for_staff(number));
    }
    let bot = world.run_bot();
    world.telegram.until(STAFF, |arrived| arrived.len() == 1).await;
    for number in 1..=100 {
        world.bus.deliver(&for_shopper(number, number));
    }
    for number in 1..=100 {
        world.telegram.until(&number.to_string(), |arrived| arrived.len() == 1).await;
    }
    assert_eq!(world.telegram.arrived(STAFF).len(), 1, "the channel still hangs");
    bot.kill().await;
}

#[tokio::test]
async fn during_retry_after_notifications_gather_into_one_post() {
    let world = World::new().await;
    world.telegram.will_answer(STAFF, [Answer::RetryAfter(2)]);
    world.bus.deliver(&for_staff(1));
    let bot = world.run_bot();
    world.telegram.until(STAFF, |arrived| arrived.len() == 1).await;
    world.bus.deliver(&for_staff(2));
    world.bus.until_empty().await;
    bot.stop().await;
    let arrived = world.telegram.arrived(STAFF);
    assert!(arrived[1].at - arrived[0].at >= Duration::from_secs(2));
    assert_eq!(world.telegram.shown(STAFF).len(), 1);
    assert!(arrived[1].text.starts_with("🛒 <b>Bitta postda 2\u{a0}ta xabar</b>"), "{}", arrived[1].text);
}

#[tokio::test]
async fn posts_follow_a_group_that_became_a_supergroup() {
    let world = World::new().await;
    world.telegram.will_answer(STAFF, [Answer::MigrateTo(-2002)]);
    let bot = world.run_bot();
    for number in [1, 2] {
        world.bus.deliver(&for_staff(number));
        world.bus.until_empty().await;
    }
    bot.stop().await;
    assert_eq!(world.telegram.arrived(STAFF).len(), 1);
    assert_eq!(world.telegram.shown("-2002").len(), 2);
}

#[tokio::test]
async fn a_channel_that_refuses_the_bot_is_tried_again() {
    let world = World::new().await;
    let refusal = Answer::Refuse(403, "Forbidden: bot is not a member of the channel chat");
    world.telegram.will_answer(STAFF, vec![refusal; 2]);
    world.bus.deliver(&for_staff(1));
    let bot = world.run_bot();
    world.bus.until_empty().await;
    bot.stop().await;
    let verdicts = world.bus.verdicts_of(&for_staff(1).notification_id);
    assert!(
        matches!(&verdicts[..], [Verdict::Retry { .. }, Verdict::Retry { .. }, Verdict::Done]),
        "{verdicts:?}"
    );
}

#[tokio::test]
async fn a_refused_notification_does_not_park_its_digest() {
    let world = World::new().await;
    let refused = Answer::Refuse(400, "Bad Request: can't parse entities: x");
    // The first post holds one notification, the second is a digest whose first part is refused.
    world.telegram.will_answer(STAFF, [Answer::RetryAfter(1), refused.clone(), refused]);
    world.bus.deliver(&for_staff(1));
    let bot = world.run_bot();
    world.telegram.until(STAFF, |arrived| arrived.len() == 1).await;
    for number in [2, 3] {
        world.bus.deliver(&for_staff(number));
    }
    world.bus.until_empty().await;
    bot.stop().await;
    let ends: BTreeMap<_, _> = (1..=3)
        .map(|number| (number, world.bus.verdicts_of(&for_staff(number).notification_id).pop().unwrap()))
        .collect();
    assert!(matches!(ends[&1], Verdict::Park { .. }), "{ends:?}");
    assert_eq!((&ends[&2], &ends[&3]), (&Verdict::Done, &Verdict::Done));
    assert_eq!(world.telegram.shown(STAFF).len(), 2);
}

#[tokio::test]
async fn money_that_belongs_to_no_order_is_posted_once_however_often_it_is_delivered() {
    let world = World::new().await;
    let payment = unplaced("777", "Заказ-7");
    let id = payment.notification_id();
    let bot = world.run_bot();
    for _ in 0..3 {
        world.bus.deliver_body(&id, payment.to_json());
    }
    world.bus.until_empty().await;
    world.bus.deliver_body(&id, payment.to_json());
    world.bus.until_empty().await;
    bot.stop().await;
    let posts = world.telegram.shown(STAFF);
    let [post] = posts.as_slice() else { panic!("{posts:?}") };
    for fact in ["777", "2001", "30000.50", "Заказ-7", "-5", "CLICK kabinetida"] {
        assert!(post.contains(fact), "{fact} in {post}");
    }
    assert!(matches!(world.shop.outcome_of(&id), Some(SendOutcome::Sent { .. })));
    assert_eq!(world.bus.verdicts_of(&id).last(), Some(&Verdict::Done));
}

#[tokio::test]
async fn money_that_belongs_to_no_order_is_told_again_after_telegram_failed() {
    let world = World::new().await;
    world.telegram.will_answer(STAFF, [Answer::Refuse(500, "Internal Server Error")]);
    let payment = unplaced("777", "3003");
    let id = payment.notification_id();
    world.bus.deliver_body(&id, payment.to_json());
    let bot = world.run_bot();
    world.bus.until_empty().await;
    bot.stop().await;
    let verdicts = world.bus.verdicts_of(&id);
    assert!(matches!(&verdicts[..], [Verdict::Retry { .. }, Verdict::Done]), "{verdicts:?}");
    assert_eq!(world.telegram.shown(STAFF).len(), 1);
}

#[tokio::test]
async fn what_was_posted_already_takes_no_turn_of_the_channel() {
    let mut world = World::where_the_test_redelivers().await;
    // One post in twelve seconds.
    (world.config.channel_posts_per_min, world.config.patience) = (6, Duration::from_secs(1));
    let bot = world.run_bot();
    world.bus.deliver(&for_staff(1));
    world.telegram.until(STAFF, |arrived| arrived.len() == 1).await;
    bot.stop().await;
    let bot = world.run_bot();
    for copy in 2..=4 {
        world.bus.deliver(&for_staff(1));
        let verdicts = world.bus.until_verdicts(&for_staff(1).notification_id, copy).await;
        assert_eq!(verdicts.last(), Some(&Verdict::Done));
    }
    world.bus.deliver(&for_staff(2));
    assert_eq!(world.bus.until_verdicts(&for_staff(2).notification_id, 1).await, [Verdict::Done]);
    bot.stop().await;
    assert_eq!(world.telegram.arrived(STAFF).len(), 2);
}
