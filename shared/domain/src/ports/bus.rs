//! The message bus: at-least-once, durable, with delayed retries and a parking queue for every queue.
//!
//! Promises that the contract suite checks on every adapter:
//! - a message whose publication was [`Published::Confirmed`] survives the death of any process;
//! - a delivery that is not settled is delivered again; one that is settled as done is not;
//! - `Verdict::Retry` delivers it again after the delay of [`RETRY_DELAYS_MS`] that its attempt is due, and parks it
//!   after the last; a parked message keeps its body, its id and the reason;
//! - a message that was delivered [`DELIVERY_LIMIT`] times without a verdict is parked;
//! - no message stops another: there is no order between messages.

use std::{collections::BTreeSet, fmt, time::Duration};

use async_trait::async_trait;

use super::{error::PortError, trace_parent::TraceParent};
use crate::ids::EventId;

/// The routing key of a topic exchange: words between dots, such as `payment.completed`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoutingKey(String);

/// A text that is no routing key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no routing key: write 1 to {ROUTING_KEY_MAX_BYTES} bytes of a-z, 0-9 and _ as words between dots"
)]
pub struct RoutingKeyError(String);

/// AMQP's limit for a short string.
pub const ROUTING_KEY_MAX_BYTES: usize = 255;

impl RoutingKey {
    /// Stricter than AMQP, which takes any text: no empty word, and no `*` or `#`, which patterns have.
    pub fn try_new(text: impl Into<String>) -> Result<Self, RoutingKeyError> {
        let text = text.into();
        let is_word = |word: &str| {
            let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            !word.is_empty() && word.bytes().all(is_letter)
        };
        if text.len() <= ROUTING_KEY_MAX_BYTES && text.split('.').all(is_word) {
            Ok(Self(text))
        } else {
            Err(RoutingKeyError(text.chars().take(ROUTING_KEY_MAX_BYTES).collect()))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a binding with this pattern takes the key: `*` stands for exactly one word. Our bindings have no `#`.
    pub fn matches(&self, pattern: &str) -> bool {
        let (mut pattern, mut key) = (pattern.split('.'), self.0.split('.'));
        loop {
            match (pattern.next(), key.next()) {
                (None, None) => return true,
                (Some(expected), Some(word)) if expected == "*" || expected == word => {}
                _ => return false,
            }
        }
    }
}

impl fmt::Display for RoutingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Where a message is published: an exchange and a routing key (docs/events.md).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Route {
    /// `tolov.payments`, with the event's name as key.
    Payments(RoutingKey),
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
            Self::Payments(key) => key.as_str(),
            Self::Notifications => "notify",
        }
    }

    /// The queues that are bound for the route. None: the message is unroutable.
    pub fn queues(&self) -> impl Iterator<Item = Queue> + '_ {
        Queue::ALL.into_iter().filter(|queue| {
            queue.exchange() == self.exchange()
                && match self {
                    Self::Payments(key) => queue.binding_keys().iter().any(|pattern| key.matches(pattern)),
                    Self::Notifications => true,
                }
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queue {
    /// The projector reads it: everything of `tolov.payments`.
    ProjectorPayments,
    /// The bot reads it: everything of `tolov.notifications`.
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
            Self::ProjectorPayments => &["payment.*", "order.*", "refund.*", "receipt.*"],
            Self::BotNotifications => &["notify"],
        }
    }
}

/// The delays before each retry, in milliseconds. A message that fails once more is parked.
pub const RETRY_DELAYS_MS: [u64; 4] = [1_000, 10_000, 60_000, 600_000];

/// A message that was delivered so often without a verdict is parked: its reader dies of it. A reader that dies counts
/// against every message that it holds, so the limit is far above what a few crashes reach.
pub const DELIVERY_LIMIT: u32 = 100;

/// The reason of a message that was parked at [`DELIVERY_LIMIT`].
pub const DELIVERY_LIMIT_REASON: &str = "its reader ended without a verdict too many times (delivery limit)";

/// The largest body that is published.
pub const BODY_MAX_BYTES: usize = 256 * 1024;

/// A message to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingMessage {
    /// Also AMQP's message_id.
    pub id: EventId,
    pub route: Route,
    /// AMQP's type, for example `payment.completed/1`.
    pub schema: String,
    pub body: Vec<u8>,
    /// The span that publishes it. Also the header of that name.
    pub traceparent: Option<TraceParent>,
}

/// The outcome of publishing one message of a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// Stored by every queue that it was routed to.
    Confirmed,
    /// Not stored, for a reason of its own (no queue took it, too large): the others of the window are unaffected.
    Rejected(String),
    /// It may or may not be stored (time ran out, the connection broke): publish it again.
    Unknown(String),
}

#[async_trait]
pub trait Publisher: Send + Sync + fmt::Debug {
    /// Publishes a closed window and returns when every message of it is decided, in the order given.
    ///
    /// Takes bounded time whatever the broker does. Message ids are distinct within a window. An error means that
    /// nothing is known to have been stored.
    async fn publish(&self, window: &[OutgoingMessage]) -> Result<Vec<Published>, PortError>;

    /// Whether the bus can be reached now; for readiness, never a guard before publishing.
    async fn is_reachable(&self) -> bool;
}

/// A message that was delivered and waits for its verdict. Not `Clone`: it is settled once.
#[derive(Debug)]
pub struct Delivery {
    pub id: EventId,
    pub schema: String,
    pub body: Vec<u8>,
    /// How many times a retry was asked for before: 0 for a new message.
    pub retries: u32,
    /// As it was published, however often it was retried, parked and requeued since.
    pub traceparent: Option<TraceParent>,
    pub tag: DeliveryTag,
}

/// The adapter's own mark of a delivery. `generation` changes when the delivery's channel is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeliveryTag {
    pub generation: u64,
    pub number: u64,
}

/// How a reader settles a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All of its effects are stored.
    Done,
    /// A transient failure: again after the next delay; parked when there was the last.
    Retry { reason: String },
    /// No failure of the message: again in the given time or sooner, without counting as a retry. Whoever handles it looks whether
    /// the time has come.
    Later { after: Duration },
    /// It can never be handled: parked with the reason.
    Park { reason: String },
}

#[async_trait]
pub trait Consumer: Send + Sync + fmt::Debug {
    /// Waits for messages and returns between 1 and `max` of them.
    ///
    /// Survives a restart of the broker by itself; returns an error only to let the caller back off. Dropping the
    /// future loses nothing: what was received is delivered again.
    async fn receive(&self, max: usize) -> Result<Vec<Delivery>, PortError>;

    /// Settles deliveries. Returns how many verdicts the bus stored; the other messages (their channel is gone) are
    /// delivered again.
    async fn settle(&self, verdicts: Vec<(Delivery, Verdict)>) -> Result<usize, PortError>;
}

/// A parked message, as the operator sees it.
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
    /// Waiting for a reader. RabbitMQ does not count those that a reader holds.
    pub ready: u64,
    /// Waiting for the end of a retry delay.
    pub retrying: u64,
    pub parked: u64,
}

/// The operator's side of the bus. Several operators may work at once: none takes a message out of another's view, and
/// of two who requeue or drop the same message the second learns that it is gone.
#[async_trait]
pub trait BusAdmin: Send + Sync + fmt::Debug {
    /// Messages that an operator looks at in this moment may be missing.
    async fn depth(&self, queue: Queue) -> Result<QueueDepth, PortError>;

    /// Shows the body of every message that waits for a reader, whatever their number, and leaves them on the bus in their
    /// order. Those that a reader holds as well: a bus that cannot see them refuses while there is a reader. What waits for
    /// the end of a retry delay is not shown. Being shown may count as a delivery.
    async fn each_waiting(
        &self,
        queue: Queue,
        see: &mut (dyn FnMut(Vec<u8>) + Send),
    ) -> Result<(), PortError>;

    /// Shows every parked message, oldest first, in one look: what other operators do meanwhile hides none of the others.
    async fn each_parked(
        &self,
        queue: Queue,
        see: &mut (dyn FnMut(ParkedMessage) + Send),
    ) -> Result<(), PortError>;

    /// The oldest parked message with this id.
    async fn find_parked(&self, queue: Queue, id: &EventId) -> Result<Option<ParkedMessage>, PortError> {
        let mut found = None;
        let mut see = |message: ParkedMessage| {
            if found.is_none() && message.id == *id {
                found = Some(message);
            }
        };
        self.each_parked(queue, &mut see).await?;
        Ok(found)
    }

    /// Moves the oldest parked message with each of these ids back to its queue as if it were new, all in one look. Returns the
    /// ids that it has found. After an error some may have been moved.
    async fn requeue_parked(
        &self,
        queue: Queue,
        ids: &BTreeSet<EventId>,
    ) -> Result<BTreeSet<EventId>, PortError>;

    /// Deletes the oldest parked message with this id for good and returns it, so that the caller can keep a record.
    async fn drop_parked(&self, queue: Queue, id: &EventId) -> Result<Option<ParkedMessage>, PortError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> RoutingKey {
        RoutingKey::try_new(text).unwrap()
    }

    #[test]
    fn a_star_stands_for_one_word() {
        for (pattern, text) in [("notify", "notify"), ("payment.*", "payment.completed"), ("*.*", "a.b")] {
            assert!(key(text).matches(pattern), "{pattern} takes {text}");
        }
        for (pattern, text) in [
            ("notify", "notify.now"),
            ("payment.*", "payment"),
            ("payment.*", "payment.a.b"),
            ("payment.*", "order.expired"),
        ] {
            assert!(!key(text).matches(pattern), "{pattern} does not take {text}");
        }
    }

    #[test]
    fn a_route_without_a_binding_has_no_queue() {
        let queues = |route: Route| route.queues().collect::<Vec<_>>();
        assert_eq!(queues(Route::Payments(key("payment.cancelled"))), [Queue::ProjectorPayments]);
        assert_eq!(queues(Route::Notifications), [Queue::BotNotifications]);
        assert_eq!(queues(Route::Payments(key("notify"))), []);
        assert_eq!(queues(Route::Payments(key("shop.opened"))), []);
    }

    #[test]
    fn what_amqp_or_a_pattern_could_not_carry_is_no_routing_key() {
        for text in ["", ".", "payment.", "payment..completed", "payment.*", "#", "Payment", "a b", "тўлов"]
        {
            assert!(RoutingKey::try_new(text).is_err(), "{text:?}");
        }
        assert!(RoutingKey::try_new("k".repeat(ROUTING_KEY_MAX_BYTES)).is_ok());
        let error = RoutingKey::try_new("k".repeat(300)).unwrap_err();
        assert!(error.to_string().contains("255 bytes"), "{error}");
    }
}
