//! Fiscal receipts: kept with their orders, moved on by the reconciler, decided by people. The rules are
//! [`tolov_domain::receipt`]'s. They are read anew for each batch, since triggers move them on too.

use tolov_domain::{
    EventKind, OrderId,
    receipt::{Change, Content, Decision as Choice, Receipt, ReceiptState},
    time::Timestamp,
};

use super::rows::{ContentRow, StepRow};
use crate::ledger::writer::{
    adopt::RESTORE,
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
        if set.receipts().steps.iter().any(|step| step.order_id() == self.order_id) {
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

/// Each receipt takes the next step on its way to where the ledger had it that is replaced.
pub(crate) struct RetraceReceipts {
    pub(crate) receipts: Vec<Receipt>,
    pub(crate) at: Timestamp,
}

impl Decision for RetraceReceipts {
    /// How many took one.
    type Answer = usize;
    const PHASE: Phase = Phase::Callback;

    fn needs(&self, needs: &mut Needs) {
        needs.orders.extend(self.receipts.iter().map(|lost| lost.order_id));
        needs.receipts.extend(self.receipts.iter().map(|lost| lost.order_id));
    }

    fn decide(&self, set: &mut WorkingSet) -> usize {
        self.receipts.iter().filter(|lost| set.retrace_receipt(lost, self.at)).count()
    }
}

impl WorkingSet {
    fn retrace_receipt(&mut self, lost: &Receipt, at: Timestamp) -> bool {
        let Some(order) = self.known.order(lost.order_id).cloned() else { return false };
        let Some(receipt) = self.known.receipts.get(&lost.order_id) else { return false };
        let mut refunds = self.known.refunds_of(lost.order_id).iter();
        let is_refunded = refunds.any(|refund| refund.status().is_done());
        let next = receipt.retrace(lost, self.click_payment_of(&order), is_refunded, at);
        let is_new = next.is_some();
        if let Some(next) = next {
            self.step_receipt(&order, next, RESTORE);
        }
        is_new
    }

    /// Keeps what an order sells.
    pub(in crate::ledger::writer) fn keep_content(
        &mut self,
        order_id: OrderId,
        content: Option<&Content>,
        at: Timestamp,
    ) {
        self.receipts().kept.extend(content.map(|content| ContentRow::of(order_id, content, at)));
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
        self.receipts().steps.push(StepRow::of(receipt, by));
    }
}
