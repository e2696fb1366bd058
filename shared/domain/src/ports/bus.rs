//! The message bus: at-least-once, durable, with a retry ladder and a parking queue behind every queue.
//!
//! Promises that the contract suite checks on every adapter:
//! - a message whose publication was [`Published::Confirmed`] survives the death of any process;
//! - a delivery that is not settled is delivered again; one that is settled as done is not;
//! - `Verdict::Retry` brings it back after the step of [`RETRY_DELAYS_MS`] that its attempt is due, and parks it
//!   after the last; a parked message keeps its body, its id and the reason;
//! - no message stops another: there is no order between messages.

use std::{fmt, time::Duration};

use async_trait::async_trait;

use super::error::PortError;
use crate::ids::EventId;

/// Where a message goes in: an exchange and a routing key (docs/events.md).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Route {
    /// `tolov.payments`, with the event's name as key.
    Payments(String),
    /// `tolov.notifications`, key `notify`.
    Notifications,
}

impl Route {
    pub const fn exchange(&self) -> &'static str {
        match self {
            Self::Payments(_) => "tolov.payments",
            Self::Notifications => "tolov.notifications",
        }
    }

    pub fn routing_key(&self) -> &str {
        match self {
            Self::Payments(key) => key,
            Self::Notifications => "notify",
        }
    }
}

/// Where messages come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queue {
    /// What the projector reads: everything of `tolov.payments`.
    ProjectorPayments,
    /// What the bot reads: everything of `tolov.notifications`.
    BotNotifications,
}

impl Queue {
    pub const ALL: [Self; 2] = [Self::ProjectorPayments, Self::BotNotifications];

    pub const fn name(self) -> &'static str {
        match self {
            Self::ProjectorPayments => "projector.payments",
            Self::BotNotifications => "bot.notifications",
        }
    }

    pub const fn exchange(self) -> &'static str {
        match self {
            Self::ProjectorPayments => "tolov.payments",
            Self::BotNotifications => "tolov.notifications",
        }
    }

    /// Topic patterns by which messages of the exchange reach the queue. A key outside them is unroutable.
    pub const fn binding_keys(self) -> &'static [&'static str] {
        match self {
            Self::ProjectorPayments => &["payment.*", "order.*"],
            Self::BotNotifications => &["notify"],
        }
    }
}

/// The steps of the retry ladder, in milliseconds. A message that fails once more is parked.
pub const RETRY_DELAYS_MS: [u64; 4] = [1_000, 10_000, 60_000, 600_000];

/// The largest body that is published.
pub const BODY_MAX_BYTES: usize = 256 * 1024;

/// A message on its way to the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingMessage {
    /// Also AMQP's message_id.
    pub id: EventId,
    pub route: Route,
    /// AMQP's type, for example `payment.completed/1`.
    pub schema: String,
    pub body: Vec<u8>,
}

/// What became of one message of a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// Stored by every queue that it was routed to.
    Confirmed,
    /// Not stored, for a reason of its own (no queue took it, too large): the others of the window are unaffected.
    Rejected(String),
    /// Nobody knows (time ran out, the connection broke): publish it again.
    Unknown(String),
}

#[async_trait]
pub trait Publisher: Send + Sync + fmt::Debug {
    /// Publishes a closed window and returns when every message of it is decided, in the order given.
    ///
    /// Takes bounded time whatever the broker does. Message ids are distinct within a window. An error means that
    /// nothing is known to have been stored.
    async fn publish(&self, window: &[OutgoingMessage]) -> Result<Vec<Published>, PortError>;

    /// Whether the bus can be reached just now; for readiness, never a guard before publishing.
    async fn is_reachable(&self) -> bool;
}

/// A message that was handed out and waits for its verdict. Not `Clone`: it is settled once.
#[derive(Debug)]
pub struct Delivery {
    pub id: EventId,
    pub schema: String,
    pub body: Vec<u8>,
    /// How many times a retry was asked for before: 0 for a new message.
    pub retries: u32,
    pub tag: DeliveryTag,
}

/// The adapter's own mark of a delivery. `generation` changes when the channel that it belongs to is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeliveryTag {
    pub generation: u64,
    pub number: u64,
}

/// What the reader has made of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All of its effects are stored.
    Done,
    /// A passing failure: again, one step further down the ladder; parked when the ladder is used up.
    Retry { reason: String },
    /// Not again this time, at this moment: again after the given time without a step on the ladder.
    Later { after: Duration },
    /// It will never work: keep it aside, with the reason.
    Park { reason: String },
}

#[async_trait]
pub trait Consumer: Send + Sync + fmt::Debug {
    /// Waits for messages and returns between 1 and `max` of them.
    ///
    /// Bounded by `max` however many wait. Survives a restart of the broker by itself; returns an error only to let
    /// the caller back off. Dropping the future loses nothing: what was taken is delivered again.
    async fn receive(&self, max: usize) -> Result<Vec<Delivery>, PortError>;

    /// Settles deliveries, by value. Returns how many the bus took note of; the rest (their channel is gone) will
    /// be delivered again, which the reader must bear anyway.
    async fn settle(&self, verdicts: Vec<(Delivery, Verdict)>) -> Result<usize, PortError>;
}

/// A message that was given up, as the operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedMessage {
    pub id: EventId,
    pub schema: String,
    pub body: Vec<u8>,
    pub reason: String,
    pub retries: u32,
}

/// How full a queue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueDepth {
    /// Waiting for a reader, or with one.
    pub ready: u64,
    /// On the retry ladder.
    pub retrying: u64,
    pub parked: u64,
}

/// The operator's side of the bus.
#[async_trait]
pub trait BusAdmin: Send + Sync + fmt::Debug {
    async fn depth(&self, queue: Queue) -> Result<QueueDepth, PortError>;

    /// The first `max` parked messages, oldest first. Reading changes nothing.
    async fn parked(&self, queue: Queue, max: usize) -> Result<Vec<ParkedMessage>, PortError>;

    /// Puts a parked message back to work as if it were new. `false`: there is none with this id.
    async fn requeue_parked(&self, queue: Queue, id: &EventId) -> Result<bool, PortError>;

    /// Deletes a parked message for good. `false`: there is none with this id.
    async fn drop_parked(&self, queue: Queue, id: &EventId) -> Result<bool, PortError>;
}
