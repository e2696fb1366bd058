//! POST /payments/click/webhook: always 200 with an integer `error` (click-protocol.md, section 4).

use std::{sync::Arc, time::Instant as Stopwatch};

use bytes::Bytes;
use tolov_click::{Callback, CallbackForm, ClickCode, Malformed, Reply};
use tolov_kit::http::{Peer, Refusal};
use warp::{http::StatusCode, reply::Response};

use super::{App, json_bytes};
use crate::ledger::{Arrival, Content};

/// Verifies, lets the ledger decide, answers after COMMIT.
pub(super) async fn answer(app: Arc<App>, peer: String, body: Bytes) -> Response {
    let started = Stopwatch::now();
    let (form, outcome) = CallbackForm::parse(&body);
    let content = match outcome {
        Err(bad_form) => {
            tracing::debug!(%bad_form, "not a callback");
            Content::Unverified(ClickCode::ErrorInRequest)
        }
        Ok(()) if !form.is_signed_by(&app.click.secret_key) => {
            Content::Unverified(ClickCode::SignCheckFailed)
        }
        Ok(()) => verified(&app, &form),
    };
    let arrival = Arrival { received_at: app.clock.now(), peer, fields: form.to_record(), content };
    let line = Line::of(&arrival, &form);
    let reply = app.ledger.answer(arrival).await.unwrap_or_else(|error| {
        tracing::error!(%error, order.id = line.order_id, "callback not decided; CLICK will come again");
        Reply::code(ClickCode::FailedToUpdateUser)
    });
    line.log(&reply, started);
    line.count(&reply, started);
    reply_with(&reply)
}

/// Reads a callback that our key has signed.
fn verified(app: &App, form: &CallbackForm) -> Content {
    match Callback::read(form) {
        Err(Malformed::Action) => Content::Refused(ClickCode::ActionNotFound),
        Err(Malformed::Field(_)) => Content::Refused(ClickCode::ErrorInRequest),
        // CLICK has no code of its own for a service that is not ours (section 1.6).
        Ok(callback) if callback.service_id != app.click.pay_link.service_id => {
            Content::Refused(ClickCode::ErrorInRequest)
        }
        Ok(callback) => Content::Callback(callback),
    }
}

/// What the accept loop says on CLICK's path. The record is written behind the answer: nothing of it was read, so
/// nothing can come of it.
pub(super) fn refused(app: &Arc<App>, refusal: Refusal, peer: Peer) -> Response {
    let code = match refusal {
        Refusal::BodyTooLarge | Refusal::BodyBroken => ClickCode::ErrorInRequest,
        // Nobody knows whether it was decided; CLICK's repetition hears the stored answer.
        Refusal::TooSlow | Refusal::Panicked => ClickCode::FailedToUpdateUser,
    };
    let arrival = Arrival {
        received_at: app.clock.now(),
        peer: peer.to_string(),
        fields: serde_json::json!({ "refused": format!("{refusal:?}") }).to_string(),
        content: Content::Unverified(code),
    };
    let app = Arc::clone(app);
    tokio::spawn(async move {
        if let Err(error) = app.ledger.answer(arrival).await {
            tracing::error!(%error, "a refused callback was not kept");
        }
    });
    reply_with(&Reply::code(code))
}

fn reply_with(reply: &Reply) -> Response {
    json_bytes(StatusCode::OK, reply.to_json())
}

/// The line that the log gets for a callback: what came and what was answered, nothing secret.
struct Line {
    peer: String,
    order_id: String,
    click_trans_id: String,
    action: String,
    click_error: String,
    verified: bool,
}

/// A card has 13 digits at least, our order numbers and CLICK's transactions fewer.
fn is_short_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    (1..=12).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

impl Line {
    fn of(arrival: &Arrival, form: &CallbackForm) -> Self {
        let verified = !matches!(arrival.content, Content::Unverified(_));
        // What a stranger wrote is shown only where it is a number that cannot be a card's.
        let short = |value: Option<&str>| match value {
            None => "-".to_owned(),
            Some(text) if verified => text.chars().take(40).collect(),
            Some(text) if is_short_number(text) => text.to_owned(),
            Some(_) => "?".to_owned(),
        };
        Self {
            peer: arrival.peer.clone(),
            order_id: short(form.merchant_trans_id()),
            click_trans_id: short(form.click_trans_id()),
            action: match form.action() {
                Some("0") => "prepare".to_owned(),
                Some("1") => "complete".to_owned(),
                other => short(other),
            },
            click_error: short(form.error()),
            verified,
        }
    }

    fn count(&self, reply: &Reply, started: Stopwatch) {
        // A stranger's word must not become a label: every new one would be kept for ever.
        let action = match self.action.as_str() {
            "prepare" => "prepare",
            "complete" => "complete",
            _ => "other",
        };
        let code = reply.error.to_string();
        metrics::counter!("tolov_click_callbacks_total", "action" => action, "code" => code).increment(1);
        metrics::histogram!("tolov_callback_seconds", "action" => action).record(started.elapsed());
    }

    fn log(&self, reply: &Reply, started: Stopwatch) {
        tracing::info!(
            order.id = self.order_id,
            click_trans_id = self.click_trans_id,
            action = self.action,
            click_error = self.click_error,
            verified = self.verified,
            peer = self.peer,
            answer = reply.error,
            took_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
            "callback answered"
        );
    }
}
