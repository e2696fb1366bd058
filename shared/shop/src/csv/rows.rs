//! From a file to typed rows.

use tolov_domain::{ProductId, Tiyin, order::Portion};

use super::{
    cells::{decoded, delimiter_of, unguarded},
    columns::Column,
    problem::{FILE_MAX_BYTES, Problem, ROWS_MAX, RowError},
};
use crate::catalogue::{DESCRIPTION_MAX_CHARS, FileId, PHOTOS_MAX, TITLE_MAX_CHARS, fold};

const MXIK_DIGITS: usize = 17;
const PACKAGE_CODE_MAX_DIGITS: usize = 20;
const FILE_ID_MAX_CHARS: usize = 250;

/// The value of a row in one column.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Cell<T> {
    /// The file has no such column.
    #[default]
    NoColumn,
    Empty,
    Filled(T),
}

impl<T> Cell<T> {
    pub(super) const fn filled(&self) -> Option<&T> {
        match self {
            Self::Filled(value) => Some(value),
            Self::NoColumn | Self::Empty => None,
        }
    }

    pub(super) const fn has_column(&self) -> bool {
        !matches!(self, Self::NoColumn)
    }
}

/// One row of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Row {
    pub(super) line: usize,
    pub(super) product_id: Cell<ProductId>,
    pub(super) category: Cell<String>,
    pub(super) title: Cell<String>,
    pub(super) description: Cell<String>,
    pub(super) variant: Cell<String>,
    pub(super) variant_id: Cell<ProductId>,
    pub(super) portion: Cell<Portion>,
    pub(super) price: Cell<Tiyin>,
    /// As it was written: what it counts is known with the product.
    pub(super) stock: Cell<String>,
    pub(super) hidden: Cell<bool>,
    pub(super) mxik: Cell<String>,
    pub(super) package_code: Cell<String>,
    pub(super) vat_percent: Cell<u8>,
    pub(super) photos: Cell<Vec<FileId>>,
}

/// The rows that can be read, and what is wrong with the others.
pub(super) fn read(file: &[u8]) -> (Vec<Row>, Vec<RowError>) {
    let only = |problem| (Vec::new(), vec![RowError::of_row(1, problem)]);
    if file.len() > FILE_MAX_BYTES {
        return only(Problem::TooLarge);
    }
    let Some(text) = decoded(file) else { return only(Problem::NotUtf8) };
    let delimiter = u8::try_from(delimiter_of(text)).unwrap_or(b';');
    let mut reader = ::csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let Some(Ok(heading)) = records.next() else { return only(Problem::NoRows) };
    let columns = match columns_of(&heading) {
        Ok(columns) => columns,
        Err(errors) => return (Vec::new(), errors),
    };
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    let mut lines = Lines { text: text.as_bytes(), at: 0, line: 1 };
    for (count, record) in records.enumerate() {
        let position = record.as_ref().map_or_else(::csv::Error::position, ::csv::StringRecord::position);
        let line = lines.of_row(position.map_or(0, ::csv::Position::byte));
        if count >= ROWS_MAX {
            return (Vec::new(), vec![RowError::of_row(line, Problem::TooManyRows)]);
        }
        match record.map(|record| row_of(line, &columns, &record)) {
            Ok(Ok(row)) => rows.extend(row),
            Ok(Err(of_row)) => errors.extend(of_row),
            // The file is UTF-8 and rows may differ in length: no other error is known.
            Err(_) => errors.push(RowError::of_row(line, Problem::NotUtf8)),
        }
    }
    if rows.is_empty() && errors.is_empty() {
        return only(Problem::NoRows);
    }
    (rows, errors)
}

/// Counts lines as an editor does: the reader's own count leaves out those that are empty.
struct Lines<'t> {
    text: &'t [u8],
    at: usize,
    /// In which `at` is.
    line: usize,
}

impl Lines<'_> {
    /// The line in which a row begins that is read from this byte on. Rows come in the order of the file.
    fn of_row(&mut self, byte: u64) -> usize {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX);
        while let Some(letter) = self.text.get(self.at).copied() {
            let is_line_end = matches!(letter, b'\r' | b'\n');
            if self.at >= byte && !is_line_end {
                break;
            }
            self.at += 1;
            if letter == b'\n' || (letter == b'\r' && self.text.get(self.at) != Some(&b'\n')) {
                self.line += 1;
            }
        }
        self.line
    }
}

/// The columns by place; one without a name is ignored.
fn columns_of(heading: &::csv::StringRecord) -> Result<Vec<Option<Column>>, Vec<RowError>> {
    let (mut columns, mut errors) = (Vec::new(), Vec::new());
    for name in heading {
        let column = Column::parse(name);
        match column {
            None if !name.trim().is_empty() => {
                errors.push(RowError::of_row(1, Problem::UnknownColumn(name.trim().to_owned())));
            }
            Some(column) if columns.contains(&Some(column)) => {
                errors.push(RowError::new(1, column, Problem::ColumnTwice));
            }
            _ => {}
        }
        columns.push(column);
    }
    let has = |wanted: &[Column]| wanted.iter().all(|column| columns.contains(&Some(*column)));
    let is_enough = has(&[Column::ProductId])
        || has(&[Column::VariantId])
        || has(&[Column::Category, Column::Title, Column::Price]);
    if !is_enough {
        errors.insert(0, RowError::of_row(1, Problem::TooFewColumns));
    }
    if errors.is_empty() { Ok(columns) } else { Err(errors) }
}

/// `None`: a row of empty cells, as spreadsheets leave behind.
fn row_of(
    line: usize,
    columns: &[Option<Column>],
    record: &::csv::StringRecord,
) -> Result<Option<Row>, Vec<RowError>> {
    if record.iter().all(|cell| cell.trim().is_empty()) {
        return Ok(None);
    }
    if record.iter().skip(columns.len()).any(|cell| !cell.trim().is_empty()) {
        return Err(vec![RowError::of_row(line, Problem::TooManyCells)]);
    }
    let mut row = Row { line, ..Row::default() };
    let mut errors = Vec::new();
    for (position, column) in columns.iter().enumerate() {
        let Some(column) = *column else { continue };
        let text = unguarded(record.get(position).unwrap_or_default()).trim();
        if let Err(problem) = row.fill(column, text) {
            errors.push(RowError::new(line, column, problem));
        }
    }
    if errors.is_empty() { Ok(Some(row)) } else { Err(errors) }
}

impl Row {
    fn fill(&mut self, column: Column, text: &str) -> Result<(), Problem> {
        match column {
            Column::ProductId => self.product_id = cell(text, number)?,
            Column::Category => self.category = cell(text, |text| short(text, TITLE_MAX_CHARS))?,
            Column::Title => self.title = cell(text, |text| short(text, TITLE_MAX_CHARS))?,
            Column::Description => self.description = cell(text, |text| short(text, DESCRIPTION_MAX_CHARS))?,
            Column::Variant => self.variant = cell(text, |text| short(text, TITLE_MAX_CHARS))?,
            Column::VariantId => self.variant_id = cell(text, number)?,
            Column::Portion => {
                self.portion = cell(text, |text| Portion::parse(text).ok_or(Problem::NotAPortion))?;
            }
            Column::Price => self.price = cell(text, price)?,
            Column::Stock => self.stock = cell(text, amount)?,
            Column::Hidden => self.hidden = cell(text, yes)?,
            Column::Mxik => {
                self.mxik =
                    cell(text, |text| digits(text, MXIK_DIGITS..=MXIK_DIGITS).ok_or(Problem::NotAMxik))?;
            }
            Column::PackageCode => {
                let code =
                    |text: &str| digits(text, 1..=PACKAGE_CODE_MAX_DIGITS).ok_or(Problem::NotAPackageCode);
                self.package_code = cell(text, code)?;
            }
            Column::VatPercent => self.vat_percent = cell(text, percentage)?,
            Column::Photo => self.photos = cell(text, photos)?,
        }
        Ok(())
    }
}

fn cell<T>(text: &str, parse: impl FnOnce(&str) -> Result<T, Problem>) -> Result<Cell<T>, Problem> {
    if text.is_empty() { Ok(Cell::Empty) } else { parse(text).map(Cell::Filled) }
}

fn number(text: &str) -> Result<ProductId, Problem> {
    ProductId::parse(text).map_err(|_| Problem::NotANumber)
}

fn short(text: &str, max_chars: usize) -> Result<String, Problem> {
    if text.chars().count() > max_chars { Err(Problem::TooLong { max_chars }) } else { Ok(text.to_owned()) }
}

/// So'm as people and spreadsheets write them: `15000`, `15 000`, `15000,50`.
fn price(text: &str) -> Result<Tiyin, Problem> {
    let plain: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    let price = Tiyin::parse_soum(&plain.replace(',', ".")).map_err(|_| Problem::NotAPrice)?;
    if price == Tiyin::ZERO { Err(Problem::NotAPrice) } else { Ok(price) }
}

fn yes(text: &str) -> Result<bool, Problem> {
    match fold(text).as_str() {
        "yes" | "ha" | "да" | "true" | "истина" | "1" => Ok(true),
        "no" | "yoq" | "нет" | "false" | "ложь" | "0" => Ok(false),
        _ => Err(Problem::NotYesOrNo),
    }
}

fn digits(text: &str, wanted: std::ops::RangeInclusive<usize>) -> Option<String> {
    let is_code = text.chars().all(|character| character.is_ascii_digit()) && wanted.contains(&text.len());
    is_code.then(|| text.to_owned())
}

fn percentage(text: &str) -> Result<u8, Problem> {
    let percent: u8 = text.trim_end_matches('%').trim_end().parse().map_err(|_| Problem::NotAPercentage)?;
    if percent > 100 { Err(Problem::NotAPercentage) } else { Ok(percent) }
}

fn photos(text: &str) -> Result<Vec<FileId>, Problem> {
    let is_file_id = |text: &&str| {
        text.len() <= FILE_ID_MAX_CHARS
            && text
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || matches!(character, '-' | '_'))
    };
    let photos: Vec<&str> = text.split_whitespace().collect();
    if photos.len() > PHOTOS_MAX || !photos.iter().all(is_file_id) {
        return Err(Problem::NotAPhoto);
    }
    Ok(photos.into_iter().map(str::to_owned).collect())
}

fn amount(text: &str) -> Result<String, Problem> {
    let is_number = text.starts_with(|digit: char| digit.is_ascii_digit());
    if is_number { Ok(text.to_owned()) } else { Err(Problem::NotAStock) }
}

/// How many pieces or portions a stock is. One that is sold by weight is rounded down to whole portions.
pub(super) fn stock(text: &str, portion: Option<Portion>) -> Result<u32, Problem> {
    let count = match portion {
        None => text.parse().ok(),
        Some(portion) => portion
            .thousandths_in(text)
            .and_then(|thousandths| portion.count_in(thousandths))
            .map(|(count, _)| count),
    };
    count.ok_or(Problem::NotAStock)
}
