//! The shop's rules on documents in memory, and on the embedded store where carts and orders are needed too.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop there")]

mod embedded;
mod jumbled;
mod shelf;

mod cart;
mod checkout;
mod fulfilment;
mod promo;
mod settling;
mod settling_at_once;
mod stock;
