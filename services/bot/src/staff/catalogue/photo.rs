//! Photos that staff send. They are kept in a channel, under the `file_id` that they have there.

use std::time::Duration;

use teloxide::types::PhotoSize;
use tokio::time::Instant;
use tolov_kit::lifecycle::Stop;
use tolov_shop::catalogue::FileId;

use crate::{
    conversation::{context::Ctx, error::HandlerError},
    telegram::{errors::SendError, limits::Turn},
    texts::t,
};

/// How long a photo waits for its turn in the channel; an answer may take 30 s altogether.
const TURN_MAX: Duration = Duration::from_secs(15);

/// A message in which a photo was expected.
pub(crate) enum Photo {
    Kept(FileId),
    /// Not a photo, or not stored; the hint for the person.
    Not(String),
}

/// Stores the photo of the message in the channel, with a caption that says what it is for.
pub(crate) async fn keep(ctx: &Ctx, caption: String) -> Result<Photo, HandlerError> {
    let Some(photo) = ctx.message().and_then(|message| message.photo()).and_then(largest) else {
        let is_file = ctx.message().is_some_and(|message| message.document().is_some());
        let language = ctx.language;
        let hint =
            if is_file { t!(language, "edit-photo-as-file") } else { t!(language, "edit-photo-expected") };
        return Ok(Photo::Not(hint));
    };
    let channel = ctx.deps.photo_chat();
    if channel.rate_limiter.acquire(Instant::now() + TURN_MAX, &Stop::new()).await != Turn::Granted {
        return Ok(Photo::Not(t!(ctx.language, "edit-photo-not-now")));
    }
    ctx.deps.rate_limiter.reserve_priority();
    match channel.keep_photo(&ctx.deps.telegram, &photo.file.id.0, &caption).await {
        Ok(file_id) => Ok(Photo::Kept(file_id)),
        Err(
            error @ (SendError::ChatClosed(_)
            | SendError::Refused(_)
            | SendError::Migrated(_)
            | SendError::TokenRefused),
        ) => {
            tracing::warn!(
                %error,
                "the channel refuses a photo: make the bot an administrator there"
            );
            let channel = channel.recipient().to_string();
            Ok(Photo::Not(t!(ctx.language, "edit-photo-channel-refuses", channel = channel)))
        }
        Err(SendError::Wait(wait)) => {
            channel.rate_limiter.pause_until(Instant::now() + wait);
            Ok(Photo::Not(t!(ctx.language, "edit-photo-not-now")))
        }
        Err(SendError::ServerFailed { .. } | SendError::NotConnected(_) | SendError::Unknown(_)) => {
            Ok(Photo::Not(t!(ctx.language, "edit-photo-not-now")))
        }
    }
}

fn largest(sizes: &[PhotoSize]) -> Option<&PhotoSize> {
    sizes.iter().max_by_key(|size| (size.width, size.height))
}
