//! The sandbox from outside: a real teloxide bot, a merchant, a payer's browser.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod bot_api;
mod checkout;
mod control;
mod faults;
mod guard;
mod merchant;
mod merchant_api;
mod page;
mod payments;
mod people;
mod polling;
mod running;
