//! What people do: shoppers in their private chats, staff in a channel.

mod payments;
mod shoppers;
pub(super) mod taps;
