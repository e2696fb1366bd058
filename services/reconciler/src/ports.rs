//! What the reconciler talks to: CLICK, and the webhook service that keeps the ledger.

use std::fmt;

use async_trait::async_trait;
use tolov_click::{Call, merchant_api::Reading};
use tolov_domain::{
    Day, OrderId, PrepareId, RefundId,
    day::ClickComparison,
    phone_invoice::{DueInvoice, InvoiceStep, PhoneInvoice},
    receipt::{
        Receipt,
        api::{OpenReceipts, StepRequest as ReceiptStep},
    },
    refund::{
        Refund,
        api::{
            Attempt, FoundPayment, MerchantCall, OpenRefund, RestoreCheck, SeenReply, SeenRequest,
            StepRequest,
        },
    },
};

/// CLICK's Merchant API.
#[async_trait]
pub trait MerchantApi: fmt::Debug + Send + Sync {
    /// Makes the call once. What went wrong is in the reading: [`tolov_domain::refund::api::CallOutcome::Unknown`] where it
    /// may have had its effect.
    async fn call(&self, call: &Call) -> Reading;
}

/// Why the webhook service gave no answer that helps. The same call may be made later.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the webhook service does not help: {0}")]
pub struct LedgerError(pub String);

/// The webhook service's internal API. Every change is committed before it answers.
#[async_trait]
pub trait Ledger: fmt::Debug + Send + Sync {
    async fn open_refunds(&self) -> Result<Vec<OpenRefund>, LedgerError>;
    /// `None`: a person or another reconciler was faster, or the state does not allow it.
    async fn step(&self, refund_id: RefundId, step: StepRequest) -> Result<Option<Refund>, LedgerError>;
    async fn open_receipts(&self) -> Result<OpenReceipts, LedgerError>;
    /// `None`: a person or another reconciler was faster, or the state does not allow it.
    async fn step_receipt(
        &self,
        order_id: OrderId,
        step: ReceiptStep,
    ) -> Result<Option<Receipt>, LedgerError>;
    async fn silent_attempts(&self) -> Result<Vec<Attempt>, LedgerError>;
    /// A page of attempts with smaller numbers, newest first; empty at the end.
    async fn attempts(&self, before: Option<PrepareId>) -> Result<Vec<Attempt>, LedgerError>;
    async fn seen(&self, prepare_id: PrepareId, seen: SeenRequest) -> Result<SeenReply, LedgerError>;
    async fn due_phone_invoices(&self) -> Result<Vec<DueInvoice>, LedgerError>;
    /// `None`: another reconciler was faster, or the state does not allow it.
    async fn step_phone_invoice(
        &self,
        phone_invoice_id: i64,
        step: InvoiceStep,
    ) -> Result<Option<PhoneInvoice>, LedgerError>;
    /// The oldest day that is over and was not compared.
    async fn next_day(&self) -> Result<Option<Day>, LedgerError>;
    /// What CLICK said of the attempts of this day. Of a day that was recorded it changes nothing.
    async fn record_day(&self, day: Day, compared: ClickComparison) -> Result<(), LedgerError>;
    /// Whether the ledger is a restored copy and CLICK has not been asked for what it lost; its page of orders after this one.
    async fn restore(&self, after: Option<OrderId>) -> Result<RestoreCheck, LedgerError>;
    /// CLICK shows a payment of an order that the ledger knows no attempt of. May be told again.
    async fn found(&self, found: FoundPayment) -> Result<(), LedgerError>;
    /// `done`: CLICK was asked about everything.
    async fn let_prepares_in(&self, done: bool) -> Result<(), LedgerError>;
    async fn keep_calls(&self, calls: Vec<MerchantCall>) -> Result<(), LedgerError>;
}
