//! Documents in memory, for the tests of what is built on them. They keep the same promises as the stores.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use serde_json::Value;
use tolov_domain::ports::{
    PortError,
    documents::{
        Body, Collection, Document, Documents, Filter, Key, Put, Query, Sequence, Version, checked_body,
        checked_query,
    },
};

/// An empty store of documents. Clones share what is in it.
#[derive(Debug, Clone, Default)]
pub struct MemoryDocuments {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    collections: HashMap<Collection, BTreeMap<Key, (Version, Body)>>,
    numbers: HashMap<Sequence, i64>,
}

impl State {
    fn version(&self, collection: Collection, key: &Key) -> Option<Version> {
        Some(self.collections.get(&collection)?.get(key)?.0)
    }

    /// In the order of the query, without its skip and limit.
    fn found(&self, query: &Query) -> Vec<Document> {
        let documents = self.collections.get(&query.collection).into_iter().flatten();
        let mut found: Vec<Document> = documents
            .filter(|(key, (_, body))| is_meant(query, key, body))
            .map(|(key, (version, body))| Document {
                key: key.clone(),
                version: *version,
                body: body.clone(),
            })
            .collect();
        if let Filter::Between { field, .. } = query.filter {
            // Stable: the keys keep their order among equals.
            found.sort_by_key(|document| document.body.get(field).and_then(Value::as_i64));
        }
        if query.newest_first {
            found.reverse();
        }
        found
    }
}

fn is_meant(query: &Query, key: &Key, body: &Body) -> bool {
    match &query.filter {
        Filter::All { after: None } => true,
        Filter::All { after: Some(seen) } if query.newest_first => key < seen,
        Filter::All { after: Some(seen) } => key > seen,
        Filter::Is { field, value } => match body.get(*field) {
            Some(Value::Array(items)) => items.contains(value),
            single => single == Some(value),
        },
        Filter::Between { field, from, to } => {
            body.get(*field).and_then(Value::as_i64).is_some_and(|number| (*from..=*to).contains(&number))
        }
    }
}

impl MemoryDocuments {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Documents for MemoryDocuments {
    async fn get(&self, collection: Collection, key: &Key) -> Result<Option<Document>, PortError> {
        Ok(self.get_many(collection, std::slice::from_ref(key)).await?.pop())
    }

    async fn get_many(&self, collection: Collection, keys: &[Key]) -> Result<Vec<Document>, PortError> {
        let wanted: HashSet<&Key> = keys.iter().collect();
        let mut all = self.state().found(&Query::all(collection, u32::MAX));
        all.retain(|document| wanted.contains(&document.key));
        Ok(all)
    }

    async fn put(
        &self,
        collection: Collection,
        key: &Key,
        seen: Option<Version>,
        body: &Body,
    ) -> Result<Put, PortError> {
        let body = checked_body(body)?.clone();
        let mut state = self.state();
        if state.version(collection, key) != seen {
            return Ok(Put::Conflict);
        }
        let version = seen.unwrap_or_default() + 1;
        state.collections.entry(collection).or_default().insert(key.clone(), (version, body));
        Ok(Put::Done(version))
    }

    async fn remove(&self, collection: Collection, key: &Key, seen: Version) -> Result<bool, PortError> {
        let mut state = self.state();
        let is_as_seen = state.version(collection, key) == Some(seen);
        if is_as_seen {
            state.collections.entry(collection).or_default().remove(key);
        }
        Ok(is_as_seen)
    }

    async fn find(&self, query: &Query) -> Result<Vec<Document>, PortError> {
        let found = self.state().found(checked_query(query)?);
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Ok(found.into_iter().skip(count(query.skip)).take(count(query.limit)).collect())
    }

    async fn count(&self, query: &Query) -> Result<u64, PortError> {
        let found = self.state().found(checked_query(query)?);
        Ok(u64::try_from(found.len()).unwrap_or(u64::MAX))
    }

    async fn next_number(&self, sequence: Sequence) -> Result<i64, PortError> {
        let mut state = self.state();
        let number = state.numbers.entry(sequence).or_default();
        *number += 1;
        Ok(*number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::DocumentsWorld;

    #[async_trait]
    impl DocumentsWorld for MemoryDocuments {
        async fn documents(&self) -> Arc<dyn Documents> {
            Arc::new(self.clone())
        }
    }

    async fn fresh_documents() -> anyhow::Result<MemoryDocuments> {
        Ok(MemoryDocuments::default())
    }

    crate::documents_contract!(fresh_documents);
}
