//! Payment by Telegram's own invoice with CLICK's provider token, where CLICK_PROVIDER_TOKEN is set.
//!
//! The ledger decides whether an invoice may be paid, within Telegram's 10 seconds. What Telegram says was paid is stored
//! before the update is confirmed to it, and told to the ledger until the ledger has recorded it.

pub(crate) mod checkout;
pub(crate) mod offer;
pub(crate) mod payments;
pub(crate) mod recorder;
