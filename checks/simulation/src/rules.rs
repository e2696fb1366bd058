//! What must hold after every step, and what must be true once everything has settled.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Result, bail, ensure};
use tolov_click::ClickCode;
use tolov_domain::{
    OrderedProduct, ProductId, UserId,
    notification::{self, Recipient},
    ports::{
        bus::{BusAdmin, Queue},
        notifications::SendOutcome,
    },
};
use tolov_kit::clock::Clock;
use tolov_shop::{
    catalogue::{Product, product, stock::HoldState},
    order::{OrderState, ShopOrder, Stock},
    settling::{self, Purchases},
    shopper::{Shopper, shopper},
};
use tolov_webhook::ledger::{LedgerReader, OrderStatus};

use crate::{
    faults::Rates,
    models::click::{Callback, PAYDOC_AFTER_TRANS, Stage},
    webhook::ORDER_TTL,
    world::{SHOPPERS, World, order_id},
};

/// More than a run has.
const ORDERS_MAX: u32 = 500;
/// How long processes work between two looks at what is left.
const ROUND: Duration = Duration::from_mins(20);
/// Rounds of the last phase; every retry and time limit ends well before.
const ROUNDS_MAX: u32 = 30;

impl World {
    /// The answer to one callback, whether or not CLICK heard it.
    pub(crate) fn judge(&mut self, callback: &Callback, error: i64) -> Result<()> {
        if callback.is_forged {
            ensure!(error == -1 || error == -8, "a forged callback is answered {error}");
            return Ok(());
        }
        let Some(transaction) = self.click.transactions.get(callback.of) else { return Ok(()) };
        let (order, trans_id) = (transaction.order_id, transaction.trans_id);
        let transaction_amount = transaction.tiyin;
        let is_taken = callback.is_complete && callback.error == 0;
        let is_placed = match i32::try_from(error).ok().and_then(ClickCode::from_code) {
            // CLICK comes again for what could not be decided.
            Some(ClickCode::Success | ClickCode::FailedToUpdateUser) => true,
            code => code == Some(ClickCode::AlreadyPaid) && self.confirmed.get(&order) == Some(&trans_id),
        };
        if is_taken && !is_placed {
            self.unplaced.insert((order, trans_id));
        }
        if !callback.is_complete || callback.error < 0 || error != 0 || self.lost.contains(&order) {
            return Ok(());
        }
        if let Some(other) = self.confirmed.insert(order, trans_id) {
            ensure!(other == trans_id, "order {order} was paid by {other} and again by {trans_id}");
        }
        let id = order_id(order)?;
        let (found, attempts) =
            self.webhook.read(async |ledger| Ok((ledger.order(id).await?, ledger.attempts(id).await?)))?;
        let Some(found) = found else {
            bail!("order {order} was answered as paid and is unknown to the ledger")
        };
        ensure!(
            found.status == OrderStatus::Paid,
            "order {order} was answered as paid and is {:?}",
            found.status
        );
        let payer = attempts.iter().find(|attempt| Some(attempt.prepare_id) == found.paid_by);
        let payer = payer.and_then(|attempt| attempt.paid_trans_id);
        ensure!(payer == Some(trans_id), "order {order} is paid by {payer:?} and not by {trans_id}");
        let (due, paid) = (found.amount_tiyin, transaction_amount);
        ensure!(due == paid, "order {order} of {due} tiyin is paid with {paid}");
        self.refunds.merchant.paid(trans_id + PAYDOC_AFTER_TRANS, order, paid);
        Ok(())
    }

    /// What was answered with 0 stays paid by what it was answered for, whatever happens next. One statement, as a rule: this
    /// is asked after every step.
    pub(crate) fn check_confirmed(&mut self) -> Result<()> {
        if self.confirmed.is_empty() {
            return Ok(());
        }
        let paid = self
            .webhook
            .look(async |ledger| Ok(ledger.orders(Some(OrderStatus::Paid), i64::MAX, ORDERS_MAX).await?))?;
        let Some(paid) = paid else { return Ok(()) };
        for (order, trans_id) in &self.confirmed {
            let found = paid.iter().find(|found| found.order_id == *order);
            let Some(paid_by) = found.and_then(|found| found.paid_by) else {
                bail!("order {order} was answered as paid by {trans_id} and is not paid any more")
            };
            if self.paid_by.insert(*order, paid_by) == Some(paid_by) {
                continue;
            }
            let id = order_id(*order)?;
            let attempts =
                self.webhook.look(async |ledger| Ok(ledger.attempts(id).await?))?.unwrap_or_default();
            let payer = attempts.iter().find(|attempt| attempt.prepare_id == paid_by);
            let payer = payer.and_then(|attempt| attempt.paid_trans_id);
            ensure!(
                payer == Some(*trans_id),
                "order {order} is paid by {payer:?} and not by {trans_id} any more"
            );
        }
        Ok(())
    }

    pub(crate) fn check(&self) -> Result<()> {
        let orders = self.orders()?;
        for order in orders.iter().filter(|order| !self.lost.contains(&order.id.get())) {
            let Some(payment) = order.payment() else { continue };
            let (id, trans_id) = (order.id, payment.click_trans_id.get());
            let confirmed = self.confirmed.get(&id.get());
            ensure!(
                confirmed == Some(&trans_id),
                "order {id} is paid in the shop by {trans_id}: {confirmed:?}"
            );
        }
        for (id, initial) in &self.stock {
            let taken = self.taken(*id, *initial)?;
            let sold = sold(&orders, *id, false);
            ensure!(taken <= sold, "{taken} of product {id} are gone, and paid orders explain {sold}");
        }
        for user_id in SHOPPERS {
            let user_id = UserId::try_new(user_id)?;
            let Some(shopper) = self.look(shopper(&self.store, user_id))? else { continue };
            let paid = orders.iter().filter(|order| order.user_id == user_id && order.is_paid()).count();
            let counted = usize::try_from(shopper.order_count)?;
            ensure!(counted <= paid, "shopper {user_id} has {paid} paid orders and {counted} are counted");
        }
        Self::check_refunds_of(&orders)?;
        let complaints = [self.telegram.complaints(), self.carts.complaints()].concat();
        ensure!(complaints.is_empty(), "{}", complaints.join("; "));
        Ok(())
    }

    /// How much of a product is neither to be sold nor held.
    fn taken(&self, id: ProductId, initial: u32) -> Result<i64> {
        let Some(product) = self.look(product(&self.store, id))? else { bail!("product {id} is gone") };
        let held: u32 = held(&product);
        let taken = i64::from(initial) - i64::from(product.stock.unwrap_or_default()) - i64::from(held);
        ensure!(taken >= 0, "of product {id} there is more than there ever was: {product:?}");
        Ok(taken)
    }

    /// Ends all faults and lets everything settle: whatever was promised must be kept then.
    pub(crate) fn settle(&mut self) -> Result<()> {
        self.faults.end_outages();
        self.faults.begin(0, Rates::default());
        self.note("all faults end");
        let began = self.clock.monotonic();
        for round in 0..ROUNDS_MAX {
            for place in 0..self.click.transactions.len() {
                // CLICK asks for no new money any more, and repeats what was not answered.
                let stage = self.click.transactions.get(place).map(|transaction| transaction.stage);
                if matches!(stage, Some(Stage::Taken { .. } | Stage::Cancelling { .. })) {
                    let callback = self.click.next_of(place, true);
                    self.call_back(callback)?;
                }
            }
            self.webhook.maintain()?;
            self.relay()?;
            self.run(ROUND)?;
            self.keep_up()?;
            self.requeue_parked()?;
            let are_refunds_over = self.end_refunds()?;
            let is_over = self.clock.monotonic() > began + ORDER_TTL * 2 + ROUND;
            let unsent = self.webhook.read(async |ledger| Ok(ledger.outbox_status().await?.depth))?;
            if is_over && are_refunds_over && unsent == 0 && self.bus.is_idle() {
                self.note(format!("settled after {round} rounds, {} draws", self.faults.draws()));
                return self.audit();
            }
        }
        let status = self.webhook.read(async |ledger| Ok(ledger.outbox_status().await?))?;
        bail!("it does not settle: outbox {status:?}, bus {:?}", self.bus)
    }

    /// An operator requeues what was parked during the faults.
    fn requeue_parked(&mut self) -> Result<()> {
        for queue in Queue::ALL {
            let mut all = Vec::new();
            self.look(self.bus.each_parked(queue, &mut |parked| all.push(parked)))?;
            for parked in all {
                self.note(format!("  {} was parked: {}", parked.id, parked.reason));
                self.look(self.bus.requeue_parked(queue, &[parked.id].into()))?;
            }
        }
        Ok(())
    }

    /// Compares the books as `tolov audit` does, and with what CLICK was answered.
    fn audit(&mut self) -> Result<()> {
        self.check()?;
        let path = self.webhook.ledger_path().to_owned();
        let orders: BTreeMap<_, _> = self.orders()?.into_iter().map(|order| (order.id, order)).collect();
        let waits = |order: &&ShopOrder| matches!(order.state, OrderState::AwaitingPayment { .. });
        let waiting: Vec<_> = orders.values().filter(waits).map(|order| order.id).collect();
        let (payments, statuses) = self.webhook.block_on(async {
            let reader = LedgerReader::open(&path).await?;
            let payments = reader.payments(1..=i64::MAX, 500).await?;
            let statuses = reader.statuses(&waiting).await?;
            reader.close().await;
            anyhow::Ok((payments, statuses))
        })??;
        let over = statuses.iter().find(|(_, status)| **status == OrderStatus::Expired);
        ensure!(over.is_none(), "the shop waits for the payment of {over:?}");
        for order in self.confirmed.keys() {
            let is_paid = payments.iter().any(|payment| payment.order_id.get() == *order);
            ensure!(is_paid, "order {order} was answered as paid, and the ledger does not have it");
        }
        for transaction in &self.click.transactions {
            let is_open = matches!(transaction.stage, Stage::Taken { .. } | Stage::Cancelling { .. });
            ensure!(!is_open, "CLICK gets no answer about {transaction:?}");
        }
        let outcomes = self.store.all_outcomes();
        for payment in payments.iter().filter(|payment| !self.lost.contains(&payment.order_id.get())) {
            let id = payment.order_id;
            let Some(order) = orders.get(&id) else { bail!("order {id} is paid and unknown to the shop") };
            let difference = settling::difference(order, payment);
            ensure!(difference.is_none(), "order {id} differs: {difference:?}");
            ensure!(order.stock == Stock::Committed, "the stock of paid order {id} is {:?}", order.stock);
            for recipient in Recipient::ALL {
                let told = notification::id_of(&payment.id, recipient);
                let (times, outcome) = (self.telegram.times_sent(&told), outcomes.get(&told));
                // Sent and not recorded: the store was out of order for longer than the bot tries.
                let is_undeliverable = matches!(outcome, Some(SendOutcome::Undeliverable { .. }));
                ensure!(times > 0 || is_undeliverable, "{told} did not arrive: {outcome:?}");
            }
        }
        for (order, trans_id) in &self.unplaced {
            let numbers = [*order, *trans_id + PAYDOC_AFTER_TRANS];
            ensure!(self.telegram.staff_know(&numbers), "nobody is asked about {trans_id} of order {order}");
        }
        self.audit_refunds(&orders)?;
        for order in orders.values() {
            ensure!(!order.is_unsettled(), "order {} is not settled: {order:?}", order.id);
        }
        self.audit_stock(&orders.into_values().collect::<Vec<_>>())
    }

    fn audit_stock(&self, orders: &[ShopOrder]) -> Result<()> {
        for (id, initial) in &self.stock {
            let (taken, sold) = (self.taken(*id, *initial)?, sold(orders, *id, true));
            ensure!(taken == sold, "{taken} of product {id} are gone, and {sold} were sold");
            let Some(product) = self.look(product(&self.store, *id))? else { continue };
            for hold in product.holds.iter().filter(|hold| hold.state == HoldState::Held) {
                let order = orders.iter().find(|order| order.id == hold.order_id);
                ensure!(!settling::is_stray(order), "{hold:?} is held for nothing");
            }
        }
        let not_held = self.look(settling::not_held(&self.store, orders))?;
        ensure!(not_held.is_empty(), "{not_held:?} are not held for orders that wait for their payment");
        let mut shoppers = Vec::new();
        for user_id in SHOPPERS.map(UserId::try_new) {
            let user_id = user_id?;
            shoppers.push(self.look(shopper(&self.store, user_id))?.unwrap_or_else(|| Shopper::new(user_id)));
        }
        let bought = self.look(settling::purchases(&self.store, &shoppers))?;
        for Shopper { id, order_count: counted, .. } in shoppers {
            let Some(Some(Purchases { count, in_cart })) = bought.get(&id) else {
                bail!("an order of shopper {id} cannot be read")
            };
            ensure!(counted == *count, "shopper {id} has {count} paid orders and {counted} are counted");
            ensure!(in_cart.is_empty(), "orders {in_cart:?} are still in the cart of shopper {id}");
        }
        Ok(())
    }
}

fn held(product: &Product) -> u32 {
    let set_aside = product.holds.iter().filter(|hold| hold.state != HoldState::Restocked);
    set_aside.map(|hold| hold.count).sum()
}

/// How much of a product paid orders have; without what was missing and what came back, where that is known for good.
fn sold(orders: &[ShopOrder], id: ProductId, is_settled: bool) -> i64 {
    let mut sold = 0;
    for order in orders.iter().filter(|order| order.is_paid()) {
        let lines = order.lines.iter().filter(|line| line.product_id == id);
        sold += lines.map(|line| i64::from(line.count)).sum::<i64>();
        if is_settled {
            let of_it = |products: &[OrderedProduct]| -> i64 {
                products.iter().filter(|it| it.product_id == id).map(|it| i64::from(it.count)).sum()
            };
            let missing = of_it(order.missing());
            // What the order never got does not come back.
            sold -= if missing > 0 { missing } else { of_it(&order.returned()) };
        }
    }
    sold
}
