//! What shoppers do, a file a part of the conversation.

pub(crate) mod acquaintance;
pub(crate) mod card;
pub(crate) mod cart;
pub(crate) mod catalogue;
pub(crate) mod checkout;
pub(crate) mod contact;
pub(crate) mod help;
pub(crate) mod inline;
pub(crate) mod menu;
pub(crate) mod orders;
pub(crate) mod pages;
pub(crate) mod placing;
pub(crate) mod profile;
pub(crate) mod search;
pub(crate) mod start;
pub(crate) mod support;
