//! Notifications to shoppers: first and repeated deliveries.

use std::time::Duration;

use tokio::time::Instant;
use tolov_domain::{
    EventId, Language,
    notification::{Notification, Recipient},
    ports::{bus::Verdict, notifications::SendOutcome},
};

use crate::world::{World, expired, for_shopper, for_staff};

#[tokio::test]
async fn a_shopper_is_notified_in_the_stored_language() {
    let world = World::new().await;
    let notification = for_shopper(1024, 5551);
    world.shop.has_language(notification.user_id, Language::Ru).await;
    world.bus.deliver(&notification);
    let bot = world.run_bot();
    world.bus.until_empty().await;
    bot.stop().await;
    let shown = world.telegram.shown("5551");
    assert_eq!(shown.len(), 1);
    assert!(shown[0].starts_with("✅ <b>Заказ №1024 оплачен</b>"), "{}", shown[0]);
    assert!(shown[0].contains("Pizza &lt;b&gt;&amp; × 2") && shown[0].contains("30\u{a0}000\u{a0}сум"));
    assert!(matches!(world.shop.outcome_of(&notification.notification_id), Some(SendOutcome::Sent { .. })));
}

#[tokio::test]
async fn a_shopper_is_notified_once_of_an_expired_order_and_staff_are_not() {
    let world = World::new().await;
    world.shop.has_language(expired(1024, 5551).user_id, Language::En).await;
    let for_staff = Notification {
        recipient: Recipient::Staff,
        notification_id: EventId::new("order.expired:1024/staff"),
        ..expired(1024, 5551)
    };
    for notification in [&expired(1024, 5551), &for_staff, &expired(1024, 5551)] {
        world.bus.deliver(notification);
    }
    let bot = world.run_bot();
    world.bus.until_empty().await;
    bot.stop().await;
    let shown = world.telegram.shown("5551");
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert!(shown[0].starts_with("⌛ <b>Order #1024 has expired</b>"), "{}", shown[0]);
    assert_eq!(world.telegram.arrived(crate::world::STAFF).len(), 0);
    let verdicts = world.bus.verdicts_of(&for_staff.notification_id);
    assert!(matches!(verdicts.as_slice(), [Verdict::Park { .. }]), "{verdicts:?}");
}

#[tokio::test]
async fn a_redelivery_sends_nothing_twice() {
    let world = World::new().await;
    let bot = world.run_bot();
    for _ in 0..3 {
        world.bus.deliver(&for_shopper(1024, 5551));
        world.bus.deliver(&for_staff(1024));
    }
    world.bus.until_empty().await;
    world.bus.deliver(&for_shopper(1024, 5551));
    world.bus.deliver(&for_staff(1024));
    world.bus.until_empty().await;
    bot.stop().await;
    assert_eq!(world.telegram.arrived("5551").len(), 1);
    assert_eq!(world.telegram.arrived(crate::world::STAFF).len(), 1);
}

#[tokio::test]
async fn two_bots_share_the_notifications_and_send_each_once() {
    // No more than a bot has turns for in its first minute beside another one.
    const POSTS: i64 = 20;
    let world = World::new().await;
    let (one, other) = (world.run_bot(), world.run_bot());
    for number in 1..=100 {
        // Every notification is delivered twice, so that both bots receive many of them.
        world.bus.deliver(&for_shopper(number, number));
        world.bus.deliver(&for_shopper(number, number));
        if number <= POSTS {
            world.bus.deliver(&for_staff(number));
            world.bus.deliver(&for_staff(number));
        }
    }
    world.bus.until_empty().await;
    tokio::join!(one.stop(), other.stop());
    for number in 1..=100 {
        assert_eq!(world.telegram.arrived(&number.to_string()).len(), 1, "shopper {number}");
    }
    let posts = world.telegram.shown(crate::world::STAFF);
    for number in 1..=POSTS {
        let named = posts.iter().flat_map(|post| post.lines()).filter(|line| names(line, number)).count();
        assert_eq!(named, 1, "order {number} in {posts:?}");
    }
}

/// Whether a line of a post is about this order.
pub(crate) fn names(line: &str, number: i64) -> bool {
    line.starts_with(&format!("№{number} ")) || line.contains(&format!("№{number} buyurtma "))
}

#[tokio::test]
async fn an_unreadable_notification_is_parked_and_the_rest_of_its_batch_is_sent() {
    let world = World::new().await;
    let newer = String::from_utf8(for_shopper(7, 7).to_json()).unwrap().replace("tion/1", "tion/2");
    let (poison_id, newer_id) = (EventId::new("poison"), EventId::new("newer"));
    world.bus.deliver_body(&poison_id, b"{}".to_vec());
    world.bus.deliver_body(&newer_id, newer.into_bytes());
    world.bus.deliver(&for_shopper(1024, 5551));
    let bot = world.run_bot();
    world.bus.until_empty().await;
    bot.stop().await;
    assert_eq!(world.telegram.shown("5551").len(), 1);
    assert!(matches!(&world.bus.verdicts_of(&poison_id)[..], [Verdict::Park { .. }]));
    let [Verdict::Park { reason }] = &world.bus.verdicts_of(&newer_id)[..] else { panic!() };
    assert!(reason.contains("notification/2"));
}

#[tokio::test]
async fn a_short_outage_of_the_store_uses_up_no_retry() {
    let world = World::new().await;
    world.shop.away_calls.store(3, std::sync::atomic::Ordering::SeqCst);
    let notification = for_shopper(1024, 5551);
    world.bus.deliver(&notification);
    let bot = world.run_bot();
    world.bus.until_empty().await;
    bot.stop().await;
    assert_eq!(world.bus.verdicts_of(&notification.notification_id), [Verdict::Done]);
}

#[tokio::test]
async fn shoppers_are_notified_within_the_configured_rate() {
    let mut world = World::new().await;
    world.config.messages_per_s = 50;
    for number in 1..=100 {
        world.bus.deliver(&for_shopper(number, number));
    }
    let began = Instant::now();
    let bot = world.run_bot();
    world.bus.until_empty().await;
    bot.stop().await;
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(1_800) && took < Duration::from_secs(6), "{took:?}");
}

#[tokio::test]
async fn two_bots_together_write_to_one_person_about_once_a_second() {
    let world = World::new().await;
    let bots = [world.run_bot(), world.run_bot()];
    world.until_bots(2).await;
    for number in 1..=7 {
        world.bus.deliver(&for_shopper(number, 5551));
    }
    let arrived = world.telegram.until("5551", |arrived| arrived.len() == 7).await;
    for (place, first) in arrived.iter().enumerate() {
        for (count, last) in (1..).zip(&arrived[place..]) {
            let passed_ms = last.at.duration_since(first.at).as_millis();
            // Three at most after a rest.
            assert!(count * 1_000 <= 4_200 + passed_ms, "{count} messages within {passed_ms} ms");
        }
    }
    for bot in bots {
        bot.stop().await;
    }
}
