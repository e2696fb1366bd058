//! Refunds, and what CLICK's Merchant API says: the bot, operators and the reconciler ask. Bodies are those of
//! [`tolov_domain::refund::api`].

use std::{num::ParseIntError, sync::Arc};

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use tolov_domain::{
    ClickTransId, OrderId, PrepareId, RefundId, Tiyin,
    refund::{
        self, Decision, PaidAttempt, Refund, RequestRefusal,
        api::{
            Attempts, Conflict, DecidedBy, GivenByHand, MerchantCalls, OrderRefunds, RefundRequest, Refunds,
            ReportSource, SeenRequest, StepRequest,
        },
    },
};
use warp::{http::StatusCode, reply::Response};

use super::{
    app::App,
    reply::{problem, to_reply, unavailable},
};
use crate::ledger::{AskRefusal, Asked, LedgerError, Stepped};

const REQUEST_ID_MAX: usize = 64;
const NAME_MAX: usize = 64;
const TEXT_MAX: usize = 500;
const CALLS_MAX: usize = 20;
/// The most attempts of one answer.
const PAGE_MAX: u32 = 500;

/// GET /orders/ID/refunds: what was given back, and whether CLICK would give back the rest.
pub(super) async fn of_order(order_id: String, app: Arc<App>) -> Response {
    let Ok(order_id) = OrderId::parse(&order_id) else { return no_order() };
    match read_refunds(&app, order_id).await {
        Ok(Some(refunds)) => to_reply(StatusCode::OK, &refunds),
        Ok(None) => no_order(),
        Err(error) => unavailable(&error),
    }
}

async fn read_refunds(app: &App, order_id: OrderId) -> Result<Option<OrderRefunds>, LedgerError> {
    let ledger = &app.ledger;
    let (order, attempts, refunds) =
        tokio::try_join!(ledger.order(order_id), ledger.attempts(order_id), ledger.refunds(order_id))?;
    let Some(order) = order else { return Ok(None) };
    let paid = order.paid_by.and_then(|by| attempts.into_iter().find(|attempt| attempt.prepare_id == by));
    let paid = paid
        .map(|attempt| {
            Ok::<_, LedgerError>(PaidAttempt {
                order_id,
                prepare_id: PrepareId::try_new(attempt.prepare_id)
                    .map_err(|_| LedgerError::Row("an id is not positive"))?,
                amount: Tiyin::try_new(attempt.amount_tiyin)
                    .map_err(|_| LedgerError::Row("an amount is out of range"))?,
                products: serde_json::from_str(&order.products)?,
                prepared_at: tolov_domain::time::from_unix_ms(attempt.prepared_at),
                in_telegram: ClickTransId::try_new(attempt.click_trans_id)
                    .is_ok_and(ClickTransId::is_of_telegram),
            })
        })
        .transpose()?;
    let done: Vec<Refund> = refunds.iter().filter(|refund| refund.status().is_done()).cloned().collect();
    Ok(Some(OrderRefunds {
        paid_tiyin: paid.as_ref().map_or(Tiyin::ZERO, |paid| paid.amount),
        refunded_tiyin: refund::refunded(&done),
        open: refunds.iter().find(|refund| refund.status().is_open()).cloned(),
        allowed: refund::allowed(paid.as_ref(), &refunds, app.click.merchant_api(), app.clock.now()),
        refunds,
    }))
}

/// POST /orders/ID/refunds: 201 a new refund, 200 that of the same request, 409 with the reason, 422 naming a field.
pub(super) async fn ask(order_id: String, app: Arc<App>, body: Bytes) -> Response {
    let Ok(order_id) = OrderId::parse(&order_id) else { return no_order() };
    let asked: RefundRequest = match read(&body) {
        Ok(asked) => asked,
        Err(error) => return field("body", &error),
    };
    let is_printable = asked.request_id.bytes().all(|byte| byte.is_ascii_graphic());
    if !(1..=REQUEST_ID_MAX).contains(&asked.request_id.len()) || !is_printable {
        return field("request_id", "write 1 to 64 printable ASCII characters");
    }
    if !is_name(&asked.requested_by) {
        return field("requested_by", "write 1 to 64 characters");
    }
    if asked.reason.chars().count() > TEXT_MAX {
        return field("reason", "write at most 500 characters");
    }
    if asked.by_hand.as_deref().is_some_and(|document| !is_document(document)) {
        return field("by_hand", "write what proves it, 1 to 500 characters");
    }
    let (merchant_api, now) = (app.click.merchant_api(), app.clock.now());
    match app.ledger.ask_for_refund(order_id, asked, merchant_api, now).await {
        Ok(Asked::Opened(refund)) => to_reply(StatusCode::CREATED, &refund),
        Ok(Asked::Same(refund)) => to_reply(StatusCode::OK, &refund),
        Ok(Asked::Refused(refusal)) => refused(refusal),
        Err(error) => unavailable(&error),
    }
}

pub(super) fn is_document(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= TEXT_MAX
}

fn refused(refusal: AskRefusal) -> Response {
    let (error, reason) = match refusal {
        AskRefusal::UnknownOrder => return no_order(),
        AskRefusal::NotAllowed(RequestRefusal::Field(name)) => {
            return field(name, "is more than is left of the order, or nothing of it");
        }
        AskRefusal::OtherRequest => ("the request_id belongs to another refund", "other_request"),
        AskRefusal::NotAllowed(RequestRefusal::NotPaid) => ("the order is not paid", "not_paid"),
        AskRefusal::NotAllowed(RequestRefusal::NothingLeft) => {
            ("all that was paid is given back", "nothing_left")
        }
        AskRefusal::NotAllowed(RequestRefusal::RefundOpen) => ("the order has an open refund", "refund_open"),
    };
    conflict(error, reason, None)
}

/// GET /refunds/open?after, oldest first.
pub(super) async fn open(app: Arc<App>, query: String) -> Response {
    let Ok(after) = number_in(&query, "after") else { return field("after", "write a refund's number") };
    answer(app.ledger.open_refunds(after.unwrap_or(0)).await.map(|refunds| Refunds { refunds }))
}

/// POST /refunds/ID/withdraw
pub(super) async fn withdraw(refund_id: String, app: Arc<App>, body: Bytes) -> Response {
    match read::<DecidedBy>(&body) {
        Ok(DecidedBy { by }) => decide(&refund_id, &app, Decision::Withdraw, by).await,
        Err(error) => field("body", &error),
    }
}

/// POST /refunds/ID/retry: a person has looked; the reversal is tried once more.
pub(super) async fn retry(refund_id: String, app: Arc<App>, body: Bytes) -> Response {
    match read::<DecidedBy>(&body) {
        Ok(DecidedBy { by }) => decide(&refund_id, &app, Decision::Retry, by).await,
        Err(error) => field("body", &error),
    }
}

/// POST /refunds/ID/by-hand: the money was given back another way.
pub(super) async fn by_hand(refund_id: String, app: Arc<App>, body: Bytes) -> Response {
    match read::<GivenByHand>(&body) {
        Ok(GivenByHand { document, .. }) if !is_document(&document) => {
            field("document", "write what proves it, 1 to 500 characters")
        }
        Ok(GivenByHand { by, document }) => decide(&refund_id, &app, Decision::ByHand { document }, by).await,
        Err(error) => field("body", &error),
    }
}

async fn decide(refund_id: &str, app: &App, choice: Decision, by: String) -> Response {
    if !is_name(&by) {
        return field("by", "write 1 to 64 characters");
    }
    let Ok(refund_id) = RefundId::parse(refund_id) else { return no_refund() };
    stepped(app.ledger.decide_refund(refund_id, choice, by, app.clock.now()).await)
}

/// POST /refunds/ID/step: the reconciler's.
pub(super) async fn step(refund_id: String, app: Arc<App>, body: Bytes) -> Response {
    let Ok(refund_id) = RefundId::parse(&refund_id) else { return no_refund() };
    match read::<StepRequest>(&body) {
        Ok(StepRequest { step, change, next_step_at }) => {
            let change = (change, next_step_at);
            stepped(app.ledger.advance_refund(refund_id, step, change, app.clock.now()).await)
        }
        Err(error) => field("body", &error),
    }
}

fn stepped(stepped: Result<Stepped, LedgerError>) -> Response {
    match stepped {
        Ok(Stepped::Changed(refund)) => to_reply(StatusCode::OK, &refund),
        Ok(Stepped::Stale(refund)) => {
            conflict("another change of the refund was faster", "stale", Some(refund))
        }
        Ok(Stepped::NotAllowed(refund)) => {
            conflict("the refund's state does not allow it", "not_allowed", Some(refund))
        }
        Ok(Stepped::Unknown) => no_refund(),
        Err(error) => unavailable(&error),
    }
}

/// GET /attempts/silent
pub(super) async fn silent_attempts(app: Arc<App>) -> Response {
    let attempts = app.ledger.silent_attempts(app.clock.now(), PAGE_MAX).await;
    answer(attempts.map(|attempts| Attempts { attempts }))
}

/// GET /attempts?before, newest first.
pub(super) async fn attempts(app: Arc<App>, query: String) -> Response {
    let Ok(before) = number_in(&query, "before") else {
        return field("before", "write an attempt's number");
    };
    answer(
        app.ledger
            .attempts_before(before.unwrap_or(i64::MAX), PAGE_MAX)
            .await
            .map(|attempts| Attempts { attempts }),
    )
}

/// POST /attempts/ID/seen
pub(super) async fn seen(prepare_id: String, app: Arc<App>, body: Bytes) -> Response {
    let Ok(prepare_id) = PrepareId::parse(&prepare_id) else { return no_attempt() };
    let seen: SeenRequest = match read(&body) {
        Ok(seen) => seen,
        Err(error) => return field("body", &error),
    };
    // An owner's word has a name, and counts only for what CLICK has shown.
    if seen.source == ReportSource::Owner {
        return field("source", "an owner accepts by POST /attempts/ID/accept");
    }
    match app.ledger.seen_attempt(prepare_id, seen, app.clock.now()).await {
        Ok(Some(reply)) => to_reply(StatusCode::OK, &reply),
        Ok(None) => no_attempt(),
        Err(error) => unavailable(&error),
    }
}

/// POST /merchant-calls
pub(super) async fn merchant_calls(app: Arc<App>, body: Bytes) -> Response {
    let MerchantCalls { calls } = match read(&body) {
        Ok(calls) => calls,
        Err(error) => return field("body", &error),
    };
    if calls.len() > CALLS_MAX {
        return field("calls", "send at most 20");
    }
    answer(app.ledger.keep_merchant_calls(calls).await.map(|()| Kept { kept: true }))
}

#[derive(Serialize)]
struct Kept {
    kept: bool,
}

pub(super) fn answer<T: Serialize>(answer: Result<T, LedgerError>) -> Response {
    match answer {
        Ok(body) => to_reply(StatusCode::OK, &body),
        Err(error) => unavailable(&error),
    }
}

/// Reads a body; the error is for `body` in the answer.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

pub(super) fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= NAME_MAX
}

/// A number of a query. Of several the last one counts, and all must be numbers.
pub(super) fn number_in(query: &str, wanted: &str) -> Result<Option<i64>, ParseIntError> {
    let mut named = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == wanted);
    named.try_fold(None, |_, (_, value)| value.parse().map(Some))
}

pub(super) fn field(name: &'static str, error: &str) -> Response {
    problem(StatusCode::UNPROCESSABLE_ENTITY, error, Some(name))
}

pub(super) fn conflict(error: &str, reason: &str, refund: Option<Refund>) -> Response {
    let conflict = Conflict { error: error.to_owned(), reason: reason.to_owned(), refund };
    to_reply(StatusCode::CONFLICT, &conflict)
}

fn no_order() -> Response {
    problem(StatusCode::NOT_FOUND, "the ledger has no such order", Some("order_id"))
}

fn no_refund() -> Response {
    problem(StatusCode::NOT_FOUND, "the ledger has no such refund", Some("refund_id"))
}

pub(super) fn no_attempt() -> Response {
    problem(StatusCode::NOT_FOUND, "the ledger has no such attempt", Some("prepare_id"))
}
