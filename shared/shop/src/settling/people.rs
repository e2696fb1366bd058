//! What a sale does to the shopper, and what orders do to promo codes.

use std::collections::{BTreeMap, BTreeSet};

use tolov_domain::{
    OrderId,
    ports::{
        PortError,
        documents::{Documents, Key},
    },
};

use crate::{
    order::ShopOrder,
    promo::{PromoCode, Use},
    records,
    shopper::Shopper,
};

/// Takes what was bought out of the carts and counts the orders, each once. Returns the orders whose shopper's record could
/// not be read or written.
pub(super) async fn record_purchases<'a>(
    documents: &dyn Documents,
    orders: impl IntoIterator<Item = &'a ShopOrder>,
) -> Result<BTreeSet<OrderId>, PortError> {
    let mut of_shopper: BTreeMap<Key, Vec<&ShopOrder>> = BTreeMap::new();
    for order in orders {
        of_shopper.entry(Key::Number(order.user_id.get())).or_default().push(order);
    }
    let keys = of_shopper.keys().cloned().collect();
    let changed = records::change_many(documents, keys, |key, shopper: Option<&Shopper>, _| {
        let orders = of_shopper.get(key)?;
        let user_id = orders.first()?.user_id;
        let mut shopper = shopper.cloned().unwrap_or_else(|| Shopper::new(user_id));
        for order in orders {
            shopper.record_purchase(order.id, &order.products(), order.promo_code());
        }
        Some((shopper, ()))
    });
    let failed = changed.await?.failed;
    let of_failed = failed.keys().filter_map(|key| of_shopper.get(key)).flatten();
    Ok(of_failed.map(|order| order.id).collect())
}

/// Orders whose money went back are not counted any more, each once. Returns those whose shopper's record could not be read
/// or written.
pub(super) async fn record_refunds<'a>(
    documents: &dyn Documents,
    orders: impl IntoIterator<Item = &'a ShopOrder>,
) -> Result<BTreeSet<OrderId>, PortError> {
    let mut of_shopper: BTreeMap<Key, Vec<OrderId>> = BTreeMap::new();
    for order in orders {
        of_shopper.entry(Key::Number(order.user_id.get())).or_default().push(order.id);
    }
    if of_shopper.is_empty() {
        return Ok(BTreeSet::new());
    }
    let keys = of_shopper.keys().cloned().collect();
    let changed = records::change_many(documents, keys, |key, shopper: Option<&Shopper>, _| {
        let mut shopper = shopper?.clone();
        for order_id in of_shopper.get(key)? {
            shopper.record_refund(*order_id);
        }
        Some((shopper, ()))
    });
    let failed = changed.await?.failed;
    Ok(failed.keys().filter_map(|key| of_shopper.get(key)).flatten().copied().collect())
}

/// Whether the use of a promo code counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PromoUse {
    Keeps,
    Releases,
}

/// Brings the promo codes of orders up to date. Returns the orders whose code could not be read or written.
pub(super) async fn settle_promos(
    documents: &dyn Documents,
    orders: &[(&ShopOrder, PromoUse)],
) -> Result<BTreeSet<OrderId>, PortError> {
    let mut of_code: BTreeMap<Key, Vec<(&ShopOrder, PromoUse)>> = BTreeMap::new();
    for (order, promo_use) in orders {
        if let Some(code) = order.promo_code() {
            of_code.entry(Key::from(code)).or_default().push((order, *promo_use));
        }
    }
    let keys = of_code.keys().cloned().collect();
    let changed = records::change_many(documents, keys, |key, promo: Option<&PromoCode>, _| {
        let mut promo = promo?.clone();
        for (order, promo_use) in of_code.get(key)? {
            match promo_use {
                PromoUse::Keeps => promo.keep(Use { order_id: order.id, user_id: order.user_id }),
                PromoUse::Releases => promo.release(order.id),
            }
        }
        Some((promo, ()))
    });
    let failed = changed.await?.failed;
    let of_failed = failed.keys().filter_map(|key| of_code.get(key)).flatten();
    Ok(of_failed.map(|(order, _)| order.id).collect())
}
