//! Telling a shopper.

use std::time::Duration;

use teloxide::types::{ChatId, Recipient};
use tokio::time::Instant;
use tolov_domain::{
    ClickPaydocId, Language,
    notification::Notification,
    ports::{
        bus::{Delivery, Verdict},
        shop::Outcome,
    },
};
use tolov_kit::{
    in_flight::InFlightGuard,
    lifecycle::{Stop, pause},
};

use super::{
    Ending, Notifier,
    journal::{AWAY_AFTER, Lease, pauses},
    send::{Sent, ending_of},
};
use crate::{order_message, render, telegram::SendError};

/// What a shopper hears of an order.
#[derive(Debug, Clone, Copy)]
pub(super) enum News {
    Paid(ClickPaydocId),
    Expired,
}

/// What a shopper is to hear, with the delivery that asks for it.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) delivery: Delivery,
    pub(super) notification: Notification,
    pub(super) news: News,
    pub(super) _held: InFlightGuard,
}

/// Sends a claimed message and records how it ended; what is left is to acknowledge.
pub(super) async fn tell(
    notifier: &Notifier,
    told: Told,
    attempt: u32,
    lease: Lease,
    stop: &Stop,
) -> (Delivery, Verdict) {
    let Told { delivery, notification, news, _held } = told;
    if attempt > 1 {
        let Notification { notification_id, order_id, .. } = &notification;
        tracing::info!(order.id = %order_id, notification.id = %notification_id, attempt, "sending once more");
    }
    let ids = [notification.notification_id.clone()];
    let verdict = match attempt_to_tell(notifier, &notification, news, attempt, lease, stop).await {
        Ending::Final(outcome) => {
            notifier.journal.record(&ids, &outcome).await;
            follow(notifier, &notification).await;
            Verdict::Done
        }
        Ending::Free(verdict) => {
            notifier.journal.release(&ids).await;
            verdict
        }
        Ending::Leased(verdict) => verdict,
    };
    (delivery, verdict)
}

/// The order's own message shows the same. It is a picture of the store: whoever looks again brings it up to date.
async fn follow(notifier: &Notifier, notification: &Notification) {
    if let Err(error) = order_message::refresh(&notifier.handlers, notification.order_id).await {
        tracing::info!(order.id = %notification.order_id, ?error, "the order's message could not be brought up to date");
    }
}

async fn attempt_to_tell(
    notifier: &Notifier,
    notification: &Notification,
    news: News,
    attempt: u32,
    lease: Lease,
    stop: &Stop,
) -> Ending {
    let Some(language) = language_of(notifier, notification, lease, stop).await else {
        return Ending::Free(Verdict::Later { after: AWAY_AFTER });
    };
    let html = match news {
        News::Paid(payment) => render::shopper_paid(language, notification, payment),
        News::Expired => render::shopper_expired(language, notification),
    };
    // The number of a shopper is the number of the private chat.
    let chat = Recipient::Id(ChatId(notification.user_id.get()));
    match notifier.send_in_turn(chat, &html, lease, stop).await {
        Sent::As(message_id) => {
            log_told(notifier, notification, news);
            Ending::Final(Outcome::Sent { message_id })
        }
        Sent::NotNow(after) => Ending::Free(Verdict::Later { after }),
        Sent::Failed(SendError::ChatClosed(reason)) => {
            tracing::info!(order.id = %notification.order_id, reason, "a shopper cannot be told");
            Ending::Final(Outcome::Undeliverable { reason })
        }
        Sent::Failed(error) => {
            if let SendError::Refused(reason) = &error {
                tracing::warn!(order.id = %notification.order_id, reason, "Telegram does not take a message; it is parked");
            }
            tracing::debug!(order.id = %notification.order_id, ?error, "a shopper is not told yet");
            ending_of(error, attempt, lease)
        }
    }
}

fn log_told(notifier: &Notifier, notification: &Notification, news: News) {
    let order_id = notification.order_id;
    match news {
        News::Paid(_) => {
            let lag = notifier.deps.clock.now() - notification.occurred_at;
            metrics::histogram!("tolov_paid_to_notified_seconds")
                .record(Duration::try_from(lag).unwrap_or_default());
            let paid_to_notified_ms = i64::try_from(lag.whole_milliseconds()).unwrap_or(i64::MAX);
            tracing::info!(order.id = %order_id, paid_to_notified_ms, "shopper told");
        }
        News::Expired => tracing::info!(order.id = %order_id, "shopper told that the order expired"),
    }
}

/// The shopper's language; `None` when the store is away for too long.
async fn language_of(
    notifier: &Notifier,
    notification: &Notification,
    lease: Lease,
    stop: &Stop,
) -> Option<Language> {
    let mut pauses = pauses();
    loop {
        match notifier.deps.shop.user(notification.user_id).await {
            Ok(user) => return Some(user.and_then(|user| user.language).unwrap_or_default()),
            Err(error) if error.is_unavailable() => {
                notifier.journal.store.mark_down(error);
                let next = pauses.next_pause();
                if Instant::now() + next > lease.send_by || !pause(stop, next).await {
                    return None;
                }
            }
            Err(error) => {
                tracing::warn!(order.id = %notification.order_id, %error, "the shopper's language is not known");
                return Some(Language::default());
            }
        }
    }
}
