//! Stock: held for an order that awaits its payment, then committed for good or released.
//!
//! A product's document says which orders hold how much of it, so each step may be repeated: holding what is held,
//! committing or releasing what is not held, changes nothing. Every step takes several orders at once and costs two
//! commands, however many products they share.
//!
//! An order that is paid in time still holds everything: [`Settlement::Commit`] removes its holds, and no hold means that
//! it is done. Nobody releases the holds of a paid order, so this needs no second look.
//!
//! Where several processes may be at one order's goods (late money, cancelling what is paid), each goes in three steps: mark
//! ([`hold`], [`mark_sold`]), look at the order's record, then turn exactly what was marked ([`commit_marked`],
//! [`restock`]). So whoever comes too late notices before anything is sold or comes back a second time. What was turned is
//! remembered in the product until the order's record says so too ([`Settlement::Prune`]).

use std::collections::{BTreeMap, BTreeSet};

use tolov_domain::{
    OrderId, OrderedProduct, ProductId,
    ports::{
        PortError,
        documents::{Documents, Version},
    },
};

pub use super::holds::{Hold, HoldState, Marks, Short, Sold};
use super::{product::Product, queries::query_of_articles};
use crate::records;

/// How many products [`not_held`] has in memory at a time.
const PRODUCTS_AT_ONCE: usize = 100;

/// The goods of some orders: how many of each article.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Goods(BTreeMap<OrderId, BTreeMap<ProductId, u32>>);

impl Goods {
    pub fn of(order_id: OrderId, products: &[OrderedProduct]) -> Self {
        let mut goods = Self::default();
        goods.add(order_id, products);
        goods
    }

    /// Lines of the same article are added up.
    pub fn add(&mut self, order_id: OrderId, products: &[OrderedProduct]) {
        let of_order = self.0.entry(order_id).or_default();
        for OrderedProduct { product_id, count } in products {
            let sum = of_order.entry(*product_id).or_default();
            *sum = sum.saturating_add(*count);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn by_article(&self) -> BTreeMap<ProductId, Vec<(OrderId, u32)>> {
        let mut by_article: BTreeMap<ProductId, Vec<(OrderId, u32)>> = BTreeMap::new();
        for (order_id, articles) in &self.0 {
            for (article_id, count) in articles {
                by_article.entry(*article_id).or_default().push((*order_id, *count));
            }
        }
        by_article
    }
}

/// What a step did to the goods of some orders.
#[derive(Debug)]
pub struct Step<T> {
    /// What was said of each product of an order.
    pub told: BTreeMap<OrderId, Vec<T>>,
    /// Articles that no product has any more.
    pub gone: BTreeMap<OrderId, Vec<ProductId>>,
    /// Orders with a product whose document cannot be read or written: the step may not be done for them.
    pub failed: BTreeSet<OrderId>,
}

impl<T> Step<T> {
    /// What was said of the products of one order.
    pub fn of(&mut self, order_id: OrderId) -> Vec<T> {
        self.told.remove(&order_id).unwrap_or_default()
    }
}

/// What came of holding the goods of an order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HoldOutcome {
    /// What there is not enough of; the rest is held.
    pub short: Vec<Short>,
    pub marks: Marks,
}

/// Sets aside all goods of the orders, or as much as there is.
pub async fn hold(documents: &dyn Documents, goods: &Goods) -> Result<Step<HoldOutcome>, PortError> {
    let mut step = change_products(documents, goods, |product, order_id, wanted, version| {
        let mut held = HoldOutcome::default();
        for article in wanted {
            match product.hold(order_id, *article, version) {
                Ok(hold) => held.marks.add(&hold),
                Err(short) => held.short.push(short),
            }
        }
        held
    })
    .await?;
    for (order_id, articles) in &step.gone {
        let short = articles.iter().map(|article_id| Short { article_id: *article_id, left: 0 }).collect();
        step.told.entry(*order_id).or_default().push(HoldOutcome { short, marks: Marks::default() });
    }
    Ok(step)
}

/// What of these goods is not set aside, nor sold, by the products that have them.
pub async fn not_held(
    documents: &dyn Documents,
    goods: &Goods,
) -> Result<Vec<(OrderId, OrderedProduct)>, PortError> {
    let by_article = goods.by_article();
    let ids: Vec<ProductId> = by_article.keys().copied().collect();
    let mut missing = Vec::new();
    for part in ids.chunks(PRODUCTS_AT_ONCE) {
        let query = query_of_articles(&part.iter().copied().collect());
        for product in records::find::<Product>(documents, &query).await? {
            for product_id in &product.article_ids {
                let wanted = by_article.get(product_id).into_iter().flatten();
                let wanted = wanted.filter(|(order_id, _)| !product.has_hold(*order_id, *product_id));
                missing.extend(wanted.map(|(order_id, count)| {
                    (*order_id, OrderedProduct { product_id: *product_id, count: *count })
                }));
            }
        }
    }
    Ok(missing)
}

/// What becomes of the holds of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// The order was paid while it held everything: what it holds is sold.
    Commit,
    /// The order came to nothing: what it holds can be sold again.
    Release,
    /// The order's record says what became of its goods: the product need not remember that they were sold, nor, if
    /// `is_released`, that they came back. What is held still comes from a repetition that was too late, and is released.
    Prune { is_released: bool },
}

pub async fn settle(
    documents: &dyn Documents,
    goods: &Goods,
    settlement: impl Fn(OrderId) -> Settlement,
) -> Result<Step<()>, PortError> {
    change_products(documents, goods, |product, order_id, _, _| match settlement(order_id) {
        Settlement::Commit => product.commit(order_id),
        Settlement::Release => product.release(order_id),
        Settlement::Prune { is_released } => product.prune(order_id, is_released),
    })
    .await
}

/// The second half of a [`hold`] for orders that are paid already: what is marked is sold. Says which articles each order
/// has bought, now or before.
pub async fn commit_marked(
    documents: &dyn Documents,
    goods: &Goods,
    marks: &BTreeMap<OrderId, Marks>,
) -> Result<Step<Vec<ProductId>>, PortError> {
    let none = Marks::default();
    change_products(documents, goods, |product, order_id, _, _| {
        product.commit_marked(order_id, marks.get(&order_id).unwrap_or(&none))
    })
    .await
}

/// The products know what a cancelled order has bought, so that it can be put back into stock; nothing is yet.
pub async fn mark_sold(
    documents: &dyn Documents,
    goods: &Goods,
    sold: Sold,
) -> Result<Step<Marks>, PortError> {
    change_products(documents, goods, |product, order_id, bought, version| {
        let mut marks = Marks::default();
        for article in bought {
            if let Some(hold) = product.mark_sold(order_id, *article, sold, version) {
                marks.add(&hold);
            }
        }
        marks
    })
    .await
}

/// The orders were cancelled after they were paid: what is marked can be sold again. Says how many of the marks are
/// restocked, now or before.
pub async fn restock(
    documents: &dyn Documents,
    goods: &Goods,
    marks: &BTreeMap<OrderId, Marks>,
) -> Result<Step<usize>, PortError> {
    let none = Marks::default();
    change_products(documents, goods, |product, order_id, _, _| {
        product.restock(order_id, marks.get(&order_id).unwrap_or(&none))
    })
    .await
}

/// Refunds brought back so many pieces, all refunds of an order counted: what did not come back before can be sold again.
pub async fn put_back(documents: &dyn Documents, goods: &Goods) -> Result<Step<()>, PortError> {
    change_products(documents, goods, |product, order_id, back, version| {
        for article in back {
            product.put_back(order_id, *article, version);
        }
    })
    .await
}

/// Changes each product that has articles of the orders, once an order.
async fn change_products<T>(
    documents: &dyn Documents,
    goods: &Goods,
    mut change: impl FnMut(&mut Product, OrderId, &[OrderedProduct], Version) -> T,
) -> Result<Step<T>, PortError> {
    let mut step = Step { told: BTreeMap::new(), gone: BTreeMap::new(), failed: BTreeSet::new() };
    let by_article = goods.by_article();
    if by_article.is_empty() {
        return Ok(step);
    }
    let query = query_of_articles(&by_article.keys().copied().collect());
    let changed = records::change_by_query(documents, &query, |product: &Product, version| {
        let mut product = product.clone();
        let mut by_order: BTreeMap<OrderId, Vec<OrderedProduct>> = BTreeMap::new();
        for product_id in &product.article_ids {
            for (order_id, count) in by_article.get(product_id).into_iter().flatten() {
                let article = OrderedProduct { product_id: *product_id, count: *count };
                by_order.entry(*order_id).or_default().push(article);
            }
        }
        let change = |(order_id, articles): (OrderId, Vec<OrderedProduct>)| {
            (order_id, change(&mut product, order_id, &articles, version))
        };
        let told: Vec<(OrderId, T)> = by_order.into_iter().map(change).collect();
        Some((product, told))
    });
    let changed = changed.await?;
    let mut found = BTreeSet::new();
    for (product, told) in changed.records.into_values() {
        found.extend(product.record.article_ids);
        for (order_id, told) in told {
            step.told.entry(order_id).or_default().push(told);
        }
    }
    for (article_id, orders) in by_article.into_iter().filter(|(id, _)| !found.contains(id)) {
        for (order_id, _) in orders {
            if changed.failed.is_empty() {
                step.gone.entry(order_id).or_default().push(article_id);
            } else {
                // It may be an article of the product that cannot be read.
                step.failed.insert(order_id);
            }
        }
    }
    Ok(step)
}
