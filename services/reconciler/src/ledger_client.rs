//! The client of the webhook service's internal API.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::Method;
use serde::{Serialize, de::DeserializeOwned};
use tolov_domain::{
    Day, OrderId, PrepareId, RefundId,
    day::{ClickComparison, NextDay},
    phone_invoice::{DueInvoice, DueInvoices, InvoiceStep, PhoneInvoice},
    receipt::{
        Receipt,
        api::{OpenReceipts, StepRequest as ReceiptStep},
    },
    refund::{
        Refund,
        api::{
            Attempt, Attempts, FoundPayment, MerchantCall, MerchantCalls, OpenRefund, Refunds, RestoreCheck,
            SeenReply, SeenRequest, StepRequest,
        },
    },
};
use tolov_kit::{lifecycle::chain, secret::Secret};
use url::Url;

use crate::{
    config::Config,
    ports::{Ledger, LedgerError},
};

const CALL_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub struct LedgerClient {
    http: reqwest::Client,
    url: Url,
    api_token: Secret,
}

struct Answer {
    status: u16,
    body: Vec<u8>,
}

impl LedgerClient {
    pub fn new(config: &Config) -> Result<Self, reqwest::Error> {
        Self::at(config.webhook_url.clone(), config.api_token.clone())
    }

    pub fn at(url: Url, api_token: Secret) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(2))
            .timeout(CALL_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self { http, url, api_token })
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, LedgerError> {
        self.send(Method::GET, path, None).await?.read()
    }

    async fn post(&self, path: &str, body: &(impl Serialize + Sync)) -> Result<Answer, LedgerError> {
        let body = serde_json::to_vec(body).map_err(|error| LedgerError(error.to_string()))?;
        self.send(Method::POST, path, Some(body)).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<Answer, LedgerError> {
        let failed = |error: reqwest::Error| LedgerError(chain(&error.without_url()));
        let url = self.url.join(path).map_err(|error| LedgerError(error.to_string()))?;
        let request = self.http.request(method, url).bearer_auth(self.api_token.expose());
        let request = request.header("content-type", "application/json").body(body.unwrap_or_default());
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        Ok(Answer { status, body: answer.bytes().await.map_err(failed)?.to_vec() })
    }
}

impl Answer {
    fn read<T: DeserializeOwned>(&self) -> Result<T, LedgerError> {
        match self.status {
            200 => serde_json::from_slice(&self.body)
                .map_err(|error| LedgerError(format!("its answer cannot be read: {error}"))),
            401 => {
                Err(LedgerError("API_TOKEN differs between the reconciler and the webhook service".into()))
            }
            status => {
                let body: String = String::from_utf8_lossy(&self.body).chars().take(200).collect();
                Err(LedgerError(format!("{status}: {body}")))
            }
        }
    }
}

#[async_trait]
impl Ledger for LedgerClient {
    async fn open_refunds(&self) -> Result<Vec<OpenRefund>, LedgerError> {
        let mut open: Vec<OpenRefund> = Vec::new();
        loop {
            let after = open.last().map_or(0, |last| last.refund.refund_id.get());
            let page = self.get::<Refunds>(&format!("refunds/open?after={after}")).await?.refunds;
            let is_last = u32::try_from(page.len()).is_ok_and(|count| count < Refunds::PAGE);
            open.extend(page);
            if is_last {
                return Ok(open);
            }
        }
    }

    async fn step(&self, refund_id: RefundId, step: StepRequest) -> Result<Option<Refund>, LedgerError> {
        let answer = self.post(&format!("refunds/{refund_id}/step"), &step).await?;
        if answer.status == 409 {
            return Ok(None);
        }
        answer.read().map(Some)
    }

    async fn due_phone_invoices(&self) -> Result<Vec<DueInvoice>, LedgerError> {
        Ok(self.get::<DueInvoices>("phone-invoices/due").await?.due)
    }

    async fn step_phone_invoice(
        &self,
        phone_invoice_id: i64,
        step: InvoiceStep,
    ) -> Result<Option<PhoneInvoice>, LedgerError> {
        let answer = self.post(&format!("phone-invoices/{phone_invoice_id}/step"), &step).await?;
        if answer.status == 409 {
            return Ok(None);
        }
        answer.read().map(Some)
    }

    async fn open_receipts(&self) -> Result<OpenReceipts, LedgerError> {
        self.get("receipts/open").await
    }

    async fn step_receipt(
        &self,
        order_id: OrderId,
        step: ReceiptStep,
    ) -> Result<Option<Receipt>, LedgerError> {
        let answer = self.post(&format!("receipts/{order_id}/step"), &step).await?;
        if answer.status == 409 {
            return Ok(None);
        }
        answer.read().map(Some)
    }

    async fn silent_attempts(&self) -> Result<Vec<Attempt>, LedgerError> {
        Ok(self.get::<Attempts>("attempts/silent").await?.attempts)
    }

    async fn attempts(&self, before: Option<PrepareId>) -> Result<Vec<Attempt>, LedgerError> {
        let path = before.map_or_else(|| "attempts".to_owned(), |before| format!("attempts?before={before}"));
        Ok(self.get::<Attempts>(&path).await?.attempts)
    }

    async fn seen(&self, prepare_id: PrepareId, seen: SeenRequest) -> Result<SeenReply, LedgerError> {
        self.post(&format!("attempts/{prepare_id}/seen"), &seen).await?.read()
    }

    async fn next_day(&self) -> Result<Option<Day>, LedgerError> {
        Ok(self.get::<NextDay>("days/next").await?.day)
    }

    async fn record_day(&self, day: Day, compared: ClickComparison) -> Result<(), LedgerError> {
        self.post(&format!("days/{day}"), &compared).await?.read::<NextDay>().map(drop)
    }

    async fn restore(&self, after: Option<OrderId>) -> Result<RestoreCheck, LedgerError> {
        self.get(&after.map_or_else(|| "restore".to_owned(), |after| format!("restore?after={after}"))).await
    }

    async fn found(&self, found: FoundPayment) -> Result<(), LedgerError> {
        self.post("restore/found", &found).await?.read::<RestoreCheck>().map(drop)
    }

    async fn let_prepares_in(&self, done: bool) -> Result<(), LedgerError> {
        let answer = self.post("restore", &serde_json::json!({ "done": done })).await?;
        answer.read::<RestoreCheck>().map(drop)
    }

    async fn keep_calls(&self, calls: Vec<MerchantCall>) -> Result<(), LedgerError> {
        let answer = self.post("merchant-calls", &MerchantCalls { calls }).await?;
        answer.read::<serde_json::Value>().map(drop)
    }
}
