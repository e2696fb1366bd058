//! What nobody is at any more: a process died, or a document could not be read when its event was done.

use std::collections::BTreeMap;

use tolov_domain::{
    OrderId, OrderedProduct,
    ports::{
        PortError,
        documents::{Documents, Key},
    },
};

use super::{
    goods::settle_goods,
    repair::{is_stray, settlement_of_stray},
};
use crate::{
    catalogue::{
        Product,
        stock::{self, Goods, HoldState},
    },
    order::{ShopOrder, query_unsettled},
    records::{self, Record, Versioned},
};

/// How many orders [`settle_left`] looks at in one call.
const LEFT_AT_ONCE: u32 = 50;
/// How many products [`release_strays`] looks at in one call.
const PRODUCTS_AT_ONCE: u32 = 100;

/// Settles what was left when the event of an order was done. No other event would finish it.
///
/// Whoever is at an order just now finishes it while `meanwhile` goes on: of two that settle the same order one comes too
/// late, and what it holds is held for nothing if it is stopped then ([`release_strays`]).
///
/// `skip`: so many were looked at in vain by the calls before. Returns the orders that are settled now, and what the next
/// call skips.
pub async fn settle_left(
    documents: &dyn Documents,
    skip: u32,
    meanwhile: impl Future<Output = ()>,
) -> Result<(Vec<ShopOrder>, u32), PortError> {
    let query = query_unsettled(LEFT_AT_ONCE).skip(skip);
    let page = records::find_versioned::<ShopOrder>(documents, &query).await?;
    let found = u32::try_from(page.len()).unwrap_or(LEFT_AT_ONCE);
    if found == 0 {
        return Ok((Vec::new(), 0));
    }
    let seen: Vec<Versioned<ShopOrder>> = page.into_iter().flatten().collect();
    meanwhile.await;
    let keys = seen.iter().map(|order| order.key()).collect();
    let mut now = records::get_many::<ShopOrder>(documents, &keys).await?;
    let is_as_before = |order: &Versioned<ShopOrder>| {
        let now = now.remove(&order.key()).and_then(Result::ok);
        now.is_some_and(|now| now.version == order.version)
    };
    let left: Vec<Versioned<ShopOrder>> = seen.into_iter().filter(is_as_before).collect();
    let ids: Vec<i64> = left.iter().map(|order| order.id.get()).collect();
    settle_goods(documents, left).await?;
    let mut settled: Vec<ShopOrder> = records::read_many(documents, ids).await?;
    settled.retain(|order| !order.is_unsettled());
    // The settled ones are not found any more.
    let stuck = found.saturating_sub(u32::try_from(settled.len()).unwrap_or(found));
    Ok((settled, if found < LEFT_AT_ONCE { 0 } else { skip.saturating_add(stuck) }))
}

/// Gives back what products hold for orders that are over and settled: whoever held it came too late and died before it
/// noticed. What is held for an order that the store does not know is for the audit to find.
///
/// Looks at the products after this key. Returns the pieces that were given back, with their orders, and the last product
/// that it looked at; `None`: there are no more.
pub async fn release_strays(
    documents: &dyn Documents,
    after: Option<Key>,
) -> Result<(Vec<(OrderId, OrderedProduct)>, Option<Key>), PortError> {
    let products: Vec<Product> = records::page_after(documents, after, PRODUCTS_AT_ONCE).await?;
    let last = products.last().map(Record::key);
    let holds = products.iter().flat_map(|product| &product.holds);
    let holds: Vec<_> = holds.filter(|hold| hold.state == HoldState::Held).collect();
    let orders = records::read_many(documents, holds.iter().map(|hold| hold.order_id.get())).await?;
    let orders: BTreeMap<OrderId, ShopOrder> =
        orders.into_iter().map(|order: ShopOrder| (order.id, order)).collect();
    let mut strays = Vec::new();
    let mut goods = Goods::default();
    for hold in holds {
        if orders.get(&hold.order_id).is_some_and(|order| is_stray(Some(order))) {
            let pieces = OrderedProduct { product_id: hold.article_id, count: hold.count };
            goods.add(hold.order_id, &[pieces]);
            strays.push((hold.order_id, pieces));
        }
    }
    let failed = stock::settle(documents, &goods, |id| settlement_of_stray(orders.get(&id))).await?.failed;
    strays.retain(|(id, _)| !failed.contains(id));
    Ok((strays, last))
}
