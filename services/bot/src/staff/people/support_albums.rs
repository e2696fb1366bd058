//! Albums in support. Telegram delivers their parts one by one: they are gathered, and copied together by whichever process
//! finds first that no more have come.

use std::{sync::Arc, time::Duration};

use teloxide::types::{ChatId, MessageId};
use tolov_domain::ports::{PortError, documents::Query};
use tolov_kit::{
    availability::Availability,
    lifecycle::{Stop, pause},
};
use tolov_shop::{
    records,
    shopper::support::{AlbumRecipient, SUPPORT_ALBUM_NUMBERS, SUPPORT_ALBUMS, SupportAlbum, SupportMessage},
};

use crate::{
    conversation::{
        context::Ctx,
        dialogue::AlbumOf,
        error::{HandlerError, HandlerResult},
        screen::Screen,
    },
    deps::HandlerDeps,
    staff::people::support::{self, Author, Source},
    telegram::copy::MessageGroup,
    texts::t,
};

const POLL_EVERY: Duration = Duration::from_secs(1);
/// How many are sent in one round.
const AT_ONCE: u32 = 20;

/// The message is the first part of an album: it is gathered. `false`: it is of no album.
pub(super) async fn begin(ctx: &Ctx, to: AlbumRecipient) -> Result<bool, HandlerError> {
    let is_album = ctx.message().is_some_and(|message| message.media_group_id().is_some());
    if !is_album {
        return Ok(false);
    }
    let id = ctx.documents().next_number(SUPPORT_ALBUM_NUMBERS, 0).await?;
    ctx.expect_more_of_album(AlbumOf::Support { id });
    // Before the part: if this update is handled again, the part goes to the same album.
    if !ctx.checkpoint().await? {
        ctx.save().await?;
    }
    add_part(ctx, id, Some(to)).await?;
    Ok(true)
}

/// Whether the message is a further part of an album for the other side.
#[expect(clippy::needless_pass_by_value, reason = "dptree hands values over")]
pub(crate) fn part(ctx: Ctx) -> Option<i64> {
    match ctx.album_of_part()? {
        AlbumOf::Support { id } => Some(id),
        AlbumOf::NewProduct | AlbumOf::Product { .. } | AlbumOf::Answered => None,
    }
}

pub(crate) async fn take_part(ctx: Ctx, id: i64) -> HandlerResult {
    if add_part(&ctx, id, None).await? {
        Ok(())
    } else {
        ctx.reply(t!(ctx.language, "support-part-late")).await
    }
}

/// `false`: the album was sent already, or is as large as albums can be.
async fn add_part(ctx: &Ctx, id: i64, begun: Option<AlbumRecipient>) -> Result<bool, PortError> {
    let Some(message_id) = ctx.message().map(|message| i64::from(message.id.0)) else { return Ok(true) };
    let add = |album: &mut SupportAlbum| album.add_part(message_id, ctx.now());
    let Some(to) = begun else {
        let added = records::change(ctx.documents(), id, add).await?;
        return Ok(added.is_some_and(|(_, is_added)| is_added));
    };
    let new = || SupportAlbum {
        id,
        author_id: ctx.id(),
        author_name: ctx.person.name.clone(),
        author_username: ctx.person.username.clone(),
        to: to.clone(),
        message_ids: Vec::new(),
        quiet_until_at: ctx.now(),
        leased_until_at: None,
    };
    Ok(records::change_or_insert(ctx.documents(), id, new, add).await?.1)
}

/// Runs until `stop`. An album that is being sent then is sent again by the next process.
pub(crate) async fn run(deps: Arc<HandlerDeps>, stop: Stop) {
    let store = Availability::new("the shop store (albums of support)");
    while pause(&stop, POLL_EVERY).await {
        let sent = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            sent = send_due(&deps) => sent,
        };
        store.mark(sent);
    }
}

async fn send_due(deps: &HandlerDeps) -> Result<(), PortError> {
    let query = Query::all(SUPPORT_ALBUMS, AT_ONCE);
    for gathered in records::find::<SupportAlbum>(deps.documents(), &query).await? {
        let now = deps.now();
        let lease = |album: &mut SupportAlbum| album.lease(now);
        if let Some((album, true)) = records::change(deps.documents(), gathered.id, lease).await? {
            match send(deps, &album).await {
                Ok(()) => drop(records::remove::<SupportAlbum>(deps.documents(), album.id).await?),
                // It is tried again when its lease has run out.
                Err(HandlerError::Store(error)) => return Err(error),
                Err(error) => {
                    tracing::warn!(user.id = %album.author_id, %error, "an album of support was not sent yet");
                }
            }
        }
    }
    Ok(())
}

async fn send(deps: &HandlerDeps, album: &SupportAlbum) -> Result<(), HandlerError> {
    let ids = album.message_ids.iter().filter_map(|id| i32::try_from(*id).ok().map(MessageId));
    let group = MessageGroup { chat: ChatId(album.author_id.get()), ids: ids.collect() };
    let source = Source { group, is_edit: false };
    let author = Author {
        id: album.author_id,
        name: album.author_name.clone(),
        username: album.author_username.clone(),
    };
    let language = deps.language_of(author.id).await;
    let said = match &album.to {
        AlbumRecipient::Staff { who_answered } => {
            let reached = support::to_who_answered(deps, &author, &source, *who_answered).await?;
            support::forwarded_text(language, reached)
        }
        AlbumRecipient::Shopper { answered } => {
            let before = records::read::<SupportMessage>(deps.documents(), answered.as_str()).await?;
            let Some(before) = before else { return Ok(()) };
            support::to_shopper(deps, &author, &source, &before, language).await?
        }
    };
    if let Err(error) = deps.send_to(author.id, &Screen::new(said)).await {
        tracing::debug!(%error, "the author of an album does not hear what became of it");
    }
    Ok(())
}
