//! The Merchant API at `/v2/merchant/`: what a merchant asks CLICK (docs/click.md, section 3).
//!
//! It answers as CLICK was seen to answer: HTTP 200 with a code, also to wrong keys (-12, -15) and to a payment that it does
//! not know (-16). Where nothing is known it is strict and says what is wrong.

mod answer;
pub(super) mod faults;
mod fiscal;
mod invoices;
mod payments;
pub(super) mod records;
mod routes;

pub(crate) use routes::routes;
