//! Brings everything that orders touch to where their records say that it belongs: goods, promo codes, shoppers.

use std::collections::{BTreeMap, BTreeSet};

use tolov_domain::{
    OrderId, OrderedProduct, ProductId,
    ports::{
        PortError,
        documents::{Documents, Key},
    },
};

use super::people::{PromoUse, record_purchases, record_refunds, settle_promos};
use crate::{
    catalogue::stock::{self, Goods, Marks, Settlement, Sold},
    order::{ShopOrder, Stage, Stock},
    records::{self, Record, Versioned},
};

/// An order changes under our hands at most a few times: it expires, is paid late, is cancelled by staff.
const ROUNDS_MAX: u32 = 8;
/// Another process that is still at the same order may undo what was marked a moment ago; each does so once.
const STOCK_TRIES: u32 = 4;

/// What is left to do for the goods of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    Nothing,
    /// In two steps: the products, then the order's record says so.
    Settle(Settlement),
    /// It was paid late or unannounced: takes what is there.
    Take,
    /// It was cancelled after it was paid: puts back what was sold to it.
    Restock(Sold),
}

fn task_of(order: &ShopOrder) -> Task {
    if order.goods_leave() {
        return match order.stock {
            Stock::Held => Task::Settle(Settlement::Commit),
            Stock::Unheld => Task::Take,
            Stock::Committed => Task::Settle(Settlement::Prune { is_released: false }),
            Stock::Restocking | Stock::Released => Task::Nothing,
        };
    }
    if order.is_closed_unpaid() {
        return match order.stock {
            Stock::Held => Task::Settle(Settlement::Release),
            Stock::Unheld | Stock::Committed | Stock::Restocking | Stock::Released => Task::Nothing,
        };
    }
    match order.stock {
        _ if !order.is_paid() => Task::Nothing,
        // Cancelled between the money and the stock: the products still know what is held.
        Stock::Held => Task::Restock(Sold::AllBeingCommitted),
        Stock::Unheld => Task::Restock(Sold::Known),
        Stock::Committed | Stock::Restocking => Task::Restock(Sold::All),
        Stock::Released => Task::Settle(Settlement::Prune { is_released: true }),
    }
}

/// Orders with the versions to compare with when they are written.
type Orders = BTreeMap<OrderId, Versioned<ShopOrder>>;

/// The orders as they are when their goods are settled.
#[derive(Debug, Default)]
pub(super) struct SettledGoods {
    pub(super) orders: Orders,
    pub(super) failed: Failed,
}

/// The orders of which a document could not be read or written: somebody has to repair it.
#[derive(Debug, Default)]
pub(super) struct Failed {
    /// Their stock is not settled.
    goods: BTreeSet<OrderId>,
    promos: BTreeSet<OrderId>,
    shoppers: BTreeSet<OrderId>,
}

impl Failed {
    pub(super) fn contains(&self, id: OrderId) -> bool {
        self.has_goods_of(id) || self.shoppers.contains(&id)
    }

    /// Whether something that the order holds is neither sold nor released.
    pub(super) fn has_goods_of(&self, id: OrderId) -> bool {
        self.goods.contains(&id) || self.promos.contains(&id)
    }
}

/// Settles the goods of orders as they were read or written just now, and with them the records of their shoppers and
/// promo codes.
pub(super) async fn settle_goods(
    documents: &dyn Documents,
    mut orders: Vec<Versioned<ShopOrder>>,
) -> Result<SettledGoods, PortError> {
    let mut settled = SettledGoods::default();
    for _ in 0..ROUNDS_MAX {
        let mut round = Round::default();
        for order in orders {
            settled.orders.insert(order.id, order.clone());
            if !settled.failed.goods.contains(&order.id) {
                round.add(order);
            }
        }
        if round.is_empty() {
            // After the purchases: an order is counted before it is not counted any more.
            let refunded = settled.orders.values().filter(|order| order.stage() == Stage::Refunded);
            let failed = record_refunds(documents, refunded.map(|order| &order.record)).await?;
            settled.failed.shoppers.extend(failed);
            return Ok(settled);
        }
        orders = round.run(documents, &mut settled.failed).await?;
    }
    Err(PortError::Unavailable("the orders of a batch keep changing: try again".to_owned()))
}

/// Orders by what is to be done for them.
#[derive(Debug, Default)]
struct Round {
    settle: BTreeMap<OrderId, (Versioned<ShopOrder>, Settlement)>,
    take: Orders,
    restock: BTreeMap<OrderId, (Versioned<ShopOrder>, Sold)>,
    /// Goods of refunds come back to stock.
    returns: Orders,
}

impl Round {
    fn add(&mut self, order: Versioned<ShopOrder>) {
        let is_taken = matches!(order.stock, Stock::Committed | Stock::Restocking | Stock::Released);
        if is_taken && order.has_returns() {
            self.returns.insert(order.id, order.clone());
        }
        match task_of(&order) {
            Task::Nothing => {}
            Task::Settle(settlement) => drop(self.settle.insert(order.id, (order, settlement))),
            Task::Take => drop(self.take.insert(order.id, order)),
            Task::Restock(sold) => drop(self.restock.insert(order.id, (order, sold))),
        }
    }

    fn is_empty(&self) -> bool {
        self.settle.is_empty() && self.take.is_empty() && self.restock.is_empty() && self.returns.is_empty()
    }

    /// The paid orders that were not committed when they were read.
    fn sold(&self) -> impl Iterator<Item = &ShopOrder> {
        let settled = self.settle.values().map(|(order, _)| order);
        let all = settled.chain(self.take.values()).chain(self.restock.values().map(|(order, _)| order));
        all.map(|order| &order.record).filter(|order| order.is_paid() && order.stock != Stock::Committed)
    }

    /// Returns the orders for which more may be left to do.
    async fn run(
        self,
        documents: &dyn Documents,
        failed: &mut Failed,
    ) -> Result<Vec<Versioned<ShopOrder>>, PortError> {
        // Before any of them is committed: a committed order is one that its shopper's record has.
        failed.shoppers.extend(record_purchases(documents, self.sold()).await?);
        let released = self.settle.values().filter(|(_, how)| *how == Settlement::Release);
        let promos: Vec<(&ShopOrder, PromoUse)> = released
            .map(|(order, _)| (&order.record, PromoUse::Releases))
            .chain(self.take.values().map(|order| (&order.record, PromoUse::Keeps)))
            .collect();
        failed.promos.extend(settle_promos(documents, &promos).await?);
        let mut next = settle(documents, &self.settle, failed).await?;
        next.extend(take(documents, &self.take, failed).await?);
        next.extend(restock(documents, &self.restock, failed).await?);
        // Last: of an order that is written twice its newest version goes into the next round.
        next.extend(put_back(documents, &self.returns, failed).await?);
        Ok(next)
    }
}

/// Commits, releases and prunes, all in one step.
async fn settle(
    documents: &dyn Documents,
    orders: &BTreeMap<OrderId, (Versioned<ShopOrder>, Settlement)>,
    failed: &mut Failed,
) -> Result<Vec<Versioned<ShopOrder>>, PortError> {
    let mut goods = Goods::default();
    for (order, _) in orders.values() {
        goods.add(order.id, &order.products());
    }
    let how = |id| orders.get(&id).map_or(Settlement::Prune { is_released: false }, |(_, how)| *how);
    failed.goods.extend(stock::settle(documents, &goods, how).await?.failed);
    let is_to_write = |(order, how): &&(Versioned<ShopOrder>, Settlement)| {
        !matches!(how, Settlement::Prune { .. }) && !failed.goods.contains(&order.id)
    };
    let written: Vec<&Versioned<ShopOrder>> =
        orders.values().filter(is_to_write).map(|(order, _)| order).collect();
    let written = change_orders(documents, written, failed, |order| {
        // What it needs by now may be something else.
        if task_of(order) == Task::Settle(how(order.id)) {
            order.stock = match how(order.id) {
                Settlement::Commit => Stock::Committed,
                Settlement::Release => Stock::Released,
                Settlement::Prune { .. } => order.stock,
            };
        }
    })
    .await?;
    let was_released = |order: &&Versioned<ShopOrder>| how(order.id) == Settlement::Release;
    // The money came in between: the discount counts, and whoever took the goods may have kept the code before it was
    // released.
    let paid = written.iter().filter(was_released).filter(|order| order.is_paid());
    let promos: Vec<(&ShopOrder, PromoUse)> = paid.map(|order| (&order.record, PromoUse::Keeps)).collect();
    failed.promos.extend(settle_promos(documents, &promos).await?);
    // Nothing is remembered of an order that was committed or released just now.
    let is_done = |order: &ShopOrder| match how(order.id) {
        Settlement::Commit => order.stock == Stock::Committed && order.goods_leave() && !order.has_returns(),
        Settlement::Release => order.stock == Stock::Released && order.is_closed_unpaid(),
        Settlement::Prune { .. } => true,
    };
    Ok(written.into_iter().filter(|order| !is_done(order)).collect())
}

/// Whatever the orders hold is sold to them, and what they do not hold any more is taken again.
async fn take(
    documents: &dyn Documents,
    orders: &Orders,
    failed: &mut Failed,
) -> Result<Vec<Versioned<ShopOrder>>, PortError> {
    let mut taken: BTreeMap<OrderId, Vec<ProductId>> = BTreeMap::new();
    let mut in_part = BTreeMap::new();
    let mut gone: BTreeMap<OrderId, Vec<ProductId>> = BTreeMap::new();
    let mut open: Orders = orders.clone();
    for _ in 0..STOCK_TRIES {
        if open.is_empty() {
            break;
        }
        let mut held = stock::hold(documents, &goods_of(open.values())).await?;
        failed.goods.extend(&held.failed);
        let marks = open.keys().map(|id| (*id, all_marks(held.of(*id).into_iter().map(|held| held.marks))));
        let marks: BTreeMap<OrderId, Marks> = marks.collect();
        gone.append(&mut held.gone);
        // If another process has finished meanwhile, what was held just now is held for nothing: it is pruned.
        open = still(documents, open, |now| task_of(now) == Task::Take).await?;
        open.retain(|id, _| !failed.goods.contains(id));
        let mut sold = stock::commit_marked(documents, &goods_of(open.values()), &marks).await?;
        failed.goods.extend(&sold.failed);
        open.retain(|id, _| {
            let of_order: Vec<ProductId> = sold.of(*id).into_iter().flatten().collect();
            let is_whole = marks.get(id).is_some_and(|marks| marks.count() == of_order.len());
            let kept = if is_whole { &mut taken } else { &mut in_part };
            kept.insert(*id, of_order);
            !is_whole && !failed.goods.contains(id)
        });
    }
    taken.extend(in_part.into_iter().filter(|(id, _)| open.contains_key(id)));
    let written = orders.values().filter(|order| !failed.goods.contains(&order.id)).collect();
    change_orders(documents, written, failed, |order| {
        let Some(taken) = taken.get(&order.id).filter(|_| order.goods_leave()) else { return };
        let unknown = gone.get(&order.id).filter(|_| order.terms.is_none());
        let is_missing = |article: &OrderedProduct| {
            let id = article.product_id;
            !taken.contains(&id) && unknown.is_none_or(|unknown| !unknown.contains(&id))
        };
        let articles = order.products();
        let stock = order.stock;
        let Some(sale) = order.sale_mut() else { return };
        match stock {
            Stock::Committed => sale.missing.retain(is_missing),
            Stock::Unheld => {
                sale.missing = articles.into_iter().filter(is_missing).collect();
                order.stock = Stock::Committed;
            }
            Stock::Held | Stock::Restocking | Stock::Released => {}
        }
    })
    .await
}

/// What was sold to the orders can be sold again; what was missing does not come back.
async fn restock(
    documents: &dyn Documents,
    orders: &BTreeMap<OrderId, (Versioned<ShopOrder>, Sold)>,
    failed: &mut Failed,
) -> Result<Vec<Versioned<ShopOrder>>, PortError> {
    let mut back = BTreeSet::new();
    for sold in [Sold::All, Sold::AllBeingCommitted, Sold::Known] {
        let of_kind = orders.iter().filter(|(_, (_, kind))| *kind == sold);
        let mut open: Orders = of_kind.map(|(id, (order, _))| (*id, order.clone())).collect();
        for _ in 0..STOCK_TRIES {
            if open.is_empty() {
                break;
            }
            let mut marked = stock::mark_sold(documents, &bought(open.values()), sold).await?;
            failed.goods.extend(&marked.failed);
            let marks = open.keys().map(|id| (*id, all_marks(marked.of(*id))));
            let marks: BTreeMap<OrderId, Marks> = marks.collect();
            // If another process has finished meanwhile, nothing is to come back any more.
            open = still(documents, open, |now| task_of(now) == Task::Restock(sold)).await?;
            open.retain(|id, _| !failed.goods.contains(id));
            let mut restocked = stock::restock(documents, &bought(open.values()), &marks).await?;
            failed.goods.extend(&restocked.failed);
            open.retain(|id, _| {
                let count: usize = restocked.of(*id).into_iter().sum();
                let is_whole = marks.get(id).is_some_and(|marks| marks.count() == count);
                if is_whole && !failed.goods.contains(id) {
                    back.insert(*id);
                }
                !is_whole && !failed.goods.contains(id)
            });
        }
        back.extend(open.keys());
    }
    let written =
        orders.values().map(|(order, _)| order).filter(|order| !failed.goods.contains(&order.id)).collect();
    change_orders(documents, written, failed, |order| {
        if back.contains(&order.id) && matches!(task_of(order), Task::Restock(_)) {
            order.stock = Stock::Released;
        }
    })
    .await
}

/// What refunds brought back can be sold again.
async fn put_back(
    documents: &dyn Documents,
    orders: &Orders,
    failed: &mut Failed,
) -> Result<Vec<Versioned<ShopOrder>>, PortError> {
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let mut goods = Goods::default();
    for order in orders.values() {
        goods.add(order.id, &order.restocked_by_refunds());
    }
    failed.goods.extend(stock::put_back(documents, &goods).await?.failed);
    let written = orders.values().filter(|order| !failed.goods.contains(&order.id)).collect();
    change_orders(documents, written, failed, |order| {
        if let Some(known) = orders.get(&order.id) {
            order.mark_restocked(&known.refunds);
        }
    })
    .await
}

fn goods_of<'a>(orders: impl Iterator<Item = &'a Versioned<ShopOrder>>) -> Goods {
    let mut goods = Goods::default();
    for order in orders {
        goods.add(order.id, &order.products());
    }
    goods
}

/// Without what was missing when they were paid, and what refunds bring back.
fn bought<'a>(orders: impl Iterator<Item = &'a Versioned<ShopOrder>>) -> Goods {
    let mut goods = Goods::default();
    for order in orders {
        let mut products = order.products();
        products.retain(|article| order.missing().iter().all(|it| it.product_id != article.product_id));
        for returned in order.returned() {
            let of_article = products.iter_mut().filter(|article| article.product_id == returned.product_id);
            let mut left = returned.count;
            for article in of_article {
                let back = left.min(article.count);
                (article.count, left) = (article.count - back, left - back);
            }
        }
        products.retain(|article| article.count > 0);
        goods.add(order.id, &products);
    }
    goods
}

fn all_marks(marks: impl IntoIterator<Item = Marks>) -> Marks {
    let mut all = Marks::default();
    for marks in marks {
        all.extend(marks);
    }
    all
}

/// The orders of which the same is still to be done.
async fn still(
    documents: &dyn Documents,
    mut open: Orders,
    is_to_do: impl Fn(&ShopOrder) -> bool,
) -> Result<Orders, PortError> {
    let now: Vec<ShopOrder> = records::read_many(documents, open.keys().map(|id| id.get())).await?;
    let now: BTreeSet<OrderId> = now.iter().filter(|order| is_to_do(order)).map(|order| order.id).collect();
    open.retain(|id, _| now.contains(id));
    Ok(open)
}

/// Changes orders as they were read last; only those that others have written since are read again.
async fn change_orders(
    documents: &dyn Documents,
    orders: Vec<&Versioned<ShopOrder>>,
    failed: &mut Failed,
    change: impl Fn(&mut ShopOrder),
) -> Result<Vec<Versioned<ShopOrder>>, PortError> {
    let ids: BTreeMap<Key, OrderId> =
        orders.iter().map(|order| (Key::Number(order.id.get()), order.id)).collect();
    let keys = ids.keys().cloned().collect();
    let found = orders.into_iter().map(|order| (order.record.key(), Ok(order.clone()))).collect();
    let changed = records::change_found(documents, found, keys, |_, order: Option<&ShopOrder>, _| {
        let mut order = order?.clone();
        change(&mut order);
        Some((order, ()))
    })
    .await?;
    failed.goods.extend(changed.failed.keys().filter_map(|key| ids.get(key)));
    Ok(changed.records.into_values().map(|(order, ())| order).collect())
}
