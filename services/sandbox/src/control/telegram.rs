//! `/sandbox/telegram/…`

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::json;

use super::request::{Answer, Refused, Request, done, id, ok, unknown};
use crate::{
    telegram::{Call, Channel, Contact, ControlError, Fault, NewShopper, Tap, Telegram, picture_type},
    web::reply::{json_with, reply_with},
};

#[derive(Deserialize)]
struct Text {
    text: String,
}

#[derive(Deserialize)]
struct NewText {
    text: String,
    reply_to_message_id: Option<i64>,
}

/// A file as text, so that it can be sent as JSON.
#[derive(Deserialize)]
struct Upload {
    content_base64: String,
    #[serde(default)]
    caption: String,
    file_name: Option<String>,
}

impl Upload {
    fn content(&self) -> Result<Bytes, Refused> {
        let content = STANDARD.decode(&self.content_base64).map(Bytes::from);
        content.map_err(|error| {
            Refused::new(StatusCode::UNPROCESSABLE_ENTITY, format_args!("content_base64: {error}"))
        })
    }
}

#[derive(Deserialize)]
struct Query {
    query: String,
}

/// A [`Tap`] of a person in a channel.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelTap {
    shopper_id: i64,
    message_id: Option<i64>,
    data: Option<String>,
    text: Option<String>,
}

/// `None`: the newest invoice.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InvoiceMessage {
    message_id: Option<i64>,
}

#[derive(Deserialize)]
struct Location {
    latitude: f64,
    longitude: f64,
}

#[derive(Deserialize)]
struct Enforce {
    enforce: bool,
}

pub(super) async fn answer(telegram: &Telegram, path: &[&str], request: &Request) -> Answer {
    match (request.method.as_str(), path) {
        ("GET", ["shoppers"]) => Ok(ok(&telegram.shoppers())),
        ("POST", ["shoppers"]) => {
            let shopper = telegram.create_shopper(request.json::<NewShopper>()?).map_err(refused)?;
            Ok(json_with(StatusCode::CREATED, &shopper))
        }
        (_, ["shoppers", _, "pay_invoice" | "check_out"] | ["checkouts", ..]) => {
            invoices(telegram, path, request).await
        }
        ("POST", ["shoppers", shopper, act]) => act_of_shopper(telegram, id(shopper)?, act, request),
        ("GET", ["channels"]) => Ok(ok(&telegram.channels())),
        ("POST", ["channels"]) => {
            let channel: Channel = request.json()?;
            telegram.create_channel(channel.clone()).map_err(refused)?;
            Ok(json_with(StatusCode::CREATED, &channel))
        }
        ("POST", ["channels", channel, "post"]) => {
            let Text { text } = request.json()?;
            Ok(ok(&telegram.post_to_channel(id(channel)?, &text).map_err(refused)?))
        }
        ("POST", ["channels", channel, "tap"]) => {
            let ChannelTap { shopper_id, message_id, data, text } = request.json()?;
            let tap = Tap { message_id, data, text };
            Ok(ok(&telegram.tap_in_channel(id(channel)?, shopper_id, &tap).map_err(refused)?))
        }
        ("GET", ["updates", "confirmed"]) => {
            telegram.wait_until_confirmed(request.timeout()?).await.map_err(refused)?;
            Ok(done())
        }
        ("GET", ["chats"]) => Ok(ok(&telegram.chats())),
        ("GET", ["chats", chat, "messages"]) => messages(telegram, id(chat)?, request),
        ("GET", ["files", file @ ..]) => picture(telegram, &file.join("/")),
        ("GET", ["chats", chat, "wait"]) => wait(telegram, id(chat)?, request).await,
        ("GET", ["taps"]) => Ok(ok(&telegram.taps())),
        ("GET", ["taps", tap, "answer"]) => {
            Ok(ok(&telegram.wait_for_answer(tap, request.timeout()?).await.map_err(refused)?))
        }
        ("GET", ["inline_queries", query, "answer"]) if request.text("timeout_ms").is_some() => {
            let answered = telegram.wait_for_inline_answer(query, request.timeout()?).await;
            Ok(ok(&answered.map_err(refused)?))
        }
        ("GET", ["inline_queries", query, "answer"]) => {
            let answer = telegram.inline_answer(query);
            answer.map(|answer| ok(&answer)).ok_or_else(unknown)
        }
        ("GET", ["counts"]) => Ok(ok(&telegram.counts())),
        ("GET", ["sends"]) => Ok(ok(&selected(telegram.sends(), request)?)),
        ("GET", ["calls"]) => Ok(ok(&selected(telegram.calls(), request)?)),
        ("GET", ["revision"]) => Ok(ok(&json!({ "revision": telegram.revision() }))),
        ("GET", ["faults"]) => Ok(ok(&telegram.faults())),
        ("POST", ["faults"]) => {
            telegram.inject(request.json::<Fault>()?).map_err(refused)?;
            Ok(done())
        }
        ("DELETE", ["faults"]) => {
            telegram.clear_faults();
            Ok(done())
        }
        ("POST", ["limits"]) => {
            telegram.enforce_limits(request.json::<Enforce>()?.enforce);
            Ok(done())
        }
        _ => Err(unknown()),
    }
}

/// Invoices: paid, or step by step.
async fn invoices(telegram: &Telegram, path: &[&str], request: &Request) -> Answer {
    let checkout = match (request.method.as_str(), path) {
        ("POST", ["shoppers", shopper, "pay_invoice"]) => {
            let InvoiceMessage { message_id } = request.json()?;
            telegram.pay_invoice(id(shopper)?, message_id).await
        }
        ("POST", ["shoppers", shopper, "check_out"]) => {
            let InvoiceMessage { message_id } = request.json()?;
            telegram.check_out(id(shopper)?, message_id)
        }
        ("GET", ["checkouts", checkout, "answer"]) => {
            telegram.wait_for_checkout(checkout, request.timeout()?).await
        }
        ("POST", ["checkouts", checkout, "take_money"]) => telegram.take_money(checkout),
        _ => return Err(unknown()),
    };
    Ok(ok(&checkout.map_err(refused)?))
}

fn act_of_shopper(telegram: &Telegram, shopper_id: i64, act: &str, request: &Request) -> Answer {
    let message = match act {
        "text" => {
            let NewText { text, reply_to_message_id } = request.json()?;
            match reply_to_message_id {
                Some(message_id) => telegram.reply(shopper_id, message_id, &text),
                None => telegram.send_text(shopper_id, &text),
            }
        }
        "contact" => {
            let contact = if request.has_body() { Some(request.json::<Contact>()?) } else { None };
            telegram.share_contact(shopper_id, contact)
        }
        "location" => {
            let Location { latitude, longitude } = request.json()?;
            telegram.share_location(shopper_id, latitude, longitude)
        }
        "photo" => {
            let upload: Upload = request.json()?;
            telegram.send_photo(shopper_id, upload.content()?, &upload.caption)
        }
        "document" => {
            let upload: Upload = request.json()?;
            let file_name = upload.file_name.as_deref().unwrap_or("file");
            telegram.send_document(shopper_id, file_name, upload.content()?, &upload.caption)
        }
        "tap" => {
            let tapped = telegram.tap(shopper_id, &request.json::<Tap>()?).map_err(refused)?;
            return Ok(ok(&tapped));
        }
        "inline_query" => {
            let query =
                telegram.inline_query(shopper_id, &request.json::<Query>()?.query).map_err(refused)?;
            return Ok(ok(&json!({ "inline_query_id": query })));
        }
        "block" | "unblock" => {
            telegram.set_blocked(shopper_id, act == "block").map_err(refused)?;
            return Ok(done());
        }
        _ => return Err(unknown()),
    };
    message.map(|message| ok(&message)).map_err(refused)
}

/// The messages of a chat, or those that the query selects.
fn messages(telegram: &Telegram, chat_id: i64, request: &Request) -> Answer {
    let mut messages = telegram.messages(chat_id).map_err(refused)?;
    if let Some(revision) = request.number::<u64>("after_revision")? {
        messages.retain(|message| message.revision > revision);
    }
    if let Some(before) = request.number::<i64>("before")? {
        messages.retain(|message| message.message_id < before);
    }
    if let Some(last) = request.number::<usize>("last")? {
        messages.drain(..messages.len().saturating_sub(last));
    }
    Ok(ok(&messages))
}

/// Serves pictures alone: any other file could run as a script of this address.
fn picture(telegram: &Telegram, path: &str) -> Answer {
    let content = telegram.file(path).filter(|content| !content.is_empty()).ok_or_else(unknown)?;
    let kind = picture_type(&content).ok_or_else(unknown)?;
    let mut response = reply_with(StatusCode::OK, kind, content);
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=3600"));
    Ok(response)
}

async fn wait(telegram: &Telegram, chat_id: i64, request: &Request) -> Answer {
    let wanted = request.text("contains").unwrap_or_default();
    let revision = request.number("after_revision")?.unwrap_or(0);
    let found = telegram.wait_for(chat_id, wanted, revision, request.timeout()?).await;
    found.map(|message| ok(&message)).map_err(refused)
}

/// The calls that the query selects.
fn selected(mut calls: Vec<Call>, request: &Request) -> Result<Vec<Call>, Refused> {
    let chat_id: Option<i64> = request.number("chat_id")?;
    let method = request.text("method");
    calls.retain(|call| {
        chat_id.is_none_or(|id| call.chat_id == Some(id))
            && method.is_none_or(|method| call.method.eq_ignore_ascii_case(method))
    });
    Ok(calls)
}

fn refused(error: ControlError) -> Refused {
    let status = match &error {
        ControlError::NoShopper(_)
        | ControlError::NoChat(_)
        | ControlError::NoMessage { .. }
        | ControlError::NoButton { .. } => StatusCode::NOT_FOUND,
        ControlError::ChatExists(_) | ControlError::Blocked(_) | ControlError::NoPhoneNumber(_) => {
            StatusCode::CONFLICT
        }
        ControlError::WrongId(..) | ControlError::TooLong(_) | ControlError::NotAPhoto => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        ControlError::Timeout { .. } | ControlError::NoAnswer { .. } | ControlError::NotConfirmed { .. } => {
            StatusCode::REQUEST_TIMEOUT
        }
        ControlError::Full(_) => StatusCode::INSUFFICIENT_STORAGE,
    };
    Refused::new(status, error)
}
