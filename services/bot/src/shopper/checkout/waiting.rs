//! One unpaid order a person: it is paid, or replaced by a new one.

use tolov_domain::OrderId;
use tolov_shop::{
    order::{Actor, ShopOrder, order, waiting_orders_of},
    shopper,
};
use url::Url;

use crate::{
    conversation::{
        callback::ShopCallback,
        context::Ctx,
        error::{HandlerError, HandlerResult},
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

/// How many unpaid orders a person may have: each holds its stock until it expires.
const WAITING_MAX: usize = 1;

/// The newest unpaid order, where the shopper may not place another one beside it. Orders that were made from an event do
/// not count: the shopper did not place them here.
pub(super) async fn order_in_the_way(ctx: &Ctx) -> Result<Option<ShopOrder>, HandlerError> {
    let mut waiting = waiting_orders_of(ctx.documents(), ctx.id()).await?;
    waiting.retain(|order| order.terms.is_some());
    Ok(if waiting.len() >= WAITING_MAX { waiting.into_iter().next() } else { None })
}

/// "Pay it, or replace it": instead of the checkout.
pub(super) async fn offer(ctx: &Ctx, order: &ShopOrder) -> HandlerResult {
    let (language, id) = (ctx.language, order.id);
    let total = money(language, order.total);
    let mut screen = Screen::new(t!(language, "checkout-waiting", order = id, total = total));
    if let Some(url) = order.link().and_then(|link| Url::parse(&link.url).ok()) {
        screen = screen.row([Button::Link { label: l!(language, "order-pay", total = total), url }]);
    }
    let screen = screen
        .row([Button::callback(
            l!(language, "checkout-replace", order = id),
            ShopCallback::ReplaceOrder { id },
        )])
        .row([leave_button(language)]);
    ctx.show(screen).await
}

/// Cancels the unpaid order and begins the checkout of what is in the cart now.
pub(crate) async fn replace(ctx: Ctx, id: OrderId) -> HandlerResult {
    let order = order(ctx.documents(), id).await?.filter(|order| order.user_id == ctx.id());
    let Some(order) = order else { return ctx.stale().await };
    match cancel_unpaid(&ctx.deps, id, Actor::Shopper).await? {
        CancelOutcome::Paid => {
            ctx.alert(l!(ctx.language, "cancel-too-late")).await?;
            return orders::show(ctx, id).await;
        }
        CancelOutcome::Cancelled(_) => {
            // The code was taken out of the cart when it was used.
            let code = order.promo_code().map(str::to_owned);
            shopper::change(ctx.documents(), ctx.id(), |shopper| {
                shopper.promo_code = shopper.promo_code.take().or_else(|| code.clone());
            })
            .await?;
            order_message::refresh(&ctx.deps, id).await?;
        }
        CancelOutcome::NotWaiting => {}
    }
    begin(ctx).await
}
