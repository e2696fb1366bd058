//! What people do, and waiting until the bot has confirmed it.

use std::time::Duration;

use teloxide::{
    net::Download,
    payloads::GetUpdatesSetters,
    prelude::*,
    types::{ChatId, InlineKeyboardButton, InlineKeyboardMarkup, UpdateKind},
};
use tolov_sandbox::telegram::{ControlError, Tap, Tapped};

use crate::running::{SOON, STAFF, start};

#[tokio::test]
async fn staff_tap_below_a_channel_post_and_the_bot_gets_person_and_chat() {
    let sandbox = start();
    let (bot, courier) = (sandbox.bot(), sandbox.shopper());
    let accept = InlineKeyboardMarkup::new([[InlineKeyboardButton::callback("Qabul qilish", "accept:1")]]);
    bot.send_message(ChatId(STAFF), "Buyurtma").reply_markup(accept).await.unwrap();
    let tapped = sandbox.telegram().tap_in_channel(STAFF, courier, &Tap::text("Qabul")).unwrap();
    let Tapped::Callback { callback_query_id, .. } = tapped else { panic!("{tapped:?}") };
    let updates = bot.get_updates().await.unwrap();
    let UpdateKind::CallbackQuery(query) = &updates[0].kind else { panic!("{updates:?}") };
    assert_eq!((query.from.id.0, query.id.0.as_str()), (courier.unsigned_abs(), callback_query_id.as_str()));
    assert_eq!(query.regular_message().unwrap().chat.id, ChatId(STAFF));

    let telegram = sandbox.telegram();
    assert_eq!(
        telegram.tap_in_channel(courier, courier, &Tap::text("x")),
        Err(ControlError::NoChat(courier))
    );
    assert_eq!(telegram.tap_in_channel(STAFF, 404, &Tap::text("Qabul")), Err(ControlError::NoShopper(404)));
    let wrong = telegram.tap_in_channel(STAFF, courier, &Tap::text("Yo'q"));
    assert!(matches!(wrong, Err(ControlError::NoButton { chat_id: STAFF, .. })), "{wrong:?}");
}

#[tokio::test]
async fn a_wait_for_confirmation_covers_the_updates_of_its_beginning() {
    let sandbox = start();
    let (bot, shopper, telegram) = (sandbox.bot(), sandbox.shopper(), sandbox.telegram());
    telegram.wait_until_confirmed(SOON).await.unwrap();
    telegram.send_text(shopper, "one").unwrap();
    let one = bot.get_updates().await.unwrap()[0].id.0;
    let waited = telegram.wait_until_confirmed(Duration::from_millis(20)).await;
    assert_eq!(waited, Err(ControlError::NotConfirmed { pending: 1, timeout_ms: 20 }));
    let later = async {
        telegram.send_text(shopper, "two").unwrap();
        bot.get_updates().offset(i32::try_from(one + 1).unwrap()).await.unwrap()
    };
    let (waited, updates) = tokio::join!(telegram.wait_until_confirmed(SOON), later);
    assert_eq!((waited, updates.len()), (Ok(()), 1));
}

#[tokio::test]
async fn a_shopper_sends_a_file_and_the_bot_gets_it() {
    let sandbox = start();
    let (bot, shopper) = (sandbox.bot(), sandbox.shopper());
    sandbox.telegram().send_document(shopper, "katalog.csv", "id;nom".into(), "yangi").unwrap();
    let updates = bot.get_updates().await.unwrap();
    let UpdateKind::Message(message) = &updates[0].kind else { panic!("{updates:?}") };
    let document = message.document().unwrap();
    assert_eq!((document.file_name.as_deref(), message.caption()), (Some("katalog.csv"), Some("yangi")));
    let file = bot.get_file(document.file.id.clone()).await.unwrap();
    let mut content = Vec::new();
    bot.download_file(&file.path, &mut content).await.unwrap();
    assert_eq!(content, b"id;nom");
}

#[tokio::test]
async fn a_reply_carries_the_message_that_it_is_to() {
    let sandbox = start();
    let (bot, shopper) = (sandbox.bot(), sandbox.shopper());
    let asked = bot.send_message(ChatId(shopper), "Savol").await.unwrap();
    sandbox.telegram().reply(shopper, i64::from(asked.id.0), "Javob").unwrap();
    let updates = bot.get_updates().await.unwrap();
    let UpdateKind::Message(message) = &updates[0].kind else { panic!("{updates:?}") };
    assert_eq!((message.text(), message.reply_to_message().unwrap().id), (Some("Javob"), asked.id));
    let nothing = sandbox.telegram().reply(shopper, 404, "x");
    assert_eq!(nothing, Err(ControlError::NoMessage { chat_id: shopper, message_id: 404 }));
}
