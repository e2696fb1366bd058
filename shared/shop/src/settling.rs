//! What the ledger's events do to the shop's side of an order: stage, stock and promo code.
//!
//! Each may come again, in any order and after a crash at any point, with one effect.

use time::Duration;
use tolov_domain::{
    ClickPaydocId, Event, EventKind, OrderId, OrderedProduct,
    ports::{
        PortError,
        documents::{Collection, Documents, Query},
    },
    time::Instant,
};

use crate::{
    fulfilment::{By, Deed, Fulfilment, Moved, Stage, StockState},
    promo::PromoCode,
    records, stock,
};

/// How long an order may be in the making before it is given up.
pub const PLACING_LIMIT: Duration = Duration::minutes(15);

/// Applies events to the orders that were placed in this shop; others (placed by other means) are passed over.
pub async fn apply(documents: &dyn Documents, events: &[Event]) -> Result<(), PortError> {
    let known: Vec<Fulfilment> =
        records::read_many(documents, events.iter().map(|event| event.order_id.get())).await?;
    for event in events.iter().filter(|event| known.iter().any(|order| order.id == event.order_id)) {
        match event.kind {
            EventKind::PaymentCompleted { click_paydoc_id, late, .. } => {
                paid(documents, event.order_id, click_paydoc_id, late, event.occurred_at).await?;
            }
            EventKind::OrderExpired => {
                closed(documents, event.order_id, Deed::Expired, By::Clock, event.occurred_at).await?;
            }
            EventKind::PaymentCancelled { .. } | EventKind::PaymentQuestioned { .. } => {}
        }
    }
    Ok(())
}

/// The money is in. Stock that went back to the shelf before it came is taken again, as far as it is still there.
pub async fn paid(
    documents: &dyn Documents,
    id: OrderId,
    click_paydoc_id: ClickPaydocId,
    late: bool,
    at: Instant,
) -> Result<Option<Fulfilment>, PortError> {
    let marked = records::change(documents, id.get(), |order: &mut Fulfilment| {
        let was_closed = matches!(order.stage, Stage::Expired | Stage::Cancelled);
        if order.advance(Deed::Paid, By::Click, at) == Moved::Now {
            order.paid_at = Some(at);
            order.click_paydoc_id = Some(click_paydoc_id.get());
            order.late = late || was_closed;
        }
    });
    let Some((order, ())) = marked.await? else { return Ok(None) };
    // A paid order that staff have cancelled since keeps its goods on the shelf.
    if !(order.stage.is_in_work() || order.stage == Stage::Delivered) || order.stock == StockState::Taken {
        return Ok(Some(order));
    }
    let articles = order.articles();
    if order.stock == StockState::Returned {
        let short = stock::hold(documents, id, &articles).await?;
        let missing: Vec<OrderedProduct> = articles
            .iter()
            .filter(|article| short.iter().any(|short| short.article_id == article.product_id))
            .copied()
            .collect();
        records::change(documents, id.get(), |order: &mut Fulfilment| {
            if order.stock == StockState::Returned {
                order.stock = StockState::Held;
                order.missing.clone_from(&missing);
            }
        })
        .await?;
    }
    stock::take(documents, id, &articles).await?;
    let taken = records::change(documents, id.get(), |order: &mut Fulfilment| {
        if order.stock == StockState::Held {
            order.stock = StockState::Taken;
        }
    });
    Ok(taken.await?.map(|(order, ())| order))
}

/// The order cannot be paid any more: it expired, or somebody cancelled it before it was paid.
pub async fn closed(
    documents: &dyn Documents,
    id: OrderId,
    deed: Deed,
    by: By,
    at: Instant,
) -> Result<Option<(Fulfilment, Moved)>, PortError> {
    let marked = records::change(documents, id.get(), |order: &mut Fulfilment| {
        if order.is_paid() {
            return Moved::Refused(order.stage);
        }
        // The ledger knows only that it is over; why it is over this record knows.
        match order.cancel_asked_by {
            Some(asker) => order.advance(Deed::Cancelled, asker, at),
            None => order.advance(deed, by, at),
        }
    });
    let Some((order, moved)) = marked.await? else { return Ok(None) };
    let is_over = matches!(order.stage, Stage::Expired | Stage::Cancelled) && !order.is_paid();
    if is_over && order.stock == StockState::Held {
        release(documents, &order).await?;
        let returned = records::change(documents, id.get(), |order: &mut Fulfilment| {
            if !order.is_paid() {
                order.stock = StockState::Returned;
            }
        });
        return Ok(returned.await?.map(|(order, ())| (order, moved)));
    }
    Ok(Some((order, moved)))
}

/// Staff cancel an order that was paid: its goods go back to the shelf, its money is given back in CLICK's cabinet.
pub async fn cancel_paid(
    documents: &dyn Documents,
    id: OrderId,
    by: By,
    at: Instant,
) -> Result<Option<(Fulfilment, Moved)>, PortError> {
    let cancelled = records::change(documents, id.get(), |order: &mut Fulfilment| {
        let moved = if order.is_paid() {
            order.advance(Deed::Cancelled, by, at)
        } else {
            Moved::Refused(order.stage)
        };
        let returns = moved == Moved::Now && order.stock == StockState::Taken;
        if returns {
            order.stock = StockState::Returned;
        }
        (moved, returns)
    });
    let Some((order, (moved, returns))) = cancelled.await? else { return Ok(None) };
    if returns {
        let is_there = |article: &OrderedProduct| {
            order.missing.iter().all(|missing| missing.product_id != article.product_id)
        };
        let back: Vec<OrderedProduct> = order.articles().into_iter().filter(is_there).collect();
        stock::put_back(documents, &back).await?;
    }
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

/// Clears away orders whose making broke off; returns how many.
pub async fn abandon_old(documents: &dyn Documents, now: Instant) -> Result<usize, PortError> {
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
