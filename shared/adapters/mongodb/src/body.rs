//! Documents as they are stored: integers are Int64, and in fields whose name ends with `_at` dates.

use mongodb::bson::{Bson, DateTime, Document, RawDocument};
use serde_json::Value;
use tolov_domain::ports::documents::{self, Body, Key, Unreadable, Version, is_timestamp};

/// The field of a document's version.
pub(crate) const VERSION: &str = "version";

pub(crate) fn key_to_bson(key: &Key) -> Bson {
    match key {
        Key::Number(number) => Bson::Int64(*number),
        Key::Text(text) => Bson::String(text.clone()),
    }
}

/// The body is one that `checked_body` accepts; the error says what is not.
pub(crate) fn to_stored(key: &Key, version: Version, body: &Body) -> Result<Document, String> {
    let mut stored = Document::new();
    stored.insert("_id", key_to_bson(key));
    stored.insert(VERSION, version);
    for (name, value) in body {
        stored.insert(name, to_bson(name, value)?);
    }
    Ok(stored)
}

/// `name` is the field's; the items of a list share the name of the list.
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

/// A number of the field with this name.
pub(crate) fn number_to_bson(name: &str, number: i64) -> Bson {
    if is_timestamp(name) { Bson::DateTime(DateTime::from_millis(number)) } else { Bson::Int64(number) }
}

pub(crate) fn from_stored(raw: &RawDocument) -> Result<documents::Document, Unreadable> {
    let (key, is_key) =
        match raw.get("_id").ok().flatten().and_then(|id| Bson::try_from(id.to_raw_bson()).ok()) {
            Some(Bson::String(text)) => (Key::Text(text), true),
            Some(Bson::Int32(number)) => (Key::Number(number.into()), true),
            Some(Bson::Int64(number)) => (Key::Number(number), true),
            Some(other) => (Key::Text(other.to_string()), false),
            None => (Key::Text("without _id".to_owned()), false),
        };
    let read = || {
        if !is_key {
            return Err("its _id is neither a whole number nor a text".to_owned());
        }
        let mut stored = Document::try_from(raw).map_err(|error| error.to_string())?;
        stored.remove("_id");
        // A document that was inserted by hand has no version: nobody has written it yet.
        let version = match stored.remove(VERSION).map(|version| from_bson(VERSION, version)).transpose()? {
            None | Some(Value::Null) => 0,
            Some(version) => version.as_i64().ok_or("its version is no whole number")?,
        };
        Ok(documents::Document { key: key.clone(), version, body: fields_from(stored)? })
    };
    read().map_err(|reason| Unreadable { key: key.clone(), reason })
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
        // mongosh stores numbers beyond 32 bits as doubles; a whole one is meant as an integer.
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
            return Err(format!("{name}: documents of the shop hold no {:?}", odd.element_type()));
        }
    })
}

#[cfg(test)]
mod tests {
    use mongodb::bson::{RawDocumentBuf, doc, oid::ObjectId};
    use serde_json::json;

    use super::*;

    fn read(stored: &Document) -> Result<documents::Document, Unreadable> {
        from_stored(&RawDocumentBuf::from_document(stored).unwrap())
    }

    #[test]
    fn numbers_in_fields_that_end_with_at_are_dates_and_all_others_are_int64() {
        let body = json!({
            "price": 5,
            "at": 6,
            "placed_at": 7,
            "seen_at": [8, null, [9]],
            "steps": [{ "done_at": 10, "count": 11 }],
            "holds_at": { "1024": 12 },
        });
        let stored = to_stored(&Key::from("seven"), 3, body.as_object().unwrap()).unwrap();
        let date = DateTime::from_millis;
        assert_eq!(
            stored,
            doc! {
                "_id": "seven",
                "version": 3_i64,
                "at": 6_i64,
                "holds_at": { "1024": 12_i64 },
                "placed_at": date(7),
                "price": 5_i64,
                "seen_at": [date(8), null, [date(9)]],
                "steps": [{ "count": 11_i64, "done_at": date(10) }],
            }
        );
        let read = read(&stored).unwrap();
        assert_eq!((read.key, read.version, Value::Object(read.body)), (Key::from("seven"), 3, body));
    }

    #[test]
    fn numbers_typed_into_mongosh_are_read_as_integers() {
        let typed = doc! { "_id": 7, "price": 1_500_000_000_000.0, "count": 2, "title": "non" };
        let read = read(&typed).unwrap();
        assert_eq!((read.key, read.version), (Key::Number(7), 0));
        let meant = json!({ "price": 1_500_000_000_000_i64, "count": 2, "title": "non" });
        assert_eq!(Value::Object(read.body), meant);
    }

    #[test]
    fn an_unreadable_document_is_told_with_its_key_and_the_field() {
        for (stored, key, field) in [
            (doc! { "_id": 7, "price": 1.5 }, Key::Number(7), "price"),
            (doc! { "_id": "x", "lines": [{ "by": ObjectId::new() }] }, Key::from("x"), "by"),
            (doc! { "_id": 7_i64, "version": "3" }, Key::Number(7), "version"),
            (doc! { "title": "non" }, Key::from("without _id"), "_id"),
            (doc! { "_id": 1.5 }, Key::from("1.5"), "_id"),
        ] {
            let unreadable = read(&stored).unwrap_err();
            assert_eq!(unreadable.key, key);
            assert!(unreadable.reason.contains(field), "{unreadable:?}");
        }
    }
}
