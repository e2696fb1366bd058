//! Refunds: money of a paid order that goes back to the payer, through CLICK's reversal or by hand.
//!
//! CLICK's reversal has no idempotency key. So the intent is recorded before anything is sent, one reversal is sent, and
//! an outcome that is not known is asked for and never repeated without a person who has looked. Every transition takes
//! the old refund by value.

pub mod api;
mod request;
mod window;

use serde::{Deserialize, Serialize};

pub use self::{
    request::{Allowed, AllowedReason, PaidAttempt, RequestRefusal, allowed, left, refunded, request},
    window::reversible_until,
};
use crate::{
    ids::{ClickPaymentId, OrderId, PrepareId, RefundId},
    money::Tiyin,
    order::OrderedProduct,
    time::Timestamp,
};

/// A refund as the ledger keeps it, and the JSON in which its API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    pub refund_id: RefundId,
    pub order_id: OrderId,
    /// The attempt that paid the order.
    pub prepare_id: PrepareId,
    /// Given by whoever asks: the same one again is the same refund.
    pub request_id: String,
    pub amount_tiyin: Tiyin,
    /// What goes back to stock once the money is back; nothing where the goods stay with the shopper.
    pub returned: Vec<OrderedProduct>,
    pub requested_by: String,
    pub reason: String,
    #[serde(with = "time::serde::rfc3339")]
    pub requested_at: Timestamp,
    #[serde(flatten)]
    pub state: RefundState,
    #[serde(with = "time::serde::rfc3339")]
    pub changed_at: Timestamp,
    /// Counts the changes. Whoever makes the next one names it, and the first one wins.
    pub step: u32,
    /// How often a reversal was sent.
    pub tries: u32,
    /// When the reconciler looks at it again. `None`: a person has to decide, or the refund is over.
    #[serde(with = "time::serde::rfc3339::option")]
    pub next_step_at: Option<Timestamp>,
}

/// Where a refund stands, with what is known there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RefundState {
    /// Recorded; CLICK was not asked yet whether the payment is paid.
    Requested,
    /// CLICK says that the payment is paid.
    Checked { payment_id: ClickPaymentId },
    /// A reversal is being sent. Found after a restart, its outcome is not known.
    Sending { payment_id: ClickPaymentId },
    /// A reversal was sent and its outcome is not known. CLICK is asked for the payment's status.
    Unknown { payment_id: ClickPaymentId, click_code: Option<i64>, click_note: String },
    /// CLICK refused the reversal. A person decides.
    Refused { payment_id: ClickPaymentId, click_code: i64, click_note: String },
    /// It cannot go through CLICK's reversal. A person gives the money back, or withdraws the refund.
    Manual { payment_id: Option<ClickPaymentId>, why: ManualReason },
    /// CLICK has reversed the payment.
    Done { payment_id: ClickPaymentId },
    /// The money was given back another way; the document says how.
    DoneByHand { decided_by: String, document: String },
    /// Nothing is given back.
    Withdrawn { decided_by: String },
}

/// [`RefundState`] without its facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    Requested,
    Checked,
    Sending,
    Unknown,
    Refused,
    Manual,
    Done,
    DoneByHand,
    Withdrawn,
}

/// Why a refund does not go through CLICK's reversal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManualReason {
    /// CLICK reverses payments of the current month only, and on the 1st those of the month before.
    OutsideMonth,
    /// A reversal gives the whole payment back.
    PartialByHand,
    /// This shop has no access to the Merchant API.
    MerchantApiOff,
    /// It was paid by Telegram's invoice, of which CLICK's Merchant API knows nothing.
    PaidInTelegram,
    /// CLICK does not find the payment.
    PaymentNotFound,
    /// CLICK shows the payment as not paid although no reversal was sent: perhaps it was given back already.
    LooksReversed,
    /// It was open in the copy from which the ledger was restored: since then it may have ended in any way.
    LedgerRestored,
}

/// In which way a refund waits for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UndecidedState {
    Refused,
    Unknown,
    Manual,
}

/// What the reconciler learned from CLICK, or is about to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// Nothing new; `next_step_at` alone changes. Without one a refund of unknown outcome waits for a person.
    Wait,
    /// CLICK shows the payment as paid.
    FoundPaid { payment_id: ClickPaymentId },
    /// CLICK shows the payment as not paid, by a status below 0.
    FoundReversed { payment_id: ClickPaymentId },
    /// It cannot go through CLICK.
    LeaveToStaff { why: ManualReason },
    /// The reversal is sent next. Committed before it is.
    Send,
    /// CLICK answered that it has reversed the payment.
    Reversed,
    /// CLICK answered that it does not reverse the payment.
    Refused { click_code: i64, click_note: String },
    /// CLICK refused our keys or service: nothing was reversed.
    NotTaken,
    /// No answer that can be believed.
    OutcomeUnknown { click_code: Option<i64>, click_note: String },
}

/// What a person decides about a refund that waits for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// Nothing was given back and nothing shall be.
    Withdraw,
    /// The money was given back in CLICK's cabinet or by a transfer.
    ByHand { document: String },
    /// A person has looked in CLICK's cabinet: send once more.
    Retry,
}

/// The refund's state does not allow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the refund is {0:?}, which does not allow it")]
pub struct NotAllowed(pub RefundStatus);

impl UndecidedState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::Manual => "manual",
        }
    }
}

impl RefundState {
    pub const fn status(&self) -> RefundStatus {
        match self {
            Self::Requested => RefundStatus::Requested,
            Self::Checked { .. } => RefundStatus::Checked,
            Self::Sending { .. } => RefundStatus::Sending,
            Self::Unknown { .. } => RefundStatus::Unknown,
            Self::Refused { .. } => RefundStatus::Refused,
            Self::Manual { .. } => RefundStatus::Manual,
            Self::Done { .. } => RefundStatus::Done,
            Self::DoneByHand { .. } => RefundStatus::DoneByHand,
            Self::Withdrawn { .. } => RefundStatus::Withdrawn,
        }
    }

    /// Of the payment, once CLICK has named it.
    pub const fn payment_id(&self) -> Option<ClickPaymentId> {
        match self {
            Self::Requested | Self::DoneByHand { .. } | Self::Withdrawn { .. } => None,
            Self::Manual { payment_id, .. } => *payment_id,
            Self::Checked { payment_id }
            | Self::Sending { payment_id }
            | Self::Unknown { payment_id, .. }
            | Self::Refused { payment_id, .. }
            | Self::Done { payment_id } => Some(*payment_id),
        }
    }
}

impl RefundStatus {
    /// Those in which a refund is not over.
    pub const OPEN: [Self; 6] =
        [Self::Requested, Self::Checked, Self::Sending, Self::Unknown, Self::Refused, Self::Manual];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Checked => "checked",
            Self::Sending => "sending",
            Self::Unknown => "unknown",
            Self::Refused => "refused",
            Self::Manual => "manual",
            Self::Done => "done",
            Self::DoneByHand => "done_by_hand",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Until it is over; an order has one open refund at most.
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Done | Self::DoneByHand | Self::Withdrawn)
    }

    /// Whether the money is back.
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Done | Self::DoneByHand)
    }
}

impl Refund {
    pub const fn status(&self) -> RefundStatus {
        self.state.status()
    }

    /// Whether it explains that CLICK shows a payment of this sum as given back. A part of the sum does not. Nor does what a person
    /// gave back by hand after a reversal was sent: the reversal may have had its effect after all, and the money be back twice.
    pub fn explains_reversal_of(&self, paid: Tiyin) -> bool {
        let may_explain = match self.state {
            RefundState::Requested
            | RefundState::Checked { .. }
            | RefundState::Sending { .. }
            | RefundState::Unknown { .. }
            | RefundState::Refused { .. }
            | RefundState::Manual { .. }
            | RefundState::Done { .. } => true,
            RefundState::DoneByHand { .. } => self.tries == 0,
            RefundState::Withdrawn { .. } => false,
        };
        may_explain && self.amount_tiyin == paid
    }

    /// In which way it waits for a person; `None` where it does not.
    pub const fn undecided(&self) -> Option<UndecidedState> {
        match self.state {
            RefundState::Refused { .. } => Some(UndecidedState::Refused),
            RefundState::Manual { .. } => Some(UndecidedState::Manual),
            RefundState::Unknown { .. } if self.next_step_at.is_none() => Some(UndecidedState::Unknown),
            RefundState::Unknown { .. }
            | RefundState::Requested
            | RefundState::Checked { .. }
            | RefundState::Sending { .. }
            | RefundState::Done { .. }
            | RefundState::DoneByHand { .. }
            | RefundState::Withdrawn { .. } => None,
        }
    }

    /// Applies what the reconciler reports. `next_step_at` counts where the refund goes on by itself.
    pub fn advance(
        self,
        change: Change,
        next_step_at: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<Self, NotAllowed> {
        let not_allowed = NotAllowed(self.status());
        let sends = change == Change::Send;
        let state = next(self.state.clone(), change, self.tries).ok_or(not_allowed)?;
        let next_step_at = match state.status() {
            RefundStatus::Requested | RefundStatus::Checked | RefundStatus::Sending => {
                Some(next_step_at.unwrap_or(at))
            }
            RefundStatus::Unknown => next_step_at,
            RefundStatus::Refused
            | RefundStatus::Manual
            | RefundStatus::Done
            | RefundStatus::DoneByHand
            | RefundStatus::Withdrawn => None,
        };
        let tries = self.tries.saturating_add(u32::from(sends));
        Ok(self.changed(state, next_step_at, at, tries))
    }

    /// Applies what a person decides. While a reversal is under way, or its outcome is still asked for, nobody can.
    pub fn decide(self, decision: Decision, by: &str, at: Timestamp) -> Result<Self, NotAllowed> {
        let is_before_sending = matches!(self.state, RefundState::Requested | RefundState::Checked { .. });
        let waits = self.undecided().is_some();
        let decided_by = by.to_owned();
        let (state, next_step_at) = match decision {
            Decision::Withdraw if waits || is_before_sending => (RefundState::Withdrawn { decided_by }, None),
            Decision::ByHand { document } if waits || is_before_sending => {
                (RefundState::DoneByHand { decided_by, document }, None)
            }
            Decision::Retry if waits && self.may_be_sent() => (RefundState::Requested, Some(at)),
            Decision::Withdraw | Decision::ByHand { .. } | Decision::Retry => {
                return Err(NotAllowed(self.status()));
            }
        };
        let tries = self.tries;
        Ok(self.changed(state, next_step_at, at, tries))
    }

    const fn may_be_sent(&self) -> bool {
        !matches!(
            self.state,
            RefundState::Manual {
                why: ManualReason::PartialByHand
                    | ManualReason::MerchantApiOff
                    | ManualReason::PaidInTelegram,
                ..
            }
        )
    }

    fn changed(self, state: RefundState, next_step_at: Option<Timestamp>, at: Timestamp, tries: u32) -> Self {
        let step = self.step.saturating_add(1);
        Self { state, next_step_at, changed_at: at, step, tries, ..self }
    }
}

/// `None`: the state does not allow the change.
fn next(state: RefundState, change: Change, tries: u32) -> Option<RefundState> {
    use RefundState::{Checked, Done, Manual, Refused, Requested, Sending, Unknown};
    Some(match (state, change) {
        (waiting @ (Requested | Checked { .. } | Unknown { .. }), Change::Wait) => waiting,
        (Requested | Checked { .. }, Change::FoundPaid { payment_id }) => Checked { payment_id },
        // A reversal that we have sent before explains it; without one a person has to look.
        (Requested | Checked { .. }, Change::FoundReversed { payment_id }) if tries == 0 => {
            Manual { payment_id: Some(payment_id), why: ManualReason::LooksReversed }
        }
        (Requested | Checked { .. } | Unknown { .. }, Change::FoundReversed { payment_id }) => {
            Done { payment_id }
        }
        (before @ (Requested | Checked { .. }), Change::LeaveToStaff { why }) => {
            Manual { payment_id: before.payment_id(), why }
        }
        (Checked { payment_id }, Change::Send) => Sending { payment_id },
        (Sending { payment_id }, Change::Reversed) => Done { payment_id },
        (Sending { payment_id }, Change::Refused { click_code, click_note }) => {
            Refused { payment_id, click_code, click_note }
        }
        (Sending { payment_id }, Change::NotTaken) => Checked { payment_id },
        (Sending { payment_id }, Change::OutcomeUnknown { click_code, click_note }) => {
            Unknown { payment_id, click_code, click_note }
        }
        _ => return None,
    })
}

#[cfg(test)]
#[path = "refund_tests.rs"]
mod tests;
