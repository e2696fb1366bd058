//! Rows as JSON arrays: a batch crosses to SQLite's thread as a few JSON texts and back as one, because every
//! statement and every row of sqlx costs a hop between threads (reliability.md, section 4).

use serde::{Deserialize, Serialize};
use tolov_domain::{
    ClickPaydocId, ClickTransId, OrderId, OrderedProduct, PrepareId, Tiyin, UserId,
    payment::{AttemptState, ClickError, Confirmation, OrderState},
    time::{from_unix_ms, unix_ms},
};

use super::NewOrder;

/// An order of the ledger, with its state.
#[derive(Debug, Clone)]
pub(super) struct LedgerOrder {
    pub(super) order_id: OrderId,
    pub(super) user_id: UserId,
    pub(super) products: Vec<OrderedProduct>,
    pub(super) amount: Tiyin,
    pub(super) state: OrderState,
}

/// An attempt of the ledger, with its state.
#[derive(Debug, Clone)]
pub(super) struct LedgerAttempt {
    pub(super) prepare_id: PrepareId,
    pub(super) order_id: OrderId,
    pub(super) click_trans_id: ClickTransId,
    pub(super) click_paydoc_id: ClickPaydocId,
    pub(super) amount: Tiyin,
    pub(super) prepared_at_ms: i64,
    pub(super) state: AttemptState,
}

/// order_id, user_id, products, amount_tiyin, status, changed_at, paid_by
#[derive(Deserialize)]
pub(super) struct OrderRow(OrderId, UserId, String, Tiyin, String, i64, Option<PrepareId>);

impl OrderRow {
    /// `None`: the row breaks the rules of the schema, which its CHECKs forbid.
    pub(super) fn into_order(self) -> Option<LedgerOrder> {
        let Self(order_id, user_id, products, amount, status, changed_at, paid_by) = self;
        let at = from_unix_ms(changed_at);
        let state = match (status.as_str(), paid_by) {
            ("pending", None) => OrderState::Pending,
            ("expired", None) => OrderState::Expired { at },
            ("paid", Some(by)) => OrderState::Paid { by, at },
            _ => return None,
        };
        let products = serde_json::from_str(&products).ok()?;
        Some(LedgerOrder { order_id, user_id, products, amount, state })
    }
}

/// order_id, user_id, products, amount_tiyin, created_at
#[derive(Serialize)]
pub(super) struct NewOrderRow(OrderId, UserId, String, Tiyin, i64);

impl NewOrderRow {
    pub(super) fn of(order: &NewOrder) -> Self {
        // Integers only: serialising them cannot fail.
        let products = serde_json::to_string(&order.products).unwrap_or_default();
        Self(order.order_id, order.user_id, products, order.amount, unix_ms(order.created_at))
    }
}

/// order_id, status, paid_by, changed_at
#[derive(Serialize)]
pub(super) struct OrderChange(OrderId, &'static str, Option<PrepareId>, i64);

impl OrderChange {
    pub(super) const fn status(&self) -> &'static str {
        self.1
    }

    /// A pending order has not changed.
    pub(super) fn of(order: &LedgerOrder) -> Option<Self> {
        match order.state {
            OrderState::Pending => None,
            OrderState::Paid { by, at } => Some(Self(order.order_id, "paid", Some(by), unix_ms(at))),
            OrderState::Expired { at } => Some(Self(order.order_id, "expired", None, unix_ms(at))),
        }
    }
}

/// prepare_id, order_id, click_trans_id, click_paydoc_id, amount_tiyin, state, prepared_at, settled_at, paid_trans_id,
/// paid_paydoc_id, click_error
#[derive(Serialize, Deserialize)]
pub(super) struct AttemptRow(
    PrepareId,
    OrderId,
    ClickTransId,
    ClickPaydocId,
    Tiyin,
    String,
    i64,
    Option<i64>,
    Option<ClickTransId>,
    Option<ClickPaydocId>,
    Option<i32>,
);

impl AttemptRow {
    pub(super) fn state(&self) -> &str {
        &self.5
    }

    pub(super) const fn amount(&self) -> Tiyin {
        self.4
    }

    pub(super) fn of(attempt: &LedgerAttempt) -> Self {
        let (state, settled_at, trans_id, paydoc_id, error) = match attempt.state {
            AttemptState::Prepared => ("prepared", None, None, None, None),
            AttemptState::GivenUp { at } => ("given_up", Some(at), None, None, None),
            AttemptState::Cancelled { error, at } => ("cancelled", Some(at), None, None, Some(error.code())),
            AttemptState::Paid(confirmation) => (
                "paid",
                Some(confirmation.at),
                Some(confirmation.click_trans_id),
                Some(confirmation.click_paydoc_id),
                None,
            ),
        };
        Self(
            attempt.prepare_id,
            attempt.order_id,
            attempt.click_trans_id,
            attempt.click_paydoc_id,
            attempt.amount,
            state.to_owned(),
            attempt.prepared_at_ms,
            settled_at.map(unix_ms),
            trans_id,
            paydoc_id,
            error,
        )
    }

    /// `None`: the row breaks the rules of the schema, which its CHECKs forbid.
    pub(super) fn into_attempt(self) -> Option<LedgerAttempt> {
        let settled_at = self.7.map(from_unix_ms);
        let state = match self.5.as_str() {
            "prepared" => AttemptState::Prepared,
            "given_up" => AttemptState::GivenUp { at: settled_at? },
            "cancelled" => {
                AttemptState::Cancelled { error: ClickError::from_code(self.10?)?, at: settled_at? }
            }
            "paid" => AttemptState::Paid(Confirmation {
                click_trans_id: self.8?,
                click_paydoc_id: self.9?,
                at: settled_at?,
            }),
            _ => return None,
        };
        Some(LedgerAttempt {
            prepare_id: self.0,
            order_id: self.1,
            click_trans_id: self.2,
            click_paydoc_id: self.3,
            amount: self.4,
            prepared_at_ms: self.6,
            state,
        })
    }
}

/// received_at, peer, verified, order_id, fields, code, answer
#[derive(Serialize)]
pub(super) struct CallbackRow(
    pub(super) i64,
    pub(super) String,
    pub(super) u8,
    pub(super) Option<OrderId>,
    pub(super) String,
    pub(super) i32,
    pub(super) String,
);

impl EventRow {
    pub(super) const fn routing_key(&self) -> &'static str {
        self.2
    }
}

/// event_id, order_id, routing_key, schema, body, created_at
#[derive(Serialize)]
pub(super) struct EventRow(
    pub(super) String,
    pub(super) OrderId,
    pub(super) &'static str,
    pub(super) String,
    pub(super) String,
    pub(super) i64,
);
