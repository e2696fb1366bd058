//! The payment page at `/services/pay`.

mod checkout;
mod html;
mod routes;
pub(super) mod session;
mod texts;

pub(crate) use routes::routes;
