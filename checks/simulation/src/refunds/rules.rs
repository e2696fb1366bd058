//! What must hold of refunds: never more than was paid, once, and the goods come back once.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use tolov_domain::{OrderId, OrderedProduct, ProductId, refund::Refund};
use tolov_shop::order::ShopOrder;

use crate::world::World;

impl World {
    /// After every step that concerns refunds.
    pub(super) fn check_refunds(&mut self) -> Result<()> {
        for payment in self.refunds.merchant.payments() {
            let (order, sent, allowed) = (payment.order_id, payment.sent, payment.allowed);
            ensure!(
                sent <= allowed,
                "the reversal of order {order} was sent {sent} times, allowed: {allowed}"
            );
        }
        for (order_id, refunds) in by_order(self.all_refunds()?) {
            let paid = self.refunds.merchant.of_order(order_id.get()).map_or(0, |payment| payment.tiyin);
            let promised: i64 = refunds
                .iter()
                .filter(|refund| refund.status().is_open() || refund.status().is_done())
                .map(|refund| refund.amount_tiyin.get())
                .sum();
            ensure!(promised <= paid, "order {order_id} of {paid} tiyin has refunds of {promised}");
            let open = refunds.iter().filter(|refund| refund.status().is_open()).count();
            ensure!(open <= 1, "order {order_id} has {open} open refunds");
            let given = self.given_back(order_id);
            ensure!(given <= paid, "of order {order_id} of {paid} tiyin {given} went back");
        }
        Ok(())
    }

    /// By CLICK's reversal and by hand.
    pub(super) fn given_back(&self, order_id: OrderId) -> i64 {
        let order = order_id.get();
        let payment = self.refunds.merchant.of_order(order);
        let reversed = payment.filter(|payment| payment.is_reversed).map_or(0, |payment| payment.tiyin);
        let by_hand = self.refunds.transfers.values().filter(|(of, _)| *of == order);
        reversed + by_hand.map(|(_, sum)| sum).sum::<i64>()
    }

    /// Of the shop store, after every step that concerns it.
    pub(crate) fn check_refunds_of(orders: &[ShopOrder]) -> Result<()> {
        for order in orders {
            let id = order.id;
            let given: i64 = order.refunds.iter().map(|refund| refund.amount.get()).sum();
            ensure!(
                given <= order.total.get(),
                "order {id} of {} tiyin gave back {given}",
                order.total.get()
            );
            for returned in order.returned() {
                let bought = order.lines.iter().filter(|line| line.product_id == returned.product_id);
                let bought: u32 = bought.map(|line| line.count).sum();
                ensure!(returned.count <= bought, "of {bought} of order {id} {returned:?} came back");
            }
        }
        Ok(())
    }

    /// What the ledger says went back did, and the shop store says the same.
    pub(crate) fn audit_refunds(&mut self, orders: &BTreeMap<OrderId, ShopOrder>) -> Result<()> {
        self.check_refunds()?;
        let mut known = by_order(self.all_refunds()?);
        for order in orders.values().filter(|order| !self.lost.contains(&order.id.get())) {
            let refunds = known.remove(&order.id).unwrap_or_default();
            let done_refunds = refunds.iter().filter(|refund| refund.status().is_done());
            let goods: BTreeMap<ProductId, u32> =
                count(done_refunds.flat_map(|refund| refund.returned.iter().copied()));
            let back = count(order.returned().into_iter());
            ensure!(goods == back, "of order {} {back:?} came back, and {goods:?} are recorded", order.id);
            let done: BTreeMap<_, _> = refunds
                .iter()
                .filter(|refund| refund.status().is_done())
                .map(|refund| (Some(refund.refund_id), refund.amount_tiyin))
                .collect();
            let in_shop: BTreeMap<_, _> =
                order.refunds.iter().map(|refund| (refund.refund_id, refund.amount)).collect();
            ensure!(
                done == in_shop && order.refunds.len() == done.len(),
                "refunds of order {} differ: {done:?} in the ledger, {:?} in the shop",
                order.id,
                order.refunds
            );
            let said: i64 = done.values().map(|amount| amount.get()).sum();
            let given = self.given_back(order.id);
            ensure!(said == given, "{said} tiyin of order {} are said to be back, and {given} are", order.id);
        }
        ensure!(known.is_empty(), "refunds of orders that the shop does not have: {known:?}");
        Ok(())
    }
}

fn count(goods: impl Iterator<Item = OrderedProduct>) -> BTreeMap<ProductId, u32> {
    let mut counts = BTreeMap::new();
    for product in goods {
        *counts.entry(product.product_id).or_default() += product.count;
    }
    counts
}

fn by_order(refunds: Vec<Refund>) -> BTreeMap<OrderId, Vec<Refund>> {
    let mut by_order: BTreeMap<OrderId, Vec<Refund>> = BTreeMap::new();
    for refund in refunds {
        by_order.entry(refund.order_id).or_default().push(refund);
    }
    by_order
}
