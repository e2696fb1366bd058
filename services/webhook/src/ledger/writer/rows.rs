//! Rows as an engine gets and gives them. A batch crosses to it at once and comes back as two JSON texts, because every statement
//! and every row of sqlx costs a hop between threads (docs/decisions/0003-one-writer-group-commit.md), or to a server.

use std::fmt;

use serde::{Deserialize, Serialize};
use tolov_click::{Reply, card};
use tolov_domain::{
    ClickPaydocId, ClickTransId, Event, EventId, EventKind, OrderId, OrderedProduct, PrepareId, Tiyin,
    TraceParent, UnplacedPayment, UserId,
    payment::{Anomaly, AttemptState, ClickError, Confirmation, OrderState},
    phone_invoice::PhoneInvoice,
    refund::Refund,
    time::{Timestamp, from_unix_ms, unix_ms},
    unplaced,
};

use super::{invoices::TelegramRow, refund_rows::RefundRow};
use crate::ledger::{Arrival, LedgerError, NewOrder, Overtaken, PaidOrder};

/// The column `orders.status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum OrderStatus {
    Pending,
    Paid,
    Expired,
}

impl OrderStatus {
    pub const ALL: [Self; 3] = [Self::Pending, Self::Paid, Self::Expired];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Expired => "expired",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The column `attempts.state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum AttemptStatus {
    Prepared,
    Paid,
    Cancelled,
    GivenUp,
}

impl AttemptStatus {
    pub const ALL: [Self; 4] = [Self::Prepared, Self::Paid, Self::Cancelled, Self::GivenUp];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Paid => "paid",
            Self::Cancelled => "cancelled",
            Self::GivenUp => "given_up",
        }
    }
}

/// The column `attempts.paid_source`: which word of CLICK's made the attempt paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PaidSource {
    #[default]
    Callback,
    /// Its Merchant API, a statement or an owner: `payment_reports` says which.
    Reconciliation,
}

/// An order with its state.
#[derive(Debug, Clone)]
pub(crate) struct LedgerOrder {
    pub(crate) order_id: OrderId,
    pub(crate) user_id: UserId,
    pub(crate) products: Vec<OrderedProduct>,
    pub(crate) amount: Tiyin,
    pub(crate) state: OrderState,
}

impl LedgerOrder {
    /// The field of the API in which another order under the same number differs.
    pub(crate) fn difference(&self, other: &NewOrder) -> Option<&'static str> {
        if self.user_id != other.user_id {
            Some("user_id")
        } else if self.amount != other.amount {
            Some("total_amount")
        } else if self.products != other.products {
            Some("products")
        } else {
            None
        }
    }
}

/// An attempt to pay, with its state.
#[derive(Debug, Clone)]
pub(crate) struct LedgerAttempt {
    pub(crate) prepare_id: PrepareId,
    pub(crate) order_id: OrderId,
    pub(crate) click_trans_id: ClickTransId,
    pub(crate) click_paydoc_id: ClickPaydocId,
    pub(crate) amount: Tiyin,
    pub(crate) prepared_at_ms: i64,
    pub(crate) state: AttemptState,
    pub(crate) paid_source: PaidSource,
}

#[derive(Deserialize)]
pub(crate) struct OrderRow {
    order_id: OrderId,
    user_id: UserId,
    products: Vec<OrderedProduct>,
    amount_tiyin: Tiyin,
    status: OrderStatus,
    changed_at: i64,
    paid_by: Option<PrepareId>,
    attempts: Vec<AttemptRow>,
    refunds: Vec<RefundRow>,
    telegram_payments: Vec<TelegramRow>,
    phone_invoices: Vec<PhoneInvoice>,
}

/// An order with all its attempts, refunds and payments in Telegram, as it was read.
pub(crate) type ReadOrder =
    (LedgerOrder, Vec<LedgerAttempt>, Vec<Refund>, Vec<TelegramRow>, Vec<PhoneInvoice>);

impl TryFrom<OrderRow> for ReadOrder {
    type Error = LedgerError;

    fn try_from(row: OrderRow) -> Result<Self, LedgerError> {
        let at = from_unix_ms(row.changed_at);
        let state = match (row.status, row.paid_by) {
            (OrderStatus::Pending, None) => OrderState::Pending,
            (OrderStatus::Expired, None) => OrderState::Expired { at },
            (OrderStatus::Paid, Some(by)) => OrderState::Paid { by, at },
            _ => return Err(LedgerError::Row("an order's status and paid_by contradict each other")),
        };
        let OrderRow { order_id, user_id, products, amount_tiyin: amount, .. } = row;
        let attempts: Result<_, _> = row.attempts.into_iter().map(LedgerAttempt::try_from).collect();
        let refunds = row.refunds.into_iter().map(Into::into).collect();
        let order = LedgerOrder { order_id, user_id, products, amount, state };
        Ok((order, attempts?, refunds, row.telegram_payments, row.phone_invoices))
    }
}

#[derive(Serialize)]
pub(crate) struct NewOrderRow<'a> {
    order_id: OrderId,
    user_id: UserId,
    products: &'a [OrderedProduct],
    amount_tiyin: Tiyin,
    created_at: i64,
    traceparent: Option<&'a TraceParent>,
}

impl<'a> From<&'a (NewOrder, Option<TraceParent>)> for NewOrderRow<'a> {
    fn from((order, traceparent): &'a (NewOrder, Option<TraceParent>)) -> Self {
        let NewOrder { order_id, user_id, products, amount, created_at, .. } = order;
        Self {
            order_id: *order_id,
            user_id: *user_id,
            products,
            amount_tiyin: *amount,
            created_at: unix_ms(*created_at),
            traceparent: traceparent.as_ref(),
        }
    }
}

/// The new state of an order that is not pending any more.
#[derive(Serialize)]
pub(crate) struct OrderChange {
    pub(crate) order_id: OrderId,
    pub(crate) status: OrderStatus,
    pub(crate) paid_by: Option<PrepareId>,
    pub(crate) changed_at: i64,
}

impl OrderChange {
    /// `None`: a pending order has not changed.
    pub(crate) fn of(order: &LedgerOrder) -> Option<Self> {
        let (status, paid_by, at) = match order.state {
            OrderState::Pending => return None,
            OrderState::Paid { by, at } => (OrderStatus::Paid, Some(by), at),
            OrderState::Expired { at } => (OrderStatus::Expired, None, at),
        };
        Some(Self { order_id: order.order_id, status, paid_by, changed_at: unix_ms(at) })
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct AttemptRow {
    pub(crate) prepare_id: PrepareId,
    pub(crate) order_id: OrderId,
    pub(crate) click_trans_id: ClickTransId,
    pub(crate) click_paydoc_id: ClickPaydocId,
    pub(crate) amount_tiyin: Tiyin,
    pub(crate) state: AttemptStatus,
    pub(crate) prepared_at: i64,
    pub(crate) settled_at: Option<i64>,
    pub(crate) paid_trans_id: Option<ClickTransId>,
    pub(crate) paid_paydoc_id: Option<ClickPaydocId>,
    pub(crate) click_error: Option<i32>,
    pub(crate) paid_source: PaidSource,
    /// A trigger writes it.
    pub(crate) paid_late: bool,
}

impl From<&LedgerAttempt> for AttemptRow {
    fn from(attempt: &LedgerAttempt) -> Self {
        let mut row = Self {
            prepare_id: attempt.prepare_id,
            order_id: attempt.order_id,
            click_trans_id: attempt.click_trans_id,
            click_paydoc_id: attempt.click_paydoc_id,
            amount_tiyin: attempt.amount,
            state: AttemptStatus::Prepared,
            prepared_at: attempt.prepared_at_ms,
            settled_at: None,
            paid_trans_id: None,
            paid_paydoc_id: None,
            click_error: None,
            paid_source: attempt.paid_source,
            paid_late: false,
        };
        let (state, settled_at) = match attempt.state {
            AttemptState::Prepared => return row,
            AttemptState::GivenUp { at } => (AttemptStatus::GivenUp, at),
            AttemptState::Cancelled { error, at } => {
                row.click_error = Some(error.code());
                (AttemptStatus::Cancelled, at)
            }
            AttemptState::Paid { by: Confirmation { click_trans_id, click_paydoc_id, at }, late } => {
                row.paid_trans_id = Some(click_trans_id);
                row.paid_paydoc_id = Some(click_paydoc_id);
                row.paid_late = late;
                (AttemptStatus::Paid, at)
            }
        };
        (row.state, row.settled_at) = (state, Some(unix_ms(settled_at)));
        row
    }
}

impl TryFrom<AttemptRow> for LedgerAttempt {
    type Error = LedgerError;

    fn try_from(row: AttemptRow) -> Result<Self, LedgerError> {
        let state = row.state().ok_or(LedgerError::Row("an attempt's columns contradict its state"))?;
        Ok(Self {
            prepare_id: row.prepare_id,
            order_id: row.order_id,
            click_trans_id: row.click_trans_id,
            click_paydoc_id: row.click_paydoc_id,
            amount: row.amount_tiyin,
            prepared_at_ms: row.prepared_at,
            state,
            paid_source: row.paid_source,
        })
    }
}

impl AttemptRow {
    fn state(&self) -> Option<AttemptState> {
        let settled_at = self.settled_at.map(from_unix_ms);
        Some(match self.state {
            AttemptStatus::Prepared => AttemptState::Prepared,
            AttemptStatus::GivenUp => AttemptState::GivenUp { at: settled_at? },
            AttemptStatus::Cancelled => AttemptState::Cancelled {
                error: self.click_error.and_then(ClickError::from_code)?,
                at: settled_at?,
            },
            AttemptStatus::Paid => AttemptState::Paid {
                by: Confirmation {
                    click_trans_id: self.paid_trans_id?,
                    click_paydoc_id: self.paid_paydoc_id?,
                    at: settled_at?,
                },
                late: self.paid_late,
            },
        })
    }
}

#[derive(Clone, Serialize)]
pub(crate) struct CallbackRow {
    pub(crate) received_at: i64,
    pub(crate) peer: String,
    pub(crate) order_id: Option<OrderId>,
    pub(crate) fields: String,
    pub(crate) code: i32,
    pub(crate) answer: String,
    pub(crate) unplaced: bool,
    pub(crate) source: &'static str,
}

impl CallbackRow {
    pub(crate) fn of(arrival: &Arrival, reply: &Reply) -> Self {
        let order_id = arrival.form.merchant_trans_id().and_then(|text| OrderId::parse(text).ok());
        let echoed = reply.merchant_trans_id.as_deref().map(card::hide_numbers);
        let kept = Reply { merchant_trans_id: echoed, ..reply.clone() };
        Self {
            received_at: unix_ms(arrival.received_at),
            peer: arrival.peer.clone(),
            order_id,
            fields: arrival.form.to_record(),
            code: reply.error,
            answer: String::from_utf8_lossy(&kept.to_json()).into_owned(),
            unplaced: arrival.form.reports_payment() && !reply.confirms_payment(),
            source: "click",
        }
    }

    /// Not unplaced, whatever it says of money: CLICK comes again, and then it is decided.
    pub(crate) fn of_overtaken(callback: &Overtaken) -> Self {
        let Overtaken { received_at, peer, order_id, fields, reply } = callback;
        Self {
            received_at: unix_ms(*received_at),
            peer: peer.clone(),
            order_id: *order_id,
            fields: fields.clone(),
            code: reply.error,
            answer: String::from_utf8_lossy(&reply.to_json()).into_owned(),
            unplaced: false,
            source: "click",
        }
    }

    /// The evidence of a payment that a restore has taken back from another store.
    pub(crate) fn of_adopted(paid: &PaidOrder, prepare_id: PrepareId, at: Timestamp) -> Self {
        let fields = serde_json::json!({
            "known_by": paid.known_by, "click_trans_id": paid.click_trans_id, "click_paydoc_id": paid.click_paydoc_id,
            "merchant_prepare_id": prepare_id, "paid_at": unix_ms(paid.paid_at),
        });
        Self {
            received_at: unix_ms(at),
            peer: paid.known_by.to_owned(),
            order_id: Some(paid.order_id),
            fields: fields.to_string(),
            code: 0,
            answer: r#"{"error":0}"#.to_owned(),
            unplaced: false,
            source: "restore",
        }
    }
}

#[derive(Serialize)]
pub(crate) struct EventRow {
    pub(crate) event_id: String,
    pub(crate) order_id: Option<OrderId>,
    pub(crate) routing_key: &'static str,
    pub(crate) schema: String,
    pub(crate) body: String,
    pub(crate) created_at: i64,
    /// Of an event that nobody is to hear of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sent_at: Option<i64>,
    pub(crate) traceparent: Option<TraceParent>,
    #[serde(skip)]
    pub(crate) anomaly: Option<Anomaly>,
}

impl From<&Event> for EventRow {
    fn from(event: &Event) -> Self {
        Self {
            event_id: event.id.to_string(),
            order_id: Some(event.order_id),
            routing_key: event.kind.name(),
            schema: event.kind.schema(),
            body: String::from_utf8_lossy(&event.to_json()).into_owned(),
            created_at: unix_ms(event.occurred_at),
            sent_at: None,
            traceparent: None,
            anomaly: match event.kind {
                EventKind::PaymentQuestioned { anomaly, .. } => Some(anomaly),
                EventKind::PaymentCompleted { .. }
                | EventKind::PaymentCancelled { .. }
                | EventKind::OrderExpired
                | EventKind::PaymentReversed(_)
                | EventKind::PaymentPartlyReversed { .. }
                | EventKind::RefundUndecided(_)
                | EventKind::ReceiptIssued { .. } => None,
            },
        }
    }
}

impl EventRow {
    /// Of a fact that is about no order of the ledger.
    pub(super) fn without_order(
        event_id: &EventId,
        (routing_key, schema): (&'static str, &str),
        body: &[u8],
        occurred_at: Timestamp,
    ) -> Self {
        Self {
            event_id: event_id.to_string(),
            order_id: None,
            routing_key,
            schema: schema.to_owned(),
            body: String::from_utf8_lossy(body).into_owned(),
            created_at: unix_ms(occurred_at),
            sent_at: None,
            traceparent: None,
            anomaly: None,
        }
    }
}

impl From<&UnplacedPayment> for EventRow {
    fn from(payment: &UnplacedPayment) -> Self {
        let UnplacedPayment { event_id, schema, occurred_at, .. } = payment;
        Self::without_order(event_id, (unplaced::NAME, schema), &payment.to_json(), *occurred_at)
    }
}

/// An outbox row that the bus has confirmed.
#[derive(Serialize)]
pub(crate) struct SentMark {
    pub(crate) id: i64,
    pub(crate) sent_at: i64,
}

/// An outbox row that the bus has refused.
#[derive(Serialize)]
pub(crate) struct RefusedMark {
    pub(crate) id: i64,
    pub(crate) retry_at: i64,
    pub(crate) reason: String,
}
