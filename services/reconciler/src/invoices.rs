//! Invoices to a phone number: made by one call each, then followed until the order is paid or over, or the payer deletes
//! them. The payment itself comes by Prepare and Complete.

use std::sync::Arc;

use time::Duration;
use tolov_click::merchant_api::InvoiceState as ClickState;
use tolov_domain::{
    phone_invoice::{DueInvoice, InvoiceChange, InvoiceState, InvoiceStep, PAUSE_MAX, PhoneInvoice},
    refund::api::CallOutcome,
};
use tolov_kit::{clock::Clock, lifecycle::Stop};

use crate::{
    caller::Caller,
    ports::{Ledger, LedgerError},
};

/// One found in "sending" after this was left there by a process that died.
const SENDING_MAX: Duration = Duration::minutes(2);
/// How often the state of one that waits is asked for: while the payer may be at it, and later.
const SOON: Duration = Duration::minutes(1);
const LATER: Duration = PAUSE_MAX;

#[derive(Debug)]
pub(crate) struct Invoices {
    pub(crate) caller: Arc<Caller>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Invoices {
    /// Moves every invoice on whose turn it is.
    pub(crate) async fn round(&self, stop: &Stop) -> Result<(), LedgerError> {
        for DueInvoice { invoice, is_payable } in self.ledger.due_phone_invoices().await? {
            if stop.is_cancelled() || self.caller.is_paused() {
                break;
            }
            self.go_on(invoice, is_payable).await?;
        }
        Ok(())
    }

    async fn go_on(&self, invoice: PhoneInvoice, is_payable: bool) -> Result<(), LedgerError> {
        match invoice.state {
            InvoiceState::Requested if is_payable => self.send(invoice).await,
            InvoiceState::Requested | InvoiceState::Sent { .. } if !is_payable => {
                self.step(&invoice, InvoiceChange::Over, None).await.map(drop)
            }
            // A process died between the commit and the answer.
            InvoiceState::Sending => {
                let click_note = "the reconciler was stopped while it waited for the answer".to_owned();
                self.step(&invoice, InvoiceChange::OutcomeUnknown { click_note }, None).await.map(drop)
            }
            InvoiceState::Sent { invoice_id } => self.ask(invoice, invoice_id).await,
            InvoiceState::Requested
            | InvoiceState::Unknown { .. }
            | InvoiceState::Refused { .. }
            | InvoiceState::Deleted { .. }
            | InvoiceState::Over => Ok(()),
        }
    }

    /// Commits that CLICK is asked, then asks, once.
    async fn send(&self, invoice: PhoneInvoice) -> Result<(), LedgerError> {
        let sends = self.step(&invoice, InvoiceChange::Send, Some(SENDING_MAX)).await?;
        let Some(sending) = sends else { return Ok(()) };
        let reading = self.caller.create_invoice(&sending).await;
        let click_note = reading.note;
        let (change, pause) = match (reading.outcome, reading.invoice_id, reading.code) {
            (CallOutcome::Done, Some(invoice_id), _) => (InvoiceChange::Sent { invoice_id }, Some(SOON)),
            (CallOutcome::Setup, ..) => (InvoiceChange::NotTaken, None),
            (CallOutcome::Refused | CallOutcome::NotFound, _, Some(click_code)) => {
                (InvoiceChange::Refused { click_code, click_note }, None)
            }
            (CallOutcome::Done | CallOutcome::Refused | CallOutcome::NotFound | CallOutcome::Unknown, ..) => {
                (InvoiceChange::OutcomeUnknown { click_note }, None)
            }
        };
        self.step(&sending, change, pause).await.map(drop)
    }

    async fn ask(&self, invoice: PhoneInvoice, invoice_id: i64) -> Result<(), LedgerError> {
        let reading = self.caller.invoice_status(invoice.order_id, invoice_id).await;
        let is_gone = reading.outcome == CallOutcome::NotFound
            || (reading.outcome == CallOutcome::Done && reading.status == Some(ClickState::DELETED));
        if is_gone {
            return self.step(&invoice, InvoiceChange::Deleted, None).await.map(drop);
        }
        // Paid or not: the order says so, by its Complete.
        let is_young = self.clock.now() - invoice.requested_at < LATER;
        let pause = if is_young { SOON } else { LATER };
        self.step(&invoice, InvoiceChange::Wait, Some(pause)).await.map(drop)
    }

    async fn step(
        &self,
        invoice: &PhoneInvoice,
        change: InvoiceChange,
        pause: Option<Duration>,
    ) -> Result<Option<PhoneInvoice>, LedgerError> {
        let next_step_at = pause.map(|pause| self.clock.now() + pause);
        let step = InvoiceStep { step: invoice.step, change, next_step_at };
        self.ledger.step_phone_invoice(invoice.phone_invoice_id, step).await
    }
}
