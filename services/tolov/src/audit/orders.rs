//! Orders: the ledger's payments beside the shop store's orders, and who was told of them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use tolov_domain::{
    Event, EventId, OrderId,
    notification::{self, Recipient},
    ports::{
        PortError, ShopStore,
        documents::{Key, Query, Unreadable},
    },
    refund::Refund,
    time::Timestamp,
};
use tolov_shop::{
    order::{ORDERS, ShopOrder, Stage},
    records::{self, Versioned},
    settling,
};
use tolov_webhook::ledger::OrderStatus;

use super::{
    books::{Books, patiently},
    difference::Difference,
    findings::Totals,
    refunds,
};

/// How many orders of each store are in memory at a time: this bounds an audit, however many orders there are. Each of a page's
/// questions is answered well within the store's time limit, also beside a shop's busiest hour.
const PAGE: u32 = 200;

/// Some orders as both stores know them.
#[derive(Default)]
struct Page {
    payments: BTreeMap<OrderId, Event>,
    orders: BTreeMap<OrderId, Result<ShopOrder, String>>,
    refunds: BTreeMap<OrderId, Vec<Refund>>,
}

/// Goes through both stores by order number, side by side: a page ends where the shorter of two full pages does.
pub(super) async fn compare_all(
    books: &Books,
    totals: &mut Totals,
    mut see: impl AsyncFnMut(Vec<Difference>) -> Result<()>,
) -> Result<()> {
    let mut after = 0;
    loop {
        let look = async || {
            let (page, upto) = Page::after(books, after).await?;
            let differences = page.compare(books).await?;
            Ok((page, upto, differences))
        };
        let (page, upto, differences) = patiently(look).await?;
        page.count(totals);
        see(differences).await?;
        match upto {
            Some(upto) => after = upto,
            None => return Ok(()),
        }
    }
}

/// Looks at these orders again.
pub(super) async fn compare(books: &Books, order_ids: &BTreeSet<OrderId>) -> Result<Vec<Difference>> {
    let order_ids: Vec<OrderId> = order_ids.iter().copied().collect();
    let mut differences = Vec::new();
    for part in order_ids.chunks(usize::try_from(PAGE)?) {
        let mut page = Page::default();
        for order_id in part {
            match read(books.shop.as_ref(), *order_id).await? {
                Ok(Some(order)) => drop(page.orders.insert(*order_id, Ok(order))),
                Ok(None) => {}
                Err(reason) => drop(page.orders.insert(*order_id, Err(reason))),
            }
        }
        for order_id in part {
            page.add_refunds(books.ledger.refunds(*order_id).await?);
        }
        let payments = books.ledger.payments_of(part).await?;
        page.payments.extend(payments.into_iter().map(|event| (event.order_id, event)));
        differences.extend(page.compare(books).await?);
    }
    Ok(differences)
}

/// An order, or why it cannot be read.
pub(super) async fn read(
    shop: &dyn ShopStore,
    order_id: OrderId,
) -> Result<Result<Option<ShopOrder>, String>, PortError> {
    match tolov_shop::order::order(shop, order_id).await {
        Ok(order) => Ok(Ok(order)),
        Err(PortError::Refused(reason)) => Ok(Err(reason)),
        Err(away @ PortError::Unavailable(_)) => Err(away),
    }
}

fn number_of(order: &Result<Versioned<ShopOrder>, Unreadable>) -> i64 {
    let key = match order {
        Ok(order) => return order.id.get(),
        Err(unreadable) => &unreadable.key,
    };
    match key {
        Key::Number(number) => *number,
        // After all numbers.
        Key::Text(_) => i64::MAX,
    }
}

impl Page {
    /// The orders that come next, and the last number that they go up to; without one it is the last page.
    async fn after(books: &Books, after: i64) -> Result<(Self, Option<i64>)> {
        let full = usize::try_from(PAGE)?;
        let query = Query::all(ORDERS, PAGE).after(Key::Number(after));
        let orders = records::find_versioned::<ShopOrder>(books.shop.as_ref(), &query).await?;
        let payments = books.ledger.payments(after.saturating_add(1)..=i64::MAX, PAGE).await?;
        let last_order = orders.last().filter(|_| orders.len() == full).map(number_of);
        let last_payment =
            payments.last().filter(|_| payments.len() == full).map(|event| event.order_id.get());
        let upto = last_order.into_iter().chain(last_payment).min();
        let is_in = |number: i64| upto.is_none_or(|upto| number <= upto);
        let mut page = Self::default();
        page.payments.extend(payments.into_iter().map(|event| (event.order_id, event)));
        page.payments.retain(|order_id, _| is_in(order_id.get()));
        let numbers = after.saturating_add(1)..=upto.unwrap_or(i64::MAX);
        page.add_refunds(books.ledger.refunds_in(numbers).await?);
        for order in orders.into_iter().filter(|order| is_in(number_of(order))) {
            let Ok(order_id) = OrderId::try_new(number_of(&order)) else { continue };
            page.orders.insert(order_id, order.map(|read| read.record).map_err(|unread| unread.reason));
        }
        Ok((page, upto))
    }

    fn add_refunds(&mut self, refunds: Vec<Refund>) {
        for refund in refunds {
            self.refunds.entry(refund.order_id).or_default().push(refund);
        }
    }

    /// Orders that have refunds in the ledger, and those that have them in the shop store.
    fn compare_refunds(&self, now: Timestamp) -> Vec<Difference> {
        let in_shop =
            self.orders.iter().filter(|(_, order)| order.as_ref().is_ok_and(|it| !it.refunds.is_empty()));
        let ids: BTreeSet<OrderId> = self.refunds.keys().chain(in_shop.map(|(id, _)| id)).copied().collect();
        ids.into_iter()
            .flat_map(|id| {
                let order = self.orders.get(&id).and_then(|order| order.as_ref().ok());
                refunds::compare(id, order, self.refunds.get(&id).map_or(&[], Vec::as_slice), now)
            })
            .collect()
    }

    fn count(&self, totals: &mut Totals) {
        let whole = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let sum = |amounts: &mut dyn Iterator<Item = i64>| amounts.fold(0_i64, i64::saturating_add);
        totals.paid_orders += whole(self.payments.len());
        totals.paid_tiyin = totals
            .paid_tiyin
            .saturating_add(sum(&mut self.payments.values().map(|event| event.amount.get())));
        let paid = || self.orders.values().flatten().filter(|order| order.is_paid());
        totals.shop_orders += whole(self.orders.len());
        totals.shop_paid_orders += whole(paid().count());
        totals.shop_paid_tiyin =
            totals.shop_paid_tiyin.saturating_add(sum(&mut paid().map(|order| order.total.get())));
    }

    async fn compare(&self, books: &Books) -> Result<Vec<Difference>> {
        let mut differences = Vec::new();
        let (mut paid_alone, mut open) = (Vec::new(), Vec::new());
        for (order_id, order) in &self.orders {
            let order_id = *order_id;
            match order {
                Err(reason) => {
                    differences.push(Difference::OrderUnreadable { order_id, reason: reason.clone() });
                }
                Ok(order) => {
                    if order.is_paid() && !self.payments.contains_key(&order_id) {
                        paid_alone.push(order_id);
                    }
                    if order.stage() == Stage::AwaitingPayment {
                        open.push(order_id);
                    }
                    if order.is_unsettled() {
                        differences.push(Difference::Unsettled { order_id });
                    }
                }
            }
        }
        let is_due = |at| books.now - at > books.told_within;
        let mut to_be_told = Vec::new();
        for (order_id, payment) in &self.payments {
            let order_id = *order_id;
            match self.orders.get(&order_id) {
                None => differences.push(Difference::OrderUnknown { order_id }),
                Some(Err(_)) => {}
                Some(Ok(order)) => {
                    if let Some(how) = settling::difference(order, payment) {
                        differences.push(Difference::OrderDiffers { order_id, how });
                        continue;
                    }
                    if is_due(payment.occurred_at) {
                        to_be_told.extend(told_of(payment));
                    }
                    let refunds = self.refunds.get(&order_id).map_or(&[][..], Vec::as_slice);
                    to_be_told.extend(refunds::to_be_told(order, refunds, is_due));
                }
            }
        }
        differences.extend(self.compare_refunds(books.now));
        let not_held = settling::not_held(books.shop.as_ref(), self.orders.values().flatten()).await?;
        differences.extend(not_held.into_iter().map(|(order_id, missing)| Difference::NotHeld {
            order_id,
            article_id: missing.product_id,
            count: missing.count,
        }));
        let statuses = books.ledger.statuses(&[paid_alone.as_slice(), &open].concat()).await?;
        let is_over = |order_id: &OrderId| statuses.get(order_id) == Some(&OrderStatus::Expired);
        differences.extend(
            open.into_iter().filter(is_over).map(|order_id| Difference::OpenInShopAlone { order_id }),
        );
        for order_id in paid_alone {
            let status = statuses.get(&order_id).map(|status| status.as_str());
            // It was paid after the payments were read.
            if status != Some("paid") {
                differences.push(Difference::PaidInShopAlone { order_id, status });
            }
        }
        differences.extend(not_told(books.shop.as_ref(), to_be_told).await?);
        Ok(differences)
    }
}

/// What people are to hear of a payment.
fn told_of(payment: &Event) -> [(EventId, Difference); 2] {
    Recipient::ALL.map(|recipient| {
        let not_told = Difference::NotTold { order_id: payment.order_id, recipient: recipient.as_str() };
        (notification::id_of(&payment.id, recipient), not_told)
    })
}

/// Of what nobody was told, and cannot be said to be undeliverable either.
async fn not_told(
    shop: &dyn ShopStore,
    to_be_told: Vec<(EventId, Difference)>,
) -> Result<Vec<Difference>, PortError> {
    let (ids, differences): (Vec<EventId>, Vec<Difference>) = to_be_told.into_iter().unzip();
    let outcomes = shop.outcomes(&ids).await?;
    Ok(differences.into_iter().zip(outcomes).filter(|(_, it)| it.is_none()).map(|(it, _)| it).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use time::macros::datetime;
    use tolov_contract::counting::CountingDocuments;
    use tolov_domain::{
        ClickPaydocId, ClickTransId, EventKind, PrepareId, Tiyin, UserId,
        ports::notifications::{NotificationLog, SendOutcome},
    };
    use tolov_embedded::EmbeddedShop;

    use super::*;

    fn payment(order_id: i64) -> Event {
        let order_id = OrderId::try_new(order_id).unwrap();
        let kind = EventKind::PaymentCompleted {
            click_trans_id: ClickTransId::try_new(1).unwrap(),
            click_paydoc_id: ClickPaydocId::try_new(1).unwrap(),
            merchant_prepare_id: PrepareId::try_new(1).unwrap(),
            late: false,
        };
        Event {
            id: Event::id_of(order_id, &kind),
            order_id,
            user_id: UserId::try_new(5).unwrap(),
            products: Vec::new(),
            amount: Tiyin::from_soum(1_000).unwrap(),
            occurred_at: datetime!(2026-11-23 09:00 UTC),
            kind,
        }
    }

    #[tokio::test]
    async fn who_was_told_is_asked_for_once_a_page() {
        let folder = tempfile::tempdir().unwrap();
        let shop = CountingDocuments::new(Arc::new(EmbeddedShop::open(folder.path()).await.unwrap()));
        let payments: Vec<Event> = (1..=i64::from(PAGE)).map(payment).collect();
        let told = |order: &Event, recipient| notification::id_of(&order.id, recipient);
        let all = payments.iter().skip(1).flat_map(|it| Recipient::ALL.map(|to| told(it, to)));
        let all: Vec<EventId> = all.chain([told(&payments[0], Recipient::Staff)]).collect();
        shop.settle(&all, &SendOutcome::Sent { message_id: 7 }, payments[0].occurred_at).await.unwrap();
        shop.reset();
        let found = not_told(&shop, payments.iter().flat_map(told_of).collect()).await.unwrap();
        let order_id = payments[0].order_id;
        assert_eq!(found, [Difference::NotTold { order_id, recipient: Recipient::Shopper.as_str() }]);
        assert_eq!((shop.calls().of("outcomes"), shop.calls().total()), (1, 1));
    }
}
