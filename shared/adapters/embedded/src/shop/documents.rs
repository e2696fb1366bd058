//! Documents that are compared and swapped, each with the rows by which it is found.

use std::collections::HashSet;

use async_trait::async_trait;
use serde_json::{Value, json};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};
use tolov_domain::ports::{
    PortError,
    documents::{
        Body, Collection, Document, Documents, Key, Query, Sequence, Unreadable, Version, Write, Written,
        checked_batch, checked_body, checked_query,
    },
};

use super::{
    EmbeddedShop,
    queries::Statement,
    values::{Parameter, key_json, read_key},
};

#[async_trait]
impl Documents for EmbeddedShop {
    async fn get_many(
        &self,
        collection: Collection,
        keys: &[Key],
    ) -> Result<Vec<Result<Document, Unreadable>>, PortError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(
            "SELECT key, version, body FROM documents
             WHERE collection = ?1 AND key IN (SELECT value FROM json_each(?2)) ORDER BY key",
        )
        .bind(collection.name())
        .bind(Parameter::list(&keys.iter().map(key_json).collect()))
        .fetch_all(self.file.readers())
        .await
        .map_err(|error| self.file.failed(&error))?;
        rows.iter().map(|row| self.read(row)).collect()
    }

    async fn put_many(&self, collection: Collection, writes: &[Write]) -> Result<Vec<Written>, PortError> {
        let checked: Vec<_> = checked_batch(writes)?.iter().map(|write| checked_body(&write.body)).collect();
        let valid = writes.iter().zip(&checked).filter(|(_, body)| body.is_ok());
        let valid: Vec<Write> = valid.map(|(write, _)| write.clone()).collect();
        let mut done = HashSet::new();
        if !valid.is_empty() {
            done = self.writes.write(&self.file, collection, valid).await?;
        }
        let answer = |(write, body): (&Write, Result<&Body, PortError>)| match body {
            Err(refusal) => Written::Refused(refusal.to_string()),
            Ok(_) if done.contains(&write.key) => Written::Done(write.seen.unwrap_or_default() + 1),
            Ok(_) => Written::Conflict,
        };
        Ok(writes.iter().zip(checked).map(answer).collect())
    }

    async fn remove(&self, collection: Collection, key: &Key, seen: Version) -> Result<bool, PortError> {
        let mut writer = self.file.writer().await?;
        // Its index rows are deleted by the foreign key.
        let removed =
            sqlx::query("DELETE FROM documents WHERE collection = ?1 AND key = ?2 AND version = ?3")
                .bind(collection.name())
                .bind(Parameter::from(key))
                .bind(seen)
                .execute(&mut *writer)
                .await
                .map_err(|error| self.file.failed(&error))?;
        Ok(removed.rows_affected() > 0)
    }

    async fn find(&self, query: &Query) -> Result<Vec<Result<Document, Unreadable>>, PortError> {
        let statement = Statement::of(checked_query(query)?);
        let mut page = sqlx::query(statement.page);
        for parameter in statement.parameters {
            page = page.bind(parameter);
        }
        let page = page.bind(query.limit).bind(query.skip).fetch_all(self.file.readers());
        let rows = page.await.map_err(|error| self.file.failed(&error))?;
        rows.iter().map(|row| self.read(row)).collect()
    }

    async fn count(&self, query: &Query) -> Result<u64, PortError> {
        let statement = Statement::of(checked_query(query)?);
        let mut count = sqlx::query_scalar(statement.count);
        for parameter in statement.parameters {
            count = count.bind(parameter);
        }
        count.fetch_one(self.file.readers()).await.map_err(|error| self.file.failed(&error))
    }

    async fn next_number(&self, sequence: Sequence, above: i64) -> Result<i64, PortError> {
        let exhausted = || PortError::Refused(format!("the sequence {} has no number left", sequence.name()));
        let above = above.max(0);
        let first = above.checked_add(1).ok_or_else(exhausted)?;
        let mut writer = self.file.writer().await?;
        let number: Option<i64> = sqlx::query_scalar(
            "INSERT INTO counters (name, value) VALUES (?1, ?3)
             ON CONFLICT (name) DO UPDATE SET value = max(value, ?2) + 1 WHERE value < 9223372036854775807
             RETURNING value",
        )
        .bind(sequence.name())
        .bind(above)
        .bind(first)
        .fetch_optional(&mut *writer)
        .await
        .map_err(|error| self.file.failed(&error))?;
        number.ok_or_else(exhausted)
    }
}

impl EmbeddedShop {
    fn read(&self, row: &SqliteRow) -> Result<Result<Document, Unreadable>, PortError> {
        let failed = |error| self.file.failed(&error);
        let key = read_key(row).map_err(failed)?;
        let version = row.try_get("version").map_err(failed)?;
        let text: &str = row.try_get("body").map_err(failed)?;
        Ok(match serde_json::from_str(text) {
            Ok(body) => Ok(Document { key, version, body }),
            Err(error) => Err(Unreadable { key, reason: format!("its body is no JSON object: {error}") }),
        })
    }
}

/// Writes those documents that are as their writers saw them, and returns their keys.
pub(super) async fn write_in(
    transaction: &mut SqliteConnection,
    collection: Collection,
    writes: &[Write],
) -> sqlx::Result<HashSet<Key>> {
    let row = |write: &Write| json!([key_json(&write.key), write.seen, json!(write.body).to_string()]);
    let rows = Parameter::list(&writes.iter().map(row).collect());
    // `IS` makes a missing document equal to a writer that saw none.
    let done = sqlx::query(
        "INSERT INTO documents (collection, key, version, body)
         SELECT ?1, value ->> 0, coalesce(value ->> 1, 0) + 1, value ->> 2 FROM jsonb_each(?2)
         WHERE (SELECT version FROM documents WHERE collection = ?1 AND key = value ->> 0) IS value ->> 1
         ON CONFLICT (collection, key) DO UPDATE SET version = excluded.version, body = excluded.body
         RETURNING key",
    )
    .bind(collection.name())
    .bind(rows)
    .fetch_all(&mut *transaction)
    .await?;
    let done: HashSet<Key> = done.iter().map(read_key).collect::<sqlx::Result<_>>()?;
    if !done.is_empty() && !collection.indexed().is_empty() {
        let written = writes.iter().filter(|write| done.contains(&write.key));
        index(transaction, collection, written.collect()).await?;
    }
    Ok(done)
}

/// Replaces the rows by which documents are found.
async fn index(
    transaction: &mut SqliteConnection,
    collection: Collection,
    written: Vec<&Write>,
) -> sqlx::Result<()> {
    let replaced = written.iter().filter(|write| write.seen.is_some());
    let replaced: Vec<Value> = replaced.map(|write| key_json(&write.key)).collect();
    if !replaced.is_empty() {
        sqlx::query(
            "DELETE FROM document_index WHERE collection = ?1 AND key IN (SELECT value FROM json_each(?2))",
        )
        .bind(collection.name())
        .bind(Parameter::list(&replaced.into()))
        .execute(&mut *transaction)
        .await?;
    }
    let rows: Vec<Value> = written.into_iter().flat_map(|write| index_rows(collection, write)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    // A list may hold a value twice.
    sqlx::query(
        "INSERT INTO document_index (collection, field, value, key, is_item)
         SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM jsonb_each(?2) WHERE true
         ON CONFLICT (collection, field, value, key) DO NOTHING",
    )
    .bind(collection.name())
    .bind(Parameter::list(&rows.into()))
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

/// Field, value, key, and whether the value is an item of a list.
fn index_rows(collection: Collection, write: &Write) -> Vec<Value> {
    let mut rows = Vec::new();
    for field in collection.indexed() {
        let (values, is_item) = match write.body.get(*field) {
            Some(Value::Array(items)) => (items.as_slice(), 1),
            Some(single) => (std::slice::from_ref(single), 0),
            None => continue,
        };
        let indexed = values.iter().filter(|value| Parameter::of(value).is_some());
        rows.extend(indexed.map(|value| json!([field, value, key_json(&write.key), is_item])));
    }
    rows
}
