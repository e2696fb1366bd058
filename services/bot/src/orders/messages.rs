//! Where the messages about an order are: the shopper's, and the post in the staff channel.

use serde::{Deserialize, Serialize};
use tolov_domain::{
    OrderId,
    ports::{
        PortError,
        documents::{Collection, Documents, Key},
    },
    time::{Timestamp, millis},
};
use tolov_shop::records::{self, Record};

use crate::telegram::client::MessageRef;

pub(crate) const ORDER_MESSAGES: Collection = Collection::new("order_messages", &[]);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OrderMessages {
    pub(crate) id: OrderId,
    /// The message in the shopper's chat that follows the order.
    #[serde(default)]
    pub(crate) shopper: Option<SentMessage>,
    /// The order's own post in the staff channel. An order that was posted in a digest has none.
    #[serde(default)]
    pub(crate) staff_post: Option<SentMessage>,
    /// Whether the shopper has been reminded that the time to pay is nearly over.
    #[serde(default)]
    pub(crate) reminder: Option<Reminder>,
    /// The reminder, while it has its button to pay.
    #[serde(default)]
    pub(crate) reminder_message: Option<MessageRef>,
}

/// A message that follows its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SentMessage {
    #[serde(flatten)]
    pub(crate) place: MessageRef,
    /// `None`: nobody kept it.
    #[serde(default, with = "millis::option")]
    pub(crate) sent_at: Option<Timestamp>,
}

/// An order is reminded of once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reminder {
    /// An attempt is under way, or broke off: then another one is made after this time.
    Claimed {
        #[serde(with = "millis")]
        next_try_at: Timestamp,
    },
    /// It was sent, or can never be.
    Done,
}

impl Record for OrderMessages {
    const COLLECTION: Collection = ORDER_MESSAGES;

    fn key(&self) -> Key {
        Key::Number(self.id.get())
    }
}

/// The messages of an order; none of them where nothing was sent yet.
pub(crate) async fn messages_of(documents: &dyn Documents, id: OrderId) -> Result<OrderMessages, PortError> {
    Ok(records::read(documents, id.get()).await?.unwrap_or_else(|| none(id)))
}

pub(crate) async fn change_messages<T>(
    documents: &dyn Documents,
    id: OrderId,
    change: impl FnMut(&mut OrderMessages) -> T,
) -> Result<T, PortError> {
    let (_, told) = records::change_or_insert(documents, id.get(), || none(id), change).await?;
    Ok(told)
}

fn none(id: OrderId) -> OrderMessages {
    OrderMessages { id, shopper: None, staff_post: None, reminder: None, reminder_message: None }
}
