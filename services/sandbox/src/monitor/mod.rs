//! What the page shows besides the chats: the trace of every order, and a dashboard of switches and values.

mod dashboard;
mod trace;

pub use dashboard::{Dashboard, Switch};
pub use trace::{Trace, TraceEvent};
