//! A bus in memory, and a shop store that can be away, refuse, or let the process die at a write.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use time::macros::datetime;
use tokio::sync::Notify;
use tolov_contract::memory::MemoryDocuments;
use tolov_domain::{
    ClickPaydocId, ClickTransId, Event, EventId, EventKind, OrderId, OrderedProduct, PrepareId, ProductId,
    Tiyin, UserId,
    ports::{
        PortError,
        bus::{Consumer, Delivery, DeliveryTag, OutgoingMessage, Published, Publisher, Verdict},
        documents::{
            Collection, Document, Documents, Key, Query, Sequence, Unreadable, Version, Write, Written,
        },
    },
};
use tolov_kit::clock::SystemClock;
use tolov_projector::{Config, Deps, Projector};

/// Where a process dies: at this point it waits for ever, and the test aborts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CrashAt {
    /// Before anything is read from the store.
    BeforeStore,
    /// After this many documents were written.
    AfterWrites(usize),
    AfterPublish,
    AfterSettle,
}

#[derive(Debug, Default)]
pub(crate) struct World {
    state: Mutex<State>,
    pub(crate) documents: MemoryDocuments,
    arrived: Notify,
    pub(crate) crashed: Notify,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) crash_at: Option<CrashAt>,
    queue: VecDeque<Delivery>,
    /// Handed out, not settled: delivered again when the process dies.
    in_hand: BTreeMap<u64, EventId>,
    bodies: BTreeMap<EventId, Vec<u8>>,
    next_number: u64,
    /// Every verdict, in order.
    pub(crate) verdicts: Vec<(EventId, Verdict)>,
    /// Every publication that was stored, repetitions included.
    pub(crate) published: Vec<OutgoingMessage>,
    /// The store is away for this many calls.
    pub(crate) store_away_calls: usize,
    /// Reading the document of this order is refused.
    pub(crate) store_refuses: Option<Key>,
    /// How often the store was called.
    pub(crate) store_calls: usize,
    /// How many documents were written.
    pub(crate) writes: usize,
    /// What the bus says to the next publications; an empty queue confirms all.
    pub(crate) publisher_says: VecDeque<PublisherSays>,
    pub(crate) unroutable: BTreeSet<EventId>,
}

#[derive(Debug)]
pub(crate) enum PublisherSays {
    Away,
    /// Stored, but the confirm was lost.
    UnknownButStored,
}

impl World {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn projector(self: &Arc<Self>) -> Projector {
        let hold = std::time::Duration::from_mins(1);
        self.projector_that_holds(hold)
    }

    pub(crate) fn projector_that_holds(self: &Arc<Self>, hold: std::time::Duration) -> Projector {
        let deps = Deps {
            consumer: Arc::<Self>::clone(self),
            publisher: Arc::<Self>::clone(self),
            documents: Arc::<Self>::clone(self),
            clock: Arc::new(SystemClock),
        };
        Projector::new(deps, Config { hold, ..Config::default() })
    }

    pub(crate) fn deliver(&self, id: &EventId, body: Vec<u8>) {
        let mut state = self.state();
        state.bodies.insert(id.clone(), body.clone());
        let number = state.next_number;
        state.next_number += 1;
        let tag = DeliveryTag { generation: 1, number };
        let schema = "test".to_owned();
        state.queue.push_back(Delivery { id: id.clone(), schema, body, retries: 0, traceparent: None, tag });
        drop(state);
        self.arrived.notify_one();
    }

    pub(crate) fn deliver_event(&self, event: &Event) {
        self.deliver(&event.id, event.to_json());
    }

    /// What the broker does when the reader's connection is gone.
    pub(crate) fn redeliver_unsettled(&self) {
        let unsettled: Vec<_> = {
            let mut state = self.state();
            let in_hand = std::mem::take(&mut state.in_hand);
            in_hand.into_values().map(|id| (id.clone(), state.bodies[&id].clone())).collect()
        };
        for (id, body) in unsettled {
            self.deliver(&id, body);
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        let state = self.state();
        state.queue.is_empty() && state.in_hand.is_empty()
    }

    pub(crate) fn published_ids(&self) -> BTreeSet<String> {
        self.state().published.iter().map(|message| message.id.to_string()).collect()
    }

    async fn crash_if(&self, point: CrashAt) {
        let is_here = self.state().crash_at == Some(point);
        if is_here {
            self.crashed.notify_one();
            std::future::pending::<()>().await;
        }
    }

    /// What every call of the store meets first.
    async fn store_call(&self, keys: &[Key]) -> Result<(), PortError> {
        self.crash_if(CrashAt::BeforeStore).await;
        let mut state = self.state();
        state.store_calls += 1;
        if state.store_away_calls > 0 {
            state.store_away_calls -= 1;
            return Err(PortError::Unavailable("no store".to_owned()));
        }
        match &state.store_refuses {
            Some(refused) if keys.contains(refused) => {
                Err(PortError::Refused("a document that no rule allows".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Consumer for World {
    async fn receive(&self, max: usize) -> Result<Vec<Delivery>, PortError> {
        loop {
            {
                let mut state = self.state();
                let count = max.min(state.queue.len());
                if count > 0 {
                    let batch: Vec<_> = state.queue.drain(..count).collect();
                    for delivery in &batch {
                        state.in_hand.insert(delivery.tag.number, delivery.id.clone());
                    }
                    return Ok(batch);
                }
            }
            self.arrived.notified().await;
        }
    }

    async fn settle(&self, verdicts: Vec<(Delivery, Verdict)>) -> Result<usize, PortError> {
        let count = verdicts.len();
        for (delivery, verdict) in verdicts {
            let mut state = self.state();
            state.in_hand.remove(&delivery.tag.number);
            state.verdicts.push((delivery.id, verdict));
        }
        self.crash_if(CrashAt::AfterSettle).await;
        Ok(count)
    }
}

#[async_trait]
impl Publisher for World {
    async fn publish(&self, window: &[OutgoingMessage]) -> Result<Vec<Published>, PortError> {
        let decisions = {
            let mut state = self.state();
            let says = state.publisher_says.pop_front();
            if matches!(says, Some(PublisherSays::Away)) {
                return Err(PortError::Unavailable("no broker".to_owned()));
            }
            let mut ids = BTreeSet::new();
            assert!(window.iter().all(|message| ids.insert(&message.id)), "ids are distinct: {window:?}");
            let mut decisions = Vec::new();
            for message in window {
                if state.unroutable.contains(&message.id) {
                    decisions.push(Published::Rejected("NO_ROUTE".to_owned()));
                    continue;
                }
                state.published.push(message.clone());
                decisions.push(match says {
                    Some(_) => Published::Unknown("the confirm did not come".to_owned()),
                    None => Published::Confirmed,
                });
            }
            decisions
        };
        self.crash_if(CrashAt::AfterPublish).await;
        Ok(decisions)
    }

    async fn is_reachable(&self) -> bool {
        true
    }
}

#[async_trait]
impl Documents for World {
    async fn get_many(
        &self,
        collection: Collection,
        keys: &[Key],
    ) -> Result<Vec<Result<Document, Unreadable>>, PortError> {
        self.store_call(keys).await?;
        self.documents.get_many(collection, keys).await
    }

    async fn put_many(&self, collection: Collection, writes: &[Write]) -> Result<Vec<Written>, PortError> {
        self.store_call(&[]).await?;
        let mut answers = Vec::new();
        for write in writes {
            answers.extend(self.documents.put_many(collection, std::slice::from_ref(write)).await?);
            let written = {
                let mut state = self.state();
                state.writes += 1;
                state.writes
            };
            self.crash_if(CrashAt::AfterWrites(written)).await;
        }
        Ok(answers)
    }

    async fn remove(&self, collection: Collection, key: &Key, seen: Version) -> Result<bool, PortError> {
        self.store_call(&[]).await?;
        self.documents.remove(collection, key, seen).await
    }

    async fn find(&self, query: &Query) -> Result<Vec<Result<Document, Unreadable>>, PortError> {
        self.store_call(&[]).await?;
        self.documents.find(query).await
    }

    async fn count(&self, query: &Query) -> Result<u64, PortError> {
        self.store_call(&[]).await?;
        self.documents.count(query).await
    }

    async fn next_number(&self, sequence: Sequence, above: i64) -> Result<i64, PortError> {
        self.store_call(&[]).await?;
        self.documents.next_number(sequence, above).await
    }
}

pub(crate) fn expired(order_number: i64) -> Event {
    let order_id = OrderId::try_new(order_number).unwrap();
    let id = Event::id_of(order_id, &EventKind::OrderExpired);
    Event { id, kind: EventKind::OrderExpired, ..paid(order_number) }
}

pub(crate) fn paid(order_number: i64) -> Event {
    let order_id = OrderId::try_new(order_number).unwrap();
    let kind = EventKind::PaymentCompleted {
        click_trans_id: ClickTransId::try_new(order_number).unwrap(),
        click_paydoc_id: ClickPaydocId::try_new(order_number).unwrap(),
        merchant_prepare_id: PrepareId::try_new(order_number).unwrap(),
        late: false,
    };
    Event {
        id: Event::id_of(order_id, &kind),
        order_id,
        user_id: UserId::try_new(5551).unwrap(),
        products: vec![OrderedProduct { product_id: ProductId::try_new(7).unwrap(), count: 2 }],
        amount: Tiyin::from_soum(27_000).unwrap(),
        occurred_at: datetime!(2026-11-23 07:05:06 UTC),
        kind,
    }
}
