//! What staff do.

pub(crate) mod catalogue;
mod input;
pub(crate) mod marketing;
pub(crate) mod orders;
pub(crate) mod panel;
pub(crate) mod people;
pub(crate) mod rights;
