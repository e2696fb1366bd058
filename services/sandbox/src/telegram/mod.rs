//! The Bot API emulator: what api.telegram.org answers a bot, and the people at the other end.

mod calls;
mod chat;
mod faults;
mod files;
mod formatting;
mod keyboard;
mod limits;
mod log;
mod message;
mod methods;
mod multipart;
mod params;
mod refusal;
pub(crate) mod routes;
mod shoppers;
mod state;
mod taps;
mod updates;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;
use tolov_domain::time::unix_ms;
use tolov_kit::{clock::Clock, lifecycle::Stop, secret::Secret};

pub use chat::{Channel, NewShopper, Shopper};
pub use faults::{Fault, FaultEffect};
pub use files::FileRecord;
pub(crate) use files::picture_type;
pub use formatting::{Entity, FormattedText};
pub use keyboard::{Button, ButtonAction};
pub use log::ChatSummary;
pub use message::{Body, Contact, MAX_EARLIER, Message, Sender, Version};
pub use state::{Call, CallOutcome, CallbackAnswer, CallbackQuery};
pub use taps::{Tap, Tapped};

use crate::{
    board::{Board, Switch},
    hops::Hops,
};
use state::State;

/// How the bot presents itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BotProfile {
    /// Without the @.
    pub username: String,
    pub name: String,
}

/// What the emulator begins with.
#[derive(Debug, Clone)]
pub struct TelegramConfig {
    pub bot: BotProfile,
    /// The only token that is let in. Without one, every token of the right form is this bot.
    pub bot_token: Option<Secret>,
    /// Channels that are there from the start.
    pub channels: Vec<Channel>,
    /// How many messages, calls and taps are remembered, each; the oldest are forgotten first.
    pub max_messages: usize,
    /// Whether sending too fast is answered with 429.
    pub enforce_limits: bool,
    /// Whether the bot can write to people whom nobody has made. Telegram does not forget its users when it is
    /// restarted; a sandbox does, unless this is on.
    pub accept_unknown_users: bool,
}

impl Default for TelegramConfig {
    fn default() -> Self {
        Self {
            bot: BotProfile { username: "tolov_sandbox_bot".to_owned(), name: "Tolov".to_owned() },
            bot_token: None,
            channels: Vec::new(),
            max_messages: 100_000,
            enforce_limits: false,
            accept_unknown_users: false,
        }
    }
}

/// Why a knob of the sandbox did nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KnobError {
    #[error("there is no shopper {0}: create one first")]
    NoShopper(i64),
    #[error("there is no chat {0}: create the shopper or the channel first")]
    NoChat(i64),
    #[error("there is a chat {0} already")]
    ChatExists(i64),
    #[error("{0} cannot be the id of a {1}")]
    WrongId(i64, &'static str),
    #[error("there is no such message {message_id} in chat {chat_id}, or it was deleted")]
    NoMessage { chat_id: i64, message_id: i64 },
    #[error("no button {wanted} is shown in chat {chat_id}; shown are: {shown}")]
    NoButton { chat_id: i64, wanted: String, shown: String },
    #[error("shopper {0} has blocked the bot: unblock it first")]
    Blocked(i64),
    #[error("shopper {0} has no phone number: give one")]
    NoPhoneNumber(i64),
    #[error(
        "nothing like {wanted:?} came to chat {chat_id} within {timeout_ms} ms; the last message is: {last:?}"
    )]
    Timeout { chat_id: i64, wanted: String, timeout_ms: u128, last: String },
    #[error("there is no such tap or query, or no answer to it came within {timeout_ms} ms")]
    NoAnswer { timeout_ms: u128 },
    #[error("the bot has not confirmed {pending} of the updates within {timeout_ms} ms")]
    NotConfirmed { pending: usize, timeout_ms: u128 },
    #[error("too many {0} for the sandbox: reset it")]
    Full(&'static str),
    #[error("this is no file that Telegram takes as a photo")]
    NotAPhoto,
}

/// The emulator's handle: cheap to clone, usable from any task, the same thing that the HTTP routes use.
#[derive(Debug, Clone)]
pub struct Telegram {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: TelegramConfig,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// The newest revision; whoever waits for something listens here.
    revision: watch::Sender<u64>,
    stopping: Stop,
    hops: Hops,
    /// Off: every call of the bot is answered with 500.
    switch: Switch,
    board: Board,
}

impl Telegram {
    pub(crate) fn new(
        config: TelegramConfig,
        clock: Arc<dyn Clock>,
        stopping: Stop,
        (hops, board): (Hops, Board),
    ) -> Self {
        let now_ms = unix_ms(clock.now());
        let mut state = State::new(config.bot.clone(), &config.channels, config.max_messages, now_ms);
        state.limits = config.enforce_limits.then(limits::Limits::default);
        state.accept_unknown_users = config.accept_unknown_users;
        let state = Mutex::new(state);
        let revision = watch::Sender::new(0);
        let switch = board.switch("telegram");
        Self { inner: Arc::new(Inner { config, clock, state, revision, stopping, hops, switch, board }) }
    }

    /// Reads under the lock.
    fn look<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.inner.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes under the lock, and wakes whoever waits.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let now_ms = unix_ms(self.inner.clock.now());
        let (changed, revision) = {
            let mut state = self.inner.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.now_ms = now_ms;
            let changed = change(&mut state);
            (changed, state.next_revision())
        };
        self.inner.revision.send_modify(|newest| *newest = revision.max(*newest));
        changed
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.inner.revision.subscribe()
    }

    pub(crate) async fn stopping(&self) {
        self.inner.stopping.cancelled().await;
    }

    /// Orders a fault. Faults are used up in the order in which they came.
    pub fn inject(&self, fault: Fault) -> Result<(), KnobError> {
        if self.change(|state| state.faults.add(fault)) { Ok(()) } else { Err(KnobError::Full("faults")) }
    }

    /// The faults that still wait for a call.
    pub fn faults(&self) -> Vec<Fault> {
        self.look(|state| state.faults.open())
    }

    pub fn clear_faults(&self) {
        self.change(|state| state.faults.clear());
    }

    /// Switches Telegram's limits on or off; switching on begins counting anew.
    pub fn enforce_limits(&self, enforce: bool) {
        self.change(|state| state.limits = enforce.then(limits::Limits::default));
        self.inner.board.show("limits", enforce.into());
    }

    /// The commands that the bot set for a language, in the default scope.
    pub fn commands(&self, language_code: &str) -> serde_json::Value {
        let scope = serde_json::json!({ "type": "default" }).to_string();
        self.look(|state| state.commands.get(&(scope, language_code.to_owned())).cloned()).unwrap_or_default()
    }

    /// How many messages the bot has in each chat, deleted ones left out.
    pub fn counts(&self) -> BTreeMap<i64, usize> {
        self.look(|state| {
            let count = |chat: &chat::Chat| {
                let messages = chat.messages.values();
                messages.filter(|message| message.from == Sender::Bot && !message.is_deleted()).count()
            };
            state.chats.iter().map(|(id, chat)| (*id, count(chat))).collect()
        })
    }

    /// Forgets shoppers, messages, updates, calls and faults. Channels stay, numbers keep growing.
    pub fn reset(&self) {
        self.change(State::reset);
    }
}
