//! The rules of the shop, on documents in memory.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop there")]

mod interleaved;
mod shop;

mod batches;
mod budget;
mod cart;
mod checkout;
mod concurrency;
mod contradictions;
mod orders;
mod promo;
mod receipts;
mod refunds;
mod repair;
mod settling;
mod stock;
mod unreadable;
