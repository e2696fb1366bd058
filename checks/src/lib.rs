//! Load on the services from outside, as CLICK and shoppers make it.

pub mod load;
#[cfg(feature = "purchases")]
pub mod purchases;
#[cfg(feature = "purchases")]
pub mod taps;
