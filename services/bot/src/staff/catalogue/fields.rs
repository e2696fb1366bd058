//! The fields of a product: asked for, read, and set.

use tolov_domain::{Language, Tiyin, order::Portion};
use tolov_shop::{
    catalogue::{DESCRIPTION_MAX_CHARS, FileId, Product, TITLE_MAX_CHARS},
    staff::{FiscalField, ProductChange},
};

use crate::{
    conversation::{context::Ctx, dialogue::Field, error::HandlerError},
    staff::{
        catalogue::{
            card::{Holds, pieces_text},
            photo::{self, Photo},
        },
        input::{self},
    },
    texts::{Html, l, t, unit},
};

/// MXIK has 17 digits; a package code is a number of the tax committee's register.
const MXIK_DIGITS: usize = 17;
const PACKAGE_CODE_DIGITS_MAX: usize = 20;

/// A value for a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Title(String),
    Description(String),
    Portion(Option<Portion>),
    Price(Tiyin),
    Stock(Option<u32>),
    Photo(Option<FileId>),
    Mxik(Option<String>),
    PackageCode(Option<String>),
    Vat(Option<u8>),
}

impl Value {
    /// Reads what was typed for a field. A photo cannot be typed.
    pub(super) fn read(field: Field, portion: Option<Portion>, text: &str) -> Option<Self> {
        Some(match field {
            Field::Title => Self::Title(input::line(text, TITLE_MAX_CHARS)?),
            Field::Description => Self::Description(input::lines(text, DESCRIPTION_MAX_CHARS)?),
            Field::Portion => Self::Portion(Some(Portion::parse(text)?)),
            Field::Price => Self::Price(input::price(text)?),
            Field::Stock => Self::Stock(Some(input::stock(text, portion)?)),
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

    /// The empty value, for a field that may be empty.
    pub(super) fn empty(field: Field) -> Option<Self> {
        match field {
            Field::Title | Field::Price => None,
            Field::Description => Some(Self::Description(String::new())),
            Field::Portion => Some(Self::Portion(None)),
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
            Self::Portion(portion) => product.portion = *portion,
            Self::Price(price) => product.price = *price,
            Self::Stock(stock) => product.stock = *stock,
            Self::Photo(photo) => product.set_photos(photo.iter().cloned().collect()),
            Self::Mxik(mxik) => product.fiscal.mxik.clone_from(mxik),
            Self::PackageCode(code) => product.fiscal.package_code.clone_from(code),
            Self::Vat(percent) => product.fiscal.vat_percent = *percent,
        }
    }
}

/// What the journal enters of a changed field; `None` where it is as before.
pub(super) fn change_of(field: Field, before: &Product, now: &Product) -> Option<ProductChange> {
    let fiscal = |field, was: Option<String>, now: Option<String>| {
        (was != now).then_some(ProductChange::Fiscal { field, was, now })
    };
    match field {
        Field::Title => {
            (before.title != now.title).then(|| ProductChange::Title { was: before.title.clone() })
        }
        Field::Description => {
            let (was, now) = (before.description.clone(), now.description.clone());
            (was != now).then_some(ProductChange::Description { was, now })
        }
        // It never changes.
        Field::Portion => None,
        Field::Price => {
            (before.price != now.price).then_some(ProductChange::Price { was: before.price, now: now.price })
        }
        Field::Stock => {
            let (was, now, portion) = (before.stock, now.stock, now.portion);
            (was != now).then_some(ProductChange::Stock { was, now, portion })
        }
        Field::Photo => (before.photos() != now.photos()).then_some(ProductChange::Photo),
        Field::Mxik => fiscal(FiscalField::Mxik, before.fiscal.mxik.clone(), now.fiscal.mxik.clone()),
        Field::PackageCode => fiscal(
            FiscalField::PackageCode,
            before.fiscal.package_code.clone(),
            now.fiscal.package_code.clone(),
        ),
        Field::Vat => {
            let percent = |product: &Product| product.fiscal.vat_percent.map(|percent| percent.to_string());
            fiscal(FiscalField::VatPercent, percent(before), percent(now))
        }
    }
}

/// The question for a field, with the form of the answer.
pub(super) fn question(language: Language, field: Field, product: &Product) -> String {
    match field {
        Field::Title => t!(language, "edit-ask-title", count = TITLE_MAX_CHARS),
        Field::Description => t!(language, "edit-ask-description", count = DESCRIPTION_MAX_CHARS),
        Field::Portion => t!(language, "edit-ask-portion"),
        Field::Price => price_question(language, product.portion),
        Field::Stock => stock_question(language, product.portion, Holds::of_article(product, product.id)),
        Field::Photo => t!(language, "edit-ask-photo"),
        Field::Mxik => t!(language, "edit-ask-mxik", count = MXIK_DIGITS),
        Field::PackageCode => t!(language, "edit-ask-package", count = PACKAGE_CODE_DIGITS_MAX),
        Field::Vat => t!(language, "edit-ask-vat"),
    }
}

/// Of a piece, or of a kilogram, litre or metre.
pub(super) fn price_question(language: Language, portion: Option<Portion>) -> String {
    match portion {
        Some(portion) => t!(language, "edit-ask-unit-price", unit = unit(language, portion.unit)),
        None => t!(language, "edit-ask-price"),
    }
}

/// Pieces that are held for unpaid orders are not in the number that is asked for.
pub(super) fn stock_question(language: Language, portion: Option<Portion>, holds: Holds) -> String {
    let mut html = match portion {
        Some(portion) => t!(language, "edit-ask-stock-amount", unit = unit(language, portion.unit)),
        None => t!(language, "edit-ask-stock"),
    };
    if holds.pieces > 0 {
        let pieces = pieces_text(language, holds.pieces, portion);
        html.push_str("\n\n");
        html.push_str(&t!(language, "edit-ask-stock-holds", pieces = pieces));
    }
    html
}

pub(super) fn asked(ctx: &Ctx, product: &Product, field: Field, wrong: Option<String>) -> String {
    let question = question(ctx.language, field, product);
    let html = wrong.map_or(question.clone(), |wrong| format!("{wrong}\n\n{question}"));
    t!(ctx.language, "edit-product-asked", title = product.title, asked = Html(html))
}

/// The value in the message; else what is wrong with it.
pub(super) async fn value_of(
    ctx: &Ctx,
    product: &Product,
    field: Field,
) -> Result<Result<Value, String>, HandlerError> {
    if field == Field::Photo {
        let language = ctx.deps.config.staff_language;
        let caption = l!(language, "edit-photo-of-product", id = product.id, title = product.title);
        return Ok(match photo::keep(ctx, caption).await? {
            Photo::Kept(file_id) => Ok(Value::Photo(Some(file_id))),
            Photo::Not(why) => Err(why),
        });
    }
    let value = ctx.text().and_then(|text| Value::read(field, product.portion, text));
    Ok(value.ok_or_else(|| t!(ctx.language, "edit-not-understood")))
}

/// The label of the button that leaves a field empty.
pub(super) fn empty_label(language: Language, field: Field, is_new: bool) -> String {
    if field == Field::Portion {
        l!(language, "edit-by-the-piece")
    } else if field == Field::Stock {
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
    fn valid_input_sets_a_field_and_other_input_is_refused() {
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
            let before = product.clone();
            Value::read(field, None, text).unwrap().put(&mut product);
            assert!(change_of(field, &before, &product).is_some(), "{field:?}");
            assert_eq!(change_of(field, &product, &product), None, "{field:?}");
        }
        for (field, text) in [
            (Field::Title, "/start"),
            (Field::Price, "arzon"),
            (Field::Price, "0"),
            (Field::Stock, "ko'p"),
            (Field::Photo, "photo"),
            (Field::Portion, "0,5"),
            (Field::Mxik, "123"),
            (Field::PackageCode, "12a"),
            (Field::Vat, "101"),
        ] {
            assert_eq!(Value::read(field, None, text), None, "{field:?} {text}");
        }
    }

    #[test]
    fn exactly_the_optional_fields_can_be_emptied() {
        for field in Field::ALL {
            assert_eq!(Value::empty(field).is_some(), field.may_be_empty(), "{field:?}");
        }
    }

    #[test]
    fn the_stock_of_what_is_sold_by_weight_is_typed_in_the_unit_and_rounded_down_to_portions() {
        let half = Portion::parse("0,5 kg");
        assert_eq!(Value::read(Field::Portion, None, "500 g"), Some(Value::Portion(half)));
        assert_eq!(Value::read(Field::Stock, half, "12,7"), Some(Value::Stock(Some(25))));
        assert_eq!(Value::read(Field::Stock, half, "12.5 kg"), Some(Value::Stock(Some(25))));
        assert_eq!(Value::read(Field::Stock, half, "ko‘p"), None);
    }
}
