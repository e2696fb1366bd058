//! The way to have events published once more: through the running webhook service's API, or with the ledger itself while
//! the service is stopped.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tolov_domain::{
    OrderId,
    time::{Timestamp, unix_ms},
};
use tolov_kit::{env::Env, secret::Secret};
use tolov_webhook::ledger::{Ledger, LedgerPlace, OpenError, Outcome, UnverifiedLimits, WriterTask};
use url::Url;

/// One call, from connecting to the last byte of the answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// A thousand records of each kind are less.
const ANSWER_MAX: usize = 16 << 20;

/// WEBHOOK_URL and API_TOKEN, where they are set.
#[derive(Debug, Clone)]
pub(crate) struct ServiceAddress {
    url: Option<Url>,
    token: Option<Secret>,
}

impl ServiceAddress {
    pub(crate) const fn new(url: Url, token: Secret) -> Self {
        Self { url: Some(url), token: Some(token) }
    }

    pub(crate) fn from_env(env: &Env) -> Self {
        Self { url: env.parsed::<Url>("WEBHOOK_URL"), token: env.text("API_TOKEN").map(Secret::new) }
    }

    /// What the running service answers to a question, within bounds of time and size.
    pub(crate) async fn get(&self, path: &str) -> Result<Vec<u8>> {
        let (url, token) = self.clone().known().context("set WEBHOOK_URL and API_TOKEN")?;
        let http = reqwest::Client::builder().no_proxy().timeout(CALL_TIMEOUT).build()?;
        let call = http.get(url.join(path)?).bearer_auth(token.expose());
        let answer = call.send().await.map_err(reqwest::Error::without_url);
        let mut answer = answer.context("the webhook service does not answer at WEBHOOK_URL")?;
        ensure!(answer.status().is_success(), "the webhook service answers {}", answer.status());
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
            body.extend_from_slice(&part);
            ensure!(body.len() <= ANSWER_MAX, "the answer of the webhook service is too long");
        }
        Ok(body)
    }

    /// Both, where both are set.
    pub(crate) fn known(self) -> Option<(Url, Secret)> {
        self.url.zip(self.token)
    }
}

pub(crate) enum Replayer {
    /// The ledger is this process's until it is closed; the service publishes when it starts.
    Stopped {
        ledger: Ledger,
        writer: WriterTask,
    },
    Running {
        http: reqwest::Client,
        url: Url,
        token: Secret,
    },
}

impl Replayer {
    /// Does not disturb a service that runs: only the API writes to its file then. In PostgreSQL a ledger has room for both, so
    /// the API is asked where its address is known.
    pub(crate) async fn open(ledger: &LedgerPlace, service: &ServiceAddress) -> Result<Self> {
        match ledger {
            LedgerPlace::File(path) => {
                ensure!(path.exists(), "there is no ledger at {ledger}; check LEDGER_PATH");
            }
            LedgerPlace::Postgres(_) if service.clone().known().is_some() => return Self::running(service),
            LedgerPlace::Postgres(_) => {}
        }
        match Ledger::open(ledger, UnverifiedLimits::default()).await {
            Ok((ledger, writer)) => Ok(Self::Stopped { ledger, writer }),
            Err(OpenError::Locked(_)) => Self::running(service),
            Err(error) => Err(error.into()),
        }
    }

    fn running(service: &ServiceAddress) -> Result<Self> {
        let known = service.clone().known();
        let (url, token) =
            known.context("the webhook service runs: set WEBHOOK_URL and API_TOKEN, or stop it")?;
        let http = reqwest::Client::builder().no_proxy().timeout(CALL_TIMEOUT).build()?;
        Ok(Self::Running { http, url, token })
    }

    /// Returns the orders that the ledger does not know.
    pub(crate) async fn replay(&self, order_ids: &[OrderId]) -> Result<Vec<OrderId>> {
        let mut unknown = Vec::new();
        match self {
            Self::Stopped { ledger, .. } => {
                let outcomes = ledger.replay(order_ids).await?;
                let refused = order_ids.iter().zip(outcomes);
                unknown
                    .extend(refused.filter(|(_, it)| matches!(it, Outcome::Refused(_))).map(|(id, _)| *id));
            }
            Self::Running { http, url, token } => {
                for order_id in order_ids {
                    let url = url.join(&format!("/orders/{order_id}/replay"))?;
                    let call = http.post(url).bearer_auth(token.expose());
                    let answer = call.send().await.map_err(reqwest::Error::without_url);
                    let status =
                        answer.context("the webhook service does not answer at WEBHOOK_URL")?.status();
                    if status == StatusCode::NOT_FOUND {
                        unknown.push(*order_id);
                    } else {
                        ensure!(
                            status.is_success(),
                            "the webhook service answers {status} for order {order_id}"
                        );
                    }
                }
            }
        }
        Ok(unknown)
    }

    /// What is about no order, with the payments that belong to none. Returns how many.
    pub(crate) async fn replay_unplaced(
        &self,
        (since, until): (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Result<u64> {
        match self {
            Self::Stopped { ledger, .. } => Ok(ledger.replay_unplaced((since, until), now).await?),
            Self::Running { http, url, token } => {
                let url = url.join("/payments/unplaced/replay")?;
                let time = json!({ "since_ms": unix_ms(since), "until_ms": unix_ms(until) });
                let call = http.post(url).bearer_auth(token.expose()).json(&time);
                let answer = call.send().await.map_err(reqwest::Error::without_url);
                let answer = answer.context("the webhook service does not answer at WEBHOOK_URL")?;
                let status = answer.status();
                ensure!(status.is_success(), "the webhook service answers {status}");
                let body: Value = answer.json().await.map_err(reqwest::Error::without_url)?;
                body["replayed"].as_u64().context("the webhook service does not say how many")
            }
        }
    }

    pub(crate) async fn close(self) {
        if let Self::Stopped { writer, .. } = self {
            writer.close().await;
        }
    }
}
