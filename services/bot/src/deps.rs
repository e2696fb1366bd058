//! What the bot works with.

use std::sync::{Arc, OnceLock};

use teloxide::types::{ChatId, Me};
use tolov_domain::{
    Language, UserId,
    ports::{bus::Consumer, documents::Documents, shop::ShopStore},
    time::Timestamp,
};
use tolov_kit::clock::Clock;

use crate::{
    config::BotConfig,
    conversation::{dialogue::ShownMessage, screen::Screen},
    orders::ledger_client::LedgerClient,
    telegram::{client::Telegram, errors::SendError, limits::Pace, staff_chat::StaffChat},
};

/// What the bot works with. The consumer reads [`tolov_domain::ports::bus::Queue::BotNotifications`].
#[derive(Debug, Clone)]
pub struct Deps {
    pub consumer: Arc<dyn Consumer>,
    pub shop: Arc<dyn ShopStore>,
    pub clock: Arc<dyn Clock>,
}

/// All that the conversation works with: one thing to inject, so one thing that could be forgotten.
#[derive(Debug)]
pub(crate) struct HandlerDeps {
    pub(crate) shop: Arc<dyn ShopStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) telegram: Arc<Telegram>,
    pub(crate) overall: Arc<Pace>,
    pub(crate) ledger: LedgerClient,
    pub(crate) staff_chat: StaffChat,
    pub(crate) config: Arc<BotConfig>,
    /// Who the bot is; known since Telegram answered for the first time.
    pub(crate) me: OnceLock<Me>,
}

impl HandlerDeps {
    pub(crate) fn documents(&self) -> &dyn Documents {
        &*self.shop
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The bot's name without the @, for links to it.
    pub(crate) fn username(&self) -> &str {
        self.me.get().and_then(|me| me.user.username.as_deref()).unwrap_or_default()
    }

    /// `t.me/the_bot?start=payload`.
    pub(crate) fn start_link(&self, payload: &str) -> String {
        format!("https://t.me/{}?start={payload}", self.username())
    }

    /// The language that a person has chosen, else Uzbek.
    pub(crate) async fn language_of(&self, id: UserId) -> Language {
        let user = self.shop.user(id).await;
        user.ok().flatten().and_then(|user| user.language).unwrap_or_default()
    }

    /// Sends a message to a person who did not just write, within the overall rate.
    pub(crate) async fn tell(&self, id: UserId, screen: &Screen) -> Result<ShownMessage, SendError> {
        self.overall.reserve_priority();
        self.telegram.show_new(ChatId(id.get()), screen).await
    }
}
