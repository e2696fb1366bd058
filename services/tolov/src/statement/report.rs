//! What a comparison with a statement says.

use serde_json::json;

use super::{compare::Difference, row::Statement};

pub(super) fn print(statement: &Statement, differences: &[Difference], as_json: bool, is_dry_run: bool) {
    if as_json {
        let span = statement.span.as_ref().map(|span| [span.start.to_string(), span.end.to_string()]);
        let differences: Vec<_> = differences.iter().map(Difference::to_json).collect();
        println!(
            "{}",
            json!({ "payments": statement.payments.len(), "left_out": statement.left_out, "span": span,
                "dry_run": is_dry_run, "count": differences.len(), "differences": differences })
        );
        return;
    }
    for difference in differences {
        println!("{difference}");
    }
    for (status, count) in &statement.left_out {
        println!("{count} rows with the status {status:?} were left out");
    }
    let found = match differences.len() {
        0 => "no difference".to_owned(),
        1 => "1 difference".to_owned(),
        count => format!("{count} differences"),
    };
    println!("{found}; the statement has {} payments", statement.payments.len());
}
