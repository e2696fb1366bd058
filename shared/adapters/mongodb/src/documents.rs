//! Documents that are compared and swapped.
//!
//! Each write names in its filter the version that it saw, so of concurrent writers one finds the document and the
//! others find nothing. A write that is sent again after a broken connection finds nothing either where it got through
//! before; the port allows it to be answered as a conflict.

use async_trait::async_trait;
use futures_util::TryStreamExt;
use mongodb::{
    bson::{self, Bson, RawDocumentBuf, doc},
    options::{InsertOneModel, ReplaceOneModel, ReturnDocument, WriteModel},
};
use tolov_domain::ports::{
    PortError,
    documents::{
        Collection, Document, Documents, Filter, Key, Query, Sequence, TIMESTAMPS_MS, Unreadable, Version,
        Write, Written, checked_batch, checked_body, checked_query, is_timestamp,
    },
};

use crate::{
    body::{self, VERSION},
    bulk::{Effect, again_after_a_break},
    failure::Failure,
    shop::{COUNTERS, MongoShop},
};

#[async_trait]
impl Documents for MongoShop {
    async fn get_many(
        &self,
        collection: Collection,
        keys: &[Key],
    ) -> Result<Vec<Result<Document, Unreadable>>, PortError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.call("reading documents", async {
            let ids: Vec<Bson> = keys.iter().map(body::key_to_bson).collect();
            let named = doc! { "_id": { "$in": ids } };
            let found = self.collection(collection.name()).find(named).sort(doc! { "_id": 1 }).await?;
            let found: Vec<RawDocumentBuf> = found.try_collect().await?;
            Ok(found.iter().map(|raw| body::from_stored(raw)).collect())
        })
        .await
    }

    async fn put_many(&self, collection: Collection, writes: &[Write]) -> Result<Vec<Written>, PortError> {
        let planned: Vec<_> =
            checked_batch(writes)?.iter().map(|write| self.model(collection, write)).collect();
        let models: Vec<WriteModel> = planned.iter().flatten().cloned().collect();
        self.call("writing documents", async {
            let mut effects = self.bulk_write(models).await?.into_iter();
            let answers = writes.iter().zip(planned).map(|(write, planned)| match planned {
                Err(answer) => answer,
                Ok(_) => effects.next().map_or(Written::Conflict, |effect| answer(write, effect)),
            });
            Ok(answers.collect())
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

    async fn find(&self, query: &Query) -> Result<Vec<Result<Document, Unreadable>>, PortError> {
        checked_query(query)?;
        if query.limit == 0 {
            // The server reads a limit of 0 as no limit.
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
            Ok(found.iter().map(|raw| body::from_stored(raw)).collect())
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

    async fn next_number(&self, sequence: Sequence, above: i64) -> Result<i64, PortError> {
        let name = sequence.name();
        let exhausted = || PortError::Refused(format!("the sequence {name} has no number left"));
        if above == i64::MAX {
            return Err(exhausted());
        }
        let number = self.call("taking a number", async {
            if let Some(number) = self.count_up(name, above).await? {
                return Ok(Some(number));
            }
            // Created apart from the counting: a lost race for an upsert is answered differently from server to server.
            let zero = doc! { "$setOnInsert": { "value": 0_i64 } };
            self.update_all(vec![self.upsert(COUNTERS, name, zero)]).await?;
            self.count_up(name, above).await
        });
        number.await?.ok_or_else(exhausted)
    }
}

impl MongoShop {
    /// The write as the driver takes it, or the answer to one that is not sent.
    fn model(&self, collection: Collection, write: &Write) -> Result<WriteModel, Written> {
        let Write { key, seen, body } = write;
        let version = seen.unwrap_or_default().checked_add(1).ok_or(Written::Conflict)?;
        let refused = |error: PortError| Written::Refused(error.to_string());
        let stored = body::to_stored(key, version, checked_body(body).map_err(refused)?);
        let stored = stored.map_err(Written::Refused)?;
        let namespace = self.collection(collection.name()).namespace();
        Ok(match seen {
            None => InsertOneModel::builder().namespace(namespace).document(stored).build().into(),
            Some(seen) => {
                let filter = as_seen(key, *seen);
                ReplaceOneModel::builder()
                    .namespace(namespace)
                    .filter(filter)
                    .replacement(stored)
                    .build()
                    .into()
            }
        })
    }

    /// The next number, or `None` where the counter is missing or at its end. A number whose answer is lost is never
    /// used.
    async fn count_up(&self, counter: &str, above: i64) -> Result<Option<i64>, Failure> {
        let counters = self.collection(COUNTERS);
        let next = doc! { "$add": [{ "$max": ["$value", above] }, 1_i64] };
        let count = || {
            counters
                .find_one_and_update(
                    doc! { "_id": counter, "value": { "$lt": i64::MAX } },
                    vec![doc! { "$set": { "value": next.clone() } }],
                )
                .return_document(ReturnDocument::After)
        };
        let Some(after) = again_after_a_break(count).await? else { return Ok(None) };
        let value = after.get_i64("value").map_err(|error| Failure::Unexpected(error.to_string()))?;
        Ok(Some(value))
    }
}

fn answer(write: &Write, effect: Effect) -> Written {
    match effect {
        Effect::Created | Effect::Matched => Written::Done(write.seen.unwrap_or_default() + 1),
        Effect::Unmatched => Written::Conflict,
        Effect::Refused(refusal) if write.seen.is_none() && refusal.is_duplicate_id() => Written::Conflict,
        Effect::Refused(refusal) => Written::Refused(format!(
            "MongoDB refuses the document {}: {refusal}; look for indexes and rules that the shop did not make",
            write.key
        )),
    }
}

/// The document in the version that was seen. One that was inserted by hand has none, which is read as 0.
fn as_seen(key: &Key, seen: Version) -> bson::Document {
    let version = if seen == 0 { Bson::Null } else { seen.into() };
    doc! { "_id": body::key_to_bson(key), VERSION: version }
}

fn filter(query: &Query) -> Result<bson::Document, Failure> {
    let wanted = |field, value| body::to_bson(field, value).map_err(Failure::Unexpected);
    Ok(match &query.filter {
        Filter::All { after: None } => doc! {},
        Filter::All { after: Some(key) } => beyond(key, query.newest_first),
        Filter::Is { field, value } => doc! { *field: wanted(field, value)? },
        Filter::AnyOf { field, values } => {
            let values = values.iter().map(|value| wanted(field, value)).collect::<Result<Vec<_>, _>>()?;
            doc! { *field: { "$in": values } }
        }
        Filter::Between { field, from, to } => {
            // A range may be open; not every server reads a date beyond all calendars.
            let bounded = |end: i64| if is_timestamp(field) { clamped(end) } else { end };
            let end = |number| body::number_to_bson(field, bounded(number));
            doc! { *field: { "$gte": end(*from), "$lte": end(*to), "$not": { "$type": "array" } } }
        }
    })
}

fn clamped(at_ms: i64) -> i64 {
    at_ms.clamp(*TIMESTAMPS_MS.start(), *TIMESTAMPS_MS.end())
}

/// The keys after this one, or before it. A comparison finds only keys of its own type, so the other type is named where
/// it follows: numbers come before texts.
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
        Filter::All { .. } | Filter::Is { .. } | Filter::AnyOf { .. } => doc! { "_id": direction },
        Filter::Between { field, .. } => doc! { field: direction, "_id": direction },
    }
}
