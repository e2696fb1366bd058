//! Updates: the long poll, a whole dispatcher, and the webhook.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use teloxide::{
    ApiError, RequestError,
    dispatching::UpdateFilterExt,
    payloads::SetWebhookSetters,
    prelude::*,
    types::{
        ButtonRequest, ChatId, InlineKeyboardButton, InlineKeyboardMarkup, KeyboardButton, KeyboardMarkup,
        UpdateKind,
    },
};
use tokio::sync::mpsc;
use tolov_sandbox::telegram::{Contact, ControlError, Tap, Tapped};
use warp::Filter;

use crate::running::{Running, SOON, start};

#[tokio::test]
async fn a_poll_waits_for_an_update_and_the_offset_confirms_it() {
    let sandbox = start();
    let shopper = sandbox.shopper();
    let bot = sandbox.bot();
    let poll = tokio::spawn(async move { bot.get_updates().timeout(9).await });
    let told = Instant::now();
    sandbox.telegram().send_text(shopper, "/start ref_7").unwrap();
    let updates = poll.await.unwrap().unwrap();
    assert!(told.elapsed() < Duration::from_secs(5), "the poll did not wake up");
    let [update] = updates.as_slice() else { panic!("{updates:?}") };
    let UpdateKind::Message(message) = &update.kind else { panic!("{update:?}") };
    assert_eq!(message.text(), Some("/start ref_7"));
    assert_eq!(message.entities().unwrap().len(), 1);
    assert_eq!(message.from.as_ref().unwrap().id.0, u64::try_from(shopper).unwrap());

    let bot = sandbox.bot();
    assert_eq!(bot.get_updates().await.unwrap().len(), 1, "not confirmed yet");
    let offset = update.id.as_offset();
    assert!(bot.get_updates().offset(offset).await.unwrap().is_empty());
    assert_eq!(sandbox.telegram().pending_updates(), 0);
}

#[tokio::test]
async fn of_two_concurrent_polls_the_older_ends_with_a_conflict() {
    let sandbox = start();
    let bot = sandbox.bot();
    let first = tokio::spawn(async move { bot.get_updates().timeout(9).await });
    // The first poll is under way as soon as its call has made a revision.
    while sandbox.telegram().revision() < 2 {
        tokio::task::yield_now().await;
    }
    let second = sandbox.bot().get_updates().await;
    assert!(second.unwrap().is_empty());
    let first = first.await.unwrap();
    assert!(matches!(first, Err(RequestError::Api(ApiError::TerminatedByOtherGetUpdates))), "{first:?}");
}

#[tokio::test]
async fn updates_that_were_not_requested_are_not_sent() {
    let sandbox = start();
    let shopper = sandbox.shopper();
    let bot = sandbox.bot();
    bot.get_updates().allowed_updates([teloxide::types::AllowedUpdate::Message]).await.unwrap();
    sandbox.telegram().set_blocked(shopper, true).unwrap();
    sandbox.telegram().set_blocked(shopper, false).unwrap();
    sandbox.telegram().send_text(shopper, "hi").unwrap();
    let updates = bot.get_updates().await.unwrap();
    assert_eq!(updates.len(), 1);
    bot.get_updates().allowed_updates([]).offset(-1).await.unwrap();
    sandbox.telegram().set_blocked(shopper, true).unwrap();
    let updates = bot.get_updates().await.unwrap();
    assert!(matches!(updates[1].kind, UpdateKind::MyChatMember(_)), "{updates:?}");
}

async fn on_message(bot: Bot, message: Message) -> ResponseResult<()> {
    let button = InlineKeyboardButton::callback("Savatga", "add:7");
    let pay = InlineKeyboardButton::url("To'lash", "http://127.0.0.1:1/services/pay?x=1".parse().unwrap());
    let shared = message.contact().map(|contact| contact.phone_number.clone());
    let text = shared.or(message.text().map(str::to_owned)).unwrap_or_else(|| "?".to_owned());
    bot.send_message(message.chat.id, format!("Got {text}"))
        .reply_markup(InlineKeyboardMarkup::new([[button, pay]]))
        .await?;
    Ok(())
}

async fn on_tap(bot: Bot, query: CallbackQuery) -> ResponseResult<()> {
    bot.answer_callback_query(query.id.clone()).text("Qo'shildi").await?;
    if let Some(message) = query.regular_message() {
        bot.edit_message_text(message.chat.id, message.id, "1 ta").await?;
    }
    Ok(())
}

fn spawn_dispatcher(sandbox: &Running) -> teloxide::dispatching::ShutdownToken {
    let handler = dptree::entry()
        .branch(Update::filter_message().endpoint(on_message))
        .branch(Update::filter_callback_query().endpoint(on_tap));
    let mut dispatcher = Dispatcher::builder(sandbox.bot(), handler).build();
    let token = dispatcher.shutdown_token();
    tokio::spawn(async move { dispatcher.dispatch().await });
    token
}

#[tokio::test]
async fn a_teloxide_dispatcher_serves_a_shopper() {
    let sandbox = start();
    let shopper = sandbox.shopper();
    let token = spawn_dispatcher(&sandbox);
    let telegram = sandbox.telegram();
    telegram.send_text(shopper, "salom").unwrap();
    let shown = sandbox.shown(shopper, "Got salom").await;

    let tapped = telegram.tap(shopper, &Tap::text("Savat")).unwrap();
    let Tapped::Callback { callback_query_id, message_id, revision } = tapped else { panic!("{tapped:?}") };
    assert_eq!(message_id, shown.message_id);
    let answer = telegram.wait_for_answer(&callback_query_id, SOON).await.unwrap();
    assert_eq!(answer.text.as_deref(), Some("Qo'shildi"));
    let edited = telegram.wait_for(shopper, "1 ta", revision, SOON).await.unwrap();
    assert_eq!((edited.message_id, edited.earlier.len()), (message_id, 1));
    // The edit took the keyboard away.
    let gone = telegram.tap(shopper, &Tap::data("add:7"));
    assert!(matches!(gone, Err(ControlError::NoButton { .. })), "{gone:?}");

    telegram.share_contact(shopper, None).unwrap();
    sandbox.shown(shopper, "Got +99890").await;
    let link = telegram.tap(shopper, &Tap::text("To'lash")).unwrap();
    assert_eq!(link, Tapped::Link { url: "http://127.0.0.1:1/services/pay?x=1".to_owned() });
    let foreign = Contact {
        phone_number: "+1".to_owned(),
        first_name: "Other".to_owned(),
        last_name: None,
        user_id: None,
    };
    telegram.share_contact(shopper, Some(foreign)).unwrap();
    sandbox.shown(shopper, "Got +1").await;
    token.shutdown().unwrap().await;
    assert_eq!(telegram.pending_updates(), 0, "the dispatcher confirms what it has seen before it ends");
}

#[tokio::test]
async fn each_reply_keyboard_button_sends_its_content() {
    let sandbox = start();
    let (bot, shopper) = (sandbox.bot(), sandbox.shopper());
    let rows = [[
        KeyboardButton::new("Menyu"),
        KeyboardButton::new("Raqam").request(ButtonRequest::Contact),
        KeyboardButton::new("Joy").request(ButtonRequest::Location),
    ]];
    bot.send_message(ChatId(shopper), "?").reply_markup(KeyboardMarkup::new(rows)).await.unwrap();
    for text in ["Menyu", "Raqam", "Joy"] {
        sandbox.telegram().tap(shopper, &Tap::text(text)).unwrap();
    }
    let updates = bot.get_updates().await.unwrap();
    let message = |update: Update| {
        let UpdateKind::Message(message) = update.kind else { panic!("{update:?}") };
        message
    };
    let messages: Vec<_> = updates.into_iter().map(message).collect();
    assert_eq!(messages[0].text(), Some("Menyu"));
    assert_eq!(messages[1].contact().unwrap().user_id.unwrap().0, u64::try_from(shopper).unwrap());
    assert!(messages[2].location().is_some());
}

#[tokio::test]
async fn updates_go_to_a_webhook_in_order_with_its_secret() {
    let sandbox = start();
    let shopper = sandbox.shopper();
    let (seen, mut arrived) = mpsc::unbounded_channel();
    let seen = Arc::new(seen);
    let route = warp::post()
        .and(warp::header::<String>("x-telegram-bot-api-secret-token"))
        .and(warp::body::json())
        .map(move |secret: String, update: Update| {
            seen.send((secret, update)).unwrap();
            "ok"
        });
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(warp::serve(route).incoming(listener).run());

    let bot = sandbox.bot();
    bot.set_webhook(format!("http://{addr}/hook").parse().unwrap()).secret_token("s3cret").await.unwrap();
    sandbox.telegram().send_text(shopper, "one").unwrap();
    sandbox.telegram().send_text(shopper, "two").unwrap();
    for expected in ["one", "two"] {
        let (secret, update) = tokio::time::timeout(SOON, arrived.recv()).await.unwrap().unwrap();
        let UpdateKind::Message(message) = update.kind else { panic!("{update:?}") };
        assert_eq!((secret.as_str(), message.text()), ("s3cret", Some(expected)));
    }
    assert!(bot.get_webhook_info().await.unwrap().url.is_some());
    assert!(bot.get_updates().await.is_err(), "polling and a webhook exclude each other");
    bot.delete_webhook().await.unwrap();
    assert!(bot.get_updates().await.is_ok());
}

#[tokio::test]
async fn a_stop_ends_a_waiting_poll_and_the_sandbox_in_time() {
    let mut sandbox = start();
    let bot = sandbox.bot();
    let poll = tokio::spawn(async move { bot.get_updates().timeout(15).await });
    while sandbox.telegram().revision() < 2 {
        tokio::task::yield_now().await;
    }
    sandbox.stop.cancel();
    let ended = tokio::time::timeout(SOON, &mut sandbox.task).await;
    assert!(ended.unwrap().unwrap().is_ok());
    assert!(poll.await.unwrap().unwrap().is_empty());
}

#[tokio::test]
async fn a_stop_waits_neither_for_half_a_request_nor_for_a_merchant_that_never_confirms() {
    let mut config = crate::running::config();
    config.click.longest_pause = Duration::from_mins(1);
    config.click.first_pause = Duration::from_mins(1);
    config.stop_timeout = Duration::from_millis(200);
    let mut sandbox = crate::running::start_with(config);
    let merchant = crate::merchant::Merchant::known_to(&sandbox).await;
    merchant.next_completes([crate::merchant::Misbehaviour::StorageError; 9]);
    let click = sandbox.handle.click().clone();
    let payment = tokio::spawn(async move { click.pay("1001", "1500").await });
    let mut half = tokio::net::TcpStream::connect(sandbox.addr).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut half, b"POST /sandbox/reset HTTP/1.1\r\nHos").await.unwrap();
    sandbox.stop.cancel();
    assert!(tokio::time::timeout(SOON, &mut sandbox.task).await.unwrap().unwrap().is_ok());
    assert!(!tokio::time::timeout(SOON, payment).await.unwrap().unwrap().unwrap().is_paid());
}

#[tokio::test]
async fn inline_queries_are_asked_and_answered() {
    let sandbox = start();
    let shopper = sandbox.shopper();
    let query = sandbox.telegram().inline_query(shopper, "non").unwrap();
    let updates = sandbox.bot().get_updates().await.unwrap();
    let UpdateKind::InlineQuery(asked) = &updates[0].kind else { panic!("{updates:?}") };
    assert_eq!((asked.query.as_str(), asked.id.0.as_str()), ("non", query.as_str()));
    sandbox.bot().answer_inline_query(asked.id.clone(), []).await.unwrap();
    assert_eq!(sandbox.telegram().inline_answer(&query), Some(serde_json::json!([])));
    assert_eq!(sandbox.telegram().wait_for_inline_answer(&query, SOON).await, Ok(serde_json::json!([])));
    sandbox.telegram().reset();
    assert!(sandbox.shopper() > shopper, "a forgotten shopper's id is not given to another one");
}
