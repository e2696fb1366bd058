//! Invoices to a phone number: asked for by a shopper, moved on by the reconciler. The rules are
//! [`tolov_domain::phone_invoice`]'s.

use tolov_domain::{
    OrderId,
    payment::OrderState,
    phone_invoice::{InvoiceChange, InvoiceRefusal, InvoiceRequest, PhoneInvoice},
    time::Timestamp,
};

use crate::ledger::writer::{
    job::{Decision, Phase},
    known::Needs,
    working_set::WorkingSet,
};

/// What became of a request for an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvoiceAsked {
    Opened(PhoneInvoice),
    /// One is open already.
    Open(PhoneInvoice),
    Refused(InvoiceRefusal),
    UnknownOrder,
}

/// What became of a change of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvoiceStepped {
    Changed(PhoneInvoice),
    /// It has gone on since it was read, or its state does not allow the change.
    Stale,
    Unknown,
}

pub(crate) struct AskForInvoice {
    pub(crate) order_id: OrderId,
    pub(crate) asked: InvoiceRequest,
    pub(crate) at: Timestamp,
}

impl Decision for AskForInvoice {
    type Answer = InvoiceAsked;
    const PHASE: Phase = Phase::Callback;

    fn needs(&self, needs: &mut Needs) {
        needs.orders.insert(self.order_id);
    }

    fn decide(&self, set: &mut WorkingSet) -> InvoiceAsked {
        let Some(order) = set.known.order(self.order_id) else { return InvoiceAsked::UnknownOrder };
        if order.user_id != self.asked.user_id {
            return InvoiceAsked::Refused(InvoiceRefusal::OtherUser);
        }
        if order.state != OrderState::Pending {
            return InvoiceAsked::Refused(InvoiceRefusal::NotPayable);
        }
        let amount = order.amount;
        let invoices = set.known.phone_invoices_of(self.order_id);
        if let Some(open) = invoices.iter().find(|invoice| invoice.state.is_open()) {
            return InvoiceAsked::Open(open.clone());
        }
        let id = set.known.numbers.take_phone_invoice_id(self.at);
        let invoice = PhoneInvoice::request(id, self.order_id, &self.asked.phone, amount, self.at);
        set.keep_phone_invoice(invoice.clone());
        InvoiceAsked::Opened(invoice)
    }
}

/// For a restore: [`PhoneInvoice::after_restore`] of these, if nobody has changed them.
pub(crate) struct LeaveInvoices {
    pub(crate) invoices: Vec<PhoneInvoice>,
    pub(crate) at: Timestamp,
}

impl Decision for LeaveInvoices {
    type Answer = ();
    const PHASE: Phase = Phase::Callback;

    fn needs(&self, needs: &mut Needs) {
        needs.orders.extend(self.invoices.iter().map(|invoice| invoice.order_id));
    }

    fn decide(&self, set: &mut WorkingSet) {
        for read in &self.invoices {
            let is_unchanged = set.known.phone_invoices_of(read.order_id).contains(read);
            if is_unchanged && let Some(left) = read.clone().after_restore(self.at) {
                set.keep_phone_invoice(left);
            }
        }
    }
}

impl WorkingSet {
    /// Brings an invoice of the ledger that is replaced to where it was there. `false`: it is there already, or would be open
    /// beside another one.
    pub(in crate::ledger::writer) fn adopt_phone_invoice(&mut self, lost: &PhoneInvoice) -> bool {
        let mut known = self.known.phone_invoices_of(lost.order_id).iter();
        let contradicts = |known: &PhoneInvoice| {
            if known.phone_invoice_id == lost.phone_invoice_id {
                known.step >= lost.step || !known.is_same_request(lost)
            } else {
                known.state.is_open() && lost.state.is_open()
            }
        };
        if known.any(contradicts) {
            return false;
        }
        let last = &mut self.known.numbers.last_phone_invoice_id;
        *last = lost.phone_invoice_id.max(*last);
        self.keep_phone_invoice(lost.clone());
        true
    }
}

pub(crate) struct StepInvoice {
    pub(crate) order_id: OrderId,
    pub(crate) phone_invoice_id: i64,
    pub(crate) step: u32,
    pub(crate) change: InvoiceChange,
    pub(crate) next_step_at: Option<Timestamp>,
    pub(crate) at: Timestamp,
}

impl Decision for StepInvoice {
    type Answer = InvoiceStepped;
    const PHASE: Phase = Phase::Callback;

    fn needs(&self, needs: &mut Needs) {
        needs.orders.insert(self.order_id);
    }

    fn decide(&self, set: &mut WorkingSet) -> InvoiceStepped {
        let mut invoices = set.known.phone_invoices_of(self.order_id).iter();
        let known = invoices.find(|invoice| invoice.phone_invoice_id == self.phone_invoice_id).cloned();
        let Some(invoice) = known else { return InvoiceStepped::Unknown };
        if invoice.step != self.step {
            return InvoiceStepped::Stale;
        }
        let Some(next) = invoice.advance(self.change.clone(), self.next_step_at, self.at) else {
            return InvoiceStepped::Stale;
        };
        tracing::info!(order.id = %self.order_id, state = ?next.state, "invoice to a phone number");
        set.keep_phone_invoice(next.clone());
        InvoiceStepped::Changed(next)
    }
}
