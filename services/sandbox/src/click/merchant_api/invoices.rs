//! Invoices: the payer pays or deletes them in the CLICK application.

use serde_json::json;
use tolov_click::merchant_api::{InvoiceCreated, InvoiceState, NewInvoice};

use super::{
    super::{error::ClickError, payment::Payment, simulator::Click},
    answer::success,
    records::{Invoice, InvoiceStatus},
};

impl Click {
    /// The kept invoices, oldest first.
    pub fn invoices(&self) -> Vec<Invoice> {
        self.with(|state| state.invoices.to_vec())
    }

    /// The payer confirms the invoice. After a payment that does not succeed the invoice waits again.
    pub async fn pay_invoice(&self, invoice_id: i64) -> Result<Payment, ClickError> {
        let invoice = self.change_invoice(invoice_id, |invoice| {
            if invoice.status != InvoiceStatus::Waiting {
                return Err(ClickError::InvoiceNotWaiting(invoice_id));
            }
            invoice.status = InvoiceStatus::InProgress;
            Ok(invoice.clone())
        })?;
        let paid = self.pay(&invoice.order_id, &invoice.amount).await;
        let status = match &paid {
            Ok(payment) if payment.is_paid() => {
                InvoiceStatus::Paid { click_trans_id: payment.click_trans_id }
            }
            Ok(_) | Err(_) => InvoiceStatus::Waiting,
        };
        self.change_invoice(invoice_id, |invoice| {
            invoice.status = status;
            Ok(())
        })?;
        paid
    }

    pub fn delete_invoice(&self, invoice_id: i64) -> Result<(), ClickError> {
        self.change_invoice(invoice_id, |invoice| {
            if invoice.status != InvoiceStatus::Waiting {
                return Err(ClickError::InvoiceNotWaiting(invoice_id));
            }
            invoice.status = InvoiceStatus::Deleted;
            Ok(())
        })
    }

    fn change_invoice<T>(
        &self,
        invoice_id: i64,
        change: impl FnOnce(&mut Invoice) -> Result<T, ClickError>,
    ) -> Result<T, ClickError> {
        self.with(|state| {
            let invoice = state.invoices.find_mut(|invoice| invoice.invoice_id == invoice_id);
            change(invoice.ok_or(ClickError::NoSuchInvoice(invoice_id))?)
        })
    }

    pub(super) fn create_invoice(&self, new: NewInvoice) -> serde_json::Value {
        let created_at_ms = self.now_ms();
        let invoice_id = self.with(|state| {
            state.last_invoice_id += 1;
            let invoice_id = state.last_invoice_id;
            state.invoices.push(Invoice {
                invoice_id,
                order_id: new.merchant_trans_id,
                amount: new.amount.soum_text(),
                phone_number: new.phone_number,
                status: InvoiceStatus::Waiting,
                created_at_ms,
            });
            invoice_id
        });
        success(InvoiceCreated { invoice_id })
    }

    pub(super) fn invoice_status(&self, invoice_id: i64) -> serde_json::Value {
        let status = self.with(|state| {
            state.invoices.find(|invoice| invoice.invoice_id == invoice_id).map(|invoice| invoice.status)
        });
        // CLICK's answer about an invoice that it does not know.
        let Some(status) = status else {
            return success(json!({ "invoice_status": null, "invoice_status_note": null }));
        };
        let (invoice_status, note) = match status {
            InvoiceStatus::Waiting | InvoiceStatus::InProgress => (InvoiceState::WAITING, "Waiting"),
            InvoiceStatus::Paid { .. } => (InvoiceState::PAID, "Paid"),
            InvoiceStatus::Deleted => (InvoiceState::DELETED, "Deleted"),
        };
        success(InvoiceState { invoice_status, invoice_status_note: note.to_owned() })
    }
}
