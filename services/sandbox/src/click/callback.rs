//! One call of CLICK to the merchant: the form, its signature, and what came back.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tolov_click::{SecretKey, sign::SignedFields};
use tolov_domain::time::{TASHKENT, from_unix_ms};
use url::{Url, form_urlencoded};

use super::{Click, ClickError, Payment};
use crate::hops::NewHop;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Prepare,
    Complete,
}

/// What was sent, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    pub step: Step,
    pub sent_at_ms: i64,
    /// In the order in which they were sent; the signature is left out.
    pub fields: Vec<(String, String)>,
    pub answer: MerchantAnswer,
    pub took_ms: u64,
    /// The simulator looked away from this answer, by order of the variation.
    pub ignored: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum MerchantAnswer {
    /// HTTP 200 with JSON that has an integer `error`.
    Understood { error: i64, error_note: String, merchant_prepare_id: Option<i64>, body: String },
    /// Something else came back.
    NotUnderstood { http_status: u16, body: String },
    /// Nothing came back.
    Unanswered { problem: String },
}

impl MerchantAnswer {
    /// The merchant's code, if there was one.
    pub fn error(&self) -> Option<i64> {
        match self {
            Self::Understood { error, .. } => Some(*error),
            Self::NotUnderstood { .. } | Self::Unanswered { .. } => None,
        }
    }

    pub(super) fn note(&self) -> String {
        match self {
            Self::Understood { error_note, .. } => error_note.clone(),
            Self::NotUnderstood { http_status, .. } => {
                format!("the merchant's answer was not understood (HTTP {http_status})")
            }
            Self::Unanswered { problem } => format!("the merchant did not answer: {problem}"),
        }
    }
}

/// A form on its way to be sent: the documented fields as text, to be bent as a variation wants.
#[derive(Debug, Clone)]
pub(super) struct Callback {
    pub(super) step: Step,
    pub(super) click_trans_id: i64,
    pub(super) service_id: i64,
    pub(super) click_paydoc_id: i64,
    pub(super) merchant_trans_id: String,
    pub(super) merchant_prepare_id: Option<i64>,
    pub(super) amount: String,
    pub(super) action: i64,
    pub(super) error: i64,
    pub(super) error_note: String,
    /// Signed with another key.
    pub(super) forged: bool,
    pub(super) missing: Option<String>,
    pub(super) twice: Option<String>,
}

/// The fields that a variation can leave out or give twice.
pub(super) const FIELDS: [&str; 11] = tolov_click::form::FIELDS;
/// An answer longer than this is cut; the merchant's answers are one line.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
const MAX_KEPT_CHARS: usize = 2_000;

impl Callback {
    pub(super) fn prepare(payment: &Payment, service_id: i64) -> Self {
        Self {
            step: Step::Prepare,
            click_trans_id: payment.click_trans_id,
            service_id,
            click_paydoc_id: payment.click_paydoc_id,
            merchant_trans_id: payment.order_id.clone(),
            merchant_prepare_id: None,
            amount: payment.amount.clone(),
            action: 0,
            error: 0,
            error_note: "Success".to_owned(),
            forged: false,
            missing: None,
            twice: None,
        }
    }

    pub(super) fn complete(payment: &Payment, service_id: i64, merchant_prepare_id: i64) -> Self {
        Self {
            step: Step::Complete,
            merchant_prepare_id: Some(merchant_prepare_id),
            action: 1,
            ..Self::prepare(payment, service_id)
        }
    }

    /// CLICK or the payer gave up.
    pub(super) fn failed(self, error: i64) -> Self {
        let error_note = match error {
            -5017 => "Lack of money",
            _ => "Payment cancelled",
        };
        Self { error, error_note: error_note.to_owned(), ..self }
    }

    /// The fields as sent, the signature last.
    fn fields(&self, secret_key: &SecretKey, sign_time: &str) -> Vec<(String, String)> {
        let mut fields = vec![
            ("click_trans_id", self.click_trans_id.to_string()),
            ("service_id", self.service_id.to_string()),
            ("click_paydoc_id", self.click_paydoc_id.to_string()),
            ("merchant_trans_id", self.merchant_trans_id.clone()),
        ];
        let prepare_id = self.merchant_prepare_id.map(|id| id.to_string());
        fields.extend(prepare_id.clone().map(|id| ("merchant_prepare_id", id)));
        fields.extend([
            ("amount", self.amount.clone()),
            ("action", self.action.to_string()),
            ("error", self.error.to_string()),
            ("error_note", self.error_note.clone()),
            ("sign_time", sign_time.to_owned()),
        ]);
        let forger = SecretKey::new("not the merchant's key");
        let signature = (if self.forged { &forger } else { secret_key }).sign(&SignedFields {
            click_trans_id: &self.click_trans_id.to_string(),
            service_id: &self.service_id.to_string(),
            merchant_trans_id: &self.merchant_trans_id,
            merchant_prepare_id: prepare_id.as_deref(),
            amount: &self.amount,
            action: &self.action.to_string(),
            sign_time,
        });
        fields.push(("sign_string", signature));
        fields.retain(|(name, _)| self.missing.as_deref() != Some(*name));
        let again = fields.iter().find(|(name, _)| self.twice.as_deref() == Some(*name)).cloned();
        fields.extend(again);
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// `YYYY-MM-DD HH:mm:ss` in Tashkent.
fn sign_time(now_ms: i64) -> String {
    let now = from_unix_ms(now_ms).to_offset(TASHKENT);
    let (hour, minute, second) = now.to_hms();
    format!("{} {hour:02}:{minute:02}:{second:02}", now.date())
}

impl Click {
    /// Sends one callback and reads the answer.
    pub(super) async fn exchange_as_it_is(&self, callback: &Callback) -> Result<Exchange, ClickError> {
        let url = self.merchant_url(callback.step)?;
        let sent_at_ms = self.now_ms();
        let mut fields = callback.fields(&self.inner.secret_key, &sign_time(sent_at_ms));
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
        let permit = self.inner.calls.acquire().await.map_err(|_| ClickError::Busy)?;
        let started = Instant::now();
        let answer = self.post(url, body).await;
        let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        drop(permit);
        fields.retain(|(name, _)| name != "sign_string");
        let exchange = Exchange { step: callback.step, sent_at_ms, fields, answer, took_ms, ignored: false };
        self.note_hop(callback, &exchange);
        Ok(exchange)
    }

    /// A callback that never reaches the merchant.
    pub(super) async fn lose(&self, callback: &Callback) -> Result<Exchange, ClickError> {
        let sent_at_ms = self.now_ms();
        let mut fields = callback.fields(&self.inner.secret_key, &sign_time(sent_at_ms));
        fields.retain(|(name, _)| name != "sign_string");
        let problem = "the callback was lost on the way".to_owned();
        let answer = MerchantAnswer::Unanswered { problem };
        // As long as a caller would wait for an answer that does not come, in a hurry.
        self.pause(Duration::from_millis(500)).await;
        let exchange =
            Exchange { step: callback.step, sent_at_ms, fields, answer, took_ms: 500, ignored: false };
        self.note_hop(callback, &exchange);
        Ok(exchange)
    }

    fn note_hop(&self, callback: &Callback, exchange: &Exchange) {
        let (stage, step) = match exchange.step {
            Step::Prepare => ("prepare", "Prepare"),
            Step::Complete => ("complete", "Complete"),
        };
        let (error, title) = match &exchange.answer {
            MerchantAnswer::Understood { error, error_note, .. } => {
                (Some(*error), format!("{step} → {error} {error_note}"))
            }
            MerchantAnswer::NotUnderstood { http_status, .. } => {
                (None, format!("{step} → HTTP {http_status}"))
            }
            MerchantAnswer::Unanswered { problem } => (None, format!("{step} → {problem}")),
        };
        self.inner.hops.note(
            NewHop::new(stage, title)
                .of_order(&callback.merchant_trans_id)
                .at_ms(exchange.sent_at_ms)
                .took_ms(exchange.took_ms)
                .ok(error == Some(0))
                .facts(json!({ "error": error, "payer_error": callback.error }))
                .payload(json!(exchange)),
        );
    }

    async fn post(&self, url: Url, body: String) -> MerchantAnswer {
        let request = self
            .inner
            .client
            .post(url)
            .timeout(self.inner.config.answer_timeout)
            .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body);
        let answer = tokio::select! {
            answer = request.send() => answer,
            () = self.inner.stopping.cancelled() => {
                return MerchantAnswer::Unanswered { problem: "the sandbox stops".to_owned() };
            }
        };
        match answer {
            Ok(answer) => read_answer(answer).await,
            Err(error) => MerchantAnswer::Unanswered { problem: describe(&error) },
        }
    }

    /// Waits between two calls; `false` when the sandbox stops.
    pub(super) async fn pause(&self, pause: Duration) -> bool {
        tolov_kit::lifecycle::pause(&self.inner.stopping, pause).await
    }
}

async fn read_answer(mut answer: reqwest::Response) -> MerchantAnswer {
    let http_status = answer.status().as_u16();
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => return MerchantAnswer::Unanswered { problem: describe(&error) },
        }
        if body.len() > MAX_ANSWER_BYTES {
            break;
        }
    }
    understand(http_status, &body)
}

fn understand(http_status: u16, body: &[u8]) -> MerchantAnswer {
    let kept: String = String::from_utf8_lossy(body).chars().take(MAX_KEPT_CHARS).collect();
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let error = json.as_ref().and_then(|json| json.get("error")?.as_i64());
    let (200, Some(json), Some(error)) = (http_status, json, error) else {
        return MerchantAnswer::NotUnderstood { http_status, body: kept };
    };
    MerchantAnswer::Understood {
        error,
        error_note: json.get("error_note").and_then(Value::as_str).unwrap_or_default().to_owned(),
        merchant_prepare_id: json.get("merchant_prepare_id").and_then(Value::as_i64),
        body: kept,
    }
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
    reason.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_only_with_an_integer_code_and_http_200() {
        assert_eq!(understand(200, br#"{"error":-4,"error_note":"x"}"#).error(), Some(-4));
        for (status, body) in [(500, "{\"error\":0}"), (200, "{\"error\":\"0\"}"), (200, "OK"), (200, "[]")] {
            assert_eq!(understand(status, body.as_bytes()).error(), None, "{status} {body}");
        }
    }

    #[test]
    fn the_time_is_tashkents() {
        assert_eq!(sign_time(1_777_467_738_000), "2026-04-29 18:02:18");
    }
}
