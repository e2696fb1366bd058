//! The ports as one process sees them: every call may fail, lose its answer or be the process's last.

use std::sync::Arc;

use async_trait::async_trait;
use tolov_domain::{
    EventId,
    ports::{
        PortError,
        bus::{Consumer, Delivery, OutgoingMessage, Published, Publisher, Verdict},
        documents::{
            Collection, Document, Documents, Key, Query, Sequence, Unreadable, Version, Write, Written,
        },
        notifications::{Claim, NotificationLog, SendOutcome, Settled},
    },
    time::Timestamp,
};

use tolov_shop::shopper::USERS;

use crate::{
    bus::{MemoryBus, MemoryConsumer},
    faults::{Faults, Part, Process},
    models::{carts::Carts, telegram::Telegram},
    store::MemoryStore,
};

#[derive(Debug, Clone)]
pub(crate) struct FaultyStore {
    pub(crate) store: MemoryStore,
    pub(crate) faults: Faults,
    pub(crate) process: Process,
    /// Hears which notifications are claimed for a send.
    pub(crate) telegram: Arc<Telegram>,
    /// Hears what becomes of carts.
    pub(crate) carts: Carts,
}

impl FaultyStore {
    async fn call<T>(&self, call: impl Future<Output = Result<T, PortError>>) -> Result<T, PortError> {
        self.faults.before(self.process, Part::Store).await?;
        let done = call.await;
        self.faults.after(self.process).await?;
        done
    }

    /// A batch is no transaction: the process may die between two of its writes.
    async fn put(&self, collection: Collection, writes: &[Write]) -> Result<Vec<Written>, PortError> {
        let mut written = Vec::with_capacity(writes.len());
        for write in writes {
            if collection == USERS {
                self.carts.will_be_written(&self.store, self.process, write).await?;
            }
            written.extend(self.store.put_many(collection, std::slice::from_ref(write)).await?);
            if self.faults.draw(|random, rates| random.per_mille(rates.crash)) {
                self.faults.crash(self.process);
                std::future::pending::<()>().await;
            }
        }
        Ok(written)
    }
}

#[async_trait]
impl Documents for FaultyStore {
    async fn get_many(
        &self,
        collection: Collection,
        keys: &[Key],
    ) -> Result<Vec<Result<Document, Unreadable>>, PortError> {
        self.call(self.store.get_many(collection, keys)).await
    }

    async fn put_many(&self, collection: Collection, writes: &[Write]) -> Result<Vec<Written>, PortError> {
        // Refuses what is no batch.
        tolov_domain::ports::documents::checked_batch(writes)?;
        self.call(self.put(collection, writes)).await
    }

    async fn remove(&self, collection: Collection, key: &Key, seen: Version) -> Result<bool, PortError> {
        self.call(self.store.remove(collection, key, seen)).await
    }

    async fn find(&self, query: &Query) -> Result<Vec<Result<Document, Unreadable>>, PortError> {
        self.call(self.store.find(query)).await
    }

    async fn count(&self, query: &Query) -> Result<u64, PortError> {
        self.call(self.store.count(query)).await
    }

    async fn next_number(&self, sequence: Sequence, above: i64) -> Result<i64, PortError> {
        self.call(self.store.next_number(sequence, above)).await
    }
}

#[async_trait]
impl NotificationLog for FaultyStore {
    async fn claim(
        &self,
        ids: &[EventId],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Claim>, PortError> {
        let claims = self.call(self.store.claim(ids, now, lease_until)).await?;
        let granted = ids.iter().zip(&claims).filter(|(_, claim)| matches!(claim, Claim::Send { .. }));
        self.telegram.claimed(granted.map(|(id, _)| id.clone()).collect());
        Ok(claims)
    }

    async fn release(&self, ids: &[EventId]) -> Result<(), PortError> {
        self.call(self.store.release(ids)).await
    }

    async fn settle_each(&self, outcomes: &[(EventId, SendOutcome)], at: Timestamp) -> Result<(), PortError> {
        let settled = self.call(self.store.settle_each(outcomes, at)).await;
        if settled.is_err() {
            self.telegram.not_recorded(outcomes.iter().map(|(id, _)| id));
        }
        settled
    }

    async fn outcomes(&self, ids: &[EventId]) -> Result<Vec<Option<Settled>>, PortError> {
        self.call(self.store.outcomes(ids)).await
    }
}

#[derive(Debug)]
pub(crate) struct FaultyPublisher {
    pub(crate) bus: MemoryBus,
    pub(crate) faults: Faults,
    pub(crate) process: Process,
}

#[async_trait]
impl Publisher for FaultyPublisher {
    async fn publish(&self, window: &[OutgoingMessage]) -> Result<Vec<Published>, PortError> {
        self.faults.before(self.process, Part::Bus).await?;
        let mut outcomes = Vec::with_capacity(window.len());
        for message in window {
            let (is_stored, is_lost, is_refused) = self.faults.draw(|random, rates| {
                let (is_lost, is_refused) = (random.per_mille(rates.lose), random.per_mille(rates.fail));
                (!is_lost || random.per_mille(500), is_lost, is_refused)
            });
            if is_refused {
                outcomes.push(Published::Rejected("its queue is missing".to_owned()));
                continue;
            }
            if is_stored {
                self.bus.publish(std::slice::from_ref(message)).await?;
            }
            outcomes.push(if is_lost {
                Published::Unknown("its confirm was lost".to_owned())
            } else {
                Published::Confirmed
            });
        }
        self.faults.after(self.process).await?;
        Ok(outcomes)
    }

    async fn is_reachable(&self) -> bool {
        true
    }
}

#[derive(Debug)]
pub(crate) struct FaultyConsumer {
    pub(crate) consumer: MemoryConsumer,
    pub(crate) faults: Faults,
    pub(crate) process: Process,
}

#[async_trait]
impl Consumer for FaultyConsumer {
    async fn receive(&self, max: usize) -> Result<Vec<Delivery>, PortError> {
        self.faults.before(self.process, Part::Bus).await?;
        let few = self.faults.draw(|random, _| random.below(8) + 1);
        self.consumer.receive(max.min(usize::try_from(few).unwrap_or(1))).await
    }

    async fn settle(&self, verdicts: Vec<(Delivery, Verdict)>) -> Result<usize, PortError> {
        if let Err(error) = self.faults.before(self.process, Part::Bus).await {
            self.consumer.cut();
            return Err(error);
        }
        let settled = self.consumer.settle(verdicts).await;
        self.faults.after(self.process).await?;
        settled
    }
}
