//! The shop store: what shoppers and staff see. It can be rebuilt from the ledger's events; it holds no money.
//!
//! Promises that the contract suite checks on every adapter:
//! - a write that returned is durable;
//! - [`OrderProjection::apply`] may be repeated, in any order of duplicates and after a crash at any point, with one
//!   effect; the order of events of one order does not matter for where it ends: paid wins;
//! - everything works without multi-document transactions.

use std::fmt;

use async_trait::async_trait;

use super::{PortError, documents::Documents};
use crate::{
    Event, EventId, Language, OrderId, UserId,
    order::{Order, OrderLine, OrderedProduct, User},
    time::Timestamp,
};

/// The projector's side.
#[async_trait]
pub trait OrderProjection: Send + Sync + fmt::Debug {
    /// Applies events and returns, for each in the order given, the order as the notifications need it (its lines
    /// with names and prices).
    ///
    /// `PaymentCompleted`: the order is paid with its payment facts, what was bought leaves the shopper's cart while
    /// later additions stay, `order_count` goes up, each once. `OrderExpired`: a pending order expires.
    /// `PaymentCancelled`, `PaymentQuestioned`: the history says so. An order or a shopper that the store does not
    /// know is made from the event.
    async fn apply(&self, events: &[Event]) -> Result<Vec<Order>, PortError>;
}

/// What is put down at checkout. The number comes from [`Orders::next_order_id`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    pub id: OrderId,
    pub user_id: UserId,
    /// With the names and prices of this moment.
    pub lines: Vec<OrderLine>,
    pub total: crate::Tiyin,
    pub created_at: Timestamp,
}

/// Whether a write found its effect already there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    Now,
    Before,
}

/// Orders, as the bot places and shows them.
#[async_trait]
pub trait Orders: Send + Sync + fmt::Debug {
    /// The next order number: atomic, never given out twice, growing.
    async fn next_order_id(&self) -> Result<OrderId, PortError>;

    /// Keeps a pending order. One that is there already, placed before or made from an event, is left as it is.
    async fn place_order(&self, order: &NewOrder) -> Result<Recorded, PortError>;

    async fn order(&self, id: OrderId) -> Result<Option<Order>, PortError>;

    /// A shopper's orders, newest first.
    async fn orders_of(&self, user_id: UserId, skip: u32, limit: u32) -> Result<Vec<Order>, PortError>;
}

/// Shoppers and their carts.
#[async_trait]
pub trait Shoppers: Send + Sync + fmt::Debug {
    async fn user(&self, id: UserId) -> Result<Option<User>, PortError>;

    /// Makes the shopper known. One who is known keeps phone, language, cart and count.
    async fn meet(&self, id: UserId, language: Option<Language>) -> Result<Recorded, PortError>;

    async fn set_language(&self, id: UserId, language: Language) -> Result<(), PortError>;

    /// The number as [`crate::phone::Phone`] writes it.
    async fn set_phone(&self, id: UserId, phone: &crate::Phone) -> Result<(), PortError>;

    /// Replaces the cart line of one product; a count of 0 takes the line out.
    async fn set_cart_line(&self, id: UserId, line: OrderedProduct) -> Result<(), PortError>;

    async fn clear_cart(&self, id: UserId) -> Result<(), PortError>;
}

/// Whether a notification may be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It is ours until the lease ends. `attempt` counts from 1; above 1 an earlier send may have got through.
    Send { attempt: u32 },
    /// Somebody else is sending it; ask again at this time.
    Busy { until: Timestamp },
    /// It was sent, or given up for good: nothing to do, ever.
    Settled,
}

/// How a notification ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Telegram gave the message this id.
    Sent { message_id: i64 },
    /// It can never be sent (the shopper blocked the bot, the chat is gone).
    Undeliverable { reason: String },
}

/// What was sent, so that a redelivery sends nothing twice.
///
/// Telegram takes no idempotency key, so a process that dies between the send and the record leaves the outcome
/// unknown: after the lease the message is sent again (reliability.md, demand 40).
#[async_trait]
pub trait NotificationLog: Send + Sync + fmt::Debug {
    /// Takes notifications for sending until `lease_until`; one answer each, in the order given.
    async fn claim(
        &self,
        ids: &[EventId],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Claim>, PortError>;

    /// Gives a claim back without having sent, so that the next try need not wait for the lease to end.
    async fn release(&self, ids: &[EventId]) -> Result<(), PortError>;

    /// Records how notifications ended. The first outcome stays.
    async fn settle(&self, ids: &[EventId], outcome: &Outcome, at: Timestamp) -> Result<(), PortError>;

    async fn outcome(&self, id: &EventId) -> Result<Option<Outcome>, PortError>;
}

/// All of the shop store, as one thing to hand around.
pub trait ShopStore: OrderProjection + Orders + Shoppers + NotificationLog + Documents {}

impl<T: OrderProjection + Orders + Shoppers + NotificationLog + Documents> ShopStore for T {}
