//! The errors of a CSV table, in the language of its sender.

use tolov_domain::Language;
use tolov_shop::{
    catalogue::{CATEGORIES_MAX, PRODUCTS_MAX, VARIANTS_MAX},
    csv::{Column, Problem, ROWS_MAX, RowError},
};

use crate::texts::{Html, t};

/// `Line 7, price: write so'm as digits`.
pub(super) fn line(language: Language, error: &RowError) -> String {
    let problem = Html(problem(language, &error.problem));
    match error.column {
        Some(column) => {
            t!(language, "import-error-cell", line = error.line, column = column.name(), problem = problem)
        }
        None => t!(language, "import-error-row", line = error.line, problem = problem),
    }
}

fn problem(language: Language, problem: &Problem) -> String {
    match problem {
        Problem::TooLarge => t!(language, "import-too-large"),
        Problem::NotUtf8 => t!(language, "import-problem-not-utf8"),
        Problem::NoRows => t!(language, "import-problem-no-rows"),
        Problem::TooManyRows => t!(language, "import-problem-too-many-rows", count = ROWS_MAX),
        Problem::UnknownColumn(name) => {
            let known = Column::ALL.map(Column::name).join(", ");
            t!(language, "import-problem-unknown-column", name = name, known = known)
        }
        Problem::ColumnTwice => t!(language, "import-problem-column-twice"),
        Problem::TooFewColumns => t!(language, "import-problem-too-few-columns"),
        Problem::TooManyCells => t!(language, "import-problem-too-many-cells"),
        Problem::Missing => t!(language, "import-problem-missing"),
        Problem::NotANumber => t!(language, "import-problem-not-a-number"),
        Problem::UnknownProduct => t!(language, "import-problem-unknown-product"),
        Problem::UnknownVariant => t!(language, "import-problem-unknown-variant"),
        Problem::VariantOfAnother => t!(language, "import-problem-variant-of-another"),
        Problem::NotAPortion => t!(language, "import-problem-not-a-portion"),
        Problem::PortionStays => t!(language, "import-problem-portion-stays"),
        Problem::NotAPrice => t!(language, "import-problem-not-a-price"),
        Problem::NotAStock => t!(language, "import-problem-not-a-stock"),
        Problem::NotYesOrNo => t!(language, "import-problem-not-yes-or-no"),
        Problem::NotAMxik => t!(language, "import-problem-not-a-mxik"),
        Problem::NotAPackageCode => t!(language, "import-problem-not-a-package-code"),
        Problem::NotAPercentage => t!(language, "import-problem-not-a-percentage"),
        Problem::NotAPhoto => t!(language, "import-problem-not-a-photo"),
        Problem::TooLong { max_chars } => t!(language, "import-problem-too-long", count = *max_chars),
        Problem::Again { line } => t!(language, "import-problem-again", line = *line),
        Problem::Differs { line } => t!(language, "import-problem-differs", line = *line),
        Problem::WhichVariant => t!(language, "import-problem-which-variant"),
        Problem::LabelTaken => t!(language, "import-problem-label-taken"),
        Problem::WhichProduct => t!(language, "import-problem-which-product"),
        Problem::TooManyVariants => t!(language, "import-problem-too-many-variants", count = VARIANTS_MAX),
        Problem::TooManyProducts => t!(language, "import-problem-too-many-products", count = PRODUCTS_MAX),
        Problem::TooManyCategories => {
            t!(language, "import-problem-too-many-categories", count = CATEGORIES_MAX)
        }
    }
}
