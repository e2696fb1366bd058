//! Reads messages, calls and taps, and waits for them.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::{
    bot_api::makes_message,
    emulator::Telegram,
    error::ControlError,
    state::{
        State,
        chat::{Chat, ChatKind},
        message::Message,
        records::{Call, CallOutcome, CallbackAnswer, CallbackQuery},
    },
};

impl Telegram {
    /// The newest revision, for [`Telegram::wait_for`].
    pub fn revision(&self) -> u64 {
        self.read(|state| state.revision)
    }

    /// The messages of a chat with their edits, oldest first, deleted ones too.
    pub fn messages(&self, chat_id: i64) -> Result<Vec<Message>, ControlError> {
        self.read(|state| {
            let chat = state.chats.get(&chat_id).ok_or(ControlError::NoChat(chat_id))?;
            Ok(chat.messages.values().cloned().collect())
        })
    }

    /// A summary of every chat, the newest change first.
    pub fn chats(&self) -> Vec<ChatSummary> {
        let mut chats: Vec<ChatSummary> =
            self.read(|state| state.chats.values().map(ChatSummary::of).collect());
        chats.sort_by_key(|chat| (std::cmp::Reverse(chat.revision), chat.id));
        chats
    }

    /// The content of a file, by its path.
    pub(crate) fn file(&self, path: &str) -> Option<bytes::Bytes> {
        self.read(|state| state.files.content(path))
    }

    /// The bot's newest message that is shown in a chat.
    pub fn last_message(&self, chat_id: i64) -> Option<Message> {
        self.read(|state| state.shown(chat_id).next().cloned())
    }

    /// Waits for a message of the bot that contains `wanted` and was sent or edited after `revision`, and returns the
    /// newest such message.
    pub async fn wait_for(
        &self,
        chat_id: i64,
        wanted: &str,
        revision: u64,
        timeout: Duration,
    ) -> Result<Message, ControlError> {
        self.wait_until(chat_id, wanted, timeout, |message| {
            message.revision > revision && message.text().contains(wanted)
        })
        .await
    }

    /// As [`Telegram::wait_for`], for any condition; `wanted` describes it in the error.
    pub async fn wait_until(
        &self,
        chat_id: i64,
        wanted: &str,
        timeout: Duration,
        is_meant: impl Fn(&Message) -> bool,
    ) -> Result<Message, ControlError> {
        if self.read(|state| !state.chats.contains_key(&chat_id)) {
            return Err(ControlError::NoChat(chat_id));
        }
        let find = |state: &State| state.shown(chat_id).find(|message| is_meant(message)).cloned();
        self.wait(timeout, find).await.ok_or_else(|| ControlError::Timeout {
            chat_id,
            wanted: wanted.to_owned(),
            timeout_ms: timeout.as_millis(),
            last: self.last_message(chat_id).map(|message| message.text().to_owned()).unwrap_or_default(),
        })
    }

    /// Waits until the bot has answered a tap.
    pub async fn wait_for_answer(
        &self,
        callback_query_id: &str,
        timeout: Duration,
    ) -> Result<CallbackAnswer, ControlError> {
        let find =
            |state: &State| state.callbacks.find(|query| query.id == callback_query_id)?.answer.clone();
        let timeout_ms = timeout.as_millis();
        self.wait(timeout, find).await.ok_or(ControlError::NoAnswer { timeout_ms })
    }

    /// Evaluates `find` after every change, until it finds something or the time is over.
    pub(super) async fn wait<T>(&self, timeout: Duration, find: impl Fn(&State) -> Option<T>) -> Option<T> {
        let mut changes = self.changes();
        let found = async {
            loop {
                if let Some(found) = self.read(&find) {
                    return Some(found);
                }
                changes.changed().await.ok()?;
            }
        };
        tokio::select! {
            found = tokio::time::timeout(timeout, found) => found.ok().flatten(),
            () = self.stopping() => None,
        }
    }

    /// The bot's kept calls without polls, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.read(|state| state.calls.to_vec())
    }

    /// The calls that made a message, oldest first.
    pub fn sends(&self) -> Vec<Call> {
        let is_send = |call: &&Call| {
            let made = matches!(call.outcome, CallOutcome::Done | CallOutcome::AnswerLost);
            made && makes_message(&call.method)
        };
        self.read(|state| state.calls.iter().filter(is_send).cloned().collect())
    }

    /// The kept taps, oldest first.
    pub fn taps(&self) -> Vec<CallbackQuery> {
        self.read(|state| state.callbacks.to_vec())
    }

    /// Waits until the bot has confirmed every update that exists now.
    pub async fn wait_until_confirmed(&self, timeout: Duration) -> Result<(), ControlError> {
        let newest = self.read(|state| state.updates.newest());
        let left = |state: &State| state.updates.pending_up_to(newest);
        let confirmed = self.wait(timeout, |state| (left(state) == 0).then_some(())).await;
        let timeout_ms = timeout.as_millis();
        confirmed.ok_or_else(|| ControlError::NotConfirmed { pending: self.read(left), timeout_ms })
    }

    /// Waits until the bot has answered an inline query.
    pub async fn wait_for_inline_answer(
        &self,
        inline_query_id: &str,
        timeout: Duration,
    ) -> Result<Value, ControlError> {
        let find = |state: &State| {
            let answered = |(id, answer): &(String, Value)| id == inline_query_id && !answer.is_null();
            state.inline_answers.find(answered).map(|(_, answer)| answer.clone())
        };
        let timeout_ms = timeout.as_millis();
        self.wait(timeout, find).await.ok_or(ControlError::NoAnswer { timeout_ms })
    }

    /// How many updates the bot has not confirmed.
    pub fn pending_updates(&self) -> usize {
        self.read(|state| state.updates.pending.len())
    }
}

/// A chat in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChatSummary {
    pub id: i64,
    pub title: String,
    pub is_channel: bool,
    pub blocked: bool,
    /// Of the newest message.
    pub revision: u64,
    pub last_message_id: i64,
    pub last_text: String,
    pub last_at_ms: i64,
}

const LAST_TEXT_CHARS: usize = 80;

impl ChatSummary {
    fn of(chat: &Chat) -> Self {
        let (title, is_channel) = match &chat.kind {
            ChatKind::Private(shopper) => {
                let last_name = shopper.last_name.iter().map(String::as_str);
                let names: Vec<&str> =
                    std::iter::once(shopper.first_name.as_str()).chain(last_name).collect();
                (names.join(" "), false)
            }
            ChatKind::Channel(channel) => (channel.title.clone(), true),
        };
        let last = chat.messages.values().rev().find(|message| !message.is_deleted());
        Self {
            id: chat.id(),
            title,
            is_channel,
            blocked: chat.blocked,
            revision: last.map_or(0, |message| message.revision),
            last_message_id: last.map_or(0, |message| message.message_id),
            last_text: last.map_or("", Message::text).chars().take(LAST_TEXT_CHARS).collect(),
            last_at_ms: last.map_or(0, |message| message.sent_at_ms),
        }
    }
}
