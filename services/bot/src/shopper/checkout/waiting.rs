//! One unpaid order a person: it is paid, or replaced by a new one.

use tolov_domain::OrderId;
use tolov_shop::order::{Actor, ShopOrder, order};

use crate::{
    conversation::{
        callback::ShopCallback,
        context::Ctx,
        error::HandlerResult,
        screen::{Button, Screen},
    },
    orders::{
        cancel::{CancelOutcome, cancel_unpaid},
        order_message,
    },
    shopper::{
        checkout::steps::{begin, leave_button},
        orders,
    },
    texts::{l, money, t},
};

/// "Pay it, or replace it": instead of the checkout.
pub(super) async fn offer(ctx: &Ctx, order: &ShopOrder) -> HandlerResult {
    let (language, id) = (ctx.language, order.id);
    let total = money(language, order.total);
    let screen = Screen::new(t!(language, "checkout-waiting", order = id, total = total))
        .row(order_message::pay_button(language, order))
        .row([Button::callback(
            l!(language, "checkout-replace", order = id),
            ShopCallback::ReplaceOrder { id },
        )])
        .row([leave_button(language)]);
    ctx.show(screen).await?;
    ctx.update(|dialogue| dialogue.payable = Some(id));
    Ok(())
}

/// Cancels the unpaid order and begins the checkout of what is in the cart now.
pub(crate) async fn replace(ctx: Ctx, id: OrderId) -> HandlerResult {
    let order = order(ctx.documents(), id).await?.filter(|order| order.user_id == ctx.id());
    if order.is_none() {
        return ctx.stale().await;
    }
    // The checkout comes in the place of the offer.
    ctx.update(|dialogue| dialogue.payable = None);
    ctx.checkpoint().await?;
    match cancel_unpaid(&ctx.deps, id, Actor::Shopper).await? {
        CancelOutcome::Paid => {
            ctx.alert(l!(ctx.language, "cancel-too-late")).await?;
            return orders::show(ctx, id).await;
        }
        CancelOutcome::Cancelled(order) => {
            // The new order goes where the old one was to go.
            if let Some(terms) = order.terms {
                ctx.update(|dialogue| {
                    let draft = dialogue.draft.get_or_insert_default();
                    draft.phone = Some(terms.phone);
                    draft.delivery = Some(terms.delivery);
                    draft.comment = draft.comment.take().or(terms.comment);
                });
            }
            order_message::refresh(&ctx.deps, id).await?;
        }
        CancelOutcome::NotWaiting => {}
    }
    begin(ctx).await
}
