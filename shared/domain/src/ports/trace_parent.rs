//! Where a trace goes on, as W3C's traceparent: the header of a request or a message that says which span caused it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A traceparent of version 00: `00-TRACE-SPAN-FLAGS`, in lower case, without the ids of zeros that stand for none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TraceParent(String);

/// A text that is no traceparent of version 00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no traceparent of version 00")]
pub struct TraceParentError;

impl TraceParent {
    /// The bytes of each part.
    const PARTS: [usize; 4] = [2, 32, 16, 2];

    pub fn parse(text: &str) -> Result<Self, TraceParentError> {
        let is_hex = |part: &str| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let parts: Vec<&str> = text.splitn(5, '-').collect();
        let is_one = parts.iter().map(|part| part.len()).eq(Self::PARTS)
            && parts.iter().all(|part| is_hex(part))
            && parts.first() == Some(&"00")
            && parts[1..3].iter().all(|id| id.bytes().any(|byte| byte != b'0'));
        if is_one { Ok(Self(text.to_owned())) } else { Err(TraceParentError) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TraceParent {
    type Error = TraceParentError;

    fn try_from(text: String) -> Result<Self, TraceParentError> {
        Self::parse(&text)
    }
}

impl From<TraceParent> for String {
    fn from(parent: TraceParent) -> Self {
        parent.0
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_specification_gives_as_an_example_is_one_and_nothing_like_it() {
        let example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(TraceParent::parse(example).map(String::from).as_deref(), Ok(example));
        for text in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0ʼ",
        ] {
            assert_eq!(TraceParent::parse(text), Err(TraceParentError), "{text:?}");
        }
    }
}
