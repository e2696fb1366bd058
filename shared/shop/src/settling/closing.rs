//! Orders that end because somebody wants them to, or because creating them broke off.

use std::{collections::BTreeMap, time::Duration};

use tolov_domain::{
    OrderId, Outcome,
    ports::{PortError, documents::Documents},
    time::Timestamp,
};

use super::{
    goods::settle_goods,
    people::{PromoUse, settle_promos},
};
use crate::{
    catalogue::stock::{self, Goods, Settlement},
    order::{Actor, OrderAction, OrderState, ShopOrder, Stage, Stock, orders_in},
    records::{self, Versioned},
};

/// How long an order may be in creation before it is given up.
pub const CREATING_LIMIT: Duration = Duration::from_mins(15);

/// The order cannot be paid any more: it expired, or somebody cancelled it before it was paid. `None`: there is none.
pub async fn close(
    documents: &dyn Documents,
    id: OrderId,
    action: OrderAction,
    by: Actor,
    at: Timestamp,
) -> Result<Option<(ShopOrder, Outcome<Stage>)>, PortError> {
    let closed = records::change_versioned(documents, id.get(), |order: &mut ShopOrder| {
        if order.is_paid() {
            return Outcome::Refused(order.stage());
        }
        if order.stage() == Stage::Creating {
            order.request_cancel(by);
            return Outcome::AlreadyApplied;
        }
        order.close(action, by, at)
    });
    match closed.await? {
        None => Ok(None),
        Some((order, _)) if order.stage() == Stage::Creating => give_up(documents, order.record, at).await,
        Some((order, outcome)) if order.is_paid() => Ok(Some((order.record, outcome))),
        Some((order, outcome)) => Ok(Some((settled(documents, order).await?, outcome))),
    }
}

/// Staff cancel an order that was paid: its goods go back into stock, its money is given back in CLICK's cabinet. `None`:
/// there is none.
pub async fn cancel_paid(
    documents: &dyn Documents,
    id: OrderId,
    by: Actor,
    at: Timestamp,
) -> Result<Option<(ShopOrder, Outcome<Stage>)>, PortError> {
    let cancelled = records::change_versioned(documents, id.get(), |order: &mut ShopOrder| {
        if order.is_paid() {
            order.apply(OrderAction::Cancelled, by, at)
        } else {
            Outcome::Refused(order.stage())
        }
    });
    let Some((order, outcome)) = cancelled.await? else { return Ok(None) };
    // Also when it was cancelled before: whoever did it may have come no further.
    let is_cancelled = order.is_paid() && order.stage() == Stage::Cancelled;
    let order = if is_cancelled { settled(documents, order).await? } else { order.record };
    Ok(Some((order, outcome)))
}

/// Staff have given back what was left of an order's money. `None`: there is none.
pub async fn refund_by_hand(
    documents: &dyn Documents,
    id: OrderId,
    by: Actor,
    at: Timestamp,
) -> Result<Option<(ShopOrder, Outcome<Stage>)>, PortError> {
    let refunded = records::change_versioned(documents, id.get(), |order: &mut ShopOrder| {
        order.apply(OrderAction::Refunded, by, at)
    });
    let Some((order, outcome)) = refunded.await? else { return Ok(None) };
    let is_refunded = order.stage() == Stage::Refunded;
    let order = if is_refunded { settled(documents, order).await? } else { order.record };
    Ok(Some((order, outcome)))
}

async fn settled(documents: &dyn Documents, order: Versioned<ShopOrder>) -> Result<ShopOrder, PortError> {
    let id = order.id;
    let mut goods = settle_goods(documents, vec![order.clone()]).await?;
    if goods.failed.has_goods_of(id) {
        return Err(PortError::Refused(format!(
            "a product or the promo code of order {id} cannot be read: repair it, then try again"
        )));
    }
    Ok(goods.orders.remove(&id).unwrap_or(order).record)
}

/// Nobody hears of an order that the ledger does not know, so no event would finish what broke off here. It stays in
/// creation until everything is released: the next clearance finds it there, and [`ShopOrder::register`] refuses it.
async fn give_up(
    documents: &dyn Documents,
    order: ShopOrder,
    at: Timestamp,
) -> Result<Option<(ShopOrder, Outcome<Stage>)>, PortError> {
    release(documents, &order).await?;
    let given_up = records::change(documents, order.id.get(), |order: &mut ShopOrder| {
        if !matches!(order.state, OrderState::Creating { .. }) {
            return Outcome::Refused(order.stage());
        }
        order.stock = Stock::Released;
        order.close(OrderAction::Cancelled, Actor::Clock, at)
    });
    let given_up = given_up.await?;
    if let Some((order, _)) = given_up.as_ref().filter(|(order, _)| order.is_paid()) {
        keep_promo(documents, order).await?;
    }
    Ok(given_up)
}

/// Releases what an order holds: stock, and the use of its promo code.
pub(crate) async fn release(documents: &dyn Documents, order: &ShopOrder) -> Result<(), PortError> {
    let goods = Goods::of(order.id, &order.products());
    let failed = stock::settle(documents, &goods, |_| Settlement::Release).await?.failed;
    let promo = settle_promos(documents, &[(order, PromoUse::Releases)]).await?;
    if failed.is_empty() && promo.is_empty() {
        return Ok(());
    }
    Err(PortError::Refused(format!(
        "order {} cannot be released: repair the documents that the log names",
        order.id
    )))
}

/// The money came in while the order was being given up: its discount counts.
async fn keep_promo(documents: &dyn Documents, order: &ShopOrder) -> Result<(), PortError> {
    settle_promos(documents, &[(order, PromoUse::Keeps)]).await.map(drop)
}

/// Orders that a process has met in creation, each with the time that had passed then, which no setting of the clock changes.
/// One that was met [`CREATING_LIMIT`] ago is as old at least, whatever its date says: it may be dated by a clock that was ahead
/// and was set back since.
#[derive(Debug, Default)]
pub struct MetInCreation(BTreeMap<OrderId, Duration>);

impl MetInCreation {
    /// Forgets those that are not in creation any more.
    fn meet(&mut self, creating: &[ShopOrder], passed: Duration) {
        let met_at = |order: &ShopOrder| self.0.get(&order.id).copied().unwrap_or(passed);
        self.0 = creating.iter().map(|order| (order.id, met_at(order))).collect();
    }

    fn is_old(&self, order: &ShopOrder, passed: Duration) -> bool {
        self.0.get(&order.id).is_some_and(|met_at| passed.saturating_sub(*met_at) > CREATING_LIMIT)
    }
}

/// Gives up orders whose creation broke off, and which were placed before this, [`CREATING_LIMIT`] ago (`None`: before every
/// date), or were met so long ago by the time that has `passed`; returns how many.
pub async fn abandon_old(
    documents: &dyn Documents,
    met: &mut MetInCreation,
    placed_before: Option<Timestamp>,
    passed: Duration,
    now: Timestamp,
) -> Result<usize, PortError> {
    const AT_ONCE: u32 = 100;
    let creating = orders_in(documents, Stage::Creating, AT_ONCE).await?;
    met.meet(&creating, passed);
    let mut abandoned = 0;
    let is_old = |order: &ShopOrder| {
        placed_before.is_some_and(|before| order.placed_at < before) || met.is_old(order, passed)
    };
    for order in creating.into_iter().filter(is_old) {
        close(documents, order.id, OrderAction::Cancelled, Actor::Clock, now).await?;
        abandoned += 1;
    }
    Ok(abandoned)
}
