//! The report as a table: a row for each case, and for failed ones the failed steps and why they matter.

use std::fmt::Write as _;

use super::results::{CaseReport, Report, StepReport, Verdict};
use crate::level::Level;

/// Column widths; longer text continues in the next line of its column.
const WIDTHS: [usize; 5] = [7, 34, 46, 20, 26];
/// --verbose shows the whole answer.
const MAX_CELL_CHARS: usize = 240;
const WHY_WIDTH: usize = 110;

impl Report {
    /// For people; `verbose` adds every call with its answer.
    pub fn table(&self, verbose: bool) -> String {
        let mut text = format!("Prepare {}\nComplete {}\n\n", self.prepare_url, self.complete_url);
        write_row(&mut text, ["VERDICT", "CASE", "SENT", "EXPECTED", "GOT"]);
        for case in &self.cases {
            write_case(&mut text, case, verbose);
        }
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "\n{} passed, {} failed, {} skipped; {} calls in {}.{} s, the slowest {} ms",
            self.passed(),
            self.failed(),
            self.skipped(),
            self.calls,
            self.took.as_secs(),
            self.took.subsec_millis() / 100,
            self.slowest.as_millis()
        );
        let is_failed_should =
            |case: &CaseReport| case.verdict == Verdict::Failed && case.level == Level::Should;
        if self.cases.iter().any(is_failed_should) {
            text += "must: documented by CLICK. should: our rule where CLICK's documents are silent; --only must \
                     leaves these out.\n";
        }
        text
    }
}

fn write_case(text: &mut String, case: &CaseReport, verbose: bool) {
    let failed = case.verdict == Verdict::Failed;
    match &case.verdict {
        Verdict::Passed => {
            let got = match case.steps.as_slice() {
                [only] => only.got.as_str(),
                _ => "as expected",
            };
            write_row(text, ["ok", case.id, case.title, &all_expected(&case.steps), got]);
        }
        Verdict::Skipped(reason) => write_row(text, ["skipped", case.id, case.title, "", reason]),
        Verdict::Failed => {
            let broken = case.steps.iter().filter(|step| !step.passed).count();
            let count = format!("{broken} of {} steps, below", case.steps.len());
            write_row(text, ["FAILED", case.id, case.title, case.level.name(), &count]);
        }
    }
    for (position, step) in case.steps.iter().enumerate() {
        if verbose || (failed && !step.passed) {
            let number = format!("step {}", position + 1);
            let verdict = if step.passed { "" } else { "  wrong" };
            write_row(text, [verdict, &number, &step.sent, &step.expected, &step.got]);
        }
        if let Some(exchange) = step.exchange.as_ref().filter(|_| verbose) {
            let status = exchange.http_status.map_or_else(|| "-".to_owned(), |status| status.to_string());
            let _ = writeln!(text, "          > {}", exchange.request);
            let _ = writeln!(text, "          < HTTP {status}, {} ms: {}", exchange.took_ms, exchange.answer);
        }
    }
    if failed {
        for (position, line) in wrapped(case.why, WHY_WIDTH).iter().enumerate() {
            let _ = writeln!(text, "          {} {line}", if position == 0 { "why:" } else { "    " });
        }
    }
}

/// What the steps expected, each text once.
fn all_expected(steps: &[StepReport]) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for step in steps {
        if !seen.contains(&step.expected.as_str()) {
            seen.push(&step.expected);
        }
    }
    seen.join(", ")
}

fn write_row(text: &mut String, cells: [&str; 5]) {
    let mut widths = WIDTHS.into_iter();
    let columns = cells.map(|cell| {
        let cell: String = cell.chars().take(MAX_CELL_CHARS).collect();
        wrapped(&cell, widths.next().unwrap_or(usize::MAX))
    });
    let height = columns.iter().map(Vec::len).max().unwrap_or(0);
    for position in 0..height {
        let mut line = String::new();
        for (column, width) in columns.iter().zip(WIDTHS) {
            let cell = column.get(position).map_or("", String::as_str);
            let _ = write!(line, "{cell:<width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

/// Lines of at most `width` characters, broken between words where possible.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let mut word = word.to_owned();
        let length = |text: &str| text.chars().count();
        if !line.is_empty() && length(&line) + 1 + length(&word) > width {
            lines.push(std::mem::take(&mut line));
        } else if !line.is_empty() {
            line.push(' ');
        }
        while length(&word) > width {
            let rest = word.split_off(word.char_indices().nth(width).map_or(word.len(), |(at, _)| at));
            lines.push(std::mem::replace(&mut word, rest));
        }
        line.push_str(&word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_cells_continue_in_the_next_line() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrapped("", 4), [""]);
        let mut text = String::new();
        write_row(
            &mut text,
            ["ok", "signature.prepare", "a very long title that needs two lines of its column", "-1", "-1"],
        );
        assert_eq!(text.lines().count(), 2);
    }
}
