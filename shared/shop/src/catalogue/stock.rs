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

use serde::{Deserialize, Serialize};
use tolov_domain::{
    OrderId, OrderedProduct, ProductId,
    ports::{
        PortError,
        documents::{Documents, Version},
    },
};

use super::{product::Product, queries::query_of_articles};
use crate::records;

/// Pieces of one article that are set aside for one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub order_id: OrderId,
    pub article_id: ProductId,
    pub count: u32,
    pub state: HoldState,
    /// The version of the product that had it first: tells it from an earlier hold of the same order.
    pub since: Version,
}

/// What has become of pieces that were set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldState {
    /// Waiting for the payment.
    Held,
    /// The order is paid.
    Sold,
    /// The order was paid and then cancelled: they are in stock again.
    Restocked,
}

/// There is not enough of an article: this much is left, 0 also where the article is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Short {
    pub article_id: ProductId,
    pub left: u32,
}

/// What an order has set aside, as one process saw it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Marks(BTreeSet<(ProductId, Version)>);

impl Marks {
    fn has(&self, hold: &Hold) -> bool {
        self.0.contains(&(hold.article_id, hold.since))
    }

    fn add(&mut self, hold: &Hold) {
        self.0.insert((hold.article_id, hold.since));
    }

    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

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
pub struct Held {
    /// What there is not enough of; the rest is held.
    pub short: Vec<Short>,
    pub marks: Marks,
}

/// Sets aside all goods of the orders, or as much as there is.
pub async fn hold(documents: &dyn Documents, goods: &Goods) -> Result<Step<Held>, PortError> {
    let mut step = change_products(documents, goods, |product, order_id, wanted, version| {
        let mut held = Held::default();
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
        step.told.entry(*order_id).or_default().push(Held { short, marks: Marks::default() });
    }
    Ok(step)
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

/// Which of the goods of a cancelled order were sold to it, so that they come back into stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sold {
    /// All. A hold comes from a repetition that was too late.
    All,
    /// All; the products know by a hold that a part is not committed yet.
    AllBeingCommitted,
    /// What the products know to be held or sold.
    Known,
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

impl Product {
    fn hold_of(&self, order_id: OrderId, article_id: ProductId) -> Option<Hold> {
        let is_it = |hold: &&Hold| hold.order_id == order_id && hold.article_id == article_id;
        self.holds.iter().find(is_it).copied()
    }

    /// Sets pieces aside; `since` is the version that the product becomes. What the order holds, or has bought, is not held
    /// again.
    fn hold(&mut self, order_id: OrderId, wanted: OrderedProduct, since: Version) -> Result<Hold, Short> {
        let OrderedProduct { product_id: article_id, count } = wanted;
        if let Some(hold) = self.hold_of(order_id, article_id) {
            return Ok(hold);
        }
        match self.stock_of(article_id) {
            None => return Err(Short { article_id, left: 0 }),
            Some(Some(stock)) => match stock.checked_sub(count) {
                Some(rest) => *stock = rest,
                None => return Err(Short { article_id, left: *stock }),
            },
            Some(None) => {}
        }
        let hold = Hold { order_id, article_id, count, state: HoldState::Held, since };
        self.holds.push(hold);
        Ok(hold)
    }

    fn commit(&mut self, order_id: OrderId) {
        self.holds.retain(|hold| hold.order_id != order_id || hold.state != HoldState::Held);
    }

    fn commit_marked(&mut self, order_id: OrderId, marks: &Marks) -> Vec<ProductId> {
        let mut sold = Vec::new();
        for hold in self.holds.iter_mut().filter(|hold| hold.order_id == order_id && marks.has(hold)) {
            if hold.state == HoldState::Held {
                hold.state = HoldState::Sold;
            }
            sold.extend((hold.state == HoldState::Sold).then_some(hold.article_id));
        }
        sold
    }

    /// A variant that is gone takes nothing back.
    fn release(&mut self, order_id: OrderId) {
        let is_held = |hold: &Hold| hold.order_id == order_id && hold.state == HoldState::Held;
        let held: Vec<Hold> = self.holds.extract_if(.., |hold| is_held(hold)).collect();
        for hold in held {
            self.add_stock(hold.article_id, hold.count);
        }
    }

    fn mark_sold(
        &mut self,
        order_id: OrderId,
        bought: OrderedProduct,
        sold: Sold,
        since: Version,
    ) -> Option<Hold> {
        let OrderedProduct { product_id: article_id, count } = bought;
        match self.hold_of(order_id, article_id) {
            Some(late) if sold == Sold::All && late.state == HoldState::Held => {
                self.holds.retain(|hold| *hold != late);
                self.add_stock(article_id, late.count);
            }
            Some(hold) => return Some(hold),
            None if sold == Sold::Known => return None,
            None => {}
        }
        let hold = Hold { order_id, article_id, count, state: HoldState::Sold, since };
        self.holds.push(hold);
        Some(hold)
    }

    fn restock(&mut self, order_id: OrderId, marks: &Marks) -> usize {
        let mut back = Vec::new();
        let mut count = 0;
        for hold in self.holds.iter_mut().filter(|hold| hold.order_id == order_id && marks.has(hold)) {
            if hold.state != HoldState::Restocked {
                hold.state = HoldState::Restocked;
                back.push(*hold);
            }
            count += 1;
        }
        for hold in back {
            self.add_stock(hold.article_id, hold.count);
        }
        count
    }

    fn prune(&mut self, order_id: OrderId, is_released: bool) {
        self.release(order_id);
        let stays = |hold: &Hold| hold.state == HoldState::Restocked && !is_released;
        self.holds.retain(|hold| hold.order_id != order_id || stays(hold));
    }

    fn add_stock(&mut self, article_id: ProductId, count: u32) {
        if let Some(Some(stock)) = self.stock_to_restore(article_id) {
            *stock = stock.saturating_add(count);
        }
    }
}

#[cfg(test)]
mod tests {
    use tolov_domain::Tiyin;

    use super::*;
    use crate::catalogue::{Fiscal, Variant};

    #[test]
    fn pieces_that_were_held_before_there_were_variants_are_released_to_the_product() {
        let id = |number| ProductId::try_new(number).unwrap();
        let order = OrderId::try_new(1).unwrap();
        let mut product = Product {
            id: id(7),
            category_id: 1,
            title: "Choynak".to_owned(),
            description: String::new(),
            photo: None,
            hidden: false,
            price: Tiyin::from_soum(1_000).unwrap(),
            stock: Some(5),
            variants: Vec::new(),
            fiscal: Fiscal::default(),
            holds: Vec::new(),
            article_ids: Vec::new(),
        };
        let wanted = |number, count| OrderedProduct { product_id: id(number), count };
        product.hold(order, wanted(7, 2), 1).unwrap();
        product.variants.push(Variant {
            id: id(8),
            label: "M".to_owned(),
            price: product.price,
            stock: Some(1),
        });
        assert_eq!(product.hold(order, wanted(8, 2), 2), Err(Short { article_id: id(8), left: 1 }));
        let other = OrderId::try_new(2).unwrap();
        assert_eq!(
            product.hold(other, wanted(7, 1), 3),
            Err(Short { article_id: id(7), left: 0 }),
            "not sold as it is"
        );
        product.release(order);
        assert_eq!((product.stock, product.holds.len()), (Some(5), 0));
    }
}
