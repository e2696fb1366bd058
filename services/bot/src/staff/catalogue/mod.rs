//! The catalogue: categories, products and their variants, edited in the chat.

mod card;
pub(crate) mod categories;
pub(crate) mod category;
pub(crate) mod edit;
mod fields;
pub(crate) mod new_product;
pub(crate) mod product;
mod steps;
pub(crate) mod variant;
pub(crate) mod variants;

pub(crate) use steps::{Asked, CatalogueStep, Field, VariantField};
