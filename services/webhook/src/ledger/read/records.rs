//! Everything that the ledger keeps of one order, for `tolov trace` and the bot's.

use serde::{Deserialize, Serialize};
use tolov_domain::{OrderId, refund::Refund};

use crate::ledger::{
    AttemptRecord, CallbackRecord, Ledger, LedgerError, LedgerReader, MerchantCallRecord, OrderRecord,
    OutboxRecord, PaymentReportRecord, ReceiptStepRecord, RefundStepRecord, TelegramPaymentRecord,
};

/// Each list is bounded by what the ledger lists of one order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRecords {
    /// `None`: it is not registered. There may be callbacks that name its number all the same.
    pub order: Option<OrderRecord>,
    pub callbacks: Vec<CallbackRecord>,
    pub attempts: Vec<AttemptRecord>,
    pub telegram_payments: Vec<TelegramPaymentRecord>,
    pub payment_reports: Vec<PaymentReportRecord>,
    pub refunds: Vec<Refund>,
    pub refund_steps: Vec<RefundStepRecord>,
    pub receipt_steps: Vec<ReceiptStepRecord>,
    pub merchant_calls: Vec<MerchantCallRecord>,
    /// Those that are still in the outbox.
    pub events: Vec<OutboxRecord>,
}

impl LedgerReader {
    pub async fn records(&self, order_id: OrderId) -> Result<OrderRecords, LedgerError> {
        Ok(OrderRecords {
            order: self.order(order_id).await?,
            callbacks: self.callbacks(order_id).await?,
            attempts: self.attempts(order_id).await?,
            telegram_payments: self.telegram_payments(order_id).await?,
            payment_reports: self.payment_reports(order_id).await?,
            refunds: self.refunds(order_id).await?,
            refund_steps: self.refund_steps(order_id).await?,
            receipt_steps: self.receipt_steps(order_id).await?,
            merchant_calls: self.merchant_calls(order_id).await?,
            events: self.events(order_id).await?,
        })
    }
}

impl Ledger {
    pub(crate) async fn records(&self, order_id: OrderId) -> Result<OrderRecords, LedgerError> {
        LedgerReader::over(self.readers.requests.clone()).records(order_id).await
    }
}
