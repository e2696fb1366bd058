//! What staff do to an order, in the channel or on its card: accepted, ready, on the way, delivered, cancelled, refunded.

use tolov_domain::OrderId;
use tolov_shop::{
    fulfilment::{self, By, Deed, Fulfilment, Moved},
    records, settling, staff,
};

use crate::{
    conversation::{
        callback::{CallbackData, StaffCallback},
        context::{Ctx, Origin},
        dialogue::ShownMessage,
        error::{HandlerError, HandlerResult},
        screen::Screen,
    },
    orders::{
        cancel::{self, CancelOutcome},
        order_message,
    },
    staff::{
        orders::{
            list, order_post,
            order_text::{deed_done, sure_rows},
        },
        people::names::Names,
    },
    telegram::errors::SendError,
    texts::{date_time, l, money, t},
};

/// Whether the button can hang on a post in the channel.
pub(crate) fn is_on_posts(callback: &CallbackData) -> bool {
    let CallbackData::Staff(callback) = callback else { return false };
    matches!(
        callback,
        StaffCallback::Act { .. } | StaffCallback::ActConfirmed { .. } | StaffCallback::Order { .. }
    )
}

/// A button of an order. What cannot be taken back is asked for once more.
pub(crate) async fn act(ctx: Ctx, (id, deed): (OrderId, Deed)) -> HandlerResult {
    let Some(order) = allowed(&ctx, id, deed).await? else { return Ok(()) };
    if matches!(deed, Deed::Cancelled | Deed::Refunded) && order.deeds().contains(&deed) {
        return ask(&ctx, &order, deed).await;
    }
    carry_out(&ctx, &order, deed).await
}

/// "Yes, surely."
pub(crate) async fn act_confirmed(ctx: Ctx, (id, deed): (OrderId, Deed)) -> HandlerResult {
    let Some(order) = allowed(&ctx, id, deed).await? else { return Ok(()) };
    carry_out(&ctx, &order, deed).await
}

/// The order, where the person may do this to it; else they have been told why not.
async fn allowed(ctx: &Ctx, id: OrderId, deed: Deed) -> Result<Option<Fulfilment>, HandlerError> {
    if !ctx.role.is_some_and(|role| role.may_do(deed)) {
        ctx.alert(l!(ctx.language, "deed-not-allowed")).await?;
        return Ok(None);
    }
    let order = fulfilment::fulfilment(ctx.documents(), id).await?;
    if order.is_none() {
        ctx.stale().await?;
    }
    Ok(order)
}

async fn ask(ctx: &Ctx, order: &Fulfilment, deed: Deed) -> HandlerResult {
    let language = if in_channel(ctx).is_some() { ctx.deps.config.staff_language } else { ctx.language };
    let question = if deed == Deed::Refunded {
        t!(language, "deed-ask-refund", order = order.id, sum = money(language, order.total))
    } else {
        t!(language, "deed-ask-cancel", order = order.id)
    };
    let names = Names::of_order(ctx.documents(), order).await?;
    let post = order_post::post(&ctx.deps, language, order, &names);
    let html = format!("{question}\n\n{}", post.fitting_html());
    show(ctx, order, Screen::new(html).rows(sure_rows(language, order.id, deed))).await
}

async fn carry_out(ctx: &Ctx, order: &Fulfilment, deed: Deed) -> HandlerResult {
    remember_name(ctx).await?;
    let (now, by) = (ctx.now(), By::Staff(ctx.id()));
    let moved = match (deed, order.is_paid()) {
        (Deed::Cancelled, true) => settling::cancel_paid(ctx.documents(), order.id, by, now).await?,
        (Deed::Cancelled, false) => return cancel_unpaid(ctx, order).await,
        _ => fulfilment::advance(ctx.documents(), order.id, deed, by, now).await?,
    };
    let Some((order, moved)) = moved else { return ctx.stale().await };
    let entry = order.timeline.iter().rev().find(|entry| entry.deed == deed);
    // A write whose answer was lost finds its own deed there, and so does a try that a dead process left half done.
    let is_by_us = entry.is_some_and(|entry| entry.by == by);
    let is_told = !is_by_us || is_noted(ctx, order.id, deed).await?;
    match moved {
        Moved::Now => done(ctx, &order, deed).await,
        Moved::Before if !is_told => done(ctx, &order, deed).await,
        Moved::Before => {
            let already = match entry {
                Some(entry) => already(ctx, &order, entry.by, &date_time(entry.at)).await?,
                None => l!(ctx.language, "deed-already-someone"),
            };
            ctx.alert(already).await?;
            show_again(ctx, &order).await
        }
        Moved::Refused(_) => {
            ctx.stale().await?;
            show_again(ctx, &order).await
        }
    }
}

/// So that the order's history can say who it was.
async fn remember_name(ctx: &Ctx) -> Result<(), HandlerError> {
    let name = Some(&ctx.person.name);
    if ctx.dialogue.name.as_ref() != name {
        ctx.change(|dialogue| dialogue.name = name.cloned()).await?;
    }
    Ok(())
}

/// Whether this person's deed is in the journal: then everybody has been told of it too.
async fn is_noted(ctx: &Ctx, id: OrderId, deed: Deed) -> Result<bool, HandlerError> {
    let actions = staff::actions_on(ctx.documents(), id).await?;
    Ok(actions.iter().any(|action| action.staff_id == ctx.id() && action.what == deed_word(deed)))
}

/// Nobody has paid it: whether that can still happen the ledger decides.
async fn cancel_unpaid(ctx: &Ctx, order: &Fulfilment) -> HandlerResult {
    let by = By::Staff(ctx.id());
    match cancel::cancel_unpaid(&ctx.deps, order.id, by).await? {
        CancelOutcome::Done(now) => {
            let entry = now.timeline.iter().rev().find(|entry| entry.deed == Deed::Cancelled);
            // The shopper, somebody else of staff or an earlier tap was faster: nobody is told again.
            if let Some(entry) = entry.filter(|entry| entry.by != by || order.timeline.contains(entry)) {
                let already = already(ctx, &now, entry.by, &date_time(entry.at)).await?;
                ctx.alert(already).await?;
                return show_again(ctx, &now).await;
            }
            done(ctx, &now, Deed::Cancelled).await
        }
        CancelOutcome::Paid => {
            ctx.alert(l!(ctx.language, "deed-paid-meanwhile", order = order.id)).await?;
            show_now(ctx, order.id).await
        }
        CancelOutcome::NotWaiting => {
            ctx.stale().await?;
            show_now(ctx, order.id).await
        }
    }
}

/// As it is by now.
async fn show_now(ctx: &Ctx, id: OrderId) -> HandlerResult {
    match fulfilment::fulfilment(ctx.documents(), id).await? {
        Some(order) => show_again(ctx, &order).await,
        None => Ok(()),
    }
}

async fn already(ctx: &Ctx, order: &Fulfilment, by: By, time: &str) -> Result<String, HandlerError> {
    let By::Staff(id) = by else { return Ok(l!(ctx.language, "deed-already-someone")) };
    let who = Names::of_order(ctx.documents(), order).await?.plain(id);
    Ok(l!(ctx.language, "deed-already", who = who, time = time))
}

/// It is done: written down, shown, and the shopper is told.
async fn done(ctx: &Ctx, order: &Fulfilment, deed: Deed) -> HandlerResult {
    let what = deed_word(deed);
    tracing::info!(order.id = %order.id, staff.id = %ctx.id(), deed = what, "staff did something to an order");
    let language = ctx.language;
    if deed == Deed::Cancelled && order.is_paid() {
        let sum = money(language, order.total);
        ctx.alert(l!(language, "deed-give-back", order = order.id, sum = sum)).await?;
    } else {
        ctx.toast(l!(language, "deed-toast", order = order.id, what = deed_done(language, deed))).await?;
    }
    // What fails from here on is no reason to say that it was not done.
    if let Err(error) = show_again(ctx, order).await {
        tracing::warn!(order.id = %order.id, %error, "an order that staff changed is not shown as it is now");
    }
    order_message::moved(&ctx.deps, order, deed).await;
    // Last, so that what is in the journal has been told: a try that broke off before tells again rather than never.
    staff::note(ctx.documents(), ctx.id(), ctx.now(), what, (Some(order.id), String::new())).await?;
    Ok(())
}

/// In the form of the record of staff's actions.
const fn deed_word(deed: Deed) -> &'static str {
    match deed {
        Deed::Placed => "order.placed",
        Deed::Registered => "order.registered",
        Deed::Paid => "order.paid",
        Deed::Accepted => "order.accepted",
        Deed::MadeReady => "order.made_ready",
        Deed::SentOff => "order.sent_off",
        Deed::Delivered => "order.delivered",
        Deed::Cancelled => "order.cancelled",
        Deed::Expired => "order.expired",
        Deed::Refunded => "order.refunded",
    }
}

/// "No, go back" and a card from a list: the order as it is, where the button hangs.
pub(crate) async fn open(ctx: Ctx, id: OrderId) -> HandlerResult {
    match fulfilment::fulfilment(ctx.documents(), id).await? {
        Some(order) if in_channel(&ctx).is_some() => show_again(&ctx, &order).await,
        Some(order) => list::show_card(&ctx, &order).await,
        None => ctx.stale().await,
    }
}

/// The order as it is now, where the button hangs, and on its post.
async fn show_again(ctx: &Ctx, order: &Fulfilment) -> HandlerResult {
    if in_channel(ctx).is_some() {
        let screen = order_post::screen(&ctx.deps, order).await;
        show(ctx, order, screen).await?;
    } else {
        list::show_card(ctx, order).await?;
        order_post::refresh(&ctx.deps, order.id).await;
    }
    Ok(())
}

/// Shows a screen in the place of the post that was tapped, or of the card.
async fn show(ctx: &Ctx, order: &Fulfilment, screen: Screen) -> HandlerResult {
    let Some(shown) = in_channel(ctx) else { return ctx.show(screen).await };
    if order.staff_message_id != Some(i64::from(shown.message_id)) {
        keep_if_none(ctx, order.id, shown).await?;
    }
    match ctx.deps.telegram.change(ctx.deps.staff_chat.recipient(), shown, &screen).await {
        Ok(true) => ctx.answer(None, false).await,
        // Gone, or Telegram asks to wait longer than a tap does: the post comes in its own time.
        Ok(false) | Err(SendError::Wait(_)) => order_post::refresh(&ctx.deps, order.id).await,
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// The process that posted it died before it had kept the number: the tap tells which post it is.
async fn keep_if_none(ctx: &Ctx, id: OrderId, shown: ShownMessage) -> Result<(), HandlerError> {
    let kept = records::change(ctx.documents(), id.get(), |order: &mut Fulfilment| {
        order.staff_message_id.get_or_insert(i64::from(shown.message_id));
    });
    kept.await?;
    Ok(())
}

/// The tapped post, where it is not in the private chat.
fn in_channel(ctx: &Ctx) -> Option<ShownMessage> {
    match &ctx.origin {
        Origin::Callback { chat, shown: Some(shown), .. } if *chat != ctx.chat() => Some(*shown),
        Origin::Callback { .. } | Origin::Message(_) | Origin::Other => None,
    }
}
