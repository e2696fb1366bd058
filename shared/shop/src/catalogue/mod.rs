//! The catalogue: categories, products with their variants, and their stock.

mod holds;
mod product;
mod queries;
mod search;
pub mod stock;

pub use product::{
    Article, CATEGORIES, CATEGORIES_MAX, Category, DESCRIPTION_MAX_CHARS, FileId, Fiscal, PRODUCTS,
    PRODUCTS_MAX, Product, TITLE_MAX_CHARS, VARIANTS_MAX, Variant,
};
pub use queries::{
    Catalogue, CategoryRemoval, articles, categories, category, next_article_id, next_category_id,
    place_category, product, product_of_article, products, products_in, remove_category, reserve_numbers,
    shown_categories, shown_products_in,
};
pub use search::{fold, search};
