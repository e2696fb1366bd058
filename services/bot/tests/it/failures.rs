//! Notifications to shoppers when Telegram, the network or the process fails.

use std::{sync::atomic::Ordering, time::Duration};

use tokio::net::TcpListener;
use tolov_domain::ports::{bus::Verdict, notifications::SendOutcome};
use url::Url;

use crate::{
    shopfront::Chat,
    telegram::{Answer, Telegram},
    world::{STAFF, World, for_shopper, for_staff},
};

#[tokio::test]
async fn retry_after_delays_one_shopper_and_not_the_others() {
    let world = World::new().await;
    world.telegram.will_answer("1", [Answer::RetryAfter(2)]);
    world.bus.deliver(&for_shopper(1, 1));
    let bot = world.run_bot();
    world.telegram.until("1", |arrived| arrived.len() == 1).await;
    world.bus.deliver(&for_shopper(2, 2));
    world.bus.until_empty().await;
    bot.stop().await;
    let (limited, other) = (world.telegram.arrived("1"), world.telegram.arrived("2"));
    assert_eq!(world.telegram.shown("1").len(), 1);
    assert!(limited[1].at - limited[0].at >= Duration::from_secs(2));
    assert!(other[0].at < limited[1].at, "the other shopper waited too");
    assert_eq!(world.bus.verdicts_of(&for_shopper(1, 1).notification_id), [Verdict::Done]);
}

#[tokio::test]
async fn a_retry_after_that_is_too_long_gives_the_message_back_for_as_long() {
    let world = World::where_the_test_redelivers().await;
    world.telegram.will_answer("1", [Answer::RetryAfter(600)]);
    world.bus.deliver(&for_shopper(1, 1));
    let bot = world.run_bot();
    let id = for_shopper(1, 1).notification_id;
    let verdicts = world.bus.until_verdicts(&id, 1).await;
    assert_eq!(verdicts, [Verdict::Later { after: Duration::from_mins(10) }]);
    world.bus.redeliver_put_off();
    world.bus.until_empty().await;
    bot.stop().await;
    assert_eq!(world.telegram.shown("1").len(), 1, "the claim had been given back");
}

#[tokio::test]
async fn a_send_that_panics_is_tried_again_without_a_restart() {
    let world = World::new().await;
    world.shop.panicking_calls.store(1, Ordering::SeqCst);
    world.bus.deliver(&for_shopper(1, 1));
    let bot = world.run_bot();
    world.bus.until_empty().await;
    bot.stop().await;
    let verdicts = world.bus.verdicts_of(&for_shopper(1, 1).notification_id);
    assert_eq!(verdicts, [Verdict::Retry { reason: "sending it panicked".to_owned() }, Verdict::Done]);
    assert_eq!(world.telegram.shown("1").len(), 1);
}

#[tokio::test]
async fn a_shopper_who_blocked_the_bot_is_not_tried_again() {
    let world = World::new().await;
    let bot = world.run_bot();
    for (user, status, description) in [
        (1, 403, "Forbidden: bot was blocked by the user"),
        (2, 400, "Bad Request: chat not found"),
        (3, 403, "Forbidden: user is deactivated"),
    ] {
        let notification = for_shopper(user, user);
        world.telegram.will_answer(&user.to_string(), [Answer::Refuse(status, description)]);
        world.bus.deliver(&notification);
        world.bus.until_empty().await;
        world.bus.deliver(&notification);
        world.bus.until_empty().await;
        assert_eq!(world.telegram.arrived(&user.to_string()).len(), 1);
        assert_eq!(world.bus.verdicts_of(&notification.notification_id), [Verdict::Done, Verdict::Done]);
        let Some(SendOutcome::Undeliverable { reason }) =
            world.shop.outcome_of(&notification.notification_id)
        else {
            panic!("{description}")
        };
        assert_eq!(reason, description);
    }
    bot.stop().await;
}

#[tokio::test]
async fn a_message_that_telegram_refuses_is_parked() {
    let world = World::new().await;
    world.telegram.will_answer("1", [Answer::Refuse(400, "Bad Request: can't parse entities: x")]);
    world.bus.deliver(&for_shopper(1, 1));
    let bot = world.run_bot();
    world.bus.until_empty().await;
    bot.stop().await;
    assert!(matches!(
        &world.bus.verdicts_of(&for_shopper(1, 1).notification_id)[..],
        [Verdict::Park { reason }] if reason.contains("can't parse entities")
    ));
}

#[tokio::test]
async fn a_single_failure_of_telegram_is_retried_on_the_ladder() {
    let world = World::new().await;
    world.telegram.will_answer("1", [Answer::Refuse(500, "Internal Server Error")]);
    world.bus.deliver(&for_shopper(1, 1));
    let bot = world.run_bot();
    world.bus.until_empty().await;
    bot.stop().await;
    let verdicts = world.bus.verdicts_of(&for_shopper(1, 1).notification_id);
    assert!(matches!(&verdicts[..], [Verdict::Retry { .. }, Verdict::Done]), "{verdicts:?}");
    assert_eq!(world.telegram.shown("1").len(), 1);
}

#[tokio::test]
async fn a_crash_between_send_and_record_repeats_the_message_at_most_once() {
    let world = World::where_the_test_redelivers().await;
    let id = for_shopper(1, 1).notification_id;
    world.shop.hangs_at_settle.store(true, Ordering::SeqCst);
    world.bus.deliver(&for_shopper(1, 1));
    let first = world.run_bot();
    world.telegram.until("1", |arrived| arrived.len() == 1).await;
    first.kill().await;

    world.shop.hangs_at_settle.store(false, Ordering::SeqCst);
    world.bus.redeliver_unsettled();
    let second = world.run_bot();
    let verdicts = world.bus.until_verdicts(&id, 1).await;
    assert!(matches!(verdicts[..], [Verdict::Later { .. }]), "the lease of the dead bot still holds");
    assert_eq!(world.telegram.arrived("1").len(), 1);

    world.clock.advance(time::Duration::minutes(10));
    world.bus.redeliver_put_off();
    world.bus.until_empty().await;
    world.bus.deliver(&for_shopper(1, 1));
    world.bus.until_empty().await;
    second.stop().await;
    assert_eq!(world.telegram.shown("1").len(), 2);
}

#[tokio::test]
async fn after_a_kill_in_mid_send_the_waiting_messages_leave_at_once_and_only_the_cut_one_is_repeated() {
    let mut world = World::where_the_test_redelivers().await;
    // The turn of one has come, and none of the others' is near.
    world.config.messages_per_s = 1;
    world.shop.allow_claims(Some(1));
    for number in 1..=20 {
        world.telegram.will_answer(&number.to_string(), [Answer::ShowAndHang]);
        world.bus.deliver(&for_shopper(number, number));
    }
    let bot = world.run_bot();
    let arrived = || (1..=20).filter(|number: &i64| !world.telegram.arrived(&number.to_string()).is_empty());
    while arrived().count() == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    world.bus.until_received().await;
    bot.kill().await;
    let [cut] = arrived().collect::<Vec<_>>()[..] else { panic!("one claim, one send") };
    assert_eq!(*world.shop.claims.lock().unwrap(), [vec![for_shopper(cut, cut).notification_id]]);

    world.config.messages_per_s = 1000;
    world.shop.allow_claims(None);
    for number in 1..=20 {
        world.telegram.will_answer(&number.to_string(), []);
    }
    world.bus.redeliver_unsettled();
    let bot = world.run_bot();
    for number in (1..=20).filter(|number| *number != cut) {
        let verdicts = world.bus.until_verdicts(&for_shopper(number, number).notification_id, 1).await;
        assert_eq!(verdicts, [Verdict::Done], "shopper {number}: nobody had claimed the message");
    }
    let verdicts = world.bus.until_verdicts(&for_shopper(cut, cut).notification_id, 1).await;
    let [Verdict::Later { after }] = verdicts[..] else { panic!("{verdicts:?}") };
    assert!(after <= Duration::from_secs(20), "the lease is short: {after:?}");
    world.clock.advance(time::Duration::try_from(after).unwrap());
    world.bus.redeliver_put_off();
    world.bus.until_empty().await;
    bot.stop().await;
    for number in 1..=20 {
        let times = if number == cut { 2 } else { 1 };
        assert_eq!(world.telegram.shown(&number.to_string()).len(), times, "shopper {number}");
    }
}

#[tokio::test]
async fn messages_that_a_kill_cuts_off_together_are_each_repeated_once_and_none_is_lost() {
    let world = World::where_the_test_redelivers().await;
    *world.shop.takes.lock().unwrap() = Duration::from_millis(50);
    for number in 1..=20 {
        world.telegram.will_answer(&number.to_string(), [Answer::ShowAndHang]);
        world.bus.deliver(&for_shopper(number, number));
    }
    let bot = world.run_bot();
    for number in 1..=20 {
        world.telegram.until(&number.to_string(), |arrived| arrived.len() == 1).await;
    }
    bot.kill().await;
    assert!(world.shop.claims.lock().unwrap().len() <= 3, "they were due together");

    for number in 1..=20 {
        world.telegram.will_answer(&number.to_string(), []);
    }
    world.bus.redeliver_unsettled();
    let bot = world.run_bot();
    for number in 1..=20 {
        let verdicts = world.bus.until_verdicts(&for_shopper(number, number).notification_id, 1).await;
        let [Verdict::Later { after }] = verdicts[..] else { panic!("{verdicts:?}") };
        assert!(after <= Duration::from_secs(20), "the lease is short: {after:?}");
    }
    world.clock.advance(time::Duration::seconds(20));
    world.bus.redeliver_put_off();
    world.bus.until_empty().await;
    bot.stop().await;
    for number in 1..=20 {
        assert_eq!(world.telegram.shown(&number.to_string()).len(), 2, "shopper {number}");
    }
}

#[tokio::test]
async fn an_answer_that_never_comes_keeps_the_lease() {
    let mut world = World::where_the_test_redelivers().await;
    world.config.request_timeout = Duration::from_millis(500);
    world.telegram.will_answer("1", [Answer::ShowAndHang]);
    world.bus.deliver(&for_shopper(1, 1));
    let bot = world.run_bot();
    let id = for_shopper(1, 1).notification_id;
    let verdicts = world.bus.until_verdicts(&id, 1).await;
    let [Verdict::Later { after }] = verdicts[..] else { panic!("{verdicts:?}") };
    // Little longer than the send itself, so that a crash does not keep a message back for long.
    let lease = Duration::from_millis(1)..=world.config.request_timeout + Duration::from_secs(1);
    assert!(lease.contains(&after), "until the lease ends: {after:?}");
    world.bus.redeliver_put_off();
    let verdicts = world.bus.until_verdicts(&id, 2).await;
    assert!(matches!(verdicts[1], Verdict::Later { .. }), "nobody sends before that");
    bot.stop().await;
    assert_eq!(world.telegram.arrived("1").len(), 1);
}

#[tokio::test]
async fn an_outage_of_telegram_uses_up_no_retry() {
    let mut world = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    world.config.api_url = Some(Url::parse(&format!("http://{address}")).unwrap());
    world.bus.deliver(&for_shopper(1, 1));
    world.bus.deliver(&for_staff(1));
    let bot = world.run_bot();
    let id = for_shopper(1, 1).notification_id;
    // More than the ladder has steps.
    let verdicts = world.bus.until_verdicts(&id, 8).await;
    assert!(verdicts.iter().all(|verdict| matches!(verdict, Verdict::Later { .. })), "{verdicts:?}");

    let back = std::sync::Arc::<Telegram>::default();
    back.serve(TcpListener::bind(address).await.unwrap());
    world.bus.until_empty().await;
    bot.stop().await;
    assert_eq!((back.shown("1").len(), back.shown(STAFF).len()), (1, 1));
}

#[tokio::test]
async fn the_notifier_works_while_updates_cannot_be_polled() {
    let world = World::new().await;
    world.telegram.is_deaf();
    world.bus.deliver(&for_shopper(1, 1));
    let bot = world.run_bot();
    world.bus.until_empty().await;
    bot.stop().await;
    assert_eq!(world.telegram.shown("1").len(), 1);
}

#[tokio::test]
async fn stop_gives_waiting_notifications_back() {
    let mut world = World::where_the_test_redelivers().await;
    world.config.messages_per_s = 1;
    for number in 1..=20 {
        world.bus.deliver(&for_shopper(number, number));
    }
    let bot = world.run_bot();
    world.telegram.until("1", |arrived| arrived.len() == 1).await;
    bot.stop().await;
    let settled = (1..=20).map(|number| world.bus.verdicts_of(&for_shopper(number, number).notification_id));
    let returned = settled.filter(|verdicts| matches!(verdicts[..], [Verdict::Later { .. }])).count();
    assert!(returned >= 18, "{returned}");
    let bot = {
        world.config.messages_per_s = 1000;
        world.bus.redeliver_put_off();
        world.run_bot()
    };
    world.bus.until_empty().await;
    bot.stop().await;
    for number in 1..=20 {
        assert_eq!(world.telegram.arrived(&number.to_string()).len(), 1, "shopper {number}");
    }
}

#[tokio::test]
async fn a_limit_of_the_whole_bot_holds_notifications_and_loses_no_tap_or_message() {
    let world = World::new().await;
    for chat in ["5", "6"] {
        world.telegram.will_answer(chat, [Answer::RetryAfter(5)]);
    }
    let bot = world.run_bot();
    for chat in [5, 6] {
        world.telegram.write(chat, Some("en"), "/menu");
    }
    let limited = world.telegram.until("6", |arrived| !arrived.is_empty()).await;
    world.telegram.until("5", |arrived| !arrived.is_empty()).await;
    // The answer may be on its way to the bot.
    let ali = Chat { world: &world, id: 8 };
    let mut taps = 0;
    loop {
        ali.tap("1:m").await;
        taps += 1;
        if world.telegram.until_toasts(taps).await.last().unwrap().contains("moment") {
            break;
        }
    }
    let before = world.telegram.arrived("8").len();
    world.bus.deliver(&for_shopper(1, 7));
    ali.write("/menu").await;
    let told = world.telegram.until("7", |arrived| !arrived.is_empty()).await;
    let answered = world.telegram.until("8", |arrived| arrived.len() > before).await;
    bot.stop().await;
    for message in [&told[0], answered.last().unwrap()] {
        assert!(message.at - limited[0].at >= Duration::from_secs(5), "{message:?}");
    }
}

#[tokio::test]
async fn whose_message_could_not_be_answered_hears_that_when_telegram_takes_it() {
    let world = World::new().await;
    world.telegram.will_answer("5", [Answer::RetryAfter(6)]);
    let bot = world.run_bot();
    world.telegram.write(5, Some("en"), "/menu");
    let arrived = world.telegram.until("5", |arrived| arrived.len() == 2).await;
    bot.stop().await;
    assert!(arrived[1].text.contains("send it again"), "{arrived:?}");
}
