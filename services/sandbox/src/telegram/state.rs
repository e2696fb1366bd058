//! Everything the emulator remembers, under one lock.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    BotProfile,
    chat::{Channel, Chat, ChatKind, Shopper},
    faults::Faults,
    files::Files,
    limits::Limits,
    message::{Body, Message, Sender},
    params::Recipient,
    refusal::Refusal,
    updates::Updates,
};
use crate::ring::Ring;

/// Chats beyond this are refused.
pub(crate) const MAX_CHATS: usize = 100_000;
/// Ids that are given to shoppers without one begin here.
const FIRST_SHOPPER_ID: i64 = 5_000_001;
/// Until a bot has called, and if no token says otherwise.
const UNKNOWN_BOT_ID: i64 = 7_000_000_001;

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) bot: BotProfile,
    pub(crate) bot_id: i64,
    /// The clock, read when the lock was taken.
    pub(crate) now_ms: i64,
    pub(crate) revision: u64,
    pub(crate) chats: BTreeMap<i64, Chat>,
    /// The order in which messages came, to forget the oldest.
    age: VecDeque<(i64, i64)>,
    max_messages: usize,
    pub(crate) updates: Updates,
    pub(crate) files: Files,
    pub(crate) calls: Ring<Call>,
    pub(crate) callbacks: Ring<CallbackQuery>,
    pub(crate) last_callback: u64,
    /// Grows also over a reset: an id never means two people.
    pub(crate) next_shopper_id: i64,
    pub(crate) inline_answers: Ring<(String, Value)>,
    pub(crate) commands: BTreeMap<(String, String), Value>,
    pub(crate) faults: Faults,
    pub(crate) limits: Option<Limits>,
    /// Whether a private chat that the bot writes to is made when it is not there.
    pub(crate) accept_unknown_users: bool,
}

/// One call of the bot, for checks such as "was anything sent twice".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    pub at_ms: i64,
    pub method: String,
    pub chat_id: Option<i64>,
    /// The message that the call made or changed.
    pub message_id: Option<i64>,
    /// The text or caption, as sent.
    pub text: Option<String>,
    pub outcome: CallOutcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallOutcome {
    Done,
    /// Done, but the answer was lost on the way by order of a fault.
    AnswerLost,
    Refused {
        error_code: u16,
        description: String,
    },
}

/// A tap on an inline button, and what the bot answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackQuery {
    pub id: String,
    pub shopper_id: i64,
    pub chat_id: i64,
    pub message_id: i64,
    pub data: String,
    pub tapped_at_ms: i64,
    pub answer: Option<CallbackAnswer>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackAnswer {
    pub text: Option<String>,
    pub show_alert: bool,
    pub url: Option<String>,
}

/// A message before it has a number.
#[derive(Debug)]
pub(crate) struct NewMessage {
    pub(crate) from: Sender,
    pub(crate) body: Body,
    pub(crate) reply_markup: Option<Value>,
    pub(crate) reply_to_message_id: Option<i64>,
    pub(crate) forward_origin: Option<Value>,
}

impl NewMessage {
    pub(crate) fn new(from: Sender, body: Body) -> Self {
        Self { from, body, reply_markup: None, reply_to_message_id: None, forward_origin: None }
    }
}

impl State {
    pub(crate) fn new(bot: BotProfile, channels: &[Channel], max_messages: usize, now_ms: i64) -> Self {
        let chats = channels
            .iter()
            .map(|channel| (channel.id, Chat::new(ChatKind::Channel(channel.clone()))))
            .collect();
        Self {
            bot,
            bot_id: UNKNOWN_BOT_ID,
            now_ms,
            revision: 0,
            chats,
            age: VecDeque::new(),
            max_messages,
            updates: Updates::new(now_ms),
            files: Files::default(),
            calls: Ring::new(max_messages),
            callbacks: Ring::new(max_messages),
            last_callback: 0,
            next_shopper_id: FIRST_SHOPPER_ID,
            inline_answers: Ring::new(1_000),
            commands: BTreeMap::new(),
            faults: Faults::default(),
            limits: None,
            accept_unknown_users: false,
        }
    }

    /// The next number of a change.
    pub(crate) fn next_revision(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }

    /// The chat a parameter names, by id or by @username.
    pub(crate) fn chat(&self, recipient: &Recipient) -> Result<&Chat, Refusal> {
        let chat = match recipient {
            Recipient::Id(id) => self.chats.get(id),
            Recipient::Username(name) => self
                .chats
                .values()
                .find(|chat| chat.username().is_some_and(|known| known.eq_ignore_ascii_case(name))),
        };
        chat.ok_or_else(Refusal::chat_not_found)
    }

    /// The id of a chat that the bot may send to.
    pub(crate) fn reachable(&mut self, recipient: &Recipient) -> Result<i64, Refusal> {
        if self.accept_unknown_users
            && let Recipient::Id(id @ 1..) = recipient
            && self.chats.len() < MAX_CHATS
        {
            self.chats.entry(*id).or_insert_with(|| Chat::new(ChatKind::Private(Shopper::unnamed(*id))));
        }
        let chat = self.chat(recipient)?;
        if chat.blocked { Err(Refusal::blocked()) } else { Ok(chat.id()) }
    }

    /// Adds a message to a chat that exists, and forgets the oldest message if there are too many.
    pub(crate) fn append(&mut self, chat_id: i64, new: NewMessage) -> Result<Message, Refusal> {
        let revision = self.next_revision();
        let now_ms = self.now_ms;
        let chat = self.chats.get_mut(&chat_id).ok_or_else(Refusal::chat_not_found)?;
        chat.last_message_id += 1;
        let message = Message {
            chat_id,
            message_id: chat.last_message_id,
            from: new.from,
            sent_at_ms: now_ms,
            body: new.body,
            reply_markup: new.reply_markup,
            reply_to_message_id: new.reply_to_message_id,
            forward_origin: new.forward_origin,
            earlier: Vec::new(),
            edited_at_ms: None,
            deleted_at_ms: None,
            pinned: false,
            revision,
        };
        chat.messages.insert(message.message_id, message.clone());
        self.age.push_back((chat_id, message.message_id));
        self.forget_oldest();
        Ok(message)
    }

    fn forget_oldest(&mut self) {
        while self.age.len() > self.max_messages {
            let Some((chat_id, message_id)) = self.age.pop_front() else { return };
            if let Some(chat) = self.chats.get_mut(&chat_id) {
                chat.messages.remove(&message_id);
            }
        }
    }

    pub(crate) fn message_json(&self, message: &Message) -> Value {
        self.chats
            .get(&message.chat_id)
            .map_or(Value::Null, |chat| message.to_json(chat, self.bot_id, &self.bot))
    }

    /// Changes a message that is there and was not deleted. `None`: it is not.
    pub(crate) fn update_message<T>(
        &mut self,
        chat_id: i64,
        message_id: i64,
        change: impl FnOnce(&mut Message) -> T,
    ) -> Option<T> {
        let revision = self.next_revision();
        let message = self.chats.get_mut(&chat_id)?.messages.get_mut(&message_id)?;
        if message.is_deleted() {
            return None;
        }
        message.revision = revision;
        Some(change(message))
    }

    /// Chats with what is in them are forgotten, but not the channels themselves; ids keep growing.
    pub(crate) fn reset(&mut self) {
        self.chats.retain(|_, chat| chat.shopper().is_none());
        for chat in self.chats.values_mut() {
            chat.messages.clear();
        }
        self.age.clear();
        self.updates.clear();
        self.calls.clear();
        self.callbacks.clear();
        self.inline_answers.clear();
        self.commands.clear();
        self.faults.clear();
    }
}
