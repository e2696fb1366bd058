//! The catalogue: categories, products with their variants, and their stock.

mod holds;
mod product;
mod queries;
mod search;
mod snapshot;
pub mod stock;

pub use tolov_domain::receipt::Fiscal;

pub use product::{
    Article, CATEGORIES, CATEGORIES_MAX, Category, DESCRIPTION_MAX_CHARS, FileId, PHOTOS_MAX, PRODUCTS,
    PRODUCTS_MAX, Product, TITLE_MAX_CHARS, VARIANTS_MAX, Variant,
};
pub use queries::{
    Catalogue, CategoryRemoval, articles, categories, category, count_products_in, next_article_id,
    next_category_id, place_category, product, product_of_article, products, products_in, remove_category,
    reserve_numbers, shown_products,
};
pub use search::fold;
pub use snapshot::{
    CATALOGUE_CHANGES, Listed, Snapshot, SnapshotCache, change, insert, mark_changed, remove,
};
