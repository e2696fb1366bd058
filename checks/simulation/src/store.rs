//! A shop store in memory that passes the contract suites of the adapters.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use tolov_contract::memory::{MemoryCopy, MemoryDocuments};
use tolov_domain::{
    EventId,
    ports::{
        PortError,
        documents::{
            Collection, Document, Documents, Key, Query, Sequence, Unreadable, Version, Write, Written,
        },
        notifications::{Claim, NotificationLog, SendOutcome, Settled},
    },
    time::{Timestamp, is_due},
};

/// Clones share the contents.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    pub documents: MemoryDocuments,
    notifications: Arc<Mutex<BTreeMap<EventId, Entry>>>,
}

/// A dump.
#[derive(Debug, Clone)]
pub(crate) struct StoreCopy {
    documents: MemoryCopy,
    notifications: BTreeMap<EventId, Entry>,
}

#[derive(Debug, Clone, Default)]
struct Entry {
    attempts: u32,
    leased_until: Option<Timestamp>,
    settled: Option<Settled>,
}

impl MemoryStore {
    pub fn all_outcomes(&self) -> BTreeMap<EventId, SendOutcome> {
        let entries = self.entries();
        entries
            .iter()
            .filter_map(|(id, entry)| Some((id.clone(), entry.settled.as_ref()?.outcome.clone())))
            .collect()
    }

    pub(crate) fn copy(&self) -> StoreCopy {
        StoreCopy { documents: self.documents.copy(), notifications: self.entries().clone() }
    }

    pub(crate) fn put_back(&self, copy: &StoreCopy) {
        self.documents.put_back(&copy.documents);
        self.entries().clone_from(&copy.notifications);
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<EventId, Entry>> {
        self.notifications.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl NotificationLog for MemoryStore {
    async fn claim(
        &self,
        ids: &[EventId],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Claim>, PortError> {
        let mut entries = self.entries();
        let claims = ids.iter().map(|id| {
            let entry = entries.entry(id.clone()).or_default();
            if entry.settled.is_some() {
                return Claim::Settled;
            }
            match entry.leased_until {
                Some(until) if !is_due(until, now, lease_until) => Claim::Busy { until },
                _ => {
                    entry.attempts += 1;
                    entry.leased_until = Some(lease_until);
                    Claim::Send { attempt: entry.attempts }
                }
            }
        });
        Ok(claims.collect())
    }

    async fn release(&self, ids: &[EventId]) -> Result<(), PortError> {
        let mut entries = self.entries();
        for id in ids {
            if let Some(entry) = entries.get_mut(id)
                && entry.settled.is_none()
                && entry.leased_until.take().is_some()
            {
                entry.attempts = entry.attempts.saturating_sub(1);
            }
        }
        Ok(())
    }

    async fn settle_each(&self, outcomes: &[(EventId, SendOutcome)], at: Timestamp) -> Result<(), PortError> {
        let mut entries = self.entries();
        for (id, outcome) in outcomes {
            let entry = entries.entry(id.clone()).or_default();
            entry.leased_until = None;
            entry.settled.get_or_insert_with(|| Settled { outcome: outcome.clone(), at });
        }
        Ok(())
    }

    async fn outcomes(&self, ids: &[EventId]) -> Result<Vec<Option<Settled>>, PortError> {
        let entries = self.entries();
        Ok(ids.iter().map(|id| entries.get(id)?.settled.clone()).collect())
    }
}

#[async_trait]
impl Documents for MemoryStore {
    async fn get_many(
        &self,
        collection: Collection,
        keys: &[Key],
    ) -> Result<Vec<Result<Document, Unreadable>>, PortError> {
        self.documents.get_many(collection, keys).await
    }

    async fn put_many(&self, collection: Collection, writes: &[Write]) -> Result<Vec<Written>, PortError> {
        self.documents.put_many(collection, writes).await
    }

    async fn remove(&self, collection: Collection, key: &Key, seen: Version) -> Result<bool, PortError> {
        self.documents.remove(collection, key, seen).await
    }

    async fn find(&self, query: &Query) -> Result<Vec<Result<Document, Unreadable>>, PortError> {
        self.documents.find(query).await
    }

    async fn count(&self, query: &Query) -> Result<u64, PortError> {
        self.documents.count(query).await
    }

    async fn next_number(&self, sequence: Sequence, above: i64) -> Result<i64, PortError> {
        self.documents.next_number(sequence, above).await
    }
}
