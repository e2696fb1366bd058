#![doc = include_str!("../README.md")]
#![expect(clippy::missing_panics_doc, reason = "a broken promise is a failed assertion")]

pub mod bus;
pub mod chaos_proxy;
pub mod counting;
pub mod documents;
pub mod fuzzing;
pub mod memory;
pub mod notifications;
pub mod random;

mod behaviour;

pub use behaviour::{TIME_LIMIT, run_bus, run_documents, run_notifications};
