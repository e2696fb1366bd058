//! The Bot API over HTTP: calls, their parameters, and updates.

mod calls;
mod methods;
mod params;
mod routes;
mod updates;

pub(in crate::telegram) use methods::makes_message;
pub(crate) use routes::{refuse_with, routes};
