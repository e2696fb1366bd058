//! Documents: all of the shop that is not the ledger's own (catalogue, orders, shoppers, dialogues, staff, broadcasts).
//!
//! The store compares and swaps; what a change means is decided by pure code that may run again
//! (docs/decisions/0004-documents-that-are-compared-and-swapped.md). Promises that the contract suite checks on every
//! adapter:
//! - a write that returned [`Put::Done`] is durable, and every read that begins afterwards sees it;
//! - of any number of writers that saw the same version one is done, the others hear [`Put::Conflict`];
//! - a write whose answer was lost may be heard as a conflict with itself: whoever writes reads again, and finds its
//!   change there;
//! - no multi-document transactions are needed: a batch is a way to save commands, not a unit that succeeds or fails.

use std::fmt;

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::error::PortError;

pub use checks::{TIMESTAMPS_MS, checked_batch, checked_body, checked_query, is_timestamp};

mod checks;

/// A kind of document. The crate that owns the records declares its collection and the fields it is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Collection {
    name: &'static str,
    indexed: &'static [&'static str],
}

impl Collection {
    /// `indexed`: the top-level fields that documents can be found by. A field holds a number, a text, a list of either
    /// (found by each of its items), or nothing.
    pub const fn new(name: &'static str, indexed: &'static [&'static str]) -> Self {
        Self { name, indexed }
    }

    /// MongoDB's collection.
    pub const fn name(self) -> &'static str {
        self.name
    }

    pub const fn indexed(self) -> &'static [&'static str] {
        self.indexed
    }
}

/// The key of a document within its collection. Numbers come before texts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    Number(i64),
    Text(String),
}

impl From<i64> for Key {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(formatter),
            Self::Text(text) => text.fmt(formatter),
        }
    }
}

/// How often a document was written: 1 when it is new. One that was removed and made again begins at 1 again, so a key
/// is not used again for something else.
pub type Version = i64;

/// The fields of a document.
///
/// - Numbers are whole, signed and of at most 64 bits. One in a field whose name ends with `_at`, or in a list there, is
///   a timestamp in milliseconds since 1970, in the years 1 to 9999 (MongoDB keeps it as a date).
/// - Names are not empty, hold no dot and do not begin with a dollar sign or an underscore. No top-level field is called
///   `version`, which is where a store may keep its own.
///
/// A store refuses the rest ([`checked_body`]).
pub type Body = Map<String, Value>;

/// A document as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    pub key: Key,
    pub version: Version,
    pub body: Body,
}

/// A document that is there and cannot be read: damaged, or of a form that no store gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    pub key: Key,
    pub reason: String,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It is there, with this version.
    Done(Version),
    /// The document is not as the writer saw it: read again.
    Conflict,
}

/// One write of a batch: the document as it is to be, and the version that was seen; `None`: it was not there.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    pub key: Key,
    pub seen: Option<Version>,
    pub body: Body,
}

/// What became of one write of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    Done(Version),
    /// The document is not as the writer saw it: read again.
    Conflict,
    /// No store can keep this body; the others of the batch are not affected.
    Refused(String),
}

/// Which documents, in which order.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    pub collection: Collection,
    pub filter: Filter,
    pub newest_first: bool,
    pub skip: u32,
    pub limit: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// All, by key; those whose key comes after the given one (before it, where the newest come first).
    All { after: Option<Key> },
    /// Those whose indexed field is this number or text, or a list with it; by key.
    Is { field: &'static str, value: Value },
    /// Those whose indexed field is any of these numbers or texts, or a list with one of them; by key, each once.
    AnyOf { field: &'static str, values: Vec<Value> },
    /// Those whose indexed field is a number from `from` to `to`, both included; by that number, then by key. A list is
    /// not found so.
    Between { field: &'static str, from: i64, to: i64 },
}

impl Query {
    pub const fn all(collection: Collection, limit: u32) -> Self {
        Self { collection, filter: Filter::All { after: None }, newest_first: false, skip: 0, limit }
    }

    pub fn is(collection: Collection, field: &'static str, value: impl Into<Value>, limit: u32) -> Self {
        let filter = Filter::Is { field, value: value.into() };
        Self { collection, filter, newest_first: false, skip: 0, limit }
    }

    pub const fn any_of(collection: Collection, field: &'static str, values: Vec<Value>, limit: u32) -> Self {
        let filter = Filter::AnyOf { field, values };
        Self { collection, filter, newest_first: false, skip: 0, limit }
    }

    pub const fn between(
        collection: Collection,
        field: &'static str,
        (from, to): (i64, i64),
        limit: u32,
    ) -> Self {
        let filter = Filter::Between { field, from, to };
        Self { collection, filter, newest_first: false, skip: 0, limit }
    }

    #[must_use]
    pub fn newest_first(self) -> Self {
        Self { newest_first: true, ..self }
    }

    #[must_use]
    pub fn skip(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    /// For going through a whole collection: the key of the last document seen.
    #[must_use]
    pub fn after(self, key: Key) -> Self {
        Self { filter: Filter::All { after: Some(key) }, ..self }
    }
}

/// Numbers that are given out once. The crate that numbers its records declares the sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sequence {
    name: &'static str,
}

impl Sequence {
    pub const fn new(name: &'static str) -> Self {
        Self { name }
    }

    pub const fn name(self) -> &'static str {
        self.name
    }
}

/// A store of documents.
#[async_trait]
pub trait Documents: Send + Sync + fmt::Debug {
    /// One that cannot be read is [`PortError::Refused`].
    async fn get(&self, collection: Collection, key: &Key) -> Result<Option<Document>, PortError> {
        let found = self.get_many(collection, std::slice::from_ref(key)).await?;
        found.into_iter().next().transpose().map_err(|Unreadable { key, reason }| {
            let collection = collection.name();
            PortError::Refused(format!("the document {key} in {collection} cannot be read: {reason}"))
        })
    }

    /// Those that are there, by key; a key that is given twice is answered once. One that cannot be read does not keep
    /// the others from being read.
    async fn get_many(
        &self,
        collection: Collection,
        keys: &[Key],
    ) -> Result<Vec<Result<Document, Unreadable>>, PortError>;

    /// Writes a document that was seen with this version; `None`: that was not there. A body that no store can keep is
    /// [`PortError::Refused`].
    async fn put(
        &self,
        collection: Collection,
        key: &Key,
        seen: Option<Version>,
        body: &Body,
    ) -> Result<Put, PortError> {
        let write = Write { key: key.clone(), seen, body: body.clone() };
        match self.put_many(collection, &[write]).await?.pop() {
            Some(Written::Done(version)) => Ok(Put::Done(version)),
            Some(Written::Conflict) => Ok(Put::Conflict),
            Some(Written::Refused(reason)) => Err(PortError::Refused(reason)),
            None => Err(PortError::Unavailable("the store did not answer a write".to_owned())),
        }
    }

    /// Writes several documents of a collection, each on its own, and answers each in the order given. Keys are distinct within a batch, else all of it is [`PortError::Refused`] and nothing is written.
    ///
    /// After an error some may be written and some not: read again. Takes a bounded number of commands (MongoDB) or one
    /// transaction (SQLite), whatever its size.
    async fn put_many(&self, collection: Collection, writes: &[Write]) -> Result<Vec<Written>, PortError>;

    /// Removes a document that was seen with this version. `false`: it is not as it was seen, or not there.
    async fn remove(&self, collection: Collection, key: &Key, seen: Version) -> Result<bool, PortError>;

    /// A filter over a field that is not indexed, or with a value that is neither number nor text, is
    /// [`PortError::Refused`]. A document that cannot be read does not keep the others from being found.
    async fn find(&self, query: &Query) -> Result<Vec<Result<Document, Unreadable>>, PortError>;

    /// How many documents the query would find without its skip and limit.
    async fn count(&self, query: &Query) -> Result<u64, PortError>;

    /// The next number of a sequence, greater than `above` and than every one given out before: atomic, never given out
    /// twice. `above` lifts the sequence over numbers that are known to be used (0: none are); a sequence that has no
    /// number left is [`PortError::Refused`].
    async fn next_number(&self, sequence: Sequence, above: i64) -> Result<i64, PortError>;
}
