//! The rows of a statement as payments.

use std::{collections::BTreeMap, ops::Range};

use time::{
    Date, Duration, PrimitiveDateTime, Time, format_description::BorrowedFormatItem,
    macros::format_description,
};
use tolov_domain::{
    ClickPaymentId, Day, OrderId, Tiyin,
    time::{TASHKENT, Timestamp},
};

use super::{
    columns::{Column, Columns, plain},
    table::Row,
};

/// Words of a payment that was made, as [`plain`] writes them; others are looked for in the beginning of the status.
const PAID: [&str; 18] = [
    "2",
    "paid",
    "success",
    "successful",
    "successfully paid",
    "confirmed",
    "completed",
    "оплачен",
    "оплачено",
    "успешно",
    "успешный",
    "проведен",
    "подтвержден",
    "завершен",
    "tolangan",
    "tolandi",
    "muvaffaqiyatli",
    "tasdiqlangan",
];
/// The beginnings of words for money that went back.
const REVERSED: [&str; 7] = ["revers", "refund", "возвра", "отмен", "сторн", "qaytar", "bekor"];

/// A payment of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Payment {
    pub(super) line: usize,
    pub(super) order: Option<OrderId>,
    pub(super) amount: Tiyin,
    /// A row says that it went back.
    pub(super) is_reversed: bool,
}

/// A row that could not be read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) line: usize,
    pub(super) why: String,
}

#[derive(Debug, Default)]
pub(super) struct Statement {
    pub(super) payments: BTreeMap<ClickPaymentId, Payment>,
    pub(super) unreadable: Vec<Unreadable>,
    /// Rows of payments that were not made, by their status.
    pub(super) left_out: BTreeMap<String, usize>,
    /// From the first payment to the last one. `None`: there is none.
    pub(super) span: Option<Range<Timestamp>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Status {
    Paid,
    Reversed,
    Other(String),
}

impl Statement {
    /// Takes in the rows from `first` on. Rows without a payment's number are totals and titles.
    pub(super) fn read(columns: &Columns, rows: Vec<Row>, first: usize) -> Self {
        let mut statement = Self::default();
        for (line, row) in rows.into_iter().skip(first) {
            let number = columns.cell(Column::Payment, &row);
            if number.is_empty() || !number.bytes().any(|byte| byte.is_ascii_digit()) {
                continue;
            }
            if let Err(why) = statement.add(columns, line, &row) {
                statement.unreadable.push(Unreadable { line, why });
            }
        }
        statement
    }

    fn add(&mut self, columns: &Columns, line: usize, row: &[String]) -> Result<(), String> {
        let cell = |column| columns.cell(column, row);
        let number = cell(Column::Payment);
        let payment_id: ClickPaymentId =
            ClickPaymentId::parse(number).map_err(|_| format!("{number:?} is not a payment's number"))?;
        let (amount, is_negative) = amount(cell(Column::Amount))?;
        let (at, has_time) = time(cell(Column::Time))?;
        let status = if is_negative { Status::Reversed } else { status(cell(Column::Status)) };
        if let Status::Other(text) = status {
            *self.left_out.entry(text).or_default() += 1;
            return Ok(());
        }
        let is_reversed = status == Status::Reversed;
        let payment = Payment { line, order: OrderId::parse(cell(Column::Order)).ok(), amount, is_reversed };
        match self.payments.get_mut(&payment_id) {
            Some(known) if known.amount != amount => {
                return Err(format!("payment {payment_id} has another sum in row {}", known.line));
            }
            Some(known) => known.is_reversed |= is_reversed,
            None => drop(self.payments.insert(payment_id, payment)),
        }
        let until = if has_time { at } else { at + Duration::DAY };
        let span = self.span.get_or_insert(at..until);
        *span = span.start.min(at)..span.end.max(until);
        Ok(())
    }

    /// The statement is known to cover these days as a whole.
    pub(super) fn widen(&mut self, from: Option<Day>, to: Option<Day>) {
        if let Some(span) = &mut self.span {
            span.start = from.map_or(span.start, Day::start);
            span.end = to.map_or(span.end, Day::end);
        }
    }
}

/// A sum in so'm, and whether it is below zero: `1 234 567,89`, `30000.00`, `30 000 сум`.
fn amount(text: &str) -> Result<(Tiyin, bool), String> {
    let wrong = || format!("{text:?} is not a sum");
    let bare: String = text
        .chars()
        .filter(|mark| !mark.is_whitespace() && !mark.is_alphabetic() && !"'’‘ʻʼ".contains(*mark))
        .collect();
    let (bare, is_negative) = match bare.strip_prefix(['-', '−']) {
        Some(rest) => (rest, true),
        None => (bare.as_str(), false),
    };
    let mark = bare.rfind([',', '.']).filter(|at| bare.len() - at <= 3);
    let (whole, decimals) = mark.map_or((bare, ""), |at| (&bare[..at], &bare[at + 1..]));
    let whole = whole.replace([',', '.'], "");
    let soum = if decimals.is_empty() { whole } else { format!("{whole}.{decimals}") };
    Tiyin::parse_soum(&soum).map(|amount| (amount, is_negative)).map_err(|_| wrong())
}

/// A moment in Tashkent, and whether it has a time of day. A zone that is named counts.
fn time(text: &str) -> Result<(Timestamp, bool), String> {
    const DATES: [&[BorrowedFormatItem<'_>]; 3] = [
        format_description!("[year]-[month]-[day]"),
        format_description!("[day].[month].[year]"),
        format_description!("[day]/[month]/[year]"),
    ];
    const TIMES: [&[BorrowedFormatItem<'_>]; 2] =
        [format_description!("[hour]:[minute]:[second]"), format_description!("[hour]:[minute]")];
    if let Ok(at) = Timestamp::parse(text, &time::format_description::well_known::Rfc3339) {
        return Ok((at, true));
    }
    let (date, of_day) = text.split_once([' ', 'T']).unwrap_or((text, ""));
    let date = DATES.iter().find_map(|format| Date::parse(date.trim_end_matches(','), format).ok());
    // Fractions of a second say nothing here.
    let of_day = of_day.trim().split('.').next().unwrap_or_default();
    let time = if of_day.is_empty() {
        Some(Time::MIDNIGHT)
    } else {
        TIMES.iter().find_map(|format| Time::parse(of_day, format).ok())
    };
    let (Some(date), Some(time)) = (date, time) else { return Err(format!("{text:?} is not a date")) };
    Ok((PrimitiveDateTime::new(date, time).assume_offset(TASHKENT), !of_day.is_empty()))
}

fn status(text: &str) -> Status {
    let text = plain(text);
    if text.is_empty() || PAID.contains(&text.as_str()) {
        Status::Paid
    } else if REVERSED.iter().any(|beginning| text.starts_with(beginning)) {
        Status::Reversed
    } else {
        Status::Other(text)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
