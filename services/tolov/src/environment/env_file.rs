//! A file of settings, read as systemd reads an EnvironmentFile: `NAME=value` lines, values perhaps in quotes, nothing
//! expanded. A byte order mark and CRLF line ends, which editors on Windows write, do not matter.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

/// Larger than any set of settings.
const FILE_MAX_BYTES: u64 = 1024 * 1024;

/// The variables of a file, in its order.
pub(super) fn read(file: &Path) -> Result<Vec<(String, String)>> {
    let name = file.display();
    let size = std::fs::metadata(file).with_context(|| format!("cannot read {name}"))?.len();
    ensure!(size <= FILE_MAX_BYTES, "{name} has {size} bytes: that is no file of settings");
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {name}"))?;
    parse(&bytes).with_context(|| format!("cannot read {name}"))
}

fn parse(bytes: &[u8]) -> Result<Vec<(String, String)>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut variables = Vec::new();
    for (line, number) in bytes.split(|byte| *byte == b'\n').zip(1..) {
        let Ok(line) = std::str::from_utf8(line) else {
            bail!("line {number} is not UTF-8: save the file as UTF-8");
        };
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let Some((name, value)) = line.split_once('=') else {
            bail!("line {number} is no NAME=value");
        };
        variables.push((name.trim().to_owned(), unquoted(value.trim()).to_owned()));
    }
    Ok(variables)
}

/// The value without the quotes around all of it.
fn unquoted(value: &str) -> &str {
    let within = |quote| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    within('"').or_else(|| within('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Vec<(String, String)> {
        parse(text.as_bytes()).unwrap()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn a_byte_order_mark_and_crlf_are_not_part_of_a_value() {
        let read = read_text("\u{feff}BOT_TOKEN=7:abc\r\n\r\n# a comment\r\nDB_CHANNEL=-1001\r\n");
        assert_eq!(read, [pair("BOT_TOKEN", "7:abc"), pair("DB_CHANNEL", "-1001")]);
    }

    #[test]
    fn quotes_around_a_value_are_taken_off_and_nothing_in_it_is_expanded() {
        let read = read_text("A=\"Navoiy 5\"\nB='x y'\nC=$HOME # x\nD=it's\nE=\"\nF=\n");
        let wanted = ["Navoiy 5", "x y", "$HOME # x", "it's", "\"", ""];
        assert_eq!(read.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named_by_its_number_and_not_shown() {
        let error = parse(b"A=1\nsecret without a sign\n").unwrap_err().to_string();
        assert!(error.contains("line 2") && !error.contains("secret"), "{error}");
        let error = parse(b"A=1\n\nPICKUP_ADDRESS=\xd2\xe0\xf8\n").unwrap_err().to_string();
        assert!(error.contains("line 3 is not UTF-8"), "{error}");
    }
}
