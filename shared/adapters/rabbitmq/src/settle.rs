//! Settling: a delivery is acknowledged, moved to a retry queue, or parked.
//!
//! A message is moved by publishing it to its next queue and acknowledging it when that is confirmed. A crash in between
//! leaves it in both queues, never in none.

use std::sync::{Arc, PoisonError};

use lapin::BasicProperties;
use tolov_domain::ports::bus::{Delivery, Published, Verdict};

use crate::{
    RabbitConsumer,
    message::Metadata,
    unacked::{UnackedDelivery, Unfinished},
    window::Publication,
};

/// A delivery that is moved to another queue.
#[derive(Debug)]
struct Move {
    unacked: UnackedDelivery,
    delivery: Delivery,
    to: String,
    retries: u32,
    reason: Option<String>,
    is_parked: bool,
    expiration_ms: Option<u128>,
}

impl RabbitConsumer {
    /// Returns how many are settled. The others are redelivered: their channel is closed, or they could not be moved.
    pub(crate) async fn settle_each(&self, verdicts: Vec<(Delivery, Verdict)>) -> usize {
        let (mut done, mut moves) = (Vec::new(), Vec::new());
        for (delivery, verdict) in verdicts {
            let Some(unacked) = self.unacked.take(delivery.tag) else { continue };
            match self.destination(unacked, delivery, verdict) {
                Ok(moving) => moves.push(moving),
                Err(unacked) => done.push(unacked),
            }
        }
        let generation = done
            .first()
            .or(moves.first().map(|moving| &moving.unacked))
            .map(|unacked| unacked.tag.generation);
        let Some(generation) = generation else { return 0 };
        let unfinished = Unfinished::begin(&self.unacked, generation);
        let mut settled = self.unacked.ack(done).await;
        if !moves.is_empty() {
            let stored = self.publish_moves(moves).await;
            settled += self.unacked.ack(stored).await;
        }
        unfinished.end(true);
        settled
    }

    /// Where the verdict moves the delivery; `Err` for one that is done.
    fn destination(
        &self,
        unacked: UnackedDelivery,
        delivery: Delivery,
        verdict: Verdict,
    ) -> Result<Move, UnackedDelivery> {
        let topology = &self.shared.topology;
        let retries = delivery.retries;
        let park = |unacked, delivery, reason| {
            let to = topology.parked(self.queue);
            Move {
                unacked,
                delivery,
                to,
                retries,
                reason: Some(reason),
                is_parked: true,
                expiration_ms: None,
            }
        };
        let delay = |unacked, delivery, to, retries, reason, expiration_ms| Move {
            unacked,
            delivery,
            to,
            retries,
            reason,
            is_parked: false,
            expiration_ms,
        };
        match verdict {
            Verdict::Done => Err(unacked),
            Verdict::Retry { reason } => {
                let retry = usize::try_from(retries).unwrap_or(usize::MAX);
                Ok(match topology.retry(self.queue, retry) {
                    Some(to) => delay(unacked, delivery, to, retries + 1, Some(reason), None),
                    None => park(unacked, delivery, reason),
                })
            }
            Verdict::Later { after } => {
                let retry = topology.retry_within(after);
                Ok(match topology.retry(self.queue, retry) {
                    // An expiration of its own, since even the first queue's delay may be longer.
                    Some(to) => delay(unacked, delivery, to, retries, None, Some(after.as_millis())),
                    None => park(unacked, delivery, "there is no retry queue".to_owned()),
                })
            }
            Verdict::Park { reason } => Ok(park(unacked, delivery, reason)),
        }
    }

    /// Publishes each to its next queue. Returns those that are stored there; the others are requeued after a pause.
    async fn publish_moves(&self, moves: Vec<Move>) -> Vec<UnackedDelivery> {
        let (mut ready, mut stored, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        let mut failure = None;
        for moving in moves {
            match self.metadata(&moving).properties() {
                Ok(properties) => ready.push((moving, properties)),
                Err(why) => {
                    failure = Some(why);
                    kept.push(moving.unacked);
                }
            }
        }
        let exchange = self.shared.topology.moves(self.queue);
        let publications: Vec<_> =
            ready.iter().map(|(moving, properties)| moving.publication(&exchange, properties)).collect();
        match self.shared.publisher.publish(&publications).await {
            Ok(published) => {
                for ((moving, _), published) in ready.into_iter().zip(published) {
                    match published {
                        Published::Confirmed => {
                            moving.log();
                            stored.push(moving.unacked);
                        }
                        Published::Rejected(why) | Published::Unknown(why) => {
                            failure = Some(why);
                            kept.push(moving.unacked);
                        }
                    }
                }
            }
            Err(error) => {
                failure = Some(error.to_string());
                kept.extend(ready.into_iter().map(|(moving, _)| moving.unacked));
            }
        }
        self.requeue_later(kept, failure);
        stored
    }

    /// Requeues deliveries after a pause that grows from failure to failure: they are redelivered at once, and before
    /// RabbitMQ 4.3 each redelivery counts towards the delivery limit.
    fn requeue_later(&self, kept: Vec<UnackedDelivery>, failure: Option<String>) {
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
            "messages cannot be moved to their next queue; requeueing them"
        );
        let unacked = Arc::clone(&self.unacked);
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            unacked.requeue(kept).await;
        });
    }

    fn metadata<'a>(&'a self, moving: &'a Move) -> Metadata<'a> {
        Metadata {
            id: moving.delivery.id.as_str(),
            schema: &moving.delivery.schema,
            published_s: moving.unacked.published_s,
            app_id: &self.shared.options.app_id,
            retries: moving.retries,
            reason: moving.reason.as_deref(),
            parked_at: moving.is_parked.then(|| self.shared.options.clock.now()),
            expiration_ms: moving.expiration_ms,
            traceparent: moving.delivery.traceparent.as_ref(),
        }
    }
}

impl Move {
    fn publication<'a>(&'a self, exchange: &'a str, properties: &BasicProperties) -> Publication<'a> {
        Publication {
            exchange,
            routing_key: &self.to,
            id: self.delivery.id.as_str(),
            properties: properties.clone(),
            body: &self.delivery.body,
            is_bound: true,
        }
    }

    fn log(&self) {
        if self.is_parked {
            let (id, reason) = (self.delivery.id.as_str(), self.reason.as_deref());
            tracing::error!(event.id = id, queue = self.to, reason, "message parked");
        }
    }
}
