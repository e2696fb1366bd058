//! Load on the services from outside, as CLICK and shoppers make it.

#[cfg(feature = "purchases")]
mod bot_api;
#[cfg(feature = "purchases")]
pub mod bus;
pub mod load;
#[cfg(feature = "purchases")]
pub mod path;
#[cfg(feature = "purchases")]
pub mod purchases;
pub mod service;
#[cfg(feature = "purchases")]
pub mod taps;
