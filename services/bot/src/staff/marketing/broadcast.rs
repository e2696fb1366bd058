//! A message to everybody: shown back to its author, then sent as copies or forwarded.

use teloxide::types::{MediaGroupId, Message};
use tolov_domain::ports::{PortError, documents::Query};
use tolov_shop::{
    broadcast::{self, BROADCASTS, Broadcast, BroadcastState, Command},
    records,
    staff::Action,
};

use crate::{
    broadcast::{preview, progress_message},
    conversation::{
        callback::StaffCallback,
        context::{Ctx, Origin},
        dialogue::{StaffStep, Step},
        error::HandlerResult,
        screen::{Button, Screen},
    },
    shopper::catalogue::search,
    staff::{panel::back, people::journal},
    telegram::{client::MessageRef, errors::SendError},
    texts::{l, t},
};

/// How many drafts are offered again.
const DRAFTS_SHOWN: usize = 3;
/// Among the latest of all.
const DRAFTS_READ: u32 = 30;

/// Asks for the message, and lists the broadcasts that run or are paused, and the person's last drafts.
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
    let drafts = Query::is(BROADCASTS, "state", BroadcastState::Draft.as_str(), DRAFTS_READ).newest_first();
    let mut drafts: Vec<Broadcast> = records::find(ctx.documents(), &drafts).await?;
    drafts.retain(|draft| draft.author_id == ctx.id());
    for Broadcast { id, .. } in drafts.into_iter().take(DRAFTS_SHOWN) {
        let label = l!(ctx.language, "broadcast-open-draft", number = id);
        screen = screen.row([Button::callback(label, StaffCallback::ShowBroadcast { id })]);
    }
    ctx.show(screen.row(back(ctx.language))).await
}

/// The message came: it is shown back as shoppers will see it, with their number. Of an album the parts are gathered first.
pub(crate) async fn take_source(ctx: Ctx) -> HandlerResult {
    let Some(message) = ctx.message() else { return Ok(()) };
    if let Some(MediaGroupId(media_group_id)) = message.media_group_id().cloned() {
        return begin_album(ctx, media_group_id).await;
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
        source_message_ids: vec![i64::from(source.message_id)],
        state: BroadcastState::Draft,
        total,
        ..Broadcast::gathering(id, ctx.id(), source.chat.0, ctx.now())
    };
    records::insert(ctx.documents(), &broadcast).await?;
    ctx.wait_for(Step::Idle);
    // Not as the screen of the conversation, which is removed when the next one is shown.
    ctx.deps.send_to(ctx.id(), &preview::screen(ctx.language, id, total)).await?;
    Ok(())
}

/// The first part of an album.
async fn begin_album(ctx: Ctx, media_group_id: String) -> HandlerResult {
    let id = broadcast::next_broadcast_id(ctx.documents()).await?;
    ctx.wait_for(StaffStep::BroadcastAlbum { id, media_group_id });
    // Before the part: if this update is handled again, the part goes to the same broadcast.
    if !ctx.checkpoint().await? {
        ctx.save().await?;
    }
    add_part(ctx, id).await
}

/// A part of the album that is being gathered, of another one, or a message that is none.
pub(crate) async fn take_part(ctx: Ctx, (id, gathered): (i64, String)) -> HandlerResult {
    match ctx.message().and_then(Message::media_group_id).cloned() {
        Some(MediaGroupId(album)) if album == gathered => add_part(ctx, id).await,
        // Telegram sends more than ten photos as several albums.
        Some(MediaGroupId(another)) => begin_album(ctx, another).await,
        None => search::typed(ctx).await,
    }
}

async fn add_part(ctx: Ctx, id: i64) -> HandlerResult {
    let Some(message_id) = ctx.message().map(|message| i64::from(message.id.0)) else { return Ok(()) };
    let new = || Broadcast::gathering(id, ctx.id(), ctx.chat().0, ctx.now());
    let added = records::change_or_insert(ctx.documents(), id, new, |broadcast: &mut Broadcast| {
        broadcast.add_part(message_id, ctx.now())
    });
    let (_, is_added) = added.await?;
    if is_added { Ok(()) } else { ctx.reply(t!(ctx.language, "broadcast-part-late")).await }
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

/// Its progress, or the preview of a draft, as a message of its own.
pub(crate) async fn show(ctx: Ctx, id: i64) -> HandlerResult {
    let Some(broadcast) = records::read::<Broadcast>(ctx.documents(), id).await? else {
        return ctx.stale().await;
    };
    if broadcast.state != BroadcastState::Draft {
        ctx.deps.send_to(ctx.id(), &progress_message::screen(ctx.language, &broadcast)).await?;
    } else if broadcast.author_id == ctx.id() {
        let total = broadcast::audience_size(ctx.documents()).await?;
        match preview::send(&ctx.deps, ctx.language, &broadcast, total).await {
            Err(SendError::Refused(_)) => return ctx.reply(t!(ctx.language, "broadcast-not-such")).await,
            sent => sent?,
        }
    }
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
        was_draft = broadcast.is_draft();
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
