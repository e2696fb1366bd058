//! Late money for goods that are sold out: staff decide on the order's post whether the shopper waits for them or takes
//! others. To give the money back is a refund. Nothing happens by itself unless LATE_MONEY says so.

use tolov_domain::OrderId;
use tolov_shop::{
    order::{self, Actor, HistoryItem, MissingChoice, ShopOrder},
    records,
    staff::{self, Action},
};

use crate::{
    conversation::{context::Ctx, error::HandlerResult},
    orders::announcements::{self, Telling},
    staff::orders::actions::{already_text, show_again},
    texts::l,
};

pub(crate) async fn decide(ctx: Ctx, (id, choice): (OrderId, MissingChoice)) -> HandlerResult {
    let (now, by) = (ctx.now(), Actor::Staff(ctx.id()));
    ctx.update(|dialogue| dialogue.name = Some(ctx.person.name.clone()));
    ctx.checkpoint().await?;
    let what = HistoryItem::MissingDecided(choice);
    let asks = order::order(ctx.documents(), id).await?.is_some_and(|order| order.asks_for_missing());
    if asks {
        announcements::prepare(&ctx.deps, id, what, by).await?;
    }
    let decided = records::change(ctx.documents(), id.get(), |order: &mut ShopOrder| {
        order.decide_missing(choice, by, now).is_applied()
    });
    let Some((order, is_new)) = decided.await? else { return ctx.stale().await };
    let is_ours = order.missing_choice().is_some_and(|entry| entry.by == by && entry.what == what);
    if !is_ours {
        announcements::withdraw(&ctx.deps, id, what, by).await?;
    }
    let action = Action::Missing { order_id: id, choice };
    let is_recorded =
        staff::actions_on(ctx.documents(), id).await?.iter().any(|entry| entry.action == action);
    if !is_new && (!is_ours || is_recorded) {
        ctx.alert(already_text(&ctx, &order, order.missing_choice()).await?).await?;
        return show_again(&ctx, &order).await;
    }
    match announcements::announce(&ctx.deps, &order).await {
        Telling::Told => ctx.toast(l!(ctx.language, "missing-told", order = id)).await?,
        Telling::Later => ctx.alert(l!(ctx.language, "missing-told-later", order = id)).await?,
        Telling::Impossible => ctx.alert(l!(ctx.language, "missing-not-told", order = id)).await?,
    }
    // Last: after a crash all of this is done again.
    staff::record(ctx.documents(), ctx.id(), now, action).await?;
    let Some(order) = order::order(ctx.documents(), id).await? else { return Ok(()) };
    show_again(&ctx, &order).await
}
