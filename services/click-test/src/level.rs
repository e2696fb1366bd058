//! How binding an expected answer is.

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// CLICK's documents or its own test tools require the answer.
    Must,
    /// CLICK is silent; this is the safe answer.
    Should,
}

impl Level {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
        }
    }
}
