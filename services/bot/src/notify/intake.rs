//! Receives notifications and hands each to its recipient's side: shoppers at once, staff within the rate of the channel.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use tokio::{sync::mpsc, task::JoinSet};
use tolov_domain::{
    DayCompared, UnplacedPayment, day,
    event::{EventError, schema_of},
    notification::{Notification, Recipient, Subject},
    ports::{
        PortError,
        bus::{Delivery, Verdict},
    },
    time::Timestamp,
    unplaced,
};
use tolov_kit::{
    lifecycle::{Stop, pause},
    spans,
};

use crate::notify::{
    claims::{STOP_AFTER, pauses},
    notifier::{Notifier, Verdicts},
    owners,
    post_queue::{Notice, PostQueue, StaffMessage},
    shopper,
};

/// What a body says, and to whom.
enum Message {
    Private(Private),
    Staff(StaffMessage),
}

/// A message to private chats.
enum Private {
    Shopper(Notification, shopper::Subject),
    Owners(DayCompared),
}

impl Private {
    fn occurred_at(&self) -> Timestamp {
        match self {
            Self::Shopper(notification, _) => notification.occurred_at,
            Self::Owners(compared) => compared.occurred_at,
        }
    }

    /// Sends it and records it; what is left is to settle the delivery.
    async fn deliver(&self, notifier: &Notifier, stop: &Stop) -> Verdict {
        match self {
            Self::Shopper(notification, subject) => {
                shopper::deliver(notifier, notification, subject, stop).await
            }
            Self::Owners(compared) => owners::deliver(notifier, compared, stop).await,
        }
    }
}

/// The error is the reason for which the message is parked.
fn read(body: &[u8]) -> Result<Message, String> {
    let reason = |error: EventError| error.to_string();
    let schema = schema_of(body).map_err(reason)?;
    if schema == day::SCHEMA {
        let compared = DayCompared::from_json(body).map_err(reason)?;
        return Ok(Message::Private(Private::Owners(compared)));
    }
    if schema == unplaced::SCHEMA {
        let payment = UnplacedPayment::from_json(body).map_err(reason)?;
        return Ok(Message::Staff(StaffMessage::Unplaced(payment)));
    }
    let notification = Notification::from_json(body).map_err(reason)?;
    let subject = match (notification.recipient, &notification.subject) {
        (Recipient::Shopper, Subject::OrderPaid { click_paydoc_id, .. }) => {
            shopper::Subject::Paid(*click_paydoc_id)
        }
        (Recipient::Shopper, Subject::OrderExpired) => shopper::Subject::Expired,
        (Recipient::Shopper, Subject::MoneyReturned { refunded_tiyin, is_rest }) => {
            shopper::Subject::Returned { sum: *refunded_tiyin, is_rest: *is_rest }
        }
        (Recipient::Shopper, Subject::ReceiptIssued { url }) => {
            shopper::Subject::Receipt { url: url.clone() }
        }
        (Recipient::Staff, Subject::ReceiptIssued { .. }) => {
            return Err("a receipt is for the shopper, not for staff".to_owned());
        }
        (Recipient::Shopper, Subject::RefundUndecided { .. }) => {
            return Err("an undecided refund is for staff, not for the shopper".to_owned());
        }
        (Recipient::Staff, Subject::MoneyReturned { .. }) => {
            return Err("returned money is for the shopper, not for staff".to_owned());
        }
        (Recipient::Shopper, Subject::PaymentQuestioned { .. }) => {
            return Err("a questioned payment is for staff, not for the shopper".to_owned());
        }
        (Recipient::Staff, Subject::OrderExpired) => {
            return Err("an expired order is for the shopper, not for staff".to_owned());
        }
        (
            Recipient::Staff,
            Subject::OrderPaid { .. } | Subject::PaymentQuestioned { .. } | Subject::RefundUndecided { .. },
        ) => return Ok(Message::Staff(StaffMessage::Order(notification))),
    };
    Ok(Message::Private(Private::Shopper(notification, subject)))
}

struct Intake {
    notifier: Arc<Notifier>,
    post_queue: PostQueue,
    verdicts: Verdicts,
    sending: JoinSet<()>,
    stop: Stop,
}

/// Receives until `stop`, then waits for the messages to shoppers that are under way.
pub(super) async fn run(
    notifier: Arc<Notifier>,
    notices: mpsc::Sender<Notice>,
    verdicts: Verdicts,
    stop: Stop,
) {
    let post_queue = PostQueue::new(&notifier.config, notices);
    let mut intake = Intake { notifier, post_queue, verdicts, sending: JoinSet::new(), stop };
    intake.receive_until_stop().await;
    let Intake { post_queue, mut sending, .. } = intake;
    // The side of staff ends when its sender is dropped.
    drop(post_queue);
    while sending.join_next().await.is_some() {}
}

impl Intake {
    async fn receive_until_stop(&mut self) {
        let mut pauses = pauses();
        while !self.stop.is_cancelled() {
            while self.sending.try_join_next().is_some() {}
            let stop = self.stop.clone();
            let received = tokio::select! {
                () = stop.cancelled() => return,
                received = self.receive() => received,
            };
            match received {
                Ok(deliveries) => {
                    pauses.reset();
                    for delivery in deliveries {
                        self.accept(delivery).await;
                    }
                }
                Err(error) => {
                    self.notifier.bus.mark_down(error);
                    pause(&self.stop, pauses.next_pause()).await;
                }
            }
        }
    }

    /// No more than can be sent at once.
    async fn receive(&self) -> Result<Vec<Delivery>, PortError> {
        // The permit is returned at once: only this task takes any.
        drop(self.notifier.in_flight.acquire().await);
        self.notifier.consumer.receive(self.notifier.in_flight.available_permits().max(1)).await
    }

    async fn accept(&mut self, delivery: Delivery) {
        match read(&delivery.body) {
            Ok(Message::Private(message)) => self.send(delivery, message).await,
            Ok(Message::Staff(message)) => {
                let refused = self.post_queue.enqueue(delivery, message, &self.notifier.in_hand);
                if let Some((delivery, after)) = refused {
                    self.decide(delivery, Verdict::Later { after }).await;
                }
            }
            Err(reason) => {
                tracing::warn!(notification.id = %delivery.id, reason, "a notification cannot be read; it is parked");
                self.decide(delivery, Verdict::Park { reason }).await;
            }
        }
    }

    /// One that panics is tried again and parked in the end, as one that fails is.
    async fn send(&mut self, delivery: Delivery, message: Private) {
        let held = self.notifier.in_hand.enter(message.occurred_at());
        let Ok(permit) = Arc::clone(&self.notifier.in_flight).acquire_owned().await else {
            return self.decide(delivery, Verdict::Later { after: STOP_AFTER }).await;
        };
        let (notifier, verdicts, stop) =
            (Arc::clone(&self.notifier), self.verdicts.clone(), self.stop.clone());
        self.sending.spawn(async move {
            let cause = delivery.traceparent.clone().map(Into::into);
            let delivering = spans::within(cause, message.deliver(&notifier, &stop));
            let verdict = AssertUnwindSafe(delivering).catch_unwind().await.unwrap_or_else(|_panic| {
                tracing::error!(notification.id = %delivery.id, "sending a notification panicked; it is tried again");
                Verdict::Retry { reason: "sending it panicked".to_owned() }
            });
            drop(held);
            // The receiver outlives every sender.
            verdicts.send((delivery, verdict)).await.ok();
            drop(permit);
        });
    }

    async fn decide(&self, delivery: Delivery, verdict: Verdict) {
        self.verdicts.send((delivery, verdict)).await.ok();
    }
}
