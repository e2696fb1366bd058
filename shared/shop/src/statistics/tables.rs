//! Orders and sales as tables for a spreadsheet.

use tolov_domain::{
    Tiyin,
    order::{OrderLine, decimal},
    ports::{PortError, documents::Documents},
    time::{TASHKENT, Timestamp},
};

use super::{Statistics, each_order};
use crate::{
    csv::{Table, guarded, price_text, table},
    order::ShopOrder,
};

/// A phone still opens a table of this many orders.
const ORDERS_MAX: usize = 50_000;

/// Orders as CSV.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrdersTable {
    pub file: Vec<u8>,
    pub orders: usize,
    /// There are more orders in this period: choose a shorter one.
    pub is_cut: bool,
}

/// The orders that were placed between two times, oldest first. Times in the table are those of Tashkent.
pub async fn orders_csv(
    documents: &dyn Documents,
    (from, to): (Timestamp, Timestamp),
) -> Result<OrdersTable, PortError> {
    let mut table = Table::new([
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
    ]);
    let mut orders = 0;
    let add = |order: &ShopOrder| {
        table.add(&row_of(order));
        orders += 1;
    };
    let is_whole = each_order(documents, (from, to), ORDERS_MAX, add).await?;
    Ok(OrdersTable { file: table.finish(), orders, is_cut: !is_whole })
}

fn row_of(order: &ShopOrder) -> [String; 14] {
    let (terms, payment) = (order.terms.as_ref(), order.payment());
    let price = |price: Option<Tiyin>| price.map(price_text).unwrap_or_default();
    [
        order.id.to_string(),
        minute(order.placed_at),
        payment.map(|payment| minute(payment.paid_at)).unwrap_or_default(),
        order.stage().as_str().to_owned(),
        order.user_id.to_string(),
        guarded(terms.map(|terms| terms.phone.as_str()).unwrap_or_default()),
        price(terms.map(|terms| terms.goods)),
        price(terms.map(|terms| terms.discount)),
        guarded(order.promo_code().unwrap_or_default()),
        price(terms.map(|terms| terms.delivery_price)),
        price_text(order.total),
        payment.map(|payment| payment.click_paydoc_id.to_string()).unwrap_or_default(),
        if payment.is_some_and(|payment| payment.late) { "yes" } else { "no" }.to_owned(),
        guarded(&order.lines.iter().map(line_text).collect::<Vec<_>>().join(", ")),
    ]
}

/// `Futbolka · M × 2 = 180000`, `Olma 1,5 kg = 36000`.
fn line_text(line: &OrderLine) -> String {
    let sum = line.price.and_then(|price| price.checked_times(line.count).ok());
    let sum = sum.map(|sum: Tiyin| format!(" = {}", price_text(sum))).unwrap_or_default();
    match line.portion {
        Some(portion) => {
            let amount = decimal(portion.thousandths_of(line.count), ',');
            format!("{} {amount} {}{sum}", line.title, portion.unit.as_str())
        }
        None => format!("{} × {}{sum}", line.title, line.count),
    }
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
