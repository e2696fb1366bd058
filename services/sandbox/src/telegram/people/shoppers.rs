//! People create chats, write, and send files.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::telegram::{
    emulator::Telegram,
    error::ControlError,
    state::{
        MAX_CHATS, NewMessage, State,
        chat::{Channel, Chat, ChatKind, NewShopper, Shopper, bot_user},
        files::{FileKind, Upload},
        formatting::{FormattedText, MAX_TEXT_UTF16, utf16_len},
        message::{Body, Contact, Message, Sender},
    },
};

/// Telegram's user ids have at most 52 significant bits.
const MAX_USER_ID: i64 = 1 << 52;

impl Telegram {
    /// Creates a person with a private chat, to which the bot can write at once.
    pub fn create_shopper(&self, new: NewShopper) -> Result<Shopper, ControlError> {
        self.change(|state| {
            let id = new.id.unwrap_or(state.next_shopper_id);
            if !(1..=MAX_USER_ID).contains(&id) {
                return Err(ControlError::WrongId(id, "shopper: it must be from 1 to 2^52"));
            }
            state.next_shopper_id = state.next_shopper_id.max(id + 1);
            let shopper = Shopper {
                id,
                first_name: new.first_name.unwrap_or_else(|| format!("Shopper {id}")),
                last_name: new.last_name,
                username: new.username,
                language_code: new.language_code,
                phone_number: new.phone_number.or_else(|| Some(format!("+99890{:07}", id % 10_000_000))),
            };
            add_chat(state, ChatKind::Private(shopper.clone())).map(|()| shopper)
        })
    }

    pub fn shoppers(&self) -> Vec<Shopper> {
        self.read(|state| state.chats.values().filter_map(Chat::shopper).cloned().collect())
    }

    /// Creates a channel that the bot administers.
    pub fn create_channel(&self, channel: Channel) -> Result<(), ControlError> {
        if channel.id >= 0 {
            return Err(ControlError::WrongId(channel.id, "channel: it must be negative"));
        }
        self.change(|state| add_chat(state, ChatKind::Channel(channel)))
    }

    pub fn channels(&self) -> Vec<Channel> {
        let channel = |chat: &Chat| match &chat.kind {
            ChatKind::Private(_) => None,
            ChatKind::Channel(channel) => Some(channel.clone()),
        };
        self.read(|state| state.chats.values().filter_map(channel).collect())
    }

    /// A shopper writes to the bot.
    pub fn send_text(&self, shopper_id: i64, text: &str) -> Result<Message, ControlError> {
        let text = typed(text)?;
        self.change(|state| say(state, shopper_id, Body::Text { text }))
    }

    /// A shopper replies to a message of the private chat.
    pub fn reply(&self, shopper_id: i64, to_message_id: i64, text: &str) -> Result<Message, ControlError> {
        let text = typed(text)?;
        self.change(|state| {
            let chat = state.chats.get(&shopper_id).filter(|chat| chat.present(to_message_id).is_some());
            chat.ok_or(ControlError::NoMessage { chat_id: shopper_id, message_id: to_message_id })?;
            let new = NewMessage::new(Sender::Person, Body::Text { text });
            say_new(state, shopper_id, NewMessage { reply_to_message_id: Some(to_message_id), ..new })
        })
    }

    /// A shopper shares a contact; `None` is the own phone number.
    pub fn share_contact(&self, shopper_id: i64, contact: Option<Contact>) -> Result<Message, ControlError> {
        self.change(|state| {
            let contact = match contact {
                Some(contact) => contact,
                None => own_contact(state, shopper_id)?,
            };
            say(state, shopper_id, Body::Contact { contact })
        })
    }

    pub fn share_location(
        &self,
        shopper_id: i64,
        latitude: f64,
        longitude: f64,
    ) -> Result<Message, ControlError> {
        self.change(|state| say(state, shopper_id, Body::Location { latitude, longitude }))
    }

    pub fn send_photo(
        &self,
        shopper_id: i64,
        content: Bytes,
        caption: &str,
    ) -> Result<Message, ControlError> {
        let caption = FormattedText { entities: Vec::new(), ..typed(caption)? };
        self.change(|state| {
            let upload = Upload { file_name: String::new(), content };
            let photo = state.files.store(FileKind::Photo, &upload).map_err(|_| ControlError::NotAPhoto)?;
            say(state, shopper_id, Body::Photo { photo, caption })
        })
    }

    pub fn send_document(
        &self,
        shopper_id: i64,
        file_name: &str,
        content: Bytes,
        caption: &str,
    ) -> Result<Message, ControlError> {
        let caption = FormattedText { entities: Vec::new(), ..typed(caption)? };
        self.change(|state| {
            let upload = Upload { file_name: file_name.to_owned(), content };
            let stored = state.files.store(FileKind::Document, &upload);
            let document = stored.map_err(|_| ControlError::Full("bytes in a file"))?;
            say(state, shopper_id, Body::Document { document, caption })
        })
    }

    /// Staff write in a channel; the bot gets a channel post.
    pub fn post_to_channel(&self, channel_id: i64, text: &str) -> Result<Message, ControlError> {
        let text = typed(text)?;
        self.change(|state| {
            let body = Body::Text { text };
            let message = state
                .append(channel_id, NewMessage::new(Sender::Person, body))
                .map_err(|_| ControlError::NoChat(channel_id))?;
            let post = state.message_json(&message);
            state.updates.push("channel_post", &post);
            Ok(message)
        })
    }

    /// A shopper types `@bot query`; returns the query's id.
    pub fn inline_query(&self, shopper_id: i64, query: &str) -> Result<String, ControlError> {
        self.change(|state| {
            let from = shopper(state, shopper_id)?.to_json();
            let id = state.next_query_id();
            state.inline_answers.push((id.clone(), Value::Null));
            let update =
                json!({ "id": id, "from": from, "query": query, "offset": "", "chat_type": "sender" });
            state.updates.push("inline_query", &update);
            Ok(id)
        })
    }

    /// The bot's answer to an inline query; null before it has answered.
    pub fn inline_answer(&self, inline_query_id: &str) -> Option<Value> {
        self.read(|state| {
            state.inline_answers.find(|(id, _)| id == inline_query_id).map(|(_, answer)| answer.clone())
        })
    }

    /// A shopper blocks or unblocks the bot, which gets an update about it.
    pub fn set_blocked(&self, shopper_id: i64, blocked: bool) -> Result<(), ControlError> {
        self.change(|state| {
            let from = shopper(state, shopper_id)?.to_json();
            let chat = state.chats.get_mut(&shopper_id).ok_or(ControlError::NoShopper(shopper_id))?;
            if chat.blocked == blocked {
                return Ok(());
            }
            chat.blocked = blocked;
            let chat = chat.to_json();
            let bot = bot_user(state.bot_id, &state.bot);
            let member = json!({ "status": "member", "user": bot });
            let banned = json!({ "status": "kicked", "user": bot, "until_date": 0 });
            let (old, new) = if blocked { (member, banned) } else { (banned, member) };
            let date = state.now_ms / 1000;
            let update = json!({
                "chat": chat, "from": from, "date": date, "old_chat_member": old, "new_chat_member": new,
            });
            state.updates.push("my_chat_member", &update);
            Ok(())
        })
    }
}

/// A person's text, within Telegram's limit.
fn typed(text: &str) -> Result<FormattedText, ControlError> {
    if utf16_len(text) > MAX_TEXT_UTF16 {
        return Err(ControlError::TooLong("the text"));
    }
    Ok(FormattedText::typed(text))
}

fn add_chat(state: &mut State, kind: ChatKind) -> Result<(), ControlError> {
    let chat = Chat::new(kind);
    let id = chat.id();
    if state.chats.contains_key(&id) {
        return Err(ControlError::ChatExists(id));
    }
    if state.chats.len() >= MAX_CHATS {
        return Err(ControlError::Full("chats"));
    }
    state.chats.insert(id, chat);
    Ok(())
}

pub(super) fn shopper(state: &State, shopper_id: i64) -> Result<&Shopper, ControlError> {
    state.chats.get(&shopper_id).and_then(Chat::shopper).ok_or(ControlError::NoShopper(shopper_id))
}

pub(super) fn own_contact(state: &State, shopper_id: i64) -> Result<Contact, ControlError> {
    let shopper = shopper(state, shopper_id)?;
    Ok(Contact {
        phone_number: shopper.phone_number.clone().ok_or(ControlError::NoPhoneNumber(shopper_id))?,
        first_name: shopper.first_name.clone(),
        last_name: shopper.last_name.clone(),
        user_id: Some(shopper_id),
    })
}

/// Adds a shopper's message to the chat and to the bot's updates.
pub(super) fn say(state: &mut State, shopper_id: i64, body: Body) -> Result<Message, ControlError> {
    say_new(state, shopper_id, NewMessage::new(Sender::Person, body))
}

fn say_new(state: &mut State, shopper_id: i64, new: NewMessage) -> Result<Message, ControlError> {
    shopper(state, shopper_id)?;
    if state.chats.get(&shopper_id).is_some_and(|chat| chat.blocked) {
        return Err(ControlError::Blocked(shopper_id));
    }
    let message = state.append(shopper_id, new).map_err(|_| ControlError::NoShopper(shopper_id))?;
    let update = state.message_json(&message);
    state.updates.push("message", &update);
    Ok(message)
}
