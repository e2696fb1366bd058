//! A bus in memory that confirms at once: what is measured is the shop store.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use tolov_domain::{
    Event,
    ports::{
        PortError,
        bus::{Consumer, Delivery, DeliveryTag, OutgoingMessage, Published, Publisher, Verdict},
    },
};

#[derive(Debug, Default)]
pub(super) struct MemoryBus {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Delivery>,
    given_out: u64,
    notifications: usize,
    /// Verdicts other than done.
    undone: Vec<Verdict>,
}

impl MemoryBus {
    pub(super) fn deliver(&self, event: &Event) {
        self.with(|state| {
            state.given_out += 1;
            state.waiting.push_back(Delivery {
                id: event.id.clone(),
                schema: event.kind.schema(),
                body: event.to_json(),
                retries: 0,
                tag: DeliveryTag { generation: 0, number: state.given_out },
            });
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.with(|state| state.waiting.is_empty())
    }

    pub(super) fn notifications(&self) -> usize {
        self.with(|state| state.notifications)
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
        Ok(self.with(|state| {
            let count = max.min(state.waiting.len());
            state.waiting.drain(..count).collect()
        }))
    }

    async fn settle(&self, verdicts: Vec<(Delivery, Verdict)>) -> Result<usize, PortError> {
        let count = verdicts.len();
        let undone =
            verdicts.into_iter().map(|(_, verdict)| verdict).filter(|verdict| *verdict != Verdict::Done);
        self.with(|state| state.undone.extend(undone));
        Ok(count)
    }
}

#[async_trait]
impl Publisher for MemoryBus {
    async fn publish(&self, window: &[OutgoingMessage]) -> Result<Vec<Published>, PortError> {
        self.with(|state| state.notifications += window.len());
        Ok(vec![Published::Confirmed; window.len()])
    }

    async fn is_reachable(&self) -> bool {
        true
    }
}
