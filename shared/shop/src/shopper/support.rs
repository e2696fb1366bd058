//! Messages between shoppers and staff.

use serde::{Deserialize, Serialize};
use time::Duration;
use tolov_domain::{
    UserId,
    ports::documents::{Collection, Key, Sequence},
    time::{Timestamp, in_whole_ms, is_due, millis},
};

use crate::records::Record;

pub const SUPPORT_MESSAGES: Collection = Collection::new("support_messages", &[]);
/// Albums whose parts are still coming; one that was sent is removed.
pub const SUPPORT_ALBUMS: Collection = Collection::new("support_albums", &[]);
pub const SUPPORT_ALBUM_NUMBERS: Sequence = Sequence::new("support_albums");

/// An album is complete if no part of it came for this long.
const ALBUM_QUIET: Duration = Duration::seconds(1);
/// Far above what sending one may take.
const ALBUM_LEASE: Duration = Duration::seconds(90);
/// As many as Telegram copies in one call.
const PARTS_MAX: usize = 100;

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

/// An album for the other side, gathered until all its parts have come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupportAlbum {
    pub id: i64,
    pub author_id: UserId,
    /// As Telegram gives it.
    pub author_name: String,
    pub author_username: Option<String>,
    pub to: AlbumRecipient,
    /// In the author's chat, in ascending order.
    pub message_ids: Vec<i64>,
    #[serde(with = "millis")]
    pub quiet_until_at: Timestamp,
    /// A process is sending it; another one takes over after this.
    #[serde(default, with = "millis::option")]
    pub leased_until_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlbumRecipient {
    /// Everybody who answers shoppers; this one alone, where that one can be reached.
    Staff { who_answered: Option<UserId> },
    /// The shopper who wrote the message with this key.
    Shopper { answered: String },
}

impl Record for SupportAlbum {
    const COLLECTION: Collection = SUPPORT_ALBUMS;

    fn key(&self) -> Key {
        Key::Number(self.id)
    }
}

impl SupportAlbum {
    /// Adds a part; one that came before changes nothing. `false`: there are too many.
    pub fn add_part(&mut self, message_id: i64, now: Timestamp) -> bool {
        let Err(place) = self.message_ids.binary_search(&message_id) else { return true };
        let is_open = self.message_ids.len() < PARTS_MAX;
        if is_open {
            self.message_ids.insert(place, message_id);
            self.quiet_until_at = in_whole_ms(now + ALBUM_QUIET);
        }
        is_open
    }

    /// Takes the lease to send it, unless parts are still coming or another process has it.
    pub fn lease(&mut self, now: Timestamp) -> bool {
        let is_free = is_due(self.quiet_until_at, now, now + ALBUM_QUIET)
            && self.leased_until_at.is_none_or(|until| is_due(until, now, now + ALBUM_LEASE));
        if is_free {
            self.leased_until_at = Some(in_whole_ms(now + ALBUM_LEASE));
        }
        is_free
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn an_album_is_sent_once_when_no_part_has_come_for_a_second() {
        let now = datetime!(2026-11-28 07:00 UTC);
        let mut album = SupportAlbum {
            id: 1,
            author_id: UserId::try_new(6).unwrap(),
            author_name: "Ali".to_owned(),
            author_username: None,
            to: AlbumRecipient::Staff { who_answered: None },
            message_ids: Vec::new(),
            quiet_until_at: now,
            leased_until_at: None,
        };
        for message_id in [8, 7, 8] {
            assert!(album.add_part(message_id, now));
        }
        assert_eq!(album.message_ids, [7, 8]);
        assert!(!album.lease(now), "more may come");
        let complete = now + ALBUM_QUIET;
        assert!(album.lease(complete));
        assert!(!album.lease(complete), "another process is sending it");
        assert!(album.lease(complete + ALBUM_LEASE), "that process died");
        assert!(album.lease(now - Duration::days(1)), "the clock was set back");
    }
}
