//! What staff do to an order, in the channel or on its card: accepted, ready, on the way, delivered, cancelled, refunded.

use tolov_domain::OrderId;
use tolov_shop::{
    fulfilment::{self, By, Deed, Fulfilment, Moved},
    records, settling, staff,
};

use super::{
    order_post,
    order_text::{Names, deed_done, sure_rows},
    orders,
};
use crate::{
    cancelling::{self, Cancelling},
    ctx::{Ctx, Done, Origin, Trouble},
    dialogue::ShownScreen,
    order_message,
    press::{Press, StaffPress},
    screen::Screen,
    telegram::SendError,
    text::{date_time, l, money, t},
};

/// Whether the button can hang on a post in the channel.
pub(crate) fn is_on_posts(press: &Press) -> bool {
    let Press::Staff(press) = press else { return false };
    matches!(press, StaffPress::Do { .. } | StaffPress::DoSurely { .. } | StaffPress::Order { .. })
}

/// A button of an order. What cannot be taken back is asked for once more.
pub(crate) async fn act(ctx: Ctx, (id, deed): (OrderId, Deed)) -> Done {
    let Some(order) = allowed(&ctx, id, deed).await? else { return Ok(()) };
    if matches!(deed, Deed::Cancelled | Deed::Refunded) && order.deeds().contains(&deed) {
        return ask(&ctx, &order, deed).await;
    }
    carry_out(&ctx, &order, deed).await
}

/// "Yes, surely."
pub(crate) async fn act_surely(ctx: Ctx, (id, deed): (OrderId, Deed)) -> Done {
    let Some(order) = allowed(&ctx, id, deed).await? else { return Ok(()) };
    carry_out(&ctx, &order, deed).await
}

/// The order, where the person may do this to it; else they have been told why not.
async fn allowed(ctx: &Ctx, id: OrderId, deed: Deed) -> Result<Option<Fulfilment>, Trouble> {
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

async fn ask(ctx: &Ctx, order: &Fulfilment, deed: Deed) -> Done {
    let language = if in_channel(ctx).is_some() { ctx.deps.config.staff_language } else { ctx.language };
    let question = if deed == Deed::Refunded {
        t!(language, "deed-ask-refund", order = order.id, sum = money(language, order.total))
    } else {
        t!(language, "deed-ask-cancel", order = order.id)
    };
    let names = Names::of(ctx.documents(), order).await?;
    let post = order_post::post(&ctx.deps, language, order, &names);
    let html = format!("{question}\n\n{}", post.fitting_html());
    show(ctx, order, Screen::new(html).rows(sure_rows(language, order.id, deed))).await
}

async fn carry_out(ctx: &Ctx, order: &Fulfilment, deed: Deed) -> Done {
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
async fn remember_name(ctx: &Ctx) -> Result<(), Trouble> {
    let name = Some(&ctx.person.name);
    if ctx.dialogue.name.as_ref() != name {
        ctx.change(|dialogue| dialogue.name = name.cloned()).await?;
    }
    Ok(())
}

/// Whether this person's deed is in the journal: then everybody has been told of it too.
async fn is_noted(ctx: &Ctx, id: OrderId, deed: Deed) -> Result<bool, Trouble> {
    let actions = staff::actions_on(ctx.documents(), id).await?;
    Ok(actions.iter().any(|action| action.staff_id == ctx.id() && action.what == deed_word(deed)))
}

/// Nobody has paid it: whether that can still happen the ledger decides.
async fn cancel_unpaid(ctx: &Ctx, order: &Fulfilment) -> Done {
    let by = By::Staff(ctx.id());
    match cancelling::cancel_unpaid(&ctx.deps, order.id, by).await? {
        Cancelling::Done(now) => {
            let entry = now.timeline.iter().rev().find(|entry| entry.deed == Deed::Cancelled);
            // The shopper, somebody else of staff or an earlier tap was faster: nobody is told again.
            if let Some(entry) = entry.filter(|entry| entry.by != by || order.timeline.contains(entry)) {
                let already = already(ctx, &now, entry.by, &date_time(entry.at)).await?;
                ctx.alert(already).await?;
                return show_again(ctx, &now).await;
            }
            done(ctx, &now, Deed::Cancelled).await
        }
        Cancelling::Paid => {
            ctx.alert(l!(ctx.language, "deed-paid-meanwhile", order = order.id)).await?;
            show_now(ctx, order.id).await
        }
        Cancelling::NotWaiting => {
            ctx.stale().await?;
            show_now(ctx, order.id).await
        }
    }
}

/// As it is by now.
async fn show_now(ctx: &Ctx, id: OrderId) -> Done {
    match fulfilment::fulfilment(ctx.documents(), id).await? {
        Some(order) => show_again(ctx, &order).await,
        None => Ok(()),
    }
}

async fn already(ctx: &Ctx, order: &Fulfilment, by: By, time: &str) -> Result<String, Trouble> {
    let By::Staff(id) = by else { return Ok(l!(ctx.language, "deed-already-someone")) };
    let who = Names::of(ctx.documents(), order).await?.plain(id);
    Ok(l!(ctx.language, "deed-already", who = who, time = time))
}

/// It is done: written down, shown, and the shopper is told.
async fn done(ctx: &Ctx, order: &Fulfilment, deed: Deed) -> Done {
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
    if let Err(trouble) = show_again(ctx, order).await {
        tracing::warn!(order.id = %order.id, %trouble, "an order that staff changed is not shown as it is now");
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
pub(crate) async fn open(ctx: Ctx, id: OrderId) -> Done {
    match fulfilment::fulfilment(ctx.documents(), id).await? {
        Some(order) if in_channel(&ctx).is_some() => show_again(&ctx, &order).await,
        Some(order) => orders::show_card(&ctx, &order).await,
        None => ctx.stale().await,
    }
}

/// The order as it is now, where the button hangs, and on its post.
async fn show_again(ctx: &Ctx, order: &Fulfilment) -> Done {
    if in_channel(ctx).is_some() {
        let screen = order_post::screen(&ctx.deps, order).await;
        show(ctx, order, screen).await?;
    } else {
        orders::show_card(ctx, order).await?;
        order_post::refresh(&ctx.deps, order.id).await;
    }
    Ok(())
}

/// Shows a screen in the place of the post that was tapped, or of the card.
async fn show(ctx: &Ctx, order: &Fulfilment, screen: Screen) -> Done {
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
async fn keep_if_none(ctx: &Ctx, id: OrderId, shown: ShownScreen) -> Result<(), Trouble> {
    let kept = records::change(ctx.documents(), id.get(), |order: &mut Fulfilment| {
        order.staff_message_id.get_or_insert(i64::from(shown.message_id));
    });
    kept.await?;
    Ok(())
}

/// The tapped post, where it is not in the private chat.
fn in_channel(ctx: &Ctx) -> Option<ShownScreen> {
    match &ctx.origin {
        Origin::Press { chat, shown: Some(shown), .. } if *chat != ctx.chat() => Some(*shown),
        Origin::Press { .. } | Origin::Message(_) | Origin::Other => None,
    }
}
