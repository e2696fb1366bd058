//! The ports: what the services need of the world, and what every adapter promises.
//!
//! Errors are sorted by what the caller can do. A fact that was already recorded is a value, never an error.

pub mod bus;
pub mod documents;
pub mod shop;

/// Why an adapter could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// The other side is away, slow or closing: nothing is wrong with the request, try it again later.
    #[error("{0}")]
    Unavailable(String),
    /// The other side refused for a reason that trying again does not cure. Says what to do about it.
    #[error("{0}")]
    Refused(String),
}

impl PortError {
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}
