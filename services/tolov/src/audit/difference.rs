//! What an audit can find, in words, with what to do.

use std::fmt::Display;

use serde_json::{Value, json};
use tolov_domain::{
    EventId, Language, OrderId, ProductId, RefundId, UserId,
    ports::{bus::Queue, documents::Key},
    time::Timestamp,
};
use tolov_shop::settling;

use super::refunds::RefundDifference;
use crate::doctor::texts;

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
    /// Its time is over in the ledger, and the shop store holds its goods for a payment.
    OpenInShopAlone {
        order_id: OrderId,
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
    /// The shopper has the money back, and has not heard of it.
    RefundNotTold {
        order_id: OrderId,
        refund_id: RefundId,
    },
    /// Of money that is in question, or of no order.
    QuestionNotTold {
        event_id: String,
        order_id: Option<OrderId>,
        /// When the event was written.
        at: Timestamp,
    },
    OrderCount {
        user_id: UserId,
        counted: u32,
        paid: u32,
    },
    /// An order of the person's cannot be read, so that nobody knows what the person has bought.
    NotJudged {
        user_id: UserId,
    },
    /// A shopper or a product.
    DocumentUnreadable {
        collection: &'static str,
        key: Key,
        reason: String,
    },
    /// Paid, and never taken out of the cart.
    InCart {
        order_id: OrderId,
        user_id: UserId,
    },
    StrayHold {
        order_id: OrderId,
        article_id: ProductId,
        count: u32,
    },
    /// The order waits for its payment.
    NotHeld {
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
            Self::OpenInShopAlone { .. } => "open_in_shop_alone",
            Self::Unsettled { .. } => "stock_not_settled",
            Self::RefundDiffers { how, .. } => match how {
                RefundDifference::NotInShop => "refund_unknown",
                RefundDifference::Amount => "refund_amount_differs",
                RefundDifference::NotInLedger => "refund_in_shop_alone",
            },
            Self::RefundHangs { .. } => "refund_hangs",
            Self::NotTold { .. } => "not_told",
            Self::RefundNotTold { .. } => "refund_not_told",
            Self::QuestionNotTold { .. } => "question_not_told",
            Self::OrderCount { .. } => "order_count",
            Self::NotJudged { .. } => "shopper_not_judged",
            Self::DocumentUnreadable { .. } => "document_unreadable",
            Self::InCart { .. } => "bought_still_in_cart",
            Self::StrayHold { .. } => "stock_held_for_nothing",
            Self::NotHeld { .. } => "stock_not_held",
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
            | Self::OpenInShopAlone { order_id }
            | Self::Unsettled { order_id }
            | Self::RefundDiffers { order_id, .. }
            | Self::RefundHangs { order_id, .. }
            | Self::NotTold { order_id, .. }
            | Self::RefundNotTold { order_id, .. }
            | Self::InCart { order_id, .. }
            | Self::StrayHold { order_id, .. }
            | Self::NotHeld { order_id, .. } => Some(*order_id),
            Self::QuestionNotTold { order_id, .. } => *order_id,
            Self::OrderCount { .. }
            | Self::NotJudged { .. }
            | Self::DocumentUnreadable { .. }
            | Self::Unsent { .. }
            | Self::Parked { .. } => None,
        }
    }

    /// The person whose record differs from the person's orders.
    pub(super) const fn user_id(&self) -> Option<UserId> {
        let (Self::OrderCount { user_id, .. } | Self::NotJudged { user_id } | Self::InCart { user_id, .. }) =
            self
        else {
            return None;
        };
        Some(*user_id)
    }

    pub(super) fn subject(&self) -> Subject {
        let about = match self {
            Self::OrderUnknown { order_id }
            | Self::OrderDiffers { order_id, .. }
            | Self::OrderUnreadable { order_id, .. }
            | Self::PaidInShopAlone { order_id, .. }
            | Self::OpenInShopAlone { order_id }
            | Self::Unsettled { order_id }
            | Self::InCart { order_id, .. } => order_id.to_string(),
            Self::RefundDiffers { order_id, refund_id: None, .. } => order_id.to_string(),
            Self::RefundDiffers { order_id, refund_id: Some(refund_id), .. }
            | Self::RefundNotTold { order_id, refund_id }
            | Self::RefundHangs { order_id, refund_id, .. } => format!("{order_id}/{refund_id}"),
            Self::NotTold { order_id, recipient } => format!("{order_id}/{recipient}"),
            Self::OrderCount { user_id, .. } | Self::NotJudged { user_id } => user_id.to_string(),
            Self::DocumentUnreadable { collection, key, .. } => format!("{collection}/{key}"),
            Self::StrayHold { order_id, article_id, .. } | Self::NotHeld { order_id, article_id, .. } => {
                format!("{order_id}/{article_id}")
            }
            Self::Unsent { event_id, .. } | Self::QuestionNotTold { event_id, .. } => event_id.clone(),
            Self::Parked { queue, id, .. } => format!("{}/{id}", queue.name()),
        };
        Subject { kind: self.kind(), about }
    }

    /// What to do about it.
    pub(super) fn remedy(&self, language: Language) -> String {
        let key = match self {
            Self::OrderDiffers { how, .. } if how.contradicts() => "audit-do-compare-payments",
            Self::OrderUnknown { .. } | Self::OrderDiffers { .. } => "audit-do-repair-order",
            Self::OrderUnreadable { .. } | Self::DocumentUnreadable { .. } | Self::NotJudged { .. } => {
                "audit-do-repair-document"
            }
            Self::PaidInShopAlone { .. } => "audit-do-look-at-click",
            Self::Unsettled { .. } => "audit-do-settle",
            Self::OpenInShopAlone { .. } | Self::RefundDiffers { how: RefundDifference::NotInShop, .. } => {
                "audit-do-replay"
            }
            Self::RefundDiffers { .. } => "audit-do-compare-refund",
            Self::RefundHangs { .. } => "audit-do-decide-refund",
            Self::NotTold { .. } | Self::RefundNotTold { .. } | Self::QuestionNotTold { .. } => {
                "audit-do-publish"
            }
            Self::OrderCount { .. } => "audit-do-count",
            Self::InCart { .. } => "audit-do-empty-cart",
            Self::StrayHold { .. } => "audit-do-restock",
            Self::NotHeld { .. } => "audit-do-hold",
            Self::Unsent { .. } => "audit-do-bring-bus-back",
            Self::Parked { .. } => "audit-do-requeue",
        };
        texts::text(language, key, &[])
    }

    pub(super) fn text(&self, language: Language) -> String {
        let say = |key, args: &[(&'static str, &dyn Display)]| texts::text(language, key, args);
        match self {
            Self::OrderUnknown { order_id } => say("audit-order-unknown", &[("order", order_id)]),
            Self::OrderDiffers { order_id, how } => {
                let key = match how {
                    settling::Difference::NotPaid => "audit-order-not-paid",
                    settling::Difference::User => "audit-user-differs",
                    settling::Difference::Amount => "audit-amount-differs",
                    settling::Difference::Payment => "audit-payment-differs",
                };
                say(key, &[("order", order_id)])
            }
            Self::OrderUnreadable { order_id, reason } => {
                say("audit-order-unreadable", &[("order", order_id), ("reason", reason)])
            }
            Self::PaidInShopAlone { order_id, status } => {
                let status = status
                    .map_or_else(|| say("audit-status-unknown", &[]), |status| texts::word(language, status));
                say("audit-paid-in-shop-alone", &[("order", order_id), ("status", &status)])
            }
            Self::OpenInShopAlone { order_id } => say("audit-open-in-shop-alone", &[("order", order_id)]),
            Self::Unsettled { order_id } => say("audit-stock-not-settled", &[("order", order_id)]),
            Self::RefundDiffers { order_id, refund_id, how } => {
                let key = match how {
                    RefundDifference::NotInShop => "audit-refund-unknown",
                    RefundDifference::Amount => "audit-refund-amount-differs",
                    RefundDifference::NotInLedger => "audit-refund-in-shop-alone",
                };
                let id = refund_id.map_or_else(|| "?".to_owned(), |id| id.to_string());
                say(key, &[("order", order_id), ("refund", &id)])
            }
            Self::RefundHangs { order_id, refund_id, state } => {
                let state = texts::word(language, state);
                say("audit-refund-hangs", &[("order", order_id), ("refund", refund_id), ("state", &state)])
            }
            Self::NotTold { order_id, recipient: "staff" } => {
                say("audit-staff-not-told", &[("order", order_id)])
            }
            Self::NotTold { order_id, .. } => say("audit-shopper-not-told", &[("order", order_id)]),
            Self::RefundNotTold { order_id, refund_id } => {
                say("audit-refund-not-told", &[("order", order_id), ("refund", refund_id)])
            }
            Self::QuestionNotTold { event_id, .. } => say("audit-question-not-told", &[("event", event_id)]),
            Self::OrderCount { user_id, counted, paid } => {
                say("audit-order-count", &[("user", user_id), ("counted", counted), ("paid", paid)])
            }
            Self::NotJudged { user_id } => say("audit-not-judged", &[("user", user_id)]),
            Self::DocumentUnreadable { collection, key, reason } => say(
                "audit-document-unreadable",
                &[("document", key), ("collection", collection), ("reason", reason)],
            ),
            Self::InCart { order_id, user_id } => {
                say("audit-in-cart", &[("order", order_id), ("user", user_id)])
            }
            Self::StrayHold { order_id, article_id, count } => say(
                "audit-stock-held-for-nothing",
                &[("count", count), ("article", article_id), ("order", order_id)],
            ),
            Self::NotHeld { order_id, article_id, count } => {
                say("audit-stock-not-held", &[("count", count), ("article", article_id), ("order", order_id)])
            }
            Self::Unsent { event_id, error } => {
                let reason = error.clone().unwrap_or_else(|| say("audit-not-asked", &[]));
                say("audit-event-unsent", &[("event", event_id), ("reason", &reason)])
            }
            Self::Parked { queue, id, reason } => {
                let queue = queue.name();
                say("audit-message-parked", &[("message", id), ("queue", &queue), ("reason", reason)])
            }
        }
    }

    pub(super) fn to_json(&self, language: Language) -> Value {
        let mut json = json!({
            "kind": self.kind(),
            "order_id": self.order_id(),
            "about": self.subject().about,
            "text": self.text(language),
            "remedy": self.remedy(language),
        });
        if let Some(user_id) = self.user_id() {
            json["user_id"] = user_id.get().into();
        }
        json
    }
}
