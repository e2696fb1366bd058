//! What came of it, as values; the files beside this one write them down.

mod json;
mod junit;
mod table;

use std::time::Duration;

use serde::Serialize;

use crate::case::{Case, Level};

/// One run.
#[derive(Debug, Clone)]
pub struct Report {
    pub prepare_url: String,
    pub complete_url: String,
    pub service_id: i64,
    pub cases: Vec<CaseReport>,
    /// Calls to Prepare and Complete.
    pub calls: usize,
    /// The longest that an answer took.
    pub slowest: Duration,
    pub took: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    Failed,
    /// With the reason.
    Skipped(String),
}

#[derive(Debug, Clone)]
pub struct CaseReport {
    pub id: &'static str,
    pub level: Level,
    pub title: &'static str,
    pub why: &'static str,
    pub verdict: Verdict,
    pub steps: Vec<StepReport>,
}

/// One call, or one look at several answers.
#[derive(Debug, Clone, Serialize)]
pub struct StepReport {
    pub sent: String,
    pub expected: String,
    pub got: String,
    pub passed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exchange: Option<Exchange>,
}

/// A call as it was, without the signature.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Exchange {
    pub(crate) request: String,
    pub(crate) http_status: Option<u16>,
    pub(crate) answer: String,
    pub(crate) took_ms: u64,
}

impl CaseReport {
    pub(crate) fn new(case: &Case, verdict: Verdict, steps: Vec<StepReport>) -> Self {
        Self { id: case.id, level: case.level, title: case.title, why: case.why, verdict, steps }
    }
}

impl Report {
    pub fn passed(&self) -> usize {
        self.count(|verdict| *verdict == Verdict::Passed)
    }

    pub fn failed(&self) -> usize {
        self.count(|verdict| *verdict == Verdict::Failed)
    }

    pub fn skipped(&self) -> usize {
        self.count(|verdict| matches!(verdict, Verdict::Skipped(_)))
    }

    fn count(&self, wanted: impl Fn(&Verdict) -> bool) -> usize {
        self.cases.iter().filter(|case| wanted(&case.verdict)).count()
    }

    /// 0: what was played has passed; 1: something has failed; 2: nothing could be played.
    pub fn exit_code(&self) -> u8 {
        match (self.failed(), self.passed()) {
            (0, 0) => 2,
            (0, _) => 0,
            (_, _) => 1,
        }
    }

    /// For people.
    pub fn table(&self, verbose: bool) -> String {
        table::write(self, verbose)
    }

    /// For programs.
    pub fn json(&self) -> String {
        json::write(self)
    }

    /// For a CI.
    pub fn junit(&self) -> String {
        junit::write(self)
    }
}
