//! Where an order stands, what is done to it, and by whom.

use serde::{Deserialize, Serialize};
use tolov_domain::UserId;

/// Where an order stands, as screens and lists show it. Read from [`super::OrderState`], never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Is being created: stock is held, the ledger may not know the order yet.
    Creating,
    AwaitingPayment,
    /// Staff have not accepted it yet.
    Paid,
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

impl Stage {
    pub const ALL: [Self; 10] = [
        Self::Creating,
        Self::AwaitingPayment,
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
            Self::Creating => "creating",
            Self::AwaitingPayment => "awaiting_payment",
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

    /// Whether its money or its goods went back, or nobody paid: nothing is left to be done.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Cancelled | Self::Expired | Self::Refunded)
    }

    /// Whether staff have something to do about it.
    pub const fn is_in_work(self) -> bool {
        matches!(self, Self::Paid | Self::Preparing | Self::Ready | Self::OnTheWay)
    }
}

/// How far staff have come with a paid order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Nobody has accepted it yet.
    New,
    Preparing,
    Ready,
    OnTheWay,
    Delivered,
}

impl Progress {
    pub(super) const fn stage(self) -> Stage {
        match self {
            Self::New => Stage::Paid,
            Self::Preparing => Stage::Preparing,
            Self::Ready => Stage::Ready,
            Self::OnTheWay => Stage::OnTheWay,
            Self::Delivered => Stage::Delivered,
        }
    }
}

/// What is done to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderAction {
    Placed,
    /// The ledger knows it: it can be paid.
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

impl OrderAction {
    /// What staff can do, in the order of their buttons.
    pub const OF_STAFF: [Self; 6] =
        [Self::Accepted, Self::MadeReady, Self::SentOff, Self::Delivered, Self::Cancelled, Self::Refunded];

    /// Where it leads.
    pub const fn target(self) -> Stage {
        match self {
            Self::Placed => Stage::Creating,
            Self::Registered => Stage::AwaitingPayment,
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

/// What staff agree on where late money came for goods that are sold out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingChoice {
    /// The shopper waits until they are there again.
    Wait,
    /// The shopper takes other goods.
    Other,
}

/// Who does something to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    Shopper,
    Staff(UserId),
    /// A callback of CLICK, as the ledger reported it.
    Click,
    /// A time limit.
    Clock,
}
