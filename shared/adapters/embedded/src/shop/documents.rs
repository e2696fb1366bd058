//! Documents that are compared and swapped, each with the rows by which it is found.

use async_trait::async_trait;
use serde_json::{Value, json};
use sqlx::{
    Connection, Encode, Row, Sqlite, SqliteConnection, Type,
    encode::IsNull,
    error::BoxDynError,
    sqlite::{SqliteArgumentsBuffer, SqliteRow, SqliteTypeInfo},
};
use tolov_domain::ports::{
    PortError,
    documents::{
        Body, Collection, Document, Documents, Key, Put, Query, Sequence, Version, checked_body,
        checked_query,
    },
};

use super::{EmbeddedShop, questions::Question};
use crate::sqlite::{BEGIN_WRITING, SqliteFile};

#[async_trait]
impl Documents for EmbeddedShop {
    async fn get(&self, collection: Collection, key: &Key) -> Result<Option<Document>, PortError> {
        let row = sqlx::query("SELECT key, version, body FROM documents WHERE collection = ?1 AND key = ?2")
            .bind(collection.name())
            .bind(Scalar::from(key))
            .fetch_optional(self.file.readers())
            .await
            .map_err(|error| self.file.failed(&error))?;
        row.map(|row| into_document(&self.file, collection, &row)).transpose()
    }

    async fn get_many(&self, collection: Collection, keys: &[Key]) -> Result<Vec<Document>, PortError> {
        let keys: Vec<Value> = keys.iter().map(key_json).collect();
        let rows = sqlx::query(
            "SELECT key, version, body FROM documents
             WHERE collection = ?1 AND key IN (SELECT value FROM json_each(?2)) ORDER BY key",
        )
        .bind(collection.name())
        .bind(json!(keys).to_string())
        .fetch_all(self.file.readers())
        .await
        .map_err(|error| self.file.failed(&error))?;
        into_documents(&self.file, collection, &rows)
    }

    async fn put(
        &self,
        collection: Collection,
        key: &Key,
        seen: Option<Version>,
        body: &Body,
    ) -> Result<Put, PortError> {
        let body = checked_body(body)?;
        let mut writer = self.file.writer().await?;
        let written = write(&mut writer, collection, key, seen, body).await;
        let version = written.map_err(|error| self.file.failed(&error))?;
        Ok(version.map_or(Put::Conflict, Put::Done))
    }

    async fn remove(&self, collection: Collection, key: &Key, seen: Version) -> Result<bool, PortError> {
        let mut writer = self.file.writer().await?;
        // The rows of its index go with it.
        let removed =
            sqlx::query("DELETE FROM documents WHERE collection = ?1 AND key = ?2 AND version = ?3")
                .bind(collection.name())
                .bind(Scalar::from(key))
                .bind(seen)
                .execute(&mut *writer)
                .await
                .map_err(|error| self.file.failed(&error))?;
        Ok(removed.rows_affected() > 0)
    }

    async fn find(&self, query: &Query) -> Result<Vec<Document>, PortError> {
        let question = Question::of(checked_query(query)?);
        let mut rows = sqlx::query(question.page);
        for value in question.values {
            rows = rows.bind(value);
        }
        let rows = rows
            .bind(query.limit)
            .bind(query.skip)
            .fetch_all(self.file.readers())
            .await
            .map_err(|error| self.file.failed(&error))?;
        into_documents(&self.file, query.collection, &rows)
    }

    async fn count(&self, query: &Query) -> Result<u64, PortError> {
        let question = Question::of(checked_query(query)?);
        let mut count = sqlx::query_scalar(question.count);
        for value in question.values {
            count = count.bind(value);
        }
        count.fetch_one(self.file.readers()).await.map_err(|error| self.file.failed(&error))
    }

    async fn next_number(&self, sequence: Sequence) -> Result<i64, PortError> {
        let mut writer = self.file.writer().await?;
        sqlx::query_scalar(
            "INSERT INTO counters (name, value) VALUES (?1, 1)
             ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
        )
        .bind(format!("documents/{}", sequence.name()))
        .fetch_one(&mut *writer)
        .await
        .map_err(|error| self.file.failed(&error))
    }
}

/// The version that the document has now; none where it is not as it was seen.
async fn write(
    writer: &mut SqliteConnection,
    collection: Collection,
    key: &Key,
    seen: Option<Version>,
    body: &Body,
) -> sqlx::Result<Option<Version>> {
    let text = json!(body).to_string();
    let mut transaction = writer.begin_with(BEGIN_WRITING).await?;
    let change = if seen.is_some() {
        "UPDATE documents SET version = version + 1, body = ?3
         WHERE collection = ?1 AND key = ?2 AND version = ?4 RETURNING version"
    } else {
        "INSERT INTO documents (collection, key, version, body) VALUES (?1, ?2, 1, ?3)
         ON CONFLICT (collection, key) DO NOTHING RETURNING version"
    };
    // A new one has no use for what was seen, which does no harm.
    let version: Option<Version> = sqlx::query_scalar(change)
        .bind(collection.name())
        .bind(Scalar::from(key))
        .bind(text)
        .bind(seen)
        .fetch_optional(&mut *transaction)
        .await?;
    if version.is_none() {
        transaction.rollback().await?;
        return Ok(None);
    }
    if seen.is_some() && !collection.indexed().is_empty() {
        sqlx::query("DELETE FROM document_index WHERE collection = ?1 AND key = ?2")
            .bind(collection.name())
            .bind(Scalar::from(key))
            .execute(&mut *transaction)
            .await?;
    }
    for field in collection.indexed() {
        let (values, is_item) = match body.get(*field) {
            Some(Value::Array(items)) => (items.as_slice(), true),
            Some(single) => (std::slice::from_ref(single), false),
            None => continue,
        };
        for value in values.iter().filter_map(Scalar::of) {
            // A list may hold a value twice.
            sqlx::query(
                "INSERT INTO document_index (collection, field, value, key, is_item)
                 VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (collection, field, value, key) DO NOTHING",
            )
            .bind(collection.name())
            .bind(*field)
            .bind(value)
            .bind(Scalar::from(key))
            .bind(is_item)
            .execute(&mut *transaction)
            .await?;
        }
    }
    transaction.commit().await?;
    Ok(version)
}

fn key_json(key: &Key) -> Value {
    match key {
        Key::Number(number) => json!(number),
        Key::Text(text) => json!(text),
    }
}

fn into_documents(
    file: &SqliteFile,
    collection: Collection,
    rows: &[SqliteRow],
) -> Result<Vec<Document>, PortError> {
    rows.iter().map(|row| into_document(file, collection, row)).collect()
}

fn into_document(file: &SqliteFile, collection: Collection, row: &SqliteRow) -> Result<Document, PortError> {
    let number = row.try_get("key").map(Key::Number);
    let key = number.or_else(|_| row.try_get("key").map(Key::Text)).map_err(|error| file.failed(&error))?;
    let version = row.try_get("version").map_err(|error| file.failed(&error))?;
    let text: &str = row.try_get("body").map_err(|error| file.failed(&error))?;
    let body = serde_json::from_str(text)
        .map_err(|_| file.damaged(format_args!("document {key} of {}", collection.name())))?;
    Ok(Document { key, version, body })
}

/// A number or a text, which SQLite keeps apart in columns of the type ANY.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scalar<'a> {
    Number(i64),
    Text(&'a str),
}

impl<'a> Scalar<'a> {
    /// None for what nothing is found by.
    pub(super) fn of(value: &'a Value) -> Option<Self> {
        value.as_i64().map(Self::Number).or_else(|| value.as_str().map(Self::Text))
    }
}

impl<'a> From<&'a Key> for Scalar<'a> {
    fn from(key: &'a Key) -> Self {
        match key {
            Key::Number(number) => Self::Number(*number),
            Key::Text(text) => Self::Text(text),
        }
    }
}

impl Type<Sqlite> for Scalar<'_> {
    fn type_info() -> SqliteTypeInfo {
        <str as Type<Sqlite>>::type_info()
    }
}

impl Encode<'_, Sqlite> for Scalar<'_> {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        match self {
            Self::Number(number) => number.encode_by_ref(buffer),
            Self::Text(text) => text.encode_by_ref(buffer),
        }
    }
}
