//! Fiscal receipts: kept with their orders, moved on by the reconciler, decided by people. The rules are
//! [`tolov_domain::receipt`]'s. They are read anew for each batch, since triggers move them on too.

use serde::{Deserialize, Serialize};
use tolov_domain::{
    EventKind, OrderId, Tiyin,
    receipt::{Change, Content, Decision as Choice, Receipt, ReceiptState},
    time::{Timestamp, from_unix_ms, unix_ms},
};

use super::{
    job::{Decision, Phase},
    known::Needs,
    rows::LedgerOrder,
    working_set::WorkingSet,
};

/// Who moves a receipt on where no person does.
const RECONCILER: &str = "reconciler";

/// What became of a change of a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiptStepped {
    Changed(Receipt),
    /// The receipt has gone on since it was read.
    Stale(Receipt),
    NotAllowed(Receipt),
    Unknown,
}

/// What a batch does to receipts.
#[derive(Default)]
pub(crate) struct Receipts {
    pub(super) kept: Vec<ContentRow>,
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

/// A receipt goes on.
pub(crate) struct StepReceipt {
    pub(crate) order_id: OrderId,
    pub(crate) what: StepKind,
    pub(crate) at: Timestamp,
}

pub(crate) enum StepKind {
    Change { step: u32, change: Change, next_step_at: Option<Timestamp> },
    Decide { choice: Choice, by: String },
}

impl Decision for StepReceipt {
    type Answer = ReceiptStepped;
    const PHASE: Phase = Phase::Callback;

    fn needs(&self, needs: &mut Needs) {
        needs.orders.insert(self.order_id);
        needs.receipts.insert(self.order_id);
    }

    fn decide(&self, set: &mut WorkingSet) -> ReceiptStepped {
        let known =
            (set.known.order(self.order_id).cloned(), set.known.receipts.get(&self.order_id).cloned());
        let (Some(order), Some(receipt)) = known else { return ReceiptStepped::Unknown };
        if set.receipts().steps.iter().any(|step| step.row.order_id == self.order_id) {
            return ReceiptStepped::Stale(receipt);
        }
        let (next, by) = match &self.what {
            StepKind::Change { step, .. } if *step != receipt.step => return ReceiptStepped::Stale(receipt),
            StepKind::Change { change, next_step_at, .. } => {
                (receipt.clone().advance(change.clone(), *next_step_at, self.at), RECONCILER)
            }
            StepKind::Decide { choice, by } => {
                let mut refunds = set.known.refunds_of(self.order_id).iter();
                let is_refunded = refunds.any(|refund| refund.status().is_done());
                (receipt.clone().decide(choice.clone(), by, is_refunded, self.at), by.as_str())
            }
        };
        let Ok(next) = next else { return ReceiptStepped::NotAllowed(receipt) };
        set.step_receipt(&order, next.clone(), by);
        ReceiptStepped::Changed(next)
    }
}

impl WorkingSet {
    /// Keeps what an order sells.
    pub(super) fn keep_content(&mut self, order_id: OrderId, content: Option<&Content>, at: Timestamp) {
        let row = content.map(|content| ContentRow { order_id, content: content.clone(), at: unix_ms(at) });
        self.receipts().kept.extend(row);
    }

    /// Keeps the next step of a receipt, and tells of one that is there.
    fn step_receipt(&mut self, order: &LedgerOrder, receipt: Receipt, by: &str) {
        tracing::info!(
            order.id = %order.order_id, state = receipt.state.status().as_str(), by, "fiscal receipt"
        );
        if let ReceiptState::Known { url, .. } = &receipt.state {
            self.publish(order, EventKind::ReceiptIssued { url: url.clone() }, receipt.changed_at);
        }
        self.known.receipts.insert(order.order_id, receipt.clone());
        self.receipts().steps.push(StepRow { row: receipt.into(), by: by.to_owned() });
    }
}
