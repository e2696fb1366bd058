//! A request to the control API, and its answers.

use std::{collections::BTreeMap, str::FromStr, time::Duration};

use bytes::Bytes;
use http::{Method, StatusCode};
use serde::{Serialize, de::DeserializeOwned};
use url::form_urlencoded;
use warp::reply::Response;

use crate::web::reply::json_with;

const MAX_WAIT: Duration = Duration::from_mins(2);
const DEFAULT_WAIT: Duration = Duration::from_secs(10);
/// What is kept in memory is text of people and tests. Uploads have the server's limit.
const BODY_MAX_BYTES: usize = 64 * 1024;

pub(super) struct Request {
    pub(super) method: Method,
    query: BTreeMap<String, String>,
    body: Bytes,
}

pub(super) type Answer = Result<Response, Refused>;

/// Why a call did nothing, and what to do about it.
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) problem: String,
}

impl Refused {
    pub(super) fn new(status: StatusCode, problem: impl std::fmt::Display) -> Self {
        Self { status, problem: problem.to_string() }
    }

    fn unprocessable(problem: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, problem)
    }
}

impl Request {
    pub(super) fn new(method: Method, query: &str, body: Bytes, path: &str) -> Result<Self, Refused> {
        let is_upload = path.ends_with("/photo") || path.ends_with("/document");
        if body.len() > BODY_MAX_BYTES && !is_upload {
            let problem = format_args!("the body has more than {BODY_MAX_BYTES} bytes");
            return Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, problem));
        }
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Ok(Self { method, query, body })
    }

    pub(super) fn has_body(&self) -> bool {
        !self.body.is_empty() && self.body.as_ref() != b"{}"
    }

    /// The body as JSON; an empty one as an empty object.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Refused> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        serde_json::from_slice(body)
            .map_err(|error| Refused::unprocessable(format_args!("the body: {error}")))
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    pub(super) fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, Refused> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = text.parse().map(Some);
        number.map_err(|_| Refused::unprocessable(format_args!("{name} must be a whole number")))
    }

    /// `timeout_ms` of the query, at most [`MAX_WAIT`].
    pub(super) fn timeout(&self) -> Result<Duration, Refused> {
        let timeout = self.number("timeout_ms")?.map(Duration::from_millis);
        Ok(timeout.unwrap_or(DEFAULT_WAIT).min(MAX_WAIT))
    }
}

pub(super) fn id(segment: &str) -> Result<i64, Refused> {
    segment.parse().map_err(|_| Refused::new(StatusCode::NOT_FOUND, format_args!("{segment} is not an id")))
}

pub(super) fn ok(body: &impl Serialize) -> Response {
    json_with(StatusCode::OK, body)
}

pub(super) fn done() -> Response {
    ok(&serde_json::json!({ "ok": true }))
}

pub(super) fn unknown() -> Refused {
    Refused::new(StatusCode::NOT_FOUND, "unknown address: GET /sandbox lists the known ones")
}
