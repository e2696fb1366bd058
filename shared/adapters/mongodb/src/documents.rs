//! Documents that are compared and swapped.
//!
//! Each write names the version it saw in its filter, so of writers at the same time one finds the document and the
//! others find nothing. A write that is sent again after a broken connection finds nothing either where it got through
//! before; the port allows that to be told as a conflict.

use async_trait::async_trait;
use futures_util::TryStreamExt;
use mongodb::bson::{self, Bson, RawDocumentBuf, doc};
use tolov_domain::ports::{
    PortError,
    documents::{
        Body, Collection, Document, Documents, Filter, INSTANTS_MS, Key, Put, Query, Sequence, Version,
        checked_body, checked_query, is_instant,
    },
};

use crate::{
    body::{self, VERSION},
    document,
    failure::Failure,
    shop::{COUNTERS, MongoShop},
    write::{again_after_a_break, insert_if_unknown, replace},
};

#[async_trait]
impl Documents for MongoShop {
    async fn get(&self, collection: Collection, key: &Key) -> Result<Option<Document>, PortError> {
        self.call("reading a document", async {
            let id = doc! { "_id": body::key_to_bson(key) };
            let found = self.collection(collection.name()).find_one(id).await?;
            found.map(|raw| read(collection, &raw)).transpose()
        })
        .await
    }

    async fn get_many(&self, collection: Collection, keys: &[Key]) -> Result<Vec<Document>, PortError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.call("reading documents", async {
            let ids: Vec<Bson> = keys.iter().map(body::key_to_bson).collect();
            let named = doc! { "_id": { "$in": ids } };
            let found = self.collection(collection.name()).find(named).sort(doc! { "_id": 1 }).await?;
            let found: Vec<RawDocumentBuf> = found.try_collect().await?;
            found.iter().map(|raw| read(collection, raw)).collect()
        })
        .await
    }

    async fn put(
        &self,
        collection: Collection,
        key: &Key,
        seen: Option<Version>,
        body: &Body,
    ) -> Result<Put, PortError> {
        let body = checked_body(body)?;
        self.call("writing a document", async {
            let Some(version) = seen.unwrap_or_default().checked_add(1) else { return Ok(Put::Conflict) };
            let stored = body::to_stored(version, body).map_err(Failure::Unexpected)?;
            let (statement, is_new) = match seen {
                None => (insert_if_unknown(body::key_to_bson(key), stored), true),
                Some(seen) => (replace(as_seen(key, seen), stored), false),
            };
            let written = self.write(collection.name(), vec![statement]).await?;
            let hits = if is_new { written.made } else { written.matched };
            Ok(if hits > 0 { Put::Done(version) } else { Put::Conflict })
        })
        .await
    }

    async fn remove(&self, collection: Collection, key: &Key, seen: Version) -> Result<bool, PortError> {
        self.call("removing a document", async {
            let documents = self.collection(collection.name());
            let removed = again_after_a_break(|| documents.delete_one(as_seen(key, seen))).await?;
            Ok(removed.deleted_count > 0)
        })
        .await
    }

    async fn find(&self, query: &Query) -> Result<Vec<Document>, PortError> {
        checked_query(query)?;
        if query.limit == 0 {
            // To the server a limit of 0 is none.
            return Ok(Vec::new());
        }
        self.call("finding documents", async {
            let found = self
                .collection(query.collection.name())
                .find(filter(query)?)
                .sort(order(query))
                .skip(u64::from(query.skip))
                .limit(i64::from(query.limit))
                .await?;
            let found: Vec<RawDocumentBuf> = found.try_collect().await?;
            found.iter().map(|raw| read(query.collection, raw)).collect()
        })
        .await
    }

    async fn count(&self, query: &Query) -> Result<u64, PortError> {
        checked_query(query)?;
        self.call("counting documents", async {
            Ok(self.collection(query.collection.name()).count_documents(filter(query)?).await?)
        })
        .await
    }

    async fn next_number(&self, sequence: Sequence) -> Result<i64, PortError> {
        let counter = format!("documents/{}", sequence.name());
        self.call("taking a number", async {
            if let Some(number) = self.count_up(&counter).await? {
                return Ok(number);
            }
            // Made apart from the counting: what an upsert answers who lost the race for it differs between servers.
            let begun = insert_if_unknown(counter.as_str(), doc! { "value": 0_i64 });
            self.write(COUNTERS, vec![begun]).await?;
            let number = self.count_up(&counter).await?;
            number.ok_or_else(|| Failure::Vanished(format!("the counter {counter}")))
        })
        .await
    }
}

fn read(collection: Collection, raw: &RawDocumentBuf) -> Result<Document, Failure> {
    Ok(document::read(collection.name(), raw, body::from_stored)?)
}

/// The document in the version that was seen. One that was put there by hand has none, which is read as 0.
fn as_seen(key: &Key, seen: Version) -> bson::Document {
    let version = if seen == 0 { Bson::Null } else { seen.into() };
    doc! { "_id": body::key_to_bson(key), VERSION: version }
}

fn filter(query: &Query) -> Result<bson::Document, Failure> {
    Ok(match &query.filter {
        Filter::All { after: None } => doc! {},
        Filter::All { after: Some(key) } => beyond(key, query.newest_first),
        Filter::Is { field, value } => {
            doc! { *field: body::to_bson(field, value).map_err(Failure::Unexpected)? }
        }
        Filter::Between { field, from, to } => {
            // A range may have no end; a date beyond all calendars is one that not every server reads.
            let bounded = |end: i64| if is_instant(field) { clamped(end) } else { end };
            let end = |number| body::number_to_bson(field, bounded(number));
            doc! { *field: { "$gte": end(*from), "$lte": end(*to), "$not": { "$type": "array" } } }
        }
    })
}

fn clamped(at_ms: i64) -> i64 {
    at_ms.clamp(*INSTANTS_MS.start(), *INSTANTS_MS.end())
}

/// The keys after this one, or before it. A comparison finds only keys of its own kind, so the other kind is named
/// where it follows: numbers come before texts.
fn beyond(key: &Key, newest_first: bool) -> bson::Document {
    let id = body::key_to_bson(key);
    match (key, newest_first) {
        (Key::Number(_), false) => doc! { "$or": [{ "_id": { "$gt": id } }, { "_id": { "$gte": "" } }] },
        (Key::Number(_), true) => doc! { "_id": { "$lt": id } },
        (Key::Text(_), false) => doc! { "_id": { "$gt": id } },
        (Key::Text(_), true) => {
            doc! { "$or": [{ "_id": { "$lt": id } }, { "_id": { "$lte": i64::MAX } }] }
        }
    }
}

fn order(query: &Query) -> bson::Document {
    let direction = if query.newest_first { -1 } else { 1 };
    match query.filter {
        Filter::All { .. } | Filter::Is { .. } => doc! { "_id": direction },
        Filter::Between { field, .. } => doc! { field: direction, "_id": direction },
    }
}
