//! Answers of the Merchant API.

use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use tolov_click::ApiAnswer;

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiRefusal {
    pub(super) status: StatusCode,
    pub(super) note: String,
}

impl ApiRefusal {
    pub(super) fn new(status: StatusCode, note: impl std::fmt::Display) -> Self {
        Self { status, note: note.to_string() }
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format_args!("{what} not found"))
    }
}

/// The JSON of a successful call.
pub(super) type ApiResult = Result<Value, ApiRefusal>;

pub(super) fn success(body: impl Serialize) -> Value {
    as_json(&ApiAnswer::success(body))
}

#[expect(clippy::expect_used, reason = "integers and strings are always JSON")]
pub(super) fn as_json(body: &impl Serialize) -> Value {
    serde_json::to_value(body).expect("an answer is JSON")
}
