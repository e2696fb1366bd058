//! Bodies of the webhook service's internal API about refunds and about what CLICK says of a payment. JSON, sums in tiyin;
//! docs/openapi.yaml has the addresses and codes.

use serde::{Deserialize, Serialize};

use super::{Allowed, Change, Refund};
use crate::{
    ids::{ClickPaydocId, ClickPaymentId, OrderId, PrepareId},
    money::Tiyin,
    order::OrderedProduct,
    payment::Anomaly,
    time::Timestamp,
};

/// `POST /orders/ID/refunds`: 201 a new [`Refund`], 200 that of the same `request_id`, 409 [`Conflict`], 422.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundRequest {
    /// 1 to 64 printable ASCII characters; made once for a decision, so that a repetition is recognised.
    pub request_id: String,
    /// `None`: all that is left.
    #[serde(default)]
    pub amount_tiyin: Option<Tiyin>,
    /// What goes back to stock when the money is back.
    #[serde(default)]
    pub returned: Vec<OrderedProduct>,
    /// Who asks, 1 to 64 characters: a Telegram id, `operator`.
    pub requested_by: String,
    /// At most 500 characters.
    #[serde(default)]
    pub reason: String,
}

/// `GET /orders/ID/refunds`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRefunds {
    /// 0: the order is not paid.
    pub paid_tiyin: Tiyin,
    /// What has been given back, without refunds that are still open.
    pub refunded_tiyin: Tiyin,
    pub open: Option<Refund>,
    /// All of them, oldest first, the open one too.
    pub refunds: Vec<Refund>,
    pub allowed: Allowed,
}

/// Body of a 409: a code and, where there is a refund, its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    pub error: String,
    /// `not_paid`, `nothing_left`, `refund_open`, `other_request` (the `request_id` names another refund), `not_allowed`
    /// (the refund's state does not allow it), `stale` (another change was faster).
    pub reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<Refund>,
}

/// `POST /refunds/ID/withdraw` and `POST /refunds/ID/retry`: 200 the [`Refund`], 409 [`Conflict`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecidedBy {
    /// 1 to 64 characters.
    pub by: String,
}

/// `POST /refunds/ID/by-hand`: 200 the [`Refund`], 409 [`Conflict`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenByHand {
    /// 1 to 64 characters.
    pub by: String,
    /// What proves it, 1 to 500 characters.
    pub document: String,
}

/// `GET /refunds?open`, oldest first, at most 500.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refunds {
    pub refunds: Vec<OpenRefund>,
}

/// A refund with what has to be known to ask CLICK about its payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenRefund {
    pub refund: Refund,
    pub attempt: Attempt,
}

/// `POST /refunds/ID/step`: 200 the [`Refund`], 409 [`Conflict`] where `step` is not its last one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRequest {
    pub step: u32,
    #[serde(flatten)]
    pub change: Change,
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub next_step_at: Option<Timestamp>,
}

/// `GET /attempts/silent` and `GET /attempts/paid`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    pub attempts: Vec<Attempt>,
}

/// An attempt to pay, as CLICK is asked about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub prepare_id: PrepareId,
    pub order_id: OrderId,
    pub click_paydoc_id: ClickPaydocId,
    #[serde(with = "time::serde::rfc3339")]
    pub prepared_at: Timestamp,
    /// How often CLICK was asked about it while it was silent.
    pub asked: u32,
}

/// `POST /attempts/ID/seen`: what CLICK says about an attempt. 200 [`SeenReply`], 404.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenRequest {
    /// `None`: CLICK named no payment. That is recorded and changes nothing.
    pub payment: Option<SeenPayment>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenPayment {
    pub payment_id: ClickPaymentId,
    /// Below 0 failed or reversed, 0 created, 1 in work, 2 paid.
    pub status: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenReply {
    pub outcome: SeenOutcome,
    /// The question that staff were asked, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anomaly: Option<Anomaly>,
}

/// What the ledger made of what CLICK says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeenOutcome {
    /// The order is paid by this.
    Paid,
    /// It was paid by this attempt before.
    AlreadyPaid,
    /// Ledger and CLICK do not agree: staff are asked.
    Questioned,
    Unchanged,
}

/// `POST /merchant-calls`: calls of the Merchant API that were made, for the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MerchantCalls {
    /// At most 100.
    pub calls: Vec<MerchantCall>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MerchantCall {
    #[serde(with = "time::serde::rfc3339")]
    pub at: Timestamp,
    pub order_id: Option<OrderId>,
    pub method: String,
    /// Holds no secret.
    pub path: String,
    /// `done`, `not_found`, `refused`, `setup`, `unknown`.
    pub outcome: String,
    pub code: Option<i64>,
    pub note: String,
}
