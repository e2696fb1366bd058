//! What happened, as other services hear it: self-contained, in the past tense, versioned.
//!
//! The contract is docs/events.md. A reader that meets a schema it does not know parks the message.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{ClickPaydocId, ClickTransId, EventId, OrderId, PrepareId, RefundId, UserId},
    json,
    money::Tiyin,
    order::OrderedProduct,
    payment::{Anomaly, ClickError},
    refund::{ManualReason, UndecidedState},
    time::Timestamp,
};

/// A fact about an order, with everything that a reader needs to create the order and the shopper from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub id: EventId,
    pub order_id: OrderId,
    pub user_id: UserId,
    pub products: Vec<OrderedProduct>,
    /// The total of the order.
    pub amount: Tiyin,
    pub occurred_at: Timestamp,
    pub kind: EventKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    PaymentCompleted {
        click_trans_id: ClickTransId,
        click_paydoc_id: ClickPaydocId,
        merchant_prepare_id: PrepareId,
        /// The order had expired before the money came.
        late: bool,
    },
    PaymentCancelled {
        click_trans_id: ClickTransId,
        click_paydoc_id: ClickPaydocId,
        merchant_prepare_id: PrepareId,
        error: ClickError,
    },
    /// What CLICK says and what we know do not agree; staff must look.
    PaymentQuestioned {
        click_trans_id: ClickTransId,
        click_paydoc_id: ClickPaydocId,
        /// `None` where it was a Prepare.
        merchant_prepare_id: Option<PrepareId>,
        /// The amount that CLICK names. `None` where it wrote none that is one.
        click_amount: Option<Tiyin>,
        anomaly: Anomaly,
    },
    /// Nobody paid within ORDER_TTL, or the order was cancelled before anybody did.
    OrderExpired,
    /// Nothing of what was paid is left: this refund gave back all that was.
    PaymentReversed(Reversal),
    /// A part of what was paid went back to the payer.
    PaymentPartlyReversed {
        reversal: Reversal,
        /// By this refund and those before it.
        refunded_total: Tiyin,
    },
    /// A refund waits for a person.
    RefundUndecided(Undecided),
    /// The fiscal receipt of the order is at this address.
    ReceiptIssued { url: String },
}

/// Money that went back to the payer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversal {
    pub refund_id: RefundId,
    /// By this refund.
    pub refunded: Tiyin,
    /// Not through CLICK's reversal: in its cabinet or by a transfer.
    pub by_hand: bool,
    /// What goes back to stock.
    pub returned: Vec<OrderedProduct>,
}

/// A refund that does not go on by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    pub refund_id: RefundId,
    /// The sum that the refund is about.
    pub refunded: Tiyin,
    pub state: UndecidedState,
    /// The refund's [`crate::refund::Refund::step`]: each time that it waits is news of its own.
    pub step: u32,
    /// Of [`UndecidedState::Manual`].
    pub why: Option<ManualReason>,
    /// CLICK's code and words, where it answered.
    pub click_code: Option<i64>,
    pub click_note: Option<String>,
}

impl EventKind {
    /// CLICK's numbers of the payment that the event is about; `None` for an expiry, refunds and receipts.
    pub const fn click_ids(&self) -> Option<(ClickTransId, ClickPaydocId)> {
        match *self {
            Self::PaymentCompleted { click_trans_id, click_paydoc_id, .. }
            | Self::PaymentCancelled { click_trans_id, click_paydoc_id, .. }
            | Self::PaymentQuestioned { click_trans_id, click_paydoc_id, .. } => {
                Some((click_trans_id, click_paydoc_id))
            }
            Self::OrderExpired
            | Self::PaymentReversed(_)
            | Self::PaymentPartlyReversed { .. }
            | Self::RefundUndecided(_)
            | Self::ReceiptIssued { .. } => None,
        }
    }

    /// The name and the version of the body, for example `payment.completed/1`.
    pub fn schema(&self) -> String {
        format!("{}/{VERSION}", self.name())
    }

    /// The routing key, and the first half of the schema.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::PaymentCompleted { .. } => "payment.completed",
            Self::PaymentCancelled { .. } => "payment.cancelled",
            Self::PaymentQuestioned { .. } => "payment.questioned",
            Self::OrderExpired => "order.expired",
            Self::PaymentReversed(_) => "payment.reversed",
            Self::PaymentPartlyReversed { .. } => "payment.partly_reversed",
            Self::RefundUndecided(_) => "refund.undecided",
            Self::ReceiptIssued { .. } => "receipt.issued",
        }
    }
}

impl Event {
    /// Names the event after what happened, so that the same fact always has the same id.
    pub fn id_of(order_id: OrderId, kind: &EventKind) -> EventId {
        let name = kind.name();
        EventId::new(match kind {
            EventKind::PaymentCompleted { .. }
            | EventKind::OrderExpired
            | EventKind::PaymentReversed(_)
            | EventKind::ReceiptIssued { .. } => format!("{name}:{order_id}"),
            EventKind::PaymentPartlyReversed { reversal, .. } => {
                format!("{name}:{order_id}:{}", reversal.refund_id)
            }
            EventKind::RefundUndecided(Undecided { refund_id, state, step, .. }) => {
                format!("{name}:{order_id}:{refund_id}:{}:{step}", state.as_str())
            }
            EventKind::PaymentCancelled { merchant_prepare_id, .. } => {
                format!("{name}:{order_id}:{merchant_prepare_id}")
            }
            EventKind::PaymentQuestioned { click_trans_id, merchant_prepare_id, anomaly, .. } => {
                // Each transaction is money of its own, also where several name one attempt. A Prepare has no attempt yet.
                let question = format!("trans-{click_trans_id}:{}", anomaly.as_str());
                match merchant_prepare_id {
                    Some(prepare_id) => format!("{name}:{order_id}:{prepare_id}:{question}"),
                    None => format!("{name}:{order_id}:{question}"),
                }
            }
        })
    }

    pub fn to_json(&self) -> Vec<u8> {
        json::to_vec(&Wire::from(self))
    }

    pub fn from_json(body: &[u8]) -> Result<Self, EventError> {
        let schema = schema_of(body)?;
        // A newer one may have other fields.
        if !SCHEMAS.contains(&schema.as_str()) {
            return Err(EventError::UnknownSchema(schema));
        }
        let wire: Wire =
            serde_json::from_slice(body).map_err(|error| EventError::Malformed(error.to_string()))?;
        wire.try_into()
    }
}

/// The schema that a body names, whatever else is in it.
pub fn schema_of(body: &[u8]) -> Result<String, EventError> {
    #[derive(Deserialize)]
    struct Header {
        schema: String,
    }
    let header: Header =
        serde_json::from_slice(body).map_err(|error| EventError::Malformed(error.to_string()))?;
    Ok(header.schema)
}

/// Why a body was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    #[error("not an event: {0}")]
    Malformed(String),
    #[error("schema {0} is not known to this version; upgrade the reader, then requeue the message")]
    UnknownSchema(String),
    #[error("{schema} without {field}")]
    Missing { schema: String, field: &'static str },
}

/// The JSON body, version 1 of every kind.
#[derive(Serialize, Deserialize)]
struct Wire {
    schema: String,
    event_id: EventId,
    order_id: OrderId,
    user_id: UserId,
    products: Vec<OrderedProduct>,
    amount_tiyin: Tiyin,
    #[serde(with = "time::serde::rfc3339")]
    occurred_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    click_trans_id: Option<ClickTransId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    click_paydoc_id: Option<ClickPaydocId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    merchant_prepare_id: Option<PrepareId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    late: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    anomaly: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    click_amount_tiyin: Option<Tiyin>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refund_id: Option<RefundId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refunded_tiyin: Option<Tiyin>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refunded_total_tiyin: Option<Tiyin>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by_hand: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    returned: Option<Vec<OrderedProduct>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<UndecidedState>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    step: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<ManualReason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    click_code: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    click_note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    receipt_url: Option<String>,
}

const VERSION: &str = "1";
const SCHEMAS: [&str; 8] = [
    "payment.completed/1",
    "payment.cancelled/1",
    "payment.questioned/1",
    "order.expired/1",
    "payment.reversed/1",
    "payment.partly_reversed/1",
    "refund.undecided/1",
    "receipt.issued/1",
];

impl From<&Event> for Wire {
    fn from(event: &Event) -> Self {
        let mut wire = Self::about(event);
        match &event.kind {
            &EventKind::PaymentCompleted { click_trans_id, click_paydoc_id, merchant_prepare_id, late } => {
                wire.set_click(click_trans_id, click_paydoc_id, Some(merchant_prepare_id));
                wire.late = Some(late);
            }
            &EventKind::PaymentCancelled { click_trans_id, click_paydoc_id, merchant_prepare_id, error } => {
                wire.set_click(click_trans_id, click_paydoc_id, Some(merchant_prepare_id));
                wire.error = Some(error.code());
            }
            &EventKind::PaymentQuestioned {
                click_trans_id,
                click_paydoc_id,
                merchant_prepare_id,
                click_amount,
                anomaly,
            } => {
                wire.set_click(click_trans_id, click_paydoc_id, merchant_prepare_id);
                wire.click_amount_tiyin = click_amount;
                wire.anomaly = Some(anomaly.as_str().to_owned());
            }
            EventKind::OrderExpired => {}
            EventKind::PaymentReversed(reversal) => wire.set_reversal(reversal),
            EventKind::PaymentPartlyReversed { reversal, refunded_total } => {
                wire.set_reversal(reversal);
                wire.refunded_total_tiyin = Some(*refunded_total);
            }
            EventKind::RefundUndecided(undecided) => wire.set_undecided(undecided),
            EventKind::ReceiptIssued { url } => wire.receipt_url = Some(url.clone()),
        }
        wire
    }
}

impl Wire {
    /// The fields that every event has.
    fn about(event: &Event) -> Self {
        Self {
            schema: event.kind.schema(),
            event_id: event.id.clone(),
            order_id: event.order_id,
            user_id: event.user_id,
            products: event.products.clone(),
            amount_tiyin: event.amount,
            occurred_at: event.occurred_at,
            click_trans_id: None,
            click_paydoc_id: None,
            merchant_prepare_id: None,
            late: None,
            error: None,
            anomaly: None,
            click_amount_tiyin: None,
            refund_id: None,
            refunded_tiyin: None,
            refunded_total_tiyin: None,
            by_hand: None,
            returned: None,
            state: None,
            step: None,
            why: None,
            click_code: None,
            click_note: None,
            receipt_url: None,
        }
    }

    fn set_reversal(&mut self, reversal: &Reversal) {
        self.refund_id = Some(reversal.refund_id);
        self.refunded_tiyin = Some(reversal.refunded);
        self.by_hand = Some(reversal.by_hand);
        self.returned = Some(reversal.returned.clone());
    }

    fn set_undecided(&mut self, undecided: &Undecided) {
        self.refund_id = Some(undecided.refund_id);
        self.refunded_tiyin = Some(undecided.refunded);
        self.state = Some(undecided.state);
        self.step = Some(undecided.step);
        self.why = undecided.why;
        self.click_code = undecided.click_code;
        self.click_note.clone_from(&undecided.click_note);
    }

    fn reversal(&self) -> Result<Reversal, EventError> {
        Ok(Reversal {
            refund_id: self.required(self.refund_id, "refund_id")?,
            refunded: self.required(self.refunded_tiyin, "refunded_tiyin")?,
            by_hand: self.required(self.by_hand, "by_hand")?,
            returned: self.required(self.returned.clone(), "returned")?,
        })
    }

    fn undecided(&self) -> Result<Undecided, EventError> {
        Ok(Undecided {
            refund_id: self.required(self.refund_id, "refund_id")?,
            refunded: self.required(self.refunded_tiyin, "refunded_tiyin")?,
            state: self.required(self.state, "state")?,
            step: self.required(self.step, "step")?,
            why: self.why,
            click_code: self.click_code,
            click_note: self.click_note.clone(),
        })
    }

    fn required<T>(&self, value: Option<T>, field: &'static str) -> Result<T, EventError> {
        value.ok_or_else(|| EventError::Missing { schema: self.schema.clone(), field })
    }

    fn set_click(&mut self, trans_id: ClickTransId, paydoc_id: ClickPaydocId, prepare_id: Option<PrepareId>) {
        self.click_trans_id = Some(trans_id);
        self.click_paydoc_id = Some(paydoc_id);
        self.merchant_prepare_id = prepare_id;
    }

    fn kind(&self) -> Result<EventKind, EventError> {
        let click_trans_id = || self.required(self.click_trans_id, "click_trans_id");
        let click_paydoc_id = || self.required(self.click_paydoc_id, "click_paydoc_id");
        let prepare_id = || self.required(self.merchant_prepare_id, "merchant_prepare_id");
        match self.schema.as_str() {
            "payment.completed/1" => Ok(EventKind::PaymentCompleted {
                click_trans_id: click_trans_id()?,
                click_paydoc_id: click_paydoc_id()?,
                merchant_prepare_id: prepare_id()?,
                late: self.late.unwrap_or(false),
            }),
            "payment.cancelled/1" => Ok(EventKind::PaymentCancelled {
                click_trans_id: click_trans_id()?,
                click_paydoc_id: click_paydoc_id()?,
                merchant_prepare_id: prepare_id()?,
                error: self.required(self.error.and_then(ClickError::from_code), "error")?,
            }),
            "payment.questioned/1" => Ok(EventKind::PaymentQuestioned {
                click_trans_id: click_trans_id()?,
                click_paydoc_id: click_paydoc_id()?,
                merchant_prepare_id: self.merchant_prepare_id,
                click_amount: self.click_amount_tiyin,
                anomaly: self.required(self.anomaly.as_deref().and_then(Anomaly::parse), "anomaly")?,
            }),
            "order.expired/1" => Ok(EventKind::OrderExpired),
            "payment.reversed/1" => Ok(EventKind::PaymentReversed(self.reversal()?)),
            "payment.partly_reversed/1" => Ok(EventKind::PaymentPartlyReversed {
                reversal: self.reversal()?,
                refunded_total: self.required(self.refunded_total_tiyin, "refunded_total_tiyin")?,
            }),
            "refund.undecided/1" => Ok(EventKind::RefundUndecided(self.undecided()?)),
            "receipt.issued/1" => {
                Ok(EventKind::ReceiptIssued { url: self.required(self.receipt_url.clone(), "receipt_url")? })
            }
            _ => Err(EventError::UnknownSchema(self.schema.clone())),
        }
    }
}

impl TryFrom<Wire> for Event {
    type Error = EventError;

    fn try_from(wire: Wire) -> Result<Self, EventError> {
        let kind = wire.kind()?;
        Ok(Self {
            id: wire.event_id,
            order_id: wire.order_id,
            user_id: wire.user_id,
            products: wire.products,
            amount: wire.amount_tiyin,
            occurred_at: wire.occurred_at,
            kind,
        })
    }
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
