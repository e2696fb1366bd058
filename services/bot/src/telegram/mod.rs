//! The Bot API: its calls, its limits, its errors.

mod chat;
pub(crate) mod chat_limits;
pub(crate) mod client;
pub(crate) mod copy;
pub(crate) mod errors;
pub(crate) mod files;
mod inline;
pub(crate) mod limits;
pub(crate) mod membership;
mod picture;
pub(crate) mod roster;
pub(crate) mod staff_chat;
pub(crate) mod stand_in;
