use serde_json::{Value, json};

use super::{CaseReport, Report, Verdict};

pub(super) fn write(report: &Report) -> String {
    let cases: Vec<Value> = report.cases.iter().map(case).collect();
    let whole = json!({
        "prepare_url": report.prepare_url,
        "complete_url": report.complete_url,
        "service_id": report.service_id,
        "passed": report.passed(),
        "failed": report.failed(),
        "skipped": report.skipped(),
        "calls": report.calls,
        "slowest_ms": milliseconds(report.slowest),
        "took_ms": milliseconds(report.took),
        "cases": cases,
    });
    format!("{whole:#}\n")
}

fn milliseconds(took: std::time::Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

fn case(case: &CaseReport) -> Value {
    let (verdict, reason) = match &case.verdict {
        Verdict::Passed => ("passed", None),
        Verdict::Failed => ("failed", None),
        Verdict::Skipped(reason) => ("skipped", Some(reason)),
    };
    json!({
        "case": case.id,
        "level": case.level,
        "title": case.title,
        "why": case.why,
        "verdict": verdict,
        "reason": reason,
        "steps": case.steps,
    })
}
