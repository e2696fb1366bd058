//! What staff do to an order, on its post in the channel or on its card.

use tolov_domain::{Language, OrderId, Outcome, ports::PortError};
use tolov_shop::{
    order::{self, Actor, HistoryEntry, HistoryItem, OrderAction, ShopOrder},
    settling,
    staff::{self, Action},
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
        announcements,
        cancel::{self, CancelOutcome},
        messages::{SentMessage, change_messages, messages_of},
        order_message,
        texts::action_done,
    },
    staff::{
        orders::{
            list,
            order_post::{self, is_same},
            order_text::confirmation_rows,
            refund,
        },
        people::names::Names,
    },
    telegram::{client::MessageRef, errors::SendError},
    texts::{date_time, l, money, t},
};

/// Whether the button can be on a post in the channel.
pub(crate) fn is_on_posts(callback: &CallbackData) -> bool {
    let CallbackData::Staff(callback) = callback else { return false };
    matches!(
        callback,
        StaffCallback::Act { .. }
            | StaffCallback::ActConfirmed { .. }
            | StaffCallback::Order { .. }
            | StaffCallback::Refund { .. }
            | StaffCallback::RefundLines { .. }
            | StaffCallback::RefundCount { .. }
            | StaffCallback::RefundAsk { .. }
            | StaffCallback::RefundConfirmed { .. }
            | StaffCallback::RefundDecide { .. }
            | StaffCallback::RefundDecided { .. }
            | StaffCallback::Missing { .. }
            | StaffCallback::AcceptPayment { .. }
    )
}

/// The button of an action. What cannot be undone has to be confirmed.
pub(crate) async fn act(ctx: Ctx, (id, action): (OrderId, OrderAction)) -> HandlerResult {
    let Some(order) = permitted(&ctx, id, action).await? else { return Ok(()) };
    let is_final = matches!(action, OrderAction::Cancelled | OrderAction::Refunded);
    if is_final && order.can_apply(action) {
        return ask_confirmation(&ctx, &order, action).await;
    }
    carry_out(&ctx, &order, action).await
}

pub(crate) async fn act_confirmed(ctx: Ctx, (id, action): (OrderId, OrderAction)) -> HandlerResult {
    let Some(order) = permitted(&ctx, id, action).await? else { return Ok(()) };
    carry_out(&ctx, &order, action).await
}

/// The order, where the person may do this to it; else the person has been told why not.
async fn permitted(ctx: &Ctx, id: OrderId, action: OrderAction) -> Result<Option<ShopOrder>, HandlerError> {
    if !ctx.role.is_some_and(|role| role.may_apply(action)) {
        ctx.alert(l!(ctx.language, "action-not-allowed")).await?;
        return Ok(None);
    }
    let order = order::order(ctx.documents(), id).await?;
    if order.is_none() {
        ctx.stale().await?;
    }
    Ok(order)
}

async fn ask_confirmation(ctx: &Ctx, order: &ShopOrder, action: OrderAction) -> HandlerResult {
    let language = screen_language(ctx);
    let question = if action == OrderAction::Refunded {
        t!(language, "refund-ask-by-hand", order = order.id, sum = money(language, order.kept()))
    } else {
        t!(language, "action-ask-cancel", order = order.id)
    };
    let names = Names::of_order(ctx.documents(), order).await?;
    let post = order_post::post(&ctx.deps, language, order, &names, true);
    let html = format!("{question}\n\n{}", post.fitting_html());
    show(ctx, order, Screen::new(html).rows(confirmation_rows(language, order.id, action))).await
}

/// Of what is shown in the place of the tapped message: everybody reads the channel.
pub(super) fn screen_language(ctx: &Ctx) -> Language {
    if tapped_post(ctx).is_some() { ctx.deps.config.staff_language } else { ctx.language }
}

async fn carry_out(ctx: &Ctx, order: &ShopOrder, action: OrderAction) -> HandlerResult {
    // Stored before the order is shown: its history names also somebody who never wrote to the bot.
    ctx.update(|dialogue| dialogue.name = Some(ctx.person.name.clone()));
    ctx.checkpoint().await?;
    let (now, by) = (ctx.now(), Actor::Staff(ctx.id()));
    if action == OrderAction::Refunded
        && order.can_apply(action)
        && !refund::may_record_by_hand(ctx, order).await?
    {
        return show_again(ctx, order).await;
    }
    // Of what is applied already the announcement was sent, or waits to be.
    if order.can_apply(action) {
        announcements::prepare(&ctx.deps, order.id, HistoryItem::Action(action), Actor::Staff(ctx.id()))
            .await?;
    }
    let applied = match (action, order.is_paid()) {
        (OrderAction::Refunded, _) => settling::refund_by_hand(ctx.documents(), order.id, by, now).await?,
        (OrderAction::Cancelled, true) => settling::cancel_paid(ctx.documents(), order.id, by, now).await?,
        (OrderAction::Cancelled, false) => return cancel_unpaid(ctx, order).await,
        _ => order::apply(ctx.documents(), order.id, action, by, now).await?,
    };
    let Some((order, outcome)) = applied else { return ctx.stale().await };
    let entry = order.last(action);
    if entry.is_none_or(|entry| entry.by != by) {
        withdraw_announcement(ctx, order.id, action).await?;
    }
    match outcome {
        Outcome::Applied => announce(ctx, &order, action).await,
        // Our own action, after which a crash kept the rest from being done, or whose answer from the store was lost.
        Outcome::AlreadyApplied
            if entry.is_some_and(|entry| entry.by == by) && !is_recorded(ctx, order.id, action).await? =>
        {
            announce(ctx, &order, action).await
        }
        // The ledger's event came first, and its notification tells the shopper.
        Outcome::AlreadyApplied
            if action == OrderAction::Refunded && entry.is_some_and(|entry| entry.by == Actor::Click) =>
        {
            ctx.toast(action_done(ctx.language, &order, action)).await?;
            show_again(ctx, &order).await
        }
        Outcome::AlreadyApplied => {
            ctx.alert(already_text(ctx, &order, entry).await?).await?;
            show_again(ctx, &order).await
        }
        Outcome::Refused(_) => {
            ctx.stale().await?;
            show_again(ctx, &order).await
        }
    }
}

/// Whether this person's action is in the journal, which is written last.
async fn is_recorded(ctx: &Ctx, order_id: OrderId, action: OrderAction) -> Result<bool, HandlerError> {
    let recorded = Action::Order { order_id, action };
    let actions = staff::actions_on(ctx.documents(), order_id).await?;
    Ok(actions.iter().any(|entry| entry.staff_id == ctx.id() && entry.action == recorded))
}

async fn withdraw_announcement(ctx: &Ctx, id: OrderId, action: OrderAction) -> Result<(), PortError> {
    announcements::withdraw(&ctx.deps, id, HistoryItem::Action(action), Actor::Staff(ctx.id())).await
}

/// The ledger decides whether an unpaid order can be cancelled.
async fn cancel_unpaid(ctx: &Ctx, order: &ShopOrder) -> HandlerResult {
    let by = Actor::Staff(ctx.id());
    let outcome = cancel::cancel_unpaid(&ctx.deps, order.id, by).await?;
    let is_ours = matches!(&outcome, CancelOutcome::Cancelled(now)
        if now.last(OrderAction::Cancelled).is_some_and(|entry| entry.by == by));
    if !is_ours {
        withdraw_announcement(ctx, order.id, OrderAction::Cancelled).await?;
    }
    match outcome {
        CancelOutcome::Cancelled(now) => {
            let entry = now.last(OrderAction::Cancelled);
            // The shopper, another member of staff or an earlier tap came first: nobody is told again.
            if entry.is_some_and(|entry| entry.by != by || order.history.contains(entry)) {
                ctx.alert(already_text(ctx, &now, entry).await?).await?;
                return show_again(ctx, &now).await;
            }
            announce(ctx, &now, OrderAction::Cancelled).await
        }
        CancelOutcome::Paid => {
            ctx.alert(l!(ctx.language, "action-paid-meanwhile", order = order.id)).await?;
            show_latest(ctx, order.id).await
        }
        CancelOutcome::NotWaiting => {
            ctx.stale().await?;
            show_latest(ctx, order.id).await
        }
    }
}

async fn show_latest(ctx: &Ctx, id: OrderId) -> HandlerResult {
    match order::order(ctx.documents(), id).await? {
        Some(order) => show_again(ctx, &order).await,
        None => Ok(()),
    }
}

pub(super) async fn already_text(
    ctx: &Ctx,
    order: &ShopOrder,
    entry: Option<&HistoryEntry>,
) -> Result<String, HandlerError> {
    let Some(HistoryEntry { by: Actor::Staff(id), at, .. }) = entry else {
        return Ok(l!(ctx.language, "action-already-someone"));
    };
    let who = Names::of_order(ctx.documents(), order).await?.plain(*id);
    Ok(l!(ctx.language, "action-already", who = who, time = date_time(*at)))
}

/// The action is done: the person, the post and the shopper are told, and it is entered into the journal.
async fn announce(ctx: &Ctx, order: &ShopOrder, action: OrderAction) -> HandlerResult {
    let language = ctx.language;
    if action == OrderAction::Refunded {
        // After the shop's own record, by which the ledger's events are no news. Where it fails, a second tap repeats it.
        refund::record_by_hand(ctx, order).await?;
    }
    tracing::info!(order.id = %order.id, staff.id = %ctx.id(), ?action, "staff changed an order");
    if action == OrderAction::Cancelled && order.is_paid() {
        let sum = money(language, order.kept());
        ctx.alert(l!(language, "action-give-back", order = order.id, sum = sum)).await?;
    } else {
        let what = action_done(language, order, action);
        ctx.toast(l!(language, "action-toast", order = order.id, what = what)).await?;
    }
    // An error from here on does not mean that the action was not done.
    if let Err(error) = show_again(ctx, order).await {
        tracing::warn!(order.id = %order.id, %error, "an order that staff changed could not be shown");
    }
    if let Err(error) = order_message::refresh(&ctx.deps, order.id).await {
        tracing::info!(order.id = %order.id, %error, "the order's message could not be updated");
    }
    announcements::announce(&ctx.deps, order).await;
    // Last: after a crash all of this is done again.
    let recorded = Action::Order { order_id: order.id, action };
    staff::record(ctx.documents(), ctx.id(), ctx.now(), recorded).await?;
    Ok(())
}

/// "No, go back", and the button of a list: the order as it is now.
pub(crate) async fn open(ctx: Ctx, id: OrderId) -> HandlerResult {
    match order::order(ctx.documents(), id).await? {
        Some(order) if tapped_post(&ctx).is_some() => show_again(&ctx, &order).await,
        Some(order) => list::show_card(&ctx, &order).await,
        None => ctx.stale().await,
    }
}

/// Shows the order as it is now, in the place of the tapped message and on its post.
pub(super) async fn show_again(ctx: &Ctx, order: &ShopOrder) -> HandlerResult {
    if tapped_post(ctx).is_some() {
        let screen = order_post::screen(&ctx.deps, order, true).await;
        show(ctx, order, screen).await?;
        // Whoever showed a newer state while this edit waited was overwritten by it.
        if order::order(ctx.documents(), order.id).await?.is_some_and(|now| !is_same(&now, order)) {
            order_post::refresh(&ctx.deps, order.id).await;
        }
    } else {
        list::show_card(ctx, order).await?;
        order_post::refresh(&ctx.deps, order.id).await;
    }
    Ok(())
}

/// Shows a screen in the place of the tapped post or card.
pub(super) async fn show(ctx: &Ctx, order: &ShopOrder, screen: Screen) -> HandlerResult {
    let Some((post, shown)) = tapped_post(ctx) else { return ctx.show(screen).await };
    // The process that posted it may have died before it recorded the post.
    if messages_of(ctx.documents(), order.id).await?.staff_post.is_none() {
        change_messages(ctx.documents(), order.id, |messages| {
            messages.staff_post.get_or_insert(SentMessage { place: post, sent_at: None });
        })
        .await?;
    }
    match ctx.deps.telegram.change(post.chat, shown, &screen).await {
        Ok(true) => ctx.answer(None, false).await,
        // Deleted, or Telegram asks to wait longer than a tap may take.
        Ok(false) | Err(SendError::Wait(_)) => order_post::refresh(&ctx.deps, order.id).await,
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// The tapped post, where the tap was not in the private chat.
fn tapped_post(ctx: &Ctx) -> Option<(MessageRef, ShownMessage)> {
    match &ctx.origin {
        Origin::Callback { chat, shown: Some(shown), .. } if *chat != ctx.chat() => {
            Some((MessageRef { chat: *chat, message_id: shown.message_id }, *shown))
        }
        Origin::Callback { .. } | Origin::Message(_) | Origin::Other => None,
    }
}
