//! What the bot works with.

use std::sync::Arc;

use teloxide::types::{ChatId, Me};
use tokio::sync::{Notify, SetOnce};
use tolov_domain::{
    Language, UserId,
    ports::{PortError, ShopStore, bus::Consumer, documents::Documents},
    time::Timestamp,
};
use tolov_kit::clock::Clock;
use tolov_shop::{
    catalogue::{Snapshot, SnapshotCache},
    order::ShopOrder,
    shopper,
};

use crate::{
    config::Config,
    conversation::{dialogue::ShownMessage, link::Link, screen::Screen},
    notify::grouped::GroupedDocuments,
    orders::{
        ledger_client::{LedgerClient, LedgerError, Registration},
        trace::OrderTrace,
    },
    telegram::{
        client::Telegram,
        errors::SendError,
        limits::{HeldUp, RateLimiter},
        staff_chat::StaffChat,
    },
};

/// The surroundings of the service. The consumer reads [`tolov_domain::ports::bus::Queue::BotNotifications`].
#[derive(Debug, Clone)]
pub struct Deps {
    pub consumer: Arc<dyn Consumer>,
    pub shop: Arc<dyn ShopStore>,
    pub clock: Arc<dyn Clock>,
    /// `None`: owners cannot see an order's trace.
    pub trace: Option<Arc<dyn OrderTrace>>,
}

/// Everything that handlers and background tasks share.
#[derive(Debug)]
pub(crate) struct HandlerDeps {
    pub(crate) shop: Arc<dyn ShopStore>,
    /// The documents of the same, whose commands people who tap at the same time share.
    pub(crate) grouped: Arc<GroupedDocuments>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) telegram: Arc<Telegram>,
    /// Of all messages that the bot sends.
    pub(crate) rate_limiter: Arc<RateLimiter>,
    /// Who hears that an answer takes a moment once Telegram's limit allows it.
    pub(crate) held_up: HeldUp,
    pub(crate) ledger: LedgerClient,
    pub(crate) staff_chat: StaffChat,
    /// For photos; `None`: they are kept in the staff channel.
    pub(crate) store_chat: Option<StaffChat>,
    pub(crate) config: Arc<Config>,
    pub(crate) snapshots: SnapshotCache,
    /// The bot's own account; known once Telegram has answered for the first time.
    pub(crate) me: SetOnce<Me>,
    pub(crate) trace: Option<Arc<dyn OrderTrace>>,
    /// A payment in Telegram was stored.
    pub(crate) payment_came: Notify,
}

impl HandlerDeps {
    /// What lists and searches need of the catalogue, at the cost of one small read.
    pub(crate) async fn catalogue(&self) -> Result<Arc<Snapshot>, PortError> {
        self.snapshots.get(self.documents(), self.now()).await
    }

    /// The channel that keeps the photos of the catalogue.
    pub(crate) fn photo_chat(&self) -> &StaffChat {
        self.store_chat.as_ref().unwrap_or(&self.staff_chat)
    }

    /// Of all messages, of posts to staff, and of photos where they go to a channel of their own.
    pub(crate) fn limiters(&self) -> impl Iterator<Item = &RateLimiter> {
        let photos = self.store_chat.as_ref().map(|chat| &chat.rate_limiter);
        [&*self.rate_limiter, &self.staff_chat.rate_limiter].into_iter().chain(photos)
    }

    pub(crate) fn documents(&self) -> &dyn Documents {
        &*self.grouped
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The bot's username without the @; empty while it is not known.
    pub(crate) fn username(&self) -> &str {
        self.me.get().and_then(|me| me.user.username.as_deref()).unwrap_or_default()
    }

    /// `https://t.me/the_bot?start=payload`.
    pub(crate) fn url_of(&self, link: Link) -> String {
        format!("https://t.me/{}?start={}", self.username(), link.payload())
    }

    /// Registers an order with the ledger. Its pay link leads back to the order in the bot.
    pub(crate) async fn register(&self, order: &ShopOrder) -> Result<Registration, LedgerError> {
        let receipt = self.config.receipts.as_ref().and_then(|receipts| receipts.content(order));
        self.ledger.register(order, receipt.as_ref(), &self.url_of(Link::Order(order.id))).await
    }

    /// The language that a person has chosen, else Uzbek.
    pub(crate) async fn language_of(&self, id: UserId) -> Language {
        self.chosen_language_of(id).await.unwrap_or_default()
    }

    /// The language that a person has chosen.
    pub(crate) async fn chosen_language_of(&self, id: UserId) -> Option<Language> {
        shopper::shopper(self.documents(), id).await.ok().flatten()?.language
    }

    /// Sends a message to a person, ahead of the notifications that wait for their turn.
    pub(crate) async fn send_to(&self, id: UserId, screen: &Screen) -> Result<ShownMessage, SendError> {
        self.rate_limiter.reserve_priority();
        self.telegram.show_new(ChatId(id.get()), screen).await
    }
}
