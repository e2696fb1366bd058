//! Stock: held for an order that waits for its money, then taken for good or given back.
//!
//! A product's document says which orders hold how much of it, and what of that is sold, so each step may be repeated:
//! holding what is held or sold, taking or giving back what is not held, changes nothing. What was sold, or came back from
//! a cancelled order, is remembered until the order's own record says so too ([`forget`]); after that the record keeps a
//! repetition out, and the product does not grow with every order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tolov_domain::{
    OrderId, OrderedProduct, ProductId,
    ports::{PortError, documents::Documents},
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

/// There is not enough of an article: this much is left (0 also where it is gone altogether).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Short {
    pub article_id: ProductId,
    pub left: u32,
}

impl Product {
    fn holds_for(&self, order_id: OrderId) -> impl Iterator<Item = &Hold> {
        self.holds.iter().filter(move |hold| hold.order_id == order_id)
    }

    /// Sets pieces aside. What the order holds already, or has bought, is not held again.
    pub fn hold(&mut self, order_id: OrderId, article_id: ProductId, count: u32) -> Result<(), Short> {
        if self.holds_for(order_id).any(|hold| hold.article_id == article_id) {
            return Ok(());
        }
        match self.stock_of(article_id) {
            None => return Err(Short { article_id, left: 0 }),
            Some(Some(stock)) => match stock.checked_sub(count) {
                Some(rest) => *stock = rest,
                None => return Err(Short { article_id, left: *stock }),
            },
            Some(None) => {}
        }
        self.holds.push(Hold { order_id, article_id, count, state: HoldState::Held });
        Ok(())
    }

    /// The order is paid: what it holds is sold. Returns the articles that it has bought, now or before.
    pub fn take(&mut self, order_id: OrderId) -> Vec<ProductId> {
        for hold in self.holds.iter_mut().filter(|hold| hold.order_id == order_id) {
            if hold.state == HoldState::Held {
                hold.state = HoldState::Sold;
            }
        }
        let sold = self.holds_for(order_id).filter(|hold| hold.state == HoldState::Sold);
        sold.map(|hold| hold.article_id).collect()
    }

    /// The order came to nothing: what it holds can be sold again. A variant that is gone takes nothing back.
    pub fn give_back(&mut self, order_id: OrderId) {
        let (back, stays): (Vec<Hold>, Vec<Hold>) =
            (self.holds.iter()).partition(|hold| hold.order_id == order_id && hold.state == HoldState::Held);
        self.holds = stays;
        for hold in back {
            self.add_stock(hold.article_id, hold.count);
        }
    }

    /// What the order has bought is to come back: the product knows again that it was sold.
    fn remember_sold(&mut self, order_id: OrderId, article_id: ProductId, count: u32) {
        if !self.holds_for(order_id).any(|hold| hold.article_id == article_id) {
            self.holds.push(Hold { order_id, article_id, count, state: HoldState::Sold });
        }
    }

    /// The order was cancelled after it was paid: what it holds or has bought can be sold again.
    fn bring_back(&mut self, order_id: OrderId) {
        self.give_back(order_id);
        let is_sold = |hold: &&mut Hold| hold.order_id == order_id && hold.state == HoldState::Sold;
        let mut back = Vec::new();
        for hold in self.holds.iter_mut().filter(is_sold) {
            hold.state = HoldState::Back;
            back.push(*hold);
        }
        for hold in back {
            self.add_stock(hold.article_id, hold.count);
        }
    }

    /// The order's own record says what became of its goods: that they were sold or came back need not be remembered here
    /// any more, and what is held still was held by a repetition that came too late.
    fn forget(&mut self, order_id: OrderId) {
        self.give_back(order_id);
        self.holds.retain(|hold| hold.order_id != order_id);
    }

    fn add_stock(&mut self, article_id: ProductId, count: u32) {
        if let Some(Some(stock)) = self.stock_of(article_id) {
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
) -> Result<Vec<Short>, PortError> {
    let (by_product, mut short) = products_of(documents, articles).await?;
    for (product_id, wanted) in by_product {
        let held = records::change(documents, product_id.get(), |product: &mut Product| {
            let hold =
                |article: &OrderedProduct| product.hold(order_id, article.product_id, article.count).err();
            wanted.iter().filter_map(hold).collect::<Vec<Short>>()
        });
        match held.await? {
            Some((_, missing)) => short.extend(missing),
            None => {
                short.extend(wanted.iter().map(|article| Short { article_id: article.product_id, left: 0 }));
            }
        }
    }
    Ok(short)
}

/// What the order holds is sold. Returns the articles that it has bought, now or before.
pub async fn take(
    documents: &dyn Documents,
    order_id: OrderId,
    articles: &[OrderedProduct],
) -> Result<Vec<ProductId>, PortError> {
    let taken = change_each(documents, articles, |product, _| product.take(order_id)).await?;
    Ok(taken.into_iter().flatten().collect())
}

/// What the order holds can be sold again.
pub async fn give_back(
    documents: &dyn Documents,
    order_id: OrderId,
    articles: &[OrderedProduct],
) -> Result<(), PortError> {
    change_each(documents, articles, |product, _| product.give_back(order_id)).await.map(drop)
}

/// The order's record says what became of its goods.
pub async fn forget(
    documents: &dyn Documents,
    order_id: OrderId,
    articles: &[OrderedProduct],
) -> Result<(), PortError> {
    change_each(documents, articles, |product, _| product.forget(order_id)).await.map(drop)
}

/// The first step of bringing back what a paid order has bought: the products know again that it was sold, nothing can be
/// sold again yet. Between the two steps the caller looks whether the order's record still says that it is to come back.
pub async fn remember_sold(
    documents: &dyn Documents,
    order_id: OrderId,
    articles: &[OrderedProduct],
) -> Result<(), PortError> {
    let remember = |product: &mut Product, articles: &[OrderedProduct]| {
        for article in articles {
            product.remember_sold(order_id, article.product_id, article.count);
        }
    };
    change_each(documents, articles, remember).await.map(drop)
}

/// The second: what the order holds or has bought can be sold again.
pub async fn bring_back(
    documents: &dyn Documents,
    order_id: OrderId,
    articles: &[OrderedProduct],
) -> Result<(), PortError> {
    change_each(documents, articles, |product, _| product.bring_back(order_id)).await.map(drop)
}

/// Changes each product that articles belong to; one that is gone is passed over.
async fn change_each<T>(
    documents: &dyn Documents,
    articles: &[OrderedProduct],
    mut change: impl FnMut(&mut Product, &[OrderedProduct]) -> T,
) -> Result<Vec<T>, PortError> {
    let mut told = Vec::new();
    for (product_id, articles) in products_of(documents, articles).await?.0 {
        let changed =
            records::change(documents, product_id.get(), |product: &mut Product| change(product, &articles));
        told.extend(changed.await?.map(|(_, told)| told));
    }
    Ok(told)
}
