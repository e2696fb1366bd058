//! What the ledger's events do to the shop's side of an order: stage, stock and promo code.
//!
//! Each may come again, in any order and after a crash at any point, with one effect.

use std::collections::BTreeMap;

use time::Duration;
use tolov_domain::{
    ClickPaydocId, Event, EventKind, OrderId, OrderedProduct,
    ports::{
        PortError,
        documents::{Collection, Documents, Query},
    },
    time::Timestamp,
};

use crate::{
    fulfilment::{By, Deed, Fulfilment, Moved, Stage, StockState, fulfilment},
    promo::{PromoCode, Use},
    records, stock,
};

/// How long an order may be in the making before it is given up.
pub const PLACING_LIMIT: Duration = Duration::minutes(15);

/// What has become of the orders of some events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settled {
    /// Of those that were placed in this shop.
    stages: BTreeMap<OrderId, Stage>,
}

impl Settled {
    /// Whether people are to hear of the event. Who has cancelled an order knows that it is over, and of one that was
    /// paid after all nobody is told that it was not.
    pub fn is_news(&self, event: &Event) -> bool {
        let stage = self.stages.get(&event.order_id);
        event.kind != EventKind::OrderExpired || stage.is_none_or(|stage| *stage == Stage::Expired)
    }
}

/// Another process that is still at the same order may undo what was marked a moment ago; each does so once.
const STOCK_TRIES: u32 = 4;

/// Applies events to the orders that were placed in this shop; others (placed by other means) are passed over.
pub async fn apply(documents: &dyn Documents, events: &[Event]) -> Result<Settled, PortError> {
    let known: Vec<Fulfilment> = records::read_many(
        documents,
        events.iter().filter(|event| concerns_the_shop(event)).map(|event| event.order_id.get()),
    )
    .await?;
    let mut settled = Settled::default();
    for event in events.iter().filter(|event| known.iter().any(|order| order.id == event.order_id)) {
        let (id, at) = (event.order_id, event.occurred_at);
        let order = match event.kind {
            EventKind::PaymentCompleted { click_paydoc_id, late, .. } => {
                paid(documents, id, click_paydoc_id, late, at).await?
            }
            EventKind::OrderExpired => {
                let closed = closed(documents, id, Deed::Expired, By::Clock, at).await?;
                closed.map(|(order, _)| order)
            }
            EventKind::PaymentCancelled { .. } | EventKind::PaymentQuestioned { .. } => None,
        };
        settled.stages.extend(order.map(|order| (id, order.stage)));
    }
    Ok(settled)
}

fn concerns_the_shop(event: &Event) -> bool {
    match event.kind {
        EventKind::PaymentCompleted { .. } | EventKind::OrderExpired => true,
        EventKind::PaymentCancelled { .. } | EventKind::PaymentQuestioned { .. } => false,
    }
}

/// The money is in. Stock that went back to the shelf before it came is taken again, as far as it is still there.
pub async fn paid(
    documents: &dyn Documents,
    id: OrderId,
    click_paydoc_id: ClickPaydocId,
    late: bool,
    at: Timestamp,
) -> Result<Option<Fulfilment>, PortError> {
    let marked = records::change(documents, id.get(), |order: &mut Fulfilment| {
        let was_closed = matches!(order.stage, Stage::Expired | Stage::Cancelled);
        if order.advance(Deed::Paid, By::Click, at) == Moved::Now {
            order.paid_at = Some(at);
            order.click_paydoc_id = Some(click_paydoc_id.get());
            order.late = late || was_closed;
            if was_closed {
                // Until it is taken, the products alone know how much of it is set aside again.
                order.stock = StockState::Held;
            }
        }
    });
    let Some((order, ())) = marked.await? else { return Ok(None) };
    if order.late {
        keep_promo(documents, &order).await?;
    }
    if leaves_the_shop(&order) && order.stock != StockState::Taken {
        return take_stock(documents, &order).await;
    }
    tidy(documents, order).await.map(Some)
}

/// A paid order that staff have cancelled since keeps its goods on the shelf.
fn leaves_the_shop(order: &Fulfilment) -> bool {
    order.is_paid() && (order.stage.is_in_work() || order.stage == Stage::Delivered)
}

/// Whatever the order holds is sold to it, and what it does not hold any more is taken again.
async fn take_stock(documents: &dyn Documents, order: &Fulfilment) -> Result<Option<Fulfilment>, PortError> {
    let articles = order.articles();
    let mut taken = Vec::new();
    for _ in 0..STOCK_TRIES {
        let held = stock::hold(documents, order.id, &articles).await?;
        // If another process has finished meanwhile, what was held just now is held for nothing.
        match fulfilment(documents, order.id).await? {
            Some(now) if leaves_the_shop(&now) && now.stock != StockState::Taken => {}
            Some(now) => return tidy(documents, now).await.map(Some),
            None => return Ok(None),
        }
        taken = stock::take(documents, order.id, &articles, &held.marks).await?;
        if taken.len() == held.marks.len() {
            break;
        }
    }
    let is_missing = |article: &OrderedProduct| !taken.contains(&article.product_id);
    let written = records::change(documents, order.id.get(), |order: &mut Fulfilment| {
        if !leaves_the_shop(order) {
            return;
        }
        if order.stock == StockState::Taken {
            order.missing.retain(is_missing);
        } else {
            order.stock = StockState::Taken;
            order.missing = articles.iter().copied().filter(is_missing).collect();
        }
    });
    match written.await? {
        Some((order, ())) => tidy(documents, order).await.map(Some),
        None => Ok(None),
    }
}

/// Brings the goods of a paid order to where its record says that they belong, and clears the products of what they
/// remember of it.
async fn tidy(documents: &dyn Documents, order: Fulfilment) -> Result<Fulfilment, PortError> {
    let order = match order.stock {
        StockState::Held if leaves_the_shop(&order) => return Ok(order),
        StockState::Held | StockState::Returning => bring_back(documents, order).await?,
        StockState::Taken | StockState::Returned => order,
    };
    let is_back = order.stock == StockState::Returned;
    stock::forget(documents, order.id, &order.articles(), is_back).await?;
    Ok(order)
}

/// The goods of an order that was cancelled after it was paid can be sold again.
async fn bring_back(documents: &dyn Documents, order: Fulfilment) -> Result<Fulfilment, PortError> {
    let articles = order.articles();
    let is_there = |article: &OrderedProduct| {
        order.missing.iter().all(|missing| missing.product_id != article.product_id)
    };
    let bought: Vec<OrderedProduct> = articles.iter().copied().filter(is_there).collect();
    for _ in 0..STOCK_TRIES {
        let marks = match order.stock {
            // Cancelled between the money and the shelf: the products still know what is held and what is sold.
            StockState::Held => stock::marks(documents, order.id, &articles).await?,
            StockState::Taken | StockState::Returning | StockState::Returned => {
                stock::remember_sold(documents, order.id, &bought).await?
            }
        };
        // If another process has finished meanwhile, nothing is to come back any more.
        match fulfilment(documents, order.id).await? {
            Some(now) if now.stock == order.stock => {}
            now => return Ok(now.unwrap_or(order)),
        }
        if stock::bring_back(documents, order.id, &articles, &marks).await? {
            break;
        }
    }
    let returned = records::change(documents, order.id.get(), |order: &mut Fulfilment| {
        if matches!(order.stock, StockState::Held | StockState::Returning) {
            order.stock = StockState::Returned;
        }
    });
    Ok(returned.await?.map_or(order, |(order, ())| order))
}

/// The order cannot be paid any more: it expired, or somebody cancelled it before it was paid.
pub async fn closed(
    documents: &dyn Documents,
    id: OrderId,
    deed: Deed,
    by: By,
    at: Timestamp,
) -> Result<Option<(Fulfilment, Moved)>, PortError> {
    let marked = records::change(documents, id.get(), |order: &mut Fulfilment| {
        if order.is_paid() {
            return Moved::Refused(order.stage);
        }
        if order.stage == Stage::Placing {
            order.cancel_asked_by.get_or_insert(by);
            return Moved::Before;
        }
        // The ledger knows only that it is over; why it is over this record knows.
        match order.cancel_asked_by {
            Some(asker) => order.advance(Deed::Cancelled, asker, at),
            None => order.advance(deed, by, at),
        }
    });
    let Some((order, moved)) = marked.await? else { return Ok(None) };
    if order.stage == Stage::Placing && !order.is_paid() {
        return give_up_placing(documents, order, at).await;
    }
    let is_over = matches!(order.stage, Stage::Expired | Stage::Cancelled) && !order.is_paid();
    if is_over && order.stock == StockState::Held {
        release(documents, &order).await?;
        let returned = records::change(documents, id.get(), |order: &mut Fulfilment| {
            if !order.is_paid() {
                order.stock = StockState::Returned;
            }
        });
        let Some((order, ())) = returned.await? else { return Ok(None) };
        if order.is_paid() {
            // The money came in between: its discount counts.
            keep_promo(documents, &order).await?;
        }
        return Ok(Some((order, moved)));
    }
    Ok(Some((order, moved)))
}

/// Nobody hears of an order that the ledger does not know, so no event would finish what broke off here. It stays in the
/// making until all is released: whoever clears away next finds it there, and [`crate::checkout::registered`] refuses it.
async fn give_up_placing(
    documents: &dyn Documents,
    order: Fulfilment,
    at: Timestamp,
) -> Result<Option<(Fulfilment, Moved)>, PortError> {
    release(documents, &order).await?;
    let given_up = records::change(documents, order.id.get(), |order: &mut Fulfilment| {
        if order.is_paid() || order.stage != Stage::Placing {
            return Moved::Refused(order.stage);
        }
        order.stock = StockState::Returned;
        order.advance(Deed::Cancelled, order.cancel_asked_by.unwrap_or(By::Clock), at)
    });
    given_up.await
}

/// Staff cancel an order that was paid: its goods go back to the shelf, its money is given back in CLICK's cabinet.
pub async fn cancel_paid(
    documents: &dyn Documents,
    id: OrderId,
    by: By,
    at: Timestamp,
) -> Result<Option<(Fulfilment, Moved)>, PortError> {
    let cancelled = records::change(documents, id.get(), |order: &mut Fulfilment| {
        let moved = if order.is_paid() {
            order.advance(Deed::Cancelled, by, at)
        } else {
            Moved::Refused(order.stage)
        };
        if moved == Moved::Now && order.stock == StockState::Taken {
            order.stock = StockState::Returning;
        }
        moved
    });
    let Some((order, moved)) = cancelled.await? else { return Ok(None) };
    // Also when it was cancelled before: whoever did it may have come no further.
    let is_cancelled = order.is_paid() && order.stage == Stage::Cancelled;
    let order = if is_cancelled { tidy(documents, order).await? } else { order };
    Ok(Some((order, moved)))
}

/// Gives back what an order holds: stock, and the use of its promo code.
pub(crate) async fn release(documents: &dyn Documents, order: &Fulfilment) -> Result<(), PortError> {
    stock::give_back(documents, order.id, &order.articles()).await?;
    if let Some(code) = &order.promo_code {
        records::change(documents, code.as_str(), |promo: &mut PromoCode| promo.release(order.id)).await?;
    }
    Ok(())
}

/// The use of its promo code counts again.
async fn keep_promo(documents: &dyn Documents, order: &Fulfilment) -> Result<(), PortError> {
    let Some(code) = &order.promo_code else { return Ok(()) };
    let used = Use { order_id: order.id, user_id: order.user_id };
    records::change(documents, code.as_str(), |promo: &mut PromoCode| promo.keep(used)).await.map(drop)
}

/// Clears away orders whose making broke off; returns how many.
pub async fn abandon_old(documents: &dyn Documents, now: Timestamp) -> Result<usize, PortError> {
    const AT_ONCE: u32 = 100;
    let placing = Query::is(Collection::Fulfilments, "stage", Stage::Placing.as_str(), AT_ONCE);
    let placing: Vec<Fulfilment> = records::find(documents, &placing).await?;
    let mut abandoned = 0;
    for order in placing.into_iter().filter(|order| order.placed_at + PLACING_LIMIT < now) {
        closed(documents, order.id, Deed::Cancelled, By::Clock, now).await?;
        abandoned += 1;
    }
    Ok(abandoned)
}
