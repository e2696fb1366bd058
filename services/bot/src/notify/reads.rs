//! The documents of those who are told at the same time: what is read of a collection is read in one command.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use tolov_domain::ports::{
    PortError,
    documents::{Collection, Document, Documents, Key, Query, Sequence, Unreadable, Version, Write, Written},
};

use crate::notify::together::{Others, Together};

type Found = Vec<Result<Document, Unreadable>>;
type Lane = Together<Vec<Key>, Result<Found, PortError>>;

/// A store whose documents are read by key together with others of their collection; the rest goes to the store as it is.
#[derive(Debug)]
pub(super) struct GroupedReads {
    store: Arc<dyn Documents>,
    lanes: Mutex<HashMap<Collection, Arc<Lane>>>,
    /// For whom a command waits a moment. `None`: for nobody.
    others: Option<Others>,
}

impl GroupedReads {
    /// For those who wait for what they read.
    pub(super) fn at_once(store: Arc<dyn Documents>) -> Self {
        Self { store, lanes: Mutex::default(), others: None }
    }

    /// For those for whom nobody waits.
    pub(super) fn with(others: Others, store: Arc<dyn Documents>) -> Self {
        Self { others: Some(others), ..Self::at_once(store) }
    }

    fn lane(&self, collection: Collection) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || self.others.clone().map_or_else(Together::at_once, Together::with);
        Arc::clone(lanes.entry(collection).or_insert_with(|| Arc::new(new())))
    }

    async fn read(&self, collection: Collection, wanted: Vec<Vec<Key>>) -> Vec<Result<Found, PortError>> {
        let keys: Vec<Key> = wanted.iter().flatten().cloned().collect();
        let found = match self.store.get_many(collection, &keys).await {
            Ok(found) => found,
            Err(error) => return vec![Err(error); wanted.len()],
        };
        let of = |keys: &Vec<Key>| {
            let is_wanted = |document: &&Result<Document, Unreadable>| match document {
                Ok(Document { key, .. }) | Err(Unreadable { key, .. }) => keys.contains(key),
            };
            Ok(found.iter().filter(is_wanted).cloned().collect())
        };
        wanted.iter().map(of).collect()
    }
}

#[async_trait]
impl Documents for GroupedReads {
    async fn get_many(&self, collection: Collection, keys: &[Key]) -> Result<Found, PortError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let lane = self.lane(collection);
        let found = lane.call(keys.to_vec(), |wanted| self.read(collection, wanted)).await;
        found.unwrap_or_else(|given_up| Err(given_up.into()))
    }

    async fn put_many(&self, collection: Collection, writes: &[Write]) -> Result<Vec<Written>, PortError> {
        self.store.put_many(collection, writes).await
    }

    async fn remove(&self, collection: Collection, key: &Key, seen: Version) -> Result<bool, PortError> {
        self.store.remove(collection, key, seen).await
    }

    async fn find(&self, query: &Query) -> Result<Found, PortError> {
        self.store.find(query).await
    }

    async fn count(&self, query: &Query) -> Result<u64, PortError> {
        self.store.count(query).await
    }

    async fn next_number(&self, sequence: Sequence, above: i64) -> Result<i64, PortError> {
        self.store.next_number(sequence, above).await
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use serde_json::json;
    use tolov_contract::{counting::CountingDocuments, memory::MemoryDocuments};

    use super::*;

    const NOTES: Collection = Collection::new("notes", &[]);

    #[tokio::test]
    async fn readers_of_a_collection_share_a_command_and_hear_each_of_their_own() {
        let memory = Arc::new(MemoryDocuments::default());
        let body = json!({ "colour": "red" }).as_object().unwrap().clone();
        for key in 1..=3 {
            memory.put(NOTES, &Key::Number(key), None, &body).await.unwrap();
        }
        memory.damage(NOTES, &Key::Number(2));
        let counting = CountingDocuments::new(memory);
        let reads = GroupedReads::at_once(Arc::new(counting.clone()));
        let keys = [vec![1], vec![2], vec![3, 1], vec![4], vec![1, 2], vec![]];
        let read = async |keys: &Vec<i64>| {
            let keys: Vec<Key> = keys.iter().copied().map(Key::Number).collect();
            let found = reads.get_many(NOTES, &keys).await.unwrap();
            let told = |document: Result<Document, Unreadable>| match document {
                Ok(Document { key, .. }) => key.to_string(),
                Err(Unreadable { key, .. }) => format!("{key} is unreadable"),
            };
            found.into_iter().map(told).collect::<Vec<_>>()
        };
        let heard = join_all(keys.iter().map(read)).await;
        let expected = [
            vec!["1"],
            vec!["2 is unreadable"],
            vec!["1", "3"],
            vec![],
            vec!["1", "2 is unreadable"],
            vec![],
        ];
        assert_eq!(heard, expected);
        assert_eq!(counting.calls().total(), 1);
    }
}
