//! The results as values.

use std::time::Duration;

use serde::Serialize;

use crate::level::Level;

#[derive(Debug, Clone)]
pub struct Report {
    pub prepare_url: String,
    pub complete_url: String,
    pub service_id: i64,
    pub cases: Vec<CaseReport>,
    /// Calls to Prepare and Complete.
    pub calls: usize,
    pub slowest: Duration,
    pub took: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    Failed,
    /// For this reason.
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

/// One call, or one check of several answers.
#[derive(Debug, Clone, Serialize)]
pub struct StepReport {
    pub sent: String,
    pub expected: String,
    pub got: String,
    pub passed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exchange: Option<Exchange>,
}

/// A call and its answer, without the signature.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Exchange {
    pub(crate) request: String,
    pub(crate) http_status: Option<u16>,
    pub(crate) answer: String,
    pub(crate) took_ms: u64,
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

    /// 0: everything that was run has passed; 1: something has failed; 2: nothing could be run.
    pub fn exit_code(&self) -> u8 {
        match (self.failed(), self.passed()) {
            (0, 0) => 2,
            (0, _) => 0,
            (_, _) => 1,
        }
    }
}
