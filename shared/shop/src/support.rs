//! Messages between shoppers and staff.

use serde::{Deserialize, Serialize};
use tolov_domain::{
    UserId,
    ports::documents::{Collection, Key},
    time::{Timestamp, millis},
};

use crate::records::Record;

/// A shopper's message as it lies in the chat of one member of staff. A reply to it goes back to the shopper, and the
/// other way round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupportMessage {
    /// In whose chat it lies: staff's, or the shopper's for an answer.
    pub chat_id: i64,
    pub message_id: i64,
    /// To whom a reply goes.
    pub reply_to_user_id: UserId,
    /// It is staff's answer, and lies in the shopper's chat.
    #[serde(default)]
    pub is_answer: bool,
    /// The lines above all copies of the shopper's message: they say who has answered.
    #[serde(default)]
    pub headers: Vec<Header>,
    #[serde(with = "millis")]
    pub at: Timestamp,
}

/// What stands above one copy of a shopper's message.
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
    const COLLECTION: Collection = Collection::SupportMessages;

    fn key(&self) -> Key {
        Key::Text(key_of(self.chat_id, self.message_id))
    }
}
