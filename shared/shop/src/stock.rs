//! Stock: held for an order that waits for its money, then taken for good or given back.
//!
//! A product's document says which orders hold how much of it, so each step may be repeated: holding what is held,
//! taking or giving back what is not, changes nothing.

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

    /// Sets pieces aside. What the order holds already is not held again.
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
        self.holds.push(Hold { order_id, article_id, count });
        Ok(())
    }

    /// The order is paid: what it holds is gone from the shop.
    pub fn take(&mut self, order_id: OrderId) {
        self.holds.retain(|hold| hold.order_id != order_id);
    }

    /// The order came to nothing: what it holds can be sold again. A variant that is gone takes nothing back.
    pub fn give_back(&mut self, order_id: OrderId) {
        let held: Vec<Hold> = self.holds_for(order_id).copied().collect();
        self.take(order_id);
        for hold in held {
            if let Some(Some(stock)) = self.shelf_of(hold.article_id) {
                *stock = stock.saturating_add(hold.count);
            }
        }
    }

    /// A paid order is cancelled after all: its goods are back on the shelf.
    fn put_back(&mut self, article_id: ProductId, count: u32) {
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
                short.extend(wanted.iter().map(|article| Short { article_id: article.product_id, left: 0 }))
            }
        }
    }
    Ok(short)
}

/// What the order holds is sold.
pub async fn take(
    documents: &dyn Documents,
    order_id: OrderId,
    articles: &[OrderedProduct],
) -> Result<(), PortError> {
    for product_id in products_of(documents, articles).await?.0.into_keys() {
        records::change(documents, product_id.get(), |product: &mut Product| product.take(order_id)).await?;
    }
    Ok(())
}

/// What the order holds can be sold again.
pub async fn give_back(
    documents: &dyn Documents,
    order_id: OrderId,
    articles: &[OrderedProduct],
) -> Result<(), PortError> {
    for product_id in products_of(documents, articles).await?.0.into_keys() {
        records::change(documents, product_id.get(), |product: &mut Product| product.give_back(order_id))
            .await?;
    }
    Ok(())
}

/// The goods of a paid order that was cancelled can be sold again. Unlike the others this is not safe to repeat: whoever
/// calls it has won the right to (`Fulfilment::stock`).
pub async fn put_back(documents: &dyn Documents, articles: &[OrderedProduct]) -> Result<(), PortError> {
    for (product_id, back) in products_of(documents, articles).await?.0 {
        records::change(documents, product_id.get(), |product: &mut Product| {
            for article in &back {
                product.put_back(article.product_id, article.count);
            }
        })
        .await?;
    }
    Ok(())
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
        product.hold(order, id(7), 2).unwrap();
        product.variants.push(Variant {
            id: id(8),
            label: "M".to_owned(),
            price: product.price,
            stock: Some(1),
        });
        assert_eq!(product.hold(order, id(8), 2), Err(Short { article_id: id(8), left: 1 }));
        let other = OrderId::try_new(2).unwrap();
        assert_eq!(
            product.hold(other, id(7), 1),
            Err(Short { article_id: id(7), left: 0 }),
            "not sold as it is"
        );
        product.give_back(order);
        assert_eq!((product.stock, product.holds.len()), (Some(5), 0));
    }
}
