//! The order itself: placed, registered with the webhook service, shown with its pay button.

use time::Duration;
use tolov_domain::OrderId;
use tolov_shop::{
    cart,
    checkout::{self, Placed},
    fulfilment::{By, Deed, Fulfilment, Moved, Stage, fulfilment, fulfilments_of},
    profile, settling,
};
use url::Url;

use crate::{
    conversation::{
        callback::ShopCallback,
        context::Ctx,
        dialogue::Step,
        error::{HandlerError, HandlerResult},
        link::Link,
        screen::{Button, Screen},
    },
    orders::{ledger_client::LedgerError, order_message},
    shopper::{
        cart as cart_screens,
        checkout::steps::{agreement, leave, summarise},
    },
    texts::{l, t},
};

/// The summary is agreed to: the order is placed and can be paid.
pub(crate) async fn place(ctx: Ctx) -> HandlerResult {
    let Some(draft) = ctx.dialogue.draft.clone().filter(|_| ctx.dialogue.step == Step::Summary) else {
        return placed_before(ctx).await;
    };
    let quote = cart::quote(ctx.shop(), ctx.id(), ctx.now()).await?;
    // A number that was drawn and never used has frozen nothing yet.
    let is_new = match draft.order_id {
        Some(id) => fulfilment(ctx.documents(), id).await?.is_none(),
        None => true,
    };
    if is_new && (quote.has_news() || !quote.is_sold()) {
        ctx.alert(l!(ctx.language, "checkout-look-at-news")).await?;
        return cart_screens::open(ctx).await;
    }
    let Some(agreed) = agreement(&ctx, quote).await? else { return ctx.stale().await };
    if is_new && draft.shown_total != Some(agreed.total().get()) {
        ctx.alert(l!(ctx.language, "checkout-price-changed")).await?;
        return summarise(ctx).await;
    }
    let id = order_number(&ctx).await?;
    match checkout::place(ctx.shop(), id, &agreed, ctx.now()).await? {
        Placed::Order(order) if order.stage == Stage::Placing => register(ctx, *order).await,
        // An earlier try got through, and its answer was lost.
        Placed::Order(order) if order.stage == Stage::Waiting => finish(ctx, &order).await,
        Placed::Order(_) | Placed::Short(_) | Placed::GivenUp => {
            forget_number(&ctx).await?;
            ctx.alert(l!(ctx.language, "checkout-look-at-news")).await?;
            cart_screens::open(ctx).await
        }
        Placed::Promo(refusal) => {
            forget_number(&ctx).await?;
            ctx.reply(cart_screens::refusal_text(ctx.language, refusal)).await?;
            summarise(ctx).await
        }
    }
}

/// The second of two taps on "place the order": the first has done it.
async fn placed_before(ctx: Ctx) -> HandlerResult {
    const JUST_NOW: Duration = Duration::minutes(1);
    let latest = fulfilments_of(ctx.documents(), ctx.id(), 0, 1).await?.into_iter().next();
    match latest.filter(|order| order.placed_at + JUST_NOW > ctx.now() && order.stage == Stage::Waiting) {
        Some(order) => ctx.toast(l!(ctx.language, "checkout-placed-before", order = order.id)).await,
        None => ctx.stale().await,
    }
}

/// The draft's number, drawn once.
async fn order_number(ctx: &Ctx) -> Result<OrderId, HandlerError> {
    let fresh = ctx.shop().next_order_id().await?;
    let dialogue = ctx.change(|dialogue| {
        if let Some(draft) = &mut dialogue.draft {
            draft.order_id.get_or_insert(fresh);
        }
    });
    Ok(dialogue.await?.draft.and_then(|draft| draft.order_id).unwrap_or(fresh))
}

async fn forget_number(ctx: &Ctx) -> Result<(), HandlerError> {
    ctx.change(|dialogue| {
        if let Some(draft) = &mut dialogue.draft {
            draft.order_id = None;
        }
    })
    .await?;
    Ok(())
}

/// The ledger must know an order before anybody can pay it.
async fn register(ctx: Ctx, order: Fulfilment) -> HandlerResult {
    let registered = match ctx.deps.ledger.register(&order).await {
        Ok(registered) => registered,
        Err(LedgerError::Unavailable(reason)) => {
            tracing::warn!(order.id = %order.id, reason, "an order is not registered yet; the shopper can try again");
            return ledger_unavailable(&ctx).await;
        }
        Err(error @ LedgerError::Refused(_)) => {
            tracing::error!(order.id = %order.id, %error, "an order cannot be registered; another number is drawn");
            settling::closed(ctx.documents(), order.id, Deed::Cancelled, By::Clock, ctx.now()).await?;
            forget_number(&ctx).await?;
            return ledger_unavailable(&ctx).await;
        }
    };
    let back = ctx.deps.start_link(&Link::Order(order.id).write());
    let payment_url = with_return(&registered.payment_url, &back);
    let kept = checkout::registered(ctx.documents(), order.id, &payment_url, registered.pay_until, ctx.now());
    let order = match kept.await? {
        Some((order, Moved::Now | Moved::Before)) => order,
        // Cleared away while it was registered: nobody may pay for it.
        Some((_, Moved::Refused(_))) | None => {
            ctx.deps.ledger.cancel(order.id).await?;
            forget_number(&ctx).await?;
            return ledger_unavailable(&ctx).await;
        }
    };
    tracing::info!(order.id = %order.id, user.id = %ctx.id(), "order placed");
    finish(ctx, &order).await
}

async fn ledger_unavailable(ctx: &Ctx) -> HandlerResult {
    let language = ctx.language;
    let screen = Screen::new(t!(language, "checkout-ledger-away"))
        .row([Button::callback(l!(language, "try-again"), ShopCallback::PlaceOrder)])
        .row([leave(language)]);
    ctx.show(screen).await
}

/// The pay link, leading back to the order in the bot afterwards, unless RETURN_URL says otherwise. That somebody came
/// back proves nothing (click-protocol.md, section 2): what is shown then is what the ledger has told.
fn with_return(payment_url: &str, back: &str) -> String {
    let Ok(mut url) = Url::parse(payment_url) else { return payment_url.to_owned() };
    if url.query_pairs().all(|(name, _)| name != "return_url") {
        url.query_pairs_mut().append_pair("return_url", back);
    }
    url.into()
}

/// The summary becomes the order's message, with the pay button.
async fn finish(ctx: Ctx, order: &Fulfilment) -> HandlerResult {
    let screen = order_message::screen(ctx.language, order, ctx.now(), &ctx.deps);
    ctx.show(screen).await?;
    let dialogue = crate::conversation::dialogue::read(ctx.documents(), ctx.id()).await?;
    if let Some(shown) = dialogue.screen {
        order_message::remember(&ctx.deps, order.id, shown).await?;
    }
    // It stays where it is: the next screen is a new message.
    ctx.change(|dialogue| {
        dialogue.screen = None;
        dialogue.draft = None;
        dialogue.step = Step::Idle;
    })
    .await?;
    profile::change(ctx.documents(), ctx.id(), ctx.now(), |profile| {
        profile.delivery = Some(order.delivery.clone());
        profile.promo_code = None;
    })
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pay_link_leads_back_to_the_order_and_is_encoded() {
        let link = "https://my.click.uz/services/pay?service_id=1&merchant_id=2&amount=30000.00&transaction_param=1001";
        let back = "https://t.me/shop_bot?start=order_1001";
        let with = with_return(link, back);
        assert_eq!(with, format!("{link}&return_url=https%3A%2F%2Ft.me%2Fshop_bot%3Fstart%3Dorder_1001"));
        assert_eq!(with_return(&with, "https://example.uz"), with, "RETURN_URL counts");
    }
}
