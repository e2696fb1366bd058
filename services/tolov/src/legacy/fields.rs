//! Reading the fields of the old system: Python wrote what it had, so a number may be a float or a text, and a date a text
//! or MongoDB's.

use serde_json::Value;
use time::{
    PrimitiveDateTime, format_description::BorrowedFormatItem, format_description::well_known::Rfc3339,
    macros::format_description,
};
use tolov_domain::{
    OrderedProduct, ProductId, Tiyin,
    time::{Timestamp, from_unix_ms},
};
use tolov_shop::shopper::cart::COUNT_MAX;

/// SQLAlchemy's DateTime in SQLite, UTC.
const SQLITE_TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second][optional [.[subsecond]]]");

/// A whole number, also one that was written as `7.0` or `"7"`.
pub(super) fn whole(record: &Value, field: &str) -> Option<i64> {
    match record.get(field)? {
        Value::Number(number) => {
            let text = number.to_string();
            text.strip_suffix(".0").unwrap_or(&text).parse().ok()
        }
        Value::String(text) => text.trim().parse().ok(),
        Value::Object(long) => long.get("$numberLong")?.as_str()?.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) => None,
    }
}

/// A text that is not blank; a number becomes its digits.
pub(super) fn text(record: &Value, field: &str) -> Option<String> {
    let text = match record.get(field)? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// The items of a list, which SQLite keeps as a text.
pub(super) fn list(record: &Value, field: &str) -> Vec<Value> {
    match record.get(field) {
        Some(Value::Array(items)) => items.clone(),
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// An object, which SQLite keeps as a text.
pub(super) fn object(record: &Value, field: &str) -> Value {
    match record.get(field) {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        Some(object) => object.clone(),
        None => Value::Null,
    }
}

/// `[{product_id, count}]`, as carts and orders have it. What is no line is left out.
pub(super) fn products(record: &Value, field: &str) -> Vec<OrderedProduct> {
    let line = |item: &Value| {
        let product_id = ProductId::try_new(whole(item, "product_id")?).ok()?;
        let count = u32::try_from(whole(item, "count")?).ok().filter(|count| *count > 0)?;
        Some(OrderedProduct { product_id, count: count.min(COUNT_MAX) })
    };
    list(record, field).iter().filter_map(line).collect()
}

/// MongoDB's date in any of its forms, or SQLite's text.
pub(super) fn date(record: &Value, field: &str) -> Option<Timestamp> {
    let written = record.get(field)?;
    if let Some(date) = written.get("$date") {
        let of_text = date.as_str().and_then(|text| Timestamp::parse(text, &Rfc3339).ok());
        return of_text.or_else(|| whole(date, "$numberLong").map(from_unix_ms));
    }
    let text = written.as_str()?;
    Timestamp::parse(text, &Rfc3339).ok().or_else(|| {
        let text = text.replace('T', " ");
        PrimitiveDateTime::parse(&text, SQLITE_TIME).ok().map(PrimitiveDateTime::assume_utc)
    })
}

/// When MongoDB made the document, by its ObjectId.
pub(super) fn made_at(record: &Value) -> Option<Timestamp> {
    let id = record.get("_id")?.get("$oid")?.as_str()?;
    let seconds = i64::from_str_radix(id.get(..8)?, 16).ok()?;
    Timestamp::from_unix_timestamp(seconds).ok()
}

/// A price or a sum, and whether it had to be read with good will: `15 000 so'm`, `15,000`, a float with a tail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReadAmount {
    pub(super) amount: Tiyin,
    pub(super) is_exact: bool,
}

/// So'm. `None`: it is no amount.
pub(super) fn amount(record: &Value, field: &str) -> Option<ReadAmount> {
    let written = text(record, field)?;
    if let Ok(amount) = Tiyin::parse_soum(&written) {
        return Some(ReadAmount { amount, is_exact: true });
    }
    let is_part = |letter: &char| letter.is_ascii_digit() || matches!(letter, '.' | ',');
    let mut digits: String = written.chars().filter(is_part).collect();
    let unit = written.find(char::is_alphabetic).and_then(|place| written.get(place..)).unwrap_or_default();
    if written.starts_with('-') || unit.contains(|letter: char| letter.is_ascii_digit()) {
        return None;
    }
    // The last point or comma begins decimals, unless three digits come after it: then it groups thousands.
    if let Some(place) = digits.rfind(['.', ',']) {
        let (soum, decimals) = digits.split_at(place);
        let is_group = decimals.len() == 4 && !matches!(record.get(field), Some(Value::Number(_)));
        let decimals: String = decimals.chars().filter(char::is_ascii_digit).collect();
        let soum = soum.replace(['.', ','], "");
        digits = if is_group || decimals.is_empty() {
            format!("{soum}{decimals}")
        } else {
            rounded(&soum, &decimals)?
        };
    }
    Some(ReadAmount { amount: Tiyin::parse_soum(&digits).ok()?, is_exact: false })
}

/// So'm with as many decimals as a float has, rounded half up to tiyin.
fn rounded(soum: &str, decimals: &str) -> Option<String> {
    let mut digits = decimals.bytes().map(|digit| i64::from(digit - b'0')).chain(std::iter::repeat(0));
    let (tens, ones, next) = (digits.next()?, digits.next()?, digits.next()?);
    let soum: i64 = soum.parse().ok()?;
    let tiyin = soum.checked_mul(100)?.checked_add(tens * 10 + ones + i64::from(next >= 5))?;
    Some(format!("{}.{:02}", tiyin / 100, tiyin % 100))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn prices_are_read_as_people_and_floats_write_them() {
        let read = |price: Value| {
            amount(&json!({ "price": price }), "price").map(|read| (read.amount.get(), read.is_exact))
        };
        assert_eq!(read(json!(15000)), Some((1_500_000, true)));
        assert_eq!(read(json!(15000.0)), Some((1_500_000, true)));
        assert_eq!(read(json!("15000.5")), Some((1_500_050, true)));
        assert_eq!(read(json!(30_000.000_000_000_004)), Some((3_000_000, false)));
        assert_eq!(read(json!(0.999)), Some((100, false)));
        assert_eq!(read(json!("15 000 so'm")), Some((1_500_000, false)));
        assert_eq!(read(json!("15,000")), Some((1_500_000, false)));
        assert_eq!(read(json!("1.500.000 сум")), Some((150_000_000, false)));
        assert_eq!(read(json!("15000,50")), Some((1_500_050, false)));
        for no_price in
            [json!("kelishiladi"), json!(-5), json!(null), json!(""), json!("so'm 5"), json!(1e300)]
        {
            assert_eq!(read(no_price.clone()), None, "{no_price}");
        }
    }

    #[test]
    fn dates_are_read_from_mongodb_and_from_sqlite() {
        let at = datetime!(2025-11-29 08:30:01 UTC);
        for written in [
            json!({ "$date": "2025-11-29T08:30:01Z" }),
            json!({ "$date": { "$numberLong": "1764405001000" } }),
            json!("2025-11-29 08:30:01"),
            json!("2025-11-29 08:30:01.000000"),
            json!("2025-11-29T08:30:01"),
        ] {
            assert_eq!(date(&json!({ "at": written }), "at"), Some(at), "{written}");
        }
        assert_eq!(made_at(&json!({ "_id": { "$oid": "692aaf090000000000000000" } })), Some(at));
    }

    #[test]
    fn lines_are_read_from_lists_and_from_the_text_of_one() {
        let lines =
            json!([{ "product_id": 7, "count": 2 }, { "product_id": "8", "count": 0 }, { "count": 1 }]);
        let expected = [OrderedProduct { product_id: ProductId::try_new(7).unwrap(), count: 2 }];
        assert_eq!(products(&json!({ "savat": lines }), "savat"), expected);
        assert_eq!(products(&json!({ "savat": lines.to_string() }), "savat"), expected);
        assert_eq!(products(&json!({ "savat": null }), "savat"), []);
    }
}
