//! Typed documents, and the loop that changes one.

use std::ops::Deref;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tolov_domain::ports::{
    PortError,
    documents::{Collection, Document, Documents, Key, Put, Query, Version},
    shop::Recorded,
};

/// How often a change is tried while others keep changing the same document. Each try that fails is somebody else's
/// that did not, so this is far more than any shop sees.
const TRIES_MAX: u32 = 200;

/// A type that is kept as documents of one collection.
pub trait Record: Serialize + DeserializeOwned + Clone + PartialEq + Send + Sync {
    const COLLECTION: Collection;

    fn key(&self) -> Key;
}

/// A record as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept<R> {
    pub record: R,
    pub version: Version,
}

impl<R> Deref for Kept<R> {
    type Target = R;

    fn deref(&self) -> &R {
        &self.record
    }
}

pub async fn read<R: Record>(documents: &dyn Documents, key: impl Into<Key>) -> Result<Option<R>, PortError> {
    Ok(read_kept(documents, &key.into()).await?.map(|kept| kept.record))
}

/// Those that are there, by key.
pub async fn read_many<R: Record>(
    documents: &dyn Documents,
    keys: impl IntoIterator<Item = i64>,
) -> Result<Vec<R>, PortError> {
    let keys: Vec<Key> = keys.into_iter().map(Key::Number).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let found = documents.get_many(R::COLLECTION, &keys).await?;
    found.into_iter().map(|document| Ok(typed(document)?.record)).collect()
}

/// The records that a query of their own collection finds.
pub async fn find<R: Record>(documents: &dyn Documents, query: &Query) -> Result<Vec<R>, PortError> {
    let found = documents.find(query).await?;
    found.into_iter().map(|document| Ok(typed(document)?.record)).collect()
}

/// Goes through a whole collection in pages, by key. `max` bounds what is held in memory.
pub async fn all<R: Record>(documents: &dyn Documents, max: usize) -> Result<Vec<R>, PortError> {
    const PAGE: u32 = 500;
    let mut records: Vec<R> = Vec::new();
    let mut query = Query::all(R::COLLECTION, PAGE);
    loop {
        let page: Vec<R> = find(documents, &query).await?;
        let Some(last) = page.last().map(Record::key) else { return Ok(records) };
        records.extend(page);
        if records.len() >= max {
            records.truncate(max);
            return Ok(records);
        }
        query = query.after(last);
    }
}

/// Keeps a record whose key is free; one that is there stays as it is.
pub async fn insert<R: Record>(documents: &dyn Documents, record: &R) -> Result<Recorded, PortError> {
    match documents.put(R::COLLECTION, &record.key(), None, &body(record)?).await? {
        Put::Done(_) => Ok(Recorded::Now),
        Put::Conflict => Ok(Recorded::Before),
    }
}

/// Changes a record that is there; `None` where it is not.
///
/// The function may run several times, on what others have written meanwhile, and after a write whose answer was lost:
/// it must find out from the record alone what is left to do. Where it leaves the record as it was nothing is written.
pub async fn change<R: Record, T>(
    documents: &dyn Documents,
    key: impl Into<Key>,
    mut change: impl FnMut(&mut R) -> T,
) -> Result<Option<(R, T)>, PortError> {
    change_seen(documents, key, |record, _| change(record)).await
}

/// The same, for a change that wants to know which version it is to become.
pub async fn change_seen<R: Record, T>(
    documents: &dyn Documents,
    key: impl Into<Key>,
    mut change: impl FnMut(&mut R, Version) -> T,
) -> Result<Option<(R, T)>, PortError> {
    let key = key.into();
    for _ in 0..TRIES_MAX {
        let Some(kept) = read_kept::<R>(documents, &key).await? else { return Ok(None) };
        let mut record = kept.record.clone();
        let told = change(&mut record, kept.version.saturating_add(1));
        if record == kept.record || write(documents, &key, Some(kept.version), &record).await? {
            return Ok(Some((record, told)));
        }
    }
    Err(too_many(R::COLLECTION, &key))
}

/// The same for a record that is made where it is not there.
pub async fn change_or_make<R: Record, T>(
    documents: &dyn Documents,
    key: impl Into<Key>,
    make: impl Fn() -> R,
    mut change: impl FnMut(&mut R) -> T,
) -> Result<(R, T), PortError> {
    let key = key.into();
    for _ in 0..TRIES_MAX {
        let kept = read_kept::<R>(documents, &key).await?;
        let seen = kept.as_ref().map(|kept| kept.version);
        let mut record = kept.as_ref().map_or_else(&make, |kept| kept.record.clone());
        let told = change(&mut record);
        let same = kept.is_some_and(|kept| kept.record == record);
        if same || write(documents, &key, seen, &record).await? {
            return Ok((record, told));
        }
    }
    Err(too_many(R::COLLECTION, &key))
}

/// Removes a record and returns it as it was last; `None` where there was none.
pub async fn remove<R: Record>(
    documents: &dyn Documents,
    key: impl Into<Key>,
) -> Result<Option<R>, PortError> {
    let key = key.into();
    for _ in 0..TRIES_MAX {
        let Some(kept) = read_kept::<R>(documents, &key).await? else { return Ok(None) };
        if documents.remove(R::COLLECTION, &key, kept.version).await? {
            return Ok(Some(kept.record));
        }
    }
    Err(too_many(R::COLLECTION, &key))
}

async fn read_kept<R: Record>(documents: &dyn Documents, key: &Key) -> Result<Option<Kept<R>>, PortError> {
    documents.get(R::COLLECTION, key).await?.map(typed).transpose()
}

async fn write<R: Record>(
    documents: &dyn Documents,
    key: &Key,
    seen: Option<Version>,
    record: &R,
) -> Result<bool, PortError> {
    let put = documents.put(R::COLLECTION, key, seen, &body(record)?).await?;
    Ok(matches!(put, Put::Done(_)))
}

fn typed<R: Record>(document: Document) -> Result<Kept<R>, PortError> {
    let Document { key, version, body } = document;
    match serde_json::from_value(Value::Object(body)) {
        Ok(record) => Ok(Kept { record, version }),
        Err(error) => Err(PortError::Refused(format!(
            "the document {key} in {} cannot be read: {error}; repair or remove it",
            R::COLLECTION.name()
        ))),
    }
}

fn body<R: Record>(record: &R) -> Result<serde_json::Map<String, Value>, PortError> {
    match serde_json::to_value(record) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) | Err(_) => Err(PortError::Refused(format!(
            "a record of {} has no fields: this is a fault of the program, report it",
            R::COLLECTION.name()
        ))),
    }
}

fn too_many(collection: Collection, key: &Key) -> PortError {
    PortError::Unavailable(format!("too many change {key} in {} at the same time", collection.name()))
}
