//! POST /payments/click/webhook: always 200 with an integer `error` (docs/click.md, section 1.1).

use std::{sync::Arc, time::Instant as Stopwatch};

use bytes::Bytes;
use tolov_click::{Action, BadForm, Callback, CallbackForm, ClickCode, Malformed, Reply, card};
use tolov_domain::OrderId;
use tolov_kit::{
    http::{Peer, Refusal},
    spans::{self, Beginning, Kind, Span},
};
use warp::{http::StatusCode, reply::Response};

use super::{CLICK_PATH, app::App, reply::json_bytes};
use crate::ledger::{Arrival, Content, LedgerError, ORDER_ID_MAX, Unverified};

/// Verifies, lets the ledger decide, answers after COMMIT.
pub(super) async fn answer(app: Arc<App>, peer: String, body: Bytes) -> Response {
    let started = Stopwatch::now();
    let (form, outcome) = CallbackForm::parse(&body);
    let is_verified = form.is_signed_by(&app.click.secret_key);
    let line = Line::of(&form, &peer, is_verified);
    let reports_payment = is_verified && form.reports_payment();
    let received_at = app.clock.now();
    let decided = if is_verified {
        let content = understood(&app, &form, outcome);
        let arrival = Arrival { received_at, peer, form, content };
        decide(&app, arrival).await.map(|reply| (reply, true))
    } else {
        let code = match outcome {
            Err(_) => ClickCode::ErrorInRequest,
            Ok(()) => ClickCode::SignCheckFailed,
        };
        let fields = form.to_unverified_record();
        keep_unverified(&app, Unverified { received_at, peer, fields, code }).await
    };
    let (reply, is_logged) = decided.unwrap_or_else(|error| {
        tracing::error!(
            error = error.chain(),
            order.id = line.order_id,
            "callback not decided; CLICK will repeat it"
        );
        (Reply::code(ClickCode::FailedToUpdateUser), true)
    });
    if is_logged {
        line.log(&reply, started);
    }
    line.count(&reply, started);
    if reports_payment && !reply.confirms_payment() {
        let code = reply.error.to_string();
        metrics::counter!("tolov_click_unplaced_payments_total", "code" => code).increment(1);
    }
    if !is_logged {
        app.flood_brake.pause().await;
    }
    reply_with(&reply)
}

/// Lets the ledger decide. CLICK sends no traceparent, so the callback goes on with the trace of its order.
async fn decide(app: &App, arrival: Arrival) -> Result<Reply, LedgerError> {
    if !spans::is_on() {
        return app.ledger.answer(arrival).await;
    }
    let order_id = arrival.form.merchant_trans_id().and_then(|text| OrderId::parse(text).ok());
    let parent = match order_id {
        Some(order_id) => app.ledger.traceparent(order_id).await.unwrap_or_default(),
        None => None,
    };
    let began_at = arrival.received_at.into();
    let mut request = Span::begin(Kind::Server, parent, || {
        spans::request("POST", CLICK_PATH, CLICK_PATH).began_at(began_at)
    });
    let name = match arrival.form.action() {
        Some("0") => "Prepare",
        Some("1") => "Complete",
        _ => "callback",
    };
    let mut callback = Span::begin(Kind::Internal, request.traceparent(), || Beginning::of(name));
    let reply = callback.run(app.ledger.answer(arrival)).await;
    // A payer may type anything: a number of a card is no order's.
    if let Some(order_id) = order_id.filter(|order_id| order_id.get() <= ORDER_ID_MAX) {
        callback.set("tolov.order.id", order_id.get());
    }
    match &reply {
        Ok(reply) => callback.set("click.error", i64::from(reply.error)),
        Err(_) => callback.fail("not_decided"),
    }
    request.answered(200, 500);
    reply
}

/// The answer to a callback without a valid signature, and whether it was kept. Those beyond the budget are answered all
/// the same, without a row and without a line in the log.
async fn keep_unverified(app: &App, callback: Unverified) -> Result<(Reply, bool), LedgerError> {
    let reply = Reply::code(callback.code);
    match app.ledger.keep_unverified(callback).await {
        Ok(is_kept) => Ok((reply, is_kept)),
        Err(LedgerError::Full) => Ok((reply, false)),
        Err(error) => Err(error),
    }
}

/// Reads a callback that our key has signed. One whose form is bad is CLICK's all the same: it may report money taken.
fn understood(app: &App, form: &CallbackForm, outcome: Result<(), BadForm>) -> Content {
    if let Err(bad_form) = outcome {
        tracing::warn!(%bad_form, "a signed callback does not have the form that CLICK documents");
        return Content::Refused(ClickCode::ErrorInRequest);
    }
    match Callback::read(form) {
        Err(Malformed::Action) => Content::Refused(ClickCode::ActionNotFound),
        Err(Malformed::Field(_)) => Content::Refused(ClickCode::ErrorInRequest),
        // CLICK has no code of its own for a service that is not ours (docs/click.md, section 1.6).
        Ok(callback) if callback.service_id != app.click.pay_link.service_id => {
            Content::Refused(ClickCode::ErrorInRequest)
        }
        Ok(callback)
            if callback.action == Action::Prepare && app.restore_gate.is_closed(app.clock.monotonic()) =>
        {
            Content::Refused(ClickCode::FailedToUpdateUser)
        }
        Ok(callback) => Content::Callback(callback),
    }
}

/// The answer on CLICK's path to a request that the accept loop refused. The record is written after the answer, which
/// does not depend on it.
pub(super) fn refused(app: &Arc<App>, refusal: Refusal, peer: Peer) -> Response {
    let code = match refusal {
        Refusal::BodyTooLarge | Refusal::BodyBroken => ClickCode::ErrorInRequest,
        // It may have been decided; CLICK's repetition gets the stored answer.
        Refusal::TooSlow | Refusal::Panicked => ClickCode::FailedToUpdateUser,
    };
    let callback = Unverified {
        received_at: app.clock.now(),
        peer: peer.to_string(),
        fields: serde_json::json!({ "refused": format!("{refusal:?}") }).to_string(),
        code,
    };
    let app = Arc::clone(app);
    tokio::spawn(async move {
        if let Err(error) = app.ledger.keep_unverified(callback).await {
            tracing::error!(error = error.chain(), "a refused callback was not kept");
        }
    });
    reply_with(&Reply::code(code))
}

fn reply_with(reply: &Reply) -> Response {
    json_bytes(StatusCode::OK, reply.to_json())
}

/// The log line of a callback: what came and what was answered, nothing secret.
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
    fn of(form: &CallbackForm, peer: &str, verified: bool) -> Self {
        // Of an unverified callback only numbers are logged that cannot be a card's.
        let short = |value: Option<&str>| match value {
            None => "-".to_owned(),
            Some(text) if verified => card::hide_numbers(text).chars().take(40).collect(),
            Some(text) if is_short_number(text) => text.to_owned(),
            Some(_) => "?".to_owned(),
        };
        Self {
            peer: peer.to_owned(),
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
        // Foreign text must not become a label: each new one would be a time series for ever.
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
