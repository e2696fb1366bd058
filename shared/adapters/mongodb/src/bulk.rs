//! Many single-document writes in one `bulkWrite` command, each answered on its own.
//!
//! The command is MongoDB 8.0's. Whatever is written through it may be repeated, so it is sent again after a broken
//! connection; the driver itself retries no write on a standalone server.

use mongodb::{
    bson::{Document, doc},
    error::{BulkWriteError, ErrorKind, PartialBulkWriteResult},
    options::{UpdateModifications, UpdateOneModel, WriteModel},
    results::VerboseBulkWriteResult,
};

use crate::{
    failure::{DUPLICATE_KEY, Failure, Refusal},
    shop::MongoShop,
};

/// How often an upsert is tried that loses the race to create its document.
const UPSERT_TRIES: u32 = 5;

/// What became of one write.
#[derive(Debug)]
pub(crate) enum Effect {
    /// There was no such document before.
    Created,
    /// The filter matched a document.
    Matched,
    Unmatched,
    /// The server refused, and will refuse again.
    Refused(Refusal),
}

/// Sends a call again when the connection broke, as the driver does on a replica set. Only for calls that may be repeated.
pub(crate) async fn again_after_a_break<T, A>(attempt: impl Fn() -> A) -> Result<T, Failure>
where
    A: IntoFuture<Output = mongodb::error::Result<T>>,
{
    match attempt().await.map_err(Failure::from) {
        Err(failure) if failure.is_broken_connection() => Ok(attempt().await?),
        settled => settled,
    }
}

impl MongoShop {
    /// An update of the document that the filter matches.
    pub(crate) fn update(
        &self,
        collection: &str,
        filter: Document,
        update: impl Into<UpdateModifications>,
    ) -> UpdateOneModel {
        let namespace = self.collection(collection).namespace();
        UpdateOneModel::builder().namespace(namespace).filter(filter).update(update).build()
    }

    /// The same, and a new document where there is none with this `_id`.
    pub(crate) fn upsert(
        &self,
        collection: &str,
        id: &str,
        update: impl Into<UpdateModifications>,
    ) -> UpdateOneModel {
        self.upsert_where(collection, id, Document::new(), update)
    }

    /// The same where the document matches the filter too; one that does not is refused as a duplicate of itself.
    pub(crate) fn upsert_where(
        &self,
        collection: &str,
        id: &str,
        filter: Document,
        update: impl Into<UpdateModifications>,
    ) -> UpdateOneModel {
        let mut named = doc! { "_id": id };
        named.extend(filter);
        let mut model = self.update(collection, named, update);
        model.upsert = Some(true);
        model
    }

    /// Writes in any order, and answers in the order given. Returns when a majority has all of them in its journal.
    ///
    /// An error that passes (a server that steps down, a write concern that was not met in time) is the error of all.
    pub(crate) async fn bulk_write(&self, writes: Vec<WriteModel>) -> Result<Vec<Effect>, Failure> {
        if writes.is_empty() {
            return Ok(Vec::new());
        }
        let database = self.database();
        let client = database.client();
        let run = || client.bulk_write(writes.clone()).ordered(false).verbose_results();
        let (results, mut errors) = match again_after_a_break(run).await {
            Ok(results) => (results, BulkWriteError::default()),
            Err(Failure::Driver(error)) => split(error)?,
            Err(failure) => return Err(failure),
        };
        let mut effects = Vec::with_capacity(writes.len());
        for index in 0..writes.len() {
            let effect = match errors.write_errors.remove(&index).map(Refusal::from) {
                Some(refusal) if refusal.is_passing() => return Err(Failure::Refused(refusal)),
                Some(refusal) => Some(Effect::Refused(refusal)),
                None => effect(&results, index),
            };
            let unanswered = || Failure::Unexpected(format!("write {index} of a batch was not answered"));
            effects.push(effect.ok_or_else(unanswered)?);
        }
        Ok(effects)
    }

    /// Runs updates that must all succeed. Of two concurrent upserts of a new document the server may refuse one, which then
    /// finds the document. A refusal that stays is not a race but a unique index that somebody added.
    pub(crate) async fn update_all(&self, mut writes: Vec<UpdateOneModel>) -> Result<(), Failure> {
        for tried in 1.. {
            let effects = self.bulk_write(writes.iter().cloned().map(WriteModel::from).collect()).await?;
            let mut lost = Vec::new();
            for (write, effect) in writes.into_iter().zip(effects) {
                match effect {
                    Effect::Refused(refusal) if refusal.code == DUPLICATE_KEY && tried < UPSERT_TRIES => {
                        lost.push(write);
                    }
                    Effect::Refused(refusal) => return Err(Failure::Refused(refusal)),
                    Effect::Created | Effect::Matched | Effect::Unmatched => {}
                }
            }
            if lost.is_empty() {
                break;
            }
            writes = lost;
        }
        Ok(())
    }
}

/// Takes an error apart that concerns single writes; any other is the error of all of them.
fn split(error: mongodb::error::Error) -> Result<(VerboseBulkWriteResult, BulkWriteError), Failure> {
    let ErrorKind::BulkWrite(parts) = &*error.kind else { return Err(error.into()) };
    if !parts.write_concern_errors.is_empty() || std::error::Error::source(&error).is_some() {
        return Err(error.into());
    }
    let results = match &parts.partial_result {
        Some(PartialBulkWriteResult::Verbose(results)) => results.clone(),
        Some(PartialBulkWriteResult::Summary(_)) | None => VerboseBulkWriteResult::default(),
    };
    Ok((results, parts.clone()))
}

fn effect(results: &VerboseBulkWriteResult, index: usize) -> Option<Effect> {
    if results.insert_results.contains_key(&index) {
        return Some(Effect::Created);
    }
    let update = results.update_results.get(&index)?;
    Some(match update {
        _ if update.upserted_id.is_some() => Effect::Created,
        _ if update.matched_count > 0 => Effect::Matched,
        _ => Effect::Unmatched,
    })
}
