//! The emulator's state, behind one lock.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;
use tolov_domain::time::unix_ms;
use tolov_kit::{clock::Clock, lifecycle::Stop, secret::Secret};

pub use super::state::chat::BotProfile;
use super::{
    error::ControlError,
    state::{
        State,
        chat::{Channel, Chat},
        faults::Fault,
        limits::Limits,
        message::Sender,
    },
};
use crate::monitor::{Dashboard, Switch, Trace};

#[derive(Debug, Clone)]
pub struct TelegramConfig {
    pub bot: BotProfile,
    /// The only token that is accepted. `None`: any well-formed token is this bot's.
    pub bot_token: Option<Secret>,
    /// Channels that exist from the start.
    pub channels: Vec<Channel>,
    /// How many messages, calls and taps are kept, each.
    pub max_messages: usize,
    /// Whether sending too fast is answered with 429.
    pub enforce_limits: bool,
    /// Whether the bot can write to people that were not created, as after a restart of the sandbox.
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

/// Clones share one state.
#[derive(Debug, Clone)]
pub struct Telegram {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) config: TelegramConfig,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// The newest revision; waits listen to it.
    revision: watch::Sender<u64>,
    stopping: Stop,
    pub(super) trace: Trace,
    /// Off: every call of the bot is answered with 500.
    pub(super) switch: Switch,
    dashboard: Dashboard,
}

impl Telegram {
    pub(crate) fn new(
        config: TelegramConfig,
        clock: Arc<dyn Clock>,
        stopping: Stop,
        (trace, dashboard): (Trace, Dashboard),
    ) -> Self {
        let now_ms = unix_ms(clock.now());
        let mut state = State::new(config.bot.clone(), &config.channels, config.max_messages, now_ms);
        state.limits = config.enforce_limits.then(Limits::default);
        state.accept_unknown_users = config.accept_unknown_users;
        let state = Mutex::new(state);
        let revision = watch::Sender::new(0);
        let switch = dashboard.switch("telegram");
        Self { inner: Arc::new(Inner { config, clock, state, revision, stopping, trace, switch, dashboard }) }
    }

    /// Reads under the lock.
    pub(super) fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.inner.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes under the lock, and wakes every wait.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
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

    /// Requests a fault. Faults are used in the order in which they were requested.
    pub fn inject(&self, fault: Fault) -> Result<(), ControlError> {
        if self.change(|state| state.faults.add(fault)) { Ok(()) } else { Err(ControlError::Full("faults")) }
    }

    /// The faults that are not used up.
    pub fn faults(&self) -> Vec<Fault> {
        self.read(|state| state.faults.open())
    }

    pub fn clear_faults(&self) {
        self.change(|state| state.faults.clear());
    }

    /// Switches Telegram's limits on or off; counting starts again.
    pub fn enforce_limits(&self, enforce: bool) {
        self.change(|state| state.limits = enforce.then(Limits::default));
        self.inner.dashboard.show("limits", enforce.into());
    }

    /// The bot's commands in a language, in the default scope.
    pub fn commands(&self, language_code: &str) -> serde_json::Value {
        let scope = serde_json::json!({ "type": "default" }).to_string();
        self.read(|state| state.commands.get(&(scope, language_code.to_owned())).cloned()).unwrap_or_default()
    }

    /// How many messages the bot has in each chat, without deleted ones.
    pub fn counts(&self) -> BTreeMap<i64, usize> {
        self.read(|state| {
            let count = |chat: &Chat| {
                let messages = chat.messages.values();
                messages.filter(|message| message.from == Sender::Bot && !message.is_deleted()).count()
            };
            state.chats.iter().map(|(id, chat)| (*id, count(chat))).collect()
        })
    }

    /// Drops shoppers, messages, updates, calls and faults. Channels stay, and ids keep growing.
    pub fn reset(&self) {
        self.change(State::reset);
    }
}
