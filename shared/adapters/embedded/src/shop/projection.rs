//! Events become orders, carts and counts: a batch is one transaction.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use tolov_domain::{
    Event, EventKind, OrderId,
    order::{Order, OrderLine},
    ports::{
        PortError,
        shop::{NewOrder, OrderProjection},
    },
    time::unix_ms,
};

use super::{
    EmbeddedShop,
    orders::{OrderRows, insert_pending, orders_by_id},
};
use crate::sqlite::BEGIN_WRITING;

#[async_trait]
impl OrderProjection for EmbeddedShop {
    async fn apply(&self, events: &[Event]) -> Result<Vec<Order>, PortError> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let file = &*self.file;
        let failed = |error: sqlx::Error| file.failed(&error);
        let mut writer = file.writer().await?;
        let mut transaction = writer.begin_with(BEGIN_WRITING).await.map_err(failed)?;
        project(&mut transaction, events).await.map_err(failed)?;
        let ids: Vec<_> = events.iter().map(|event| event.order_id).collect();
        let orders = orders_by_id(file, &mut *transaction, &ids).await?;
        transaction.commit().await.map_err(failed)?;
        let by_id: BTreeMap<OrderId, Order> = orders.into_iter().map(|order| (order.id, order)).collect();
        let order_of = |event: &Event| {
            let missing = || file.damaged(format_args!("order {}", event.order_id));
            by_id.get(&event.order_id).cloned().ok_or_else(missing)
        };
        events.iter().map(order_of).collect()
    }
}

async fn project(connection: &mut SqliteConnection, events: &[Event]) -> sqlx::Result<()> {
    make_unknown_orders(connection, events).await?;
    record_history(connection, events).await?;
    // Payments first: an order that is paid does not expire.
    let paid = mark_paid(connection, events).await?;
    if !paid.is_empty() {
        settle_with_shoppers(connection, &paid).await?;
    }
    mark_expired(connection, events).await
}

/// Makes orders and shoppers that the store does not know, as they were when they were placed.
async fn make_unknown_orders(connection: &mut SqliteConnection, events: &[Event]) -> sqlx::Result<()> {
    let mut by_id: BTreeMap<OrderId, &Event> = BTreeMap::new();
    for event in events {
        by_id.entry(event.order_id).or_insert(event);
    }
    let known: Vec<i64> =
        sqlx::query_scalar("SELECT id FROM orders WHERE id IN (SELECT value FROM json_each(?1))")
            .bind(json!(by_id.keys().collect::<Vec<_>>()).to_string())
            .fetch_all(&mut *connection)
            .await?;
    by_id.retain(|id, _| !known.contains(&id.get()));
    if by_id.is_empty() {
        return Ok(());
    }
    let made: Vec<_> = by_id.into_values().map(order_from).collect();
    insert_pending(connection, OrderRows::of(&made)).await?;
    Ok(())
}

fn order_from(event: &Event) -> NewOrder {
    // Names and prices are with the order that was placed; an event carries none.
    let line = |product: &tolov_domain::OrderedProduct| OrderLine {
        product_id: product.product_id,
        count: product.count,
        title: String::new(),
        price: None,
    };
    NewOrder {
        id: event.order_id,
        user_id: event.user_id,
        lines: event.products.iter().map(line).collect(),
        total: event.amount,
        created_at: event.occurred_at,
    }
}

async fn record_history(connection: &mut SqliteConnection, events: &[Event]) -> sqlx::Result<()> {
    let row =
        |event: &Event| json!([event.id, event.order_id, event.kind.name(), unix_ms(event.occurred_at)]);
    sqlx::query(
        "INSERT INTO order_history (event_id, order_id, what, at_ms)
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?1) WHERE true
         ON CONFLICT (event_id) DO NOTHING",
    )
    .bind(json!(events.iter().map(row).collect::<Vec<_>>()).to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// Marks orders paid; returns the events that did it. An order that is paid already has had its effects.
async fn mark_paid<'event>(
    connection: &mut SqliteConnection,
    events: &'event [Event],
) -> sqlx::Result<Vec<&'event Event>> {
    let mut completed = BTreeMap::new();
    for event in events {
        if let EventKind::PaymentCompleted { click_trans_id, click_paydoc_id, late, .. } = event.kind {
            let paid_at_ms = unix_ms(event.occurred_at);
            let row = json!([event.order_id, click_trans_id, click_paydoc_id, paid_at_ms, i64::from(late)]);
            completed.entry(event.order_id).or_insert((event, row));
        }
    }
    if completed.is_empty() {
        return Ok(Vec::new());
    }
    let newly_paid: Vec<i64> = sqlx::query_scalar(
        "UPDATE orders SET status = 'paid', click_trans_id = trans_id, click_paydoc_id = paydoc_id,
                           paid_at_ms = at_ms, late = is_late
         FROM (SELECT value ->> 0 AS order_id, value ->> 1 AS trans_id, value ->> 2 AS paydoc_id,
                      value ->> 3 AS at_ms, value ->> 4 AS is_late FROM json_each(?1))
         WHERE id = order_id AND status <> 'paid' RETURNING id",
    )
    .bind(json!(completed.values().map(|(_, row)| row).collect::<Vec<_>>()).to_string())
    .fetch_all(connection)
    .await?;
    completed.retain(|id, _| newly_paid.contains(&id.get()));
    Ok(completed.into_values().map(|(event, _)| event).collect())
}

/// Takes what was bought out of the carts and counts the orders.
async fn settle_with_shoppers(connection: &mut SqliteConnection, paid: &[&Event]) -> sqlx::Result<()> {
    let mut bought: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    let mut orders: BTreeMap<i64, i64> = BTreeMap::new();
    for event in paid {
        let user_id = event.user_id.get();
        *orders.entry(user_id).or_default() += 1;
        for product in &event.products {
            let count = bought.entry((user_id, product.product_id.get())).or_default();
            *count = count.saturating_add(i64::from(product.count));
        }
    }
    let bought: Vec<_> = bought.iter().map(|((user, product), count)| (user, product, count)).collect();
    let bought = json!(bought).to_string();
    sqlx::query(
        "DELETE FROM cart_lines WHERE EXISTS (
             SELECT 1 FROM json_each(?1)
             WHERE value ->> 0 = user_id AND value ->> 1 = product_id AND value ->> 2 >= count)",
    )
    .bind(&bought)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "UPDATE cart_lines SET count = count - taken
         FROM (SELECT value ->> 0 AS shopper, value ->> 1 AS product, value ->> 2 AS taken FROM json_each(?1))
         WHERE user_id = shopper AND product_id = product",
    )
    .bind(&bought)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "UPDATE users SET order_count = order_count + paid_orders
         FROM (SELECT value ->> 0 AS shopper, value ->> 1 AS paid_orders FROM json_each(?1)) WHERE id = shopper",
    )
    .bind(json!(orders.into_iter().collect::<Vec<_>>()).to_string())
    .execute(connection)
    .await?;
    Ok(())
}

async fn mark_expired(connection: &mut SqliteConnection, events: &[Event]) -> sqlx::Result<()> {
    let expired: Vec<_> = events
        .iter()
        .filter(|event| event.kind == EventKind::OrderExpired)
        .map(|event| event.order_id)
        .collect();
    if expired.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE orders SET status = 'expired'
         WHERE status = 'pending' AND id IN (SELECT value FROM json_each(?1))",
    )
    .bind(json!(expired).to_string())
    .execute(connection)
    .await?;
    Ok(())
}
