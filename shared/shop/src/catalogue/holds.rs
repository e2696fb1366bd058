//! What a product knows of the orders that hold some of it, and the pure steps between held, sold and restocked.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tolov_domain::{OrderId, OrderedProduct, ProductId, ports::documents::Version};

use super::product::Product;

/// Pieces of one article that are set aside for one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub order_id: OrderId,
    pub article_id: ProductId,
    pub count: u32,
    pub state: HoldState,
    /// The version of the product that had it first: tells it from an earlier hold of the same order.
    pub since: Version,
    /// Pieces that refunds brought back into stock: all of them so far, so that none comes back twice.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_refund: bool,
}

/// How many returns by refunds a product remembers: far more than are under way at once.
const RETURNS_MAX: usize = 100;

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

    pub(super) fn add(&mut self, hold: &Hold) {
        self.0.insert((hold.article_id, hold.since));
    }

    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }
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

impl Product {
    pub(super) fn has_hold(&self, order_id: OrderId, article_id: ProductId) -> bool {
        self.hold_of(order_id, article_id).is_some()
    }

    fn hold_of(&self, order_id: OrderId, article_id: ProductId) -> Option<Hold> {
        let is_it =
            |hold: &&Hold| hold.order_id == order_id && hold.article_id == article_id && !hold.by_refund;
        self.holds.iter().find(is_it).copied()
    }

    /// Sets pieces aside; `since` is the version that the product becomes. What the order holds, or has bought, is not held
    /// again.
    pub(super) fn hold(
        &mut self,
        order_id: OrderId,
        wanted: OrderedProduct,
        since: Version,
    ) -> Result<Hold, Short> {
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
        let hold = Hold { order_id, article_id, count, state: HoldState::Held, since, by_refund: false };
        self.holds.push(hold);
        Ok(hold)
    }

    pub(super) fn commit(&mut self, order_id: OrderId) {
        self.holds.retain(|hold| hold.order_id != order_id || hold.state != HoldState::Held);
    }

    pub(super) fn commit_marked(&mut self, order_id: OrderId, marks: &Marks) -> Vec<ProductId> {
        let mut sold = Vec::new();
        for hold in self
            .holds
            .iter_mut()
            .filter(|hold| hold.order_id == order_id && !hold.by_refund && marks.has(hold))
        {
            if hold.state == HoldState::Held {
                hold.state = HoldState::Sold;
            }
            sold.extend((hold.state == HoldState::Sold).then_some(hold.article_id));
        }
        sold
    }

    /// A variant that is gone takes nothing back.
    pub(super) fn release(&mut self, order_id: OrderId) {
        let is_held = |hold: &Hold| hold.order_id == order_id && hold.state == HoldState::Held;
        let held: Vec<Hold> = self.holds.extract_if(.., |hold| is_held(hold)).collect();
        for hold in held {
            self.add_stock(hold.article_id, hold.count);
        }
    }

    pub(super) fn mark_sold(
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
        let hold = Hold { order_id, article_id, count, state: HoldState::Sold, since, by_refund: false };
        self.holds.push(hold);
        Some(hold)
    }

    pub(super) fn restock(&mut self, order_id: OrderId, marks: &Marks) -> usize {
        let mut back = Vec::new();
        let mut count = 0;
        for hold in self
            .holds
            .iter_mut()
            .filter(|hold| hold.order_id == order_id && !hold.by_refund && marks.has(hold))
        {
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

    pub(super) fn prune(&mut self, order_id: OrderId, is_released: bool) {
        self.release(order_id);
        let stays = |hold: &Hold| hold.by_refund || (hold.state == HoldState::Restocked && !is_released);
        self.holds.retain(|hold| hold.order_id != order_id || stays(hold));
    }

    /// Refunds of an order have brought back so many pieces of an article, now and before.
    pub(super) fn put_back(&mut self, order_id: OrderId, back: OrderedProduct, since: Version) {
        let OrderedProduct { product_id: article_id, count } = back;
        let is_it =
            |hold: &Hold| hold.by_refund && hold.order_id == order_id && hold.article_id == article_id;
        let before = self.holds.iter().position(is_it).map(|place| self.holds.remove(place));
        let before = before.map_or(0, |hold| hold.count);
        self.add_stock(article_id, count.saturating_sub(before));
        let (count, state) = (count.max(before), HoldState::Restocked);
        self.holds.push(Hold { order_id, article_id, count, state, since, by_refund: true });
        let returns = self.holds.iter().filter(|hold| hold.by_refund).count();
        if returns > RETURNS_MAX
            && let Some(oldest) = self.holds.iter().position(|hold| hold.by_refund)
        {
            self.holds.remove(oldest);
        }
    }

    pub(crate) fn add_stock(&mut self, article_id: ProductId, count: u32) {
        if let Some(Some(stock)) = self.stock_to_restore(article_id) {
            *stock = stock.saturating_add(count);
        }
    }
}

#[cfg(test)]
mod tests {
    use tolov_domain::Tiyin;

    use super::*;
    use crate::catalogue::Variant;

    #[test]
    fn pieces_that_were_held_before_there_were_variants_are_released_to_the_product() {
        let id = |number| ProductId::try_new(number).unwrap();
        let order = OrderId::try_new(1).unwrap();
        let mut product = Product {
            title: "Choynak".to_owned(),
            price: Tiyin::from_soum(1_000).unwrap(),
            stock: Some(5),
            ..Product::new(id(7), 1)
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
