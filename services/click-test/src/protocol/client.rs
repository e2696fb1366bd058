//! The merchant under test, over HTTP.

use std::time::{Duration, Instant};

use tolov_click::SecretKey;
use tolov_kit::secret::Secret;
use url::Url;

use super::{
    answer::{Answer, HttpAnswer},
    callback::{Callback, Step},
};
use crate::options::{CreateCall, Options};

#[derive(Debug)]
pub(crate) struct MerchantClient {
    client: reqwest::Client,
    prepare_url: Url,
    complete_url: Url,
    secret: Secret,
    pub(crate) secret_key: SecretKey,
}

/// A longer answer is cut.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// What a report keeps of an answer.
const MAX_KEPT_CHARS: usize = 2_000;

impl MerchantClient {
    pub(crate) fn new(options: &Options) -> Result<Self, reqwest::Error> {
        // A proxy's or a redirect's answer would not be the merchant's.
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(options.answer_timeout)
            .timeout(options.answer_timeout)
            .build()?;
        Ok(Self {
            client,
            prepare_url: options.prepare_url.clone(),
            complete_url: options.complete_url.clone(),
            secret: options.secret_key.clone(),
            secret_key: SecretKey::new(options.secret_key.expose()),
        })
    }

    /// Sends a callback and measures the time to its answer.
    pub(crate) async fn send(&self, callback: &Callback) -> (Answer, Duration) {
        let url = match callback.step {
            Step::Prepare => &self.prepare_url,
            Step::Complete => &self.complete_url,
        };
        let request = self
            .client
            .post(url.clone())
            .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(callback.body(&self.secret_key));
        let started = Instant::now();
        let answer = self.receive(request).await;
        (answer.map_or_else(Answer::Missing, Answer::Http), started.elapsed())
    }

    /// Makes the create call.
    pub(crate) async fn create(&self, call: &CreateCall, body: String) -> Result<HttpAnswer, String> {
        let has_type = call.headers.iter().any(|(name, _)| name == http::header::CONTENT_TYPE);
        let mut request = self.client.post(call.url.clone());
        if !has_type {
            request = request.header(http::header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        self.receive(request.body(body)).await
    }

    async fn receive(&self, request: reqwest::RequestBuilder) -> Result<HttpAnswer, String> {
        let mut response = request.send().await.map_err(|error| describe(&error))?;
        let http_status = response.status().as_u16();
        let content_type = response.headers().get(http::header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| describe(&error))? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_ANSWER_BYTES {
                body.truncate(MAX_ANSWER_BYTES);
                break;
            }
        }
        let json = serde_json::from_slice(&body).ok();
        let text = self.presentable(&String::from_utf8_lossy(&body));
        Ok(HttpAnswer { http_status, content_type, text, json })
    }

    /// The text without secrets and control characters, cut to a length for a report.
    fn presentable(&self, text: &str) -> String {
        let secret = self.secret.expose();
        let text = if secret.is_empty() { text.to_owned() } else { text.replace(secret, "…") };
        let without_signatures = hide_signatures(&text);
        let printable =
            without_signatures.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
        printable.take(MAX_KEPT_CHARS).collect()
    }
}

/// Replaces everything that may be an MD5: some merchants answer with the signature they expected.
fn hide_signatures(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|letter: char| letter.is_ascii_hexdigit()) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|letter: char| !letter.is_ascii_hexdigit()).unwrap_or(from.len());
        let (run, after) = from.split_at(end);
        shown.push_str(before);
        shown.push_str(if run.len() == 32 { "…" } else { run });
        rest = after;
    }
    shown + rest
}

/// The innermost cause: the outer errors only repeat the address.
fn describe(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut reason: &dyn std::error::Error = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    format!("no answer: {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_in_an_answer_is_hidden() {
        let shown = hide_signatures("{\"expected\":\"fa6ab4c1cb7c0926faa7b206f5bcc494\",\"id\":1001}");
        assert_eq!(shown, "{\"expected\":\"…\",\"id\":1001}");
    }
}
