//! The bot as a whole, against a small Bot API, bus and shop store in memory.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop there")]

mod albums;
mod broadcast;
mod bus;
mod failures;
mod imports;
mod late_money;
mod ledger;
mod notices;
mod orders;
mod owners;
mod receipts;
mod refunds;
mod registering;
mod secrecy;
mod shop;
mod shopfront;
mod staff;
mod support;
mod taps;
mod telegram;
mod together;
mod updates;
mod waiting;
mod webhook;
mod weights;
mod world;
