//! Export and import of the catalogue as a table.
//!
//! One row an article: a product without variants, or one of its variants. A column that the file does not have changes
//! nothing. An empty cell means "none" where a value is optional (stock, description, codes, photo) and "unchanged" where it
//! is required (category, title, price). Products that the file does not list stay as they are.

mod apply;
mod cells;
mod columns;
mod desired;
mod export;
mod job;
mod plan;
mod preview;
mod problem;
mod rows;

pub use apply::{Application, Applied, apply};
pub(crate) use cells::{Table, guarded, table};
pub use columns::Column;
pub use export::export;
pub(crate) use export::price_text;
pub use job::{CATALOGUE_IMPORTS, ImportJob, ImportState, imports_in_state};
pub use plan::{Plan, plan};
pub use preview::{CellChange, Counts, ProductChange};
pub use problem::{FILE_MAX_BYTES, Problem, ROWS_MAX, RowError};

#[cfg(test)]
mod csv_tests;
