#![doc = include_str!("../README.md")]

pub mod callback;
pub mod card;
pub mod form;
pub mod link;
pub mod merchant_api;
pub mod reply;
pub mod sign;

pub use callback::{Action, Callback, Malformed};
pub use form::{BadForm, CallbackForm};
pub use link::PayLink;
pub use merchant_api::{ApiAnswer, Auth, Call};
pub use reply::{ClickCode, Reply};
pub use sign::{SecretKey, sign_complete, sign_prepare};
