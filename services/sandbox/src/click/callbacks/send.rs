//! Sends callbacks, with the faults that were requested for them.

use std::time::{Duration, Instant};

use serde_json::json;
use url::{Url, form_urlencoded};

use super::{
    super::{error::ClickError, simulator::Click},
    exchange::{Exchange, MerchantAnswer, Step},
    faults::{Fault, FaultEffect, MAX_DELAY, MAX_FAULTS, MAX_TIMES, one_soum_more},
    form::Callback,
};
use crate::monitor::TraceEvent;

/// A longer answer is cut.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// How long a lost callback takes, in place of the real timeout.
const LOST_MS: u64 = 500;

impl Click {
    /// Requests a fault. Faults are used in the order in which they were requested.
    pub fn inject(&self, fault: Fault) -> Result<(), ClickError> {
        if fault.times > MAX_TIMES {
            return Err(ClickError::TooMany(fault.times, MAX_TIMES));
        }
        let is_full = self.with(|state| {
            let is_full = state.faults.len() >= MAX_FAULTS;
            if fault.times > 0 && !is_full {
                state.faults.push(fault);
            }
            is_full
        });
        self.show_faults();
        if is_full { Err(ClickError::Busy) } else { Ok(()) }
    }

    /// The faults that are not used up.
    pub fn faults(&self) -> Vec<Fault> {
        self.with(|state| state.faults.clone())
    }

    pub fn clear_faults(&self) {
        self.with(|state| state.faults.clear());
        self.show_faults();
    }

    fn show_faults(&self) {
        self.inner.dashboard.show("click_faults", json!(self.faults()));
    }

    fn take_fault(&self, step: Step) -> Option<FaultEffect> {
        let taken = self.with(|state| {
            let position = state.faults.iter().position(|fault| fault.step == step)?;
            let fault = state.faults.get_mut(position)?;
            fault.times -= 1;
            if fault.times > 0 {
                return Some(fault.effect.clone());
            }
            Some(state.faults.remove(position).effect)
        });
        if taken.is_some() {
            self.show_faults();
        }
        taken
    }

    /// Sends one callback, with the next fault for its step, and reads the answer. A missing answer is not an error.
    pub(in crate::click) async fn exchange(&self, callback: &Callback) -> Result<Exchange, ClickError> {
        let mut callback = callback.clone();
        match self.take_fault(callback.step) {
            None => {}
            Some(FaultEffect::LostCallback) => {
                let sent_at_ms = self.now_ms();
                let fields = callback.fields(&self.inner.secret_key, sent_at_ms);
                self.pause(Duration::from_millis(LOST_MS)).await;
                let problem = "the callback was lost on the way".to_owned();
                let answer = MerchantAnswer::Unanswered { problem };
                return Ok(self.record_exchange(&callback, sent_at_ms, fields, answer, LOST_MS));
            }
            Some(FaultEffect::LostAnswer) => {
                let exchange = self.send(&callback).await?;
                let problem = "the merchant's answer was lost on the way".to_owned();
                return Ok(Exchange { answer: MerchantAnswer::Unanswered { problem }, ..exchange });
            }
            Some(FaultEffect::Twice) => {
                let (first, second) = tokio::join!(self.send(&callback), self.send(&callback));
                // Either may have arrived first; the accepted one decides.
                let is_accepted = first.as_ref().is_ok_and(|first| first.answer.error() == Some(0));
                return if is_accepted { first } else { second };
            }
            Some(FaultEffect::Late { delay_ms }) => {
                self.pause(Duration::from_millis(delay_ms).min(MAX_DELAY)).await;
            }
            Some(FaultEffect::OutOfOrder) => {
                self.send(&callback.clone().into_complete(0)).await?;
            }
            Some(FaultEffect::WrongAmount) => callback.amount = one_soum_more(&callback.amount),
            Some(FaultEffect::WrongSignature) => callback.forged = true,
        }
        self.send(&callback).await
    }

    async fn send(&self, callback: &Callback) -> Result<Exchange, ClickError> {
        let url = self.merchant_url(callback.step)?;
        let sent_at_ms = self.now_ms();
        let fields = callback.fields(&self.inner.secret_key, sent_at_ms);
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
        let permit = self.inner.calls.acquire().await.map_err(|_| ClickError::Busy)?;
        let started = Instant::now();
        let answer = self.post(url, body).await;
        let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        drop(permit);
        Ok(self.record_exchange(callback, sent_at_ms, fields, answer, took_ms))
    }

    fn record_exchange(
        &self,
        callback: &Callback,
        sent_at_ms: i64,
        mut fields: Vec<(String, String)>,
        answer: MerchantAnswer,
        took_ms: u64,
    ) -> Exchange {
        fields.retain(|(name, _)| name != "sign_string");
        let (stage, step) = match callback.step {
            Step::Prepare => ("prepare", "Prepare"),
            Step::Complete => ("complete", "Complete"),
        };
        let title = match &answer {
            MerchantAnswer::Understood { error, error_note, .. } => format!("{step} → {error} {error_note}"),
            MerchantAnswer::NotUnderstood { http_status, .. } => format!("{step} → HTTP {http_status}"),
            MerchantAnswer::Unanswered { problem } => format!("{step} → {problem}"),
        };
        let error = answer.error();
        let exchange = Exchange { step: callback.step, sent_at_ms, fields, answer, took_ms, ignored: false };
        self.inner.trace.record(
            TraceEvent::new(stage, title)
                .of_order(&callback.merchant_trans_id)
                .at_ms(sent_at_ms)
                .took_ms(took_ms)
                .ok(error == Some(0))
                .facts(json!({ "error": error, "payer_error": callback.error }))
                .payload(&json!(exchange)),
        );
        exchange
    }

    async fn post(&self, url: Url, body: String) -> MerchantAnswer {
        let request = self
            .inner
            .client
            .post(url)
            .timeout(self.inner.config.answer_timeout)
            .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body);
        let received = tokio::select! {
            received = receive(request) => received,
            () = self.inner.stopping.cancelled() => {
                return MerchantAnswer::Unanswered { problem: "the sandbox is stopping".to_owned() };
            }
        };
        match received {
            Ok((http_status, body)) => MerchantAnswer::read(http_status, &body),
            Err(error) => MerchantAnswer::Unanswered { problem: describe(&error) },
        }
    }

    /// Waits between two calls; `false` when the sandbox stops.
    pub(in crate::click) async fn pause(&self, pause: Duration) -> bool {
        tolov_kit::lifecycle::pause(&self.inner.stopping, pause).await
    }
}

async fn receive(request: reqwest::RequestBuilder) -> Result<(u16, Vec<u8>), reqwest::Error> {
    let mut answer = request.send().await?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER_BYTES {
            break;
        }
    }
    Ok((answer.status().as_u16(), body))
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
    reason.to_string()
}
