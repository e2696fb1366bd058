//! Tables as text, as spreadsheets read and write them.

/// Excel reads a file as UTF-8 only if it begins with this.
const BYTE_ORDER_MARK: &str = "\u{feff}";
/// Excel splits columns at this in the Uzbek and the Russian locale.
const DELIMITER: char = ';';
/// All delimiters that are read.
pub(super) const DELIMITERS: [char; 3] = [DELIMITER, ',', '\t'];
/// Spreadsheets take a cell that begins with one of these for a formula.
const FORMULA_STARTS: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];
/// Excel rounds longer numbers.
const DIGITS_MAX: usize = 15;

/// A table with its heading, in UTF-8 for Excel.
pub(crate) fn table<const WIDTH: usize>(
    heading: [&str; WIDTH],
    rows: impl IntoIterator<Item = [String; WIDTH]>,
) -> Vec<u8> {
    let mut table = Table::new(heading);
    rows.into_iter().for_each(|row| table.add(&row));
    table.finish()
}

/// The same of rows that come one by one, of which no more is in memory than its text.
pub(crate) struct Table<const WIDTH: usize> {
    text: String,
}

impl<const WIDTH: usize> Table<WIDTH> {
    pub(crate) fn new(heading: [&str; WIDTH]) -> Self {
        let mut text = String::from(BYTE_ORDER_MARK);
        add_line(&mut text, heading);
        Self { text }
    }

    pub(crate) fn add(&mut self, row: &[String; WIDTH]) {
        add_line(&mut self.text, row.each_ref().map(String::as_str));
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.text.into_bytes()
    }
}

fn add_line<const WIDTH: usize>(text: &mut String, cells: [&str; WIDTH]) {
    for (position, cell) in cells.into_iter().enumerate() {
        if position > 0 {
            text.push(DELIMITER);
        }
        let needs_quotes = cell.contains(['"', '\n', '\r']) || cell.contains(DELIMITERS);
        if needs_quotes {
            text.push('"');
            text.push_str(&cell.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(cell);
        }
    }
    text.push_str("\r\n");
}

/// A text as a cell, with an apostrophe before it if a spreadsheet would calculate or rewrite it.
pub(crate) fn guarded(text: &str) -> String {
    if is_formula(text) || is_rewritten(text) || has_guard(text) {
        return format!("'{text}");
    }
    text.to_owned()
}

/// The text of a cell, without the apostrophe of [`guarded`].
pub(super) fn unguarded(cell: &str) -> &str {
    if has_guard(cell) { cell.strip_prefix('\'').unwrap_or(cell) } else { cell }
}

fn is_formula(text: &str) -> bool {
    text.starts_with(FORMULA_STARTS)
}

/// Spreadsheets turn `2-4` into a date, `001` into 1, and round a code of 17 digits.
fn is_rewritten(text: &str) -> bool {
    let is_numeric = |character: char| {
        character.is_ascii_digit() || matches!(character, '-' | '/' | '.' | ',' | ':' | ' ' | 'e' | 'E')
    };
    let begins_with_digit = text.starts_with(|character: char| character.is_ascii_digit());
    let is_short_number = text.len() <= DIGITS_MAX && text.chars().all(|digit| digit.is_ascii_digit());
    let has_leading_zero = text.starts_with('0') && text.len() > 1;
    begins_with_digit && text.chars().all(is_numeric) && (has_leading_zero || !is_short_number)
}

/// Whether the apostrophe at the beginning of a text is a guard.
fn has_guard(text: &str) -> bool {
    text.strip_prefix('\'').is_some_and(|rest| {
        is_formula(rest)
            || rest.starts_with('\'')
            || rest.starts_with(|character: char| character.is_ascii_digit())
    })
}

/// The text of a file, without its byte order mark.
pub(super) fn decoded(file: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(file).ok()?;
    Some(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text))
}

/// The delimiter that is most frequent in the heading, whose names contain none.
pub(super) fn delimiter_of(text: &str) -> char {
    let heading = text.lines().next().unwrap_or_default();
    let count = |delimiter: char| heading.chars().filter(|character| *character == delimiter).count();
    DELIMITERS.into_iter().rev().max_by_key(|delimiter| count(*delimiter)).unwrap_or(DELIMITER)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_that_a_spreadsheet_would_calculate_or_rewrite_is_guarded_and_read_back_without_the_guard() {
        for text in
            ["=1+1", "+998901234567", "-5", "@sum", "\t=1", "2-4", "001", "1/2", "10E5", "01234567890123456"]
        {
            assert_eq!(guarded(text), format!("'{text}"));
            assert_eq!(unguarded(&guarded(text)), text);
        }
        for text in ["Choy", "42", "500 g", "o'g'il", "'Oltin'", "a=b", "", "'"] {
            assert_eq!(guarded(text), text);
            assert_eq!(unguarded(text), text);
        }
    }

    #[test]
    fn the_delimiter_is_found_in_the_heading() {
        for (text, delimiter) in
            [("a;b;c\n1,5;2;3", ';'), ("a,b\n1;2", ','), ("a\tb\tc", '\t'), ("alone", ';'), ("", ';')]
        {
            assert_eq!(delimiter_of(text), delimiter, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_text_is_read_back_from_its_cell(text in "['=+@\\-0-9a-z;,\"\n\r\t ʻя]{0,8}") {
            let cell = guarded(&text);
            prop_assert_eq!(unguarded(&cell), text.as_str());
            let written = table(["a", "b"], [[cell.clone(), String::from("x")]]);
            let mut reader = ::csv::ReaderBuilder::new()
                .delimiter(b';')
                .from_reader(decoded(&written).unwrap().as_bytes());
            let row = reader.records().next().unwrap().unwrap();
            prop_assert_eq!(unguarded(&row[0]), text.as_str());
        }
    }
}
