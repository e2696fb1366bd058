//! A merchant's answer, read leniently: its form is checked by cases of its own, and must not hide other faults.

use serde_json::Value;

#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Http(HttpAnswer),
    /// No answer came, for this reason.
    Missing(String),
}

#[derive(Debug, Clone)]
pub(crate) struct HttpAnswer {
    pub(crate) http_status: u16,
    pub(crate) content_type: Option<String>,
    /// Cut at the limit; secrets and signatures are replaced.
    pub(crate) text: String,
    pub(crate) json: Option<Value>,
}

impl Answer {
    /// The merchant's code. A 5xx has none: CLICK cannot have read one from it.
    pub(crate) fn code(&self) -> Option<i64> {
        let got = self.http()?;
        if got.http_status >= 500 {
            return None;
        }
        integer(got.json.as_ref()?.get("error")?)
    }

    pub(crate) fn http(&self) -> Option<&HttpAnswer> {
        match self {
            Self::Http(answer) => Some(answer),
            Self::Missing(_) => None,
        }
    }

    /// A field as text, whether it is a number or a string.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        match self.http()?.json.as_ref()?.get(name)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    pub(crate) fn prepare_id(&self) -> Option<String> {
        self.field("merchant_prepare_id")
    }

    /// For a cell of the table.
    pub(crate) fn summary(&self) -> String {
        match (self, self.code()) {
            (Self::Missing(problem), _) => problem.clone(),
            (Self::Http(HttpAnswer { http_status: 200, .. }), Some(code)) => code.to_string(),
            (Self::Http(got), Some(code)) => format!("{code} (HTTP {})", got.http_status),
            (Self::Http(got), None) => match &got.json {
                Some(json) if json.get("error").is_some() => {
                    format!("HTTP {}, error {}", got.http_status, json["error"])
                }
                Some(_) => format!("HTTP {}, no error field", got.http_status),
                None => format!("HTTP {}, not JSON", got.http_status),
            },
        }
    }
}

/// An integer, or a text that contains one.
fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn got(http_status: u16, text: &str) -> Answer {
        let json = serde_json::from_str(text).ok();
        Answer::Http(HttpAnswer { http_status, content_type: None, text: text.to_owned(), json })
    }

    #[test]
    fn a_code_is_read_also_from_a_string_and_never_from_a_server_error() {
        assert_eq!(got(200, r#"{"error":-4}"#).code(), Some(-4));
        assert_eq!(got(200, r#"{"error":"-4"}"#).code(), Some(-4));
        assert_eq!(got(500, r#"{"error":-1}"#).code(), None);
        assert_eq!(got(500, r#"{"error":-1}"#).summary(), "HTTP 500, error -1");
        assert_eq!(got(200, "oops").summary(), "HTTP 200, not JSON");
        assert_eq!(got(400, r#"{"error":-8}"#).summary(), "-8 (HTTP 400)");
        assert_eq!(got(422, r#"{"detail":[]}"#).summary(), "HTTP 422, no error field");
        assert_eq!(got(200, r#"{"merchant_prepare_id":"7a","error":0}"#).prepare_id().as_deref(), Some("7a"));
    }
}
