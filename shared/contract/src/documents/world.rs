//! Where the behaviours of a store of documents take place, and ways to write and read there.

use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use serde_json::Value;
use tolov_domain::ports::documents::{
    Body, Collection, Document, Documents, Key, Put, Query, Unreadable, Version,
};

pub(super) const CATEGORIES: Collection = Collection::new("categories", &["position"]);
pub(super) const DIALOGUES: Collection = Collection::new("dialogues", &[]);
pub(super) const ORDERS: Collection = Collection::new("orders", &["user_id", "status", "phone", "placed_at"]);
pub(super) const PRODUCTS: Collection = Collection::new("products", &["category_id", "article_ids"]);
pub(super) const PROMO_CODES: Collection = Collection::new("promo_codes", &[]);
pub(super) const STAFF: Collection = Collection::new("staff", &[]);
pub(super) const UPDATES: Collection = Collection::new("updates", &["state"]);
pub(super) const USERS: Collection = Collection::new("users", &["referrer_id"]);

/// The collections that the behaviours use.
pub const COLLECTIONS: [Collection; 8] =
    [CATEGORIES, DIALOGUES, ORDERS, PRODUCTS, PROMO_CODES, STAFF, UPDATES, USERS];

/// A store of documents for one behaviour, empty at first.
#[async_trait]
pub trait DocumentsWorld: Send + Sync {
    /// A handle on the store. Where an adapter can have several (another connection, another process), every call
    /// returns another one on the same data.
    async fn documents(&self) -> Arc<dyn Documents>;

    /// Makes a document unreadable, as another program or a fault of the disk would. Its version and its indexed fields
    /// stay as they are.
    async fn damage(&self, collection: Collection, key: &Key) -> anyhow::Result<()>;

    /// Removes all that the world has made.
    async fn close(self: Box<Self>);
}

/// The body of a document from a JSON object.
pub(super) fn body(fields: Value) -> anyhow::Result<Body> {
    let Value::Object(fields) = fields else { anyhow::bail!("a document is a JSON object") };
    Ok(fields)
}

/// Creates a document that must not exist.
pub(super) async fn create(
    store: &dyn Documents,
    collection: Collection,
    key: impl Into<Key>,
    fields: Value,
) -> anyhow::Result<()> {
    let key = key.into();
    assert_eq!(store.put(collection, &key, None, &body(fields)?).await?, Put::Done(1), "{key}");
    Ok(())
}

/// Replaces a document that must have this version.
pub(super) async fn change(
    store: &dyn Documents,
    collection: Collection,
    key: impl Into<Key>,
    seen: Version,
    fields: Value,
) -> anyhow::Result<()> {
    let key = key.into();
    let put = store.put(collection, &key, Some(seen), &body(fields)?).await?;
    assert_eq!(put, Put::Done(seen + 1), "{key}");
    Ok(())
}

pub(super) async fn read(
    store: &dyn Documents,
    collection: Collection,
    key: impl Into<Key>,
) -> anyhow::Result<Document> {
    let key = key.into();
    store.get(collection, &key).await?.with_context(|| format!("{key} is there"))
}

/// The keys of what a query finds, in its order.
pub(super) async fn keys(store: &dyn Documents, query: &Query) -> anyhow::Result<Vec<Key>> {
    Ok(readable(store.find(query).await?)?.into_iter().map(|document| document.key).collect())
}

/// Documents of which none may be unreadable.
pub(super) fn readable(documents: Vec<Result<Document, Unreadable>>) -> anyhow::Result<Vec<Document>> {
    let documents = documents.into_iter().map(|document| {
        document.map_err(|unreadable| anyhow::anyhow!("{}: {}", unreadable.key, unreadable.reason))
    });
    documents.collect()
}

pub(super) fn numbers(keys: &[i64]) -> Vec<Key> {
    keys.iter().copied().map(Key::Number).collect()
}
