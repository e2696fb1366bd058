//! People tap buttons, inline ones and those of the reply keyboard.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::shoppers::{own_contact, say, shopper};
use crate::telegram::{
    emulator::Telegram,
    error::ControlError,
    state::{
        State,
        formatting::FormattedText,
        keyboard::{Button, ButtonAction},
        message::{Body, Message},
        records::CallbackQuery,
    },
};

/// The button to tap.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tap {
    /// `None`: the newest message that shows the button.
    pub message_id: Option<i64>,
    /// The callback data of the button.
    pub data: Option<String>,
    /// The button's text, or a part of it if no button has exactly that text.
    pub text: Option<String>,
}

impl Tap {
    /// The button with this text.
    pub fn text(text: &str) -> Self {
        Self { text: Some(text.to_owned()), ..Self::default() }
    }

    /// The inline button with this callback data.
    pub fn data(data: &str) -> Self {
        Self { data: Some(data.to_owned()), ..Self::default() }
    }

    #[must_use]
    pub fn in_message(self, message_id: i64) -> Self {
        Self { message_id: Some(message_id), ..self }
    }

    fn find(&self, buttons: Vec<Button>) -> Option<Button> {
        let has_data = |button: &Button| match (&self.data, &button.action) {
            (None, _) => true,
            (Some(wanted), ButtonAction::Callback(data)) => wanted == data,
            (Some(_), _) => false,
        };
        let candidates: Vec<Button> = buttons.into_iter().filter(has_data).collect();
        let Some(text) = &self.text else {
            return candidates.into_iter().next().filter(|_| self.data.is_some());
        };
        let exact = candidates.iter().position(|button| button.text == *text);
        let position = exact.or_else(|| candidates.iter().position(|button| button.text.contains(text)))?;
        candidates.into_iter().nth(position)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "tapped", rename_all = "snake_case")]
pub enum Tapped {
    /// The bot got a callback query of this id.
    Callback { callback_query_id: String, message_id: i64, revision: u64 },
    /// The button only opens an address.
    Link { url: String },
    /// The shopper's app sent a message.
    Sent { message: Box<Message> },
}

impl Telegram {
    /// A shopper taps a button that is shown in the private chat.
    pub fn tap(&self, shopper_id: i64, tap: &Tap) -> Result<Tapped, ControlError> {
        self.tap_in(shopper_id, shopper_id, tap)
    }

    /// A person taps an inline button under a post of a channel, as staff do.
    pub fn tap_in_channel(
        &self,
        channel_id: i64,
        shopper_id: i64,
        tap: &Tap,
    ) -> Result<Tapped, ControlError> {
        self.read(|state| match state.chats.get(&channel_id) {
            Some(chat) if chat.shopper().is_none() => Ok(()),
            _ => Err(ControlError::NoChat(channel_id)),
        })?;
        self.tap_in(channel_id, shopper_id, tap)
    }

    fn tap_in(&self, chat_id: i64, shopper_id: i64, tap: &Tap) -> Result<Tapped, ControlError> {
        self.change(|state| {
            shopper(state, shopper_id)?;
            let (message, button) = find_button(state, chat_id, tap)?;
            match button.action {
                ButtonAction::Callback(data) => send_callback(state, shopper_id, &message, data),
                ButtonAction::Link(url) => Ok(Tapped::Link { url }),
                ButtonAction::Text => {
                    let text = FormattedText::typed(&button.text);
                    say(state, shopper_id, Body::Text { text }).map(sent)
                }
                ButtonAction::ShareContact => {
                    let contact = own_contact(state, shopper_id)?;
                    say(state, shopper_id, Body::Contact { contact }).map(sent)
                }
                ButtonAction::ShareLocation => {
                    let (latitude, longitude) = TASHKENT;
                    say(state, shopper_id, Body::Location { latitude, longitude }).map(sent)
                }
                ButtonAction::Other(_) => Err(no_button(state, chat_id, tap)),
            }
        })
    }
}

/// Every shopper's location.
const TASHKENT: (f64, f64) = (41.311_081, 69.240_562);

fn sent(message: Message) -> Tapped {
    Tapped::Sent { message: Box::new(message) }
}

fn find_button(state: &State, chat_id: i64, tap: &Tap) -> Result<(Message, Button), ControlError> {
    if let Some(message_id) = tap.message_id
        && !state.shown(chat_id).any(|message| message.message_id == message_id)
    {
        return Err(ControlError::NoMessage { chat_id, message_id });
    }
    shown_keyboards(state, chat_id)
        .filter(|message| tap.message_id.is_none_or(|id| id == message.message_id))
        .find_map(|message| Some((message.clone(), tap.find(message.buttons())?)))
        .ok_or_else(|| no_button(state, chat_id, tap))
}

/// Messages whose buttons can be tapped: all with inline keyboards, and the newest with a reply keyboard.
fn shown_keyboards(state: &State, chat_id: i64) -> impl Iterator<Item = &Message> {
    let changes_keyboard =
        |message: &&Message| message.reply_markup.is_some() && !message.has_inline_keyboard();
    let keyboard = state.shown(chat_id).find(changes_keyboard).map(|message| message.message_id);
    state
        .shown(chat_id)
        .filter(move |message| message.has_inline_keyboard() || Some(message.message_id) == keyboard)
}

fn no_button(state: &State, chat_id: i64, tap: &Tap) -> ControlError {
    let wanted = tap.text.as_ref().or(tap.data.as_ref()).map_or("at all", String::as_str);
    let shown: Vec<String> = shown_keyboards(state, chat_id)
        .take(5)
        .flat_map(Message::buttons)
        .map(|button| format!("{:?}", button.text))
        .take(50)
        .collect();
    ControlError::NoButton { chat_id, wanted: format!("{wanted:?}"), shown: shown.join(", ") }
}

fn send_callback(
    state: &mut State,
    shopper_id: i64,
    message: &Message,
    data: String,
) -> Result<Tapped, ControlError> {
    let from = shopper(state, shopper_id)?.to_json();
    let id = state.next_query_id();
    let update = json!({
        "id": id,
        "from": from,
        "message": state.message_json(message),
        "chat_instance": message.chat_id.to_string(),
        "data": data,
    });
    state.updates.push("callback_query", &update);
    state.callbacks.push(CallbackQuery {
        id: id.clone(),
        shopper_id,
        chat_id: message.chat_id,
        message_id: message.message_id,
        data,
        tapped_at_ms: state.now_ms,
        answer: None,
    });
    Ok(Tapped::Callback { callback_query_id: id, message_id: message.message_id, revision: state.revision })
}
