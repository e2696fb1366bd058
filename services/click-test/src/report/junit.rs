use std::fmt::Write as _;

use super::{CaseReport, Report, Verdict};

pub(super) fn write(report: &Report) -> String {
    let seconds = format!("{}.{:03}", report.took.as_secs(), report.took.subsec_millis());
    let counts = format!(
        "tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"{seconds}\"",
        report.cases.len(),
        report.failed(),
        report.skipped()
    );
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n<testsuite name=\"click-test\" {counts}>\n"
    );
    for case in &report.cases {
        write_case(&mut xml, case);
    }
    xml + "</testsuite>\n</testsuites>\n"
}

fn write_case(xml: &mut String, case: &CaseReport) {
    let took_ms: u64 =
        case.steps.iter().filter_map(|step| step.exchange.as_ref()).map(|call| call.took_ms).sum();
    // Writing to a String cannot fail.
    let _ = write!(
        xml,
        "<testcase classname=\"click-test.{}\" name=\"{}\" time=\"{}.{:03}\">",
        case.level.name(),
        escaped(case.id),
        took_ms / 1_000,
        took_ms % 1_000
    );
    match &case.verdict {
        Verdict::Passed => {}
        Verdict::Skipped(reason) => {
            let _ = write!(xml, "<skipped message=\"{}\"/>", escaped(reason));
        }
        Verdict::Failed => {
            let _ = write!(xml, "<failure message=\"{}\">", escaped(case.title));
            for step in case.steps.iter().filter(|step| !step.passed) {
                let line = format!("{}: expected {}, got {}\n", step.sent, step.expected, step.got);
                xml.push_str(&escaped(&line));
            }
            xml.push_str(&escaped(case.why));
            xml.push_str("</failure>");
        }
    }
    xml.push_str("</testcase>\n");
}

/// XML 1.0 has no place for most control characters, not even escaped.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' => safe.push('\n'),
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_merchant_writes_cannot_break_the_xml() {
        assert_eq!(escaped("<a \"b\"&\u{1b}[31m>\n"), "&lt;a &quot;b&quot;&amp; [31m&gt;\n");
    }
}
