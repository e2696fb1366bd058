//! copyMessage and forwardMessage, and the same for several messages.

use serde_json::{Value, json};

use super::sends;
use crate::telegram::{
    bot_api::params::Params,
    refusal::Refusal,
    state::{
        NewMessage, State,
        chat::bot_user,
        keyboard,
        message::{Body, Message, Sender},
    },
};

pub(super) fn copy_message(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let chat_id = state.reachable(&params.recipient("chat_id")?)?;
    let source = source(state, params, "message to copy not found")?;
    let mut body = source.body;
    if params.text("caption").is_some() {
        let new_caption = sends::caption(params)?;
        match &mut body {
            Body::Photo { caption, .. } | Body::Document { caption, .. } => *caption = new_caption,
            Body::Text { .. }
            | Body::Location { .. }
            | Body::Contact { .. }
            | Body::Invoice { .. }
            | Body::SuccessfulPayment { .. } => {}
        }
    }
    let reply_markup = keyboard::check(params.json("reply_markup")?)?;
    let reply_to_message_id = sends::reply_to(state, chat_id, params)?;
    let new = NewMessage { reply_markup, reply_to_message_id, ..NewMessage::new(Sender::Bot, body) };
    let message = state.append(chat_id, new)?;
    Ok(json!({ "message_id": message.message_id }))
}

pub(super) fn forward_message(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let chat_id = state.reachable(&params.recipient("chat_id")?)?;
    let source = source(state, params, "message to forward not found")?;
    let message = forward(state, chat_id, source)?;
    Ok(state.message_json(&message))
}

fn forward(state: &mut State, chat_id: i64, source: Message) -> Result<Message, Refusal> {
    let origin = source.forward_origin.clone().unwrap_or_else(|| origin(state, &source));
    let new = NewMessage { forward_origin: Some(origin), ..NewMessage::new(Sender::Bot, source.body) };
    state.append(chat_id, new)
}

pub(super) fn copy_messages(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    each(state, params, |state, chat_id, source| {
        state.append(chat_id, NewMessage::new(Sender::Bot, source.body))
    })
}

pub(super) fn forward_messages(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    each(state, params, forward)
}

/// Messages that are not there are skipped, as with Telegram.
fn each(
    state: &mut State,
    params: &Params,
    send: impl Fn(&mut State, i64, Message) -> Result<Message, Refusal>,
) -> Result<Value, Refusal> {
    const MAX_AT_ONCE: usize = 100;
    let chat_id = state.reachable(&params.recipient("chat_id")?)?;
    let ids = params.json("message_ids")?.and_then(|ids| serde_json::from_value::<Vec<i64>>(ids).ok());
    let ids = ids
        .filter(|ids| !ids.is_empty())
        .ok_or_else(|| Refusal::bad_request("message identifiers are not specified"))?;
    if ids.len() > MAX_AT_ONCE {
        return Err(Refusal::bad_request("too many message identifiers specified"));
    }
    if !ids.is_sorted_by(|one, next| one < next) {
        return Err(Refusal::bad_request("message identifiers must be in a strictly increasing order"));
    }
    let chat = state.chat(&params.recipient("from_chat_id")?)?;
    let sources: Vec<Message> = ids.into_iter().filter_map(|id| chat.present(id).cloned()).collect();
    let mut sent = Vec::with_capacity(sources.len());
    for source in sources {
        sent.push(json!({ "message_id": send(state, chat_id, source)?.message_id }));
    }
    Ok(sent.into())
}

fn source(state: &State, params: &Params, missing: &str) -> Result<Message, Refusal> {
    let chat = state.chat(&params.recipient("from_chat_id")?)?;
    chat.present(params.message_id()?).cloned().ok_or_else(|| Refusal::bad_request(missing))
}

/// The MessageOrigin object: the first sender.
fn origin(state: &State, source: &Message) -> Value {
    let date = source.sent_at_ms / 1000;
    let Some(chat) = state.chats.get(&source.chat_id) else { return Value::Null };
    match (chat.shopper(), source.from) {
        (None, _) => json!({
            "type": "channel", "date": date, "chat": chat.to_json(), "message_id": source.message_id,
        }),
        (Some(_), Sender::Bot) => {
            json!({ "type": "user", "date": date, "sender_user": bot_user(state.bot_id, &state.bot) })
        }
        (Some(shopper), Sender::Person) => {
            json!({ "type": "user", "date": date, "sender_user": shopper.to_json() })
        }
    }
}
