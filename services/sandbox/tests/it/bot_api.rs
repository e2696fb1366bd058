//! The Bot API, as teloxide uses it.

use teloxide::{
    ApiError, RequestError,
    net::Download,
    prelude::*,
    types::{
        BotCommand, ButtonRequest, ChatId, ChatMemberStatus, FileId, InlineKeyboardButton,
        InlineKeyboardMarkup, InputFile, InputMedia, InputMediaPhoto, KeyboardButton, KeyboardMarkup,
        MessageId, ParseMode, ReplyParameters,
    },
};
use tolov_sandbox::telegram::{Body, ButtonAction};

use crate::running::{STAFF, start};

/// The head of a PNG of 3 by 2 pixels; the sandbox reads no further.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x03\0\0\0\x02\x08\x02";

fn api_error<T: std::fmt::Debug>(result: Result<T, RequestError>) -> ApiError {
    match result {
        Err(RequestError::Api(error)) => error,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

fn keyboard(text: &str, data: &str) -> InlineKeyboardMarkup {
    InlineKeyboardMarkup::new([[InlineKeyboardButton::callback(text, data)]])
}

#[tokio::test]
async fn get_me_names_the_bot_and_a_wrong_token_is_refused() {
    let sandbox = start();
    let me = sandbox.bot().get_me().await.unwrap();
    assert_eq!((me.id.0, me.username()), (123_456, "tolov_sandbox_bot"));
    for token in ["nonsense", "123", "x:abcdef", "123:no spaces"] {
        assert_eq!(
            api_error(sandbox.bot_with_token(token).get_me().await),
            ApiError::InvalidToken,
            "{token}"
        );
    }
}

#[tokio::test]
async fn a_message_is_sent_edited_and_deleted() {
    let sandbox = start();
    let (bot, shopper) = (sandbox.bot(), sandbox.shopper());
    let chat = ChatId(shopper);
    let sent = bot.send_message(chat, "Savat").reply_markup(keyboard("To'lash", "pay:1")).await.unwrap();
    assert_eq!(sent.text(), Some("Savat"));
    assert!(sent.reply_markup().is_some());

    let same = bot.edit_message_text(chat, sent.id, "Savat").reply_markup(keyboard("To'lash", "pay:1")).await;
    assert_eq!(api_error(same), ApiError::MessageNotModified);
    let edited = bot.edit_message_text(chat, sent.id, "Bo'sh").await.unwrap();
    assert_eq!((edited.text(), edited.reply_markup()), (Some("Bo'sh"), None));
    let with_keyboard = bot.edit_message_reply_markup(chat, sent.id).reply_markup(keyboard("+", "add")).await;
    assert!(with_keyboard.unwrap().reply_markup().is_some());

    bot.delete_message(chat, sent.id).await.unwrap();
    assert_eq!(api_error(bot.delete_message(chat, sent.id).await), ApiError::MessageToDeleteNotFound);
    assert_eq!(api_error(bot.edit_message_text(chat, sent.id, "x").await), ApiError::MessageToEditNotFound);
    bot.delete_messages(chat, [sent.id, MessageId(99)]).await.unwrap();

    let log = sandbox.telegram().messages(shopper).unwrap();
    assert_eq!(log.len(), 1);
    assert_eq!(
        log[0].earlier.iter().map(|version| version.body.text()).collect::<Vec<_>>(),
        ["Savat", "Bo'sh"]
    );
    assert!(log[0].is_deleted());
    assert_eq!(sandbox.telegram().counts()[&shopper], 0);
}

#[tokio::test]
async fn refusals_have_the_texts_that_teloxide_knows() {
    let sandbox = start();
    let (bot, shopper) = (sandbox.bot(), sandbox.shopper());
    let chat = ChatId(shopper);
    assert_eq!(api_error(bot.send_message(ChatId(404), "x").await), ApiError::ChatNotFound);
    assert_eq!(api_error(bot.send_message(chat, " \n").await), ApiError::MessageTextIsEmpty);
    // 2049 emoji are 4098 UTF-16 units.
    assert_eq!(api_error(bot.send_message(chat, "😀".repeat(2049)).await), ApiError::MessageIsTooLong);
    bot.send_message(chat, "😀".repeat(2048)).await.unwrap();
    let wide = keyboard("x", &"й".repeat(33));
    assert_eq!(api_error(bot.send_message(chat, "x").reply_markup(wide).await), ApiError::ButtonDataInvalid);
    bot.send_message(chat, "x").reply_markup(keyboard("x", &"й".repeat(32))).await.unwrap();

    let pay = |url: &str| {
        let button = InlineKeyboardButton::url("Pay", url.parse().unwrap());
        bot.send_message(chat, "x").reply_markup(InlineKeyboardMarkup::new([[button]]))
    };
    let error = api_error(pay("http://localhost:8080/services/pay").await).to_string();
    assert!(error.contains("Wrong HTTP URL"), "{error}");
    pay("http://127.0.0.1:8080/services/pay").await.unwrap();

    let his = sandbox.telegram().send_text(shopper, "mine").unwrap();
    let his = MessageId(i32::try_from(his.message_id).unwrap());
    assert_eq!(api_error(bot.edit_message_text(chat, his, "yours").await), ApiError::MessageCantBeEdited);
    let reply = bot.send_message(chat, "x").reply_parameters(ReplyParameters::new(MessageId(77))).await;
    assert_eq!(api_error(reply), ApiError::MessageToReplyNotFound);

    sandbox.telegram().set_blocked(shopper, true).unwrap();
    assert_eq!(api_error(bot.send_message(chat, "x").await), ApiError::BotBlocked);
    sandbox.telegram().set_blocked(shopper, false).unwrap();
    bot.send_message(chat, "x").await.unwrap();
}

#[tokio::test]
async fn html_is_read_strictly_and_counts_without_its_tags() {
    let sandbox = start();
    let (bot, shopper) = (sandbox.bot().parse_mode(ParseMode::Html), sandbox.shopper());
    let chat = ChatId(shopper);
    let sent = bot.send_message(chat, "<b>Jami:</b> 15 000 so'm &amp; <i>rahmat</i>").await.unwrap();
    assert_eq!(sent.text(), Some("Jami: 15 000 so'm & rahmat"));
    assert_eq!(sent.entities().unwrap().len(), 2);
    for broken in ["<b>x", "x</b>", "<div>x</div>", "1 < 2"] {
        let error = api_error(bot.send_message(chat, broken).await);
        assert!(matches!(error, ApiError::CantParseEntities(_)), "{broken}: {error:?}");
    }
    let log = sandbox.telegram().messages(shopper).unwrap();
    let markdown = sandbox.bot().parse_mode(ParseMode::MarkdownV2);
    assert!(markdown.send_message(chat, "*x*").await.is_err(), "the sandbox knows HTML only");
    let [message] = log.as_slice() else { panic!("one message came through, not {log:?}") };
    let Body::Text { text } = &message.body else { panic!("{message:?}") };
    assert_eq!(text.raw, "<b>Jami:</b> 15 000 so'm &amp; <i>rahmat</i>");
}

#[tokio::test]
async fn a_photo_is_uploaded_used_again_copied_and_downloaded() {
    let sandbox = start();
    let (bot, shopper) = (sandbox.bot(), sandbox.shopper());
    let upload = InputFile::memory(PICTURE).file_name("non.png");
    let kept = bot.send_photo(ChatId(STAFF), upload).caption("Non").await.unwrap();
    let photo = kept.photo().unwrap()[0].clone();
    assert_eq!((photo.width, photo.height, kept.caption()), (3, 2, Some("Non")));

    let again = bot.send_photo(ChatId(shopper), InputFile::file_id(photo.file.id.clone())).await.unwrap();
    let longer = bot.edit_message_caption(ChatId(shopper), again.id).caption("Issiq non").await.unwrap();
    assert_eq!(longer.caption(), Some("Issiq non"));
    let other = InputMedia::Photo(InputMediaPhoto::new(InputFile::memory(PICTURE)).caption("Somsa"));
    let other = bot.edit_message_media(ChatId(shopper), again.id, other).await.unwrap();
    assert_ne!(other.photo().unwrap()[0].file.id, photo.file.id);

    let copy = bot.copy_message(ChatId(shopper), ChatId(STAFF), kept.id).await.unwrap();
    assert_eq!(sandbox.telegram().messages(shopper).unwrap()[1].message_id, i64::from(copy.0));
    let forwarded = bot.forward_message(ChatId(shopper), ChatId(STAFF), kept.id).await.unwrap();
    assert!(forwarded.forward_origin().is_some());
    let both = [kept.id, bot.send_message(ChatId(STAFF), "Somsa").await.unwrap().id];
    let copies = bot.copy_messages(ChatId(shopper), ChatId(STAFF), both).await.unwrap();
    assert_eq!(copies.len(), 2, "an album is copied in one call");
    let with_a_gap =
        bot.forward_messages(ChatId(shopper), ChatId(STAFF), [kept.id, MessageId(99)]).await.unwrap();
    assert_eq!(with_a_gap.len(), 1, "what is not there is skipped");
    let unordered = bot.copy_messages(ChatId(shopper), ChatId(STAFF), [both[1], both[0]]).await;
    assert!(unordered.is_err());
    let missing = bot.copy_message(ChatId(shopper), ChatId(STAFF), MessageId(9)).await;
    assert_eq!(api_error(missing), ApiError::MessageToCopyNotFound);

    let file = bot.get_file(photo.file.id).await.unwrap();
    let mut content = Vec::new();
    bot.download_file(&file.path, &mut content).await.unwrap();
    assert_eq!(content, PICTURE);
    assert!(bot.get_file(FileId("nothing".to_owned())).await.is_err());
    let junk = bot.send_photo(ChatId(shopper), InputFile::memory(&b"no picture"[..])).await;
    assert_eq!(api_error(junk), ApiError::ImageProcessFailed);
    let document =
        bot.send_document(ChatId(shopper), InputFile::memory(&b"a,b"[..]).file_name("x.csv")).await.unwrap();
    assert_eq!(document.document().unwrap().file_name.as_deref(), Some("x.csv"));
}

#[tokio::test]
async fn channels_chats_and_members_can_be_asked_about() {
    let sandbox = start();
    let (bot, shopper) = (sandbox.bot(), sandbox.shopper());
    let post = bot.send_message("@tolov_staff".to_owned(), "Yangi buyurtma").await.unwrap();
    assert!(post.chat.is_channel() && post.from.is_none());
    bot.pin_chat_message(ChatId(STAFF), post.id).await.unwrap();
    assert_eq!(bot.get_chat(ChatId(STAFF)).await.unwrap().pinned_message.unwrap().id, post.id);
    bot.unpin_chat_message(ChatId(STAFF)).await.unwrap();
    assert!(bot.get_chat(ChatId(STAFF)).await.unwrap().pinned_message.is_none());
    assert!(bot.get_chat(ChatId(shopper)).await.unwrap().is_private());

    let me = bot.get_me().await.unwrap().id;
    let status = bot.get_chat_member(ChatId(STAFF), me).await.unwrap().kind.status();
    assert_eq!(status, ChatMemberStatus::Administrator);
    let user = UserId(u64::try_from(shopper).unwrap());
    let status = bot.get_chat_member(ChatId(STAFF), user).await.unwrap().kind.status();
    assert_eq!(status, ChatMemberStatus::Left);
}

#[tokio::test]
async fn locations_contacts_commands_and_actions_are_understood() {
    let sandbox = start();
    let (bot, shopper) = (sandbox.bot(), sandbox.shopper());
    let place = bot.send_location(ChatId(shopper), 41.3, 69.2).await.unwrap();
    assert!(place.location().is_some());
    let contact = bot.send_contact(ChatId(shopper), "+998901234567", "Ali").await.unwrap();
    assert_eq!(contact.contact().unwrap().first_name, "Ali");
    bot.send_chat_action(ChatId(shopper), teloxide::types::ChatAction::Typing).await.unwrap();
    bot.set_my_commands([BotCommand::new("start", "Boshlash")]).language_code("uz").await.unwrap();
    assert_eq!(bot.get_my_commands().language_code("uz").await.unwrap()[0].command, "start");
    assert_eq!(sandbox.telegram().commands("uz")[0]["description"], "Boshlash");
    assert!(bot.get_my_commands().await.unwrap().is_empty());
    assert!(bot.set_my_commands([BotCommand::new("Start!", "x")]).await.is_err());
    let share = KeyboardButton::new("Raqam").request(ButtonRequest::Contact);
    bot.send_message(ChatId(shopper), "?").reply_markup(KeyboardMarkup::new([[share]])).await.unwrap();
    assert_eq!(
        sandbox.telegram().last_message(shopper).unwrap().buttons()[0].action,
        ButtonAction::ShareContact
    );
}
