//! Invoices to a phone number: what the HTTP API asks of the ledger about them.

use tolov_domain::{
    OrderId,
    phone_invoice::{DueInvoice, InvoiceRequest, InvoiceStep, PAUSE_MAX, PhoneInvoice},
    time::{CLOCK_SKEW_MAX, Timestamp, unix_ms},
};

use super::{
    Ledger, LedgerError,
    read::pool::read,
    writer::invoices::phone::{AskForInvoice, InvoiceAsked, InvoiceStepped, LeaveInvoices, StepInvoice},
};

/// The most that one answer lists.
const DUE_MAX: i64 = 500;

/// Oldest first.
pub(super) fn of_rows(rows: &[String]) -> Result<Vec<PhoneInvoice>, LedgerError> {
    let read = rows.iter().map(|row| Ok(serde_json::from_str(row)?));
    let mut invoices: Vec<PhoneInvoice> = read.collect::<Result<_, LedgerError>>()?;
    invoices.sort_by_key(|invoice| invoice.phone_invoice_id);
    Ok(invoices)
}

impl Ledger {
    /// Opens an invoice, or returns the open one of the order.
    pub async fn ask_for_phone_invoice(
        &self,
        order_id: OrderId,
        asked: InvoiceRequest,
        at: Timestamp,
    ) -> Result<InvoiceAsked, LedgerError> {
        self.decide(AskForInvoice { order_id, asked, at }).await
    }

    /// Applies what the reconciler reports, if nobody has changed the invoice since `step`.
    pub async fn step_phone_invoice(
        &self,
        phone_invoice_id: i64,
        InvoiceStep { step, change, next_step_at }: InvoiceStep,
        at: Timestamp,
    ) -> Result<InvoiceStepped, LedgerError> {
        let order_id: Option<i64> = read!(
            &self.readers.requests,
            query_scalar.fetch_optional,
            "SELECT order_id FROM phone_invoices WHERE phone_invoice_id = $1",
            phone_invoice_id,
        )?;
        let Some(order_id) = order_id.and_then(|id| OrderId::try_new(id).ok()) else {
            return Ok(InvoiceStepped::Unknown);
        };
        self.decide(StepInvoice { order_id, phone_invoice_id, step, change, next_step_at, at }).await
    }

    /// For a restore: of an invoice that was to be made when the copy was, CLICK may have been asked since. It is not asked again,
    /// and no other invoice is made beside it.
    pub async fn leave_phone_invoices(&self, now: Timestamp) -> Result<(), LedgerError> {
        let mut after = 0;
        loop {
            let rows: Vec<String> = read!(
                &self.readers.requests,
                query_scalar.fetch_all,
                "SELECT invoice FROM phone_invoices_as_json
                 WHERE next_step_at IS NOT NULL AND phone_invoice_id > $2 ORDER BY phone_invoice_id LIMIT +$1",
                DUE_MAX,
                after,
            )?;
            let invoices = of_rows(&rows)?;
            let Some(last) = invoices.last() else { return Ok(()) };
            after = last.phone_invoice_id;
            self.decide(LeaveInvoices { invoices, at: now }).await?;
        }
    }

    /// Of an order, oldest first.
    pub async fn phone_invoices(&self, order_id: OrderId) -> Result<Vec<PhoneInvoice>, LedgerError> {
        let rows: Vec<String> = read!(
            &self.readers.requests,
            query_scalar.fetch_all,
            "SELECT invoice FROM phone_invoices_as_json WHERE order_id = $1 LIMIT 1000",
            order_id.get(),
        )?;
        of_rows(&rows)
    }

    /// Those on whose turn it is ([`tolov_domain::time::is_due`]).
    pub async fn due_phone_invoices(&self, now: Timestamp) -> Result<Vec<DueInvoice>, LedgerError> {
        let rows: Vec<(String, bool)> = read!(
            &self.readers.requests,
            query_as.fetch_all,
            "SELECT i.invoice, o.status = 'pending' FROM phone_invoices_as_json AS i
             CROSS JOIN orders AS o WHERE o.order_id = i.order_id
               AND i.next_step_at IS NOT NULL AND (i.next_step_at <= $1 OR i.next_step_at > $3) LIMIT +$2",
            unix_ms(now),
            DUE_MAX,
            unix_ms(now + PAUSE_MAX + CLOCK_SKEW_MAX),
        )?;
        let due = |(invoice, is_payable): (String, bool)| {
            Ok(DueInvoice { invoice: serde_json::from_str(&invoice)?, is_payable })
        };
        rows.into_iter().map(due).collect()
    }
}
