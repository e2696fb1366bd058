//! What shoppers do, a file a part of the conversation.

pub(crate) mod cart;
pub(crate) mod checkout;
pub(crate) mod menu;
pub(crate) mod orders;
pub(crate) mod start;
