//! Everything that the emulator keeps.

pub(super) mod chat;
pub(super) mod faults;
pub(super) mod files;
pub(super) mod formatting;
mod html;
pub(super) mod keyboard;
pub(super) mod limits;
pub(super) mod message;
pub(super) mod payments;
pub(super) mod records;
pub(super) mod updates;

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use self::{
    chat::{BotProfile, Channel, Chat, ChatKind, Recipient, Shopper},
    faults::Faults,
    files::Files,
    limits::Limits,
    message::{Body, Message, Sender},
    payments::Checkout,
    records::{Call, CallbackQuery},
    updates::Updates,
};
use super::refusal::Refusal;
use crate::ring::Ring;

pub(crate) const MAX_CHATS: usize = 100_000;
/// For shoppers that are created without an id.
const FIRST_SHOPPER_ID: i64 = 5_000_001;
/// Until a bot has called.
const UNKNOWN_BOT_ID: i64 = 7_000_000_001;

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) bot: BotProfile,
    pub(crate) bot_id: i64,
    /// The time at which the lock was taken.
    pub(crate) now_ms: i64,
    pub(crate) revision: u64,
    pub(crate) chats: BTreeMap<i64, Chat>,
    /// Chat and message ids in the order of arrival.
    by_age: VecDeque<(i64, i64)>,
    max_messages: usize,
    pub(crate) updates: Updates,
    pub(crate) files: Files,
    pub(crate) calls: Ring<Call>,
    pub(crate) callbacks: Ring<CallbackQuery>,
    pub(crate) checkouts: Ring<Checkout>,
    pub(crate) last_query: u64,
    /// Survives a reset, so that an id never means two people.
    pub(crate) next_shopper_id: i64,
    pub(crate) inline_answers: Ring<(String, Value)>,
    pub(crate) commands: BTreeMap<(String, String), Value>,
    pub(crate) faults: Faults,
    pub(crate) limits: Option<Limits>,
    /// Creates the private chat that the bot writes to.
    pub(crate) accept_unknown_users: bool,
}

/// A message without its id.
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
            by_age: VecDeque::new(),
            max_messages,
            updates: Updates::new(now_ms),
            files: Files::default(),
            calls: Ring::new(max_messages),
            callbacks: Ring::new(max_messages),
            checkouts: Ring::new(1_000),
            last_query: 0,
            next_shopper_id: FIRST_SHOPPER_ID,
            inline_answers: Ring::new(1_000),
            commands: BTreeMap::new(),
            faults: Faults::default(),
            limits: None,
            accept_unknown_users: false,
        }
    }

    /// The number of the next change.
    pub(crate) fn next_revision(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }

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

    /// The id of a chat that the bot can write to.
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

    /// Adds a message to a chat, and drops the oldest message if there are too many.
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
        self.by_age.push_back((chat_id, message.message_id));
        self.drop_oldest();
        Ok(message)
    }

    fn drop_oldest(&mut self) {
        while self.by_age.len() > self.max_messages {
            let Some((chat_id, message_id)) = self.by_age.pop_front() else { return };
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

    /// Changes a message; `None` if it does not exist or was deleted.
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

    /// Drops everything but the channels; ids keep growing.
    pub(crate) fn reset(&mut self) {
        self.chats.retain(|_, chat| chat.shopper().is_none());
        for chat in self.chats.values_mut() {
            chat.messages.clear();
        }
        self.by_age.clear();
        self.updates.pending.clear();
        self.calls.clear();
        self.callbacks.clear();
        self.checkouts.clear();
        self.inline_answers.clear();
        self.commands.clear();
        self.faults.clear();
        self.limits = self.limits.as_ref().map(|_| Limits::default());
    }

    pub(crate) fn next_query_id(&mut self) -> String {
        self.last_query += 1;
        format!("{}{:06}", self.now_ms, self.last_query % 1_000_000)
    }

    /// The bot's messages that are shown in a chat, newest first.
    pub(crate) fn shown(&self, chat_id: i64) -> impl Iterator<Item = &Message> {
        let messages = self.chats.get(&chat_id).map(|chat| chat.messages.values().rev());
        messages.into_iter().flatten().filter(|message| message.from == Sender::Bot && !message.is_deleted())
    }
}
