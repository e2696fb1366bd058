//! The catalogue: categories, products and their variants, edited in the chat.

mod card;
pub(crate) mod categories;
pub(crate) mod category;
pub(crate) mod edit;
pub(crate) mod exchange;
mod fields;
mod import_errors;
pub(crate) mod import_job;
mod import_texts;
pub(crate) mod new_product;
mod photo;
pub(crate) mod product;
pub(crate) mod variant;
pub(crate) mod variants;
