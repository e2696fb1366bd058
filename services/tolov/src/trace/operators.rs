//! The lines of the operators' journal that name an order.

use std::{fs::File, io::BufRead, path::Path};

use anyhow::{Context, Result};
use serde_json::Value;
use tolov_domain::OrderId;

use super::entry::{Entry, Source};
use crate::commands::journal::Journal;

pub(super) fn entries(ledger: &Path, order_id: OrderId) -> Result<Vec<Entry>> {
    let journal = Journal::beside(ledger);
    let path = journal.path();
    if !path.exists() {
        return Ok(Vec::new());
    }
    let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let mut entries = Vec::new();
    for line in std::io::BufReader::new(file).lines() {
        // A line that was cut off by a full disk is no JSON.
        let Ok(line) = serde_json::from_str::<Value>(&line?) else { continue };
        if names(&line["details"], &order_id.to_string()) {
            let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
            let entry =
                Entry::at_ms(line["at_ms"].as_i64().unwrap_or(0), Source::Operators, "trace-operator");
            let user = if line["user"].is_string() { text("user") } else { line["uid"].to_string() };
            entries.push(
                entry.with("user", user).with("command", text("command")).with("details", &line["details"]),
            );
        }
    }
    Ok(entries)
}

/// Whether a number or an id in it is that of the order.
fn names(details: &Value, order_id: &str) -> bool {
    match details {
        Value::Array(items) => items.iter().any(|item| names(item, order_id)),
        Value::Object(fields) => {
            let is_count = |name: &str| matches!(name, "hours" | "retries" | "count" | "differences");
            fields.iter().any(|(name, value)| !is_count(name) && names(value, order_id))
        }
        Value::Number(number) => number.to_string() == order_id,
        Value::String(text) => {
            text.split(|letter: char| !letter.is_ascii_digit()).any(|word| word == order_id)
        }
        Value::Null | Value::Bool(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_names_an_order_by_its_number_or_by_the_id_of_an_event() {
        for named in [
            json!({ "order_id": 12 }),
            json!({ "id": "payment.completed:12/staff" }),
            json!({ "orders": [11, 12] }),
            json!({ "body": "{\"order_id\":12}" }),
        ] {
            assert!(names(&named, "12"), "{named}");
        }
        for other in
            [json!({ "order_id": 123 }), json!({ "hours": 12 }), json!({ "id": "payment.completed:121" })]
        {
            assert!(!names(&other, "12"), "{other}");
        }
    }
}
