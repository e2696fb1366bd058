//! Replies, and the query of a request.

use std::io;

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::json;
use warp::{Filter, Reply, filters::BoxedFilter, reply::Response};

/// The query as it was sent; empty when there is none.
pub(crate) fn raw_query() -> BoxedFilter<(String,)> {
    warp::query::raw().or(warp::any().map(String::new)).unify().boxed()
}

pub(crate) fn reply_with(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<bytes::Bytes>,
) -> Response {
    let mut response = warp::http::Response::new(body.into().into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

pub(crate) fn json_with(status: StatusCode, body: &impl Serialize) -> Response {
    warp::reply::with_status(warp::reply::json(body), status).into_response()
}

/// No answer: hyper breaks the connection when the body fails.
pub(crate) fn broken() -> Response {
    let lost = Err::<Bytes, _>(io::Error::other("a fault loses the answer"));
    warp::reply::stream(futures_util::stream::iter([lost])).into_response()
}

/// `{"error": "what is wrong"}`.
pub(crate) fn refusal(status: StatusCode, problem: impl std::fmt::Display) -> Response {
    json_with(status, &json!({ "error": problem.to_string() }))
}
