//! How updates are received: none lost, none answered twice. The content of the answers is not tested here.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{net::TcpListener, time::Instant};
use tolov_domain::ports::documents::{Collection, Documents, Query};
use tolov_kit::availability::Availability;
use url::Url;

use crate::{
    secrecy::Lines,
    telegram::{Answer, Telegram},
    world::{STAFF, World, for_shopper, for_staff},
};

/// Waits until so many updates are stored as done, and none waits.
pub(crate) async fn until_done(world: &World, count: u64) {
    until_counted(world, count, 0).await;
}

async fn until_counted(world: &World, done: u64, waiting: u64) {
    let counted = |state: &'static str| async move {
        let query = Query::is(Collection::new("updates", &["state"]), "state", state, 1);
        world.shop.documents.count(&query).await.unwrap()
    };
    let wait = async {
        while counted("done").await != done || counted("waiting").await != waiting {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_mins(1), wait).await;
    assert!(waited.is_ok(), "{} done and {} waiting", counted("done").await, counted("waiting").await);
}

/// How many messages one /menu sends to a new user.
async fn messages_an_update(world: &World) -> usize {
    let bot = world.run_bot();
    world.telegram.write(999, Some("uz"), "/menu");
    until_done(world, 1).await;
    bot.stop().await;
    let messages = world.telegram.arrived("999").len();
    assert!(messages > 0);
    messages
}

#[tokio::test]
async fn polling_resumes_after_an_outage_of_telegram() {
    let mut world = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    world.config.api_url = Some(Url::parse(&format!("http://{address}")).unwrap());
    let bot = world.run_bot();
    while bot.reaches_telegram() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let back = Arc::<Telegram>::default();
    back.write(1, None, "/menu");
    back.serve(TcpListener::bind(address).await.unwrap());
    back.until("1", |arrived| !arrived.is_empty()).await;
    assert!(bot.reaches_telegram());
    bot.stop().await;
}

#[tokio::test]
async fn a_webhook_is_deleted_before_the_first_poll_and_whenever_one_is_set() {
    let world = World::new().await;
    world.telegram.has_webhook();
    let bot = world.run_bot();
    world.telegram.write(1, None, "/menu");
    world.telegram.until("1", |arrived| !arrived.is_empty()).await;
    world.telegram.has_webhook();
    // Ends the current poll; the next one meets the webhook.
    world.telegram.write(2, None, "/menu");
    world.telegram.until("2", |arrived| !arrived.is_empty()).await;
    world.telegram.write(3, None, "/menu");
    world.telegram.until("3", |arrived| !arrived.is_empty()).await;
    bot.stop().await;
}

#[tokio::test]
async fn updates_that_wait_at_a_crash_are_answered_once_after_the_restart() {
    let world = World::new().await;
    let each = messages_an_update(&world).await;
    world.telegram.will_answer("1", [Answer::ShowAndHang]);
    let bot = world.run_bot();
    for person in [1, 1, 2, 1, 3] {
        world.telegram.write(person, Some("uz"), "/menu");
    }
    world.telegram.until("1", |arrived| arrived.len() == 1).await;
    until_counted(&world, 3, 3).await;
    bot.kill().await;

    world.telegram.redeliver();
    let bot = world.run_bot();
    // Whoever held the claim is known to be gone once it has stayed as it is for long enough.
    let time_passes = async {
        loop {
            tokio::time::sleep(Duration::from_millis(50)).await;
            world.clock.advance(time::Duration::SECOND);
        }
    };
    tokio::select! {
        () = until_done(&world, 6) => {}
        () = time_passes => {}
    }
    world.telegram.redeliver();
    world.telegram.until_polled(2).await;
    bot.stop().await;
    // The update in hand had sent something already; whether that was all cannot be known.
    assert_eq!(world.telegram.arrived("1").len(), 1 + 3 * each);
    assert_eq!((world.telegram.arrived("2").len(), world.telegram.arrived("3").len()), (each, each));
}

#[tokio::test]
async fn an_update_cut_off_by_a_stop_is_answered_after_the_next_start() {
    let world = World::new().await;
    let each = messages_an_update(&world).await;
    world.telegram.will_answer("1", [Answer::ShowAndHang]);
    let bot = world.run_bot();
    for _ in 0..2 {
        world.telegram.write(1, Some("uz"), "/menu");
    }
    world.telegram.until("1", |arrived| arrived.len() == 1).await;
    bot.stop().await;
    let bot = world.run_bot();
    until_done(&world, 3).await;
    bot.stop().await;
    assert_eq!(world.telegram.arrived("1").len(), 1 + 2 * each);
}

#[tokio::test]
async fn two_bots_share_the_updates() {
    let world = World::new().await;
    let each = messages_an_update(&world).await;
    let bots = [world.run_bot(), world.run_bot()];
    for _ in 0..5 {
        for person in 1..=10 {
            world.telegram.write(person, Some("uz"), "/menu");
        }
        world.telegram.redeliver();
    }
    until_done(&world, 51).await;
    for bot in bots {
        bot.stop().await;
    }
    for person in 1..=10 {
        assert_eq!(world.telegram.arrived(&person.to_string()).len(), 5 * each, "person {person}");
    }
}

#[tokio::test]
async fn of_two_bots_one_polls_and_the_other_follows_it_when_it_dies_or_stops() {
    let world = World::new().await;
    let first = world.run_bot();
    world.telegram.write(1, Some("uz"), "/menu");
    until_done(&world, 1).await;
    let second = world.run_bot();
    world.until_bots(2).await;
    first.kill().await;
    world.telegram.write(2, Some("uz"), "/menu");
    let began = Instant::now();
    until_done(&world, 2).await;
    // A tenth of the pace of a real bot, which takes 12 s at most.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let third = world.run_bot();
    world.until_bots(2).await;
    second.stop().await;
    world.telegram.write(3, Some("uz"), "/menu");
    until_done(&world, 3).await;
    third.stop().await;
}

#[tokio::test]
async fn an_update_that_cannot_be_stored_is_not_confirmed() {
    let world = World::new().await;
    world.shop.documents_away.store(true, Ordering::SeqCst);
    let bot = world.run_bot();
    world.telegram.write(1, None, "/menu");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!((world.telegram.confirmed(), world.telegram.arrived("1").len()), (0, 0));
    world.shop.documents_away.store(false, Ordering::SeqCst);
    until_done(&world, 1).await;
    assert!(!world.telegram.arrived("1").is_empty());
    world.telegram.write(1, None, "/menu");
    until_done(&world, 2).await;
    assert!(world.telegram.confirmed() >= 1);
    bot.stop().await;
}

#[tokio::test]
async fn a_flooding_user_is_throttled_and_told_while_another_is_answered_at_once() {
    let world = World::new().await;
    let each = messages_an_update(&world).await;
    let bot = world.run_bot();
    for _ in 0..60 {
        world.telegram.write(1, Some("uz"), "/menu");
    }
    let began = Instant::now();
    world.telegram.write(2, Some("uz"), "/menu");
    world.telegram.until("2", |arrived| !arrived.is_empty()).await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    tokio::time::sleep(Duration::from_secs(3)).await;
    let shown = world.telegram.shown("1");
    assert_eq!(shown.iter().filter(|text| text.contains("Biroz kuting")).count(), 1, "{shown:?}");
    assert!(shown.len() < 30 * each, "{}", shown.len());
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
    world.telegram.write(7, None, "/start");
    world.telegram.until("7", |arrived| !arrived.is_empty()).await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    bot.stop().await;
}

#[tokio::test]
async fn the_store_is_said_to_be_back_only_once_something_was_stored() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(lines.clone()).finish();
    // The bot runs on this thread.
    let _guard = tracing::subscriber::set_default(subscriber);
    // Whether a line is wanted is asked for once, of the thread that comes first: not of another test's, which wants none.
    let first = Availability::new("nobody");
    first.mark_down("never there");
    first.mark_up();
    let said = |what: &str| lines.text().matches(&format!("the shop store (for updates) is {what}")).count();
    let mut world = World::new().await;
    // A bot that could not renew its entry in the roster would stop polling.
    world.config.renew_every = Duration::from_mins(10);
    let bot = world.run_bot();
    world.telegram.until_polled(1).await;
    world.shop.documents_away.store(true, Ordering::SeqCst);
    world.telegram.write(1, None, "/menu");
    while said("away") == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // From now on polls bring nothing to store.
    world.telegram.forget_updates();
    world.telegram.until_polled(3).await;
    assert_eq!((said("away"), said("back")), (1, 0), "{}", lines.text());
    world.shop.documents_away.store(false, Ordering::SeqCst);
    world.telegram.write(1, None, "/menu");
    until_done(&world, 1).await;
    let until_said = async {
        while said("back") == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), until_said).await.ok();
    bot.stop().await;
    assert_eq!((said("away"), said("back")), (1, 1), "{}", lines.text());
}

#[tokio::test]
async fn a_bot_that_is_killed_and_started_again_polls_and_posts_at_once() {
    let mut world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    world.config.data_folder = Some(folder.path().to_owned());
    // Dead bots are noticed after 8 s, and what one may have posted counts for a minute more.
    (world.config.renew_every, world.config.channel_posts_per_min) = (Duration::from_secs(2), 30);
    world.config.patience = Duration::from_secs(5);
    let mut bot = world.run_bot();
    for person in 1..=3 {
        world.telegram.write(person, None, "/menu");
        let chat = person.to_string();
        world.telegram.until(&chat, |arrived| !arrived.is_empty()).await;
        bot.kill().await;
        let killed = Instant::now();
        bot = world.run_bot();
        world.bus.deliver(&for_staff(person));
        let posts = usize::try_from(person).unwrap();
        world.telegram.until(STAFF, |arrived| arrived.len() == posts).await;
        world.telegram.write(person + 10, None, "/menu");
        world.telegram.until(&(person + 10).to_string(), |arrived| !arrived.is_empty()).await;
        assert!(killed.elapsed() < Duration::from_secs(6), "{:?}", killed.elapsed());
    }
    bot.stop().await;
}
