//! Two more ways to pay through CLICK than its page: a bill to the shopper's phone ([`bills`]), and Telegram's own invoice.
//!
//! Payment by Telegram's own invoice with CLICK's provider token, where CLICK_PROVIDER_TOKEN is set.
//!
//! The ledger decides whether an invoice may be paid, within Telegram's 10 seconds. What Telegram says was paid is stored
//! before the update is confirmed to it, and told to the ledger until the ledger has recorded it.

pub(crate) mod bills;
pub(crate) mod checkout;
pub(crate) mod offer;
pub(crate) mod payments;
pub(crate) mod recorder;
