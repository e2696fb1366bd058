//! Messages between shoppers and staff.

use serde::{Deserialize, Serialize};
use tolov_domain::{
    UserId,
    ports::documents::{Collection, Key},
    time::{Timestamp, millis},
};

use crate::records::Record;

pub const SUPPORT_MESSAGES: Collection = Collection::new("support_messages", &[]);

/// The copy of a shopper's message in the chat of one member of staff, or of an answer in the shopper's chat. A reply to it
/// goes back to its author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupportMessage {
    /// The chat with the copy: of staff, or of the shopper for an answer.
    pub chat_id: i64,
    pub message_id: i64,
    /// To whom a reply goes.
    pub reply_to_user_id: UserId,
    /// It is an answer of staff, in the shopper's chat.
    pub is_answer: bool,
    /// The messages above all copies of the shopper's message: they say who has answered.
    pub headers: Vec<Header>,
    #[serde(rename = "sent_at", with = "millis")]
    pub at: Timestamp,
}

/// The message above one copy of a shopper's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub chat_id: i64,
    pub message_id: i64,
}

/// The key under which the message of a chat is found.
pub fn key_of(chat_id: i64, message_id: i64) -> String {
    format!("{chat_id}:{message_id}")
}

impl Record for SupportMessage {
    const COLLECTION: Collection = SUPPORT_MESSAGES;

    fn key(&self) -> Key {
        Key::Text(key_of(self.chat_id, self.message_id))
    }
}
