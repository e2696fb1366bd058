//! What comes from the bus goes to its recipient's side: shoppers at once, staff in the channel's own time.

use std::{collections::BTreeSet, sync::Arc};

use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};
use tolov_domain::{
    EventId,
    notification::{Notification, Recipient, Subject},
    ports::{
        bus::{Delivery, Verdict},
        shop::Claim,
    },
};
use tolov_kit::lifecycle::{Stop, pause};

use super::{
    Notifier, Verdicts,
    journal::{AWAY_AFTER, Lease, STOP_AFTER, pauses},
    shopper::{self, News, Told},
    waiting_room::{Notice, WaitingRoom},
};

struct Intake {
    notifier: Arc<Notifier>,
    room: WaitingRoom,
    verdicts: Verdicts,
    in_flight: Arc<Semaphore>,
    sending: JoinSet<()>,
    stop: Stop,
}

/// Takes in until `stop`, then waits for the messages to shoppers that are under way.
pub(super) async fn run(
    notifier: Arc<Notifier>,
    notices: mpsc::Sender<Notice>,
    verdicts: Verdicts,
    stop: Stop,
) {
    let in_flight = Arc::new(Semaphore::new(notifier.config.in_flight_max));
    let room = WaitingRoom::new(&notifier.config, notices);
    let mut intake = Intake { notifier, room, verdicts, in_flight, sending: JoinSet::new(), stop };
    intake.take_in_until_stop().await;
    // The staff side sees that nothing more comes when its sender is dropped.
    let Intake { room, mut sending, .. } = intake;
    drop(room);
    while let Some(ended) = sending.join_next().await {
        report(ended);
    }
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "telling a shopper panicked; the notification is delivered again by the bus");
    }
}

impl Intake {
    async fn take_in_until_stop(&mut self) {
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
                    self.take_in(deliveries).await;
                }
                Err(error) => {
                    self.notifier.bus.mark_down(error);
                    pause(&self.stop, pauses.next_pause()).await;
                }
            }
        }
    }

    /// No more than could be sent at once, so that a claim never waits for a place.
    async fn receive(&self) -> Result<Vec<Delivery>, tolov_domain::ports::PortError> {
        // The permit is given back at once: nobody else takes any.
        drop(self.in_flight.acquire().await);
        self.notifier.deps.consumer.receive(self.in_flight.available_permits().max(1)).await
    }

    async fn take_in(&mut self, deliveries: Vec<Delivery>) {
        let mut shoppers = Vec::new();
        let mut seen = BTreeSet::new();
        for delivery in deliveries {
            let notification = match Notification::from_json(&delivery.body) {
                Ok(notification) => notification,
                Err(error) => {
                    tracing::warn!(notification.id = %delivery.id, %error, "a message is parked: it cannot be read");
                    self.decide(delivery, Verdict::Park { reason: error.to_string() }).await;
                    continue;
                }
            };
            match (notification.recipient, &notification.subject) {
                (Recipient::Staff, Subject::OrderExpired) => {
                    let reason = "an order that expired is for the shopper, not for staff".to_owned();
                    self.decide(delivery, Verdict::Park { reason }).await;
                }
                (Recipient::Staff, _) => {
                    if let Some((delivery, after)) =
                        self.room.admit(delivery, notification, &self.notifier.in_hand)
                    {
                        self.decide(delivery, Verdict::Later { after }).await;
                    }
                }
                // A broker may deliver twice within a batch: one claim, and the other asks again when it is settled.
                (Recipient::Shopper, _) if !seen.insert(notification.notification_id.clone()) => {
                    self.decide(delivery, Verdict::Later { after: AWAY_AFTER }).await;
                }
                (Recipient::Shopper, Subject::OrderPaid { click_paydoc_id, .. }) => {
                    let news = News::Paid(*click_paydoc_id);
                    shoppers.push(self.told(delivery, notification, news));
                }
                (Recipient::Shopper, Subject::OrderExpired) => {
                    shoppers.push(self.told(delivery, notification, News::Expired));
                }
                (Recipient::Shopper, Subject::PaymentQuestioned { .. }) => {
                    let reason = "a questioned payment is for staff, not for the shopper".to_owned();
                    self.decide(delivery, Verdict::Park { reason }).await;
                }
            }
        }
        self.tell(shoppers).await;
    }

    fn told(&self, delivery: Delivery, notification: Notification, news: News) -> Told {
        let held = self.notifier.in_hand.enter(notification.occurred_at);
        Told { delivery, notification, news, _held: held }
    }

    /// Claims for a whole batch in one call, then sends each by itself.
    async fn tell(&mut self, batch: Vec<Told>) {
        if batch.is_empty() {
            return;
        }
        let ids: Vec<EventId> = batch.iter().map(|told| told.notification.notification_id.clone()).collect();
        let (claims, lease) = match self.notifier.journal.claim(&ids, &self.stop).await {
            Ok(claimed) => claimed,
            Err(Verdict::Retry { .. }) if batch.len() > 1 => return self.tell_one_by_one(batch).await,
            Err(verdict) => {
                for told in batch {
                    self.decide(told.delivery, verdict.clone()).await;
                }
                return;
            }
        };
        for (told, claim) in batch.into_iter().zip(claims) {
            self.tell_if_claimed(told, claim, lease).await;
        }
    }

    /// The store refused a batch: one of it is the culprit, and only that one takes a step on the ladder.
    async fn tell_one_by_one(&mut self, batch: Vec<Told>) {
        for told in batch {
            let id = told.notification.notification_id.clone();
            match self.notifier.journal.claim(&[id], &self.stop).await {
                // The journal has checked that there is one claim for one notification.
                Ok((claims, lease)) => {
                    if let Some(claim) = claims.first() {
                        self.tell_if_claimed(told, *claim, lease).await;
                    }
                }
                Err(verdict) => self.decide(told.delivery, verdict).await,
            }
        }
    }

    async fn tell_if_claimed(&mut self, told: Told, claim: Claim, lease: Lease) {
        let attempt = match claim {
            Claim::Settled => return self.decide(told.delivery, Verdict::Done).await,
            Claim::Busy { until } => {
                let after = self.notifier.journal.busy_for(until);
                return self.decide(told.delivery, Verdict::Later { after }).await;
            }
            Claim::Send { attempt } => attempt,
        };
        // There is a permit: no more was received than there were, and only this task takes them.
        let Ok(permit) = Arc::clone(&self.in_flight).acquire_owned().await else {
            return self.decide(told.delivery, Verdict::Later { after: STOP_AFTER }).await;
        };
        let (notifier, verdicts, stop) =
            (Arc::clone(&self.notifier), self.verdicts.clone(), self.stop.clone());
        self.sending.spawn(async move {
            let decided = shopper::tell(&notifier, told, attempt, lease, &stop).await;
            // The other end outlives every sender.
            verdicts.send(decided).await.ok();
            drop(permit);
        });
    }

    async fn decide(&self, delivery: Delivery, verdict: Verdict) {
        self.verdicts.send((delivery, verdict)).await.ok();
    }
}
