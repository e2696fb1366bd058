//! What becomes of a delivery: acknowledged, moved down the ladder, or parked.
//!
//! A message is moved by publishing it to its next queue and acknowledging it only when that is confirmed. A crash
//! in between leaves it in both, which the reader bears (every effect is guarded); it is never in none.

use std::sync::{Arc, PoisonError};

use lapin::BasicProperties;
use tolov_domain::ports::bus::{Delivery, Published, Verdict};

use crate::{
    RabbitConsumer,
    message::Note,
    unsettled::{Held, Unfinished},
    window::Parcel,
};

/// A delivery that goes to another queue.
#[derive(Debug)]
struct Move {
    held: Held,
    delivery: Delivery,
    to: String,
    retries: u32,
    reason: Option<String>,
    parked: bool,
    expiration_ms: Option<u128>,
}

impl RabbitConsumer {
    /// Returns how many are settled for good. The rest come again: their channel is gone, or they could not be moved.
    pub(crate) async fn settle_each(&self, verdicts: Vec<(Delivery, Verdict)>) -> usize {
        let (mut done, mut moves) = (Vec::new(), Vec::new());
        for (delivery, verdict) in verdicts {
            let Some(held) = self.unsettled.take(delivery.tag) else { continue };
            match self.destination(held, delivery, verdict) {
                Ok(moving) => moves.push(moving),
                Err(held) => done.push(held),
            }
        }
        let generation =
            done.first().or(moves.first().map(|moving| &moving.held)).map(|held| held.tag.generation);
        let Some(generation) = generation else { return 0 };
        let unfinished = Unfinished::begin(&self.unsettled, generation);
        let mut settled = self.unsettled.ack(done).await;
        if !moves.is_empty() {
            let stored = self.publish_moves(moves).await;
            settled += self.unsettled.ack(stored).await;
        }
        unfinished.end(true);
        settled
    }

    /// Where the verdict sends the delivery; `Err` for one that is done.
    fn destination(&self, held: Held, delivery: Delivery, verdict: Verdict) -> Result<Move, Held> {
        let topology = &self.shared.topology;
        let retries = delivery.retries;
        let parked = |held, delivery, reason| {
            let to = topology.parked(self.queue);
            Move { held, delivery, to, retries, reason: Some(reason), parked: true, expiration_ms: None }
        };
        let waiting = |held, delivery, to, retries, reason, expiration_ms| Move {
            held,
            delivery,
            to,
            retries,
            reason,
            parked: false,
            expiration_ms,
        };
        match verdict {
            Verdict::Done => Err(held),
            Verdict::Retry { reason } => {
                let step = usize::try_from(retries).unwrap_or(usize::MAX);
                Ok(match topology.retry(self.queue, step) {
                    Some(to) => waiting(held, delivery, to, retries + 1, Some(reason), None),
                    None => parked(held, delivery, reason),
                })
            }
            Verdict::Later { after } => {
                let step = topology.step_at_least(after);
                Ok(match topology.retry(self.queue, step) {
                    // The queue's own delay may be much longer. Only those that went in before it, and leave by the
                    // queue's delay at the latest, can hold it up.
                    Some(to) => waiting(held, delivery, to, retries, None, Some(after.as_millis())),
                    None => parked(held, delivery, "there is no retry queue".to_owned()),
                })
            }
            Verdict::Park { reason } => Ok(parked(held, delivery, reason)),
        }
    }

    /// Publishes each to where it goes. Returns those that are stored there; the others are given back to their
    /// queue after a pause.
    async fn publish_moves(&self, moves: Vec<Move>) -> Vec<Held> {
        let (mut ready, mut stored, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        let mut failure = None;
        for moving in moves {
            match self.note(&moving).properties() {
                Ok(properties) => ready.push((moving, properties)),
                Err(why) => {
                    failure = Some(why);
                    kept.push(moving.held);
                }
            }
        }
        let parcels: Vec<_> = ready.iter().map(|(moving, properties)| moving.parcel(properties)).collect();
        match self.shared.windows.publish(&parcels).await {
            Ok(published) => {
                for ((moving, _), published) in ready.into_iter().zip(published) {
                    match published {
                        Published::Confirmed => {
                            moving.log();
                            stored.push(moving.held);
                        }
                        Published::Rejected(why) | Published::Unknown(why) => {
                            failure = Some(why);
                            kept.push(moving.held);
                        }
                    }
                }
            }
            Err(error) => {
                failure = Some(error.to_string());
                kept.extend(ready.into_iter().map(|(moving, _)| moving.held));
            }
        }
        self.give_back(kept, failure);
        stored
    }

    /// Gives deliveries back to their queue after a pause that grows from failure to failure: the queue would hand
    /// them out again at once, and before RabbitMQ 4.3 each round counts towards the delivery limit.
    fn give_back(&self, kept: Vec<Held>, failure: Option<String>) {
        let mut pauses = self.requeue_pauses.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(why) = failure else {
            pauses.reset();
            return;
        };
        let pause = pauses.next_pause();
        tracing::warn!(
            queue = self.queue.name(),
            count = kept.len(),
            why,
            pause_ms = pause.as_millis(),
            "messages cannot be moved to their next queue; they come again"
        );
        let unsettled = Arc::clone(&self.unsettled);
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            unsettled.requeue(kept).await;
        });
    }

    fn note<'a>(&'a self, moving: &'a Move) -> Note<'a> {
        Note {
            id: moving.delivery.id.as_str(),
            schema: &moving.delivery.schema,
            published_s: moving.held.published_s,
            app_id: &self.shared.options.app_id,
            retries: moving.retries,
            reason: moving.reason.as_deref(),
            parked_at: moving.parked.then(|| self.shared.options.clock.now()),
            expiration_ms: moving.expiration_ms,
        }
    }
}

impl Move {
    fn parcel<'a>(&'a self, properties: &BasicProperties) -> Parcel<'a> {
        Parcel {
            // The default exchange, which takes a message straight to the queue with this name.
            exchange: "",
            routing_key: &self.to,
            id: self.delivery.id.as_str(),
            properties: properties.clone(),
            body: &self.delivery.body,
        }
    }

    fn log(&self) {
        if self.parked {
            let (id, reason) = (self.delivery.id.as_str(), self.reason.as_deref());
            tracing::error!(event.id = id, queue = self.to, reason, "a message was given up and parked");
        }
    }
}
