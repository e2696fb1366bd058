//! The webhook service as the reconciler calls it: each request is answered by the simulation between two steps of the
//! reconciler.

use async_trait::async_trait;
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::{mpsc, oneshot};
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
            Attempt, FoundPayment, MerchantCall, MerchantCalls, OpenRefund, Refunds, RestoreCheck, SeenReply,
            SeenRequest, StepRequest,
        },
    },
};
use tolov_reconciler::{Ledger, LedgerError};

use crate::webhook::Answer;

/// What the reconciler asks the webhook service.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) body: String,
    /// Gets what was heard.
    pub(crate) answer: oneshot::Sender<Option<Answer>>,
}

#[derive(Debug)]
pub(crate) struct Bridge(pub(crate) mpsc::Sender<Request>);

impl Bridge {
    async fn ask(&self, method: &'static str, path: String, body: String) -> Result<Answer, LedgerError> {
        let (answer, answered) = oneshot::channel();
        let request = Request { method, path, body, answer };
        let sent = self.0.send(request).await;
        let heard = if sent.is_ok() { answered.await.ok().flatten() } else { None };
        heard.ok_or_else(|| LedgerError("no answer".to_owned()))
    }

    async fn post(&self, path: String, body: &(impl Serialize + Sync)) -> Result<Answer, LedgerError> {
        let body = serde_json::to_string(body).map_err(|error| LedgerError(error.to_string()))?;
        self.ask("POST", path, body).await
    }
}

fn read<T: DeserializeOwned>(answer: Answer) -> Result<T, LedgerError> {
    if answer.status != 200 {
        return Err(LedgerError(format!("{}: {}", answer.status, answer.body)));
    }
    serde_json::from_value(answer.body).map_err(|error| LedgerError(error.to_string()))
}

/// Refunds are all that is simulated of it.
fn not_simulated<T>() -> Result<T, LedgerError> {
    Err(LedgerError("not simulated".to_owned()))
}

#[async_trait]
impl Ledger for Bridge {
    async fn open_refunds(&self) -> Result<Vec<OpenRefund>, LedgerError> {
        let answer = self.ask("GET", "/refunds/open".to_owned(), String::new()).await?;
        Ok(read::<Refunds>(answer)?.refunds)
    }

    async fn step(&self, refund_id: RefundId, step: StepRequest) -> Result<Option<Refund>, LedgerError> {
        let answer = self.post(format!("/refunds/{refund_id}/step"), &step).await?;
        if answer.status == 409 { Ok(None) } else { read(answer).map(Some) }
    }

    async fn keep_calls(&self, calls: Vec<MerchantCall>) -> Result<(), LedgerError> {
        let answer = self.post("/merchant-calls".to_owned(), &MerchantCalls { calls }).await?;
        read::<serde_json::Value>(answer).map(drop)
    }

    async fn due_phone_invoices(&self) -> Result<Vec<DueInvoice>, LedgerError> {
        Ok(Vec::new())
    }

    async fn step_phone_invoice(
        &self,
        _phone_invoice_id: i64,
        _step: InvoiceStep,
    ) -> Result<Option<PhoneInvoice>, LedgerError> {
        not_simulated()
    }

    async fn open_receipts(&self) -> Result<OpenReceipts, LedgerError> {
        not_simulated()
    }

    async fn step_receipt(
        &self,
        _order_id: OrderId,
        _step: ReceiptStep,
    ) -> Result<Option<Receipt>, LedgerError> {
        not_simulated()
    }

    async fn silent_attempts(&self) -> Result<Vec<Attempt>, LedgerError> {
        not_simulated()
    }

    async fn attempts(&self, _before: Option<PrepareId>) -> Result<Vec<Attempt>, LedgerError> {
        not_simulated()
    }

    async fn seen(&self, _prepare_id: PrepareId, _seen: SeenRequest) -> Result<SeenReply, LedgerError> {
        not_simulated()
    }

    async fn next_day(&self) -> Result<Option<Day>, LedgerError> {
        not_simulated()
    }

    async fn record_day(&self, _day: Day, _compared: ClickComparison) -> Result<(), LedgerError> {
        not_simulated()
    }

    async fn restore(&self, _after: Option<OrderId>) -> Result<RestoreCheck, LedgerError> {
        not_simulated()
    }

    async fn found(&self, _found: FoundPayment) -> Result<(), LedgerError> {
        not_simulated()
    }

    async fn let_prepares_in(&self, _done: bool) -> Result<(), LedgerError> {
        not_simulated()
    }
}
