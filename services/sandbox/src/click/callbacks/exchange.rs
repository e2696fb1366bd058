//! One call to the merchant and its answer, as it is kept.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is kept of an answer.
const MAX_KEPT_CHARS: usize = 2_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Prepare,
    Complete,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    pub step: Step,
    pub sent_at_ms: i64,
    /// In the order in which they were sent, without the signature.
    pub fields: Vec<(String, String)>,
    pub answer: MerchantAnswer,
    pub took_ms: u64,
    /// The scenario made the simulator disregard this answer.
    pub ignored: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum MerchantAnswer {
    /// HTTP 200 with JSON that has an integer `error`.
    Understood { error: i64, error_note: String, merchant_prepare_id: Option<i64>, body: String },
    /// Any other HTTP answer.
    NotUnderstood { http_status: u16, body: String },
    /// No answer.
    Unanswered { problem: String },
}

impl MerchantAnswer {
    pub(super) fn read(http_status: u16, body: &[u8]) -> Self {
        let kept: String = String::from_utf8_lossy(body).chars().take(MAX_KEPT_CHARS).collect();
        let json: Option<Value> = serde_json::from_slice(body).ok();
        let error = json.as_ref().and_then(|json| json.get("error")?.as_i64());
        let (200, Some(json), Some(error)) = (http_status, json, error) else {
            return Self::NotUnderstood { http_status, body: kept };
        };
        Self::Understood {
            error,
            error_note: json.get("error_note").and_then(Value::as_str).unwrap_or_default().to_owned(),
            merchant_prepare_id: json.get("merchant_prepare_id").and_then(Value::as_i64),
            body: kept,
        }
    }

    /// The merchant's code, if it sent one.
    pub fn error(&self) -> Option<i64> {
        match self {
            Self::Understood { error, .. } => Some(*error),
            Self::NotUnderstood { .. } | Self::Unanswered { .. } => None,
        }
    }

    pub(in crate::click) fn note(&self) -> String {
        match self {
            Self::Understood { error_note, .. } => error_note.clone(),
            Self::NotUnderstood { http_status, .. } => {
                format!("the merchant's answer was not understood (HTTP {http_status})")
            }
            Self::Unanswered { problem } => format!("the merchant did not answer: {problem}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_only_with_an_integer_code_and_http_200() {
        let answer = MerchantAnswer::read(200, br#"{"error":-4,"error_note":"x"}"#);
        assert_eq!(answer.error(), Some(-4));
        for (status, body) in [(500, "{\"error\":0}"), (200, "{\"error\":\"0\"}"), (200, "OK"), (200, "[]")] {
            assert_eq!(MerchantAnswer::read(status, body.as_bytes()).error(), None, "{status} {body}");
        }
    }
}
