//! The payment state machine: the only place that decides what a CLICK callback does to an order.
//!
//! An order may have several attempts (one a Prepare). States carry the facts that are true in them, and every
//! transition takes the old states by value. Rules: docs/click.md, sections 1.7, 1.9 and 4.

pub mod phone_invoice;
pub mod telegram_payment;
pub mod unplaced;

use serde::{Deserialize, Serialize};

use crate::{
    ids::{ClickPaydocId, ClickTransId, PrepareId},
    telegram_payment::CheckoutRefusal,
    time::Timestamp,
};

/// Where the money of an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderState {
    /// Payable.
    Pending,
    /// Paid by one attempt, for ever.
    Paid { by: PrepareId, at: Timestamp },
    /// ORDER_TTL ran out, or the order was cancelled before it was paid. No new attempt may begin; money that is already
    /// under way is honoured.
    Expired { at: Timestamp },
}

/// Where one attempt to pay stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptState {
    /// Prepare was answered with success; CLICK may take the money.
    Prepared,
    /// Complete arrived: the money was taken. `late`: the order had ended before.
    Paid { by: Confirmation, late: bool },
    /// CLICK gave the attempt up, with this code.
    Cancelled { error: ClickError, at: Timestamp },
    /// The order expired while the attempt was open.
    GivenUp { at: Timestamp },
}

/// The facts of the Complete that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmation {
    pub click_trans_id: ClickTransId,
    pub click_paydoc_id: ClickPaydocId,
    pub at: Timestamp,
}

/// CLICK's `error` below zero: the payment did not, or shall not, take place. -5017 is lack of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClickError(i32);

impl ClickError {
    /// `None` for zero and above, which are no failures.
    pub const fn from_code(code: i32) -> Option<Self> {
        if code < 0 { Some(Self(code)) } else { None }
    }

    pub const fn code(self) -> i32 {
        self.0
    }
}

/// The answer to a callback whose order was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// 0
    Success,
    /// -2
    IncorrectAmount,
    /// -4
    AlreadyPaid,
    /// -9
    Cancelled,
}

/// Something that staff must look at: what CLICK says and what we know do not agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anomaly {
    /// A cancel for an attempt that is paid. The order stays paid; whether the money went back only CLICK knows.
    CancelAfterPaid,
    /// A second attempt, or a second transaction of the same one, was confirmed for an order that is paid: the payer may have
    /// paid twice.
    PaidTwice,
    /// A confirmation for an attempt that CLICK itself had cancelled.
    ConfirmedAfterCancel,
    /// A well signed callback with another amount than the one that was agreed.
    AmountDiffers,
    /// One CLICK transaction came back to pay a second order.
    TransactionReused,
    /// An event names another shopper or another amount than the order that the shop has under its number. One of the
    /// stores was lost or restored from an old copy.
    OrderDiffers,
    /// CLICK's Merchant API shows an attempt as paid of which no Complete has come.
    ReportedPaid,
    /// CLICK's Merchant API shows a paid attempt as not paid, and no refund explains it.
    ReportedUnpaid,
}

impl Anomaly {
    pub const ALL: [Self; 8] = [
        Self::CancelAfterPaid,
        Self::PaidTwice,
        Self::ConfirmedAfterCancel,
        Self::AmountDiffers,
        Self::TransactionReused,
        Self::OrderDiffers,
        Self::ReportedPaid,
        Self::ReportedUnpaid,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CancelAfterPaid => "cancel_after_paid",
            Self::PaidTwice => "paid_twice",
            Self::ConfirmedAfterCancel => "confirmed_after_cancel",
            Self::AmountDiffers => "amount_differs",
            Self::TransactionReused => "transaction_reused",
            Self::OrderDiffers => "order_differs",
            Self::ReportedPaid => "reported_paid",
            Self::ReportedUnpaid => "reported_unpaid",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|anomaly| anomaly.as_str() == text)
    }
}

/// What other services have to hear after a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// The order is paid. `late`: it had expired before.
    Completed { late: bool },
    /// The attempt is over without money; the order can be paid by another one.
    Cancelled { error: ClickError },
    /// Staff must look.
    Anomaly(Anomaly),
}

/// What a Complete did: the new states (equal to the old ones where nothing changed), the answer, the news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completion {
    pub order: OrderState,
    pub attempt: AttemptState,
    pub answer: Answer,
    pub news: Option<News>,
}

/// What a Prepare did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preparation {
    /// A new attempt is to be kept, in this state.
    Opened(AttemptState),
    /// The same attempt again, still open: the same `merchant_prepare_id`, no new row.
    Repeated(AttemptState),
    /// Nothing changes; answer this, and tell staff where there is an anomaly.
    Refused(Answer, Option<Anomaly>),
}

/// What ending an order before it is paid did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The order is over, in this state.
    Ended(OrderState),
    /// It was over before.
    AlreadyEnded,
    /// The money is in: nothing changes.
    Paid,
}

/// What a callback says, compared with what the ledger knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// `None`: CLICK reports no failure.
    pub error: Option<ClickError>,
    /// The amount is exactly the order's (Prepare), or the attempt's (Complete).
    pub amount_agrees: bool,
    /// CLICK's transaction has paid another attempt.
    pub transaction_paid_another: bool,
}

/// For so long an attempt that one way to pay has begun keeps the other way closed: CLICK's page and Telegram's invoice both
/// take the money within moments of asking. Afterwards it counts as left; money that comes from it all the same is taken.
pub const HOLD: time::Duration = time::Duration::minutes(5);

/// Whether an attempt that began then keeps the other way to pay its order closed.
pub fn holds(attempt: AttemptState, began: Timestamp, now: Timestamp) -> bool {
    matches!(attempt, AttemptState::Prepared) && now < began.saturating_add(HOLD)
}

/// Decides a Prepare of an order that can be paid in two ways.
///
/// `held`: an attempt of the other way to pay is open. Nothing is kept of a Prepare that is refused for it, so CLICK's page
/// can be tried again.
pub fn prepare_unless_held(
    order: OrderState,
    same_attempt: Option<AttemptState>,
    claim: Claim,
    held: bool,
) -> Preparation {
    match prepare(order, same_attempt, claim) {
        Preparation::Opened(_) | Preparation::Repeated(_) if held => {
            Preparation::Refused(Answer::Cancelled, None)
        }
        decided @ (Preparation::Opened(_) | Preparation::Repeated(_) | Preparation::Refused(..)) => decided,
    }
}

/// Decides whether Telegram may take money for an order by its invoice. `held`: CLICK's page has an attempt open.
pub const fn check_out(order: OrderState, held: bool) -> Result<(), CheckoutRefusal> {
    match order {
        OrderState::Paid { .. } => Err(CheckoutRefusal::Paid),
        OrderState::Expired { .. } => Err(CheckoutRefusal::Expired),
        OrderState::Pending if held => Err(CheckoutRefusal::BeingPaid),
        OrderState::Pending => Ok(()),
    }
}

/// Decides a Prepare.
///
/// `same_attempt` is the attempt that this order already has for this click_trans_id.
pub fn prepare(order: OrderState, same_attempt: Option<AttemptState>, claim: Claim) -> Preparation {
    if claim.error.is_some() {
        return Preparation::Refused(Answer::Cancelled, None);
    }
    if !claim.amount_agrees {
        return Preparation::Refused(Answer::IncorrectAmount, None);
    }
    let preparation = match (order, same_attempt) {
        (OrderState::Paid { .. }, _) | (OrderState::Pending, Some(AttemptState::Paid { .. })) => {
            Preparation::Refused(Answer::AlreadyPaid, None)
        }
        (OrderState::Expired { .. }, _)
        | (OrderState::Pending, Some(AttemptState::Cancelled { .. } | AttemptState::GivenUp { .. })) => {
            Preparation::Refused(Answer::Cancelled, None)
        }
        (OrderState::Pending, None) => Preparation::Opened(AttemptState::Prepared),
        (OrderState::Pending, Some(AttemptState::Prepared)) => Preparation::Repeated(AttemptState::Prepared),
    };
    let is_open = matches!(preparation, Preparation::Opened(_) | Preparation::Repeated(_));
    if is_open && claim.transaction_paid_another {
        return Preparation::Refused(Answer::AlreadyPaid, Some(Anomaly::TransactionReused));
    }
    preparation
}

/// Decides a Complete for an attempt that belongs to the order.
pub fn complete(
    order: OrderState,
    attempt: AttemptState,
    prepare_id: PrepareId,
    claim: Claim,
    confirmation: Confirmation,
) -> Completion {
    let questioned =
        |answer, anomaly| Completion { order, attempt, answer, news: Some(News::Anomaly(anomaly)) };
    if !claim.amount_agrees {
        return questioned(Answer::IncorrectAmount, Anomaly::AmountDiffers);
    }
    match claim.error {
        Some(error) => cancel(order, attempt, error, confirmation.at),
        None if claim.transaction_paid_another => questioned(Answer::AlreadyPaid, Anomaly::TransactionReused),
        None => confirm(order, attempt, prepare_id, confirmation),
    }
}

/// Decides a Complete with `error = 0` for the right amount: the money is taken.
fn confirm(
    order: OrderState,
    attempt: AttemptState,
    prepare_id: PrepareId,
    confirmation: Confirmation,
) -> Completion {
    let unchanged = |answer, anomaly: Option<Anomaly>| Completion {
        order,
        attempt,
        answer,
        news: anomaly.map(News::Anomaly),
    };
    let paid = |late| Completion {
        order: OrderState::Paid { by: prepare_id, at: confirmation.at },
        attempt: AttemptState::Paid { by: confirmation, late },
        answer: Answer::Success,
        news: Some(News::Completed { late }),
    };
    match (attempt, order) {
        (AttemptState::Paid { by: known, .. }, _) => {
            let is_repeated = known.click_trans_id.get() == confirmation.click_trans_id.get();
            unchanged(Answer::AlreadyPaid, (!is_repeated).then_some(Anomaly::PaidTwice))
        }
        (AttemptState::Cancelled { .. }, _) => {
            unchanged(Answer::Cancelled, Some(Anomaly::ConfirmedAfterCancel))
        }
        (AttemptState::Prepared | AttemptState::GivenUp { .. }, OrderState::Paid { .. }) => {
            unchanged(Answer::AlreadyPaid, Some(Anomaly::PaidTwice))
        }
        (AttemptState::Prepared, OrderState::Pending) => paid(false),
        (AttemptState::Prepared | AttemptState::GivenUp { .. }, OrderState::Expired { .. })
        | (AttemptState::GivenUp { .. }, OrderState::Pending) => paid(true),
    }
}

/// Decides a Complete with `error < 0` for the right amount: CLICK gives the attempt up.
///
/// On a paid attempt CLICK's two test suites want -4 for -1 and -9 for the rest (section 1.9).
fn cancel(order: OrderState, attempt: AttemptState, error: ClickError, at: Timestamp) -> Completion {
    match attempt {
        AttemptState::Prepared | AttemptState::GivenUp { .. } => Completion {
            order,
            attempt: AttemptState::Cancelled { error, at },
            answer: Answer::Cancelled,
            news: Some(News::Cancelled { error }),
        },
        AttemptState::Cancelled { .. } => {
            Completion { order, attempt, answer: Answer::Cancelled, news: None }
        }
        AttemptState::Paid { .. } => Completion {
            order,
            attempt,
            answer: if error.code() == -1 { Answer::AlreadyPaid } else { Answer::Cancelled },
            news: Some(News::Anomaly(Anomaly::CancelAfterPaid)),
        },
    }
}

/// Ends an order that was not paid within ORDER_TTL, or was cancelled before it was paid.
pub fn end_order(order: OrderState, at: Timestamp) -> Ending {
    match order {
        OrderState::Pending => Ending::Ended(OrderState::Expired { at }),
        OrderState::Expired { .. } => Ending::AlreadyEnded,
        OrderState::Paid { .. } => Ending::Paid,
    }
}

/// The state of an attempt when its order ends unpaid.
pub fn give_up(attempt: AttemptState, at: Timestamp) -> AttemptState {
    match attempt {
        AttemptState::Prepared => AttemptState::GivenUp { at },
        settled @ (AttemptState::Paid { .. }
        | AttemptState::Cancelled { .. }
        | AttemptState::GivenUp { .. }) => settled,
    }
}

#[cfg(test)]
#[path = "payment_tests.rs"]
mod tests;
