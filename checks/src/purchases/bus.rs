//! A bus in memory that confirms at once: what is measured is the shop store.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::Notify;
use tolov_domain::{
    EventId,
    ports::{
        PortError,
        bus::{
            Consumer, Delivery, DeliveryTag, OutgoingMessage, Published, Publisher, RETRY_DELAYS_MS, Verdict,
        },
    },
};

#[derive(Debug, Default, Clone)]
pub(crate) struct MemoryBus {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Delivery>,
    given_out: u64,
    published: Vec<OutgoingMessage>,
    done: usize,
    /// Deliveries that were wanted again later.
    again: usize,
    parked: Vec<Verdict>,
}

impl MemoryBus {
    pub(super) fn deliver(&self, id: EventId, schema: String, body: Vec<u8>) {
        self.with(|state| {
            state.given_out += 1;
            let tag = DeliveryTag { generation: 0, number: state.given_out };
            state.waiting.push_back(Delivery { id, schema, body, retries: 0, traceparent: None, tag });
        });
        self.inner.arrived.notify_one();
    }

    /// What was published since the last call.
    pub(super) fn take_published(&self) -> Vec<OutgoingMessage> {
        self.with(|state| std::mem::take(&mut state.published))
    }

    /// How many deliveries were settled as done.
    pub(super) fn done(&self) -> usize {
        self.with(|state| state.done)
    }

    pub(super) fn parked(&self) -> Vec<Verdict> {
        self.with(|state| state.parked.clone())
    }

    /// How many deliveries were wanted again later.
    pub(super) fn again(&self) -> usize {
        self.with(|state| state.again)
    }

    fn deliver_after(&self, delivery: Delivery, after: Duration) {
        let bus = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            bus.with(|state| {
                state.again += 1;
                state.waiting.push_back(delivery);
            });
            bus.inner.arrived.notify_one();
        });
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.inner.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Consumer for MemoryBus {
    async fn receive(&self, max: usize) -> Result<Vec<Delivery>, PortError> {
        loop {
            let received: Vec<Delivery> = self.with(|state| {
                let count = max.min(state.waiting.len());
                state.waiting.drain(..count).collect()
            });
            if !received.is_empty() {
                return Ok(received);
            }
            self.inner.arrived.notified().await;
        }
    }

    async fn settle(&self, verdicts: Vec<(Delivery, Verdict)>) -> Result<usize, PortError> {
        let count = verdicts.len();
        for (delivery, verdict) in verdicts {
            match verdict {
                Verdict::Done => self.with(|state| state.done += 1),
                Verdict::Later { after } => self.deliver_after(delivery, after),
                Verdict::Retry { .. } => {
                    self.deliver_after(delivery, Duration::from_millis(RETRY_DELAYS_MS[0]));
                }
                Verdict::Park { .. } => self.with(|state| state.parked.push(verdict)),
            }
        }
        Ok(count)
    }
}

#[async_trait]
impl Publisher for MemoryBus {
    async fn publish(&self, window: &[OutgoingMessage]) -> Result<Vec<Published>, PortError> {
        self.with(|state| state.published.extend_from_slice(window));
        Ok(vec![Published::Confirmed; window.len()])
    }

    async fn is_reachable(&self) -> bool {
        true
    }
}
