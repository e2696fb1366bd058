//! Methods that edit a message of the bot.

use serde_json::Value;

use super::sends::{check_caption, formatted};
use crate::telegram::{
    bot_api::params::Params,
    refusal::Refusal,
    state::{
        State,
        files::FileKind,
        formatting::{FormattedText, utf16_len},
        keyboard,
        message::{Body, Message, Sender},
    },
};

pub(super) fn text(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let (chat_id, old) = editable(state, params)?;
    let text = formatted(params, "text", "entities")?;
    if text.is_blank() {
        return Err(Refusal::bad_request("message text is empty"));
    }
    if utf16_len(&text.text) > old.body.max_utf16() {
        return Err(Refusal::bad_request("MESSAGE_TOO_LONG"));
    }
    let body = match &old.body {
        Body::Text { .. } => Body::Text { text },
        Body::Photo { .. }
        | Body::Document { .. }
        | Body::Location { .. }
        | Body::Contact { .. }
        | Body::Invoice { .. }
        | Body::SuccessfulPayment { .. } => {
            return Err(Refusal::bad_request("there is no text in the message to edit"));
        }
    };
    apply(state, chat_id, &old, body, markup(params)?)
}

pub(super) fn caption(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let (chat_id, old) = editable(state, params)?;
    let caption = super::sends::caption(params)?;
    let body = match &old.body {
        Body::Photo { photo, .. } => Body::Photo { photo: photo.clone(), caption },
        Body::Document { document, .. } => Body::Document { document: document.clone(), caption },
        Body::Text { .. }
        | Body::Location { .. }
        | Body::Contact { .. }
        | Body::Invoice { .. }
        | Body::SuccessfulPayment { .. } => {
            return Err(Refusal::bad_request("there is no caption in the message to edit"));
        }
    };
    apply(state, chat_id, &old, body, markup(params)?)
}

/// A text message can become a photo, but not the reverse.
pub(super) fn media(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let (chat_id, old) = editable(state, params)?;
    let media = params.json("media")?.ok_or_else(|| Refusal::bad_request("input media is not specified"))?;
    let field = |name: &str| media.get(name).and_then(Value::as_str).map(str::to_owned);
    let caption = FormattedText::parse(
        field("caption").unwrap_or_default(),
        field("parse_mode"),
        media.get("caption_entities").cloned(),
    )?;
    check_caption(&caption)?;
    let reference = field("media").ok_or_else(|| Refusal::bad_request("media not found"))?;
    let mut file = |kind| match params.attached(&reference) {
        Some(upload) => state.files.store(kind, upload),
        None => state.files.of_reference(kind, &reference),
    };
    let body = match field("type").as_deref() {
        Some("photo") => Body::Photo { photo: file(FileKind::Photo)?, caption },
        Some("document") => Body::Document { document: file(FileKind::Document)?, caption },
        _ => {
            return Err(Refusal::bad_request(
                "unsupported input media type for the sandbox: photo or document",
            ));
        }
    };
    if matches!(
        old.body,
        Body::Location { .. } | Body::Contact { .. } | Body::Invoice { .. } | Body::SuccessfulPayment { .. }
    ) {
        return Err(Refusal::bad_request("message can't be edited"));
    }
    apply(state, chat_id, &old, body, markup(params)?)
}

pub(super) fn reply_markup(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let (chat_id, old) = editable(state, params)?;
    let body = old.body.clone();
    apply(state, chat_id, &old, body, markup(params)?)
}

/// Without a keyboard in the call the message loses its own, as with Telegram.
fn markup(params: &Params) -> Result<Option<Value>, Refusal> {
    keyboard::check_inline(params.json("reply_markup")?)
}

/// The message of the call, if the bot may edit it.
fn editable(state: &mut State, params: &Params) -> Result<(i64, Message), Refusal> {
    let chat_id = state.reachable(&params.recipient("chat_id")?)?;
    let message_id = params.message_id()?;
    let message = state
        .chats
        .get(&chat_id)
        .and_then(|chat| chat.present(message_id))
        .ok_or_else(|| Refusal::bad_request("message to edit not found"))?;
    let replies_to_keyboard = message.reply_markup.is_some() && !message.has_inline_keyboard();
    if message.from != Sender::Bot || message.forward_origin.is_some() || replies_to_keyboard {
        return Err(Refusal::bad_request("message can't be edited"));
    }
    Ok((chat_id, message.clone()))
}

fn apply(
    state: &mut State,
    chat_id: i64,
    old: &Message,
    body: Body,
    reply_markup: Option<Value>,
) -> Result<Value, Refusal> {
    if shows_the_same(&old.body, &body) && old.reply_markup == reply_markup {
        return Err(Refusal::not_modified());
    }
    let now_ms = state.now_ms;
    let edited = state
        .update_message(chat_id, old.message_id, |message| {
            message.edit(body, reply_markup, now_ms);
            message.clone()
        })
        .ok_or_else(|| Refusal::bad_request("message to edit not found"))?;
    Ok(state.message_json(&edited))
}

/// Telegram compares what is shown, not the markup.
fn shows_the_same(old: &Body, new: &Body) -> bool {
    let seen = |body: &Body| body.formatted().map(|text| (text.text.clone(), text.entities.clone()));
    let file = |body: &Body| match body {
        Body::Photo { photo, .. } => Some(photo.file_id.clone()),
        Body::Document { document, .. } => Some(document.file_id.clone()),
        Body::Text { .. }
        | Body::Location { .. }
        | Body::Contact { .. }
        | Body::Invoice { .. }
        | Body::SuccessfulPayment { .. } => None,
    };
    seen(old) == seen(new) && file(old) == file(new)
}
