//! Fiscal receipts: the reconciler and operators ask. Bodies are those of [`tolov_domain::receipt::api`].

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use tolov_domain::{
    OrderId,
    receipt::{
        Change, Decision, Receipt,
        api::{Conflict, StepRequest},
    },
    refund::api::{DecidedBy, GivenByHand},
};
use warp::{Filter, Rejection, filters::BoxedFilter, http::StatusCode, reply::Response};

use super::{
    app::App,
    body,
    refunds::{answer, field, is_document, is_name, read},
    reply::{problem, to_reply, unavailable},
};
use crate::ledger::{LedgerError, ReceiptStepped};

pub(super) fn routes(
    staff: &(impl Filter<Extract = (), Error = Rejection> + Clone + Send + Sync + 'static),
    with_app: &(impl Filter<Extract = (Arc<App>,), Error = Infallible> + Clone + Send + Sync + 'static),
) -> BoxedFilter<(Response,)> {
    let app = staff.clone().and(with_app.clone());
    let body = app.clone().and(body::json());
    let open = warp::path!("receipts" / "open").and(warp::get()).and(app.clone()).then(open);
    let missing = warp::path!("receipts" / "missing").and(warp::get()).and(app.clone()).then(missing);
    let show = warp::path!("receipts" / String).and(warp::get()).and(app).then(show);
    let step = warp::path!("receipts" / String / "step").and(warp::post()).and(body.clone()).then(step);
    let retry = warp::path!("receipts" / String / "retry").and(warp::post()).and(body.clone()).then(retry);
    let by_hand = warp::path!("receipts" / String / "by-hand").and(warp::post()).and(body).then(by_hand);
    let reading = open.or(missing).unify().or(show).unify().boxed();
    reading.or(step.or(retry).unify().or(by_hand).unify().boxed()).unify().boxed()
}

/// GET /receipts/open
async fn open(app: Arc<App>) -> Response {
    answer(app.ledger.open_receipts(app.clock.now()).await)
}

/// GET /receipts/missing
async fn missing(app: Arc<App>) -> Response {
    answer(app.ledger.missing_receipts().await)
}

/// GET /receipts/ORDER
async fn show(order_id: String, app: Arc<App>) -> Response {
    let Ok(order_id) = OrderId::parse(&order_id) else { return no_receipt() };
    match app.ledger.receipt(order_id).await {
        Ok(Some(receipt)) => to_reply(StatusCode::OK, &receipt),
        Ok(None) => no_receipt(),
        Err(error) => unavailable(&error),
    }
}

/// POST /receipts/ORDER/step: the reconciler's.
async fn step(order_id: String, app: Arc<App>, body: Bytes) -> Response {
    let Ok(order_id) = OrderId::parse(&order_id) else { return no_receipt() };
    match read::<StepRequest>(&body) {
        Ok(StepRequest { change: Change::Submit { body_hash, .. }, .. }) if !is_sha256(&body_hash) => {
            field("body_hash", "write a SHA-256, 64 hexadecimal digits")
        }
        Ok(StepRequest { step, change, next_step_at }) => {
            let change = (change, next_step_at);
            stepped(app.ledger.advance_receipt(order_id, step, change, app.clock.now()).await)
        }
        Err(error) => field("body", &error),
    }
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// POST /receipts/ORDER/retry: what was in the way is mended.
async fn retry(order_id: String, app: Arc<App>, body: Bytes) -> Response {
    match read::<DecidedBy>(&body) {
        Ok(DecidedBy { by }) => decide(&order_id, &app, Decision::Retry, &by).await,
        Err(error) => field("body", &error),
    }
}

/// POST /receipts/ORDER/by-hand: the receipt, or that of a refund, was made another way.
async fn by_hand(order_id: String, app: Arc<App>, body: Bytes) -> Response {
    match read::<GivenByHand>(&body) {
        Ok(GivenByHand { document, .. }) if !is_document(&document) => {
            field("document", "write what proves it, 1 to 500 characters")
        }
        Ok(GivenByHand { by, document }) => decide(&order_id, &app, Decision::ByHand { document }, &by).await,
        Err(error) => field("body", &error),
    }
}

async fn decide(order_id: &str, app: &App, decision: Decision, by: &str) -> Response {
    if !is_name(by) {
        return field("by", "write 1 to 64 characters");
    }
    let Ok(order_id) = OrderId::parse(order_id) else { return no_receipt() };
    stepped(app.ledger.decide_receipt(order_id, decision, by, app.clock.now()).await)
}

fn stepped(stepped: Result<ReceiptStepped, LedgerError>) -> Response {
    match stepped {
        Ok(ReceiptStepped::Changed(receipt)) => to_reply(StatusCode::OK, &receipt),
        Ok(ReceiptStepped::Stale(receipt)) => {
            conflict("another change of the receipt was faster", "stale", receipt)
        }
        Ok(ReceiptStepped::NotAllowed(receipt)) => {
            conflict("the receipt's state does not allow it", "not_allowed", receipt)
        }
        Ok(ReceiptStepped::Unknown) => no_receipt(),
        Err(error) => unavailable(&error),
    }
}

fn conflict(error: &str, reason: &str, receipt: Receipt) -> Response {
    let conflict = Conflict { error: error.to_owned(), reason: reason.to_owned(), receipt };
    to_reply(StatusCode::CONFLICT, &conflict)
}

fn no_receipt() -> Response {
    problem(StatusCode::NOT_FOUND, "the ledger has no receipt of this order", Some("order_id"))
}
