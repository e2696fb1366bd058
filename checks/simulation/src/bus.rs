//! A message bus in memory that passes the contract suite of the adapters.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{sync::Notify, time::Instant};
use tolov_domain::{
    EventId, TraceParent,
    ports::{
        PortError,
        bus::{
            BODY_MAX_BYTES, BusAdmin, Consumer, DELIVERY_LIMIT, DELIVERY_LIMIT_REASON, Delivery, DeliveryTag,
            OutgoingMessage, ParkedMessage, Published, Publisher, Queue, QueueDepth, RETRY_DELAYS_MS,
            Verdict,
        },
    },
};

/// Clones share the messages.
#[derive(Debug, Clone)]
pub struct MemoryBus {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    arrived: Notify,
    retry_delays_ms: [u64; 4],
}

#[derive(Debug, Default)]
struct State {
    queues: BTreeMap<&'static str, Messages>,
    last_number: u64,
}

#[derive(Debug, Default)]
struct Messages {
    ready: VecDeque<Message>,
    delayed: Vec<(Instant, Message)>,
    /// By the number of the delivery, with its consumer.
    leased: BTreeMap<u64, (u64, Message)>,
    parked: Vec<(Message, String)>,
}

#[derive(Debug, Clone)]
struct Message {
    id: EventId,
    schema: String,
    body: Vec<u8>,
    traceparent: Option<TraceParent>,
    retries: u32,
    deliveries: u32,
}

/// A reader of one queue. Dropped, it gives back what it has not settled.
#[derive(Debug)]
pub struct MemoryConsumer {
    bus: MemoryBus,
    queue: Queue,
    number: u64,
}

impl Default for MemoryBus {
    fn default() -> Self {
        Self::with_retry_delays(RETRY_DELAYS_MS)
    }
}

impl MemoryBus {
    pub fn with_retry_delays(retry_delays_ms: [u64; 4]) -> Self {
        let shared = Shared { state: Mutex::default(), arrived: Notify::new(), retry_delays_ms };
        Self { shared: Arc::new(shared) }
    }

    pub fn consumer(&self, queue: Queue) -> MemoryConsumer {
        let number = self.with(State::next_number);
        MemoryConsumer { bus: self.clone(), queue, number }
    }

    /// Every body that the queue holds, wherever it stands there.
    pub fn bodies(&self, queue: Queue) -> Vec<Vec<u8>> {
        self.with(|state| {
            let messages = state.of(queue);
            let ready = messages.ready.iter();
            let delayed = messages.delayed.iter().map(|(_, message)| message);
            let leased = messages.leased.values().map(|(_, message)| message);
            let parked = messages.parked.iter().map(|(message, _)| message);
            ready.chain(delayed).chain(leased).chain(parked).map(|message| message.body.clone()).collect()
        })
    }

    /// Nothing waits, is under way, or will be due.
    pub fn is_idle(&self) -> bool {
        Queue::ALL.into_iter().all(|queue| {
            self.with(|state| {
                let Messages { ready, delayed, leased, .. } = state.of(queue);
                ready.is_empty() && delayed.is_empty() && leased.is_empty()
            })
        })
    }

    fn store(&self, message: &OutgoingMessage) -> Published {
        if message.body.len() > BODY_MAX_BYTES {
            return Published::Rejected("the body is too large".to_owned());
        }
        let queues: Vec<Queue> = message.route.queues().collect();
        if queues.is_empty() {
            return Published::Rejected("no queue takes it".to_owned());
        }
        for queue in queues {
            let OutgoingMessage { id, schema, body, traceparent, .. } = message.clone();
            let message = Message { id, schema, body, traceparent, retries: 0, deliveries: 0 };
            self.with(|state| state.of(queue).ready.push_back(message));
        }
        self.shared.arrived.notify_waiters();
        Published::Confirmed
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn of(&mut self, queue: Queue) -> &mut Messages {
        self.queues.entry(queue.name()).or_default()
    }

    fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }
}

impl Messages {
    /// Makes what is due ready.
    fn wake(&mut self, now: Instant) {
        let (due, later) = std::mem::take(&mut self.delayed).into_iter().partition(|(at, _)| *at <= now);
        self.delayed = later;
        let mut due: Vec<(Instant, Message)> = due;
        due.sort_by_key(|(at, _)| *at);
        self.ready.extend(due.into_iter().map(|(_, message)| message));
    }

    fn give_back(&mut self, consumer: u64) {
        let (back, kept) =
            std::mem::take(&mut self.leased).into_iter().partition(|(_, (holder, _))| *holder == consumer);
        self.leased = kept;
        let back: BTreeMap<u64, (u64, Message)> = back;
        for (_, message) in back.into_values().rev() {
            if message.deliveries >= DELIVERY_LIMIT {
                self.parked.push((message, DELIVERY_LIMIT_REASON.to_owned()));
            } else {
                self.ready.push_front(message);
            }
        }
    }

    fn settle(&mut self, mut message: Message, verdict: Verdict, retry_delays_ms: [u64; 4]) {
        let now = Instant::now();
        message.deliveries = 0;
        match verdict {
            Verdict::Done => {}
            Verdict::Later { after } => self.delayed.push((now + after, message)),
            Verdict::Park { reason } => self.parked.push((message, reason)),
            Verdict::Retry { reason } => {
                let step = usize::try_from(message.retries).ok().and_then(|step| retry_delays_ms.get(step));
                match step {
                    Some(delay_ms) => {
                        message.retries += 1;
                        self.delayed.push((now + Duration::from_millis(*delay_ms), message));
                    }
                    None => self.parked.push((message, reason)),
                }
            }
        }
    }

    fn place_of_parked(&self, id: &EventId) -> Option<usize> {
        self.parked.iter().position(|(message, _)| message.id == *id)
    }
}

#[async_trait]
impl Publisher for MemoryBus {
    async fn publish(&self, window: &[OutgoingMessage]) -> Result<Vec<Published>, PortError> {
        Ok(window.iter().map(|message| self.store(message)).collect())
    }

    async fn is_reachable(&self) -> bool {
        true
    }
}

impl MemoryConsumer {
    /// Its connection is cut: what it has not settled is delivered again.
    pub fn cut(&self) {
        let queue = self.queue;
        self.bus.with(|state| state.of(queue).give_back(self.number));
        self.bus.shared.arrived.notify_waiters();
    }

    /// What is ready, or when something will be.
    fn take(&self, max: usize) -> Result<Vec<Delivery>, Option<Instant>> {
        self.bus.with(|state| {
            let now = Instant::now();
            state.of(self.queue).wake(now);
            let count = max.min(state.of(self.queue).ready.len());
            if count == 0 {
                return Err(state.of(self.queue).delayed.iter().map(|(at, _)| *at).min());
            }
            let mut deliveries = Vec::with_capacity(count);
            for _ in 0..count {
                let number = state.next_number();
                let messages = state.of(self.queue);
                let Some(mut message) = messages.ready.pop_front() else { break };
                message.deliveries += 1;
                let Message { id, schema, body, traceparent, retries, .. } = message.clone();
                let tag = DeliveryTag { generation: self.number, number };
                deliveries.push(Delivery { id, schema, body, retries, traceparent, tag });
                messages.leased.insert(number, (self.number, message));
            }
            Ok(deliveries)
        })
    }
}

impl Drop for MemoryConsumer {
    fn drop(&mut self) {
        self.cut();
    }
}

#[async_trait]
impl Consumer for MemoryConsumer {
    async fn receive(&self, max: usize) -> Result<Vec<Delivery>, PortError> {
        loop {
            let arrived = self.bus.shared.arrived.notified();
            tokio::pin!(arrived);
            arrived.as_mut().enable();
            match self.take(max) {
                Ok(deliveries) => return Ok(deliveries),
                Err(None) => arrived.await,
                Err(Some(due)) => drop(tokio::time::timeout_at(due, arrived).await),
            }
        }
    }

    async fn settle(&self, verdicts: Vec<(Delivery, Verdict)>) -> Result<usize, PortError> {
        let retry_delays_ms = self.bus.shared.retry_delays_ms;
        let settled = self.bus.with(|state| {
            let messages = state.of(self.queue);
            let mut settled = 0;
            for (delivery, verdict) in verdicts {
                let number = delivery.tag.number;
                if messages.leased.get(&number).is_some_and(|(holder, _)| *holder == self.number)
                    && let Some((_, message)) = messages.leased.remove(&number)
                {
                    messages.settle(message, verdict, retry_delays_ms);
                    settled += 1;
                }
            }
            settled
        });
        self.bus.shared.arrived.notify_waiters();
        Ok(settled)
    }
}

#[async_trait]
impl BusAdmin for MemoryBus {
    async fn depth(&self, queue: Queue) -> Result<QueueDepth, PortError> {
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        Ok(self.with(|state| {
            let messages = state.of(queue);
            messages.wake(Instant::now());
            QueueDepth {
                ready: count(messages.ready.len() + messages.leased.len()),
                retrying: count(messages.delayed.len()),
                parked: count(messages.parked.len()),
            }
        }))
    }

    async fn each_waiting(
        &self,
        queue: Queue,
        see: &mut (dyn FnMut(Vec<u8>) + Send),
    ) -> Result<(), PortError> {
        let bodies: Vec<Vec<u8>> = self.with(|state| {
            let messages = state.of(queue);
            messages.wake(Instant::now());
            let leased = messages.leased.values().map(|(_, message)| message);
            leased.chain(&messages.ready).map(|message| message.body.clone()).collect()
        });
        bodies.into_iter().for_each(see);
        Ok(())
    }

    async fn each_parked(
        &self,
        queue: Queue,
        see: &mut (dyn FnMut(ParkedMessage) + Send),
    ) -> Result<(), PortError> {
        let parked: Vec<ParkedMessage> = self.with(|state| {
            state.of(queue).parked.iter().map(|(message, reason)| shown(message, reason)).collect()
        });
        parked.into_iter().for_each(see);
        Ok(())
    }

    async fn requeue_parked(
        &self,
        queue: Queue,
        ids: &BTreeSet<EventId>,
    ) -> Result<BTreeSet<EventId>, PortError> {
        let mut missing = ids.clone();
        self.with(|state| {
            let messages = state.of(queue);
            let is_meant = |(message, _): &mut (Message, String)| missing.remove(&message.id);
            let requeued: Vec<_> = messages.parked.extract_if(.., is_meant).collect();
            let as_new = |(message, _)| Message { retries: 0, deliveries: 0, ..message };
            messages.ready.extend(requeued.into_iter().map(as_new));
        });
        self.shared.arrived.notify_waiters();
        Ok(ids - &missing)
    }

    async fn drop_parked(&self, queue: Queue, id: &EventId) -> Result<Option<ParkedMessage>, PortError> {
        Ok(self.with(|state| {
            let messages = state.of(queue);
            let place = messages.place_of_parked(id)?;
            let (message, reason) = messages.parked.remove(place);
            Some(shown(&message, &reason))
        }))
    }
}

fn shown(message: &Message, reason: &str) -> ParkedMessage {
    let Message { id, schema, body, retries, .. } = message.clone();
    ParkedMessage { id, schema, body, reason: reason.to_owned(), retries }
}
