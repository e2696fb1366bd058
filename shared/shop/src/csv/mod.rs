//! The catalogue as a table, out and in again.
//!
//! One row an article: a product without variants, or one of its variants. A column that is left out of the file leaves
//! what it is about as it is; an empty cell is "none" where there can be none (stock, description, codes, photo) and
//! "as it is" where there must be one (category, title, price). What the file does not name stays.

mod apply;
mod cells;
mod columns;
mod export;
mod plan;
mod preview;
mod problem;
mod rows;
mod wish;

pub use apply::{Applied, apply};
pub(crate) use cells::{guarded, table};
pub use columns::Column;
pub use export::export;
pub(crate) use export::price_text;
pub use plan::{Plan, plan};
pub use preview::{CellChange, Counts, ProductChange};
pub use problem::{Problem, RowError};
use tolov_domain::ports::{PortError, documents::Documents};

use crate::catalogue::{self, Category, Product};

/// What Telegram gives to a bot is not larger.
pub const FILE_MAX_BYTES: usize = 20_000_000;
pub const ROWS_MAX: usize = 100_000;

/// A catalogue as it was read, whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalogue {
    /// In the order of the menu.
    pub categories: Vec<Category>,
    /// By number.
    pub products: Vec<Product>,
}

impl Catalogue {
    pub async fn read(documents: &dyn Documents) -> Result<Self, PortError> {
        Ok(Self {
            categories: catalogue::categories(documents).await?,
            products: catalogue::products(documents).await?,
        })
    }
}

#[cfg(test)]
mod csv_tests;
