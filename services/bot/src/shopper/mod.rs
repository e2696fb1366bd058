//! What shoppers do, a file a part of the conversation.

pub(crate) mod menu;
pub(crate) mod start;
