//! The fields of the shop's documents as they are stored: whole numbers are Int64, and what is called `…_at` is a date.

use mongodb::bson::{Bson, DateTime, Document};
use serde_json::Value;
use tolov_domain::ports::documents::{self, Body, Key, Version, is_instant};

/// Where the version of a document is.
pub(crate) const VERSION: &str = "version";

pub(crate) fn key_to_bson(key: &Key) -> Bson {
    match key {
        Key::Number(number) => Bson::Int64(*number),
        Key::Text(text) => Bson::String(text.clone()),
    }
}

/// A document without its `_id`. The body is one that `checked_body` has let through; the error says what is not.
pub(crate) fn to_stored(version: Version, body: &Body) -> Result<Document, String> {
    let mut stored = Document::new();
    stored.insert(VERSION, version);
    for (name, value) in body {
        stored.insert(name, to_bson(name, value)?);
    }
    Ok(stored)
}

/// One value under its field's name; the items of a list are called as the list is.
pub(crate) fn to_bson(name: &str, value: &Value) -> Result<Bson, String> {
    Ok(match value {
        Value::Null => Bson::Null,
        Value::Bool(flag) => Bson::Boolean(*flag),
        Value::Number(number) => {
            let whole = number.as_i64().ok_or_else(|| format!("{name}: {number} is no whole number"))?;
            number_to_bson(name, whole)
        }
        Value::String(text) => Bson::String(text.clone()),
        Value::Array(items) => {
            Bson::Array(items.iter().map(|item| to_bson(name, item)).collect::<Result<_, _>>()?)
        }
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| Ok((name.clone(), to_bson(name, value)?));
            Bson::Document(fields.iter().map(field).collect::<Result<_, String>>()?)
        }
    })
}

/// A number as the field of this name holds it.
pub(crate) fn number_to_bson(name: &str, number: i64) -> Bson {
    if is_instant(name) { Bson::DateTime(DateTime::from_millis(number)) } else { Bson::Int64(number) }
}

pub(crate) fn from_stored(mut stored: Document) -> Result<documents::Document, String> {
    let key = match stored.remove("_id").map(|id| from_bson("_id", id)).transpose()? {
        Some(Value::String(text)) => Key::Text(text),
        Some(Value::Number(number)) => Key::Number(number.as_i64().ok_or("_id is no whole number")?),
        _ => return Err("_id is neither a number nor a text".to_owned()),
    };
    // A document that somebody put there by hand has no version: nobody has written it yet.
    let version = match stored.remove(VERSION).map(|version| from_bson(VERSION, version)).transpose()? {
        None | Some(Value::Null) => 0,
        Some(version) => version.as_i64().ok_or("version is no whole number")?,
    };
    Ok(documents::Document { key, version, body: fields_from(stored)? })
}

fn fields_from(stored: Document) -> Result<Body, String> {
    let field = |(name, value): (String, Bson)| {
        let value = from_bson(&name, value)?;
        Ok((name, value))
    };
    stored.into_iter().map(field).collect()
}

fn from_bson(name: &str, value: Bson) -> Result<Value, String> {
    Ok(match value {
        Bson::Null => Value::Null,
        Bson::Boolean(flag) => flag.into(),
        Bson::Int32(number) => number.into(),
        Bson::Int64(number) => number.into(),
        Bson::DateTime(at) => at.timestamp_millis().into(),
        // The shell makes floats of large numbers that are typed into it; a whole one is meant as a number.
        Bson::Double(number) => number
            .to_string()
            .parse::<i64>()
            .map(Value::from)
            .map_err(|_| format!("{name}: {number} is no whole number"))?,
        Bson::String(text) => text.into(),
        Bson::Array(items) => {
            items.into_iter().map(|item| from_bson(name, item)).collect::<Result<_, _>>()?
        }
        Bson::Document(fields) => Value::Object(fields_from(fields)?),
        odd @ (Bson::RegularExpression(_)
        | Bson::JavaScriptCode(_)
        | Bson::JavaScriptCodeWithScope(_)
        | Bson::Timestamp(_)
        | Bson::Binary(_)
        | Bson::ObjectId(_)
        | Bson::Symbol(_)
        | Bson::Decimal128(_)
        | Bson::Undefined
        | Bson::MaxKey
        | Bson::MinKey
        | Bson::DbPointer(_)) => {
            return Err(format!("{name}: no document of the shop holds a {:?}", odd.element_type()));
        }
    })
}

#[cfg(test)]
mod tests {
    use mongodb::bson::doc;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_called_at_is_a_date_wherever_it_is_and_other_numbers_are_int64() {
        let body = json!({
            "price": 5,
            "at": 6,
            "placed_at": 7,
            "seen_at": [8, null, [9]],
            "steps": [{ "done_at": 10, "count": 11 }],
            "holds_at": { "1024": 12 },
        });
        let stored = to_stored(3, body.as_object().unwrap()).unwrap();
        let date = DateTime::from_millis;
        assert_eq!(
            stored,
            doc! {
                "version": 3_i64,
                "at": 6_i64,
                "holds_at": { "1024": 12_i64 },
                "placed_at": date(7),
                "price": 5_i64,
                "seen_at": [date(8), null, [date(9)]],
                "steps": [{ "count": 11_i64, "done_at": date(10) }],
            }
        );
        let mut with_id = stored;
        with_id.insert("_id", "seven");
        let read = from_stored(with_id).unwrap();
        assert_eq!((read.key, read.version, Value::Object(read.body)), (Key::from("seven"), 3, body));
    }

    #[test]
    fn what_was_typed_into_the_shell_is_read_as_it_was_meant() {
        let typed = doc! { "_id": 7, "price": 1_500_000_000_000.0, "count": 2, "title": "non" };
        let read = from_stored(typed).unwrap();
        assert_eq!((read.key, read.version), (Key::Number(7), 0));
        let meant = json!({ "price": 1_500_000_000_000_i64, "count": 2, "title": "non" });
        assert_eq!(Value::Object(read.body), meant);
    }

    #[test]
    fn what_no_document_holds_is_told_with_its_name() {
        let odd = doc! { "_id": 7, "price": 1.5 };
        assert!(from_stored(odd).unwrap_err().contains("price"));
        let odd = doc! { "_id": 7, "lines": [{ "by": mongodb::bson::oid::ObjectId::new() }] };
        assert!(from_stored(odd).unwrap_err().contains("by"));
        assert!(from_stored(doc! { "title": "non" }).unwrap_err().contains("_id"));
        assert!(from_stored(doc! { "_id": 1.5 }).unwrap_err().contains("_id"));
    }
}
