//! Receipts as rows.

use serde::{Deserialize, Serialize};
use tolov_domain::{
    OrderId, Tiyin,
    receipt::{Content, Receipt, ReceiptState},
    time::{Timestamp, from_unix_ms, unix_ms},
};

/// What a batch does to receipts.
#[derive(Default)]
pub(crate) struct Receipts {
    pub(crate) kept: Vec<ContentRow>,
    /// One step of a receipt at most: the statement takes them in no order.
    pub(crate) steps: Vec<StepRow>,
}

/// What is agreed with an order that is not paid yet. The first one counts.
#[derive(Serialize)]
pub(crate) struct ContentRow {
    order_id: OrderId,
    content: Content,
    at: i64,
}

impl ContentRow {
    pub(super) fn of(order_id: OrderId, content: &Content, at: Timestamp) -> Self {
        Self { order_id, content: content.clone(), at: unix_ms(at) }
    }
}

/// A row of `receipts_as_json`. The facts of the state stand beside it, under the names of the columns.
#[derive(Serialize, Deserialize)]
pub(crate) struct ReceiptRow {
    order_id: OrderId,
    #[serde(skip_serializing)]
    amount_tiyin: Tiyin,
    #[serde(skip_serializing)]
    content: Content,
    #[serde(flatten)]
    state: ReceiptState,
    body_hash: Option<String>,
    since: i64,
    changed_at: i64,
    step: u32,
    tries: u32,
    next_step_at: Option<i64>,
}

/// The next state of a receipt, and who decided it.
#[derive(Serialize)]
pub(crate) struct StepRow {
    #[serde(flatten)]
    row: ReceiptRow,
    by: String,
}

impl StepRow {
    pub(super) fn of(receipt: Receipt, by: &str) -> Self {
        Self { row: receipt.into(), by: by.to_owned() }
    }

    pub(super) const fn order_id(&self) -> OrderId {
        self.row.order_id
    }

    pub(crate) const fn state(&self) -> &ReceiptState {
        &self.row.state
    }
}

impl From<Receipt> for ReceiptRow {
    fn from(receipt: Receipt) -> Self {
        let Receipt { order_id, amount_tiyin, content, state, body_hash, step, tries, .. } = receipt;
        let [since, changed_at] = [receipt.since, receipt.changed_at].map(unix_ms);
        let next_step_at = receipt.next_step_at.map(unix_ms);
        Self {
            order_id,
            amount_tiyin,
            content,
            state,
            body_hash,
            since,
            changed_at,
            step,
            tries,
            next_step_at,
        }
    }
}

impl From<ReceiptRow> for Receipt {
    fn from(row: ReceiptRow) -> Self {
        let ReceiptRow { order_id, amount_tiyin, content, state, body_hash, step, tries, .. } = row;
        let [since, changed_at] = [row.since, row.changed_at].map(from_unix_ms);
        let next_step_at = row.next_step_at.map(from_unix_ms);
        Self {
            order_id,
            amount_tiyin,
            content,
            state,
            body_hash,
            since,
            changed_at,
            step,
            tries,
            next_step_at,
        }
    }
}
