//! The ports: what the services need from brokers and stores, and what every adapter promises.
//!
//! Errors are sorted by what the caller can do. A fact that was recorded before is a value, never an error.

pub mod bus;
pub mod documents;
mod error;
pub mod notifications;
pub mod trace_parent;

pub use self::error::PortError;
use self::{documents::Documents, notifications::NotificationLog};

/// The whole shop store, as one object to pass around.
pub trait ShopStore: NotificationLog + Documents {}

impl<T: NotificationLog + Documents> ShopStore for T {}
