//! Which column of a statement is which. CLICK does not publish the form of its exports, and a cabinet has three languages.

use anyhow::{Result, bail};

use super::table::Row;

/// The header stands in one of the first rows; titles and totals may come before it.
const HEADER_WITHIN: usize = 30;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    /// CLICK's number of the payment, which the payer sees: click_paydoc_id.
    Payment,
    Amount,
    Time,
    /// Our number of the order: merchant_trans_id.
    Order,
    Status,
}

// In English, Russian and Uzbek.
const PAYMENT_HEADERS: &[&str] = &[
    "payment id",
    "payment number",
    "payment",
    "click paydoc id",
    "paydoc id",
    "click id",
    "id платежа",
    "ид платежа",
    "номер платежа",
    "№ платежа",
    "платеж",
    "номер транзакции click",
    "tolov id",
    "tolov raqami",
    "tolov",
];
const AMOUNT_HEADERS: &[&str] = &[
    "amount",
    "sum",
    "payment amount",
    "сумма",
    "сумма платежа",
    "сумма (сум)",
    "сумма, сум",
    "summa",
    "tolov summasi",
    "miqdor",
];
const TIME_HEADERS: &[&str] = &[
    "date",
    "time",
    "datetime",
    "date and time",
    "payment date",
    "created",
    "created at",
    "дата",
    "время",
    "дата и время",
    "дата платежа",
    "дата/время",
    "дата создания",
    "sana",
    "vaqt",
    "sana va vaqt",
    "tolov sanasi",
    "tolov vaqti",
];
const ORDER_HEADERS: &[&str] = &[
    "merchant trans id",
    "transaction param",
    "order",
    "order id",
    "order number",
    "заказ",
    "номер заказа",
    "id заказа",
    "№ заказа",
    "buyurtma",
    "buyurtma raqami",
    "buyurtma id",
];
const STATUS_HEADERS: &[&str] =
    &["status", "payment status", "state", "статус", "статус платежа", "состояние", "holat", "holati"];

impl Column {
    const ALL: [Self; 5] = [Self::Payment, Self::Amount, Self::Time, Self::Order, Self::Status];
    const REQUIRED: [Self; 3] = [Self::Payment, Self::Amount, Self::Time];

    const fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Amount => "amount",
            Self::Time => "time",
            Self::Order => "order",
            Self::Status => "status",
        }
    }

    /// Headers in English, Russian and Uzbek, as [`plain`] writes them.
    const fn headers(self) -> &'static [&'static str] {
        match self {
            Self::Payment => PAYMENT_HEADERS,
            Self::Amount => AMOUNT_HEADERS,
            Self::Time => TIME_HEADERS,
            Self::Order => ORDER_HEADERS,
            Self::Status => STATUS_HEADERS,
        }
    }
}

/// `payment=Номер документа`
pub(crate) fn named(text: &str) -> Result<(Column, String), String> {
    const FORM: &str = "write payment, amount, time, order or status, then = and the header";
    let (name, header) = text.split_once('=').ok_or(FORM)?;
    let column = Column::ALL.into_iter().find(|column| column.name() == name.trim()).ok_or(FORM)?;
    Ok((column, plain(header)))
}

/// Where the columns are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns {
    places: [Option<usize>; 5],
}

impl Columns {
    /// Looks for the row of headers. Returns the index of the first row below it.
    pub(super) fn find(rows: &[Row], named: &[(Column, String)]) -> Result<(Self, usize)> {
        let mut best: Option<Vec<&str>> = None;
        for (index, (_, row)) in rows.iter().take(HEADER_WITHIN).enumerate() {
            let places = Column::ALL.map(|column| place(column, row, named));
            let columns = Self { places };
            let missing: Vec<&str> = Column::ALL
                .into_iter()
                .filter(|column| is_needed(*column, named) && columns.place_of(*column).is_none())
                .map(Column::name)
                .collect();
            if missing.is_empty() {
                return Ok((columns, index + 1));
            }
            if best.as_ref().is_none_or(|best| missing.len() < best.len()) {
                best = Some(missing);
            }
        }
        let missing = best.unwrap_or_else(|| Column::REQUIRED.map(Column::name).to_vec()).join(", ");
        bail!(
            "no column for {missing} is found in the first {HEADER_WITHIN} rows; name it: --column payment=HEADER"
        )
    }

    pub(super) fn cell<'a>(&self, column: Column, row: &'a [String]) -> &'a str {
        self.place_of(column).and_then(|place| row.get(place)).map_or("", String::as_str)
    }

    fn place_of(&self, column: Column) -> Option<usize> {
        let index = Column::ALL.iter().position(|other| *other == column)?;
        self.places.get(index).copied().flatten()
    }
}

fn is_needed(column: Column, named: &[(Column, String)]) -> bool {
    Column::REQUIRED.contains(&column) || named.iter().any(|(other, _)| *other == column)
}

/// Of several headers that fit, the one that stands first in the list.
fn place(column: Column, row: &[String], named: &[(Column, String)]) -> Option<usize> {
    let of = |header: &str| row.iter().position(|cell| plain(cell) == header);
    match named.iter().find(|(other, _)| *other == column) {
        Some((_, header)) => of(header),
        None => column.headers().iter().find_map(|header| of(header)),
    }
}

/// Without what differs from export to export: case, apostrophes, underscores, repeated blanks, ё.
pub(super) fn plain(header: &str) -> String {
    let lower =
        header.trim_start_matches('\u{feff}').to_lowercase().replace('ё', "е").replace(['_', '\u{a0}'], " ");
    let kept: String = lower.chars().filter(|mark| !"'`’‘ʻʼ\"".contains(*mark)).collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}
