//! What an import does, and what it cannot carry over: in words, and as a table.

use std::{collections::BTreeMap, fmt::Write as _, fs::File, io::Write as _, path::Path};

use anyhow::{Context, Result};

/// How many remarks of one kind are printed; the table has all of them.
const SHOWN_MAX: usize = 20;

/// What became of a record that is not simply carried over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    /// Carried over with a difference that somebody should know of.
    Changed,
    /// Not carried over.
    LeftOut,
}

impl Fate {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::LeftOut => "left out",
        }
    }
}

/// A remark about one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remark {
    /// `user`, `admin`, `category`, `product`, `order`, `payment`.
    pub(super) record: &'static str,
    /// Its number in the old system.
    pub(super) number: String,
    pub(super) fate: Fate,
    pub(super) text: String,
}

/// The remarks in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Remarks(pub(super) Vec<Remark>);

impl Remarks {
    pub(super) fn changed(&mut self, record: &'static str, number: impl ToString, text: impl Into<String>) {
        self.add(record, number, Fate::Changed, text.into());
    }

    pub(super) fn left_out(&mut self, record: &'static str, number: impl ToString, text: impl Into<String>) {
        self.add(record, number, Fate::LeftOut, text.into());
    }

    #[expect(clippy::needless_pass_by_value, reason = "callers have numbers and texts")]
    fn add(&mut self, record: &'static str, number: impl ToString, fate: Fate, text: String) {
        self.0.push(Remark { record, number: number.to_string(), fate, text });
    }

    pub(super) fn print(&self) {
        let mut kinds: BTreeMap<(&str, Fate), Vec<&Remark>> = BTreeMap::new();
        for remark in &self.0 {
            kinds.entry((remark.record, remark.fate)).or_default().push(remark);
        }
        for ((record, fate), remarks) in kinds {
            println!("\n{record}, {} ({}):", fate.as_str(), remarks.len());
            for remark in remarks.iter().take(SHOWN_MAX) {
                println!("  {} {}: {}", remark.record, remark.number, remark.text);
            }
            if remarks.len() > SHOWN_MAX {
                println!("  and {} more; --report FILE writes all of them", remarks.len() - SHOWN_MAX);
            }
        }
    }

    /// A new file; one that is there is never replaced.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let mut file = File::create_new(path).with_context(|| {
            format!("the report cannot be written to {}: name a new file", path.display())
        })?;
        file.write_all(self.csv().as_bytes())?;
        Ok(file.sync_all()?)
    }

    /// RFC 4180, with the mark by which spreadsheets know UTF-8.
    fn csv(&self) -> String {
        let mut table = "\u{feff}record,number,fate,remark\r\n".to_owned();
        for Remark { record, number, fate, text } in &self.0 {
            // Writing to a String does not fail.
            let _ = write!(table, "{record},{},{},{}\r\n", cell(number), fate.as_str(), cell(text));
        }
        table
    }
}

/// Quoted, and never a formula.
fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_quotes_its_cells_and_has_no_formulas() {
        let mut remarks = Remarks::default();
        remarks.left_out("user", "=1+1", "says \"no\", twice");
        assert_eq!(
            remarks.csv(),
            "\u{feff}record,number,fate,remark\r\nuser,\"'=1+1\",left out,\"says \"\"no\"\", twice\"\r\n"
        );
    }
}
