//! What an audit can find, in words, with what to do.

use std::fmt;

use serde_json::{Value, json};
use tolov_domain::{EventId, OrderId, ProductId, RefundId, UserId, ports::bus::Queue};
use tolov_shop::settling;

use super::refunds::RefundDifference;

/// A difference between the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Difference {
    /// The ledger has it paid, the shop store does not know it.
    OrderUnknown {
        order_id: OrderId,
    },
    OrderDiffers {
        order_id: OrderId,
        how: settling::Difference,
    },
    OrderUnreadable {
        order_id: OrderId,
        reason: String,
    },
    /// `status`: of the ledger's order; `None` where it has none.
    PaidInShopAlone {
        order_id: OrderId,
        status: Option<&'static str>,
    },
    /// Its goods are neither sold nor released, though its record says how it ended.
    Unsettled {
        order_id: OrderId,
    },
    /// `refund_id`: `None` where staff recorded it and the ledger never heard of it.
    RefundDiffers {
        order_id: OrderId,
        refund_id: Option<RefundId>,
        how: RefundDifference,
    },
    /// Open for more than a day.
    RefundHangs {
        order_id: OrderId,
        refund_id: RefundId,
        state: &'static str,
    },
    NotTold {
        order_id: OrderId,
        recipient: &'static str,
    },
    OrderCount {
        user_id: UserId,
        counted: u32,
        paid: u32,
    },
    StrayHold {
        order_id: OrderId,
        article_id: ProductId,
        count: u32,
    },
    Unsent {
        event_id: String,
        error: Option<String>,
    },
    Parked {
        queue: Queue,
        id: EventId,
        reason: String,
    },
}

/// What a difference is about: two looks at the same thing have the same subject, whatever numbers they see.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Subject {
    pub(super) kind: &'static str,
    about: String,
}

impl Difference {
    /// Its name for machines.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::OrderUnknown { .. } => "order_unknown",
            Self::OrderDiffers { how, .. } => match how {
                settling::Difference::NotPaid => "order_not_paid",
                settling::Difference::User => "user_differs",
                settling::Difference::Amount => "amount_differs",
                settling::Difference::Payment => "payment_differs",
            },
            Self::OrderUnreadable { .. } => "order_unreadable",
            Self::PaidInShopAlone { .. } => "paid_in_shop_alone",
            Self::Unsettled { .. } => "stock_not_settled",
            Self::RefundDiffers { how, .. } => match how {
                RefundDifference::NotInShop => "refund_unknown",
                RefundDifference::Amount => "refund_amount_differs",
                RefundDifference::NotInLedger => "refund_in_shop_alone",
            },
            Self::RefundHangs { .. } => "refund_hangs",
            Self::NotTold { .. } => "not_told",
            Self::OrderCount { .. } => "order_count",
            Self::StrayHold { .. } => "stock_held_for_nothing",
            Self::Unsent { .. } => "event_unsent",
            Self::Parked { .. } => "message_parked",
        }
    }

    pub(super) const fn order_id(&self) -> Option<OrderId> {
        match self {
            Self::OrderUnknown { order_id }
            | Self::OrderDiffers { order_id, .. }
            | Self::OrderUnreadable { order_id, .. }
            | Self::PaidInShopAlone { order_id, .. }
            | Self::Unsettled { order_id }
            | Self::RefundDiffers { order_id, .. }
            | Self::RefundHangs { order_id, .. }
            | Self::NotTold { order_id, .. }
            | Self::StrayHold { order_id, .. } => Some(*order_id),
            Self::OrderCount { .. } | Self::Unsent { .. } | Self::Parked { .. } => None,
        }
    }

    pub(super) fn subject(&self) -> Subject {
        let about = match self {
            Self::OrderUnknown { order_id }
            | Self::OrderDiffers { order_id, .. }
            | Self::OrderUnreadable { order_id, .. }
            | Self::PaidInShopAlone { order_id, .. }
            | Self::Unsettled { order_id } => order_id.to_string(),
            Self::RefundDiffers { order_id, refund_id: None, .. } => order_id.to_string(),
            Self::RefundDiffers { order_id, refund_id: Some(refund_id), .. }
            | Self::RefundHangs { order_id, refund_id, .. } => format!("{order_id}/{refund_id}"),
            Self::NotTold { order_id, recipient } => format!("{order_id}/{recipient}"),
            Self::OrderCount { user_id, .. } => user_id.to_string(),
            Self::StrayHold { order_id, article_id, .. } => format!("{order_id}/{article_id}"),
            Self::Unsent { event_id, .. } => event_id.clone(),
            Self::Parked { queue, id, .. } => format!("{}/{id}", queue.name()),
        };
        Subject { kind: self.kind(), about }
    }

    pub(super) fn remedy(&self) -> &'static str {
        match self {
            Self::OrderUnknown { .. } | Self::OrderDiffers { .. } => {
                "tolov audit --repair makes the shop store say what the ledger says and publishes the event once more"
            }
            Self::OrderUnreadable { .. } => "repair or remove the document, then audit again",
            Self::PaidInShopAlone { .. } => {
                "look the payment up in CLICK's cabinet: if money came in, the ledger was restored from too old a backup; \
                 if none did, somebody has written to the shop store"
            }
            Self::Unsettled { .. } => {
                "tolov audit --repair settles it; if it stays, repair the product, shopper or promo code that the \
                 projector's log names"
            }
            Self::RefundDiffers { how: RefundDifference::NotInShop, .. } => {
                "tolov audit --repair publishes the events of the order once more; is the projector up?"
            }
            Self::RefundDiffers { .. } => {
                "compare the order with CLICK's cabinet; tolov refund ORDER --by-hand records what was given back there"
            }
            Self::RefundHangs { .. } => {
                "tolov refund ORDER --show says what it waits for; --by-hand, --retry or --withdraw decides it"
            }
            Self::NotTold { .. } => "tolov audit --repair publishes the event once more; is the bot up?",
            Self::OrderCount { .. } => "tolov audit --repair counts the paid orders again",
            Self::StrayHold { .. } => "tolov audit --repair puts it back into stock",
            Self::Unsent { .. } => {
                "bring RabbitMQ back; the webhook service's log has the reason. It is sent by itself"
            }
            Self::Parked { .. } => "end the cause, then tolov audit --repair or tolov parked requeue",
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let mut json = json!({
            "kind": self.kind(),
            "order_id": self.order_id(),
            "about": self.subject().about,
            "text": self.to_string(),
            "remedy": self.remedy(),
        });
        if let Self::OrderCount { user_id, .. } = self {
            json["user_id"] = user_id.get().into();
        }
        json
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OrderUnknown { order_id } => {
                write!(formatter, "order {order_id} is paid in the ledger and unknown to the shop store")
            }
            Self::OrderDiffers { order_id, how } => {
                let how = match how {
                    settling::Difference::NotPaid => "is not paid in the shop store",
                    settling::Difference::User => "has another shopper in the shop store",
                    settling::Difference::Amount => "has another amount in the shop store",
                    settling::Difference::Payment => "has another payment in the shop store",
                };
                write!(formatter, "order {order_id} is paid in the ledger and {how}")
            }
            Self::OrderUnreadable { order_id, reason } => {
                write!(formatter, "order {order_id} of the shop store cannot be read: {reason}")
            }
            Self::PaidInShopAlone { order_id, status: Some(status) } => {
                write!(formatter, "order {order_id} is paid in the shop store and {status} in the ledger")
            }
            Self::PaidInShopAlone { order_id, status: None } => {
                write!(formatter, "order {order_id} is paid in the shop store and unknown to the ledger")
            }
            Self::Unsettled { order_id } => write!(formatter, "the stock of order {order_id} is not settled"),
            Self::RefundDiffers { order_id, refund_id, how } => {
                let name = refund_id.map_or_else(|| "a refund".to_owned(), |id| format!("refund {id}"));
                let how = match how {
                    RefundDifference::NotInShop => "is done in the ledger and unknown to the shop store",
                    RefundDifference::Amount => "has another sum in the shop store",
                    RefundDifference::NotInLedger => "is known to the shop store alone",
                };
                write!(formatter, "{name} of order {order_id} {how}")
            }
            Self::RefundHangs { order_id, refund_id, state } => {
                write!(formatter, "refund {refund_id} of order {order_id} is {state} for more than a day")
            }
            Self::NotTold { order_id, recipient } => {
                let who = if *recipient == "staff" { "staff were" } else { "its shopper was" };
                write!(formatter, "order {order_id} is paid and {who} not told of it")
            }
            Self::OrderCount { user_id, counted, paid } => {
                write!(formatter, "shopper {user_id} has {paid} paid orders and is recorded with {counted}")
            }
            Self::StrayHold { order_id, article_id, count } => {
                write!(
                    formatter,
                    "{count} of article {article_id} are held for order {order_id}, which needs them no more"
                )
            }
            Self::Unsent { event_id, error } => {
                let why = error.as_deref().unwrap_or("the bus was not asked yet, or does not answer");
                write!(formatter, "event {event_id} waits for the bus for over a minute: {why}")
            }
            Self::Parked { queue, id, reason } => {
                write!(formatter, "message {id} is parked in {}: {reason}", queue.name())
            }
        }
    }
}
