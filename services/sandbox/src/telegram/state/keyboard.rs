//! `reply_markup`: what Telegram accepts, and the buttons in it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::telegram::refusal::Refusal;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    pub text: String,
    pub action: ButtonAction,
}

/// What a tap does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ButtonAction {
    /// An inline button with callback data.
    Callback(String),
    /// An inline button that opens an address.
    Link(String),
    /// A button of the reply keyboard that sends its text.
    Text,
    /// A button of the reply keyboard that shares the shopper's phone number.
    ShareContact,
    /// A button of the reply keyboard that shares the shopper's location.
    ShareLocation,
    /// Another inline button, by the name of its field.
    Other(String),
}

const MAX_CALLBACK_BYTES: usize = 64;
const SCHEMES: [&str; 4] = ["http", "https", "tg", "ton"];
const MAX_BUTTONS: usize = 100;
const MAX_MARKUP_BYTES: usize = 64 * 1024;
const MARKUPS: [&str; 4] = ["inline_keyboard", "keyboard", "remove_keyboard", "force_reply"];
const INLINE_ACTIONS: [&str; 10] = [
    "callback_data",
    "url",
    "login_url",
    "web_app",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
];

/// Refuses what Telegram refuses. An empty inline keyboard is none.
pub(crate) fn check(markup: Option<Value>) -> Result<Option<Value>, Refusal> {
    let Some(markup) = markup else { return Ok(None) };
    if markup.to_string().len() > MAX_MARKUP_BYTES {
        return Err(Refusal::bad_request("reply markup is too long"));
    }
    if !MARKUPS.iter().any(|kind| markup.get(kind).is_some()) {
        return Err(Refusal::bad_request("object expected as reply markup"));
    }
    let Some(rows) = markup.get("inline_keyboard") else { return Ok(Some(markup)) };
    let rows = rows.as_array().ok_or_else(|| {
        Refusal::bad_request(
            "can't parse reply keyboard markup JSON object: field \"inline_keyboard\" must be of type Array",
        )
    })?;
    let mut buttons = 0;
    for button in rows.iter().flat_map(|row| row.as_array().into_iter().flatten()) {
        check_inline_button(button)?;
        buttons += 1;
    }
    match buttons {
        0 => Ok(None),
        1..=MAX_BUTTONS => Ok(Some(markup)),
        _ => Err(Refusal::bad_request("reply markup is too long")),
    }
}

fn check_inline_button(button: &Value) -> Result<(), Refusal> {
    let text = button.get("text").and_then(Value::as_str).unwrap_or_default();
    if text.trim().is_empty() {
        return Err(Refusal::bad_request("inline keyboard button text must be non-empty"));
    }
    if let Some(data) = button.get("callback_data").and_then(Value::as_str) {
        if !(1..=MAX_CALLBACK_BYTES).contains(&data.len()) {
            return Err(Refusal::bad_request("BUTTON_DATA_INVALID"));
        }
    } else if let Some(link) = button.get("url").and_then(Value::as_str) {
        let url = url::Url::parse(link).ok().filter(|url| SCHEMES.contains(&url.scheme()));
        let Some(url) = url else { return Err(Refusal::bad_request("BUTTON_URL_INVALID")) };
        let has_dot = url.host_str().is_some_and(|host| host.contains(['.', ':']));
        if url.scheme().starts_with("http") && !has_dot {
            let reason = format!("inline keyboard button URL '{link}' is invalid: Wrong HTTP URL");
            return Err(Refusal::bad_request(reason));
        }
    } else if !INLINE_ACTIONS.iter().any(|action| button.get(action).is_some()) {
        return Err(Refusal::bad_request(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ));
    }
    Ok(())
}

/// The same for an edit, which can only have an inline keyboard.
pub(crate) fn check_inline(markup: Option<Value>) -> Result<Option<Value>, Refusal> {
    if markup.as_ref().is_some_and(|markup| markup.get("inline_keyboard").is_none()) {
        return Err(Refusal::bad_request("inline keyboard expected"));
    }
    check(markup)
}

/// The buttons of a markup, row after row.
pub(crate) fn buttons(markup: Option<&Value>) -> Vec<Button> {
    let rows = |field: &str| markup.and_then(|markup| markup.get(field)).and_then(Value::as_array);
    let (rows, read): (_, fn(&Value) -> Option<Button>) = match (rows("inline_keyboard"), rows("keyboard")) {
        (Some(rows), _) => (rows, inline_button),
        (None, Some(rows)) => (rows, reply_button),
        (None, None) => return Vec::new(),
    };
    rows.iter().flat_map(|row| row.as_array().into_iter().flatten()).filter_map(read).collect()
}

fn inline_button(button: &Value) -> Option<Button> {
    let text = button.get("text")?.as_str()?.to_owned();
    let field = |name: &str| button.get(name).and_then(Value::as_str).map(str::to_owned);
    let action = if let Some(data) = field("callback_data") {
        ButtonAction::Callback(data)
    } else if let Some(url) = field("url") {
        ButtonAction::Link(url)
    } else {
        let kind = INLINE_ACTIONS.iter().find(|action| button.get(action).is_some())?;
        ButtonAction::Other((*kind).to_owned())
    };
    Some(Button { text, action })
}

/// An object, or only its text.
fn reply_button(button: &Value) -> Option<Button> {
    let text = button.as_str().or_else(|| button.get("text")?.as_str())?.to_owned();
    let asks = |name: &str| button.get(name).and_then(Value::as_bool) == Some(true);
    let action = if asks("request_contact") {
        ButtonAction::ShareContact
    } else if asks("request_location") {
        ButtonAction::ShareLocation
    } else {
        ButtonAction::Text
    };
    Some(Button { text, action })
}
