//! The ports: what the services need from brokers and stores, and what every adapter promises.
//!
//! Errors are sorted by what the caller can do. A fact that was recorded before is a value, never an error.

pub mod bus;
pub mod documents;
pub mod notifications;

use self::{documents::Documents, notifications::NotificationLog};

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

/// The whole shop store, as one object to pass around.
pub trait ShopStore: NotificationLog + Documents {}

impl<T: NotificationLog + Documents> ShopStore for T {}
