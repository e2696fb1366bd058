//! Orders: numbers, checkout, and reading them back.

use async_trait::async_trait;
use serde_json::json;
use sqlx::{Connection, SqliteConnection, SqliteExecutor};
use tolov_domain::{
    ClickPaydocId, ClickTransId, EventId, OrderId, ProductId, Tiyin, UserId,
    order::{HistoryEntry, Order, OrderLine, OrderStatus, PaymentFacts},
    ports::{
        PortError,
        shop::{NewOrder, Orders, Recorded},
    },
    time::{from_unix_ms, unix_ms},
};

use super::EmbeddedShop;
use crate::sqlite::{BEGIN_WRITING, SqliteFile};

/// An order in one row, so that it is read in one statement and as it was at one moment.
macro_rules! select_orders {
    ($which:literal) => {
        concat!(
            "SELECT id, user_id, total_tiyin, status, created_at_ms,
                    click_trans_id, click_paydoc_id, paid_at_ms, late,
                    (SELECT json_group_array(json_array(product_id, count, title, price_tiyin) ORDER BY position)
                     FROM order_lines WHERE order_id = orders.id) AS lines,
                    (SELECT json_group_array(json_array(event_id, what, at_ms) ORDER BY at_ms, event_id)
                     FROM order_history WHERE order_id = orders.id) AS history
             FROM orders ",
            $which
        )
    };
}

#[async_trait]
impl Orders for EmbeddedShop {
    async fn next_order_id(&self) -> Result<OrderId, PortError> {
        let mut writer = self.file.writer().await?;
        // A store that was rebuilt from events knows orders that this counter has not counted.
        let number: i64 = sqlx::query_scalar(
            "UPDATE counters SET value = max(value, (SELECT coalesce(max(id), 0) FROM orders)) + 1
             WHERE name = 'orders' RETURNING value",
        )
        .fetch_one(&mut *writer)
        .await
        .map_err(|error| self.file.failed(&error))?;
        OrderId::try_new(number).map_err(|_| self.file.damaged("the counter of orders"))
    }

    async fn place_order(&self, order: &NewOrder) -> Result<Recorded, PortError> {
        let mut writer = self.file.writer().await?;
        let rows = OrderRows::of(std::slice::from_ref(order));
        let placed = async {
            let mut transaction = writer.begin_with(BEGIN_WRITING).await?;
            let placed = insert_pending(&mut transaction, rows).await?;
            transaction.commit().await?;
            Ok(placed)
        };
        let placed = placed.await.map_err(|error: sqlx::Error| self.file.failed(&error))?;
        Ok(if placed > 0 { Recorded::Now } else { Recorded::Before })
    }

    async fn order(&self, id: OrderId) -> Result<Option<Order>, PortError> {
        let orders = orders_by_id(&self.file, self.file.readers(), &[id]).await?;
        Ok(orders.into_iter().next())
    }

    async fn orders_of(&self, user_id: UserId, skip: u32, limit: u32) -> Result<Vec<Order>, PortError> {
        let rows = sqlx::query_as(select_orders!(
            "WHERE user_id = ?1 ORDER BY created_at_ms DESC, id DESC LIMIT ?3 OFFSET ?2"
        ))
        .bind(user_id.get())
        .bind(skip)
        .bind(limit)
        .fetch_all(self.file.readers())
        .await
        .map_err(|error| self.file.failed(&error))?;
        into_orders(&self.file, rows)
    }
}

/// The orders that are there, in no certain order.
pub(super) async fn orders_by_id(
    file: &SqliteFile,
    connection: impl SqliteExecutor<'_>,
    ids: &[OrderId],
) -> Result<Vec<Order>, PortError> {
    let rows = sqlx::query_as(select_orders!("WHERE id IN (SELECT value FROM json_each(?1))"))
        .bind(json!(ids).to_string())
        .fetch_all(connection)
        .await
        .map_err(|error| file.failed(&error))?;
    into_orders(file, rows)
}

/// Orders that are to be pending, as JSON for the statements.
pub(super) struct OrderRows {
    orders: String,
    lines: String,
}

impl OrderRows {
    /// The ids must differ.
    pub(super) fn of(orders: &[NewOrder]) -> Self {
        let order_row =
            |order: &NewOrder| json!([order.id, order.user_id, order.total, unix_ms(order.created_at)]);
        let line_rows = |order: &NewOrder| {
            let rows =
                order.lines.iter().filter(|line| line.count > 0).enumerate().map(|(position, line)| {
                    json!([order.id, position, line.product_id, line.count, line.title, line.price])
                });
            rows.collect::<Vec<_>>()
        };
        Self {
            orders: json!(orders.iter().map(order_row).collect::<Vec<_>>()).to_string(),
            lines: json!(orders.iter().flat_map(line_rows).collect::<Vec<_>>()).to_string(),
        }
    }
}

/// Keeps pending orders, with their shoppers, unless they are there; returns how many were not. Either all of them are
/// there or none.
pub(super) async fn insert_pending(connection: &mut SqliteConnection, rows: OrderRows) -> sqlx::Result<u64> {
    sqlx::query(
        "INSERT INTO users (id) SELECT value ->> 1 FROM json_each(?1) WHERE true ON CONFLICT (id) DO NOTHING",
    )
    .bind(&rows.orders)
    .execute(&mut *connection)
    .await?;
    let inserted = sqlx::query(
        "INSERT INTO orders (id, user_id, total_tiyin, status, created_at_ms)
         SELECT value ->> 0, value ->> 1, value ->> 2, 'pending', value ->> 3 FROM json_each(?1) WHERE true
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(&rows.orders)
    .execute(&mut *connection)
    .await?
    .rows_affected();
    if inserted > 0 {
        sqlx::query(
            "INSERT INTO order_lines (order_id, position, product_id, count, title, price_tiyin)
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
             FROM json_each(?1)",
        )
        .bind(&rows.lines)
        .execute(connection)
        .await?;
    }
    Ok(inserted)
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    user_id: i64,
    total_tiyin: i64,
    status: String,
    created_at_ms: i64,
    click_trans_id: Option<i64>,
    click_paydoc_id: Option<i64>,
    paid_at_ms: Option<i64>,
    late: Option<bool>,
    /// JSON: product, count, title, price.
    lines: String,
    /// JSON: event, what, when.
    history: String,
}

fn into_orders(file: &SqliteFile, rows: Vec<Row>) -> Result<Vec<Order>, PortError> {
    let order = |row: Row| {
        let id = row.id;
        row.into_order().ok_or_else(|| file.damaged(format_args!("order {id}")))
    };
    rows.into_iter().map(order).collect()
}

impl Row {
    fn into_order(self) -> Option<Order> {
        let payment = match (self.click_trans_id, self.click_paydoc_id, self.paid_at_ms, self.late) {
            (Some(click_trans_id), Some(click_paydoc_id), Some(paid_at_ms), Some(late)) => {
                Some(PaymentFacts {
                    click_trans_id: ClickTransId::try_new(click_trans_id).ok()?,
                    click_paydoc_id: ClickPaydocId::try_new(click_paydoc_id).ok()?,
                    paid_at: from_unix_ms(paid_at_ms),
                    late,
                })
            }
            _ => None,
        };
        let lines: Vec<(ProductId, u32, String, Option<Tiyin>)> = serde_json::from_str(&self.lines).ok()?;
        let line = |(product_id, count, title, price)| OrderLine { product_id, count, title, price };
        let history: Vec<(EventId, String, i64)> = serde_json::from_str(&self.history).ok()?;
        let entry = |(event_id, what, at_ms)| HistoryEntry { event_id, what, at: from_unix_ms(at_ms) };
        Some(Order {
            id: OrderId::try_new(self.id).ok()?,
            user_id: UserId::try_new(self.user_id).ok()?,
            lines: lines.into_iter().map(line).collect(),
            total: Tiyin::try_new(self.total_tiyin).ok()?,
            status: OrderStatus::parse(&self.status)?,
            created_at: from_unix_ms(self.created_at_ms),
            payment,
            history: history.into_iter().map(entry).collect(),
        })
    }
}
