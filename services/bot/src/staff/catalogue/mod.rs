//! The catalogue: categories, products and their variants, edited in the chat.

mod steps;

pub(crate) use steps::{CatalogueStep, Field, VariantField};
