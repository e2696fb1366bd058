//! What the ledger is asked, and what it answers.

use tolov_click::{Callback, CallbackForm, ClickCode};
use tolov_domain::{OrderId, OrderedProduct, Tiyin, UserId, time::Timestamp};

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
}

/// The order number is taken by an order that differs in this field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderConflict {
    pub field: &'static str,
}

/// Why an order cannot be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndRefusal {
    /// The money is in.
    Paid,
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
