//! Finding orders, and changing one by its number.

use tolov_domain::{
    ClickPaydocId, OrderId, OrderedProduct, Outcome, Phone, UserId,
    ports::{
        PortError,
        documents::{Documents, Key, Query, Sequence},
    },
    time::Timestamp,
};

use super::{
    record::{ORDERS, ShopOrder, Stock},
    stage::{Actor, OrderAction, Stage},
};
use crate::records;

/// The numbers of orders, for the restore of an old copy.
pub const ORDER_NUMBERS: Sequence = Sequence::new("orders");
/// Order numbers begin above it, so that they look like order numbers.
const BEFORE_FIRST: i64 = 1_000;
/// Above it JSON readers lose digits. No counter is lifted so far by a number that came from outside.
const NUMBER_MAX: i64 = 1 << 53;

/// The next order number: greater than 1000, than every one given out before, than every order of the store, and than
/// `above`, which is a number known to be used elsewhere. Unique and growing under concurrent callers, also after the
/// counter was lost.
pub async fn next_order_id(documents: &dyn Documents, above: Option<OrderId>) -> Result<OrderId, PortError> {
    let newest = Query::all(ORDERS, 1).newest_first().after(Key::Number(NUMBER_MAX));
    let newest = documents.find(&newest).await?.first().and_then(|order| match records::key_of(order) {
        Key::Number(number) => Some(number),
        Key::Text(_) => None,
    });
    let above = above.map_or(0, OrderId::get);
    draw(documents, above.max(newest.unwrap_or_default())).await
}

/// Lifts the counter over the numbers of orders that come from elsewhere, so that they are never given out.
pub(crate) async fn reserve_order_ids(
    documents: &dyn Documents,
    ids: impl Iterator<Item = OrderId>,
) -> Result<(), PortError> {
    match ids.map(OrderId::get).filter(|id| *id <= NUMBER_MAX).max() {
        Some(highest) => draw(documents, highest).await.map(drop),
        None => Ok(()),
    }
}

async fn draw(documents: &dyn Documents, above: i64) -> Result<OrderId, PortError> {
    let above = if above > NUMBER_MAX { BEFORE_FIRST } else { above.max(BEFORE_FIRST) };
    let number = documents.next_number(ORDER_NUMBERS, above).await?;
    OrderId::try_new(number).map_err(|error| {
        PortError::Refused(format!("the counter of orders is at {number}: {error}; repair it"))
    })
}

pub async fn order(documents: &dyn Documents, id: OrderId) -> Result<Option<ShopOrder>, PortError> {
    records::read(documents, id.get()).await
}

/// A shopper's orders, newest first.
pub async fn orders_of(
    documents: &dyn Documents,
    user_id: UserId,
    skip: u32,
    limit: u32,
) -> Result<Vec<ShopOrder>, PortError> {
    let query = Query::is(ORDERS, "user_id", user_id.get(), limit);
    records::find(documents, &query.newest_first().skip(skip)).await
}

/// A shopper's orders that wait for their payment, newest first, among the latest of the shopper's orders.
pub async fn waiting_orders_of(
    documents: &dyn Documents,
    user_id: UserId,
) -> Result<Vec<ShopOrder>, PortError> {
    const LATEST: u32 = 20;
    let mut orders = orders_of(documents, user_id, 0, LATEST).await?;
    orders.retain(|order| order.stage() == Stage::AwaitingPayment);
    Ok(orders)
}

/// What is held for orders.
pub(crate) fn held_by(orders: &[ShopOrder]) -> impl Iterator<Item = OrderedProduct> {
    orders.iter().filter(|order| order.stock == Stock::Held).flat_map(ShopOrder::products)
}

/// The orders that a payment number of CLICK has paid, newest first.
pub async fn orders_paid_by(
    documents: &dyn Documents,
    click_paydoc_id: ClickPaydocId,
    limit: u32,
) -> Result<Vec<ShopOrder>, PortError> {
    let query = Query::is(ORDERS, "click_paydoc_id", click_paydoc_id.get(), limit);
    records::find(documents, &query.newest_first()).await
}

/// Finds and counts the orders of one stage, oldest first.
pub fn query_in(stage: Stage, limit: u32) -> Query {
    let (field, value) = match stage {
        Stage::Paid => ("progress", "new"),
        Stage::Preparing | Stage::Ready | Stage::OnTheWay | Stage::Delivered => ("progress", stage.as_str()),
        Stage::Creating | Stage::AwaitingPayment | Stage::Cancelled | Stage::Expired | Stage::Refunded => {
            ("status", stage.as_str())
        }
    };
    Query::is(ORDERS, field, value, limit)
}

/// Finds the orders of which [`ShopOrder::is_unsettled`] holds, oldest first.
pub(crate) fn query_unsettled(limit: u32) -> Query {
    Query::is(ORDERS, "unsettled", "stock", limit)
}

/// The orders of one stage, oldest first.
pub async fn orders_in(
    documents: &dyn Documents,
    stage: Stage,
    limit: u32,
) -> Result<Vec<ShopOrder>, PortError> {
    records::find(documents, &query_in(stage, limit)).await
}

/// Finds and counts the orders that were placed with a phone number, newest first.
pub fn query_with_phone(phone: &Phone, limit: u32) -> Query {
    Query::is(ORDERS, "phone", phone.as_str(), limit).newest_first()
}

/// Applies an action to an order that is there; `None` where it is not. For cancelling see [`crate::settling`].
pub async fn apply(
    documents: &dyn Documents,
    id: OrderId,
    action: OrderAction,
    by: Actor,
    at: Timestamp,
) -> Result<Option<(ShopOrder, Outcome<Stage>)>, PortError> {
    records::change(documents, id.get(), |order: &mut ShopOrder| order.apply(action, by, at)).await
}
