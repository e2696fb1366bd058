//! copyMessage and forwardMessage.

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
            Body::Text { .. } | Body::Location { .. } | Body::Contact { .. } => {}
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
    let origin = source.forward_origin.clone().unwrap_or_else(|| origin(state, &source));
    let new = NewMessage { forward_origin: Some(origin), ..NewMessage::new(Sender::Bot, source.body) };
    let message = state.append(chat_id, new)?;
    Ok(state.message_json(&message))
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
