//! Bodies of the webhook service's internal API about receipts. JSON, sums in tiyin; docs/openapi.yaml has the addresses.

use serde::{Deserialize, Serialize};

use super::{Change, Receipt};
use crate::{refund::api::Attempt, time::Timestamp};

/// `GET /receipts/open`: those that the reconciler has to look at now, at most 10.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenReceipts {
    pub receipts: Vec<OpenReceipt>,
    /// How many are not sent or have no address yet.
    pub waiting: u32,
    /// How many wait for a person.
    pub missing: u32,
}

/// A receipt with what has to be known to ask CLICK about its payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenReceipt {
    pub receipt: Receipt,
    pub attempt: Attempt,
    /// By Telegram's invoice.
    #[serde(default)]
    pub in_telegram: bool,
    pub refund: RefundExtent,
}

/// What is known of refunds of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundExtent {
    None,
    /// One is under way: nothing is sent until it is over.
    Open,
    Part,
    Whole,
}

/// `GET /receipts/missing`: those that wait for a person, oldest first, at most 500.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingReceipts {
    /// Of all.
    pub count: u32,
    pub receipts: Vec<MissingReceipt>,
}

/// A sale without its receipt; or, where `return_of_refund`, a refund whose receipt has to be made by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingReceipt {
    pub receipt: Receipt,
    pub return_of_refund: bool,
}

/// `POST /receipts/ORDER/step`: 200 the [`Receipt`], 409 [`Conflict`] where `step` is not its last one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRequest {
    pub step: u32,
    #[serde(flatten)]
    pub change: Change,
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub next_step_at: Option<Timestamp>,
}

/// Body of a 409.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    pub error: String,
    /// `not_allowed` (the receipt's state does not allow it), `stale` (another change was faster).
    pub reason: String,
    pub receipt: Receipt,
}
