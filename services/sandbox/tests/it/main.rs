//! The sandbox from outside: a teloxide bot, a merchant, a payer's browser.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod bot_api;
mod checkout;
mod control;
mod faults;
mod guard;
mod invoices;
mod merchant;
mod merchant_api;
mod page;
mod payments;
mod people;
mod polling;
mod running;
