//! Why a port failed.

/// Why an adapter could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// The other side is away, slow or closing. Nothing is wrong with the request: try it again later.
    #[error("{0}")]
    Unavailable(String),
    /// The other side refused for a reason that a repetition does not cure. Says what to do about it.
    #[error("{0}")]
    Refused(String),
}

impl PortError {
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}
