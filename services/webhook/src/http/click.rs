//! POST /payments/click/webhook: always 200 with an integer `error` (docs/click.md, section 1.1).

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant as Stopwatch},
};

use bytes::Bytes;
use serde_json::{Map, Value};
use tolov_click::{Action, BadForm, Callback, CallbackForm, ClickCode, Malformed, Reply, card};
use tolov_domain::OrderId;
use tolov_kit::{
    http::{Refusal, RefusedRequest},
    spans::{self, Beginning, Kind, Span},
};
use warp::{http::StatusCode, reply::Response};

use super::{CLICK_PATH, app::App, reply::json_bytes};
use crate::ledger::{Arrival, Content, LedgerError, ORDER_ID_MAX, Overtaken, Unverified};

/// How long the answer to a refused request waits until it is kept. The writer keeps it all the same.
const KEPT_WITHIN: Duration = Duration::from_secs(1);

const UNPLACED: &str = "tolov_click_unplaced_payments_total";

/// The alert sees no increase in the first value of a line, nor where the line of an earlier process had the same.
pub(super) fn begin_counting() {
    for reply in ClickCode::ALL.map(Reply::code).iter().filter(|reply| !reply.confirms_payment()) {
        metrics::counter!(UNPLACED, "code" => reply.error.to_string()).increment(0);
    }
}

/// Verifies, lets the ledger decide, answers after COMMIT.
pub(super) async fn answer(app: Arc<App>, peer: String, body: Bytes) -> Response {
    let started = Stopwatch::now();
    let (form, outcome, line) = read(&app, &peer, &body);
    let received_at = app.clock.now();
    let decided = if line.verified {
        let content = understood(&app, &form, outcome).await;
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
            click_trans_id = line.click_trans_id,
            reports_payment = line.reports_payment,
            "callback not decided; CLICK will repeat it"
        );
        if line.reports_payment {
            app.undecided.keep(&body, &line.peer, received_at, app.clock.monotonic());
        }
        (Reply::code(ClickCode::FailedToUpdateUser), true)
    });
    line.end(&app, &reply, is_logged, Some(started)).await
}

fn read(app: &App, peer: &str, body: &[u8]) -> (CallbackForm, Result<(), BadForm>, Line) {
    let (form, outcome) = CallbackForm::parse(body);
    let line = Line::of(&form, peer, form.is_signed_by(&app.click.secret_key));
    (form, outcome, line)
}

/// Lets the ledger decide. CLICK sends no traceparent, so the callback goes on with the trace of its order.
async fn decide(app: &App, arrival: Arrival) -> Result<Reply, LedgerError> {
    let completed =
        arrival.form.click_trans_id().filter(|_| arrival.form.action() == Some("1")).map(str::to_owned);
    let reply = decide_traced(app, arrival).await?;
    if let Some(trans_id) = completed {
        app.undecided.forget(&trans_id);
    }
    Ok(reply)
}

async fn decide_traced(app: &App, arrival: Arrival) -> Result<Reply, LedgerError> {
    if !spans::is_on() {
        return app.ledger.answer(arrival).await;
    }
    let order_id = order_of(&arrival.form);
    let parent = match order_id {
        Some(order_id) => app.ledger.traceparent(order_id).await,
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
async fn understood(app: &App, form: &CallbackForm, outcome: Result<(), BadForm>) -> Content {
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
        Ok(callback) if callback.action == Action::Prepare && app.refuses_prepares().await => {
            Content::Refused(ClickCode::FailedToUpdateUser)
        }
        Ok(callback) => Content::Callback(callback),
    }
}

/// The answer on CLICK's path to a request that the accept loop refused. A body that came whole may be CLICK's, and report
/// money taken: what it says is counted, logged and kept as evidence, whoever else uses up the budget.
pub(super) async fn refused(
    app: Arc<App>,
    RefusedRequest { refusal, peer, body, .. }: RefusedRequest,
) -> Response {
    let code = match refusal {
        Refusal::BodyTooLarge | Refusal::BodyBroken => ClickCode::ErrorInRequest,
        // It may have been decided; CLICK's repetition gets the stored answer.
        Refusal::TooSlow | Refusal::Panicked => ClickCode::FailedToUpdateUser,
        // Neither read nor kept: whoever floods through a proxy costs no more than this and a pause.
        Refusal::TooMany => return reply_with(&Reply::code(ClickCode::FailedToUpdateUser)),
    };
    let (received_at, peer, body) = (app.clock.now(), peer.to_string(), body.unwrap_or_default());
    // Reading it may be what panicked.
    let (form, _, line) = catch_unwind(AssertUnwindSafe(|| read(&app, &peer, &body)))
        .unwrap_or_else(|_| read(&app, &peer, b""));
    let reply = Reply::code(code);
    let record = if line.verified { form.to_record() } else { form.to_unverified_record() };
    let mut fields: Map<String, Value> = serde_json::from_str(&record).unwrap_or_default();
    fields.insert("refused".to_owned(), format!("{refusal:?}").into());
    let fields = Value::Object(fields).to_string();
    let is_verified = line.verified;
    if line.reports_payment && code == ClickCode::FailedToUpdateUser {
        app.undecided.keep(&body, &line.peer, received_at, app.clock.monotonic());
    }
    let keeping = async {
        if is_verified {
            let order_id = order_of(&form);
            let callback = Overtaken { received_at, peer, order_id, fields, reply: reply.clone() };
            app.ledger.keep_overtaken(callback).await.map(|()| true)
        } else {
            let callback = Unverified { received_at, peer, fields, code };
            keep_unverified(&app, callback).await.map(|(_, is_kept)| is_kept)
        }
    };
    let is_logged = match tokio::time::timeout(KEPT_WITHIN, keeping).await {
        Ok(Ok(is_kept)) => is_kept,
        Ok(Err(error)) => {
            tracing::error!(
                error = error.chain(),
                order.id = line.order_id,
                "a refused callback was not kept"
            );
            true
        }
        Err(_elapsed) => is_verified,
    };
    line.end(&app, &reply, is_logged, None).await
}

/// The order that a form names, whether it exists or not.
fn order_of(form: &CallbackForm) -> Option<OrderId> {
    form.merchant_trans_id().and_then(|text| OrderId::parse(text).ok())
}

fn reply_with(reply: &Reply) -> Response {
    json_bytes(StatusCode::OK, reply.to_json())
}

/// The log line of a callback: what came and what was answered, nothing secret.
struct Line {
    /// It is CLICK's and says that the money was taken.
    reports_payment: bool,
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
            reports_payment: verified && form.reports_payment(),
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

    /// Logs and counts the answer and gives it; whoever floods waits for it. `started`: when the routes saw the request.
    async fn end(self, app: &App, reply: &Reply, is_logged: bool, started: Option<Stopwatch>) -> Response {
        if is_logged {
            self.log(reply, started);
        }
        self.count(reply, started);
        if !is_logged {
            app.flood_brake.pause().await;
        }
        reply_with(reply)
    }

    fn count(&self, reply: &Reply, started: Option<Stopwatch>) {
        // Foreign text must not become a label: each new one would be a time series for ever.
        let action = match self.action.as_str() {
            "prepare" => "prepare",
            "complete" => "complete",
            _ => "other",
        };
        let code = reply.error.to_string();
        metrics::counter!("tolov_click_callbacks_total", "action" => action, "code" => code.clone())
            .increment(1);
        if let Some(started) = started {
            metrics::histogram!("tolov_callback_seconds", "action" => action).record(started.elapsed());
        }
        if self.reports_payment && !reply.confirms_payment() {
            metrics::counter!(UNPLACED, "code" => code).increment(1);
        }
    }

    fn log(&self, reply: &Reply, started: Option<Stopwatch>) {
        tracing::info!(
            order.id = self.order_id,
            click_trans_id = self.click_trans_id,
            action = self.action,
            click_error = self.click_error,
            verified = self.verified,
            peer = self.peer,
            answer = reply.error,
            took_us = started.map(|started| u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX)),
            "callback answered"
        );
    }
}
