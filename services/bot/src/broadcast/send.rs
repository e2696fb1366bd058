//! One message of a broadcast to one person.

use std::time::Duration;

use teloxide::types::ChatId;
use tokio::time::Instant;
use tolov_domain::UserId;
use tolov_kit::lifecycle::Stop;
use tolov_shop::{broadcast::Reached, profile};

use crate::{
    deps::HandlerDeps,
    telegram::{
        copy::MessageRef,
        errors::SendError,
        limits::{Pace, Turn},
    },
};

/// When the next try is made while Telegram is away.
const AWAY_FOR: Duration = Duration::from_secs(5);

/// What is sent, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct BroadcastMessage {
    pub(super) source: MessageRef,
    pub(super) is_forward: bool,
}

/// How a try ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    As(Reached),
    /// Not sent, and to be tried again: told to stop, Telegram wants to be left alone, or is away.
    NotYet,
    /// Telegram failed at this message itself; where it takes others meanwhile, this person is given up.
    Failing,
    /// The message that is copied is gone.
    SourceGone,
}

/// Sends when its turn comes, at most until `deadline`.
pub(super) async fn send(
    deps: &HandlerDeps,
    pace: &Pace,
    message: BroadcastMessage,
    id: UserId,
    (deadline, stop): (Instant, &Stop),
) -> Attempt {
    loop {
        // First the broadcast's own pace, which is a part of the whole: so there is room for who waits for an answer.
        for line in [pace, &*deps.overall] {
            if line.turn(deadline, stop).await != Turn::Yours {
                return Attempt::NotYet;
            }
        }
        let chat = ChatId(id.get());
        let sent = if message.is_forward {
            deps.telegram.forward(chat, message.source).await
        } else {
            deps.telegram.copy(chat, message.source).await
        };
        let Err(error) = sent else { return Attempt::As(Reached::Sent) };
        match error {
            SendError::Wait(wait) => {
                tracing::info!(wait_ms = wait.as_millis(), "Telegram asks to wait with a broadcast");
                let until = Instant::now() + wait;
                pace.hold_until(until);
                if until > deadline {
                    return Attempt::NotYet;
                }
            }
            SendError::ChatClosed(reason) => {
                tracing::debug!(user.id = %id, reason, "a broadcast does not reach a person");
                keep_blocked(deps, id).await;
                return Attempt::As(Reached::Blocked);
            }
            SendError::Refused(reason) if is_about_the_source(&reason) => return Attempt::SourceGone,
            SendError::Refused(_) | SendError::Migrated(_) => return Attempt::As(Reached::Failed),
            // Perhaps sent: nobody gets an advertisement twice for that.
            SendError::Unknown(_) => return Attempt::As(Reached::Failed),
            SendError::ServerFailed { .. } => {
                pace.hold_until(Instant::now() + AWAY_FOR);
                return Attempt::Failing;
            }
            SendError::TokenRefused | SendError::NotConnected(_) => {
                pace.hold_until(Instant::now() + AWAY_FOR);
                return Attempt::NotYet;
            }
        }
    }
}

fn is_about_the_source(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    [
        "message to copy not found",
        "message to forward not found",
        "message can't be copied",
        "message can't be forwarded",
    ]
    .iter()
    .any(|words| reason.contains(words))
}

/// Broadcasts leave this person out until a message comes again.
async fn keep_blocked(deps: &HandlerDeps, id: UserId) {
    let now = deps.now();
    let kept = profile::change(deps.documents(), id, now, |profile| {
        profile.blocked_at.get_or_insert(now);
    });
    if let Err(error) = kept.await {
        tracing::debug!(user.id = %id, %error, "that somebody has blocked the bot could not be kept");
    }
}
