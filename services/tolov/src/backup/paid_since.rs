//! Which orders the shop store and the bus know to be paid since a backup was made: a ledger that is put back from it must
//! hear of them before CLICK may ask it anything, or the payer could pay twice. And which wait for payment, and what money
//! went back, which would go back twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::{Context, Result};
use tolov_bot::ReceiptDefaults;
use tolov_domain::{
    Event, OrderId,
    event::Reversal,
    ports::{
        bus::Queue,
        documents::{Documents, Query},
    },
    receipt::Content,
    time::{Timestamp, unix_ms},
};
use tolov_kit::clock::{Clock, SystemClock};
use tolov_shop::{
    order::{ORDERS, OrderState, ShopOrder},
    records,
};
use tolov_webhook::ledger::{ImportedOrder, ImportedState, KnownRefund, NewOrder, PaidOrder};

use crate::{
    adapters::{Bus, BusAddress, Shop, ShopAddress, each_parked},
    data_folder::Part,
};

/// Messages that wait are handed out well within this.
const RECEIVE_TIMEOUT: Duration = Duration::from_secs(3);
/// The clocks of two machines may differ, and a backup takes a while.
const MARGIN: time::Duration = time::Duration::hours(1);
/// Orders that a release before `changed_at` has written last are looked for by when they were placed.
const PLACED_BEFORE: time::Duration = time::Duration::days(31);
const PAGE: u32 = 500;

/// What could be learned.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// By order number; two of one order only where two transactions have paid it.
    pub(super) payments: Vec<PaidOrder>,
    /// Money that went back, oldest first.
    pub(super) refunds: Vec<KnownRefund>,
    /// Messages of the bus that nobody can look into at this moment: most of them wait for another try.
    pub(super) unread: u64,
    /// Orders of the shop store that cannot be read, by number.
    pub(super) unreadable: Vec<String>,
    /// Orders that wait for payment and that the ledger knew: their links are out.
    pub(super) payable: Vec<ImportedOrder>,
    /// What the receipts of paid orders say, where the shop makes them.
    contents: BTreeMap<OrderId, Content>,
}

impl Known {
    fn add(&mut self, other: Self) {
        self.payments.extend(other.payments);
        self.refunds.extend(other.refunds);
        self.unread += other.unread;
        self.unreadable.extend(other.unreadable);
        self.payable.extend(other.payable);
        self.contents.extend(other.contents);
    }

    fn take_in(&mut self, order: &ShopOrder, asked: &Asked<'_>) {
        let payment = of_order(order).filter(|payment| payment.paid_at >= asked.since);
        if payment.is_some() || asked.of_bus.contains(&order.id) {
            let content = asked.receipts.and_then(|receipts| receipts.content(order));
            self.contents.extend(content.map(|content| (order.id, content)));
        }
        self.payments.extend(payment);
        self.refunds.extend(refunds_of(order));
        let has_link = matches!(order.state, OrderState::AwaitingPayment { link: Some(_), .. });
        if has_link && order.placed_at >= asked.since && !asked.of_bus.contains(&order.id) {
            let receipt = asked.receipts.and_then(|receipts| receipts.content(order));
            let (order_id, user_id, created_at) = (order.id, order.user_id, order.placed_at);
            let (products, amount) = (order.products(), order.total);
            let order = NewOrder { order_id, user_id, products, amount, created_at, receipt };
            self.payable.push(ImportedOrder { order, state: ImportedState::Payable { open: Vec::new() } });
        }
    }
}

/// Asks the bus first: what moves on to the shop store meanwhile is then seen twice and not missed. `receipts`: the shop makes
/// receipts, with these codes where a product has none.
pub(super) async fn ask(
    bus: &BusAddress,
    shop: &ShopAddress,
    receipts: Option<&ReceiptDefaults>,
    backup_made_at: Timestamp,
) -> Result<Known> {
    let since = backup_made_at - MARGIN;
    let mut known = if is_there(bus) { of_bus(bus).await? } else { Known::default() };
    let is_kept = match shop {
        ShopAddress::MongoDb(_) => true,
        ShopAddress::Embedded(folder) => folder.join(Part::Shop.file_name()).exists(),
    };
    if is_kept {
        let asked = Asked { since, receipts, of_bus: known.payments.iter().map(|it| it.order_id).collect() };
        known.add(of_shop(shop, &asked).await?);
    }
    known.payments.retain(|payment| payment.paid_at >= since);
    // Stable: what the bus knows, which has merchant_prepare_id, stays before what the shop store knows.
    known.payments.sort_by_key(|payment| (payment.order_id, payment.click_trans_id));
    known.payments.dedup_by_key(|payment| (payment.order_id, payment.click_trans_id));
    known.refunds.sort_by_key(|refund| refund.reversal.refund_id);
    known.refunds.dedup_by_key(|refund| refund.reversal.refund_id);
    known.payable.sort_by_key(|payable| payable.order.order_id);
    known.payable.dedup_by_key(|payable| payable.order.order_id);
    if receipts.is_some() {
        for payment in &mut known.payments {
            let content = known.contents.get(&payment.order_id).cloned();
            payment.receipt = Some(content.unwrap_or(Content { lines: Vec::new() }));
        }
    }
    Ok(known)
}

/// What the shop store is asked for.
struct Asked<'a> {
    since: Timestamp,
    receipts: Option<&'a ReceiptDefaults>,
    /// Orders that the bus knows to be paid, and the shop store perhaps not yet.
    of_bus: BTreeSet<OrderId>,
}

fn is_there(bus: &BusAddress) -> bool {
    match bus {
        BusAddress::RabbitMq(_) => true,
        BusAddress::Embedded(folder) => folder.join(Part::Bus.file_name()).exists(),
    }
}

/// Looks at what waits for the projector, and at what was parked. What is received is not settled, so it is delivered again.
async fn of_bus(address: &BusAddress) -> Result<Known> {
    let bus = Bus::open(address, "restore").await?;
    let admin = bus.admin();
    let queue = Queue::ProjectorPayments;
    let depth = admin.depth(queue).await.context("the bus cannot be asked which payments wait there")?;
    let consumer = bus.consumer(queue);
    let mut bodies: Vec<Vec<u8>> = Vec::new();
    let waiting = usize::try_from(depth.ready).unwrap_or(usize::MAX);
    while bodies.len() < waiting {
        let receiving = consumer.receive(waiting - bodies.len());
        match tokio::time::timeout(RECEIVE_TIMEOUT, receiving).await {
            Ok(received) => bodies.extend(received?.into_iter().map(|delivery| delivery.body)),
            Err(_elapsed) => break,
        }
    }
    let unread = u64::try_from(waiting - bodies.len().min(waiting)).unwrap_or(u64::MAX) + depth.retrying;
    each_parked(&*admin, queue, |message| bodies.push(message.body)).await?;
    drop((consumer, admin));
    bus.close().await;
    let mut known = Known { unread, ..Known::default() };
    for event in bodies.iter().filter_map(|body| Event::from_json(body).ok()) {
        known.refunds.extend(KnownRefund::of_event(event.clone()));
        known.payments.extend(PaidOrder::of_event(event));
    }
    Ok(known)
}

async fn of_shop(address: &ShopAddress, asked: &Asked<'_>) -> Result<Known> {
    let shop = Shop::open(address).await?;
    let paid = paid_orders(shop.store().as_ref(), asked).await;
    shop.close().await;
    paid.context("the shop store cannot be asked which orders are paid")
}

async fn paid_orders(shop: &dyn Documents, asked: &Asked<'_>) -> Result<Known> {
    let since = asked.since;
    let now = unix_ms(SystemClock.now());
    let mut known = Known::default();
    for (field, from) in [("changed_at", since), ("placed_at", since - PLACED_BEFORE)] {
        let mut seen = 0;
        loop {
            let query = Query::between(ORDERS, field, (unix_ms(from), now), PAGE).skip(seen);
            let page = records::find_versioned::<ShopOrder>(shop, &query).await?;
            for order in &page {
                match order {
                    Ok(order) => known.take_in(&order.record, asked),
                    Err(unreadable) => known.unreadable.push(unreadable.key.to_string()),
                }
            }
            seen += u32::try_from(page.len())?;
            if page.len() < usize::try_from(PAGE)? {
                break;
            }
        }
    }
    known.unreadable.sort();
    known.unreadable.dedup();
    Ok(known)
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
