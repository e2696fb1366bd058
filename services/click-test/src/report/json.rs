//! The report as JSON.

use serde_json::{Value, json};

use super::results::{CaseReport, Report, Verdict};

impl Report {
    /// For programs.
    pub fn json(&self) -> String {
        let cases: Vec<Value> = self.cases.iter().map(case).collect();
        let whole = json!({
            "prepare_url": self.prepare_url,
            "complete_url": self.complete_url,
            "service_id": self.service_id,
            "passed": self.passed(),
            "failed": self.failed(),
            "skipped": self.skipped(),
            "calls": self.calls,
            "slowest_ms": milliseconds(self.slowest),
            "took_ms": milliseconds(self.took),
            "cases": cases,
        });
        format!("{whole:#}\n")
    }
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
