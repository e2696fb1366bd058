//! What can be said about a product: asked for, read, put in.

use tolov_domain::{Language, Tiyin};
use tolov_shop::catalogue::{DESCRIPTION_MAX_CHARS, FileId, Product, TITLE_MAX_CHARS};

use crate::{
    conversation::dialogue::Field,
    staff::{catalogue::card::Holds, input},
    texts::{l, t},
};

/// MXIK has 17 digits; a package code is a number of the tax committee's register.
const MXIK_DIGITS: usize = 17;
const PACKAGE_CODE_DIGITS_MAX: usize = 20;

/// A value for a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Title(String),
    Description(String),
    Price(Tiyin),
    Stock(Option<u32>),
    Photo(Option<FileId>),
    Mxik(Option<String>),
    PackageCode(Option<String>),
    Vat(Option<u8>),
}

impl Value {
    /// What was typed for a field. A photo cannot be typed.
    pub(super) fn read(field: Field, text: &str) -> Option<Self> {
        Some(match field {
            Field::Title => Self::Title(input::line(text, TITLE_MAX_CHARS)?),
            Field::Description => Self::Description(input::lines(text, DESCRIPTION_MAX_CHARS)?),
            Field::Price => Self::Price(input::price(text)?),
            Field::Stock => Self::Stock(Some(input::stock(text)?)),
            Field::Photo => return None,
            Field::Mxik => Self::Mxik(Some(input::digits(text, MXIK_DIGITS..=MXIK_DIGITS)?)),
            Field::PackageCode => Self::PackageCode(Some(input::digits(text, 1..=PACKAGE_CODE_DIGITS_MAX)?)),
            Field::Vat => {
                let text = text.trim();
                let percent = input::count(text.strip_suffix('%').unwrap_or(text), 100)?;
                Self::Vat(u8::try_from(percent).ok())
            }
        })
    }

    /// Nothing, for a field that may be empty.
    pub(super) fn empty(field: Field) -> Option<Self> {
        match field {
            Field::Title | Field::Price => None,
            Field::Description => Some(Self::Description(String::new())),
            Field::Stock => Some(Self::Stock(None)),
            Field::Photo => Some(Self::Photo(None)),
            Field::Mxik => Some(Self::Mxik(None)),
            Field::PackageCode => Some(Self::PackageCode(None)),
            Field::Vat => Some(Self::Vat(None)),
        }
    }

    pub(super) fn put(&self, product: &mut Product) {
        match self {
            Self::Title(title) => product.title.clone_from(title),
            Self::Description(description) => product.description.clone_from(description),
            Self::Price(price) => product.price = *price,
            Self::Stock(stock) => product.stock = *stock,
            Self::Photo(photo) => product.photo.clone_from(photo),
            Self::Mxik(mxik) => product.fiscal.mxik.clone_from(mxik),
            Self::PackageCode(code) => product.fiscal.package_code.clone_from(code),
            Self::Vat(percent) => product.fiscal.vat_percent = *percent,
        }
    }
}

/// A field as the journal writes it, the same in every language.
pub(super) fn written(field: Field, product: &Product) -> String {
    const NONE: &str = "–";
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| NONE.to_owned());
    match field {
        Field::Title => product.title.clone(),
        Field::Description if product.description.is_empty() => NONE.to_owned(),
        Field::Description => product.description.clone(),
        Field::Price => product.price.grouped(),
        Field::Stock => written_stock(product.stock),
        // Whole: names of files begin alike, and it is to be told whether it is another one.
        Field::Photo => or_none(&product.photo),
        Field::Mxik => format!("MXIK {}", or_none(&product.fiscal.mxik)),
        Field::PackageCode => format!("package {}", or_none(&product.fiscal.package_code)),
        Field::Vat => {
            let percent = product.fiscal.vat_percent;
            format!("VAT {}", percent.map_or_else(|| NONE.to_owned(), |percent| format!("{percent}%")))
        }
    }
}

pub(super) fn written_stock(stock: Option<u32>) -> String {
    stock.map_or_else(|| "∞".to_owned(), |stock| stock.to_string())
}

/// In the form of the journal's words.
pub(super) const fn deed(field: Field) -> &'static str {
    match field {
        Field::Title => "product.title",
        Field::Description => "product.description",
        Field::Price => "product.price",
        Field::Stock => "product.stock",
        Field::Photo => "product.photo",
        Field::Mxik | Field::PackageCode | Field::Vat => "product.fiscal",
    }
}

/// The question for a field, which says what an answer looks like.
pub(super) fn question(language: Language, field: Field, product: &Product) -> String {
    match field {
        Field::Title => t!(language, "edit-ask-title", count = TITLE_MAX_CHARS),
        Field::Description => t!(language, "edit-ask-description", count = DESCRIPTION_MAX_CHARS),
        Field::Price => t!(language, "edit-ask-price"),
        Field::Stock => stock_question(language, Holds::of_article(product, product.id)),
        Field::Photo => t!(language, "edit-ask-photo"),
        Field::Mxik => t!(language, "edit-ask-mxik", count = MXIK_DIGITS),
        Field::PackageCode => t!(language, "edit-ask-package", count = PACKAGE_CODE_DIGITS_MAX),
        Field::Vat => t!(language, "edit-ask-vat"),
    }
}

/// Pieces that wait for their money are not in the number that is asked for.
pub(super) fn stock_question(language: Language, holds: Holds) -> String {
    let mut html = t!(language, "edit-ask-stock");
    if holds.pieces > 0 {
        html.push_str("\n\n");
        html.push_str(&t!(language, "edit-ask-stock-holds", count = holds.pieces));
    }
    html
}

/// The button that leaves a field empty.
pub(super) fn empty_label(language: Language, field: Field, is_new: bool) -> String {
    if field == Field::Stock {
        l!(language, "edit-stock-do-not-count")
    } else if is_new {
        l!(language, "edit-skip")
    } else if field == Field::Photo {
        l!(language, "edit-remove-photo")
    } else {
        l!(language, "edit-make-empty")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staff::catalogue::card::tests::teapot;

    #[test]
    fn what_is_typed_for_a_field_is_put_in_and_what_does_not_fit_is_not() {
        let mut product = teapot();
        for (field, text) in [
            (Field::Title, "Piyola"),
            (Field::Description, "Oq\nchinni"),
            (Field::Price, "12 500"),
            (Field::Stock, "40"),
            (Field::Mxik, "06912 001 001 000001"),
            (Field::PackageCode, "1501234"),
            (Field::Vat, "12%"),
        ] {
            let before = written(field, &product);
            Value::read(field, text).unwrap().put(&mut product);
            assert_ne!(written(field, &product), before, "{field:?}");
        }
        for (field, text) in [
            (Field::Title, "/start"),
            (Field::Price, "arzon"),
            (Field::Price, "0"),
            (Field::Stock, "ko'p"),
            (Field::Photo, "photo"),
            (Field::Mxik, "123"),
            (Field::PackageCode, "12a"),
            (Field::Vat, "101"),
        ] {
            assert_eq!(Value::read(field, text), None, "{field:?} {text}");
        }
    }

    #[test]
    fn what_may_be_empty_becomes_empty() {
        for field in Field::ALL {
            assert_eq!(Value::empty(field).is_some(), field.may_be_empty(), "{field:?}");
        }
    }
}
