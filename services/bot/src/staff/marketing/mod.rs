//! Broadcasts, promo codes, statistics.

pub(crate) mod broadcast;
pub(crate) mod new_promo;
pub(crate) mod promo;
pub(crate) mod statistics;
