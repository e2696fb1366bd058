//! What shoppers do.

pub(crate) mod account;
pub(crate) mod cart;
pub(crate) mod catalogue;
pub(crate) mod checkout;
pub(crate) mod help;
pub(crate) mod menu;
pub(crate) mod orders;
pub(crate) mod support;
