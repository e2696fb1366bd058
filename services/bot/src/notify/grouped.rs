//! The documents of people who tap, or are told, at the same time: what is read of a collection is read in one command, and what is
//! written to it is written in one.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use tolov_domain::ports::{
    PortError,
    documents::{Collection, Document, Documents, Key, Query, Sequence, Unreadable, Version, Write, Written},
};

use crate::notify::together::{Others, Together};

type Found = Vec<Result<Document, Unreadable>>;

/// The commands of a collection.
#[derive(Debug)]
struct Lane {
    reads: Together<Vec<Key>, Result<Found, PortError>>,
    /// Those of one document.
    writes: Together<Write, Result<Written, PortError>>,
}

/// A store whose documents are read by key, and written one by one, together with others of their collection; the rest goes to the
/// store as it is.
#[derive(Debug)]
pub(crate) struct GroupedDocuments {
    store: Arc<dyn Documents>,
    lanes: Mutex<HashMap<Collection, Arc<Lane>>>,
    /// For whom a read waits a moment. `None`: for nobody.
    others: Option<Others>,
}

impl GroupedDocuments {
    /// For those who wait for what they read.
    pub(crate) fn at_once(store: Arc<dyn Documents>) -> Self {
        Self { store, lanes: Mutex::default(), others: None }
    }

    /// For those for whom nobody waits.
    pub(super) fn with(others: Others, store: Arc<dyn Documents>) -> Self {
        Self { others: Some(others), ..Self::at_once(store) }
    }

    fn lane(&self, collection: Collection) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Lane {
            reads: self.others.clone().map_or_else(Together::at_once, Together::with),
            writes: Together::at_once(),
        };
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

    /// Who writes the same document is written in the order they came, each in a command after the one before.
    async fn write(&self, collection: Collection, writes: Vec<Write>) -> Vec<Result<Written, PortError>> {
        let mut answers: Vec<Option<Result<Written, PortError>>> = vec![None; writes.len()];
        let mut left: Vec<(usize, Write)> = writes.into_iter().enumerate().collect();
        while !left.is_empty() {
            let mut keys = HashSet::new();
            let (now, later): (Vec<_>, Vec<_>) =
                left.into_iter().partition(|(_, write)| keys.insert(write.key.clone()));
            let (places, batch): (Vec<usize>, Vec<Write>) = now.into_iter().unzip();
            let written: Vec<Result<Written, PortError>> = match self.store.put_many(collection, &batch).await
            {
                Ok(written) => written.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error); batch.len()],
            };
            for (place, answer) in places.into_iter().zip(written) {
                if let Some(slot) = answers.get_mut(place) {
                    *slot = Some(answer);
                }
            }
            left = later;
        }
        let lost = || Err(PortError::Unavailable("the store did not answer a write".to_owned()));
        answers.into_iter().map(|answer| answer.unwrap_or_else(lost)).collect()
    }
}

#[async_trait]
impl Documents for GroupedDocuments {
    async fn get_many(&self, collection: Collection, keys: &[Key]) -> Result<Found, PortError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let lane = self.lane(collection);
        let found = lane.reads.call(keys.to_vec(), |wanted| self.read(collection, wanted)).await;
        found.unwrap_or_else(|given_up| Err(given_up.into()))
    }

    async fn put_many(&self, collection: Collection, writes: &[Write]) -> Result<Vec<Written>, PortError> {
        let [write] = writes else { return self.store.put_many(collection, writes).await };
        let lane = self.lane(collection);
        let written = lane.writes.call(write.clone(), |writes| self.write(collection, writes)).await;
        written.unwrap_or_else(|given_up| Err(given_up.into())).map(|written| vec![written])
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
    use tolov_domain::ports::documents::Put;

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
        let reads = GroupedDocuments::at_once(Arc::new(counting.clone()));
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

    #[tokio::test]
    async fn writers_of_a_collection_share_a_command_and_one_of_two_of_a_document_is_done() {
        let counting = CountingDocuments::new(Arc::new(MemoryDocuments::default()));
        let grouped = GroupedDocuments::at_once(Arc::new(counting.clone()));
        let (good, bad) = (json!({ "colour": "red" }), json!({ "price": 1.5 }));
        let write = async |(key, body): (i64, &serde_json::Value)| {
            grouped.put(NOTES, &Key::Number(key), None, body.as_object().unwrap()).await
        };
        let heard = join_all([(1, &good), (2, &bad), (1, &good), (3, &good)].map(write)).await;
        let done = Ok(Put::Done(1));
        assert_eq!([&heard[0], &heard[2], &heard[3]], [&done, &Ok(Put::Conflict), &done]);
        assert!(matches!(heard[1], Err(PortError::Refused(_))), "{:?}", heard[1]);
        assert_eq!(counting.calls().total(), 2, "{}", counting.calls());
    }
}
