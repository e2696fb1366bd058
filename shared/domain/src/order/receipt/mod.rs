//! Fiscal receipts: what the tax committee is told of a paid order through CLICK's `submit_items`.
//!
//! CLICK does not say whether the same items may be sent twice. So what is sent is agreed with the order and never changes,
//! it is committed that it is sent before it is, and an outcome that is not known is asked for before it is sent again.
//! Every transition takes the old receipt by value.

pub mod api;
mod content;
mod retrace;

use serde::{Deserialize, Serialize};
use time::Duration;

pub use self::content::{Content, ContentError, ContentLine, DeliveryLine, content, spread, vat_inside};
pub use super::fiscal::Fiscal;
use crate::{
    ids::{ClickPaymentId, OrderId},
    money::Tiyin,
    time::Timestamp,
};

/// The longest pause before a receipt's next step.
pub const PAUSE_MAX: Duration = Duration::DAY;

/// The receipt of an order as the ledger keeps it, and the JSON in which its API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub order_id: OrderId,
    /// What was paid.
    pub amount_tiyin: Tiyin,
    pub content: Content,
    #[serde(flatten)]
    pub state: ReceiptState,
    /// SHA-256 of the body that was sent, in hexadecimal digits: no other body is ever sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_hash: Option<String>,
    /// When the order was paid, or when a person asked to try once more.
    #[serde(with = "time::serde::rfc3339")]
    pub since: Timestamp,
    #[serde(with = "time::serde::rfc3339")]
    pub changed_at: Timestamp,
    /// Counts the changes. Whoever makes the next one names it, and the first one wins.
    pub step: u32,
    /// How often the items were sent.
    pub tries: u32,
    /// When the reconciler looks at it again. `None`: a person has to act, or nobody.
    #[serde(with = "time::serde::rfc3339::option")]
    pub next_step_at: Option<Timestamp>,
}

/// Where a receipt stands, with what is known there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ReceiptState {
    /// The order is paid and the items are to be sent. CLICK's words are those of its last refusal.
    Needed {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        click_code: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        click_note: Option<String>,
    },
    /// The items are being sent. Found after a restart, the outcome is not known.
    Submitting { payment_id: ClickPaymentId },
    /// The items were sent and the outcome is not known. CLICK is asked for the receipt.
    Unknown { payment_id: ClickPaymentId },
    /// CLICK has taken the items; the receipt's address is not known yet.
    Submitted { payment_id: ClickPaymentId },
    /// The receipt is at this address.
    Known { payment_id: ClickPaymentId, url: String },
    /// There is none, and a person has to act.
    Missing {
        why: MissingReason,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        click_code: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        click_note: Option<String>,
    },
    /// A person has dealt with it; the document says how.
    ByHand { decided_by: String, document: String },
}

/// [`ReceiptState`] without its facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptStatus {
    Needed,
    Submitting,
    Unknown,
    Submitted,
    Known,
    Missing,
    ByHand,
}

/// Why an order has no receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingReason {
    /// A product or the delivery has no MXIK, package code or VAT rate.
    NoCodes,
    /// It was paid by Telegram's invoice: CLICK's Merchant API knows nothing of such payments.
    PaidInTelegram,
    /// CLICK does not find the payment.
    PaymentNotFound,
    /// CLICK refused the items until the deadline.
    Refused,
    /// CLICK gave no answer that can be believed until the deadline.
    NoAnswer,
    /// CLICK has taken the items, and its receipt has no address after a week.
    NoAddress,
    /// The money went back before the items were sent.
    Refunded,
    /// A restore took the order back, and nobody knows what it sold.
    ContentLost,
    /// The settings would send another body than the one that was sent before.
    ContentDiffers,
}

/// What the reconciler learned from CLICK, or is about to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// Nothing new; `next_step_at` alone changes.
    Wait,
    /// The items are sent next, in a body of this hash. Committed before they are.
    Submit { payment_id: ClickPaymentId, body_hash: String },
    /// CLICK answered that it has taken them.
    Taken,
    /// CLICK answered that it has not taken them.
    NotTaken { click_code: Option<i64>, click_note: String },
    /// No answer that can be believed.
    OutcomeUnknown,
    /// CLICK was asked long enough after an unknown outcome and knows of no receipt.
    FoundNothing,
    /// The receipt is at this address, whoever printed it.
    FoundReceipt { payment_id: ClickPaymentId, url: String },
    /// A person has to act.
    GiveUp { why: MissingReason },
}

/// What a person decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// The receipt, or that of a refund, was made another way.
    ByHand { document: String },
    /// What was in the way is mended: the same items are sent once more.
    Retry,
}

/// The receipt's state does not allow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the receipt is {0:?}, which does not allow it")]
pub struct NotAllowed(pub ReceiptStatus);

impl ReceiptState {
    pub const NEEDED: Self = Self::Needed { click_code: None, click_note: None };

    pub const fn status(&self) -> ReceiptStatus {
        match self {
            Self::Needed { .. } => ReceiptStatus::Needed,
            Self::Submitting { .. } => ReceiptStatus::Submitting,
            Self::Unknown { .. } => ReceiptStatus::Unknown,
            Self::Submitted { .. } => ReceiptStatus::Submitted,
            Self::Known { .. } => ReceiptStatus::Known,
            Self::Missing { .. } => ReceiptStatus::Missing,
            Self::ByHand { .. } => ReceiptStatus::ByHand,
        }
    }
}

impl ReceiptStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Needed => "needed",
            Self::Submitting => "submitting",
            Self::Unknown => "unknown",
            Self::Submitted => "submitted",
            Self::Known => "known",
            Self::Missing => "missing",
            Self::ByHand => "by_hand",
        }
    }
}

impl MissingReason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoCodes => "no_codes",
            Self::PaidInTelegram => "paid_in_telegram",
            Self::PaymentNotFound => "payment_not_found",
            Self::Refused => "refused",
            Self::NoAnswer => "no_answer",
            Self::NoAddress => "no_address",
            Self::Refunded => "refunded",
            Self::ContentLost => "content_lost",
            Self::ContentDiffers => "content_differs",
        }
    }
}

impl Receipt {
    /// Applies what the reconciler reports.
    pub fn advance(
        self,
        change: Change,
        next_step_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Self, NotAllowed> {
        let refused = NotAllowed(self.state.status());
        let mut next = Self { next_step_at, changed_at: now, step: self.step + 1, ..self };
        if let Change::Submit { body_hash, .. } = &change {
            if next.body_hash.as_ref().is_some_and(|sent| sent != body_hash) {
                return Err(refused);
            }
            next.body_hash = Some(body_hash.clone());
            next.tries += 1;
        }
        next.state = next_state(next.state, change).ok_or(refused)?;
        Ok(next)
    }

    /// Applies what a person decides. `is_refunded`: money of the order went back, so that a known receipt may need another
    /// one, of the return, which CLICK's documents do not offer.
    pub fn decide(
        self,
        decision: Decision,
        by: &str,
        is_refunded: bool,
        now: Timestamp,
    ) -> Result<Self, NotAllowed> {
        let status = self.state.status();
        let is_settled = matches!(status, ReceiptStatus::Known | ReceiptStatus::Submitted);
        let next = Self { changed_at: now, step: self.step + 1, ..self };
        match (decision, status) {
            // What is being sent may be taken in this moment.
            (Decision::ByHand { .. }, ReceiptStatus::Submitting | ReceiptStatus::ByHand) => {
                Err(NotAllowed(status))
            }
            (Decision::ByHand { .. }, _) if is_settled && !is_refunded => Err(NotAllowed(status)),
            (Decision::ByHand { document }, _) => {
                let state = ReceiptState::ByHand { decided_by: by.to_owned(), document };
                Ok(Self { state, next_step_at: None, ..next })
            }
            (Decision::Retry, ReceiptStatus::Missing) => {
                Ok(Self { state: ReceiptState::NEEDED, since: now, next_step_at: Some(now), ..next })
            }
            (Decision::Retry, _) => Err(NotAllowed(status)),
        }
    }
}

/// `None`: the state does not allow it.
fn next_state(state: ReceiptState, change: Change) -> Option<ReceiptState> {
    use ReceiptState::{ByHand, Known, Missing, Needed, Submitted, Submitting, Unknown};
    Some(match (state, change) {
        (state @ (Needed { .. } | Unknown { .. } | Submitted { .. }), Change::Wait) => state,
        (Needed { .. }, Change::Submit { payment_id, .. }) => Submitting { payment_id },
        (Submitting { payment_id }, Change::Taken) => Submitted { payment_id },
        (Submitting { .. }, Change::NotTaken { click_code, click_note }) => {
            Needed { click_code, click_note: Some(click_note) }
        }
        (Submitting { payment_id }, Change::OutcomeUnknown) => Unknown { payment_id },
        (Unknown { .. }, Change::FoundNothing) => ReceiptState::NEEDED,
        (Known { .. } | Missing { .. } | ByHand { .. }, _) => return None,
        (_, Change::FoundReceipt { payment_id, url }) => Known { payment_id, url },
        (Needed { click_code, click_note }, Change::GiveUp { why }) => {
            Missing { why, click_code, click_note }
        }
        (Unknown { .. } | Submitted { .. }, Change::GiveUp { why }) => {
            Missing { why, click_code: None, click_note: None }
        }
        _ => return None,
    })
}

#[cfg(test)]
#[path = "receipt_tests.rs"]
mod tests;
