//! The webhook service, as the bot needs it: orders are registered there before they can be paid (docs/events.md has the
//! way back).

use std::time::Duration;

use serde::Deserialize;
use serde_json::{json, value::RawValue};
use tolov_domain::{OrderId, time::Timestamp};
use tolov_kit::{retry::Pauses, secret::Secret};
use tolov_shop::fulfilment::Fulfilment;
use url::Url;

use crate::config::ConfigError;

/// One call, from connecting to the last byte of the answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a shopper waits while the service is away.
const PATIENCE: Duration = Duration::from_secs(12);

#[derive(Debug, Clone)]
pub(crate) struct LedgerClient {
    http: reqwest::Client,
    webhook_url: Url,
    api_token: Secret,
}

/// An order that can be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registered {
    pub(crate) payment_url: String,
    /// `None`: for ever.
    pub(crate) pay_until: Option<Timestamp>,
}

/// What became of the wish that an order be not payable any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cancelled {
    /// CLICK's Prepare is refused from now on.
    Yes,
    /// The money was faster.
    Paid,
    /// The ledger does not know it.
    Unknown,
}

/// Why the webhook service did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LedgerError {
    /// Away, or ill: the same again later.
    #[error("the webhook service is away: {0}")]
    Unavailable(String),
    /// It will not: somebody must look.
    #[error("the webhook service refuses: {0}")]
    Refused(String),
}

#[derive(Deserialize)]
struct Created {
    status: String,
    payment_url: String,
    #[serde(default, with = "time::serde::rfc3339::option")]
    pay_until: Option<Timestamp>,
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

    /// Registers an order. The very same again is answered as the first time, so a lost answer does no harm.
    pub(crate) async fn register(&self, order: &Fulfilment) -> Result<Registered, LedgerError> {
        let products = order.articles();
        // The amount is written by its integer tiyin, never by a float.
        let total = RawValue::from_string(order.total.soum_json())
            .map_err(|error| LedgerError::Refused(error.to_string()))?;
        let body = json!({
            "order_id": order.id,
            "user_id": order.user_id,
            "products": products,
            "payment_method": "click",
        });
        let mut text = body.to_string();
        text.pop();
        let text = format!("{text},\"total_amount\":{total}}}");
        let answer = self.call("api/create_order", text).await?;
        match answer.status {
            200 | 201 => match serde_json::from_str(&answer.body) {
                Ok(Created { status, payment_url, pay_until }) if status == "pending" => {
                    Ok(Registered { payment_url, pay_until })
                }
                Ok(Created { status, .. }) => {
                    Err(LedgerError::Refused(format!("it has this number, and the order is {status}")))
                }
                Err(error) => Err(LedgerError::Refused(format!("its answer cannot be read: {error}"))),
            },
            _ => Err(answer.refusal()),
        }
    }

    /// Ends an order that nobody has paid yet.
    pub(crate) async fn cancel(&self, id: OrderId) -> Result<Cancelled, LedgerError> {
        let answer = self.call(&format!("orders/{id}/cancel"), String::new()).await?;
        match answer.status {
            200 => Ok(Cancelled::Yes),
            404 => Ok(Cancelled::Unknown),
            409 => Ok(Cancelled::Paid),
            _ => Err(answer.refusal()),
        }
    }

    /// Calls until there is an answer, within the patience of a shopper.
    async fn call(&self, path: &str, body: String) -> Result<Answer, LedgerError> {
        let url = self.webhook_url.join(path).map_err(|error| LedgerError::Refused(error.to_string()))?;
        let give_up = tokio::time::Instant::now() + PATIENCE;
        let mut pauses = Pauses::new(Duration::from_millis(100), Duration::from_secs(2));
        loop {
            let reason = match self.call_once(url.clone(), body.clone()).await {
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

    async fn call_once(&self, url: Url, body: String) -> Result<Answer, reqwest::Error> {
        let request = self.http.post(url).bearer_auth(self.api_token.expose());
        let answer = request.header("content-type", "application/json").body(body).send().await?;
        let status = answer.status().as_u16();
        Ok(Answer { status, body: answer.text().await? })
    }
}

struct Answer {
    status: u16,
    body: String,
}

impl Answer {
    fn refusal(&self) -> LedgerError {
        let advice = match self.status {
            401 => "API_TOKEN differs between the bot and the webhook service".to_owned(),
            status => format!("{status}: {}", self.body.chars().take(200).collect::<String>()),
        };
        LedgerError::Refused(advice)
    }
}
