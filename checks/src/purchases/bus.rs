//! A bus in memory that confirms at once: what is measured is the shop store.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use tokio::sync::Notify;
use tolov_domain::{
    EventId,
    ports::{
        PortError,
        bus::{Consumer, Delivery, DeliveryTag, OutgoingMessage, Published, Publisher, Verdict},
    },
};

#[derive(Debug, Default)]
pub(crate) struct MemoryBus {
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Delivery>,
    given_out: u64,
    published: Vec<OutgoingMessage>,
    done: usize,
    /// Verdicts other than done.
    undone: Vec<Verdict>,
}

impl MemoryBus {
    pub(super) fn deliver(&self, id: EventId, schema: String, body: Vec<u8>) {
        self.with(|state| {
            state.given_out += 1;
            let tag = DeliveryTag { generation: 0, number: state.given_out };
            state.waiting.push_back(Delivery { id, schema, body, retries: 0, traceparent: None, tag });
        });
        self.arrived.notify_one();
    }

    /// What was published since the last call.
    pub(super) fn take_published(&self) -> Vec<OutgoingMessage> {
        self.with(|state| std::mem::take(&mut state.published))
    }

    /// How many deliveries were settled as done.
    pub(super) fn done(&self) -> usize {
        self.with(|state| state.done)
    }

    pub(super) fn undone(&self) -> Vec<Verdict> {
        self.with(|state| state.undone.clone())
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
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
            self.arrived.notified().await;
        }
    }

    async fn settle(&self, verdicts: Vec<(Delivery, Verdict)>) -> Result<usize, PortError> {
        let count = verdicts.len();
        let undone: Vec<Verdict> = verdicts
            .into_iter()
            .map(|(_, verdict)| verdict)
            .filter(|verdict| *verdict != Verdict::Done)
            .collect();
        self.with(|state| {
            state.done += count - undone.len();
            state.undone.extend(undone);
        });
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
