//! A queue in memory with the guarantees of the bus: what is not settled is delivered again.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::Notify;
use tolov_domain::{
    EventId,
    notification::{Notification, SCHEMA},
    ports::{
        PortError,
        bus::{Consumer, Delivery, DeliveryTag, RETRY_DELAYS_MS, Verdict},
    },
};

#[derive(Debug)]
pub(crate) struct Bus {
    state: Mutex<State>,
    changed: Notify,
    /// Delays are divided by this; `None`: the test itself redelivers what is delayed.
    quicker: Option<u32>,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Delivery>,
    in_hand: BTreeMap<u64, Delivery>,
    put_off: Vec<Delivery>,
    next_number: u64,
    verdicts: Vec<(EventId, Verdict)>,
}

impl Bus {
    pub(crate) fn new(quicker: Option<u32>) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), changed: Notify::new(), quicker })
    }

    pub(crate) fn deliver(&self, notification: &Notification) {
        self.deliver_body(&notification.notification_id, notification.to_json());
    }

    pub(crate) fn deliver_body(&self, id: &EventId, body: Vec<u8>) {
        let tag = DeliveryTag { generation: 1, number: 0 };
        let schema = SCHEMA.to_owned();
        self.enqueue(Delivery { id: id.clone(), schema, body, retries: 0, traceparent: None, tag });
    }

    fn enqueue(&self, mut delivery: Delivery) {
        let mut state = self.state.lock().unwrap();
        state.next_number += 1;
        delivery.tag.number = state.next_number;
        state.queue.push_back(delivery);
        drop(state);
        self.changed.notify_waiters();
    }

    /// What the broker does when a consumer has died.
    pub(crate) fn redeliver_unsettled(&self) {
        let in_hand = std::mem::take(&mut self.state.lock().unwrap().in_hand);
        for delivery in in_hand.into_values() {
            self.enqueue(delivery);
        }
    }

    /// The delays are over.
    pub(crate) fn redeliver_put_off(&self) {
        let put_off = std::mem::take(&mut self.state.lock().unwrap().put_off);
        for delivery in put_off {
            self.enqueue(delivery);
        }
    }

    pub(crate) fn verdicts_of(&self, id: &EventId) -> Vec<Verdict> {
        let state = self.state.lock().unwrap();
        state.verdicts.iter().filter(|(other, _)| other == id).map(|(_, verdict)| verdict.clone()).collect()
    }

    pub(crate) async fn until_verdicts(&self, id: &EventId, count: usize) -> Vec<Verdict> {
        self.until(|| Some(self.verdicts_of(id)).filter(|verdicts| verdicts.len() >= count)).await
    }

    pub(crate) async fn until_empty(&self) {
        self.until(|| {
            let state = self.state.lock().unwrap();
            let left = state.queue.len() + state.in_hand.len() + state.put_off.len();
            (left == 0).then_some(())
        })
        .await;
    }

    /// Waits until everything has been handed to a consumer.
    pub(crate) async fn until_received(&self) {
        self.until(|| self.state.lock().unwrap().queue.is_empty().then_some(())).await;
    }

    async fn until<T>(&self, ready: impl Fn() -> Option<T>) -> T {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                if let Some(value) = ready() {
                    return value;
                }
                changed.await;
            }
        };
        let Ok(value) = tokio::time::timeout(Duration::from_secs(30), wait).await else {
            panic!("the bus stands still: {:?}", self.state.lock().unwrap().verdicts)
        };
        value
    }

    fn put_off(self: &Arc<Self>, delivery: Delivery, after: Duration) {
        let mut state = self.state.lock().unwrap();
        let Some(quicker) = self.quicker else {
            state.put_off.push(delivery);
            return;
        };
        // Counted as in hand until it is in the queue again, so that the bus is never seen empty in between.
        let number = delivery.tag.number;
        state.in_hand.insert(number, delivery);
        let bus = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(after / quicker).await;
            let delivery = bus.state.lock().unwrap().in_hand.remove(&number);
            if let Some(delivery) = delivery {
                bus.enqueue(delivery);
            }
        });
    }
}

/// One consumer of the bus; several may share it.
#[derive(Debug)]
pub(crate) struct Reader(pub(crate) Arc<Bus>);

#[async_trait]
impl Consumer for Reader {
    async fn receive(&self, max: usize) -> Result<Vec<Delivery>, PortError> {
        assert!(max > 0);
        loop {
            let changed = self.0.changed.notified();
            {
                let mut state = self.0.state.lock().unwrap();
                let count = max.min(state.queue.len());
                let batch: Vec<_> = state.queue.drain(..count).collect();
                for delivery in &batch {
                    state.in_hand.insert(delivery.tag.number, copy(delivery));
                }
                if count > 0 {
                    drop(state);
                    self.0.changed.notify_waiters();
                    return Ok(batch);
                }
            }
            changed.await;
        }
    }

    async fn settle(&self, verdicts: Vec<(Delivery, Verdict)>) -> Result<usize, PortError> {
        let count = verdicts.len();
        for (mut delivery, verdict) in verdicts {
            let was_in_hand = {
                let mut state = self.0.state.lock().unwrap();
                state.verdicts.push((delivery.id.clone(), verdict.clone()));
                state.in_hand.remove(&delivery.tag.number).is_some()
            };
            if was_in_hand {
                match verdict {
                    Verdict::Done | Verdict::Park { .. } => {}
                    Verdict::Later { after } => self.0.put_off(delivery, after),
                    Verdict::Retry { .. } => {
                        let step = usize::try_from(delivery.retries).unwrap();
                        delivery.retries += 1;
                        if let Some(delay_ms) = RETRY_DELAYS_MS.get(step) {
                            self.0.put_off(delivery, Duration::from_millis(*delay_ms));
                        }
                    }
                }
            }
        }
        self.0.changed.notify_waiters();
        Ok(count)
    }
}

fn copy(delivery: &Delivery) -> Delivery {
    Delivery {
        id: delivery.id.clone(),
        schema: delivery.schema.clone(),
        body: delivery.body.clone(),
        retries: delivery.retries,
        traceparent: delivery.traceparent.clone(),
        tag: delivery.tag,
    }
}
