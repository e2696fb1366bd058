//! What is bought, as the money path knows it.

use serde::{Deserialize, Serialize};

use crate::{OrderId, ProductId, Tiyin, UserId, time::Timestamp};

/// One line of an order: which product, and how many of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderedProduct {
    pub product_id: ProductId,
    /// At least 1.
    pub count: u32,
}

/// A line as the shop store keeps it: the name and the price are those of the moment of checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    pub product_id: ProductId,
    pub count: u32,
    /// Empty where the order came to the shop store from an event and the product is gone since.
    pub title: String,
    /// Of one piece. `None` where nobody knows any more.
    pub price: Option<Tiyin>,
}

/// Where an order of the shop store stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Waits for the money.
    Pending,
    /// The money is in. Nothing that happens to the payment later takes this back.
    Paid,
    /// Nobody paid in time; money that comes all the same makes it [`OrderStatus::Paid`].
    Expired,
}

impl OrderStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Expired => "expired",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Paid, Self::Expired].into_iter().find(|status| status.as_str() == text)
    }
}

/// An order as the shop store shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub id: OrderId,
    pub user_id: UserId,
    pub lines: Vec<OrderLine>,
    pub total: Tiyin,
    pub status: OrderStatus,
    pub created_at: Timestamp,
    pub payment: Option<PaymentFacts>,
    /// Oldest first; one entry an event.
    pub history: Vec<HistoryEntry>,
}

/// What the payer's money left behind: kept with the order for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentFacts {
    pub click_trans_id: crate::ClickTransId,
    pub click_paydoc_id: crate::ClickPaydocId,
    pub paid_at: Timestamp,
    /// The money came after the order had expired.
    pub late: bool,
}

/// One thing that happened to an order, and the event that said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    pub event_id: crate::EventId,
    /// The event's name, for example `payment.completed`.
    pub what: String,
    pub at: Timestamp,
}

/// A shopper, as the shop store keeps one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub phone: Option<String>,
    /// `None` until the shopper has chosen, or Telegram has told.
    pub language: Option<Language>,
    pub cart: Vec<OrderedProduct>,
    /// How many paid orders there are.
    pub order_count: u32,
}

/// The languages that the shop speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    #[default]
    Uz,
    Ru,
    En,
}

impl Language {
    pub const ALL: [Self; 3] = [Self::Uz, Self::Ru, Self::En];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uz => "uz",
            Self::Ru => "ru",
            Self::En => "en",
        }
    }

    /// From a language tag such as `ru` or `en-GB`; one we do not speak is none.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next()?.to_ascii_lowercase();
        Self::ALL.into_iter().find(|language| language.as_str() == primary)
    }
}
