//! The shop's side of an order: what was agreed, where it stands, and who did what when. Whether it is paid only the
//! ledger knows; this record hears of it.

use serde::{Deserialize, Serialize};
use tolov_domain::{
    OrderId, OrderedProduct, Tiyin, UserId,
    order::OrderLine,
    ports::{
        PortError,
        documents::{Collection, Documents, Key, Query},
    },
    time::{Timestamp, millis},
};

use crate::records::{self, Record};

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Is being put down: stock is held, the ledger may not know it yet.
    Placing,
    /// Can be paid.
    Waiting,
    Paid,
    /// Staff have accepted it.
    Preparing,
    Ready,
    OnTheWay,
    Delivered,
    /// By the shopper before it was paid, or by staff.
    Cancelled,
    /// Nobody paid in time.
    Expired,
    /// It was paid, and the money went back.
    Refunded,
}

/// What people do to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    Placed,
    Registered,
    Paid,
    Accepted,
    MadeReady,
    SentOff,
    Delivered,
    Cancelled,
    Expired,
    Refunded,
}

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Shopper,
    Staff(UserId),
    /// CLICK's callback, as the ledger told it.
    Click,
    /// The time limit.
    Clock,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    Pickup,
    Address {
        text: String,
        landmark: Option<String>,
    },
    /// Degrees as decimal texts, as Telegram showed them.
    Location {
        latitude: String,
        longitude: String,
        landmark: Option<String>,
    },
}

/// What has been done about the stock of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StockState {
    /// Held, or being held.
    Held,
    /// Sold.
    Taken,
    /// Sold, and on its way back to the shelf.
    Returning,
    /// On the shelf again.
    Returned,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    #[serde(with = "millis")]
    pub at: Timestamp,
    pub deed: Deed,
    pub by: By,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fulfilment {
    pub id: OrderId,
    pub user_id: UserId,
    /// With the names and prices of checkout.
    pub lines: Vec<OrderLine>,
    pub goods: Tiyin,
    pub discount: Tiyin,
    pub promo_code: Option<String>,
    pub delivery_price: Tiyin,
    /// What is paid: goods less discount plus delivery.
    pub total: Tiyin,
    pub delivery: Delivery,
    /// As `tolov_domain::Phone` writes it.
    pub phone: String,
    pub comment: Option<String>,
    pub stage: Stage,
    pub stock: StockState,
    #[serde(with = "millis")]
    pub placed_at: Timestamp,
    #[serde(with = "millis::option")]
    pub pay_until_at: Option<Timestamp>,
    pub payment_url: Option<String>,
    /// CLICK's payment number, which the payer sees in the SMS.
    pub click_paydoc_id: Option<i64>,
    #[serde(with = "millis::option")]
    pub paid_at: Option<Timestamp>,
    /// The money came after the order had expired or was cancelled.
    pub late: bool,
    /// Sold to somebody else before late money came: staff must see to it.
    #[serde(default)]
    pub missing: Vec<OrderedProduct>,
    /// Somebody wants it not to be paid any more; it is cancelled when the ledger says that it cannot be.
    pub cancel_asked_by: Option<By>,
    pub timeline: Vec<TimelineEntry>,
    /// The message with the order in the shopper's chat.
    pub shopper_message_id: Option<i64>,
    /// The post in the staff channel; `None` while there is none of its own.
    pub staff_message_id: Option<i64>,
}

/// What became of a deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    Now,
    /// It stood there already.
    Before,
    /// From where it stands there is no way there.
    Refused(Stage),
}

impl Record for Fulfilment {
    const COLLECTION: Collection = Collection::Fulfilments;

    fn key(&self) -> Key {
        Key::Number(self.id.get())
    }
}

impl Stage {
    pub const ALL: [Self; 10] = [
        Self::Placing,
        Self::Waiting,
        Self::Paid,
        Self::Preparing,
        Self::Ready,
        Self::OnTheWay,
        Self::Delivered,
        Self::Cancelled,
        Self::Expired,
        Self::Refunded,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Placing => "placing",
            Self::Waiting => "waiting",
            Self::Paid => "paid",
            Self::Preparing => "preparing",
            Self::Ready => "ready",
            Self::OnTheWay => "on_the_way",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Refunded => "refunded",
        }
    }

    /// Whether staff have something to do about it.
    pub const fn is_in_work(self) -> bool {
        matches!(self, Self::Paid | Self::Preparing | Self::Ready | Self::OnTheWay)
    }
}

impl Deed {
    /// Where it leads.
    const fn goal(self) -> Stage {
        match self {
            Self::Placed => Stage::Placing,
            Self::Registered => Stage::Waiting,
            Self::Paid => Stage::Paid,
            Self::Accepted => Stage::Preparing,
            Self::MadeReady => Stage::Ready,
            Self::SentOff => Stage::OnTheWay,
            Self::Delivered => Stage::Delivered,
            Self::Cancelled => Stage::Cancelled,
            Self::Expired => Stage::Expired,
            Self::Refunded => Stage::Refunded,
        }
    }
}

impl Fulfilment {
    pub fn is_paid(&self) -> bool {
        self.paid_at.is_some()
    }

    /// What was ordered, as the ledger knows it.
    pub fn articles(&self) -> Vec<OrderedProduct> {
        let article = |line: &OrderLine| OrderedProduct { product_id: line.product_id, count: line.count };
        self.lines.iter().map(article).collect()
    }

    /// What staff can do to it now, in the order of their buttons.
    pub fn deeds(&self) -> Vec<Deed> {
        [Deed::Accepted, Deed::MadeReady, Deed::SentOff, Deed::Delivered, Deed::Cancelled, Deed::Refunded]
            .into_iter()
            .filter(|deed| self.allows(*deed))
            .collect()
    }

    fn allows(&self, deed: Deed) -> bool {
        use Stage::{Cancelled, Delivered, Expired, OnTheWay, Paid, Placing, Preparing, Ready, Waiting};
        let stage = self.stage;
        match deed {
            Deed::Placed => false,
            Deed::Registered => stage == Placing,
            // Money is honoured whenever it comes.
            Deed::Paid => !self.is_paid(),
            Deed::Accepted => stage == Paid,
            Deed::MadeReady => stage == Preparing,
            Deed::SentOff => matches!(stage, Preparing | Ready) && self.delivery != Delivery::Pickup,
            Deed::Delivered => matches!(stage, Ready | OnTheWay),
            Deed::Cancelled => matches!(stage, Placing | Waiting | Paid | Preparing | Ready | OnTheWay),
            Deed::Expired => matches!(stage, Placing | Waiting),
            Deed::Refunded => self.is_paid() && matches!(stage, Cancelled | Delivered | Expired),
        }
    }

    /// Does a deed, once, and writes it into the timeline.
    pub fn advance(&mut self, deed: Deed, by: By, at: Timestamp) -> Moved {
        if self.stage == deed.goal() || (deed == Deed::Paid && self.is_paid()) {
            return Moved::Before;
        }
        if !self.allows(deed) {
            return Moved::Refused(self.stage);
        }
        self.stage = deed.goal();
        self.timeline.push(TimelineEntry { at, deed, by });
        Moved::Now
    }
}

pub async fn fulfilment(documents: &dyn Documents, id: OrderId) -> Result<Option<Fulfilment>, PortError> {
    records::read(documents, id.get()).await
}

/// A shopper's orders, newest first.
pub async fn fulfilments_of(
    documents: &dyn Documents,
    user_id: UserId,
    skip: u32,
    limit: u32,
) -> Result<Vec<Fulfilment>, PortError> {
    let query = Query::is(Collection::Fulfilments, "user_id", user_id.get(), limit);
    records::find(documents, &query.newest_first().skip(skip)).await
}

/// Does a deed to an order that is there; `None` where it is not.
pub async fn advance(
    documents: &dyn Documents,
    id: OrderId,
    deed: Deed,
    by: By,
    at: Timestamp,
) -> Result<Option<(Fulfilment, Moved)>, PortError> {
    records::change(documents, id.get(), |fulfilment: &mut Fulfilment| fulfilment.advance(deed, by, at)).await
}
