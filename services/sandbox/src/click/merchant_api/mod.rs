//! The Merchant API at `/v2/merchant/`: what a merchant asks CLICK (docs/click.md, section 3).
//!
//! Where CLICK's documents are silent the simulator is strict and says what is wrong: a merchant that satisfies it
//! satisfies CLICK, whose error codes are not published.

mod answer;
mod fiscal;
mod invoices;
mod payments;
pub(super) mod records;
mod routes;

pub(crate) use routes::routes;
