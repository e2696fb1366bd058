//! What every store refuses, so that no body is good in one and bad in another.

use serde_json::Value;

use super::{Body, Filter, PortError, Query};

/// A body that every store can keep and give back as it was.
pub fn checked_body(body: &Body) -> Result<&Body, PortError> {
    if body.contains_key("version") {
        return Err(refused("a document's field `version` is the store's own: name it otherwise"));
    }
    check_fields(body)?;
    Ok(body)
}

/// A query that every store can answer from an index.
pub fn checked_query(query: &Query) -> Result<&Query, PortError> {
    let field = match &query.filter {
        Filter::All { .. } => return Ok(query),
        Filter::Is { value, .. } if !is_number_or_text(value) => {
            return Err(refused("documents are found by a whole number of 64 bits or by a text"));
        }
        Filter::Is { field, .. } | Filter::Between { field, .. } => field,
    };
    if query.collection.indexed().contains(field) {
        return Ok(query);
    }
    Err(PortError::Refused(format!(
        "{} are not found by `{field}`: add it to Collection::indexed",
        query.collection.name()
    )))
}

fn is_number_or_text(value: &Value) -> bool {
    value.as_i64().is_some() || value.is_string()
}

fn check_fields(fields: &Body) -> Result<(), PortError> {
    for (name, value) in fields {
        if name.is_empty() || name.starts_with(['$', '_']) || name.contains(['.', '\0']) {
            return Err(PortError::Refused(format!("no document's field can be called {name:?}")));
        }
        check_value(value)?;
    }
    Ok(())
}

fn check_value(value: &Value) -> Result<(), PortError> {
    match value {
        Value::Number(number) if number.as_i64().is_none() => Err(PortError::Refused(format!(
            "{number} is no whole number of 64 bits: no document can hold it"
        ))),
        Value::Array(items) => items.iter().try_for_each(check_value),
        Value::Object(fields) => check_fields(fields),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
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

    fn is_refused(body: &Value) -> bool {
        matches!(checked_body(body.as_object().unwrap()), Err(PortError::Refused(_)))
    }

    #[test]
    fn numbers_that_are_not_whole_or_too_large_and_names_that_mean_something_to_a_store_are_refused() {
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
        ] {
            assert!(is_refused(&body), "{body}");
        }
        for body in [
            json!({}),
            json!({ "price": i64::MAX, "change": i64::MIN }),
            json!({ "terms": { "version": 2 }, "lines": [null, true, "$text", "a.b", [1]] }),
        ] {
            assert!(!is_refused(&body), "{body}");
        }
    }

    #[test]
    fn queries_name_a_field_that_is_indexed_and_a_number_or_a_text() {
        let good = [
            Query::all(Collection::Staff, 1),
            Query::is(Collection::Fulfilments, "stage", "packed", 1),
            Query::between(Collection::Categories, "position", (1, 2), 1),
        ];
        assert!(good.iter().all(|query| checked_query(query).is_ok()));
        let bad = [
            Query::is(Collection::Fulfilments, "comment", "x", 1),
            Query::is(Collection::Fulfilments, "stage", Value::Null, 1),
            Query::is(Collection::Fulfilments, "stage", true, 1),
            Query::is(Collection::Fulfilments, "stage", 1.5, 1),
            Query::between(Collection::Staff, "position", (1, 2), 1),
        ];
        assert!(bad.iter().all(|query| checked_query(query).is_err()));
    }
}
