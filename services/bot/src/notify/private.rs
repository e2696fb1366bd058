//! One notification to the private chat of one person.

use std::time::Duration;

use teloxide::types::{ChatId, InlineKeyboardMarkup, Recipient};
use tokio::time::Instant;
use tolov_domain::{
    EventId, Language, UserId,
    ports::{bus::Verdict, notifications::SendOutcome},
};
use tolov_kit::lifecycle::{Stop, pause};
use tolov_shop::shopper;

use crate::{
    notify::{
        claims::{STOP_AFTER, pauses},
        failure::{Failure, failure_of},
        notifier::Notifier,
    },
    telegram::{
        errors::{SendError, description},
        limits::Turn,
    },
};

/// What became of a notification.
#[derive(Debug)]
pub(super) enum Told {
    Sent,
    /// The person cannot be written to.
    Undeliverable,
    /// It is not sent now; the delivery gets this verdict. `Done`: it was settled before.
    Not(Verdict),
}

/// Sends a notification, and records it.
pub(super) async fn send(
    notifier: &Notifier,
    id: &EventId,
    (user_id, html): (UserId, &str),
    deadline: Instant,
    stop: &Stop,
) -> Told {
    // Telegram gives the private chat the user's id.
    let chat_id = ChatId(user_id.get());
    let chat = Recipient::Id(chat_id);
    let handlers = &notifier.handlers;
    // Until it is recorded. It is never closed.
    let _sending = notifier.sends.acquire().await;
    loop {
        let turn = match handlers.telegram.chat_limits.acquire(chat_id, deadline, stop).await {
            Turn::Granted => handlers.rate_limiter.acquire(deadline, stop).await,
            refused @ (Turn::TooLong(_) | Turn::Stopped) => refused,
        };
        match turn {
            Turn::Granted => {}
            Turn::TooLong(after) => return Told::Not(Verdict::Later { after }),
            Turn::Stopped => return Told::Not(Verdict::Later { after: STOP_AFTER }),
        }
        let wait = match attempt(notifier, id, (&chat, html), stop).await {
            Ok(told) => return told,
            Err(wait) => wait,
        };
        let until = Instant::now() + wait;
        handlers.telegram.record_wait(&chat, wait);
        if until > deadline {
            return Told::Not(Verdict::Later { after: wait });
        }
        if !pause(stop, wait).await {
            return Told::Not(Verdict::Later { after: STOP_AFTER });
        }
    }
}

/// Claims, sends and records, at the moment of the send. The error is how long Telegram asks to wait.
async fn attempt(
    notifier: &Notifier,
    id: &EventId,
    (chat, html): (&Recipient, &str),
    stop: &Stop,
) -> Result<Told, Duration> {
    let claimed = match notifier.claims.claim(id, stop).await {
        Ok(claimed) => claimed,
        Err(verdict) => return Ok(Told::Not(verdict)),
    };
    if claimed.attempt > 1 {
        tracing::info!(notification.id = %id, claimed.attempt, "sending once more");
    }
    let telegram = &notifier.handlers.telegram;
    let sent = telegram.send(chat.clone(), html.to_owned(), InlineKeyboardMarkup::default()).await;
    let (outcome, told) = match sent {
        Ok(message) => (SendOutcome::Sent { message_id: message.message_id.into() }, Told::Sent),
        Err(SendError::Wait(wait)) => {
            tracing::warn!(wait_ms = wait.as_millis(), "Telegram asks to wait");
            notifier.claims.release(std::slice::from_ref(id)).await;
            return Err(wait);
        }
        Err(SendError::ChatClosed(error)) => {
            let reason = description(&error);
            tracing::info!(notification.id = %id, reason, "the person cannot be written to");
            (SendOutcome::Undeliverable { reason }, Told::Undeliverable)
        }
        Err(error) => {
            if matches!(error, SendError::Refused(_)) {
                tracing::warn!(notification.id = %id, %error, "Telegram refuses a notification; it is parked");
            } else {
                tracing::debug!(notification.id = %id, %error, "a notification is not sent yet");
            }
            return Ok(Told::Not(match failure_of(error, claimed) {
                Failure::NotSent(verdict) => {
                    notifier.claims.release(std::slice::from_ref(id)).await;
                    verdict
                }
                Failure::Unknown(verdict) => verdict,
            }));
        }
    };
    notifier.claims.record_one(id, &outcome).await;
    Ok(told)
}

/// The language that a person has chosen. `None`: the store is unavailable until the deadline.
pub(super) async fn language_of(
    notifier: &Notifier,
    user_id: UserId,
    deadline: Instant,
    stop: &Stop,
) -> Option<Language> {
    let mut pauses = pauses();
    loop {
        match shopper::shopper(&notifier.before_send, user_id).await {
            Ok(shopper) => return Some(shopper.and_then(|shopper| shopper.language).unwrap_or_default()),
            Err(error) if error.is_unavailable() => {
                notifier.claims.store.mark_down(error);
                let next = pauses.next_pause();
                if Instant::now() + next > deadline || !pause(stop, next).await {
                    return None;
                }
            }
            Err(error) => {
                tracing::warn!(%user_id, %error, "the person's language cannot be read");
                return Some(Language::default());
            }
        }
    }
}
