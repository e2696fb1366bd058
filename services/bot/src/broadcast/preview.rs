//! The preview of a broadcast. That of an album is shown once its parts have come, by whichever process finds that first.

use std::{sync::Arc, time::Duration};

use teloxide::types::{ChatId, MessageId};
use time::Duration as Span;
use tolov_domain::{
    Language,
    ports::PortError,
    time::{Timestamp, in_whole_ms},
};
use tolov_kit::{
    availability::Availability,
    lifecycle::{Stop, pause},
};
use tolov_shop::{
    broadcast::{self, Broadcast, BroadcastState, Command},
    records,
};

use crate::{
    conversation::{
        callback::StaffCallback,
        dialogue::{Dialogue, StaffStep, Step},
        screen::{Button, Screen},
    },
    deps::HandlerDeps,
    telegram::{copy::MessageGroup, errors::SendError},
    texts::{l, t},
};

const POLL_EVERY: Duration = Duration::from_secs(1);
/// Far above what showing a preview may take.
const LEASE: Span = Span::seconds(90);
/// When the next attempt is made where Telegram does not take the preview now.
const RETRY_AFTER: Span = Span::seconds(5);
/// How long it is tried.
const PATIENCE: Span = Span::hours(1);

/// Runs until `stop`. A preview that is under way then is shown again by the next process.
pub(crate) async fn run(deps: Arc<HandlerDeps>, stop: Stop) {
    let store = Availability::new("the shop store (albums)");
    while pause(&stop, POLL_EVERY).await {
        let shown = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            shown = show_due(&deps) => shown,
        };
        store.mark(shown);
    }
}

async fn show_due(deps: &HandlerDeps) -> Result<(), PortError> {
    for gathering in broadcast::in_state(deps.documents(), BroadcastState::Gathering).await? {
        let now = deps.now();
        let until = in_whole_ms(now + LEASE);
        let leased = records::change(deps.documents(), gathering.id, |broadcast: &mut Broadcast| {
            broadcast.lease_preview(now, until)
        });
        if let Some((broadcast, true)) = leased.await? {
            show(deps, &broadcast, until).await?;
        }
    }
    Ok(())
}

async fn show(deps: &HandlerDeps, broadcast: &Broadcast, lease: Timestamp) -> Result<(), PortError> {
    let total = broadcast::audience_size(deps.documents()).await?;
    let language = deps.language_of(broadcast.author_id).await;
    let error = match send(deps, language, broadcast, total).await {
        Ok(()) => {
            return change(deps, broadcast.id, |current| {
                current.record_preview(&broadcast.source_message_ids, total, lease);
            })
            .await;
        }
        Err(error) => error,
    };
    let is_lasting = error.is_permanent();
    if !is_lasting && deps.now() < broadcast.created_at + PATIENCE {
        tracing::debug!(broadcast.id, %error, "the preview of an album is not shown yet");
        let at = deps.now() + RETRY_AFTER;
        return change(deps, broadcast.id, |current| current.postpone_preview(at, lease)).await;
    }
    tracing::warn!(broadcast.id, %error, "an album is not broadcast: its preview cannot be shown");
    change(deps, broadcast.id, |current| {
        current.leased_until_at = None;
        if current.is_draft() {
            current.apply(Command::Stop);
        }
    })
    .await?;
    ask_for_another(deps, language, broadcast).await
}

/// Shows the message or album as shoppers will see it, and their number below it. Not as the screen of the conversation, which is removed
/// when the next one is shown: it is there until its author decides.
pub(crate) async fn send(
    deps: &HandlerDeps,
    language: Language,
    broadcast: &Broadcast,
    total: u32,
) -> Result<(), SendError> {
    if let Some(source) = source_of(broadcast) {
        for _ in &source.ids {
            deps.rate_limiter.reserve_priority();
        }
        deps.telegram.copy_group(ChatId(broadcast.author_id.get()), &source).await?;
    }
    deps.send_to(broadcast.author_id, &screen(language, broadcast.id, total)).await.map(drop)
}

/// The author may send another message at once.
async fn ask_for_another(
    deps: &HandlerDeps,
    language: Language,
    broadcast: &Broadcast,
) -> Result<(), PortError> {
    let waiting = records::change(deps.documents(), broadcast.author_id.get(), |dialogue: &mut Dialogue| {
        let step = &dialogue.step;
        if matches!(step, Step::Staff(StaffStep::BroadcastAlbum { id, .. }) if *id == broadcast.id) {
            dialogue.step = StaffStep::BroadcastSource.into();
        }
    });
    waiting.await?;
    let refusal = Screen::new(t!(language, "broadcast-not-such"));
    if let Err(error) = deps.send_to(broadcast.author_id, &refusal).await {
        tracing::debug!(broadcast.id, %error, "that an album is not broadcast could not be said");
    }
    Ok(())
}

async fn change(deps: &HandlerDeps, id: i64, change: impl FnMut(&mut Broadcast)) -> Result<(), PortError> {
    records::change(deps.documents(), id, change).await.map(drop)
}

/// What the author decides below the copy.
pub(crate) fn screen(language: Language, id: i64, total: u32) -> Screen {
    let start = |is_forward| StaffCallback::StartBroadcast { id, is_forward };
    Screen::new(t!(language, "broadcast-preview", count = total))
        .row([Button::callback(l!(language, "broadcast-send", count = total), start(false))])
        .row([Button::callback(l!(language, "broadcast-forward"), start(true))])
        .row([Button::callback(l!(language, "broadcast-cancel"), StaffCallback::StopBroadcast { id })])
}

/// `None`: no messages that Telegram could know.
pub(super) fn source_of(broadcast: &Broadcast) -> Option<MessageGroup> {
    let ids = broadcast.source_message_ids.iter().map(|id| i32::try_from(*id).ok().map(MessageId));
    let ids = ids.collect::<Option<Vec<_>>>().filter(|ids| !ids.is_empty())?;
    Some(MessageGroup { chat: ChatId(broadcast.source_chat_id), ids })
}
