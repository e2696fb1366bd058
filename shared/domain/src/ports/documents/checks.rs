//! What every store refuses, so that a body or a query is valid on all of them or on none.

use std::{collections::BTreeSet, ops::RangeInclusive};

use serde_json::Value;

use super::{Body, Filter, Query, Write};
use crate::ports::error::PortError;

/// The timestamps that every store can represent, in milliseconds since 1970: the years 1 to 9999.
pub const TIMESTAMPS_MS: RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;

/// Whether a number in a field of this name is a timestamp.
pub fn is_timestamp(field: &str) -> bool {
    field.ends_with("_at")
}

/// Accepts a body that every store can keep and return unchanged.
pub fn checked_body(body: &Body) -> Result<&Body, PortError> {
    if body.contains_key("version") {
        return Err(refused("a document's field `version` is the store's own: name it otherwise"));
    }
    check_fields(body)?;
    Ok(body)
}

/// Accepts a batch in which no document is written twice. Each body is checked on its own.
pub fn checked_batch(writes: &[Write]) -> Result<&[Write], PortError> {
    let mut keys = BTreeSet::new();
    match writes.iter().find(|write| !keys.insert(&write.key)) {
        Some(write) => Err(PortError::Refused(format!("a batch writes the document {} twice", write.key))),
        None => Ok(writes),
    }
}

/// Accepts a query that every store can answer from an index.
pub fn checked_query(query: &Query) -> Result<&Query, PortError> {
    let field = match &query.filter {
        Filter::All { .. } => return Ok(query),
        Filter::Is { field, value } => {
            check_wanted(field, value)?;
            field
        }
        Filter::AnyOf { field, values } => {
            values.iter().try_for_each(|value| check_wanted(field, value))?;
            field
        }
        Filter::Between { field, .. } => field,
    };
    if query.collection.indexed().contains(field) {
        return Ok(query);
    }
    Err(PortError::Refused(format!(
        "`{}` has no index on `{field}`: add the field where the collection is declared",
        query.collection.name()
    )))
}

fn check_wanted(field: &str, value: &Value) -> Result<(), PortError> {
    if value.is_number() || value.is_string() {
        return check_value(field, value);
    }
    Err(refused("documents are found by a number or by a text"))
}

fn check_fields(fields: &Body) -> Result<(), PortError> {
    for (name, value) in fields {
        if name.is_empty() || name.starts_with(['$', '_']) || name.contains(['.', '\0']) {
            return Err(PortError::Refused(format!("no document's field can be called {name:?}")));
        }
        check_value(name, value)?;
    }
    Ok(())
}

/// `name` is the field's; the items of a list share the name of the list.
fn check_value(name: &str, value: &Value) -> Result<(), PortError> {
    match value {
        Value::Number(number) => match number.as_i64() {
            None => Err(PortError::Refused(format!(
                "{name}: {number} is no whole number of 64 bits, so no document can hold it"
            ))),
            Some(at_ms) if is_timestamp(name) && !TIMESTAMPS_MS.contains(&at_ms) => Err(PortError::Refused(
                format!("{name}: {at_ms} is no timestamp in milliseconds of the years 1 to 9999"),
            )),
            Some(_) => Ok(()),
        },
        Value::Array(items) => items.iter().try_for_each(|item| check_value(name, item)),
        Value::Object(fields) => check_fields(fields),
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

fn refused(why: &str) -> PortError {
    PortError::Refused(why.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::{Collection, Query},
        *,
    };

    const ORDERS: Collection = Collection::new("orders", &["status", "placed_at"]);

    fn is_refused(body: &Value) -> bool {
        matches!(checked_body(body.as_object().unwrap()), Err(PortError::Refused(_)))
    }

    #[test]
    fn fractions_oversized_numbers_and_reserved_field_names_are_refused() {
        for body in [
            json!({ "price": 1.5 }),
            json!({ "price": 9_223_372_036_854_775_808_u64 }),
            json!({ "lines": [{ "price": 0.0 }] }),
            json!({ "version": 1 }),
            json!({ "_id": 1 }),
            json!({ "$set": 1 }),
            json!({ "": 1 }),
            json!({ "title": { "uz.latin": "non" } }),
            json!({ "a\u{0}b": 1 }),
            json!({ "placed_at": i64::MAX }),
            json!({ "steps": [{ "done_at": [0, -62_135_596_800_001_i64] }] }),
        ] {
            assert!(is_refused(&body), "{body}");
        }
        for body in [
            json!({}),
            json!({ "placed_at": 253_402_300_799_999_i64, "done_at": [null, -62_135_596_800_000_i64, "soon"] }),
            json!({ "price": i64::MAX, "change": i64::MIN }),
            json!({ "terms": { "version": 2 }, "lines": [null, true, "$text", "a.b", [1]] }),
        ] {
            assert!(!is_refused(&body), "{body}");
        }
    }

    #[test]
    fn a_batch_that_writes_a_document_twice_is_refused() {
        let write = |key: i64| Write { key: key.into(), seen: None, body: Body::new() };
        assert!(checked_batch(&[write(1), write(2)]).is_ok());
        assert!(checked_batch(&[write(1), write(2), write(1)]).is_err());
    }

    #[test]
    fn a_query_needs_an_indexed_field_and_a_number_or_a_text() {
        let good = [
            Query::all(ORDERS, 1),
            Query::is(ORDERS, "status", "paid", 1),
            Query::any_of(ORDERS, "status", vec!["paid".into(), 7.into()], 1),
            Query::any_of(ORDERS, "status", Vec::new(), 1),
            Query::between(ORDERS, "placed_at", (1, 2), 1),
        ];
        assert!(good.iter().all(|query| checked_query(query).is_ok()));
        let bad = [
            Query::is(ORDERS, "comment", "x", 1),
            Query::is(ORDERS, "status", Value::Null, 1),
            Query::is(ORDERS, "status", true, 1),
            Query::is(ORDERS, "status", 1.5, 1),
            Query::is(ORDERS, "placed_at", i64::MAX, 1),
            Query::any_of(ORDERS, "status", vec!["paid".into(), Value::Null], 1),
            Query::any_of(ORDERS, "comment", vec!["x".into()], 1),
            Query::between(ORDERS, "position", (1, 2), 1),
        ];
        assert!(bad.iter().all(|query| checked_query(query).is_err()));
    }
}
