//! What a batch of events does to the orders that they are about.
//!
//! The documents of the whole batch are read and written together: seven commands where every order was placed in this
//! shop and paid in time.

use std::collections::{BTreeMap, BTreeSet};

use tolov_domain::{
    Event, EventKind, OrderId, OrderedProduct, Outcome, ProductId,
    notification::{Announcement, PaymentNumbers, question_id},
    order::OrderLine,
    payment::Anomaly,
    ports::{
        PortError,
        documents::{Documents, Key},
    },
};

use super::goods::settle_goods;
use crate::{
    catalogue::{self, Article},
    order::{Extent, HistoryItem, OrderState, PaymentFacts, ShopOrder, Stage, Stock, reserve_order_ids},
    records::{self, Versioned},
};

/// What the shop has made of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// With titles and prices, for the notifications.
    pub lines: Vec<OrderLine>,
    pub announcement: Announcement,
    /// What the order is paid by.
    pub payment: Option<PaymentNumbers>,
    /// Where the order stands now; `None` where its document cannot be read.
    pub stage: Option<Stage>,
}

/// Applies events to the orders that they are about, and settles stock, carts and promo codes. One answer an event, in the
/// order given; every effect is durable when it returns.
///
/// An order or a shopper that the store does not know is made from the event. An event that contradicts the order is not
/// applied: it becomes a question to staff. A document that cannot be read keeps no other order from being settled, and
/// its own people from hearing of the money: they are told that its stock is not settled, and the event is done.
pub async fn settle(documents: &dyn Documents, events: &[Event]) -> Result<Vec<Settled>, PortError> {
    let mut of_order: BTreeMap<Key, Vec<&Event>> = BTreeMap::new();
    for event in events {
        of_order.entry(Key::Number(event.order_id.get())).or_default().push(event);
    }
    let applied = apply(documents, &of_order).await?;
    let orders = applied.orders.values().map(|applied| applied.order.clone()).collect();
    let goods = settle_goods(documents, orders).await?;
    let settled = events.iter().map(|event| {
        let Some(applied) = applied.orders.get(&event.order_id) else {
            let lines = lines_of(&event.products, &applied.articles);
            return Settled {
                lines,
                announcement: Announcement::Event { stock_settled: false },
                payment: None,
                stage: None,
            };
        };
        let order = goods.orders.get(&event.order_id).unwrap_or(&applied.order);
        applied.settled(event, order, !goods.failed.contains(order.id))
    });
    Ok(settled.collect())
}

/// The orders of a batch once its events are applied to them.
struct AppliedBatch {
    /// Without those whose document cannot be read or written.
    orders: BTreeMap<OrderId, AppliedOrder>,
    /// The articles of events whose order was not known, or is another one.
    articles: BTreeMap<ProductId, Article>,
}

struct AppliedOrder {
    order: Versioned<ShopOrder>,
    /// Events that contradict the order, with the lines that they are about.
    questions: Vec<(Event, Anomaly, Vec<OrderLine>)>,
}

impl AppliedOrder {
    fn settled(&self, event: &Event, order: &ShopOrder, stock_settled: bool) -> Settled {
        let stage = Some(order.stage());
        let payment = order.payment().map(|known| PaymentNumbers {
            click_trans_id: known.click_trans_id,
            click_paydoc_id: known.click_paydoc_id,
        });
        let is_it = |(questioned, ..): &&(Event, Anomaly, Vec<OrderLine>)| questioned == event;
        if let Some((_, anomaly, lines)) = self.questions.iter().find(is_it) {
            let announcement = Announcement::Question(*anomaly);
            return Settled { lines: lines.clone(), announcement, payment, stage };
        }
        let is_news = match &event.kind {
            // Whoever has cancelled an order knows that it is over, and an order that was paid after all did not expire.
            EventKind::OrderExpired => order.stage() == Stage::Expired,
            EventKind::PaymentReversed(reversal) | EventKind::PaymentPartlyReversed { reversal, .. } => {
                !order.is_refund_told(reversal.refund_id)
            }
            EventKind::PaymentCompleted { .. }
            | EventKind::PaymentCancelled { .. }
            | EventKind::PaymentQuestioned { .. }
            | EventKind::ReceiptIssued { .. } => true,
            // Staff who have recorded that the money is back have decided it.
            EventKind::RefundUndecided(_) => order.stage() != Stage::Refunded,
        };
        let announcement =
            if is_news { Announcement::Event { stock_settled } } else { Announcement::Nothing };
        Settled { lines: order.lines.clone(), announcement, payment, stage }
    }
}

/// Writes the orders themselves. This decides who wins; stock moves only afterwards.
async fn apply(
    documents: &dyn Documents,
    of_order: &BTreeMap<Key, Vec<&Event>>,
) -> Result<AppliedBatch, PortError> {
    let keys: BTreeSet<Key> = of_order.keys().cloned().collect();
    let found = records::get_many::<ShopOrder>(documents, &keys).await?;
    let is_known = |event: &Event| {
        let order = found.get(&Key::Number(event.order_id.get())).and_then(|read| read.as_ref().ok());
        order.is_some_and(|order| !differs(order, event))
    };
    let unknown: Vec<&Event> =
        of_order.values().flatten().copied().filter(|event| !is_known(event)).collect();
    let products = unknown.iter().flat_map(|event| &event.products).map(|product| product.product_id);
    let articles = catalogue::articles(documents, products).await?;
    let is_new = |event: &&Event| !found.contains_key(&Key::Number(event.order_id.get()));
    // Before they are there: the counter never gives out the number of an order that came from elsewhere.
    let new = unknown.into_iter().filter(is_new).map(|event| event.order_id);
    reserve_order_ids(documents, new).await?;
    let changed = records::change_found(documents, found, keys, |key, order: Option<&ShopOrder>, _| {
        let events = of_order.get(key)?;
        let mut order = order.cloned().or_else(|| Some(made_from(events.first()?, &articles)))?;
        let mut questions = Vec::new();
        for event in events {
            if let Err(anomaly) = apply_event(&mut order, event) {
                let is_another = anomaly == Anomaly::OrderDiffers;
                let lines =
                    if is_another { lines_of(&event.products, &articles) } else { order.lines.clone() };
                questions.push(((*event).clone(), anomaly, lines));
            }
        }
        Some((order, questions))
    });
    let applied = changed.await?.records.into_values();
    let orders = applied.map(|(order, questions)| (order.id, AppliedOrder { order, questions })).collect();
    Ok(AppliedBatch { orders, articles })
}

fn differs(order: &ShopOrder, event: &Event) -> bool {
    (order.user_id, order.total) != (event.user_id, event.amount)
}

/// An order that the shop learns of from an event. Nothing is held for it.
fn made_from(event: &Event, articles: &BTreeMap<ProductId, Article>) -> ShopOrder {
    ShopOrder {
        id: event.order_id,
        user_id: event.user_id,
        lines: lines_of(&event.products, articles),
        total: event.amount,
        placed_at: event.occurred_at,
        terms: None,
        state: OrderState::AwaitingPayment { link: None, cancel_requested_by: None },
        stock: Stock::Unheld,
        refunds: Vec::new(),
        receipt_url: None,
        history: Vec::new(),
    }
}

fn lines_of(products: &[OrderedProduct], articles: &BTreeMap<ProductId, Article>) -> Vec<OrderLine> {
    let line = |product: &OrderedProduct| {
        let article = articles.get(&product.product_id);
        OrderLine {
            product_id: product.product_id,
            count: product.count,
            title: article.map(|article| article.title.clone()).unwrap_or_default(),
            price: article.map(|article| article.price),
            portion: article.and_then(|article| article.portion),
            // Nobody agreed on it: its receipt is made by hand.
            fiscal: None,
        }
    };
    products.iter().map(line).collect()
}

/// Applies an event, once however often it comes. An event that contradicts the order changes only its history.
fn apply_event(order: &mut ShopOrder, event: &Event) -> Result<(), Anomaly> {
    let (id, at) = (event.id.clone(), event.occurred_at);
    let anomaly = if differs(order, event) {
        Some(Anomaly::OrderDiffers)
    } else {
        match &event.kind {
            &EventKind::PaymentCompleted { click_trans_id, click_paydoc_id, late, .. } => {
                let payment = PaymentFacts { click_trans_id, click_paydoc_id, paid_at: at, late };
                match order.pay(payment, id) {
                    Outcome::Applied | Outcome::AlreadyApplied => None,
                    Outcome::Refused(anomaly) => Some(anomaly),
                }
            }
            EventKind::OrderExpired => {
                order.expire(id, at);
                None
            }
            EventKind::PaymentCancelled { .. } => {
                order.note(HistoryItem::PaymentCancelled, id, at);
                None
            }
            &EventKind::PaymentQuestioned { anomaly, .. } => {
                order.note(HistoryItem::PaymentQuestioned(anomaly), id, at);
                None
            }
            EventKind::PaymentReversed(reversal) => {
                order.reverse(reversal, Extent::Rest, id, at);
                None
            }
            EventKind::PaymentPartlyReversed { reversal, .. } => {
                order.reverse(reversal, Extent::Part, id, at);
                None
            }
            EventKind::RefundUndecided(_) => {
                order.note(HistoryItem::RefundUndecided, id, at);
                None
            }
            EventKind::ReceiptIssued { url } => {
                order.receipt_url = Some(url.clone());
                None
            }
        }
    };
    let Some(anomaly) = anomaly else { return Ok(()) };
    order.note(HistoryItem::PaymentQuestioned(anomaly), question_id(event, anomaly), at);
    Err(anomaly)
}
