//! Reading what happened, and waiting for what will.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::{
    KnobError, Telegram,
    chat::{Chat, ChatKind},
    message::{Message, Sender},
    methods::{self, MethodKind},
    state::{Call, CallOutcome, CallbackAnswer, CallbackQuery, State},
};

impl Telegram {
    /// The newest revision: give it to [`Telegram::wait_for`] to wait for what comes after now.
    pub fn revision(&self) -> u64 {
        self.look(|state| state.revision)
    }

    /// The messages of a chat, oldest first, deleted ones included, with their edits.
    pub fn messages(&self, chat_id: i64) -> Result<Vec<Message>, KnobError> {
        self.look(|state| {
            let chat = state.chats.get(&chat_id).ok_or(KnobError::NoChat(chat_id))?;
            Ok(chat.messages.values().cloned().collect())
        })
    }

    /// Every chat in a line, the one with the newest change first.
    pub fn chats(&self) -> Vec<ChatSummary> {
        let mut chats: Vec<ChatSummary> =
            self.look(|state| state.chats.values().map(ChatSummary::of).collect());
        chats.sort_by_key(|chat| (std::cmp::Reverse(chat.revision), chat.id));
        chats
    }

    /// The bytes of a file that was sent, by its path.
    pub(crate) fn file(&self, path: &str) -> Option<bytes::Bytes> {
        self.look(|state| state.files.content(path))
    }

    /// The newest message of the bot that is shown in a chat.
    pub fn last_message(&self, chat_id: i64) -> Option<Message> {
        self.look(|state| state.shown(chat_id).next().cloned())
    }

    /// Waits until the bot shows a text with `wanted` in it, in a message made or edited after `revision` (0: ever),
    /// and returns the newest such message.
    pub async fn wait_for(
        &self,
        chat_id: i64,
        wanted: &str,
        revision: u64,
        timeout: Duration,
    ) -> Result<Message, KnobError> {
        self.wait_until(chat_id, wanted, timeout, |message| {
            message.revision > revision && message.text().contains(wanted)
        })
        .await
    }

    /// As [`Telegram::wait_for`], for whatever can be said of a message; `wanted` names it in the error.
    pub async fn wait_until(
        &self,
        chat_id: i64,
        wanted: &str,
        timeout: Duration,
        is_meant: impl Fn(&Message) -> bool,
    ) -> Result<Message, KnobError> {
        if self.look(|state| !state.chats.contains_key(&chat_id)) {
            return Err(KnobError::NoChat(chat_id));
        }
        let find = |state: &State| state.shown(chat_id).find(|message| is_meant(message)).cloned();
        self.wait(timeout, find).await.ok_or_else(|| KnobError::Timeout {
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
    ) -> Result<CallbackAnswer, KnobError> {
        let find = |state: &State| {
            let mut newest_first = state.callbacks.iter().rev();
            newest_first.find(|query| query.id == callback_query_id)?.answer.clone()
        };
        let timeout_ms = timeout.as_millis();
        self.wait(timeout, find).await.ok_or(KnobError::NoAnswer { timeout_ms })
    }

    /// Looks again after every change, until there is something or the time is over.
    async fn wait<T>(&self, timeout: Duration, find: impl Fn(&State) -> Option<T>) -> Option<T> {
        let mut changes = self.changes();
        let found = async {
            loop {
                if let Some(found) = self.look(&find) {
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

    /// Every call of the bot but its polls, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.look(|state| state.calls.iter().cloned().collect())
    }

    /// The calls that made a message, oldest first: the list to look for duplicates in.
    pub fn sends(&self) -> Vec<Call> {
        let is_send = |call: &&Call| {
            let made = matches!(call.outcome, CallOutcome::Done | CallOutcome::AnswerLost);
            made && methods::find(&call.method).is_some_and(|method| method.kind == MethodKind::Send)
        };
        self.look(|state| state.calls.iter().filter(is_send).cloned().collect())
    }

    /// Every tap, oldest first.
    pub fn taps(&self) -> Vec<CallbackQuery> {
        self.look(|state| state.callbacks.iter().cloned().collect())
    }

    /// Waits until the bot has confirmed every update that there is now.
    pub async fn wait_until_confirmed(&self, timeout: Duration) -> Result<(), KnobError> {
        let newest = self.look(|state| state.updates.newest());
        let left = |state: &State| state.updates.pending_up_to(newest);
        let confirmed = self.wait(timeout, |state| (left(state) == 0).then_some(())).await;
        let timeout_ms = timeout.as_millis();
        confirmed.ok_or_else(|| KnobError::NotConfirmed { pending: self.look(left), timeout_ms })
    }

    /// Waits until the bot has answered an inline query.
    pub async fn wait_for_inline_answer(
        &self,
        inline_query_id: &str,
        timeout: Duration,
    ) -> Result<Value, KnobError> {
        let find = |state: &State| {
            let mut answers = state.inline_answers.iter();
            answers
                .find(|(id, answer)| id == inline_query_id && !answer.is_null())
                .map(|(_, answer)| answer.clone())
        };
        let timeout_ms = timeout.as_millis();
        self.wait(timeout, find).await.ok_or(KnobError::NoAnswer { timeout_ms })
    }

    /// How many updates wait for the bot.
    pub fn pending_updates(&self) -> usize {
        self.look(|state| state.updates.pending())
    }
}

/// A chat as a list of chats shows it.
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

/// A line of the list shows no more.
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

impl State {
    /// What the bot shows in a chat, newest first.
    pub(crate) fn shown(&self, chat_id: i64) -> impl Iterator<Item = &Message> {
        let messages = self.chats.get(&chat_id).map(|chat| chat.messages.values().rev());
        messages.into_iter().flatten().filter(|message| message.from == Sender::Bot && !message.is_deleted())
    }
}
