//! A file as rows of texts: CSV in UTF-8 or in Windows' Cyrillic, with commas, semicolons or tabs, or the first sheet of an
//! XLSX.

use std::{fs, io::Cursor, path::Path};

use anyhow::{Result, bail, ensure};
use calamine::{DataRef, Reader, Xlsx};

const FILE_MAX_BYTES: u64 = 20_000_000;
const ROWS_MAX: usize = 200_000;
const COLUMNS_MAX: usize = 200;

/// A row with its number in the file, counted from 1.
pub(super) type Row = (usize, Vec<String>);

pub(super) fn read(file: &Path) -> Result<Vec<Row>> {
    let size = fs::metadata(file)?.len();
    ensure!(size <= FILE_MAX_BYTES, "it is larger than 20 MB: export fewer days");
    rows(fs::read(file)?)
}

pub(super) fn rows(bytes: Vec<u8>) -> Result<Vec<Row>> {
    // An XLSX is a ZIP archive.
    if bytes.starts_with(b"PK\x03\x04") { xlsx(bytes) } else { csv(&bytes) }
}

fn csv(bytes: &[u8]) -> Result<Vec<Row>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::WINDOWS_1251.decode(bytes).0.into_owned(),
    };
    ensure!(!text.contains('\0'), "it is neither CSV nor XLSX");
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(&text))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        ensure!(rows.len() < ROWS_MAX, "it has more than {ROWS_MAX} rows: export fewer days");
        let line = record.position().map_or(0, |position| usize::try_from(position.line()).unwrap_or(0));
        rows.push((line, record.iter().take(COLUMNS_MAX).map(|cell| cell.trim().to_owned()).collect()));
    }
    Ok(rows)
}

/// What most of the first lines have most of.
fn delimiter(text: &str) -> u8 {
    let head: Vec<&str> = text.lines().take(20).collect();
    let count = |mark: char| head.iter().map(|line| line.matches(mark).count()).sum::<usize>();
    let marks = [(',', b','), ('\t', b'\t'), (';', b';')];
    marks.into_iter().max_by_key(|(mark, _)| count(*mark)).map_or(b',', |(_, byte)| byte)
}

fn xlsx(bytes: Vec<u8>) -> Result<Vec<Row>> {
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes))?;
    let names = book.sheet_names();
    let Some(name) = names.first() else { bail!("it has no sheet") };
    let mut cells = book.worksheet_cells_reader(name)?;
    let mut rows: Vec<Row> = Vec::new();
    // Cell by cell: the dimensions that a file claims are not believed.
    while let Some(cell) = cells.next_cell()? {
        let (line, column) = cell.get_position();
        let (line, column) = (usize::try_from(line)?.saturating_add(1), usize::try_from(column)?);
        if rows.last().is_none_or(|(last, _)| *last != line) {
            ensure!(rows.len() < ROWS_MAX, "it has more than {ROWS_MAX} rows: export fewer days");
            rows.push((line, Vec::new()));
        }
        if let Some((_, row)) = rows.last_mut()
            && column < COLUMNS_MAX
        {
            row.resize(row.len().max(column + 1), String::new());
            if let Some(place) = row.get_mut(column) {
                *place = text(cell.get_value());
            }
        }
    }
    Ok(rows)
}

fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::String(text) | DataRef::DateTimeIso(text) => text.trim().to_owned(),
        DataRef::SharedString(text) => text.trim().to_owned(),
        DataRef::Int(number) => number.to_string(),
        // The shortest text that reads back as the same number: what was typed.
        DataRef::Float(number) => number.to_string(),
        DataRef::DateTime(at) => {
            let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
        }
        DataRef::Bool(_) | DataRef::DurationIso(_) | DataRef::Error(_) | DataRef::Empty => String::new(),
    }
}
