//! CLICK's side of the protocol: a callback, its delivery, and the merchant's answer.

mod answer;
mod callback;
mod client;

pub(crate) use answer::{Answer, HttpAnswer};
pub(crate) use callback::{Callback, Encoding, Step, sign_time};
pub(crate) use client::MerchantClient;
