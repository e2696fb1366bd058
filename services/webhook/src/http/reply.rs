//! Answers as JSON, and what goes wrong.

use serde::Serialize;
use warp::{
    Reply,
    http::{StatusCode, header},
    reply::Response,
};

use crate::ledger::LedgerError;

#[derive(Serialize)]
struct Problem<'a> {
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
}

pub(super) fn problem(status: StatusCode, error: &str, field: Option<&str>) -> Response {
    to_reply(status, &Problem { error, field })
}

pub(super) fn to_reply<T: Serialize>(status: StatusCode, body: &T) -> Response {
    #[expect(clippy::expect_used, reason = "bodies are structs of texts and integers")]
    let body = serde_json::to_vec(body).expect("texts and integers are JSON");
    json_bytes(status, body)
}

pub(super) fn json_bytes(status: StatusCode, body: Vec<u8>) -> Response {
    let reply = warp::reply::with_header(body, header::CONTENT_TYPE, "application/json; charset=utf-8");
    warp::reply::with_status(reply, status).into_response()
}

pub(super) fn unavailable(error: &LedgerError) -> Response {
    tracing::error!(error = error.chain(), "the ledger gave no answer");
    problem(StatusCode::SERVICE_UNAVAILABLE, "the ledger is busy or not reachable; try again", None)
}
