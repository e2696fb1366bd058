//! Documents in memory, for the tests of what is built on them. They pass the contract suite of the stores.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use serde_json::Value;
use tolov_domain::ports::{
    PortError,
    documents::{
        Body, Collection, Document, Documents, Filter, Key, Query, Sequence, Unreadable, Version, Write,
        Written, checked_batch, checked_body, checked_query,
    },
};

/// An empty store of documents. Clones share its contents.
#[derive(Debug, Clone, Default)]
pub struct MemoryDocuments {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Clone, Default)]
struct State {
    /// By the names of collections and sequences.
    collections: HashMap<&'static str, BTreeMap<Key, Stored>>,
    numbers: HashMap<&'static str, i64>,
}

/// What a store held at a moment.
#[derive(Debug, Clone)]
pub struct MemoryCopy(State);

#[derive(Debug, Clone)]
struct Stored {
    version: Version,
    body: Body,
    is_damaged: bool,
}

impl Stored {
    fn read(&self, key: &Key) -> Result<Document, Unreadable> {
        if self.is_damaged {
            return Err(Unreadable { key: key.clone(), reason: "damaged by a test".to_owned() });
        }
        Ok(Document { key: key.clone(), version: self.version, body: self.body.clone() })
    }
}

impl State {
    fn collection(&mut self, collection: Collection) -> &mut BTreeMap<Key, Stored> {
        self.collections.entry(collection.name()).or_default()
    }

    fn write(&mut self, collection: Collection, Write { key, seen, body }: &Write) -> Written {
        if let Err(error) = checked_body(body) {
            return Written::Refused(error.to_string());
        }
        let documents = self.collection(collection);
        if documents.get(key).map(|stored| stored.version) != *seen {
            return Written::Conflict;
        }
        let version = seen.unwrap_or_default() + 1;
        documents.insert(key.clone(), Stored { version, body: body.clone(), is_damaged: false });
        Written::Done(version)
    }

    /// In the order of the query, without its skip and limit.
    fn found(&mut self, query: &Query) -> Vec<(&Key, &Stored)> {
        let documents = self.collection(query.collection).iter();
        let mut found: Vec<_> = documents.filter(|(key, stored)| matches(query, key, &stored.body)).collect();
        if let Filter::Between { field, .. } = query.filter {
            // Stable: equal values stay in the order of their keys.
            found.sort_by_key(|(_, stored)| stored.body.get(field).and_then(Value::as_i64));
        }
        if query.newest_first {
            found.reverse();
        }
        found
    }
}

fn matches(query: &Query, key: &Key, body: &Body) -> bool {
    let holds = |field: &str, value: &Value| match body.get(field) {
        Some(Value::Array(items)) => items.contains(value),
        single => single == Some(value),
    };
    match &query.filter {
        Filter::All { after: None } => true,
        Filter::All { after: Some(seen) } if query.newest_first => key < seen,
        Filter::All { after: Some(seen) } => key > seen,
        Filter::Is { field, value } => holds(field, value),
        Filter::AnyOf { field, values } => values.iter().any(|value| holds(field, value)),
        Filter::Between { field, from, to } => {
            body.get(*field).and_then(Value::as_i64).is_some_and(|number| (*from..=*to).contains(&number))
        }
    }
}

impl MemoryDocuments {
    /// Makes a document unreadable until it is written again. Its version and what it is found by stay.
    ///
    /// # Panics
    /// When the document is not there.
    pub fn damage(&self, collection: Collection, key: &Key) {
        let mut state = self.state();
        let stored = state.collection(collection).get_mut(key);
        assert!(stored.is_some(), "{key} is not in {}", collection.name());
        if let Some(stored) = stored {
            stored.is_damaged = true;
        }
    }

    pub fn copy(&self) -> MemoryCopy {
        MemoryCopy(self.state().clone())
    }

    /// Everything is as it was then, also which numbers were given out.
    pub fn put_back(&self, copy: &MemoryCopy) {
        *self.state() = copy.0.clone();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Documents for MemoryDocuments {
    async fn get_many(
        &self,
        collection: Collection,
        keys: &[Key],
    ) -> Result<Vec<Result<Document, Unreadable>>, PortError> {
        let wanted: HashSet<&Key> = keys.iter().collect();
        let mut state = self.state();
        let stored = state.collection(collection).iter().filter(|(key, _)| wanted.contains(key));
        Ok(stored.map(|(key, stored)| stored.read(key)).collect())
    }

    async fn put_many(&self, collection: Collection, writes: &[Write]) -> Result<Vec<Written>, PortError> {
        let mut state = self.state();
        Ok(checked_batch(writes)?.iter().map(|write| state.write(collection, write)).collect())
    }

    async fn remove(&self, collection: Collection, key: &Key, seen: Version) -> Result<bool, PortError> {
        let mut state = self.state();
        let documents = state.collection(collection);
        let is_as_seen = documents.get(key).is_some_and(|stored| stored.version == seen);
        if is_as_seen {
            documents.remove(key);
        }
        Ok(is_as_seen)
    }

    async fn find(&self, query: &Query) -> Result<Vec<Result<Document, Unreadable>>, PortError> {
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let mut state = self.state();
        let found = state.found(checked_query(query)?);
        let page = found.into_iter().skip(count(query.skip)).take(count(query.limit));
        Ok(page.map(|(key, stored)| stored.read(key)).collect())
    }

    async fn count(&self, query: &Query) -> Result<u64, PortError> {
        let count = self.state().found(checked_query(query)?).len();
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }

    async fn next_number(&self, sequence: Sequence, above: i64) -> Result<i64, PortError> {
        let mut state = self.state();
        let last = state.numbers.entry(sequence.name()).or_default();
        let next = (*last).max(above).checked_add(1);
        *last = next.ok_or_else(|| {
            PortError::Refused(format!("the sequence {} has no number left", sequence.name()))
        })?;
        Ok(*last)
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

        async fn damage(&self, collection: Collection, key: &Key) -> anyhow::Result<()> {
            self.damage(collection, key);
            Ok(())
        }

        async fn close(self: Box<Self>) {}
    }

    async fn fresh_documents() -> anyhow::Result<MemoryDocuments> {
        Ok(MemoryDocuments::default())
    }

    crate::documents_contract!(fresh_documents);
}
