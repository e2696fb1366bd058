//! A message to everybody: what a member of staff sends is shown back, then goes out as copies or forwarded.

use tolov_domain::ports::documents::Sequence;
use tolov_shop::{
    broadcast::{self, Broadcast, BroadcastState, Order},
    records, staff,
};

use crate::{
    broadcast::progress_message,
    conversation::{
        callback::StaffCallback,
        context::{Ctx, Origin},
        dialogue::{StaffStep, Step},
        error::{HandlerError, HandlerResult},
        screen::{Button, Screen},
    },
    staff::panel::back,
    telegram::{copy::MessageRef, errors::SendError},
    texts::{l, t},
};

/// Asks for the message; what runs or waits is shown below.
pub(crate) async fn open(ctx: Ctx) -> HandlerResult {
    ctx.expect(Step::Staff(StaffStep::BroadcastSource)).await?;
    let mut screen = Screen::new(t!(ctx.language, "broadcast-ask"));
    for state in [BroadcastState::Running, BroadcastState::Paused] {
        for broadcast in broadcast::in_state(ctx.documents(), state).await? {
            let label = l!(
                ctx.language,
                "broadcast-open",
                number = broadcast.id,
                done = broadcast.done(),
                total = broadcast.total
            );
            screen = screen.row([Button::callback(label, StaffCallback::ShowBroadcast { id: broadcast.id })]);
        }
    }
    ctx.show(screen.row(back(ctx.language))).await
}

/// The message: shown back as shoppers would see it, with how many they are.
pub(crate) async fn take_source(ctx: Ctx) -> HandlerResult {
    let Some(message) = ctx.message() else { return Ok(()) };
    let source = MessageRef { chat: ctx.chat(), message_id: message.id.0 };
    ctx.deps.overall.reserve_priority();
    match ctx.deps.telegram.copy(ctx.chat(), source).await {
        Ok(_) => {}
        Err(SendError::Refused(_)) => return ctx.reply(t!(ctx.language, "broadcast-not-such")).await,
        Err(error) => return Err(error.into()),
    }
    let total = broadcast::audience_size(ctx.documents()).await?;
    let id = ctx.documents().next_number(Sequence::Broadcasts).await?;
    let broadcast = Broadcast {
        id,
        author_id: ctx.id(),
        source_chat_id: source.chat.0,
        source_message_id: i64::from(source.message_id),
        is_forward: false,
        state: BroadcastState::Draft,
        made_at: ctx.now(),
        reached: None,
        sent: 0,
        blocked: 0,
        failed: 0,
        total,
        progress_message_id: None,
        leased_until_at: None,
    };
    records::insert(ctx.documents(), &broadcast).await?;
    ctx.expect(Step::Idle).await?;
    let start = |is_forward| StaffCallback::StartBroadcast { id, is_forward };
    let screen = Screen::new(t!(ctx.language, "broadcast-preview", count = total))
        .row([Button::callback(l!(ctx.language, "broadcast-send", count = total), start(false))])
        .row([Button::callback(l!(ctx.language, "broadcast-forward"), start(true))])
        .row([Button::callback(l!(ctx.language, "broadcast-cancel"), StaffCallback::StopBroadcast { id })]);
    ctx.show(screen).await
}

pub(crate) async fn start(ctx: Ctx, (id, is_forward): (i64, bool)) -> HandlerResult {
    let changed = records::change(ctx.documents(), id, |broadcast: &mut Broadcast| {
        let is_new = broadcast.state == BroadcastState::Draft && broadcast.author_id == ctx.id();
        if is_new {
            broadcast.is_forward = is_forward;
            broadcast.obey(Order::Start);
        }
        is_new
    });
    let Some((broadcast, is_new)) = changed.await? else { return ctx.stale().await };
    if is_new {
        let detail = format!("{id}: {}", broadcast.total);
        staff::note(ctx.documents(), ctx.id(), ctx.now(), "broadcast.started", (None, detail)).await?;
        tracing::info!(broadcast.id = id, staff.id = %ctx.id(), "a broadcast begins");
    } else if broadcast.state != BroadcastState::Running {
        return ctx.stale().await;
    }
    // Its progress is a message of its own, which the worker sends: the screen goes on to other things.
    let started = Screen::new(t!(ctx.language, "broadcast-started", number = id));
    ctx.show(started.row(back(ctx.language))).await
}

/// Its line, where it was asked for: a message of its own.
pub(crate) async fn show(ctx: Ctx, id: i64) -> HandlerResult {
    let Some(broadcast) = records::read::<Broadcast>(ctx.documents(), id).await? else {
        return ctx.stale().await;
    };
    ctx.deps.overall.reserve_priority();
    ctx.deps.telegram.show_new(ctx.chat(), &progress_message::screen(ctx.language, &broadcast)).await?;
    ctx.answer(None, false).await;
    Ok(())
}

pub(crate) async fn pause(ctx: Ctx, id: i64) -> HandlerResult {
    order(ctx, id, Order::Pause).await
}

pub(crate) async fn resume(ctx: Ctx, id: i64) -> HandlerResult {
    order(ctx, id, Order::Resume).await
}

pub(crate) async fn stop(ctx: Ctx, id: i64) -> HandlerResult {
    order(ctx, id, Order::Stop).await
}

async fn order(ctx: Ctx, id: i64, order: Order) -> HandlerResult {
    let mut was_draft = false;
    let changed = records::change(ctx.documents(), id, |broadcast: &mut Broadcast| {
        was_draft = broadcast.state == BroadcastState::Draft;
        broadcast.obey(order)
    });
    let Some((broadcast, obeyed)) = changed.await? else { return ctx.stale().await };
    if was_draft {
        return open(ctx).await;
    }
    if obeyed {
        let what = match order {
            Order::Start => "broadcast.started",
            Order::Pause => "broadcast.paused",
            Order::Resume => "broadcast.resumed",
            Order::Stop => "broadcast.stopped",
        };
        let detail = format!("{id}: {} / {}", broadcast.done(), broadcast.total);
        staff::note(ctx.documents(), ctx.id(), ctx.now(), what, (None, detail)).await?;
    }
    show_in_place(&ctx, &broadcast).await?;
    ctx.answer(None, false).await;
    Ok(())
}

/// The line is not the screen of the conversation, so it is edited by itself.
async fn show_in_place(ctx: &Ctx, broadcast: &Broadcast) -> Result<(), HandlerError> {
    if let Origin::Callback { chat, shown: Some(shown), .. } = &ctx.origin {
        ctx.deps.telegram.change(*chat, *shown, &progress_message::screen(ctx.language, broadcast)).await?;
    }
    Ok(())
}
