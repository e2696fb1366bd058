//! Which orders the shop store and the bus know to be paid: a ledger that is put back from a backup
//! must hear of those that it does not know before CLICK may ask it anything, or the payer could pay twice. And which wait for
//! payment, and what money went back, which would go back twice.
//!
//! Every order of the shop store is looked at, and everything on the bus, of whatever time: what the ledger knows changes
//! nothing there, and no two clocks have to agree.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use tolov_bot::ReceiptDefaults;
use tolov_domain::{
    Event, OrderId,
    event::Reversal,
    ports::{
        bus::Queue,
        documents::{Key, Query, Unreadable},
    },
    receipt::Content,
};
use tolov_shop::{
    order::{ORDERS, OrderState, ShopOrder},
    records::{self, Record, Versioned},
};
use tolov_webhook::ledger::{ImportedOrder, ImportedState, KnownRefund, NewOrder, PaidOrder};

use crate::{
    adapters::{Bus, BusAddress, Shop, ShopAddress},
    data_folder::Part,
};

/// How many orders of the shop store are read at once.
const PAGE: u32 = 500;

/// What is known beside the ledger. Of the shop store no more than two pages are in memory, of the bus what it says of
/// payments. [`Known::close`] it.
#[derive(Debug, Default)]
pub(super) struct Known {
    bus: OnBus,
    shop: Option<Shop>,
    /// The next orders of the shop store.
    read_ahead: Vec<Result<Versioned<ShopOrder>, Unreadable>>,
    /// The shop makes receipts, with these codes where a product has none.
    receipts: Option<ReceiptDefaults>,
}

#[derive(Debug, Default)]
struct OnBus {
    payments: BTreeMap<OrderId, Vec<PaidOrder>>,
    refunds: BTreeMap<OrderId, Vec<KnownRefund>>,
    /// Messages that nobody can look into at this moment: they wait for another try.
    unread: u64,
}

/// What is known of some orders.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Two of one order only where two transactions have paid it.
    pub(super) payments: Vec<PaidOrder>,
    /// Money that went back; of an order, oldest first.
    pub(super) refunds: Vec<KnownRefund>,
    /// Orders that wait for payment: their links are out.
    pub(super) payable: Vec<ImportedOrder>,
    /// What cannot be read, a sentence each.
    pub(super) unreadable: Vec<String>,
}

impl Known {
    /// Asks the bus first: what moves on to the shop store meanwhile is then seen twice and not missed.
    pub(super) async fn ask(
        bus: &BusAddress,
        shop: &ShopAddress,
        receipts: Option<&ReceiptDefaults>,
    ) -> Result<Self> {
        let bus = if is_there(bus) { OnBus::ask(bus).await? } else { OnBus::default() };
        let is_kept = match shop {
            ShopAddress::MongoDb(_) => true,
            ShopAddress::Embedded(folder) => folder.join(Part::Shop.file_name()).exists(),
        };
        let shop = if is_kept { Some(Shop::open(shop).await?) } else { None };
        let mut known = Self { bus, shop, receipts: receipts.cloned(), ..Self::default() };
        match known.read_on(None).await {
            Ok(()) => Ok(known),
            Err(error) => {
                known.close().await;
                Err(error)
            }
        }
    }

    /// Bus and shop store are lost. What the ledger that is replaced knows needs its receipts all the same.
    pub(super) fn of_nobody(receipts: Option<&ReceiptDefaults>) -> Self {
        Self { receipts: receipts.cloned(), ..Self::default() }
    }

    pub(super) const fn unread(&self) -> u64 {
        self.bus.unread
    }

    /// The next orders of the shop store, with what the bus knows of them; at the end what it knows of others.
    pub(super) async fn next(&mut self) -> Result<Option<Batch>> {
        let orders = std::mem::take(&mut self.read_ahead);
        let Some(last) = orders.last().map(key_of) else { return Ok(self.rest()) };
        if orders.len() == usize::try_from(PAGE)? {
            self.read_on(Some(last)).await?;
        }
        let mut batch = Batch::default();
        for order in orders {
            match order {
                Ok(order) => self.take_in(&order.record, &mut batch),
                Err(unreadable) => batch.unreadable.push(format!(
                    "order {} of the shop store cannot be read: nobody here knows whether it is paid",
                    unreadable.key
                )),
            }
        }
        Ok(Some(batch))
    }

    pub(super) async fn close(self) {
        if let Some(shop) = self.shop {
            shop.close().await;
        }
    }

    /// By key: an order that changes meanwhile does not move.
    async fn read_on(&mut self, after: Option<Key>) -> Result<()> {
        let Some(shop) = &self.shop else { return Ok(()) };
        let query = Query::all(ORDERS, PAGE);
        let query = if let Some(after) = after { query.after(after) } else { query };
        let read = records::find_versioned(shop.store().as_ref(), &query).await;
        self.read_ahead = read.context("the shop store cannot be asked which orders are paid")?;
        Ok(())
    }

    fn take_in(&mut self, order: &ShopOrder, batch: &mut Batch) {
        // What the bus knows has merchant_prepare_id and goes before what the shop store knows.
        let mut payments = self.bus.payments.remove(&order.id).unwrap_or_default();
        let is_paid_on_bus = !payments.is_empty();
        payments.extend(of_order(order));
        payments.sort_by_key(|payment| payment.click_trans_id);
        payments.dedup_by_key(|payment| payment.click_trans_id);
        if !payments.is_empty() {
            batch.add_payments(payments, self.receipt_of(Some(order)).as_ref());
        }
        let refunds = self.bus.refunds.remove(&order.id).unwrap_or_default();
        batch.add_refunds(refunds.into_iter().chain(refunds_of(order)).collect());
        let has_link = matches!(order.state, OrderState::AwaitingPayment { link: Some(_), .. });
        if has_link && !is_paid_on_bus {
            let (order_id, user_id, created_at) = (order.id, order.user_id, order.placed_at);
            let receipt = self.receipts.as_ref().and_then(|receipts| receipts.content(order));
            let (products, amount) = (order.products(), order.total);
            let order = NewOrder { order_id, user_id, products, amount, created_at, receipt };
            batch.payable.push(ImportedOrder { order, state: ImportedState::Payable { open: Vec::new() } });
        }
    }

    /// What the receipt of an order says that nobody knows any more, where the shop makes receipts.
    pub(super) fn lost_receipt(&self) -> Option<Content> {
        self.receipt_of(None)
    }

    /// What the receipt of a paid order says, where the shop makes receipts. Without lines: nobody knows.
    fn receipt_of(&self, order: Option<&ShopOrder>) -> Option<Content> {
        let receipts = self.receipts.as_ref()?;
        let content = order.and_then(|order| receipts.content(order));
        Some(content.unwrap_or(Content { lines: Vec::new() }))
    }

    /// What the bus alone knows.
    fn rest(&mut self) -> Option<Batch> {
        let OnBus { payments, refunds, .. } = std::mem::take(&mut self.bus);
        if payments.is_empty() && refunds.is_empty() {
            return None;
        }
        let (mut batch, receipt) = (Batch::default(), self.receipt_of(None));
        for payments in payments.into_values() {
            batch.add_payments(payments, receipt.as_ref());
        }
        for refunds in refunds.into_values() {
            batch.add_refunds(refunds);
        }
        Some(batch)
    }
}

impl Batch {
    fn add_payments(&mut self, payments: Vec<PaidOrder>, receipt: Option<&Content>) {
        let payments = payments.into_iter().map(|payment| PaidOrder { receipt: receipt.cloned(), ..payment });
        self.payments.extend(payments);
    }

    fn add_refunds(&mut self, mut refunds: Vec<KnownRefund>) {
        refunds.sort_by_key(|refund| refund.reversal.refund_id);
        refunds.dedup_by_key(|refund| refund.reversal.refund_id);
        self.refunds.extend(refunds);
    }
}

impl OnBus {
    /// Reads what was parked, and what waits for the projector: a parked message that an operator requeues meanwhile is seen
    /// twice and not missed.
    async fn ask(address: &BusAddress) -> Result<Self> {
        let bus = Bus::open(address, "restore").await?;
        let read = Self::read(&bus).await;
        bus.close().await;
        read.context("the bus cannot be asked which payments wait there")
    }

    async fn read(bus: &Bus) -> Result<Self> {
        let (admin, queue) = (bus.admin(), Queue::ProjectorPayments);
        let depth = admin.depth(queue).await?;
        let (mut on_bus, mut shown) = (Self::default(), 0);
        admin.each_parked(queue, &mut |message| on_bus.take_in(&message.body)).await?;
        let mut see = |body: Vec<u8>| {
            shown += 1;
            on_bus.take_in(&body);
        };
        admin.each_waiting(queue, &mut see).await?;
        on_bus.unread = depth.ready.saturating_sub(shown) + depth.retrying;
        Ok(on_bus)
    }

    /// Of the same event that comes twice, one is kept.
    fn take_in(&mut self, body: &[u8]) {
        let Ok(event) = Event::from_json(body) else { return };
        let order_id = event.order_id;
        if let Some(refund) = KnownRefund::of_event(event.clone()) {
            let known = self.refunds.entry(order_id).or_default();
            let id = refund.reversal.refund_id;
            if known.iter().all(|known| known.reversal.refund_id != id) {
                known.push(refund);
            }
        }
        if let Some(payment) = PaidOrder::of_event(event) {
            let known = self.payments.entry(order_id).or_default();
            if known.iter().all(|known| known.click_trans_id != payment.click_trans_id) {
                known.push(payment);
            }
        }
    }
}

fn is_there(bus: &BusAddress) -> bool {
    match bus {
        BusAddress::RabbitMq(_) => true,
        BusAddress::Embedded(folder) => folder.join(Part::Bus.file_name()).exists(),
    }
}

fn key_of(order: &Result<Versioned<ShopOrder>, Unreadable>) -> Key {
    match order {
        Ok(order) => order.key(),
        Err(unreadable) => unreadable.key.clone(),
    }
}

fn of_order(order: &ShopOrder) -> Option<PaidOrder> {
    let payment = order.payment()?;
    Some(PaidOrder {
        order_id: order.id,
        user_id: order.user_id,
        products: order.products(),
        amount: order.total,
        click_trans_id: payment.click_trans_id,
        click_paydoc_id: payment.click_paydoc_id,
        merchant_prepare_id: None,
        paid_at: payment.paid_at,
        late: payment.late,
        known_by: "shop",
        receipt: None,
    })
}

/// Those that the ledger has numbered; what staff have recorded by hand it never knew.
fn refunds_of(order: &ShopOrder) -> impl Iterator<Item = KnownRefund> {
    order.refunds.iter().filter_map(|refund| {
        let reversal = Reversal {
            refund_id: refund.refund_id?,
            refunded: refund.amount,
            by_hand: refund.by_hand,
            returned: refund.returned.clone(),
        };
        Some(KnownRefund { order_id: order.id, reversal, at: refund.at, known_by: "shop" })
    })
}

#[cfg(test)]
#[path = "../../tests/it/paid_order.rs"]
mod paid_order;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use time::macros::datetime;
    use tolov_embedded::EmbeddedShop;
    use tolov_shop::order::{Actor, HistoryEntry, OrderAction};

    use super::{paid_order::paid_order, *};

    fn paid(number: i64) -> ShopOrder {
        paid_order(number, datetime!(2026-11-23 09:00 UTC) + time::Duration::seconds(number))
    }

    #[tokio::test]
    async fn an_order_that_changes_meanwhile_hides_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let shop = EmbeddedShop::open(folder.path()).await.unwrap();
        let numbers = 1..=i64::from(2 * PAGE) + 10;
        for number in numbers.clone() {
            records::insert(&shop, &paid(number)).await.unwrap();
        }
        let (bus, place) = (folder.path().to_owned(), folder.path().to_owned());
        let (bus, place) = (BusAddress::Embedded(bus), ShopAddress::Embedded(place));
        let mut known = Known::ask(&bus, &place, None).await.unwrap();
        let mut seen = BTreeSet::new();
        while let Some(batch) = known.next().await.unwrap() {
            seen.extend(batch.payments.iter().map(|payment| payment.order_id.get()));
            // It now stands behind all others that are looked for by their last change.
            let last = paid(*numbers.end()).changed_at() + time::Duration::HOUR;
            let entry = HistoryEntry::of_action(OrderAction::Accepted, Actor::Clock, last);
            let change = |order: &mut ShopOrder| order.history.push(entry.clone());
            records::change(&shop, 1, change).await.unwrap();
        }
        known.close().await;
        assert_eq!(seen, numbers.collect());
    }
}
