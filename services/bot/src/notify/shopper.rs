//! Notifications to shoppers.

use std::time::Duration;

use tokio::time::Instant;
use tolov_domain::{ClickPaydocId, Tiyin, notification::Notification, ports::bus::Verdict};
use tolov_kit::lifecycle::Stop;

use crate::{
    notify::{
        claims::AWAY_AFTER,
        notifier::Notifier,
        private::{self, Told, language_of},
        texts,
    },
    orders::order_message,
    staff::orders::order_post,
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

/// Sends a notification and records it.
pub(super) async fn deliver(
    notifier: &Notifier,
    notification: &Notification,
    subject: &Subject,
    stop: &Stop,
) -> Verdict {
    let deadline = Instant::now() + notifier.config.patience;
    let Some(language) = language_of(notifier, notification.user_id, deadline, stop).await else {
        return Verdict::Later { after: AWAY_AFTER };
    };
    let html = match subject {
        Subject::Paid(payment) => texts::shopper_paid(language, notification, *payment),
        Subject::Expired => texts::shopper_expired(language, notification),
        Subject::Returned { sum, is_rest } => texts::shopper_refunded(language, notification, *sum, *is_rest),
        Subject::Receipt { url } => texts::shopper_receipt(language, notification, url),
    };
    let (id, user_id) = (&notification.notification_id, notification.user_id);
    match private::send(notifier, id, (user_id, &html), deadline, stop).await {
        Told::Sent => log_sent(notifier, notification, subject),
        Told::Undeliverable => {}
        Told::Not(verdict) => return verdict,
    }
    // The order's own message shows the same.
    let order_id = notification.order_id;
    let refreshed =
        order_message::refresh_among_others(&notifier.handlers, &notifier.after_send, order_id, language);
    if let Err(error) = refreshed.await {
        tracing::info!(order.id = %order_id, %error, "the order's message could not be updated");
    }
    if matches!(subject, Subject::Returned { .. } | Subject::Receipt { .. }) {
        order_post::refresh(&notifier.handlers, order_id).await;
    }
    Verdict::Done
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
