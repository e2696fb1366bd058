//! A message to everybody: shown back to its author, then sent as copies or forwarded.

use tolov_domain::ports::PortError;
use tolov_shop::{
    broadcast::{self, Broadcast, BroadcastState, Command},
    records,
    staff::Action,
};

use crate::{
    broadcast::progress_message,
    conversation::{
        callback::StaffCallback,
        context::{Ctx, Origin},
        dialogue::{StaffStep, Step},
        error::HandlerResult,
        screen::{Button, Screen},
    },
    staff::{panel::back, people::journal},
    telegram::{client::MessageRef, errors::SendError},
    texts::{l, t},
};

/// Asks for the message, and lists the broadcasts that run or are paused.
pub(crate) async fn open(ctx: Ctx) -> HandlerResult {
    ctx.wait_for(StaffStep::BroadcastSource);
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

/// The message came: it is shown back as shoppers will see it, with their number.
pub(crate) async fn take_source(ctx: Ctx) -> HandlerResult {
    let Some(message) = ctx.message() else { return Ok(()) };
    // Each photo of an album is a message of its own: a copy of one of them would leave the others out.
    if message.media_group_id().is_some() {
        let screen = Screen::new(t!(ctx.language, "broadcast-album")).row(back(ctx.language));
        return ctx.show(screen).await;
    }
    let source = MessageRef { chat: ctx.chat(), message_id: message.id.0 };
    ctx.deps.rate_limiter.reserve_priority();
    match ctx.deps.telegram.copy(ctx.chat(), source).await {
        Ok(_) => {}
        Err(SendError::Refused(_)) => return ctx.reply(t!(ctx.language, "broadcast-not-such")).await,
        Err(error) => return Err(error.into()),
    }
    let total = broadcast::audience_size(ctx.documents()).await?;
    let id = broadcast::next_broadcast_id(ctx.documents()).await?;
    let broadcast = Broadcast {
        id,
        author_id: ctx.id(),
        source_chat_id: source.chat.0,
        source_message_id: i64::from(source.message_id),
        is_forward: false,
        state: BroadcastState::Draft,
        created_at: ctx.now(),
        reached: None,
        sent: 0,
        blocked: 0,
        failed: 0,
        total,
        progress_message_id: None,
        leased_until_at: None,
    };
    records::insert(ctx.documents(), &broadcast).await?;
    ctx.wait_for(Step::Idle);
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
            broadcast.apply(Command::Start);
        }
        is_new
    });
    let Some((broadcast, is_new)) = changed.await? else { return ctx.stale().await };
    if is_new {
        record(&ctx, &broadcast, Command::Start).await?;
        tracing::info!(broadcast.id = id, staff.id = %ctx.id(), "a broadcast begins");
    } else if broadcast.state != BroadcastState::Running {
        return ctx.stale().await;
    }
    // The worker sends its progress as a message of its own.
    let started = Screen::new(t!(ctx.language, "broadcast-started", number = id));
    ctx.show(started.row(back(ctx.language))).await
}

/// Its progress, as a message of its own.
pub(crate) async fn show(ctx: Ctx, id: i64) -> HandlerResult {
    let Some(broadcast) = records::read::<Broadcast>(ctx.documents(), id).await? else {
        return ctx.stale().await;
    };
    ctx.deps.send_to(ctx.id(), &progress_message::screen(ctx.language, &broadcast)).await?;
    ctx.answer(None, false).await;
    Ok(())
}

pub(crate) async fn pause(ctx: Ctx, id: i64) -> HandlerResult {
    apply(ctx, id, Command::Pause).await
}

pub(crate) async fn resume(ctx: Ctx, id: i64) -> HandlerResult {
    apply(ctx, id, Command::Resume).await
}

pub(crate) async fn stop(ctx: Ctx, id: i64) -> HandlerResult {
    apply(ctx, id, Command::Stop).await
}

async fn apply(ctx: Ctx, id: i64, command: Command) -> HandlerResult {
    let mut was_draft = false;
    let changed = records::change(ctx.documents(), id, |broadcast: &mut Broadcast| {
        was_draft = broadcast.state == BroadcastState::Draft;
        broadcast.apply(command)
    });
    let Some((broadcast, is_applied)) = changed.await? else { return ctx.stale().await };
    if was_draft {
        return open(ctx).await;
    }
    if is_applied {
        record(&ctx, &broadcast, command).await?;
    }
    // The progress message is not the screen of the conversation, so it is edited by itself.
    if let Origin::Callback { chat, shown: Some(shown), .. } = &ctx.origin {
        let screen = progress_message::screen(ctx.language, &broadcast);
        ctx.deps.telegram.change(*chat, *shown, &screen).await?;
    }
    ctx.answer(None, false).await;
    Ok(())
}

async fn record(ctx: &Ctx, broadcast: &Broadcast, command: Command) -> Result<(), PortError> {
    let (broadcast_id, done, total) = (broadcast.id, broadcast.done(), broadcast.total);
    journal::record(ctx, Action::Broadcast { broadcast_id, command, done, total }).await
}
