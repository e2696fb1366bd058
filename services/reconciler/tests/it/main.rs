//! The reconciler against a CLICK and a ledger in memory, which fail as the tests want.
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its world has failed")]

mod attempts;
mod client;
mod clock;
mod invoices;
mod receipts;
mod refunds;
mod world;
