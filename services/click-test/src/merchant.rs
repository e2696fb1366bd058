//! The merchant under test, over HTTP.

use std::time::{Duration, Instant};

use tolov_click::SecretKey;
use tolov_kit::secret::Secret;
use url::Url;

use crate::{
    answer::{Answer, Got},
    callback::{Callback, Step},
    options::{CreateCall, Options},
};

/// Where the merchant is, and CLICK's secret with it.
#[derive(Debug)]
pub(crate) struct Merchant {
    client: reqwest::Client,
    prepare_url: Url,
    complete_url: Url,
    secret: Secret,
    pub(crate) secret_key: SecretKey,
}

/// An answer longer than this is cut.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// More than this of an answer is not kept.
const MAX_KEPT_CHARS: usize = 2_000;

impl Merchant {
    pub(crate) fn new(options: &Options) -> Result<Self, reqwest::Error> {
        // What a proxy or a redirect would make of the call says nothing about the merchant.
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

    /// Sends a callback. That nothing came is an answer too.
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
        (answer.unwrap_or_else(Answer::Nothing), started.elapsed())
    }

    /// Makes the create call; its status and its body.
    pub(crate) async fn create(
        &self,
        call: &CreateCall,
        headers: &[(http::HeaderName, http::HeaderValue)],
        body: String,
    ) -> Result<(u16, String), String> {
        let has_type = headers.iter().any(|(name, _)| name == http::header::CONTENT_TYPE);
        let mut request = self.client.post(call.url.clone());
        if !has_type {
            request = request.header(http::header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        match self.receive(request.body(body)).await? {
            Answer::Got(got) => Ok((got.http_status, got.text)),
            Answer::Nothing(problem) => Err(problem),
        }
    }

    async fn receive(&self, request: reqwest::RequestBuilder) -> Result<Answer, String> {
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
        Ok(Answer::Got(Got { http_status, content_type, text, json }))
    }

    /// Text of a stranger, for a terminal and a report: no secret, no control characters, no endless length.
    fn presentable(&self, text: &str) -> String {
        let secret = self.secret.expose();
        let text = if secret.is_empty() { text.to_owned() } else { text.replace(secret, "…") };
        let without_signatures = hide_signatures(&text);
        let calm = without_signatures.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
        calm.take(MAX_KEPT_CHARS).collect()
    }
}

/// Takes out everything that may be an MD5: some merchants answer with the signature they expected.
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

/// The innermost reason, which is the one that says something; the address stays out.
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
