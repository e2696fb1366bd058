//! How often a store is called, for budgets of commands.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use tolov_domain::{
    EventId,
    ports::{
        PortError,
        documents::{
            Body, Collection, Document, Documents, Key, Put, Query, Sequence, Unreadable, Version, Write,
            Written,
        },
        notifications::{Claim, NotificationLog, SendOutcome, Settled},
    },
    time::Timestamp,
};

/// A store whose calls are counted by method and by what they are about. Clones share the store and the counts.
///
/// A call is one command of MongoDB (a claim of what was claimed before is two) and at most one transaction of SQLite. Calls with an empty list are
/// not counted, since no store is asked.
#[derive(Debug)]
pub struct CountingDocuments<S: ?Sized> {
    store: Arc<S>,
    calls: Arc<Mutex<Calls>>,
    documents_read: Arc<Mutex<BTreeMap<&'static str, usize>>>,
}

/// Calls by the name of their method, and by collection or sequence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calls(BTreeMap<(&'static str, &'static str), u64>);

/// What calls of the log are about.
const NOTIFICATIONS: &str = "notifications";

impl Calls {
    pub fn of(&self, method: &str) -> u64 {
        self.0.iter().filter(|((of, _), _)| *of == method).map(|(_, count)| count).sum()
    }

    /// Each method with what it was called about, and how often.
    pub fn each(&self) -> impl Iterator<Item = (String, u64)> {
        self.0.iter().map(|((method, about), count)| (format!("{method} {about}"), *count))
    }

    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Calls that write: each is a transaction of its own on SQLite.
    pub fn writes(&self) -> u64 {
        let reads = ["get", "get_many", "find", "count", "outcomes"];
        self.0.iter().filter(|((method, _), _)| !reads.contains(method)).map(|(_, count)| count).sum()
    }
}

impl fmt::Display for Calls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls: Vec<String> = self.each().map(|(call, count)| format!("{call} {count}")).collect();
        formatter.write_str(&calls.join(", "))
    }
}

impl<S: ?Sized> CountingDocuments<S> {
    pub fn new(store: Arc<S>) -> Self {
        Self { store, calls: Arc::default(), documents_read: Arc::default() }
    }

    /// The calls since the start, or since the last [`Self::reset`].
    pub fn calls(&self) -> Calls {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many documents of a collection those calls have brought.
    pub fn documents_read(&self, collection: &str) -> usize {
        let read = self.documents_read.lock().unwrap_or_else(PoisonError::into_inner);
        read.get(collection).copied().unwrap_or_default()
    }

    pub fn reset(&self) {
        self.documents_read.lock().unwrap_or_else(PoisonError::into_inner).clear();
        *self.calls.lock().unwrap_or_else(PoisonError::into_inner) = Calls::default();
    }

    fn count_call(&self, method: &'static str, about: &'static str, asks: bool) -> &S {
        if asks {
            let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
            *calls.0.entry((method, about)).or_default() += 1;
        }
        &self.store
    }

    fn count_read(&self, collection: Collection, count: usize) {
        let mut read = self.documents_read.lock().unwrap_or_else(PoisonError::into_inner);
        *read.entry(collection.name()).or_default() += count;
    }
}

impl<S: ?Sized> Clone for CountingDocuments<S> {
    fn clone(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            calls: Arc::clone(&self.calls),
            documents_read: Arc::clone(&self.documents_read),
        }
    }
}

#[async_trait]
impl<S: Documents + ?Sized> Documents for CountingDocuments<S> {
    async fn get(&self, collection: Collection, key: &Key) -> Result<Option<Document>, PortError> {
        let found = self.count_call("get", collection.name(), true).get(collection, key).await?;
        self.count_read(collection, usize::from(found.is_some()));
        Ok(found)
    }

    async fn get_many(
        &self,
        collection: Collection,
        keys: &[Key],
    ) -> Result<Vec<Result<Document, Unreadable>>, PortError> {
        let store = self.count_call("get_many", collection.name(), !keys.is_empty());
        let found = store.get_many(collection, keys).await?;
        self.count_read(collection, found.len());
        Ok(found)
    }

    async fn put(
        &self,
        collection: Collection,
        key: &Key,
        seen: Option<Version>,
        body: &Body,
    ) -> Result<Put, PortError> {
        self.count_call("put", collection.name(), true).put(collection, key, seen, body).await
    }

    async fn put_many(&self, collection: Collection, writes: &[Write]) -> Result<Vec<Written>, PortError> {
        self.count_call("put_many", collection.name(), !writes.is_empty()).put_many(collection, writes).await
    }

    async fn remove(&self, collection: Collection, key: &Key, seen: Version) -> Result<bool, PortError> {
        self.count_call("remove", collection.name(), true).remove(collection, key, seen).await
    }

    async fn find(&self, query: &Query) -> Result<Vec<Result<Document, Unreadable>>, PortError> {
        let found = self.count_call("find", query.collection.name(), true).find(query).await?;
        self.count_read(query.collection, found.len());
        Ok(found)
    }

    async fn count(&self, query: &Query) -> Result<u64, PortError> {
        self.count_call("count", query.collection.name(), true).count(query).await
    }

    async fn next_number(&self, sequence: Sequence, above: i64) -> Result<i64, PortError> {
        self.count_call("next_number", sequence.name(), true).next_number(sequence, above).await
    }
}

#[async_trait]
impl<S: NotificationLog + ?Sized> NotificationLog for CountingDocuments<S> {
    async fn claim(
        &self,
        ids: &[EventId],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Claim>, PortError> {
        self.count_call("claim", NOTIFICATIONS, !ids.is_empty()).claim(ids, now, lease_until).await
    }

    async fn release(&self, ids: &[EventId]) -> Result<(), PortError> {
        self.count_call("release", NOTIFICATIONS, !ids.is_empty()).release(ids).await
    }

    async fn settle_each(&self, outcomes: &[(EventId, SendOutcome)], at: Timestamp) -> Result<(), PortError> {
        self.count_call("settle", NOTIFICATIONS, !outcomes.is_empty()).settle_each(outcomes, at).await
    }

    async fn outcomes(&self, ids: &[EventId]) -> Result<Vec<Option<Settled>>, PortError> {
        self.count_call("outcomes", NOTIFICATIONS, !ids.is_empty()).outcomes(ids).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryDocuments;

    const STAFF: Collection = Collection::new("staff", &[]);

    #[tokio::test]
    async fn calls_are_counted_by_method_and_empty_lists_are_not() -> Result<(), PortError> {
        let store = CountingDocuments::new(Arc::new(MemoryDocuments::default()));
        let write = Write { key: Key::Number(1), seen: None, body: Body::new() };
        store.put_many(STAFF, &[write]).await?;
        store.put_many(STAFF, &[]).await?;
        store.get_many(STAFF, &[]).await?;
        for _ in 0..2 {
            assert!(store.clone().get(STAFF, &Key::Number(1)).await?.is_some());
        }
        let calls = store.calls();
        assert_eq!((calls.of("get"), calls.of("put_many"), calls.of("get_many")), (2, 1, 0));
        assert_eq!(
            (calls.total(), calls.writes(), calls.to_string()),
            (3, 1, "get staff 2, put_many staff 1".to_owned())
        );
        assert_eq!(store.documents_read("staff"), 2);
        store.reset();
        assert_eq!((store.calls().total(), store.documents_read("staff")), (0, 0));
        Ok(())
    }
}
