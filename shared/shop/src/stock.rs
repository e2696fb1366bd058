//! Stock: held for an order that waits for its money, then taken for good or given back.
//!
//! A product's document says which orders hold how much of it, and what of that is sold, so each step may be repeated:
//! holding what is held or sold, taking or giving back what is not held, changes nothing. What was sold, or came back from
//! a cancelled order, is remembered until the order's own record says so too ([`forget`]); after that the record keeps a
//! repetition out, and the product does not grow with every order.
//!
//! Where several processes are at one order, each goes: mark ([`hold`], [`remember_sold`]), look at the order's record,
//! then turn exactly what was marked ([`take`], [`bring_back`]). So whoever comes too late finds that out before anything
//! is sold or comes back a second time.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tolov_domain::{
    OrderId, OrderedProduct, ProductId,
    ports::{
        PortError,
        documents::{Documents, Version},
    },
};

use crate::{
    catalogue::{Product, product_of_article},
    records,
};

/// Pieces of one article that are set aside for one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub order_id: OrderId,
    pub article_id: ProductId,
    pub count: u32,
    #[serde(default)]
    pub state: HoldState,
    /// The version of the product that had it first: tells it from an earlier one of the same order.
    #[serde(default)]
    pub since: Version,
}

/// What has become of pieces that were set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldState {
    /// Wait for the money.
    #[default]
    Held,
    /// The order is paid.
    Sold,
    /// The order was paid and then cancelled: they count as stock again.
    Back,
}

/// What an order has set aside, as one process saw it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Marks(BTreeSet<(ProductId, Version)>);

/// What came of holding.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Held {
    /// What there is not enough of; the rest is held.
    pub short: Vec<Short>,
    pub marks: Marks,
}

/// There is not enough of an article: this much is left (0 also where it is gone altogether).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Short {
    pub article_id: ProductId,
    pub left: u32,
}

impl Marks {
    fn has(&self, hold: &Hold) -> bool {
        self.0.contains(&(hold.article_id, hold.since))
    }

    fn add(&mut self, hold: Hold) {
        self.0.insert((hold.article_id, hold.since));
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Product {
    fn hold_of(&self, order_id: OrderId, article_id: ProductId) -> Option<Hold> {
        let is_it = |hold: &&Hold| hold.order_id == order_id && hold.article_id == article_id;
        self.holds.iter().find(is_it).copied()
    }

    /// Sets pieces aside; `since` is the version that the product becomes. What the order holds already, or has bought, is
    /// not held again.
    fn hold(&mut self, order_id: OrderId, wanted: &OrderedProduct, since: Version) -> Result<Hold, Short> {
        let OrderedProduct { product_id: article_id, count } = *wanted;
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

    /// The order is paid: what it holds is sold. Returns the articles that it has bought, now or before.
    fn take(&mut self, order_id: OrderId, marks: &Marks) -> Vec<ProductId> {
        let mut sold = Vec::new();
        for hold in self.holds.iter_mut().filter(|hold| hold.order_id == order_id && marks.has(hold)) {
            if hold.state == HoldState::Held {
                hold.state = HoldState::Sold;
            }
            sold.extend((hold.state == HoldState::Sold).then_some(hold.article_id));
        }
        sold
    }

    /// The order came to nothing: what it holds can be sold again. A variant that is gone takes nothing back.
    fn give_back(&mut self, order_id: OrderId) {
        let (back, stays): (Vec<Hold>, Vec<Hold>) =
            (self.holds.iter()).partition(|hold| hold.order_id == order_id && hold.state == HoldState::Held);
        self.holds = stays;
        for hold in back {
            self.add_stock(hold.article_id, hold.count);
        }
    }

    /// What the order has bought is to come back: the product knows again that it was sold.
    fn remember_sold(&mut self, order_id: OrderId, bought: &OrderedProduct, since: Version) -> Hold {
        let OrderedProduct { product_id: article_id, count } = *bought;
        match self.hold_of(order_id, article_id) {
            Some(hold) if hold.state != HoldState::Held => return hold,
            // Held by a repetition that came too late.
            Some(late) => {
                self.holds.retain(|hold| *hold != late);
                self.add_stock(article_id, late.count);
            }
            None => {}
        }
        let hold = Hold { order_id, article_id, count, state: HoldState::Sold, since };
        self.holds.push(hold);
        hold
    }

    /// The order was cancelled after it was paid: what it holds or has bought can be sold again. Returns how many of the
    /// marks have come back, now or before.
    fn bring_back(&mut self, order_id: OrderId, marks: &Marks) -> usize {
        let mut back = Vec::new();
        let mut count = 0;
        for hold in self.holds.iter_mut().filter(|hold| hold.order_id == order_id && marks.has(hold)) {
            if hold.state != HoldState::Back {
                hold.state = HoldState::Back;
                back.push(*hold);
            }
            count += 1;
        }
        for hold in back {
            self.add_stock(hold.article_id, hold.count);
        }
        count
    }

    /// The order's own record says what became of its goods: that they were sold need not be remembered here any more, and
    /// what is held still was held by a repetition that came too late. That they came back is remembered until the record
    /// says that too.
    fn forget(&mut self, order_id: OrderId, is_back: bool) {
        self.give_back(order_id);
        self.holds.retain(|hold| hold.order_id != order_id || (hold.state == HoldState::Back && !is_back));
    }

    fn add_stock(&mut self, article_id: ProductId, count: u32) {
        if let Some(Some(stock)) = self.shelf_of(article_id) {
            *stock = stock.saturating_add(count);
        }
    }
}

/// Which products the articles belong to. An article that is gone belongs to none.
async fn products_of(
    documents: &dyn Documents,
    articles: &[OrderedProduct],
) -> Result<(BTreeMap<ProductId, Vec<OrderedProduct>>, Vec<Short>), PortError> {
    let mut by_product: BTreeMap<ProductId, Vec<OrderedProduct>> = BTreeMap::new();
    let mut gone = Vec::new();
    for article in articles {
        match product_of_article(documents, article.product_id).await? {
            Some(product) => by_product.entry(product.id).or_default().push(*article),
            None => gone.push(Short { article_id: article.product_id, left: 0 }),
        }
    }
    Ok((by_product, gone))
}

/// Holds all articles of an order, or as many as there are: what is missing is told, and the rest stays held.
pub async fn hold(
    documents: &dyn Documents,
    order_id: OrderId,
    articles: &[OrderedProduct],
) -> Result<Held, PortError> {
    let (by_product, gone) = products_of(documents, articles).await?;
    let mut held = Held { short: gone, marks: Marks::default() };
    for (product_id, wanted) in by_product {
        let holding = records::change_seen(documents, product_id.get(), |product: &mut Product, version| {
            wanted.iter().map(|article| product.hold(order_id, article, version)).collect::<Vec<_>>()
        });
        let gone = |article: &OrderedProduct| Err(Short { article_id: article.product_id, left: 0 });
        let holds = match holding.await? {
            Some((_, holds)) => holds,
            None => wanted.iter().map(gone).collect(),
        };
        for hold in holds {
            match hold {
                Ok(hold) => held.marks.add(hold),
                Err(short) => held.short.push(short),
            }
        }
    }
    Ok(held)
}

/// What was held is sold. Returns the articles that the order has bought, now or before.
pub async fn take(
    documents: &dyn Documents,
    order_id: OrderId,
    articles: &[OrderedProduct],
    marks: &Marks,
) -> Result<Vec<ProductId>, PortError> {
    let taken = change_each(documents, articles, |product, _, _| product.take(order_id, marks)).await?;
    Ok(taken.into_iter().flatten().collect())
}

/// What the order holds can be sold again.
pub async fn give_back(
    documents: &dyn Documents,
    order_id: OrderId,
    articles: &[OrderedProduct],
) -> Result<(), PortError> {
    change_each(documents, articles, |product, _, _| product.give_back(order_id)).await.map(drop)
}

/// The products know again what a paid order has bought, so that it can come back; nothing can be sold again yet.
pub async fn remember_sold(
    documents: &dyn Documents,
    order_id: OrderId,
    articles: &[OrderedProduct],
) -> Result<Marks, PortError> {
    let remember = |product: &mut Product, articles: &[OrderedProduct], version| {
        articles.iter().map(|article| product.remember_sold(order_id, article, version)).collect::<Vec<_>>()
    };
    let mut marks = Marks::default();
    for hold in change_each(documents, articles, remember).await?.into_iter().flatten() {
        marks.add(hold);
    }
    Ok(marks)
}

/// What an order has set aside.
pub async fn marks(
    documents: &dyn Documents,
    order_id: OrderId,
    articles: &[OrderedProduct],
) -> Result<Marks, PortError> {
    let holds = |product: &mut Product, _: &[OrderedProduct], _| {
        product.holds.iter().filter(|hold| hold.order_id == order_id).copied().collect::<Vec<_>>()
    };
    let mut marks = Marks::default();
    for hold in change_each(documents, articles, holds).await?.into_iter().flatten() {
        marks.add(hold);
    }
    Ok(marks)
}

/// What the order holds or has bought can be sold again. Returns whether everything that is marked has come back.
pub async fn bring_back(
    documents: &dyn Documents,
    order_id: OrderId,
    articles: &[OrderedProduct],
    marks: &Marks,
) -> Result<bool, PortError> {
    let back = change_each(documents, articles, |product, _, _| product.bring_back(order_id, marks)).await?;
    Ok(back.into_iter().sum::<usize>() == marks.len())
}

/// The order's record says what became of its goods: that they are sold, or that they are back.
pub async fn forget(
    documents: &dyn Documents,
    order_id: OrderId,
    articles: &[OrderedProduct],
    is_back: bool,
) -> Result<(), PortError> {
    change_each(documents, articles, |product, _, _| product.forget(order_id, is_back)).await.map(drop)
}

/// Changes each product that articles belong to; one that is gone is passed over.
async fn change_each<T>(
    documents: &dyn Documents,
    articles: &[OrderedProduct],
    mut change: impl FnMut(&mut Product, &[OrderedProduct], Version) -> T,
) -> Result<Vec<T>, PortError> {
    let mut told = Vec::new();
    for (product_id, articles) in products_of(documents, articles).await?.0 {
        let changed = records::change_seen(documents, product_id.get(), |product: &mut Product, version| {
            change(product, &articles, version)
        });
        told.extend(changed.await?.map(|(_, told)| told));
    }
    Ok(told)
}

#[cfg(test)]
mod tests {
    use tolov_domain::Tiyin;

    use super::*;
    use crate::catalogue::{Fiscal, Variant};

    #[test]
    fn what_was_held_before_there_were_variants_comes_back_to_the_product() {
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
        product.hold(order, &wanted(7, 2), 1).unwrap();
        product.variants.push(Variant {
            id: id(8),
            label: "M".to_owned(),
            price: product.price,
            stock: Some(1),
        });
        assert_eq!(product.hold(order, &wanted(8, 2), 2), Err(Short { article_id: id(8), left: 1 }));
        let other = OrderId::try_new(2).unwrap();
        assert_eq!(
            product.hold(other, &wanted(7, 1), 3),
            Err(Short { article_id: id(7), left: 0 }),
            "not sold as it is"
        );
        product.give_back(order);
        assert_eq!((product.stock, product.holds.len()), (Some(5), 0));
    }
}
