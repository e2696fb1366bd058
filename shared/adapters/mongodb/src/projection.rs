//! Events become orders and shoppers.
//!
//! Three steps a batch: who is known, the orders, the shoppers (while the orders are read back for the answer). Each
//! document guards itself: the pipeline of an update looks into the document for the effect before it makes it. So a
//! crash between two steps is healed by the redelivery of the batch, and a duplicate changes nothing, however old.

use std::collections::{BTreeMap, HashMap, HashSet};

use async_trait::async_trait;
use futures_util::{TryStreamExt, future::try_join};
use mongodb::bson::{Bson, Document, RawDocumentBuf, doc};
use tolov_domain::{
    Event, EventKind, OrderId,
    order::{Order, OrderStatus},
    ports::{PortError, shop::OrderProjection},
};

use crate::{
    document::{self, Catalogue},
    failure::Failure,
    orders::read_order,
    shop::{MongoShop, ORDERS, PRODUCTS, USERS},
    write::{field_of_each, insert_if_unknown, upsert},
};

/// How many events share their round trips. More would gain nothing and make a call long.
const EVENTS_PER_BATCH: usize = 256;

#[async_trait]
impl OrderProjection for MongoShop {
    async fn apply(&self, events: &[Event]) -> Result<Vec<Order>, PortError> {
        let mut orders = Vec::with_capacity(events.len());
        for batch in events.chunks(EVENTS_PER_BATCH) {
            orders.extend(self.call("applying events", self.apply_batch(batch)).await?);
        }
        Ok(orders)
    }
}

impl MongoShop {
    async fn apply_batch(&self, events: &[Event]) -> Result<Vec<Order>, Failure> {
        let known = self.known_orders(events).await?;
        let unknown: Vec<&Event> =
            events.iter().filter(|event| !known.contains(&event.order_id.get())).collect();
        let catalogue = self.catalogue_for(&unknown).await?;
        if let Some(highest) = unknown.iter().map(|event| event.order_id).max() {
            // Before the order is made: a number that an order has is never given out again, even where the counters
            // were lost and the orders come back from the ledger.
            self.lift_order_counter(highest.get()).await?;
        }
        self.write(ORDERS, events.iter().map(|event| order_update(event, &catalogue)).collect()).await?;
        let shoppers = self.write(USERS, events.iter().map(shopper_update).collect());
        let (_, orders) = try_join(shoppers, self.orders_by_id(events)).await?;
        events.iter().map(|event| order_of(event, &orders)).collect()
    }

    async fn known_orders(&self, events: &[Event]) -> Result<HashSet<i64>, Failure> {
        let ids = doc! { "_id": { "$in": order_ids(events) } };
        let found = self.collection(ORDERS).find(ids).projection(doc! { "_id": 1 }).await?;
        let found: Vec<RawDocumentBuf> = found.try_collect().await?;
        Ok(found.iter().filter_map(|raw| raw.get_i64("_id").ok()).collect())
    }

    async fn catalogue_for(&self, unknown: &[&Event]) -> Result<Catalogue, Failure> {
        let mut products: Vec<i64> = unknown
            .iter()
            .flat_map(|event| &event.products)
            .map(|product| product.product_id.get())
            .collect();
        products.sort_unstable();
        products.dedup();
        if products.is_empty() {
            return Ok(Catalogue::new());
        }
        let found = self
            .collection(PRODUCTS)
            .find(doc! { "_id": { "$in": products } })
            .projection(doc! { "title": 1, "price": 1 })
            .await?;
        let found: Vec<RawDocumentBuf> = found.try_collect().await?;
        Ok(found.iter().filter_map(|raw| document::catalogue_entry(raw)).collect())
    }

    async fn orders_by_id(&self, events: &[Event]) -> Result<HashMap<OrderId, Order>, Failure> {
        let found = self.collection(ORDERS).find(doc! { "_id": { "$in": order_ids(events) } }).await?;
        let found: Vec<RawDocumentBuf> = found.try_collect().await?;
        let mut orders = HashMap::with_capacity(found.len());
        for raw in &found {
            let order = read_order(raw)?;
            orders.insert(order.id, order);
        }
        Ok(orders)
    }
}

fn order_ids(events: &[Event]) -> Vec<i64> {
    let mut ids: Vec<i64> = events.iter().map(|event| event.order_id.get()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn order_of(event: &Event, orders: &HashMap<OrderId, Order>) -> Result<Order, Failure> {
    let order = orders.get(&event.order_id).cloned();
    order.ok_or_else(|| Failure::Vanished(format!("order {}", event.order_id)))
}

/// What one event does to its order. Texts from outside are `$literal`: one that begins with a dollar sign would be
/// read as the name of a field.
fn order_update(event: &Event, catalogue: &Catalogue) -> Document {
    let lines = document::lines(&document::lines_from_event(event, catalogue));
    let known_events = field_of_each("history", "event_id");
    let mut set = doc! {
        "user_id": { "$ifNull": ["$user_id", event.user_id.get()] },
        "lines": { "$ifNull": ["$lines", { "$literal": lines }] },
        "total": { "$ifNull": ["$total", event.amount.get()] },
        "created_at": { "$ifNull": ["$created_at", document::date(event.occurred_at)] },
        "status": status_after(&event.kind),
        "history": { "$cond": [
            { "$in": [{ "$literal": event.id.as_str() }, known_events] },
            "$history",
            { "$concatArrays": [
                { "$ifNull": ["$history", []] },
                [{ "$literal": document::history_entry(event) }],
            ] },
        ] },
    };
    if let Some(payment) = document::payment(event) {
        set.insert("payment", doc! { "$ifNull": ["$payment", { "$literal": payment }] });
    }
    upsert(event.order_id.get(), set)
}

/// Paid wins over everything, whatever comes later or came before.
fn status_after(kind: &EventKind) -> Bson {
    let before = doc! { "$ifNull": ["$status", OrderStatus::Pending.as_str()] };
    match kind {
        EventKind::PaymentCompleted { .. } => OrderStatus::Paid.as_str().into(),
        EventKind::OrderExpired => {
            let pending = doc! { "$eq": [before, OrderStatus::Pending.as_str()] };
            doc! { "$cond": [pending, OrderStatus::Expired.as_str(), "$status"] }.into()
        }
        EventKind::PaymentCancelled { .. } | EventKind::PaymentQuestioned { .. } => before.into(),
    }
}

/// What one event does to its shopper. A completed payment, once: the order is counted and what was bought leaves the
/// cart. The others make a shopper known, no more.
///
/// The guard is the list of paid orders in the same document, so it is as atomic as the effect. It is never cut: a
/// list of the last N would let a replay of the ledger from its start count everything again. An order takes about 20
/// bytes, so a shopper has room for hundreds of thousands.
fn shopper_update(event: &Event) -> Document {
    let EventKind::PaymentCompleted { .. } = event.kind else {
        return insert_if_unknown(event.user_id.get(), document::new_shopper());
    };
    let order_id = event.order_id.get();
    let paid_orders = doc! { "$ifNull": ["$paid_orders", []] };
    let cart = doc! { "$ifNull": ["$cart", []] };
    let counted = doc! { "$in": [order_id, paid_orders.clone()] };
    // Within one stage every expression sees the document as it was before, so the three agree on the guard.
    let once = |before: Document, after: Document| doc! { "$cond": [counted.clone(), before, after] };
    let order_count = doc! { "$ifNull": ["$order_count", 0_i64] };
    let set = doc! {
        "cart": once(cart.clone(), cart_without(event, cart)),
        "order_count": once(order_count.clone(), doc! { "$add": [order_count, 1_i64] }),
        "paid_orders": once(paid_orders.clone(), doc! { "$concatArrays": [paid_orders, [order_id]] }),
    };
    upsert(event.user_id.get(), set)
}

/// The cart less what was bought. A line that the shopper raised after checkout keeps the rest, and a line that is
/// used up vanishes.
fn cart_without(event: &Event, cart: Document) -> Document {
    let mut bought: BTreeMap<i64, i64> = BTreeMap::new();
    for product in &event.products {
        let count = bought.entry(product.product_id.get()).or_default();
        *count = count.saturating_add(i64::from(product.count));
    }
    if bought.is_empty() {
        return cart;
    }
    let branch = |(product_id, count): (i64, i64)| {
        doc! { "case": { "$eq": ["$$line.product_id", product_id] }, "then": count }
    };
    let branches: Vec<Document> = bought.into_iter().map(branch).collect();
    let bought_of_line = doc! { "$switch": { "branches": branches, "default": 0_i64 } };
    let left = doc! { "$subtract": ["$$line.count", bought_of_line] };
    let reduced = doc! { "$map": {
        "input": cart,
        "as": "line",
        "in": { "$mergeObjects": ["$$line", { "count": left }] },
    } };
    doc! { "$filter": { "input": reduced, "as": "line", "cond": { "$gt": ["$$line.count", 0_i64] } } }
}
