//! What is wrong with a file, cell by cell, and what to do about it.

use std::fmt;

use super::columns::Column;
use crate::catalogue::{CATEGORIES_MAX, PRODUCTS_MAX, VARIANTS_MAX};

/// Telegram gives larger files to no bot.
pub const FILE_MAX_BYTES: usize = 20_000_000;
pub const ROWS_MAX: usize = 100_000;

/// A reason why a file is not imported.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowError {
    /// As spreadsheets number rows: the heading is line 1.
    pub line: usize,
    /// `None`: the row, or the file, as a whole.
    pub column: Option<Column>,
    pub problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    TooLarge,
    NotUtf8,
    NoRows,
    TooManyRows,
    UnknownColumn(String),
    ColumnTwice,
    /// The heading has neither numbers nor what a new product needs.
    TooFewColumns,
    TooManyCells,
    /// A new product or variant needs it.
    Missing,
    NotANumber,
    UnknownProduct,
    UnknownVariant,
    /// The variant is of another product than the row says.
    VariantOfAnother,
    NotAPortion,
    /// The product is sold in another portion, which never changes.
    PortionStays,
    NotAPrice,
    NotAStock,
    NotYesOrNo,
    NotAMxik,
    NotAPackageCode,
    NotAPercentage,
    NotAPhoto,
    TooLong {
        max_chars: usize,
    },
    /// An earlier line is about the same article.
    Again {
        line: usize,
    },
    /// An earlier line has another value for the same product.
    Differs {
        line: usize,
    },
    /// The product has variants, and the row does not say which.
    WhichVariant,
    /// Another variant of the product has this label.
    LabelTaken,
    /// Several products have this title, and the row does not say which.
    WhichProduct,
    TooManyVariants,
    TooManyProducts,
    TooManyCategories,
}

impl RowError {
    pub(super) const fn new(line: usize, column: Column, problem: Problem) -> Self {
        Self { line, column: Some(column), problem }
    }

    pub(super) const fn of_row(line: usize, problem: Problem) -> Self {
        Self { line, column: None, problem }
    }
}

impl fmt::Display for RowError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}", self.line)?;
        if let Some(column) = self.column {
            write!(formatter, ", {}", column.name())?;
        }
        write!(formatter, ": {}", self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => {
                write!(formatter, "the file has more than {} MB: split it", FILE_MAX_BYTES / 1_000_000)
            }
            Self::NotUtf8 => formatter.write_str("the file is not UTF-8: save it as \"CSV UTF-8\""),
            Self::NoRows => formatter.write_str("there is nothing below the heading: export shows the form"),
            Self::TooManyRows => write!(formatter, "the file has more than {ROWS_MAX} rows: split it"),
            Self::UnknownColumn(name) => {
                let known = Column::ALL.map(Column::name).join(", ");
                write!(formatter, "there is no column {name:?}: rename or delete it; there are {known}")
            }
            Self::ColumnTwice => formatter.write_str("the column is there twice: delete one"),
            Self::TooFewColumns => formatter.write_str(
                "the first line must name the columns: product_id or variant_id, or category, title and price",
            ),
            Self::TooManyCells => {
                formatter.write_str("more cells than the heading: put a text with a delimiter in quotes")
            }
            Self::Missing => formatter.write_str("fill it in: what is new needs it"),
            Self::NotANumber => formatter.write_str("write the number from an export, or nothing for what is new"),
            Self::UnknownProduct => {
                formatter.write_str("no product has this number: leave it empty to make a new one")
            }
            Self::UnknownVariant => {
                formatter.write_str("no variant has this number: leave it empty to make a new one")
            }
            Self::VariantOfAnother => {
                formatter.write_str("the variant is another product's: look both numbers up in an export")
            }
            Self::NotAPortion => {
                formatter.write_str("write an amount with kg, g, l, ml or m, for example 0,5 kg, or nothing")
            }
            Self::PortionStays => formatter.write_str(
                "what a product is sold in never changes, because carts and orders count in it: add another product",
            ),
            Self::NotAPrice => formatter.write_str("write so'm as digits, for example 15000 or 15000.50, not 0"),
            Self::NotAStock => formatter.write_str("write a whole number (of what is sold by weight, 12,5), or nothing where it is not counted"),
            Self::NotYesOrNo => formatter.write_str("write yes or no"),
            Self::NotAMxik => formatter.write_str(
                "write 17 digits, with an apostrophe before them where the spreadsheet rounds, or nothing",
            ),
            Self::NotAPackageCode => formatter.write_str("write 1 to 20 digits, or nothing"),
            Self::NotAPercentage => formatter.write_str("write a whole number from 0 to 100, or nothing"),
            Self::NotAPhoto => {
                formatter.write_str("write a Telegram file_id from an export, or nothing; the bot takes photos")
            }
            Self::TooLong { max_chars } => write!(formatter, "write at most {max_chars} characters"),
            Self::Again { line } => write!(formatter, "line {line} is about the same article: delete one"),
            Self::Differs { line } => {
                write!(formatter, "line {line} says something else of this product: write the same, or nothing")
            }
            Self::WhichVariant => formatter.write_str("this product is sold in variants: say which"),
            Self::LabelTaken => {
                formatter.write_str("another variant of this product is called so: name it otherwise")
            }
            Self::WhichProduct => {
                formatter.write_str("several products are called so: write the number of one into product_id")
            }
            Self::TooManyVariants => {
                write!(formatter, "a product has at most {VARIANTS_MAX} variants: make two products of it")
            }
            Self::TooManyProducts => {
                write!(formatter, "a shop has at most {PRODUCTS_MAX} products: remove old ones first")
            }
            Self::TooManyCategories => {
                write!(formatter, "a shop has at most {CATEGORIES_MAX} categories: use one that is there")
            }
        }
    }
}
