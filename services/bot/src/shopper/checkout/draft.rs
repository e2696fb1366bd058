//! What an order would be placed with, before it is placed.

use tolov_domain::Tiyin;
use tolov_shop::{
    order::{Actor, Delivery, ShopOrder, Stage, order, waiting_orders_of},
    shopper::{Shopper, cart::Quote, checkout::Agreement},
};

use crate::{
    conversation::{context::Ctx, dialogue::Draft, error::HandlerError},
    orders::cancel::cancel_unpaid,
};

/// How many unpaid orders a person may have: each holds its stock until it expires.
const WAITING_MAX: usize = 1;

/// The draft under way, or a new one.
pub(crate) struct Prepared {
    pub(crate) draft: Draft,
    /// The shopper has ordered before.
    pub(crate) has_ordered: bool,
}

/// What the draft lacks is filled in from what is known of the shopper. An order that was begun with it is given up, and
/// holds no stock any longer.
pub(crate) async fn prepare(ctx: &Ctx, shopper: Option<&Shopper>) -> Result<Prepared, HandlerError> {
    give_up_order(ctx).await?;
    let known = |shopper: &Shopper| (shopper.phone.clone(), shopper.delivery.clone());
    let (phone, last) = shopper.map(known).unwrap_or_default();
    let can_pick_up = ctx.deps.config.pickup_address.is_some();
    let is_possible = |delivery: &Delivery| can_pick_up || *delivery != Delivery::Pickup;
    let has_ordered = last.is_some();
    let draft = ctx.draft().unwrap_or_default();
    let draft = Draft {
        order_id: None,
        phone: draft.phone.or(phone),
        address: draft.address.or_else(|| last.clone()).filter(|delivery| *delivery != Delivery::Pickup),
        // Pickup costs nothing, and needs no address.
        delivery: draft.delivery.or(last).filter(is_possible).or(can_pick_up.then_some(Delivery::Pickup)),
        comment: draft.comment,
        shown_total: None,
    };
    ctx.update(|dialogue| {
        dialogue.draft = Some(draft.clone());
        dialogue.last_answer = None;
    });
    Ok(Prepared { draft, has_ordered })
}

/// What the draft and the cart say together; `None` where the draft is not complete.
pub(crate) fn agreement(ctx: &Ctx, draft: Draft, quote: Quote) -> Option<Agreement> {
    let (phone, delivery) = (draft.phone?, draft.delivery?);
    let delivery_price =
        if delivery == Delivery::Pickup { Tiyin::ZERO } else { ctx.deps.config.delivery_price };
    Some(Agreement { user_id: ctx.id(), quote, delivery, delivery_price, phone, comment: draft.comment })
}

/// An answer of the shopper: what was shown is out of date.
pub(super) fn change(ctx: &Ctx, change: impl FnOnce(&mut Draft)) {
    ctx.update(|dialogue| {
        if let Some(draft) = &mut dialogue.draft {
            change(draft);
            draft.shown_total = None;
        }
    });
}

/// The shopper sees the draft with this total, and can order it.
pub(crate) fn mark_shown(ctx: &Ctx, total: Tiyin) {
    ctx.update(|dialogue| {
        if let Some(draft) = &mut dialogue.draft {
            draft.shown_total = Some(total);
        }
    });
}

/// The newest unpaid order, where the shopper may not place another one beside it. Orders that were made from an event do
/// not count: the shopper did not place them here.
pub(crate) async fn order_in_the_way(ctx: &Ctx) -> Result<Option<ShopOrder>, HandlerError> {
    let mut waiting = waiting_orders_of(ctx.documents(), ctx.id()).await?;
    waiting.retain(|order| order.terms.is_some());
    Ok(if waiting.len() >= WAITING_MAX { waiting.into_iter().next() } else { None })
}

/// Gives the draft's order up, where it is not registered yet.
pub(super) async fn give_up_order(ctx: &Ctx) -> Result<(), HandlerError> {
    let Some(id) = ctx.draft().and_then(|draft| draft.order_id) else { return Ok(()) };
    let order = order(ctx.documents(), id).await?;
    if order.is_some_and(|order| order.user_id == ctx.id() && order.stage() == Stage::Creating) {
        cancel_unpaid(&ctx.deps, id, Actor::Shopper).await?;
    }
    Ok(())
}
