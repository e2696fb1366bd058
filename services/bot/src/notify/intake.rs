//! Receives notifications and hands each to its recipient's side: shoppers at once, staff within the rate of the channel.

use std::sync::Arc;

use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};
use tolov_domain::{
    DayCompared, UnplacedPayment, day,
    event::{EventError, schema_of},
    notification::{Notification, Recipient, Subject},
    ports::{
        PortError,
        bus::{Delivery, Verdict},
    },
    unplaced,
};
use tolov_kit::lifecycle::{Stop, pause};

use crate::notify::{
    claims::{STOP_AFTER, pauses},
    notifier::{Notifier, Verdicts},
    owners::{self, OwnersNotice},
    post_queue::{Notice, PostQueue, StaffMessage},
    shopper::{self, ShopperNotice},
};

/// What a body says, and to whom.
enum Message {
    Shopper(Notification, shopper::Subject),
    Staff(StaffMessage),
    Owners(DayCompared),
}

/// A message to private chats, with its delivery.
enum Private {
    Shopper(ShopperNotice),
    Owners(OwnersNotice),
}

/// The error is the reason for which the message is parked.
fn read(body: &[u8]) -> Result<Message, String> {
    let reason = |error: EventError| error.to_string();
    let schema = schema_of(body).map_err(reason)?;
    if schema == day::SCHEMA {
        return DayCompared::from_json(body).map(Message::Owners).map_err(reason);
    }
    if schema == unplaced::SCHEMA {
        let payment = UnplacedPayment::from_json(body).map_err(reason)?;
        return Ok(Message::Staff(StaffMessage::Unplaced(payment)));
    }
    let notification = Notification::from_json(body).map_err(reason)?;
    match (notification.recipient, &notification.subject) {
        (Recipient::Shopper, Subject::OrderPaid { click_paydoc_id, .. }) => {
            let subject = shopper::Subject::Paid(*click_paydoc_id);
            Ok(Message::Shopper(notification, subject))
        }
        (Recipient::Shopper, Subject::OrderExpired) => {
            Ok(Message::Shopper(notification, shopper::Subject::Expired))
        }
        (Recipient::Shopper, Subject::MoneyReturned { refunded_tiyin, is_rest }) => {
            let subject = shopper::Subject::Returned { sum: *refunded_tiyin, is_rest: *is_rest };
            Ok(Message::Shopper(notification, subject))
        }
        (Recipient::Shopper, Subject::ReceiptIssued { url }) => {
            let subject = shopper::Subject::Receipt { url: url.clone() };
            Ok(Message::Shopper(notification, subject))
        }
        (Recipient::Staff, Subject::ReceiptIssued { .. }) => {
            Err("a receipt is for the shopper, not for staff".to_owned())
        }
        (Recipient::Shopper, Subject::RefundUndecided { .. }) => {
            Err("an undecided refund is for staff, not for the shopper".to_owned())
        }
        (Recipient::Staff, Subject::MoneyReturned { .. }) => {
            Err("returned money is for the shopper, not for staff".to_owned())
        }
        (Recipient::Shopper, Subject::PaymentQuestioned { .. }) => {
            Err("a questioned payment is for staff, not for the shopper".to_owned())
        }
        (Recipient::Staff, Subject::OrderExpired) => {
            Err("an expired order is for the shopper, not for staff".to_owned())
        }
        (
            Recipient::Staff,
            Subject::OrderPaid { .. } | Subject::PaymentQuestioned { .. } | Subject::RefundUndecided { .. },
        ) => Ok(Message::Staff(StaffMessage::Order(notification))),
    }
}

struct Intake {
    notifier: Arc<Notifier>,
    post_queue: PostQueue,
    verdicts: Verdicts,
    in_flight: Arc<Semaphore>,
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
    let in_flight = Arc::new(Semaphore::new(notifier.config.in_flight_max));
    let post_queue = PostQueue::new(&notifier.config, notices);
    let mut intake = Intake { notifier, post_queue, verdicts, in_flight, sending: JoinSet::new(), stop };
    intake.receive_until_stop().await;
    let Intake { post_queue, mut sending, .. } = intake;
    // The side of staff ends when its sender is dropped.
    drop(post_queue);
    while let Some(ended) = sending.join_next().await {
        report(ended);
    }
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "sending a notification panicked; the bus delivers it again");
    }
}

impl Intake {
    async fn receive_until_stop(&mut self) {
        let mut pauses = pauses();
        while !self.stop.is_cancelled() {
            while let Some(ended) = self.sending.try_join_next() {
                report(ended);
            }
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
        drop(self.in_flight.acquire().await);
        self.notifier.consumer.receive(self.in_flight.available_permits().max(1)).await
    }

    async fn accept(&mut self, delivery: Delivery) {
        match read(&delivery.body) {
            Ok(Message::Shopper(notification, subject)) => {
                let held = self.notifier.in_hand.enter(notification.occurred_at);
                let notice = ShopperNotice { delivery, notification, subject, _held: held };
                self.send(Private::Shopper(notice)).await;
            }
            Ok(Message::Owners(compared)) => {
                let held = self.notifier.in_hand.enter(compared.occurred_at);
                self.send(Private::Owners(OwnersNotice { delivery, compared, _held: held })).await;
            }
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

    async fn send(&mut self, notice: Private) {
        let Ok(permit) = Arc::clone(&self.in_flight).acquire_owned().await else {
            let (Private::Shopper(ShopperNotice { delivery, .. })
            | Private::Owners(OwnersNotice { delivery, .. })) = notice;
            return self.decide(delivery, Verdict::Later { after: STOP_AFTER }).await;
        };
        let (notifier, verdicts, stop) =
            (Arc::clone(&self.notifier), self.verdicts.clone(), self.stop.clone());
        self.sending.spawn(async move {
            let decided = match notice {
                Private::Shopper(notice) => shopper::deliver(&notifier, notice, &stop).await,
                Private::Owners(notice) => owners::deliver(&notifier, notice, &stop).await,
            };
            // The receiver outlives every sender.
            verdicts.send(decided).await.ok();
            drop(permit);
        });
    }

    async fn decide(&self, delivery: Delivery, verdict: Verdict) {
        self.verdicts.send((delivery, verdict)).await.ok();
    }
}
