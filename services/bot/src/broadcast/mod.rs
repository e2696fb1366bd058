//! Broadcasts on their way to people.

pub(crate) mod preview;
pub(crate) mod progress_message;
mod send;
mod window;
pub(crate) mod worker;
