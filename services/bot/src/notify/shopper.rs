//! Notifications to shoppers.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use teloxide::types::{ChatId, InlineKeyboardMarkup, Recipient};
use tokio::time::Instant;
use tolov_domain::{
    ClickPaydocId, Language, Tiyin,
    notification::Notification,
    ports::{
        bus::{Delivery, Verdict},
        notifications::SendOutcome,
    },
};
use tolov_kit::{
    in_flight::InFlightGuard,
    lifecycle::{Stop, pause},
};
use tolov_shop::shopper;

use crate::{
    notify::{
        claims::{AWAY_AFTER, STOP_AFTER, pauses},
        failure::{Failure, failure_of},
        notifier::Notifier,
        texts,
    },
    orders::order_message,
    staff::orders::order_post,
    telegram::{
        errors::{SendError, description},
        limits::Turn,
    },
};

/// What a shopper is told.
#[derive(Debug, Clone)]
pub(super) enum Subject {
    Paid(ClickPaydocId),
    Expired,
    /// Money went back to the shopper.
    Returned {
        sum: Tiyin,
        /// Nothing of it is left with the shop.
        is_rest: bool,
    },
    /// The fiscal receipt is at this address.
    Receipt {
        url: String,
    },
}

/// A notification to a shopper, with its delivery.
#[derive(Debug)]
pub(super) struct ShopperNotice {
    pub(super) delivery: Delivery,
    pub(super) notification: Notification,
    pub(super) subject: Subject,
    pub(super) _held: InFlightGuard,
}

/// Sends a notification and records it; what is left is to settle the delivery. One that panics is tried again and parked
/// in the end, as one that fails is.
pub(super) async fn deliver(notifier: &Notifier, notice: ShopperNotice, stop: &Stop) -> (Delivery, Verdict) {
    let ShopperNotice { delivery, notification, subject, _held } = notice;
    let sending = AssertUnwindSafe(send(notifier, &notification, &subject, stop)).catch_unwind();
    let verdict = sending.await.unwrap_or_else(|_panic| {
        tracing::error!(notification.id = %delivery.id, "sending a notification panicked; it is tried again");
        Verdict::Retry { reason: "sending it panicked".to_owned() }
    });
    (delivery, verdict)
}

async fn send(notifier: &Notifier, notification: &Notification, subject: &Subject, stop: &Stop) -> Verdict {
    let deadline = Instant::now() + notifier.config.patience;
    let Some(language) = language_of(notifier, notification, deadline, stop).await else {
        return Verdict::Later { after: AWAY_AFTER };
    };
    let html = match subject {
        Subject::Paid(payment) => texts::shopper_paid(language, notification, *payment),
        Subject::Expired => texts::shopper_expired(language, notification),
        Subject::Returned { sum, is_rest } => texts::shopper_refunded(language, notification, *sum, *is_rest),
        Subject::Receipt { url } => texts::shopper_receipt(language, notification, url),
    };
    // Telegram gives the private chat the user's id.
    let chat = Recipient::Id(ChatId(notification.user_id.get()));
    loop {
        match notifier.handlers.rate_limiter.acquire(deadline, stop).await {
            Turn::Granted => {}
            Turn::TooLong(after) => return Verdict::Later { after },
            Turn::Stopped => return Verdict::Later { after: STOP_AFTER },
        }
        let wait = match attempt(notifier, notification, subject, (&chat, &html), stop).await {
            Ok(verdict) => return verdict,
            Err(wait) => wait,
        };
        let until = Instant::now() + wait;
        notifier.handlers.telegram.record_wait(&chat, wait);
        if until > deadline {
            return Verdict::Later { after: wait };
        }
        if !pause(stop, wait).await {
            return Verdict::Later { after: STOP_AFTER };
        }
    }
}

/// Claims, sends and records, at the moment of the send. The error is how long Telegram asks to wait.
async fn attempt(
    notifier: &Notifier,
    notification: &Notification,
    subject: &Subject,
    (chat, html): (&Recipient, &str),
    stop: &Stop,
) -> Result<Verdict, Duration> {
    let (id, order_id) = (&notification.notification_id, notification.order_id);
    let claimed = match notifier.claims.claim(id, stop).await {
        Ok(claimed) => claimed,
        Err(verdict) => return Ok(verdict),
    };
    if claimed.attempt > 1 {
        tracing::info!(order.id = %order_id, notification.id = %id, claimed.attempt, "sending once more");
    }
    let telegram = &notifier.handlers.telegram;
    let sent = telegram.send(chat.clone(), html.to_owned(), InlineKeyboardMarkup::default()).await;
    let outcome = match sent {
        Ok(message) => {
            log_sent(notifier, notification, subject);
            SendOutcome::Sent { message_id: message.message_id.into() }
        }
        Err(SendError::Wait(wait)) => {
            tracing::warn!(wait_ms = wait.as_millis(), "Telegram asks to wait");
            notifier.claims.release(std::slice::from_ref(id)).await;
            return Err(wait);
        }
        Err(SendError::ChatClosed(error)) => {
            let reason = description(&error);
            tracing::info!(order.id = %order_id, reason, "the shopper cannot be written to");
            SendOutcome::Undeliverable { reason }
        }
        Err(error) => {
            if matches!(error, SendError::Refused(_)) {
                tracing::warn!(order.id = %order_id, %error, "Telegram refuses a notification; it is parked");
            } else {
                tracing::debug!(order.id = %order_id, %error, "a notification is not sent yet");
            }
            return Ok(match failure_of(error, claimed) {
                Failure::NotSent(verdict) => {
                    notifier.claims.release(std::slice::from_ref(id)).await;
                    verdict
                }
                Failure::Unknown(verdict) => verdict,
            });
        }
    };
    notifier.claims.record(std::slice::from_ref(id), &outcome).await;
    // The order's own message shows the same.
    if let Err(error) = order_message::refresh(&notifier.handlers, order_id).await {
        tracing::info!(order.id = %order_id, %error, "the order's message could not be updated");
    }
    if matches!(subject, Subject::Returned { .. } | Subject::Receipt { .. }) {
        order_post::refresh(&notifier.handlers, order_id).await;
    }
    Ok(Verdict::Done)
}

fn log_sent(notifier: &Notifier, notification: &Notification, subject: &Subject) {
    let order_id = notification.order_id;
    match subject {
        Subject::Paid(_) => {
            let lag = notifier.handlers.now() - notification.occurred_at;
            metrics::histogram!("tolov_paid_to_notified_seconds")
                .record(Duration::try_from(lag).unwrap_or_default());
            let paid_to_notified_ms = i64::try_from(lag.whole_milliseconds()).unwrap_or(i64::MAX);
            tracing::info!(order.id = %order_id, paid_to_notified_ms, "shopper told");
        }
        Subject::Expired => tracing::info!(order.id = %order_id, "shopper told that the order expired"),
        Subject::Returned { .. } => tracing::info!(order.id = %order_id, "shopper told of a refund"),
        Subject::Receipt { .. } => tracing::info!(order.id = %order_id, "shopper told of the receipt"),
    }
}

/// `None`: the store is unavailable until the deadline.
async fn language_of(
    notifier: &Notifier,
    notification: &Notification,
    deadline: Instant,
    stop: &Stop,
) -> Option<Language> {
    let mut pauses = pauses();
    loop {
        match shopper::shopper(notifier.handlers.documents(), notification.user_id).await {
            Ok(shopper) => return Some(shopper.and_then(|shopper| shopper.language).unwrap_or_default()),
            Err(error) if error.is_unavailable() => {
                notifier.claims.store.mark_down(error);
                let next = pauses.next_pause();
                if Instant::now() + next > deadline || !pause(stop, next).await {
                    return None;
                }
            }
            Err(error) => {
                tracing::warn!(order.id = %notification.order_id, %error, "the shopper's language cannot be read");
                return Some(Language::default());
            }
        }
    }
}
