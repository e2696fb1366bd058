//! What a merchant answered, read leniently so that one fault of form does not hide all others: form is judged by
//! cases of its own.

use serde_json::Value;

/// What came back for one callback.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Got(Got),
    /// Nothing came: why.
    Nothing(String),
}

#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub(crate) http_status: u16,
    pub(crate) content_type: Option<String>,
    /// Cut at the limit, with what must not be shown taken out.
    pub(crate) text: String,
    pub(crate) json: Option<Value>,
}

impl Answer {
    /// The merchant's code. A 5xx has none, whatever it says: CLICK's retry is not what the merchant meant.
    pub(crate) fn code(&self) -> Option<i64> {
        let got = self.got()?;
        if got.http_status >= 500 {
            return None;
        }
        integer(got.json.as_ref()?.get("error")?)
    }

    pub(crate) fn got(&self) -> Option<&Got> {
        match self {
            Self::Got(got) => Some(got),
            Self::Nothing(_) => None,
        }
    }

    /// A field of the answer as text, whether it was written as a number or as a string.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        match self.got()?.json.as_ref()?.get(name)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    pub(crate) fn prepare_id(&self) -> Option<String> {
        self.field("merchant_prepare_id")
    }

    /// In few words, for a table.
    pub(crate) fn summary(&self) -> String {
        match (self, self.code()) {
            (Self::Nothing(problem), _) => problem.clone(),
            (Self::Got(Got { http_status: 200, .. }), Some(code)) => code.to_string(),
            (Self::Got(got), Some(code)) => format!("{code} (HTTP {})", got.http_status),
            (Self::Got(got), None) => match &got.json {
                Some(json) if json.get("error").is_some() => {
                    format!("HTTP {}, error {}", got.http_status, json["error"])
                }
                Some(_) => format!("HTTP {}, no error field", got.http_status),
                None => format!("HTTP {}, no JSON", got.http_status),
            },
        }
    }
}

/// An integer, also one that was written as text.
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
        Answer::Got(Got { http_status, content_type: None, text: text.to_owned(), json })
    }

    #[test]
    fn a_code_is_read_also_from_a_string_and_never_from_a_server_error() {
        assert_eq!(got(200, r#"{"error":-4}"#).code(), Some(-4));
        assert_eq!(got(200, r#"{"error":"-4"}"#).code(), Some(-4));
        assert_eq!(got(500, r#"{"error":-1}"#).code(), None);
        assert_eq!(got(500, r#"{"error":-1}"#).summary(), "HTTP 500, error -1");
        assert_eq!(got(200, "oops").summary(), "HTTP 200, no JSON");
        assert_eq!(got(400, r#"{"error":-8}"#).summary(), "-8 (HTTP 400)");
        assert_eq!(got(422, r#"{"detail":[]}"#).summary(), "HTTP 422, no error field");
        assert_eq!(got(200, r#"{"merchant_prepare_id":"7a","error":0}"#).prepare_id().as_deref(), Some("7a"));
    }
}
