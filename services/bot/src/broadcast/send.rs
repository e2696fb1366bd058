//! One message of a broadcast to one person.

use std::time::Duration;

use teloxide::{ApiError, types::ChatId};
use tokio::time::Instant;
use tolov_domain::UserId;
use tolov_kit::lifecycle::Stop;
use tolov_shop::{broadcast::Reached, shopper};

use crate::{
    deps::HandlerDeps,
    telegram::{
        copy::MessageGroup,
        errors::SendError,
        limits::{RateLimiter, Turn},
    },
};

/// When the next attempt is made while Telegram is unavailable.
const AWAY_FOR: Duration = Duration::from_secs(5);

/// What is sent, and how.
#[derive(Debug, Clone)]
pub(super) struct BroadcastMessage {
    pub(super) source: MessageGroup,
    pub(super) is_forward: bool,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    Ended(Reached),
    /// Not sent, and to be tried again: the stop, Telegram's "retry after", or no connection.
    Postponed,
    /// Telegram failed at this message. If it takes others meanwhile, this person is given up.
    Failing,
    /// The message that is copied, or all of the album, was deleted.
    SourceGone,
}

/// Sends in its turn, at most until `deadline`.
pub(super) async fn send(
    deps: &HandlerDeps,
    rate_limiter: &RateLimiter,
    message: &BroadcastMessage,
    id: UserId,
    (deadline, stop): (Instant, &Stop),
) -> Attempt {
    loop {
        // The broadcast's own rate is a part of the whole, so there is room for answers and notifications.
        for limiter in [rate_limiter, &*deps.rate_limiter] {
            if limiter.acquire_together(message.source.count(), deadline, stop).await != Turn::Granted {
                return Attempt::Postponed;
            }
        }
        let chat = ChatId(id.get());
        let sent = if message.is_forward {
            deps.telegram.forward_group(chat, &message.source).await
        } else {
            deps.telegram.copy_group(chat, &message.source).await
        };
        let error = match sent {
            Ok(ids) if ids.is_empty() => return Attempt::SourceGone,
            Ok(_) => return Attempt::Ended(Reached::Sent),
            Err(error) => error,
        };
        match error {
            SendError::Wait(wait) => {
                tracing::info!(wait_ms = wait.as_millis(), "Telegram asks to wait with a broadcast");
                let until = Instant::now() + wait;
                rate_limiter.pause_until(until);
                if until > deadline {
                    return Attempt::Postponed;
                }
            }
            SendError::ChatClosed(error) => {
                tracing::debug!(user.id = %id, %error, "a broadcast does not reach a person");
                record_blocked(deps, id).await;
                return Attempt::Ended(Reached::Blocked);
            }
            SendError::Refused(error) if is_about_the_source(&error) => return Attempt::SourceGone,
            // Of an unknown outcome too: nobody gets an advertisement twice.
            SendError::Refused(_) | SendError::Migrated(_) | SendError::Unknown(_) => {
                return Attempt::Ended(Reached::Failed);
            }
            SendError::ServerFailed { .. } => {
                rate_limiter.pause_until(Instant::now() + AWAY_FOR);
                return Attempt::Failing;
            }
            SendError::TokenRefused | SendError::NotConnected(_) => {
                rate_limiter.pause_until(Instant::now() + AWAY_FOR);
                return Attempt::Postponed;
            }
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the other errors are about something else")]
fn is_about_the_source(error: &ApiError) -> bool {
    match error {
        ApiError::MessageToCopyNotFound | ApiError::MessageToForwardNotFound => true,
        ApiError::Unknown(text) => {
            let text = text.to_ascii_lowercase();
            [
                "message can't be copied",
                "message can't be forwarded",
                "messages can't be copied",
                "messages can't be forwarded",
                "messages to copy",
                "messages to forward",
            ]
            .iter()
            .any(|words| text.contains(words))
        }
        _ => false,
    }
}

/// Broadcasts leave this person out until they write again.
async fn record_blocked(deps: &HandlerDeps, id: UserId) {
    if let Err(error) = shopper::mark_blocked(deps.documents(), id, deps.now()).await {
        tracing::debug!(user.id = %id, %error, "that a person blocked the bot could not be recorded");
    }
}
