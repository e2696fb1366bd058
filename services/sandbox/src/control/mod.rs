//! The sandbox's own HTTP routes under `/sandbox`: the knobs of [`Handle`] for whoever is outside of the process.

mod board;
mod click;
mod feed;
mod telegram;

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use http::{Method, StatusCode};
use serde::{Serialize, de::DeserializeOwned};
use warp::{Filter, filters::BoxedFilter, reply::Response};

use crate::{
    Handle,
    http_reply::{json_with, raw_query, refusal, reply_with},
};

/// What the routes are, for a person with curl.
const ROUTES: &str = include_str!("routes.txt");
/// No wait is longer.
const MAX_WAIT: Duration = Duration::from_mins(2);
const DEFAULT_WAIT: Duration = Duration::from_secs(10);

/// One request to the control API.
struct Request {
    method: Method,
    query: BTreeMap<String, String>,
    body: Bytes,
}

/// What a knob answers: something as JSON, or a refusal.
type Answer = Result<Response, Refused>;

/// Why a knob was not turned, and what to do about it.
struct Refused {
    status: StatusCode,
    problem: String,
}

impl Refused {
    fn new(status: StatusCode, problem: impl std::fmt::Display) -> Self {
        Self { status, problem: problem.to_string() }
    }
}

pub(crate) fn routes(handle: Handle) -> BoxedFilter<(Response,)> {
    warp::path("sandbox")
        .and(warp::path::tail())
        .and(warp::method())
        .and(raw_query())
        .and(warp::body::bytes())
        .then(move |tail: warp::path::Tail, method: Method, query: String, body: Bytes| {
            let handle = handle.clone();
            let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
            let request = Request { method, query, body };
            async move {
                answer(&handle, tail.as_str(), request)
                    .await
                    .unwrap_or_else(|refused| refusal(refused.status, refused.problem))
            }
        })
        .boxed()
}

async fn answer(handle: &Handle, path: &str, request: Request) -> Answer {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match (request.method.as_str(), segments.as_slice()) {
        ("GET", []) => Ok(reply_with(StatusCode::OK, "text/plain; charset=utf-8", ROUTES)),
        ("POST", ["reset"]) => {
            handle.reset();
            Ok(done())
        }
        ("GET", ["events"]) => feed::events(handle, &request).await,
        ("GET", ["events", seq]) => feed::payload(handle, seq),
        (_, ["switches" | "orders" | "load", ..]) => board::answer(handle, &segments, &request).await,
        (_, ["telegram", knob @ ..]) => telegram::answer(handle.telegram(), knob, &request).await,
        (_, ["click", knob @ ..]) => click::answer(handle.click(), knob, &request).await,
        _ => Err(unknown()),
    }
}

impl Request {
    /// The body as JSON; an empty one as an empty object.
    fn json<T: DeserializeOwned>(&self) -> Result<T, Refused> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        serde_json::from_slice(body).map_err(|error| {
            Refused::new(StatusCode::UNPROCESSABLE_ENTITY, format_args!("the body: {error}"))
        })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Refused> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            Refused::new(StatusCode::UNPROCESSABLE_ENTITY, format_args!("{name} must be a whole number"))
        })
    }

    /// `timeout_ms` of the query, within bounds.
    fn timeout(&self) -> Result<Duration, Refused> {
        let asked = self.number("timeout_ms")?.map(Duration::from_millis);
        Ok(asked.unwrap_or(DEFAULT_WAIT).min(MAX_WAIT))
    }
}

fn id(segment: &str) -> Result<i64, Refused> {
    segment.parse().map_err(|_| Refused::new(StatusCode::NOT_FOUND, format_args!("{segment} is no id")))
}

fn ok(body: &impl Serialize) -> Response {
    json_with(StatusCode::OK, body)
}

fn done() -> Response {
    ok(&serde_json::json!({ "ok": true }))
}

fn unknown() -> Refused {
    Refused::new(StatusCode::NOT_FOUND, "there is no such knob: GET /sandbox lists them")
}
