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
    /// The money was given back another way already, and nothing is sent: what proves it, 1 to 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<String>,
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

/// `POST /refunds/ID/withdraw` and `POST /refunds/ID/retry`: 200 the [`Refund`], 409 [`Conflict`]. `POST /attempts/ID/accept`:
/// 200 [`SeenReply`], 409 [`Conflict`] with `not_reported` where CLICK has not shown the attempt as paid.
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

/// `GET /refunds/open?after`: with larger numbers than `after`, oldest first, at most [`Refunds::PAGE`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refunds {
    pub refunds: Vec<OpenRefund>,
}

impl Refunds {
    pub const PAGE: u32 = 500;
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

/// `GET /attempts/silent?limit`: those whose turn it is to be asked about, and that neither Complete nor a refusal has
/// settled. `GET /attempts?before&limit`: all, newest first.
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
    pub amount_tiyin: Tiyin,
    #[serde(with = "time::serde::rfc3339")]
    pub prepared_at: Timestamp,
    pub is_paid: bool,
}

/// `POST /attempts/ID/seen`: what CLICK says about an attempt. 200 [`SeenReply`], 404.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenRequest {
    /// `None`: CLICK named no payment. That is recorded and changes nothing.
    pub payment: Option<SeenPayment>,
    #[serde(default)]
    pub source: ReportSource,
    /// The sum that CLICK names. One that is not the attempt's is a question to staff. No answer of the Merchant API has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_tiyin: Option<Tiyin>,
    /// Whether a payment whose number is the attempt's `click_paydoc_id`, so that its sum is known, makes the order paid.
    /// Otherwise staff are asked.
    pub accept: bool,
}

/// Where it is said that an attempt is paid of which no Complete has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportSource {
    /// CLICK's Merchant API.
    #[default]
    Status,
    /// The same, asked for the attempts that a restored ledger may have lost the Complete of.
    Restore,
    /// A statement of CLICK's cabinet, read by an operator.
    Statement,
    /// An owner, after CLICK's Merchant API or a statement showed the payment. Only `POST /attempts/ID/accept`.
    Owner,
}

impl ReportSource {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Restore => "restore",
            Self::Statement => "statement",
            Self::Owner => "owner",
        }
    }
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

/// `GET /restore`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RestoreCheck {
    /// The ledger is a restored copy, and CLICK has not been asked for what it lost: the time of the backup.
    #[serde(with = "time::serde::rfc3339::option")]
    pub backup_made_at: Option<Timestamp>,
    /// When it was put back. Until then services went on with the ledger that it replaced.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub restored_at: Option<Timestamp>,
    /// Orders that can be paid and were registered shortly before the backup or after it, of which the ledger knows no attempt:
    /// CLICK may know one. At most 500, oldest first; empty after the last one.
    #[serde(default)]
    pub orders: Vec<UnattemptedOrder>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnattemptedOrder {
    pub order_id: OrderId,
    #[serde(with = "time::serde::rfc3339")]
    pub registered_at: Timestamp,
}

/// `POST /restore/found`: CLICK shows a payment of such an order. Staff are told, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundPayment {
    pub order_id: OrderId,
    pub payment_id: ClickPaymentId,
}

/// `POST /merchant-calls`: calls of the Merchant API that were made, for the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MerchantCalls {
    /// At most 20.
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
    pub outcome: CallOutcome,
    pub code: Option<i64>,
    pub note: String,
}

/// What CLICK's answer to a call means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallOutcome {
    /// CLICK did it, or says what was asked for.
    Done,
    /// It knows no such payment.
    NotFound,
    /// It answered with another code.
    Refused,
    /// It does not accept our keys or our service: nothing took place, and an operator has to act.
    Setup,
    /// There was no answer that can be believed.
    Unknown,
}

impl CallOutcome {
    pub const ALL: [Self; 5] = [Self::Done, Self::NotFound, Self::Refused, Self::Setup, Self::Unknown];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NotFound => "not_found",
            Self::Refused => "refused",
            Self::Setup => "setup",
            Self::Unknown => "unknown",
        }
    }
}
