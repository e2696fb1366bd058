//! The report as JUnit XML, for a CI.

use std::time::Duration;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::results::{CaseReport, Report, Verdict};

impl Report {
    /// For a CI.
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "a String takes everything, and quick-junit removes what XML cannot hold"
    )]
    pub fn junit(&self) -> String {
        let mut suite = TestSuite::new("click-test");
        suite.set_time(self.took);
        suite.add_test_cases(self.cases.iter().map(test_case));
        let mut report = quick_junit::Report::new("click-test");
        report.set_time(self.took);
        report.add_test_suite(suite);
        report.to_string().expect("a report of valid text can be written")
    }
}

fn test_case(case: &CaseReport) -> TestCase {
    let status = match &case.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::Skipped(reason) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(reason);
            status
        }
        Verdict::Failed => {
            let failed = case.steps.iter().filter(|step| !step.passed);
            let lines =
                failed.map(|step| format!("{}: expected {}, got {}\n", step.sent, step.expected, step.got));
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(case.title).set_description(lines.collect::<String>() + case.why);
            status
        }
    };
    let took_ms = case.steps.iter().filter_map(|step| step.exchange.as_ref()).map(|call| call.took_ms).sum();
    let mut test_case = TestCase::new(case.id, status);
    test_case
        .set_classname(format!("click-test.{}", case.level.name()))
        .set_time(Duration::from_millis(took_ms));
    test_case
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Level, StepReport};

    #[test]
    fn a_merchants_answer_cannot_break_the_xml() {
        let got = "<a \"b\"&\u{1b}[31m\u{0}>\n".to_owned();
        let step =
            StepReport { sent: String::new(), expected: String::new(), got, passed: false, exchange: None };
        let (verdict, steps) = (Verdict::Failed, vec![step]);
        let case = CaseReport { id: "x", level: Level::Must, title: "", why: "", verdict, steps };
        let report = Report {
            prepare_url: String::new(),
            complete_url: String::new(),
            service_id: 1,
            cases: vec![case],
            calls: 1,
            slowest: Duration::ZERO,
            took: Duration::ZERO,
        };
        let xml = report.junit();
        assert!(xml.contains("&lt;a") && !xml.contains("<a") && !xml.contains(['\u{1b}', '\u{0}']), "{xml}");
    }
}
