//! From the cart to the pay button.

pub(crate) mod place;
pub(crate) mod steps;
pub(crate) mod waiting;
