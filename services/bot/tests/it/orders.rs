//! Orders in the staff channel: posts with buttons, and what the buttons do.

use std::time::Duration;

use time::macros::datetime;
use tolov_domain::{
    ClickPaydocId, ClickTransId, Language, OrderId, ProductId, Tiyin, UserId,
    order::OrderLine,
    ports::documents::{Collection, Documents, Key, Query},
};
use tolov_shop::{
    order::{
        self as orders, Actor, OrderAction, OrderState, PaymentFacts, Progress, Sale, ShopOrder, Stage, Stock,
    },
    records,
};

use crate::{
    late_money::reported_paid,
    shopfront::{Chat, text},
    telegram::Answer,
    updates::until_done,
    world::{STAFF, World, for_staff, order, refund_undecided},
};

const OWNER: i64 = 1;
const SHOPPER: &str = "5551";

async fn world() -> World {
    let mut world = World::new().await;
    world.config.owners = vec![UserId::try_new(OWNER).unwrap()];
    world
}

pub(crate) async fn is_paid(world: &World, number: i64) {
    let total = Tiyin::from_soum(30_000).unwrap();
    let payment = PaymentFacts {
        click_trans_id: ClickTransId::try_new(1001).unwrap(),
        click_paydoc_id: ClickPaydocId::try_new(2001).unwrap(),
        paid_at: datetime!(2026-11-23 07:05 UTC),
        late: false,
    };
    let state = OrderState::Paid { sale: Sale { payment, missing: Vec::new() }, progress: Progress::New };
    let mut order = order(number, UserId::try_new(5551).unwrap(), state);
    order.lines.push(OrderLine {
        product_id: ProductId::try_new(7).unwrap(),
        count: 2,
        title: "Pizza".to_owned(),
        price: Some(Tiyin::from_soum(15_000).unwrap()),
        portion: None,
        fiscal: None,
    });
    order.total = total;
    order.terms.as_mut().unwrap().goods = total;
    order.stock = Stock::Committed;
    records::insert(&world.shop.documents, &order).await.unwrap();
}

pub(crate) async fn stored(world: &World, number: i64) -> ShopOrder {
    orders::order(&world.shop.documents, OrderId::try_new(number).unwrap()).await.unwrap().unwrap()
}

/// The message that the bot has recorded as the post of an order.
async fn recorded_post(world: &World, number: i64) -> Option<i64> {
    let collection = Collection::new("order_messages", &[]);
    let messages = world.shop.documents.get(collection, &Key::Number(number)).await.unwrap()?;
    messages.body["staff_post"]["message_id"].as_i64()
}

/// The post of a paid order, once it is recorded.
pub(crate) async fn posted(world: &World, number: i64) -> i64 {
    is_paid(world, number).await;
    world.bus.deliver(&for_staff(number));
    world.bus.until_empty().await;
    let recorded = async {
        loop {
            if let Some(id) = recorded_post(world, number).await {
                return id;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), recorded).await.unwrap()
}

#[tokio::test]
async fn a_paid_order_is_posted_with_its_actions_and_the_post_follows_it() {
    let world = world().await;
    let bot = world.run_bot();
    let message_id = posted(&world, 1024).await;
    let post = world.telegram.arrived(STAFF).pop().unwrap();
    assert!(post.text.contains("Pizza × 2 — 30\u{a0}000"), "{}", post.text);
    assert!(post.text.contains("+998 90 123 45 67"), "{}", post.text);
    let buttons = post.buttons.to_string();
    assert!(buttons.contains("1:ad:1024:ac") && buttons.contains("1:ad:1024:cn"), "{buttons}");

    world.telegram.tap_in_channel(OWNER, (STAFF, message_id), "1:ad:1024:ac");
    let edited = world.telegram.until_edited(STAFF, 1).await.pop().unwrap();
    assert_eq!(edited.message_id, message_id);
    assert!(edited.text.contains("qabul qilindi"), "{}", edited.text);
    assert!(edited.buttons.to_string().contains("1:ad:1024:rd"), "{}", edited.buttons);
    // The owner never wrote to the bot: the name comes from the tap.
    assert!(edited.text.contains(r#"<a href="tg://user?id=1">A</a>"#), "{}", edited.text);
    world.telegram.until(SHOPPER, |arrived| arrived.len() >= 2).await;
    let order = stored(&world, 1024).await;
    assert_eq!(order.stage(), Stage::Preparing);

    // A second tap, perhaps of somebody else, does nothing and says who was first.
    world.telegram.tap_in_channel(OWNER, (STAFF, message_id), "1:ad:1024:ac");
    let toasts = world.telegram.until_toasts(2).await;
    assert!(toasts[1].contains("already"), "{toasts:?}");
    bot.stop().await;
    assert_eq!(stored(&world, 1024).await.history, order.history);
}

#[tokio::test]
async fn what_staff_did_is_told_again_when_telegram_failed_the_first_time() {
    let world = world().await;
    let bot = world.run_bot();
    let message_id = posted(&world, 1024).await;
    // The order's message and the news of it.
    world
        .telegram
        .will_answer(SHOPPER, [Answer::Refuse(502, "Bad Gateway"), Answer::Refuse(502, "Bad Gateway")]);
    world.telegram.tap_in_channel(OWNER, (STAFF, message_id), "1:ad:1024:ac");
    world.telegram.until(SHOPPER, |arrived| arrived.len() >= 2).await;
    bot.stop().await;
    assert!(world.telegram.shown(SHOPPER).is_empty());

    world.clock.advance(time::Duration::minutes(1));
    let bot = world.run_bot();
    let told = world.telegram.until(SHOPPER, |arrived| arrived.len() >= 3).await;
    assert!(told[2].shown && told[2].text.contains("1024"), "{told:?}");
    bot.stop().await;
}

#[tokio::test]
async fn what_staff_did_is_told_although_nothing_after_the_action_was_done() {
    let mut world = world().await;
    world.config.request_timeout = Duration::from_mins(10);
    let bot = world.run_bot();
    let message_id = posted(&world, 1024).await;
    // Neither this bot nor the next one gets beyond the edit of the post.
    world.telegram.hangs_at_edits(STAFF);
    world.telegram.tap_in_channel(OWNER, (STAFF, message_id), "1:ad:1024:ac");
    world.telegram.until_called("editmessagetext").await;
    bot.kill().await;
    world.clock.advance(time::Duration::minutes(1));
    let bot = world.run_bot();
    let told = world.telegram.until(SHOPPER, |arrived| !arrived.is_empty()).await;
    bot.kill().await;
    assert!(told[0].text.contains("1024"), "{told:?}");
}

#[tokio::test]
async fn what_staff_did_is_told_in_its_order() {
    let world = world().await;
    let bot = world.run_bot();
    let message_id = posted(&world, 1024).await;
    let bad_gateway = || Answer::Refuse(502, "Bad Gateway");
    world.telegram.will_answer(SHOPPER, [bad_gateway(), bad_gateway()]);
    world.telegram.tap_in_channel(OWNER, (STAFF, message_id), "1:ad:1024:ac");
    world.telegram.until(SHOPPER, |arrived| arrived.len() >= 2).await;
    world.clock.advance(time::Duration::seconds(5));
    world.telegram.tap_in_channel(OWNER, (STAFF, message_id), "1:ad:1024:rd");
    // The order's message, and both pieces of news.
    world.telegram.until(SHOPPER, |arrived| arrived.len() >= 5).await;
    bot.stop().await;
    let shown = world.telegram.shown(SHOPPER);
    assert!(shown[1].contains("qabul qilindi") && shown[2].contains("tayyor"), "{shown:?}");
}

#[tokio::test]
async fn an_action_that_was_not_applied_is_not_told() {
    let world = world().await;
    let bot = world.run_bot();
    let message_id = posted(&world, 1024).await;
    for tap in ["1:ad:1024:dl", "1:ad:1024:ac", "1:ad:1024:ac"] {
        world.telegram.tap_in_channel(OWNER, (STAFF, message_id), tap);
    }
    world.telegram.until_toasts(3).await;
    bot.stop().await;
    let announcements = Collection::new("announcements", &[]);
    let left = world.shop.documents.count(&Query::all(announcements, 1)).await.unwrap();
    assert_eq!((left, world.telegram.shown(SHOPPER).len()), (0, 2));
}

#[tokio::test]
async fn an_edit_of_a_post_that_waited_does_not_hide_what_happened_meanwhile() {
    let world = world().await;
    let bot = world.run_bot();
    let message_id = posted(&world, 1024).await;
    world.telegram.holds_up_an_edit(1);
    world.telegram.tap_in_channel(OWNER, (STAFF, message_id), "1:ad:1024:ac");
    world.telegram.until_called("editmessagetext").await;
    let by = Actor::Staff(UserId::try_new(2).unwrap());
    let id = OrderId::try_new(1024).unwrap();
    let at = datetime!(2026-11-23 07:06 UTC);
    orders::apply(&world.shop.documents, id, OrderAction::MadeReady, by, at).await.unwrap();
    let edited = world.telegram.until_edited(STAFF, 2).await;
    bot.stop().await;
    assert!(!edited[0].text.contains("tayyor") && edited[1].text.contains("tayyor"), "{edited:?}");
}

#[tokio::test]
async fn a_button_of_a_post_that_telegram_shows_no_more_of_acts_and_updates_the_post() {
    let world = world().await;
    let bot = world.run_bot();
    let message_id = posted(&world, 1024).await;
    world.telegram.tap_on_old_post(OWNER, (STAFF, message_id), "1:ad:1024:ac");
    let toasts = world.telegram.until_toasts(1).await;
    world.telegram.until_edited_to(STAFF, "qabul qilindi").await;
    bot.stop().await;
    assert!(toasts[0].contains("#1024"), "{toasts:?}");
    assert_eq!(world.telegram.edited(STAFF).pop().unwrap().message_id, message_id);
    assert_eq!(stored(&world, 1024).await.stage(), Stage::Preparing);
}

#[tokio::test]
async fn a_button_in_the_channel_of_before_updates_its_own_post_and_nobody_elses() {
    let mut world = world().await;
    let bot = world.run_bot();
    let message_id = posted(&world, 1024).await;
    bot.stop().await;
    // The same number may be another order's post in the new channel.
    world.config.db_channel = "-1002".parse().unwrap();
    let bot = world.run_bot();
    world.telegram.tap_in_channel(OWNER, (STAFF, message_id), "1:ad:1024:ac");
    world.telegram.until_edited_to(STAFF, "qabul qilindi").await;
    // From the owner's own chat.
    let card = Chat { world: &world, id: OWNER };
    card.tap("1:ad:1024:rd").await;
    world.telegram.until_edited_to(STAFF, "tayyor").await;
    bot.stop().await;
    assert!(world.telegram.edited("-1002").is_empty());
    assert!(world.telegram.edited(STAFF).iter().all(|edit| edit.message_id == message_id));
}

#[tokio::test]
async fn the_overview_counts_only_what_is_in_work() {
    let world = world().await;
    is_paid(&world, 1024).await;
    let bot = world.run_bot();
    let owner = Chat { world: &world, id: OWNER };
    let counts = || {
        let reads = std::mem::take(&mut *world.shop.reads.lock().unwrap());
        reads.into_iter().filter(|read| *read == ("count", "orders")).count()
    };
    owner.tap("1:ao").await;
    assert_eq!(counts(), 5, "four stages in work, and what waits for its payment");
    let past = owner.tap("1:aoi:d:0").await;
    bot.stop().await;
    assert!(text(&past[0]).contains("Delivered"), "{past:?}");
    assert_eq!(counts(), 0, "the orders of the past are not counted");
}

#[tokio::test]
async fn somebody_without_a_role_is_refused_in_the_channel() {
    let world = world().await;
    let bot = world.run_bot();
    let message_id = posted(&world, 1024).await;
    world.telegram.tap_in_channel(666, (STAFF, message_id), "1:ad:1024:ac");
    let toasts = world.telegram.until_toasts(1).await;
    bot.stop().await;
    assert!(!toasts[0].is_empty());
    assert_eq!(stored(&world, 1024).await.stage(), Stage::Paid);
    assert!(world.telegram.edited(STAFF).is_empty());
}

#[tokio::test]
async fn cancelling_a_paid_order_asks_first_and_then_demands_a_refund() {
    let world = world().await;
    let bot = world.run_bot();
    let message_id = posted(&world, 1024).await;
    world.telegram.tap_in_channel(OWNER, (STAFF, message_id), "1:ad:1024:cn");
    let asked = world.telegram.until_edited(STAFF, 1).await.pop().unwrap();
    assert!(asked.buttons.to_string().contains("1:ads:1024:cn"), "{}", asked.buttons);
    assert_eq!(stored(&world, 1024).await.stage(), Stage::Paid);

    world.telegram.tap_in_channel(OWNER, (STAFF, message_id), "1:ads:1024:cn");
    let cancelled = world.telegram.until_edited(STAFF, 2).await.pop().unwrap();
    assert!(cancelled.text.contains("CLICK kabinetida"), "{}", cancelled.text);
    assert!(cancelled.buttons.to_string().contains("1:ad:1024:rf"), "{}", cancelled.buttons);
    bot.stop().await;
    let order = stored(&world, 1024).await;
    assert_eq!((order.stage(), order.stock), (Stage::Cancelled, Stock::Released));
}

#[tokio::test]
async fn a_deleted_post_is_posted_again() {
    let world = world().await;
    let bot = world.run_bot();
    let message_id = posted(&world, 1024).await;
    world.telegram.is_gone(message_id);
    world.telegram.tap_in_channel(OWNER, (STAFF, message_id), "1:ad:1024:ac");
    let posts = world.telegram.until(STAFF, |arrived| arrived.len() == 2).await;
    assert!(posts[1].text.contains("qabul qilindi"), "{}", posts[1].text);
    bot.stop().await;
    assert_ne!(recorded_post(&world, 1024).await, Some(message_id));
}

#[tokio::test]
async fn a_digest_links_to_each_of_its_orders() {
    let world = world().await;
    world.telegram.will_answer(STAFF, [Answer::RetryAfter(2)]);
    for number in [1, 2] {
        is_paid(&world, number).await;
    }
    world.bus.deliver(&for_staff(1));
    let bot = world.run_bot();
    world.telegram.until(STAFF, |arrived| arrived.len() == 1).await;
    for number in [2, 3] {
        world.bus.deliver(&for_staff(number));
    }
    world.bus.until_empty().await;
    bot.stop().await;
    let digest = world.telegram.arrived(STAFF).pop().unwrap();
    let buttons = digest.buttons.to_string();
    for number in [1, 2] {
        assert!(buttons.contains(&format!("https://t.me/shop_bot?start=order_{number}")), "{buttons}");
    }
    assert!(!buttons.contains("order_3"), "it was placed by other means: {buttons}");
    assert!(digest.text.contains("№3 "), "{}", digest.text);
}

/// Two paid orders that were posted together.
async fn digest_of(world: &World, numbers: [i64; 2]) {
    world.telegram.will_answer(STAFF, [Answer::RetryAfter(1)]);
    for number in numbers {
        is_paid(world, number).await;
    }
    world.bus.deliver(&for_staff(numbers[0]));
    world.telegram.until(STAFF, |arrived| arrived.len() == 1).await;
    world.bus.deliver(&for_staff(numbers[1]));
    world.telegram.until(STAFF, |arrived| arrived.len() == 2).await;
    world.bus.until_empty().await;
}

#[tokio::test]
async fn the_orders_of_a_digest_get_posts_with_buttons_of_their_own_when_the_rush_is_over() {
    let world = world().await;
    let bot = world.run_bot();
    digest_of(&world, [1, 2]).await;
    let arrived = world.telegram.until(STAFF, |arrived| arrived.len() == 4).await;
    bot.stop().await;
    assert!(arrived[1].text.contains("Bitta postda"), "{}", arrived[1].text);
    for (post, number) in arrived[2..].iter().zip([1, 2]) {
        assert!(post.buttons.to_string().contains(&format!("1:ad:{number}:ac")), "{}", post.buttons);
        assert!(recorded_post(&world, number).await.is_some());
    }
}

#[tokio::test]
async fn an_own_post_that_telegram_did_not_take_is_posted_later() {
    let world = world().await;
    let bot = world.run_bot();
    digest_of(&world, [1, 2]).await;
    world.telegram.will_answer(STAFF, [Answer::Refuse(502, "Bad Gateway")]);
    world.telegram.until(STAFF, |arrived| arrived.len() == 5).await;
    bot.stop().await;
    for number in [1, 2] {
        assert!(recorded_post(&world, number).await.is_some());
    }
}

#[tokio::test]
async fn orders_of_a_digest_get_their_posts_from_the_next_bot_where_the_first_one_ended() {
    let world = world().await;
    let bot = world.run_bot();
    digest_of(&world, [1, 2]).await;
    bot.kill().await;
    // Nobody has told staff of this one.
    is_paid(&world, 3).await;
    let bot = world.run_bot();
    world.telegram.until(STAFF, |arrived| arrived.len() == 4).await;
    bot.stop().await;
    for (number, has_post) in [(1, true), (2, true), (3, false)] {
        assert_eq!(recorded_post(&world, number).await.is_some(), has_post, "order {number}");
    }
}

#[tokio::test]
async fn a_question_of_a_digest_gets_a_post_with_its_button() {
    for (question, button) in [(refund_undecided(1024), "\"1:ar:1024\""), (reported_paid(), "1:aap:1024:77")]
    {
        let world = world().await;
        world.telegram.will_answer(STAFF, [Answer::RetryAfter(1)]);
        for number in [1, 1024] {
            is_paid(&world, number).await;
        }
        world.bus.deliver(&for_staff(1));
        let bot = world.run_bot();
        world.telegram.until(STAFF, |arrived| arrived.len() == 1).await;
        world.bus.deliver(&question);
        let arrived = world.telegram.until(STAFF, |arrived| arrived.len() == 4).await;
        bot.stop().await;
        assert!(arrived.iter().any(|post| post.buttons.to_string().contains(button)), "{arrived:?}");
    }
}

#[tokio::test]
async fn a_channel_that_the_bot_was_removed_from_does_not_count_as_a_block_by_who_tapped() {
    let world = world().await;
    let bot = world.run_bot();
    let message_id = posted(&world, 1024).await;
    Chat { world: &world, id: OWNER }.write("/start").await;
    world.telegram.forbids_edits();
    world.telegram.tap_in_channel(OWNER, (STAFF, message_id), "1:ad:1024:ac");
    until_done(&world, u64::try_from(world.telegram.brought()).unwrap()).await;
    bot.stop().await;
    let owner = world.shop.shopper(UserId::try_new(OWNER).unwrap()).await.unwrap();
    assert_eq!(owner.blocked_at, None);
    assert_eq!(stored(&world, 1024).await.stage(), Stage::Preparing);
}

#[tokio::test]
async fn posts_are_in_the_language_of_staff() {
    let mut world = world().await;
    world.config.staff_language = Language::Ru;
    let bot = world.run_bot();
    posted(&world, 1024).await;
    bot.stop().await;
    let post = world.telegram.arrived(STAFF).pop().unwrap();
    assert!(post.text.contains("Заказ №1024") && post.buttons.to_string().contains("Принять"), "{post:?}");
}
