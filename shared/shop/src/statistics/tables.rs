//! Orders and sales as tables for a spreadsheet.

use tolov_domain::{
    Tiyin,
    order::OrderLine,
    ports::{PortError, documents::Documents},
    time::{TASHKENT, Timestamp},
};

use super::{Statistics, each_order};
use crate::{
    csv::{guarded, price_text, table},
    fulfilment::Fulfilment,
};

/// So many orders fit a table that a phone still opens.
const ORDERS_MAX: usize = 50_000;

/// Orders as CSV.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrdersTable {
    pub file: Vec<u8>,
    pub orders: usize,
    /// There are more in this time: take a shorter one.
    pub is_cut: bool,
}

/// The orders that were placed from one instant to another, oldest first. Times are those of Tashkent.
pub async fn orders_csv(
    documents: &dyn Documents,
    (from, to): (Timestamp, Timestamp),
) -> Result<OrdersTable, PortError> {
    let mut rows: Vec<[String; 14]> = Vec::new();
    let is_whole = each_order(documents, (from, to), ORDERS_MAX, |order| rows.push(row_of(order))).await?;
    let heading = [
        "number",
        "placed_at",
        "paid_at",
        "stage",
        "shopper_id",
        "phone",
        "goods",
        "discount",
        "promo_code",
        "delivery",
        "total",
        "click_number",
        "late",
        "lines",
    ];
    let orders = rows.len();
    Ok(OrdersTable { file: table(heading, rows), orders, is_cut: !is_whole })
}

fn row_of(order: &Fulfilment) -> [String; 14] {
    [
        order.id.to_string(),
        minute(order.placed_at),
        order.paid_at.map(minute).unwrap_or_default(),
        order.stage.as_str().to_owned(),
        order.user_id.to_string(),
        guarded(&order.phone),
        price_text(order.goods),
        price_text(order.discount),
        guarded(order.promo_code.as_deref().unwrap_or_default()),
        price_text(order.delivery_price),
        price_text(order.total),
        order.click_paydoc_id.map(|number| number.to_string()).unwrap_or_default(),
        if order.late { "yes" } else { "no" }.to_owned(),
        guarded(&order.lines.iter().map(line_text).collect::<Vec<_>>().join(", ")),
    ]
}

/// `Futbolka · M × 2 = 180000`.
fn line_text(line: &OrderLine) -> String {
    let sum = line.price.and_then(|price| price.checked_times(line.count).ok());
    let sum = sum.map(|sum: Tiyin| format!(" = {}", price_text(sum))).unwrap_or_default();
    format!("{} × {}{sum}", line.title, line.count)
}

fn minute(at: Timestamp) -> String {
    let at = at.to_offset(TASHKENT);
    format!("{} {:02}:{:02}", at.date(), at.hour(), at.minute())
}

/// The steps of a period as CSV.
pub fn sales_csv(statistics: &Statistics) -> Vec<u8> {
    let rows = statistics
        .steps
        .iter()
        .map(|step| [step.from.to_string(), step.sold_orders.to_string(), price_text(step.sales)]);
    table(["from", "sold_orders", "sales"], rows)
}
