//! The client of the webhook service: orders are registered with its ledger before they can be paid, and end there.

use std::time::Duration;

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tolov_domain::{
    OrderId, OrderedProduct, UserId,
    phone_invoice::{InvoiceConflict, InvoiceRefusal, InvoiceRequest, PhoneInvoice, PhoneInvoices},
    receipt::Content,
    telegram_payment::{
        CheckoutConflict, CheckoutRefusal, CheckoutRequest, PaymentOutcome, PaymentReply, TelegramPayment,
    },
    time::Timestamp,
};
use tolov_kit::{retry::Pauses, secret::Secret, spans};
use tolov_shop::order::{PaymentLink, ShopOrder};
use url::Url;

use crate::config::ConfigError;

/// One call, from connecting to the last byte of the answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a shopper waits while the service is unavailable.
const PATIENCE: Duration = Duration::from_secs(12);

#[derive(Debug, Clone)]
pub(crate) struct LedgerClient {
    http: reqwest::Client,
    webhook_url: Url,
    api_token: Secret,
}

/// The result of registering an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Registration {
    /// It can be paid at this address.
    Registered(PaymentLink),
    /// The ledger knows this very order, and it has ended.
    Ended,
    /// The number belongs to another order. `highest`: the ledger's highest number, where it says so.
    NumberTaken { highest: Option<OrderId> },
}

/// The result of cancelling an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CancelReply {
    /// CLICK's Prepare is refused from now on.
    Cancelled,
    Paid,
    /// The ledger does not know it.
    Unknown,
}

/// The result of asking for a bill to a phone number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BillReply {
    Asked(Box<PhoneInvoice>),
    /// There is one that is not over.
    Open(Box<PhoneInvoice>),
    Refused(InvoiceRefusal),
    UnknownOrder,
}

/// Whether Telegram may take the money for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CheckoutReply {
    Allowed,
    Refused(CheckoutRefusal),
    UnknownOrder,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum LedgerError {
    /// The same call may succeed later.
    #[error("the webhook service is unavailable: {0}")]
    Unavailable(String),
    /// An operator has to look into it.
    #[error("the webhook service refuses: {0}")]
    Refused(String),
}

/// The body of `POST /api/create_order`.
#[derive(Serialize)]
struct CreateOrder<'a> {
    order_id: OrderId,
    user_id: UserId,
    products: &'a [OrderedProduct],
    /// So'm as a JSON number that never was a float.
    total_amount: Box<RawValue>,
    payment_method: &'static str,
    /// What is sold, where the shop makes receipts.
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<&'a Content>,
}

#[derive(Deserialize)]
struct Created {
    status: String,
    payment_url: String,
    #[serde(default, with = "time::serde::rfc3339::option")]
    pay_until: Option<Timestamp>,
}

/// The part of `GET /orders` and of a refusal that order numbers are lifted by.
#[derive(Deserialize)]
struct HighestOrder {
    highest_order_id: Option<i64>,
}

impl LedgerClient {
    pub(crate) fn new(webhook_url: Url, api_token: Secret) -> Result<Self, ConfigError> {
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(2))
            .timeout(CALL_TIMEOUT)
            // An address that redirects would be shown the token.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build();
        Ok(Self { http: client.map_err(|_| ConfigError::CLIENT)?, webhook_url, api_token })
    }

    /// Registers an order. The same order again is answered as the first time. The pay link leads back to `return_url`.
    pub(crate) async fn register(
        &self,
        order: &ShopOrder,
        receipt: Option<&Content>,
        return_url: &str,
    ) -> Result<Registration, LedgerError> {
        let answer = self.call(Method::POST, "api/create_order", create_order(order, receipt)?).await?;
        match answer.status {
            200 | 201 => {
                let created: Created = answer.json()?;
                if created.status != "pending" {
                    return Ok(Registration::Ended);
                }
                let link = PaymentLink {
                    url: with_return(&created.payment_url, return_url),
                    pay_until: created.pay_until,
                };
                Ok(Registration::Registered(link))
            }
            409 => Ok(Registration::NumberTaken { highest: answer.highest_order_id() }),
            _ => Err(answer.refusal()),
        }
    }

    /// Ends an order that nobody has paid yet.
    pub(crate) async fn cancel(&self, id: OrderId) -> Result<CancelReply, LedgerError> {
        let answer = self.call(Method::POST, &format!("orders/{id}/cancel"), String::new()).await?;
        match answer.status {
            200 => Ok(CancelReply::Cancelled),
            404 => Ok(CancelReply::Unknown),
            409 => Ok(CancelReply::Paid),
            _ => Err(answer.refusal()),
        }
    }

    /// Asks whether Telegram may take the money for an order, and keeps CLICK's page closed while it may.
    pub(crate) async fn check_out_in_telegram(
        &self,
        id: OrderId,
        asked: &CheckoutRequest,
    ) -> Result<CheckoutReply, LedgerError> {
        let body = serde_json::to_string(asked).map_err(|error| LedgerError::Refused(error.to_string()))?;
        let answer = self.call(Method::POST, &format!("orders/{id}/telegram-checkouts"), body).await?;
        match answer.status {
            200 => Ok(CheckoutReply::Allowed),
            404 => Ok(CheckoutReply::UnknownOrder),
            409 => answer.json().map(|CheckoutConflict { reason, .. }| CheckoutReply::Refused(reason)),
            _ => Err(answer.refusal()),
        }
    }

    /// Tells of money that Telegram has taken. May be repeated.
    pub(crate) async fn take_telegram_payment(
        &self,
        payment: &TelegramPayment,
    ) -> Result<PaymentOutcome, LedgerError> {
        let body = serde_json::to_string(payment).map_err(|error| LedgerError::Refused(error.to_string()))?;
        let answer = self.call(Method::POST, "telegram-payments", body).await?;
        match answer.status {
            200 => answer.json().map(|PaymentReply { outcome }| outcome),
            _ => Err(answer.refusal()),
        }
    }

    /// Asks for a bill to a phone number, of which an order has one at a time.
    pub(crate) async fn ask_for_bill(
        &self,
        id: OrderId,
        asked: &InvoiceRequest,
    ) -> Result<BillReply, LedgerError> {
        let body = serde_json::to_string(asked).map_err(|error| LedgerError::Refused(error.to_string()))?;
        let answer = self.call(Method::POST, &format!("orders/{id}/phone-invoices"), body).await?;
        match answer.status {
            201 => answer.json().map(|bill| BillReply::Asked(Box::new(bill))),
            200 => answer.json().map(|bill| BillReply::Open(Box::new(bill))),
            404 => Ok(BillReply::UnknownOrder),
            409 => answer.json().map(|InvoiceConflict { reason, .. }| BillReply::Refused(reason)),
            _ => Err(answer.refusal()),
        }
    }

    /// The bills of an order, oldest first.
    pub(crate) async fn bills(&self, id: OrderId) -> Result<Vec<PhoneInvoice>, LedgerError> {
        let answer = self.call(Method::GET, &format!("orders/{id}/phone-invoices"), String::new()).await?;
        match answer.status {
            200 => answer.json().map(|PhoneInvoices { phone_invoices }| phone_invoices),
            _ => Err(answer.refusal()),
        }
    }

    /// Whether the ledger knows an order.
    pub(crate) async fn knows(&self, id: OrderId) -> Result<bool, LedgerError> {
        let answer = self.call(Method::GET, &format!("orders/{id}"), String::new()).await?;
        match answer.status {
            200 => Ok(true),
            404 => Ok(false),
            _ => Err(answer.refusal()),
        }
    }

    /// The highest number of an order in the ledger; `None`: there is no order.
    pub(crate) async fn highest_order_id(&self) -> Result<Option<OrderId>, LedgerError> {
        let answer = self.call(Method::GET, "orders?limit=1", String::new()).await?;
        match answer.status {
            200 => Ok(answer.highest_order_id()),
            _ => Err(answer.refusal()),
        }
    }

    /// Calls until there is an answer, within a shopper's patience.
    pub(super) async fn call(&self, method: Method, path: &str, body: String) -> Result<Answer, LedgerError> {
        let url = self.webhook_url.join(path).map_err(|error| LedgerError::Refused(error.to_string()))?;
        let give_up = tokio::time::Instant::now() + PATIENCE;
        let mut pauses = Pauses::new(Duration::from_millis(100), Duration::from_secs(2));
        loop {
            let reason = match self.call_once(method.clone(), url.clone(), body.clone()).await {
                Ok(answer) if answer.status < 500 => return Ok(answer),
                Ok(answer) => format!("it answers {}", answer.status),
                Err(error) => error.without_url().to_string(),
            };
            let next = pauses.next_pause();
            if tokio::time::Instant::now() + next > give_up {
                return Err(LedgerError::Unavailable(reason));
            }
            tokio::time::sleep(next).await;
        }
    }

    async fn call_once(&self, method: Method, url: Url, body: String) -> Result<Answer, reqwest::Error> {
        let mut span = spans::call(method.as_str(), url.path(), &url);
        let mut request = self.http.request(method, url).bearer_auth(self.api_token.expose());
        if let Some(traceparent) = span.traceparent() {
            request = request.header("traceparent", traceparent);
        }
        let answered = request.header("content-type", "application/json").body(body).send().await;
        let answer = answered.inspect_err(|_| span.fail("no_answer"))?;
        let status = answer.status().as_u16();
        span.answered(status, 400);
        Ok(Answer { status, body: answer.text().await? })
    }
}

fn create_order(order: &ShopOrder, receipt: Option<&Content>) -> Result<String, LedgerError> {
    let written = RawValue::from_string(order.total.soum_json()).and_then(|total_amount| {
        serde_json::to_string(&CreateOrder {
            order_id: order.id,
            user_id: order.user_id,
            products: &order.products(),
            total_amount,
            payment_method: "click",
            receipt,
        })
    });
    written.map_err(|error| LedgerError::Refused(error.to_string()))
}

pub(super) struct Answer {
    pub(super) status: u16,
    body: String,
}

impl Answer {
    pub(super) fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, LedgerError> {
        serde_json::from_str(&self.body)
            .map_err(|error| LedgerError::Refused(format!("its answer cannot be read: {error}")))
    }

    fn highest_order_id(&self) -> Option<OrderId> {
        let HighestOrder { highest_order_id } = self.json().ok()?;
        OrderId::try_new(highest_order_id?).ok()
    }

    pub(super) fn refusal(&self) -> LedgerError {
        LedgerError::Refused(match self.status {
            401 => "API_TOKEN differs between the bot and the webhook service".to_owned(),
            status => format!("{status}: {}", self.body.chars().take(200).collect::<String>()),
        })
    }
}

/// The pay link with the address that CLICK leads back to, unless RETURN_URL is in it already. That somebody came back proves
/// nothing.
fn with_return(payment_url: &str, back: &str) -> String {
    let Ok(mut url) = Url::parse(payment_url) else { return payment_url.to_owned() };
    if url.query_pairs().all(|(name, _)| name != "return_url") {
        url.query_pairs_mut().append_pair("return_url", back);
    }
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pay_link_leads_back_to_the_order_and_is_encoded() {
        let link = "https://my.click.uz/services/pay?service_id=1&merchant_id=2&amount=30000.00&transaction_param=1001";
        let back = "https://t.me/shop_bot?start=order_1001";
        let with = with_return(link, back);
        assert_eq!(with, format!("{link}&return_url=https%3A%2F%2Ft.me%2Fshop_bot%3Fstart%3Dorder_1001"));
        assert_eq!(with_return(&with, "https://example.uz"), with, "RETURN_URL counts");
    }
}
