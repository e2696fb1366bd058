//! Answers of the Merchant API.

use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use tolov_click::ApiAnswer;

/// CLICK's code for a missing Auth header, and for a service that is not this merchant's.
pub(super) const WRONG_SERVICE: i64 = -12;
/// CLICK's code for a wrong secret or merchant user.
pub(super) const WRONG_SIGNATURE: i64 = -15;
/// What CLICK answers about a payment that it does not know.
pub(super) const NOT_FOUND: i64 = -16;
/// CLICK uses one code for refusals of several causes.
pub(super) const REFUSED: i64 = -500;

/// Why a call is refused. CLICK answers HTTP 200 with a code, also to wrong keys; only requests that are none get another
/// HTTP status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiRefusal {
    pub(super) status: StatusCode,
    pub(super) code: i64,
    pub(super) note: String,
}

impl ApiRefusal {
    /// A request that CLICK does not understand.
    pub(super) fn new(status: StatusCode, note: impl std::fmt::Display) -> Self {
        Self { status, code: -i64::from(status.as_u16()), note: note.to_string() }
    }

    pub(super) fn with_code(code: i64, note: impl std::fmt::Display) -> Self {
        Self { status: StatusCode::OK, code, note: note.to_string() }
    }

    pub(super) fn refused(note: impl std::fmt::Display) -> Self {
        Self::with_code(REFUSED, note)
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::with_code(NOT_FOUND, format_args!("{what} not found"))
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
