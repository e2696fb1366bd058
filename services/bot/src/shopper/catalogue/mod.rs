//! Products as shoppers find them.

pub(crate) mod browse;
pub(crate) mod card;
pub(crate) mod inline;
pub(crate) mod quantity;
pub(crate) mod search;
