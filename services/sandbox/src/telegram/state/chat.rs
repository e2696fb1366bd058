//! Private chats and channels.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::message::Message;

/// How the bot presents itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BotProfile {
    /// Without the @.
    pub username: String,
    pub name: String,
}

/// The chat that a parameter names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recipient {
    Id(i64),
    /// Without the @.
    Username(String),
}

/// A person who uses the bot. The person's id is the private chat's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shopper {
    pub id: i64,
    pub first_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language_code: Option<String>,
    /// What the shopper shares when asked for a contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
}

/// A shopper to create; missing values are made up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewShopper {
    pub id: Option<i64>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub username: Option<String>,
    pub language_code: Option<String>,
    pub phone_number: Option<String>,
}

/// A channel that the bot administers, such as the staff channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// Negative.
    pub id: i64,
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) enum ChatKind {
    Private(Shopper),
    Channel(Channel),
}

#[derive(Debug, Clone)]
pub(crate) struct Chat {
    pub(crate) kind: ChatKind,
    pub(crate) messages: BTreeMap<i64, Message>,
    pub(crate) last_message_id: i64,
    /// By the shopper.
    pub(crate) blocked: bool,
}

impl Shopper {
    pub(crate) fn unnamed(id: i64) -> Self {
        Self {
            id,
            first_name: format!("Shopper {id}"),
            last_name: None,
            username: None,
            language_code: None,
            phone_number: None,
        }
    }

    /// The User object.
    pub(crate) fn to_json(&self) -> Value {
        let mut user = json!(Self { phone_number: None, ..self.clone() });
        user["is_bot"] = false.into();
        user
    }
}

/// The bot's User object.
pub(crate) fn bot_user(bot_id: i64, bot: &BotProfile) -> Value {
    json!({ "id": bot_id, "is_bot": true, "first_name": bot.name, "username": bot.username })
}

impl Chat {
    pub(crate) fn new(kind: ChatKind) -> Self {
        Self { kind, messages: BTreeMap::new(), last_message_id: 0, blocked: false }
    }

    pub(crate) fn id(&self) -> i64 {
        match &self.kind {
            ChatKind::Private(shopper) => shopper.id,
            ChatKind::Channel(channel) => channel.id,
        }
    }

    pub(crate) fn shopper(&self) -> Option<&Shopper> {
        match &self.kind {
            ChatKind::Private(shopper) => Some(shopper),
            ChatKind::Channel(_) => None,
        }
    }

    pub(crate) fn username(&self) -> Option<&str> {
        match &self.kind {
            ChatKind::Private(_) => None,
            ChatKind::Channel(channel) => channel.username.as_deref(),
        }
    }

    /// The message, unless it was deleted.
    pub(crate) fn present(&self, message_id: i64) -> Option<&Message> {
        self.messages.get(&message_id).filter(|message| !message.is_deleted())
    }

    /// The Chat object.
    pub(crate) fn to_json(&self) -> Value {
        let (mut chat, kind) = match &self.kind {
            ChatKind::Private(shopper) => {
                (json!(Shopper { phone_number: None, language_code: None, ..shopper.clone() }), "private")
            }
            ChatKind::Channel(channel) => (json!(channel), "channel"),
        };
        chat["type"] = kind.into();
        chat
    }
}
