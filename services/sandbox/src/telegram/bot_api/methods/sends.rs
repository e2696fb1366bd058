//! Methods that send a message.

use serde_json::Value;

use crate::telegram::{
    bot_api::params::Params,
    refusal::Refusal,
    state::{
        NewMessage, State,
        files::{FileKind, FileRecord},
        formatting::{FormattedText, MAX_CAPTION_UTF16, MAX_TEXT_UTF16, utf16_len},
        keyboard,
        message::{Body, Contact, Sender},
    },
};

pub(super) fn message(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    send(state, params, |_, params| {
        let text = formatted(params, "text", "entities")?;
        check_text(&text)?;
        Ok(Body::Text { text })
    })
}

pub(super) fn photo(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    send(state, params, |state, params| {
        let caption = caption(params)?;
        Ok(Body::Photo { photo: file(state, FileKind::Photo, params, "photo")?, caption })
    })
}

pub(super) fn document(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    send(state, params, |state, params| {
        let caption = caption(params)?;
        Ok(Body::Document { document: file(state, FileKind::Document, params, "document")?, caption })
    })
}

pub(super) fn location(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    send(state, params, |_, params| {
        let (latitude, longitude) = (params.decimal("latitude")?, params.decimal("longitude")?);
        if !(-90.0..=90.0).contains(&latitude) || !(-180.0..=180.0).contains(&longitude) {
            return Err(Refusal::bad_request("wrong latitude or longitude specified"));
        }
        Ok(Body::Location { latitude, longitude })
    })
}

pub(super) fn contact(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    send(state, params, |_, params| {
        let required = |name: &str, error: &str| {
            params.text(name).filter(|text| !text.is_empty()).ok_or_else(|| Refusal::bad_request(error))
        };
        Ok(Body::Contact {
            contact: Contact {
                phone_number: required("phone_number", "contact phone number is empty")?,
                first_name: required("first_name", "contact first name is empty")?,
                last_name: params.text("last_name"),
                user_id: None,
            },
        })
    })
}

pub(super) fn chat_action(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    state.reachable(&params.recipient("chat_id")?)?;
    if params.text("action").is_none_or(|action| action.is_empty()) {
        return Err(Refusal::bad_request("wrong parameter action in request"));
    }
    Ok(true.into())
}

/// The file of a parameter: an upload, the id of an earlier file, or an address.
fn file(state: &mut State, kind: FileKind, params: &Params, name: &str) -> Result<FileRecord, Refusal> {
    if let Some(upload) = params.upload(name) {
        return state.files.store(kind, upload);
    }
    let reference = params.text(name).filter(|reference| !reference.is_empty());
    let missing = || Refusal::bad_request(format_args!("there is no {name} in the request"));
    state.files.of_reference(kind, &reference.ok_or_else(missing)?)
}

pub(super) fn send(
    state: &mut State,
    params: &Params,
    body: impl FnOnce(&mut State, &Params) -> Result<Body, Refusal>,
) -> Result<Value, Refusal> {
    let chat_id = state.reachable(&params.recipient("chat_id")?)?;
    let reply_markup = keyboard::check(params.json("reply_markup")?)?;
    let reply_to_message_id = reply_to(state, chat_id, params)?;
    let body = body(state, params)?;
    let new = NewMessage { reply_markup, reply_to_message_id, ..NewMessage::new(Sender::Bot, body) };
    let message = state.append(chat_id, new)?;
    Ok(state.message_json(&message))
}

/// The message that is replied to. A missing one is refused, unless the call allows sending without a reply.
pub(super) fn reply_to(state: &State, chat_id: i64, params: &Params) -> Result<Option<i64>, Refusal> {
    let Some(reply) = params.json("reply_parameters")? else { return Ok(None) };
    let Some(message_id) = reply.get("message_id").and_then(Value::as_i64) else { return Ok(None) };
    let is_there = state.chats.get(&chat_id).is_some_and(|chat| chat.present(message_id).is_some());
    let may_lack = reply.get("allow_sending_without_reply").and_then(Value::as_bool) == Some(true);
    match (is_there, may_lack) {
        (true, _) => Ok(Some(message_id)),
        (false, true) => Ok(None),
        (false, false) => Err(Refusal::bad_request("message to be replied not found")),
    }
}

/// A text parameter, in the call's parse mode.
pub(super) fn formatted(params: &Params, name: &str, entities: &str) -> Result<FormattedText, Refusal> {
    FormattedText::parse(
        params.text(name).unwrap_or_default(),
        params.text("parse_mode"),
        params.json(entities)?,
    )
}

fn check_text(text: &FormattedText) -> Result<(), Refusal> {
    if text.is_blank() {
        return Err(Refusal::bad_request("message text is empty"));
    }
    if utf16_len(&text.text) > MAX_TEXT_UTF16 {
        return Err(Refusal::bad_request("message is too long"));
    }
    Ok(())
}

pub(super) fn caption(params: &Params) -> Result<FormattedText, Refusal> {
    let caption = formatted(params, "caption", "caption_entities")?;
    check_caption(&caption)?;
    Ok(caption)
}

pub(super) fn check_caption(caption: &FormattedText) -> Result<(), Refusal> {
    if utf16_len(&caption.text) > MAX_CAPTION_UTF16 {
        return Err(Refusal::bad_request("message caption is too long"));
    }
    Ok(())
}
