//! Typed documents, and the loops that change one or several of them under compare-and-swap.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Deref,
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tolov_domain::{
    outcome::Outcome,
    ports::{
        PortError,
        documents::{
            Body, Collection, Document, Documents, Key, Put, Query, Unreadable, Version, Write, Written,
        },
    },
};

/// How often a change is tried while others keep changing the same document. Each failed try is somebody else's
/// success, so this is far above what any shop sees.
const TRIES_MAX: u32 = 200;
/// The field of every document that says which form the rest has.
const SCHEMA_FIELD: &str = "schema";

/// A type that is stored as documents of one collection.
pub trait Record: Serialize + DeserializeOwned + Clone + PartialEq + Send + Sync {
    const COLLECTION: Collection;
    /// The form in which documents are written. Greater ones come from a newer version and are unreadable.
    const SCHEMA: i64 = 1;

    fn key(&self) -> Key;
}

/// A record as it was read, with the version to compare with when it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Versioned<R> {
    pub record: R,
    pub version: Version,
}

impl<R> Deref for Versioned<R> {
    type Target = R;

    fn deref(&self) -> &R {
        &self.record
    }
}

/// `None` where there is none. One that cannot be read is [`PortError::Refused`].
pub async fn read<R: Record>(documents: &dyn Documents, key: impl Into<Key>) -> Result<Option<R>, PortError> {
    Ok(read_versioned(documents, &key.into()).await?.map(|read| read.record))
}

/// Those that are there, by key. One that cannot be read is logged and left out.
pub async fn read_many<R: Record>(
    documents: &dyn Documents,
    keys: impl IntoIterator<Item = i64>,
) -> Result<Vec<R>, PortError> {
    let keys: Vec<Key> = keys.into_iter().map(Key::Number).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    Ok(readable(documents.get_many(R::COLLECTION, &keys).await?))
}

/// The records that a query of their own collection finds. One that cannot be read is logged and left out.
pub async fn find<R: Record>(documents: &dyn Documents, query: &Query) -> Result<Vec<R>, PortError> {
    Ok(readable(documents.find(query).await?))
}

/// The same with versions. One that cannot be read is returned as such.
pub async fn find_versioned<R: Record>(
    documents: &dyn Documents,
    query: &Query,
) -> Result<Vec<Result<Versioned<R>, Unreadable>>, PortError> {
    let found = documents.find(query).await?;
    Ok(found.into_iter().map(|document| document.and_then(typed)).collect())
}

/// The same for one page of several, and whether it is the last one.
pub(crate) async fn find_page<R: Record>(
    documents: &dyn Documents,
    query: &Query,
) -> Result<(Vec<R>, bool), PortError> {
    let found = documents.find(query).await?;
    let is_last = found.len() < usize::try_from(query.limit).unwrap_or(usize::MAX);
    Ok((readable(found), is_last))
}

/// Reads a whole collection in pages, by key. `max` bounds what is held in memory.
pub async fn all<R: Record>(documents: &dyn Documents, max: usize) -> Result<Vec<R>, PortError> {
    let mut records = Vec::new();
    each(documents, max, |record| records.push(record)).await?;
    Ok(records)
}

/// Shows a whole collection, by key, `max` records of it at most. No more than a page is held in memory.
pub async fn each<R: Record>(
    documents: &dyn Documents,
    max: usize,
    mut see: impl FnMut(R) + Send,
) -> Result<(), PortError> {
    const PAGE: u32 = 500;
    let mut left = max;
    let mut after = None;
    while left > 0 {
        let page: Vec<R> = page_after(documents, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.key());
        let shown = page.len().min(left);
        page.into_iter().take(shown).for_each(&mut see);
        left -= shown;
    }
    Ok(())
}

/// The records whose keys come next, by key; an empty page is the last one. One that cannot be read is logged and left out.
pub async fn page_after<R: Record>(
    documents: &dyn Documents,
    after: Option<Key>,
    limit: u32,
) -> Result<Vec<R>, PortError> {
    let mut query = Query::all(R::COLLECTION, limit);
    if let Some(after) = after {
        query = query.after(after);
    }
    loop {
        let page = documents.find(&query).await?;
        let Some(last) = page.last().map(key_of) else { return Ok(Vec::new()) };
        let records = readable(page);
        if !records.is_empty() {
            return Ok(records);
        }
        query = query.after(last);
    }
}

/// The key of a document, whether it can be read or not.
pub(crate) fn key_of(document: &Result<Document, Unreadable>) -> Key {
    match document {
        Ok(document) => document.key.clone(),
        Err(unreadable) => unreadable.key.clone(),
    }
}

/// Stores a record whose key is free; one that is there stays as it is.
pub async fn insert<R: Record>(documents: &dyn Documents, record: &R) -> Result<Outcome, PortError> {
    match documents.put(R::COLLECTION, &record.key(), None, &body(record)?).await? {
        Put::Done(_) => Ok(Outcome::Applied),
        Put::Conflict => Ok(Outcome::AlreadyApplied),
    }
}

/// Changes a record that is there; `None` where it is not.
///
/// The function may run several times, on what others have written meanwhile, and again after a write whose answer was
/// lost: it must find out from the record alone what is left to do. A record that it leaves as it was is not written.
pub async fn change<R: Record, T>(
    documents: &dyn Documents,
    key: impl Into<Key>,
    change: impl FnMut(&mut R) -> T,
) -> Result<Option<(R, T)>, PortError> {
    Ok(change_versioned(documents, key, change).await?.map(|(changed, told)| (changed.record, told)))
}

/// The same, for a record that is to be changed again.
pub(crate) async fn change_versioned<R: Record, T>(
    documents: &dyn Documents,
    key: impl Into<Key>,
    mut change: impl FnMut(&mut R) -> T,
) -> Result<Option<(Versioned<R>, T)>, PortError> {
    let key = key.into();
    for _ in 0..TRIES_MAX {
        let Some(read) = read_versioned::<R>(documents, &key).await? else { return Ok(None) };
        let mut record = read.record.clone();
        let told = change(&mut record);
        if record == read.record {
            return Ok(Some((read, told)));
        }
        if let Some(version) = put(documents, Some(read.version), &record).await? {
            return Ok(Some((Versioned { record, version }, told)));
        }
    }
    Err(too_many(R::COLLECTION, &key))
}

/// The same for a record that is created where it is not there, unless the function leaves the new one as it was.
pub async fn change_or_insert<R: Record, T>(
    documents: &dyn Documents,
    key: impl Into<Key>,
    new: impl Fn() -> R,
    change: impl FnMut(&mut R) -> T,
) -> Result<(R, T), PortError> {
    let key = key.into();
    let read = read_versioned::<R>(documents, &key).await?;
    change_seen(documents, key, read, new, change).await
}

/// The same for a record that was read already (`None`: that was not there): one command, where nobody has written it since.
pub async fn change_seen<R: Record, T>(
    documents: &dyn Documents,
    key: impl Into<Key>,
    mut read: Option<Versioned<R>>,
    new: impl Fn() -> R,
    mut change: impl FnMut(&mut R) -> T,
) -> Result<(R, T), PortError> {
    let key = key.into();
    for _ in 0..TRIES_MAX {
        let seen = read.as_ref().map(|read| read.version);
        let before = read.map_or_else(&new, |read| read.record);
        let mut record = before.clone();
        let told = change(&mut record);
        if record == before || put(documents, seen, &record).await?.is_some() {
            return Ok((record, told));
        }
        read = read_versioned::<R>(documents, &key).await?;
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
        let Some(read) = read_versioned::<R>(documents, &key).await? else { return Ok(None) };
        if documents.remove(R::COLLECTION, &key, read.version).await? {
            return Ok(Some(read.record));
        }
    }
    Err(too_many(R::COLLECTION, &key))
}

/// What became of the records of a batch, by key.
#[derive(Debug)]
pub struct Changed<R, T> {
    /// As they are now, with what the change said of each.
    pub records: BTreeMap<Key, (Versioned<R>, T)>,
    /// Those that could not be read or written, and why. They do not keep the others from being changed.
    pub failed: BTreeMap<Key, String>,
}

/// Documents of a collection as they were read, by key; those that are not there are missing.
pub(crate) type Found<R> = BTreeMap<Key, Result<Versioned<R>, Unreadable>>;

/// Changes several records of a collection, in two commands where nobody else changes them at the same time.
///
/// The function gets each key with its record (`None` where there is none) and the version that a write would make, and
/// returns the record as it is to be; `None` leaves it alone. As with [`change`] it may run several times, on what others
/// have written meanwhile.
pub async fn change_many<R: Record, T>(
    documents: &dyn Documents,
    keys: BTreeSet<Key>,
    change: impl FnMut(&Key, Option<&R>, Version) -> Option<(R, T)>,
) -> Result<Changed<R, T>, PortError> {
    let found = get_many(documents, &keys).await?;
    change_found(documents, found, keys, change).await
}

/// The same for the records that a query finds.
pub async fn change_by_query<R: Record, T>(
    documents: &dyn Documents,
    query: &Query,
    mut change: impl FnMut(&R, Version) -> Option<(R, T)>,
) -> Result<Changed<R, T>, PortError> {
    let found = by_key(documents.find(query).await?);
    let keys = found.keys().cloned().collect();
    change_found(documents, found, keys, |_, record: Option<&R>, version| change(record?, version)).await
}

/// The same for keys that were read already.
pub(crate) async fn change_found<R: Record, T>(
    documents: &dyn Documents,
    mut found: Found<R>,
    mut keys: BTreeSet<Key>,
    mut change: impl FnMut(&Key, Option<&R>, Version) -> Option<(R, T)>,
) -> Result<Changed<R, T>, PortError> {
    let mut changed = Changed { records: BTreeMap::new(), failed: BTreeMap::new() };
    for _ in 0..TRIES_MAX {
        let (mut writes, mut decided) = (Vec::new(), Vec::new());
        for key in keys {
            let read = match found.remove(&key) {
                Some(Err(Unreadable { reason, .. })) => {
                    log_unreadable(R::COLLECTION, &key, &reason);
                    changed.failed.insert(key, reason);
                    continue;
                }
                read => read.and_then(Result::ok),
            };
            let seen = read.as_ref().map(|read| read.version);
            let next = seen.unwrap_or_default().saturating_add(1);
            let Some((record, told)) = change(&key, read.as_deref(), next) else { continue };
            if let Some(unchanged) = read.filter(|read| read.record == record) {
                changed.records.insert(key, (unchanged, told));
            } else {
                writes.push(Write { key, seen, body: body(&record)? });
                decided.push((record, told));
            }
        }
        if writes.is_empty() {
            return Ok(changed);
        }
        let answers = documents.put_many(R::COLLECTION, &writes).await?;
        keys = BTreeSet::new();
        for ((write, (record, told)), answer) in writes.into_iter().zip(decided).zip(answers) {
            match answer {
                Written::Done(version) => {
                    changed.records.insert(write.key, (Versioned { record, version }, told));
                }
                Written::Conflict => drop(keys.insert(write.key)),
                Written::Refused(reason) => {
                    let collection = R::COLLECTION.name();
                    tracing::error!(collection, key = %write.key, reason, "a document cannot be written");
                    changed.failed.insert(write.key, reason);
                }
            }
        }
        if keys.is_empty() {
            return Ok(changed);
        }
        found = get_many(documents, &keys).await?;
    }
    Err(too_many(R::COLLECTION, keys.first().unwrap_or(&Key::Number(0))))
}

pub(crate) async fn get_many<R: Record>(
    documents: &dyn Documents,
    keys: &BTreeSet<Key>,
) -> Result<Found<R>, PortError> {
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let keys: Vec<Key> = keys.iter().cloned().collect();
    Ok(by_key(documents.get_many(R::COLLECTION, &keys).await?))
}

fn by_key<R: Record>(found: Vec<Result<Document, Unreadable>>) -> Found<R> {
    found.into_iter().map(|document| (key_of(&document), document.and_then(typed))).collect()
}

/// [`read`] with the version, for a writer that decides for itself what a conflict means.
pub async fn read_versioned<R: Record>(
    documents: &dyn Documents,
    key: &Key,
) -> Result<Option<Versioned<R>>, PortError> {
    let keys = BTreeSet::from([key.clone()]);
    get_many(documents, &keys).await?.remove(key).transpose().map_err(|Unreadable { key, reason }| {
        let collection = R::COLLECTION.name();
        PortError::Refused(format!(
            "the document {key} in {collection} cannot be read: {reason}; repair or remove it"
        ))
    })
}

/// Writes a record that was seen with this version; `None`: that was not there.
pub async fn write<R: Record>(
    documents: &dyn Documents,
    seen: Option<Version>,
    record: &R,
) -> Result<Put, PortError> {
    documents.put(R::COLLECTION, &record.key(), seen, &body(record)?).await
}

/// The version that was written; `None` on a conflict.
async fn put<R: Record>(
    documents: &dyn Documents,
    seen: Option<Version>,
    record: &R,
) -> Result<Option<Version>, PortError> {
    match write(documents, seen, record).await? {
        Put::Done(version) => Ok(Some(version)),
        Put::Conflict => Ok(None),
    }
}

fn readable<R: Record>(found: Vec<Result<Document, Unreadable>>) -> Vec<R> {
    let read = |document: Result<Document, Unreadable>| match document.and_then(typed) {
        Ok(read) => Some(read.record),
        Err(Unreadable { key, reason }) => {
            log_unreadable(R::COLLECTION, &key, &reason);
            None
        }
    };
    found.into_iter().filter_map(read).collect()
}

fn log_unreadable(collection: Collection, key: &Key, reason: &str) {
    tracing::error!(collection = collection.name(), %key, reason, "a document cannot be read: repair or remove it");
}

fn typed<R: Record>(document: Document) -> Result<Versioned<R>, Unreadable> {
    let Document { key, version, mut body } = document;
    let schema = body.remove(SCHEMA_FIELD).and_then(|schema| schema.as_i64());
    let read = match schema {
        Some(schema) if schema > R::SCHEMA => {
            Err(format!("it was written by a newer version (schema {schema}): upgrade"))
        }
        Some(_) => serde_json::from_value(Value::Object(body)).map_err(|error| error.to_string()),
        None => Err(format!("it has no number in its field `{SCHEMA_FIELD}`")),
    };
    match read {
        Ok(record) => Ok(Versioned { record, version }),
        Err(reason) => Err(Unreadable { key, reason }),
    }
}

fn body<R: Record>(record: &R) -> Result<Body, PortError> {
    match serde_json::to_value(record) {
        Ok(Value::Object(mut body)) => {
            body.insert(SCHEMA_FIELD.to_owned(), R::SCHEMA.into());
            Ok(body)
        }
        Ok(_) | Err(_) => Err(PortError::Refused(format!(
            "a record of {} is not an object: this is a fault of the program, report it",
            R::COLLECTION.name()
        ))),
    }
}

fn too_many(collection: Collection, key: &Key) -> PortError {
    PortError::Unavailable(format!("too many writers change {key} in {} at the same time", collection.name()))
}
