//! The client of CLICK's Merchant API: a fixed address, no redirects, a limit for the time and the size of an answer, and one
//! call a second.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use reqwest::Method;
use tokio::{sync::Mutex, time::Instant};
use tolov_click::{
    Auth, Call, SecretKey,
    merchant_api::{AUTH_HEADER, Reading},
};
use tolov_kit::{clock::Clock, lifecycle::chain};
use url::Url;

use crate::{config::Config, ports::MerchantApi};

/// One call, from connecting to the last byte of the answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
const ANSWER_MAX_BYTES: usize = 16 * 1024;
/// CLICK publishes no limit; others keep half a second to a second.
const CALL_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct ClickClient {
    http: reqwest::Client,
    url: Url,
    merchant_user_id: i64,
    secret_key: SecretKey,
    clock: Arc<dyn Clock>,
    call_every: Duration,
    next_call: Mutex<Option<Instant>>,
}

impl ClickClient {
    /// Fails where the TLS of this machine cannot be used.
    pub fn new(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .timeout(CALL_TIMEOUT)
            // An address that redirects would be shown the Auth header.
            .redirect(reqwest::redirect::Policy::none())
            // A reversal must not be sent a second time by the client itself.
            .retry(reqwest::retry::never())
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self {
            http,
            url: config.merchant_api_url.clone(),
            merchant_user_id: config.merchant_user_id,
            secret_key: config.secret_key.clone(),
            clock,
            call_every: CALL_EVERY,
            next_call: Mutex::new(None),
        })
    }

    /// For tests: without the pause between calls.
    #[must_use]
    pub fn unpaced(self) -> Self {
        Self { call_every: Duration::ZERO, ..self }
    }

    async fn wait_for_turn(&self) {
        let mut next_call = self.next_call.lock().await;
        if let Some(at) = *next_call {
            tokio::time::sleep_until(at).await;
        }
        *next_call = Some(Instant::now() + self.call_every);
    }

    async fn send(&self, call: &Call) -> Result<(u16, Vec<u8>), String> {
        let failed = |error: reqwest::Error| chain(&error.without_url());
        let url = self.url.join(&call.path()).map_err(|error| error.to_string())?;
        let method = Method::from_bytes(call.method().as_bytes()).map_err(|error| error.to_string())?;
        let now = self.clock.now().unix_timestamp();
        let auth = Auth::new(self.merchant_user_id, &self.secret_key, now).header();
        let mut auth = reqwest::header::HeaderValue::try_from(auth).map_err(|error| error.to_string())?;
        auth.set_sensitive(true);
        let mut request = self.http.request(method, url).header(AUTH_HEADER, auth);
        request = request.header("accept", "application/json").header("content-type", "application/json");
        if let Some(body) = call.body() {
            request = request.body(body);
        }
        let mut answer = request.send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > ANSWER_MAX_BYTES {
                return Err(format!("HTTP {status} with more than {ANSWER_MAX_BYTES} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, body))
    }
}

#[async_trait]
impl MerchantApi for ClickClient {
    async fn call(&self, call: &Call) -> Reading {
        self.wait_for_turn().await;
        match self.send(call).await {
            Ok((status, body)) => Reading::of(call, status, &body),
            Err(why) => Reading::unknown(why),
        }
    }
}
