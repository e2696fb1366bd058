//! What the ledger is asked, and what it answers.

use std::fmt;

use tolov_click::{Callback, CallbackForm, ClickCode, Reply};
use tolov_domain::{
    ClickPaydocId, ClickTransId, Event, EventKind, OrderId, OrderedProduct, PrepareId, Tiyin, UserId,
    event::Reversal, phone_invoice::PhoneInvoice, receipt, time::Timestamp,
};

use super::OrderStatus;

/// What became of a change that may have been made before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<R> {
    Applied,
    /// The same was done before. Nothing was changed.
    AlreadyApplied,
    /// The state does not allow it. Nothing was changed.
    Refused(R),
}

/// A callback with a valid signature.
#[derive(Debug)]
pub struct Arrival {
    pub received_at: Timestamp,
    pub peer: String,
    pub form: CallbackForm,
    pub content: Content,
}

#[derive(Debug)]
pub enum Content {
    /// It is understood: the ledger decides.
    Callback(Callback),
    /// It was refused before the ledger was asked.
    Refused(ClickCode),
}

/// A callback with a valid signature that was answered before it was decided.
#[derive(Debug)]
pub(crate) struct Overtaken {
    pub(crate) received_at: Timestamp,
    pub(crate) peer: String,
    /// That it names.
    pub(crate) order_id: Option<OrderId>,
    /// JSON, with what was in the way.
    pub(crate) fields: String,
    pub(crate) reply: Reply,
}

/// A request at CLICK's address without a valid signature.
#[derive(Debug)]
pub struct Unverified {
    pub received_at: Timestamp,
    pub peer: String,
    /// JSON.
    pub fields: String,
    /// What it is answered.
    pub code: ClickCode,
}

/// An order to be registered for payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    pub order_id: OrderId,
    pub user_id: UserId,
    pub products: Vec<OrderedProduct>,
    pub amount: Tiyin,
    pub created_at: Timestamp,
    /// What its fiscal receipt will say, where the shop makes them. The first one of an order counts, and never changes.
    pub receipt: Option<receipt::Content>,
}

/// Why an order is not registered. Carries the highest order number of the ledger, above which a number is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderRefusal {
    pub reason: OrderRefusalReason,
    pub highest_order_id: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderRefusalReason {
    /// The number is taken by an order that differs in this field.
    Taken { field: &'static str },
    /// The number is out of the range of [`ORDER_ID_MAX`] and [`ORDER_ID_GAP_MAX`].
    OutOfRange,
}

/// The largest order number: shorter than a card number, so that none is taken for the other.
pub const ORDER_ID_MAX: i64 = 999_999_999_999;
/// How far a new number may be above the highest one. Counters are lifted above every number that is used, so that one
/// wrong call would leave them none.
pub const ORDER_ID_GAP_MAX: i64 = 10_000_000_000;

/// Why an order cannot be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndRefusal {
    /// The money is in.
    Paid,
    /// The ledger has no such order.
    Unknown,
}

/// An order that another store knows to be paid, and whose payment a restored ledger has lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidOrder {
    pub order_id: OrderId,
    pub user_id: UserId,
    pub products: Vec<OrderedProduct>,
    pub amount: Tiyin,
    pub click_trans_id: ClickTransId,
    pub click_paydoc_id: ClickPaydocId,
    /// Of the payment's event, where it is known: CLICK's repetition of the Complete then finds the attempt.
    pub merchant_prepare_id: Option<PrepareId>,
    pub paid_at: Timestamp,
    /// The money came after the order had expired.
    pub late: bool,
    /// Who knows it, for the record: `shop`, `bus`, or the system that an order was imported from.
    pub known_by: &'static str,
    /// What the receipt of an order says that the ledger has lost altogether, where the shop makes receipts. Without lines:
    /// nobody knows any more.
    pub receipt: Option<receipt::Content>,
}

impl PaidOrder {
    /// What an event of a payment tells, as the bus knows it; `None` of any other event.
    pub fn of_event(event: Event) -> Option<Self> {
        let EventKind::PaymentCompleted { click_trans_id, click_paydoc_id, merchant_prepare_id, late } =
            event.kind
        else {
            return None;
        };
        Some(Self {
            order_id: event.order_id,
            user_id: event.user_id,
            products: event.products,
            amount: event.amount,
            click_trans_id,
            click_paydoc_id,
            merchant_prepare_id: Some(merchant_prepare_id),
            paid_at: event.occurred_at,
            late,
            known_by: "bus",
            receipt: None,
        })
    }
}

/// Money that another store knows to have gone back, of which a restored ledger has lost the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRefund {
    pub order_id: OrderId,
    pub reversal: Reversal,
    pub at: Timestamp,
    /// Who knows it, for the record: `shop` or `bus`.
    pub known_by: &'static str,
}

impl KnownRefund {
    /// What an event of a refund tells, as the bus knows it; `None` of any other event.
    pub fn of_event(event: Event) -> Option<Self> {
        let (EventKind::PaymentReversed(reversal) | EventKind::PaymentPartlyReversed { reversal, .. }) =
            event.kind
        else {
            return None;
        };
        Some(Self { order_id: event.order_id, reversal, at: event.occurred_at, known_by: "bus" })
    }
}

/// An order of the system that this one replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedOrder {
    pub order: NewOrder,
    pub state: ImportedState,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportedState {
    /// It can still be paid, by the link that the other system gave out. `open`: Prepares that it has answered.
    Payable {
        open: Vec<OpenAttempt>,
    },
    /// It cannot be paid any more.
    Over,
    Paid(PaidOrder),
}

/// A Prepare that another system has answered with success: its Complete may still come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenAttempt {
    pub prepare_id: PrepareId,
    pub click_trans_id: ClickTransId,
    pub click_paydoc_id: ClickPaydocId,
    pub prepared_at: Timestamp,
}

/// An order of another ledger whose money may still come, as it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsettledOrder {
    pub order: NewOrder,
    pub status: OrderStatus,
    /// Attempts that CLICK has neither completed nor cancelled.
    pub open: Vec<UnsettledAttempt>,
    /// Invoices to a phone number, oldest first.
    pub phone_invoices: Vec<PhoneInvoice>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnsettledAttempt {
    pub attempt: OpenAttempt,
    /// The order ended while it was open.
    pub given_up_at: Option<Timestamp>,
}

/// What became of an [`UnsettledOrder`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Continued {
    /// Applied: the order is registered, or is over, as in the other ledger.
    pub order: Outcome<AdoptRefusal>,
    /// Of each open attempt, in their order.
    pub open: Vec<Outcome<AdoptRefusal>>,
    /// How many invoices to a phone number have gone on.
    pub phone_invoices: usize,
}

/// Why a payment cannot be taken back into the ledger. Staff must look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdoptRefusal {
    /// The ledger has another order under this number; it differs in this field.
    OrderDiffers { field: &'static str },
    /// The order is paid by another transaction: the payer may have paid twice.
    PaidByAnother,
    /// The transaction has paid another order.
    TransactionPaidAnother,
    /// CLICK has cancelled this attempt.
    Cancelled,
    /// The ledger has no merchant_prepare_id left.
    NumbersUsedUp,
    /// The ledger has given this merchant_prepare_id to another attempt, or this attempt another one.
    NumberTaken,
    /// The number is out of the range of [`ORDER_ID_MAX`] and [`ORDER_ID_GAP_MAX`].
    OutOfRange,
}

impl fmt::Display for AdoptRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OrderDiffers { field } => {
                write!(formatter, "the ledger has another {field} under this number")
            }
            Self::PaidByAnother => formatter.write_str(
                "another transaction paid the order: look in CLICK's cabinet whether the payer paid twice",
            ),
            Self::TransactionPaidAnother => formatter.write_str("this transaction paid another order"),
            Self::Cancelled => formatter.write_str("CLICK cancelled this attempt"),
            Self::NumbersUsedUp => formatter.write_str("the ledger has no merchant_prepare_id left"),
            Self::NumberTaken => {
                formatter.write_str("the ledger has given it to another attempt, or the attempt another one")
            }
            Self::OutOfRange => write!(
                formatter,
                "its number is above {ORDER_ID_MAX} or more than {ORDER_ID_GAP_MAX} above the others: later orders would have none"
            ),
        }
    }
}

/// Why the events of an order are not published once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayRefusal {
    /// The ledger has no such order.
    Unknown,
}

/// What the bus made of a window of outbox rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayMarks {
    pub sent: Vec<i64>,
    pub refused: Vec<RefusedEvent>,
    pub at: Timestamp,
}

/// An outbox row that the bus did not take, for a reason of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedEvent {
    pub id: i64,
    pub retry_at: Timestamp,
    pub reason: String,
}
