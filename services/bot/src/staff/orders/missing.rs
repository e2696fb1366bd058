//! Late money for goods that are sold out: staff decide on the order's post whether the shopper waits for them or takes
//! others. To give the money back is a refund. Nothing happens by itself unless LATE_MONEY says so.

use tolov_domain::OrderId;
use tolov_shop::{
    order::{self, Actor, MissingChoice, ShopOrder},
    records,
    staff::{self, Action},
};

use crate::{
    conversation::{
        context::Ctx,
        error::{HandlerError, HandlerResult},
        screen::Screen,
    },
    deps::HandlerDeps,
    staff::orders::actions::{already_text, show_again},
    telegram::errors::SendError,
    texts::{l, t},
};

pub(crate) async fn decide(ctx: Ctx, (id, choice): (OrderId, MissingChoice)) -> HandlerResult {
    let (now, by) = (ctx.now(), Actor::Staff(ctx.id()));
    ctx.update(|dialogue| dialogue.name = Some(ctx.person.name.clone()));
    ctx.checkpoint().await?;
    let decided = records::change(ctx.documents(), id.get(), |order: &mut ShopOrder| {
        order.decide_missing(choice, by, now).is_applied()
    });
    let Some((order, is_ours)) = decided.await? else { return ctx.stale().await };
    let action = Action::Missing { order_id: id, choice };
    let is_told = staff::actions_on(ctx.documents(), id).await?.iter().any(|entry| entry.action == action);
    let is_same = order.missing_choice().is_some_and(|entry| entry.by == by && !is_told);
    if !is_ours && !is_same {
        ctx.alert(already_text(&ctx, &order, order.missing_choice()).await?).await?;
        return show_again(&ctx, &order).await;
    }
    if tell_shopper(&ctx.deps, &order, choice).await? {
        ctx.toast(l!(ctx.language, "missing-told", order = id)).await?;
    } else {
        ctx.alert(l!(ctx.language, "missing-not-told", order = id)).await?;
    }
    // Last, so that after a crash the shopper is told again rather than never.
    staff::record(ctx.documents(), ctx.id(), now, action).await?;
    let Some(order) = order::order(ctx.documents(), id).await? else { return Ok(()) };
    show_again(&ctx, &order).await
}

/// `false`: the shopper cannot be written to.
pub(super) async fn tell_shopper(
    deps: &HandlerDeps,
    order: &ShopOrder,
    choice: MissingChoice,
) -> Result<bool, HandlerError> {
    let language = deps.language_of(order.user_id).await;
    let html = match choice {
        MissingChoice::Wait => t!(language, "told-wait-for-goods", order = order.id),
        MissingChoice::Other => t!(language, "told-other-goods", order = order.id),
    };
    match deps.send_to(order.user_id, &Screen::new(html)).await {
        Ok(_) => Ok(true),
        Err(SendError::ChatClosed(_) | SendError::Refused(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
