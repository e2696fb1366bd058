//! What lists and searches need of the catalogue, in memory.
//!
//! Whoever changes what it shows (titles, what is hidden, the order of the menu) marks the catalogue as changed after the
//! write; a reader compares one small document with what it saw last, and reads the catalogue again where they differ. Prices
//! and stock are not in it: a page reads the products that it shows.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::{Deserialize, Serialize};
use time::Duration;
use tokio::sync::Mutex;
use tolov_domain::{
    Outcome, ProductId,
    ports::{
        PortError,
        documents::{Collection, Documents, Key, Version},
    },
    time::Timestamp,
};

use super::{
    product::{Category, PRODUCTS_MAX, Product},
    queries::categories,
    search::{self, Title},
};
use crate::records::{self, Record};

pub const CATALOGUE_CHANGES: Collection = Collection::new("catalogue_changes", &[]);

/// Who changed the catalogue and died before marking it is seen after this time.
const KEPT_FOR: Duration = Duration::minutes(5);

/// How often the catalogue was changed. There is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct CatalogueChanges {
    count: i64,
}

impl Record for CatalogueChanges {
    const COLLECTION: Collection = CATALOGUE_CHANGES;

    fn key(&self) -> Key {
        Key::Number(1)
    }
}

/// What shoppers find in lists: a category, or a product.
pub trait Listed: Record {}
impl Listed for Category {}
impl Listed for Product {}

/// As [`records::insert`]; shoppers see it.
pub async fn insert<R: Listed>(documents: &dyn Documents, record: &R) -> Result<Outcome, PortError> {
    let inserted = records::insert(documents, record).await?;
    mark_changed(documents).await?;
    Ok(inserted)
}

/// As [`records::change`]; shoppers see it.
pub async fn change<R: Listed, T>(
    documents: &dyn Documents,
    key: impl Into<Key>,
    change: impl FnMut(&mut R) -> T,
) -> Result<Option<(R, T)>, PortError> {
    let changed = records::change(documents, key, change).await?;
    mark_changed(documents).await?;
    Ok(changed)
}

/// As [`records::remove`]; shoppers see it.
pub async fn remove<R: Listed>(
    documents: &dyn Documents,
    key: impl Into<Key>,
) -> Result<Option<R>, PortError> {
    let removed = records::remove(documents, key).await?;
    mark_changed(documents).await?;
    Ok(removed)
}

/// For writers of many records, after the last one.
pub async fn mark_changed(documents: &dyn Documents) -> Result<(), PortError> {
    let new = || CatalogueChanges { count: 0 };
    let count = |changes: &mut CatalogueChanges| changes.count = changes.count.saturating_add(1);
    records::change_or_insert(documents, 1, new, count).await.map(drop)
}

/// The catalogue as shoppers find it, at one moment.
#[derive(Debug)]
pub struct Snapshot {
    version: Option<Version>,
    read_at: Timestamp,
    categories: Vec<Category>,
    by_category: BTreeMap<i64, Vec<ProductId>>,
    titles: Vec<Title>,
}

impl Snapshot {
    async fn read(
        documents: &dyn Documents,
        version: Option<Version>,
        read_at: Timestamp,
    ) -> Result<Self, PortError> {
        let mut categories = categories(documents).await?;
        let mut by_category: BTreeMap<i64, Vec<ProductId>> = BTreeMap::new();
        let mut titles = Vec::new();
        let see = |product: Product| {
            if product.hidden {
                return;
            }
            by_category.entry(product.category_id).or_default().push(product.id);
            let category = categories.iter().find(|category| category.id == product.category_id);
            if category.is_none_or(|category| !category.hidden) {
                let category = category.map_or("", |category| category.title.as_str());
                titles.push(Title::of(&product, category));
            }
        };
        records::each(documents, PRODUCTS_MAX, see).await?;
        categories.retain(|category| !category.hidden && by_category.contains_key(&category.id));
        Ok(Self { version, read_at, categories, by_category, titles })
    }

    /// The categories that are not hidden and have a product that is not hidden, in the order of the menu.
    pub fn categories(&self) -> &[Category] {
        &self.categories
    }

    /// The products of a category that are not hidden, by number. Those of a hidden category are reached by a link only.
    pub fn products_in(&self, category_id: i64) -> &[ProductId] {
        self.by_category.get(&category_id).map(Vec::as_slice).unwrap_or_default()
    }

    /// The category of a product that is not hidden, and its place among those of the category.
    pub fn place_of(&self, id: ProductId) -> Option<(i64, usize)> {
        self.by_category
            .iter()
            .find_map(|(category, products)| products.binary_search(&id).ok().map(|place| (*category, place)))
    }

    /// The products that match a query, best first. An empty query finds all of them; those in a hidden category are not
    /// found.
    pub fn search(&self, query: &str) -> Vec<ProductId> {
        search::find(&self.titles, query)
    }
}

/// The snapshot that a process works with.
#[derive(Debug, Default)]
pub struct SnapshotCache {
    current: RwLock<Option<Arc<Snapshot>>>,
    /// Held by the caller who reads the catalogue; the last failure of a reader.
    reading: Mutex<Option<PortError>>,
    /// How many readers have failed.
    failures: AtomicU64,
}

impl SnapshotCache {
    /// The catalogue with every change that was marked before; while another caller reads it, the one from before that. The
    /// first of all is waited for: a crowd that comes after a start reads it once, and fails with the one who reads.
    pub async fn get(&self, documents: &dyn Documents, now: Timestamp) -> Result<Arc<Snapshot>, PortError> {
        let version = version(documents).await?;
        let is_fresh = |snapshot: &Arc<Snapshot>| {
            snapshot.version == version && (now - snapshot.read_at).abs() < KEPT_FOR
        };
        let before = self.current();
        if let Some(fresh) = before.clone().filter(is_fresh) {
            return Ok(fresh);
        }
        let failures = self.failures.load(Ordering::Relaxed);
        let mut reading = match (self.reading.try_lock(), before) {
            (Ok(reading), _) => reading,
            (Err(_), Some(before)) => return Ok(before),
            (Err(_), None) => self.reading.lock().await,
        };
        if let Some(fresh) = self.current().filter(is_fresh) {
            return Ok(fresh);
        }
        if let Some(error) = reading.clone().filter(|_| self.failures.load(Ordering::Relaxed) != failures) {
            return Err(error);
        }
        let read = Snapshot::read(documents, version, now).await.inspect_err(|error| {
            *reading = Some(error.clone());
            self.failures.fetch_add(1, Ordering::Relaxed);
        });
        let snapshot = Arc::new(read?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&snapshot));
        Ok(snapshot)
    }

    fn current(&self) -> Option<Arc<Snapshot>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn version(documents: &dyn Documents) -> Result<Option<Version>, PortError> {
    let changes = records::read_versioned::<CatalogueChanges>(documents, &Key::Number(1)).await?;
    Ok(changes.map(|changes| changes.version))
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use futures_util::future::join_all;
    use time::macros::datetime;
    use tolov_contract::{counting::CountingDocuments, memory::MemoryDocuments};
    use tolov_domain::ports::documents::{Document, Query, Sequence, Unreadable, Write, Written};

    use super::*;

    const LIMIT: std::time::Duration = std::time::Duration::from_secs(5);

    /// It has no document, and its searches are given up after the limit of a call.
    #[derive(Debug)]
    struct Hanging;

    async fn give_up<T>() -> Result<T, PortError> {
        tokio::time::sleep(LIMIT).await;
        Err(PortError::Unavailable("no answer".to_owned()))
    }

    #[async_trait]
    impl Documents for Hanging {
        async fn get_many(
            &self,
            _: Collection,
            _: &[Key],
        ) -> Result<Vec<Result<Document, Unreadable>>, PortError> {
            Ok(Vec::new())
        }

        async fn put_many(&self, _: Collection, _: &[Write]) -> Result<Vec<Written>, PortError> {
            give_up().await
        }

        async fn remove(&self, _: Collection, _: &Key, _: Version) -> Result<bool, PortError> {
            give_up().await
        }

        async fn find(&self, _: &Query) -> Result<Vec<Result<Document, Unreadable>>, PortError> {
            give_up().await
        }

        async fn count(&self, _: &Query) -> Result<u64, PortError> {
            give_up().await
        }

        async fn next_number(&self, _: Sequence, _: i64) -> Result<i64, PortError> {
            give_up().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_that_waits_for_a_store_that_hangs_is_told_together_and_the_next_one_asks_again() {
        let cache = SnapshotCache::default();
        for _ in 0..2 {
            let begun = tokio::time::Instant::now();
            let answers = join_all((0..50).map(|_| cache.get(&Hanging, NOW))).await;
            assert!(answers.iter().all(Result::is_err));
            assert_eq!(begun.elapsed().as_secs(), LIMIT.as_secs());
        }
        let documents = MemoryDocuments::default();
        keep(&documents, 1, false, false).await;
        assert_eq!(cache.get(&documents, NOW).await.unwrap().categories().len(), 1);
    }

    const NOW: Timestamp = datetime!(2026-11-28 07:00 UTC);

    async fn keep(documents: &dyn Documents, id: i64, category_hidden: bool, product_hidden: bool) {
        let title = "Uy".to_owned();
        let category = Category { id, title, photo: None, position: -id, hidden: category_hidden };
        insert(documents, &category).await.unwrap();
        let product = Product {
            title: "Choy".to_owned(),
            hidden: product_hidden,
            ..Product::new(ProductId::try_new(id).unwrap(), id)
        };
        insert(documents, &product.seal()).await.unwrap();
    }

    fn numbers(ids: &[ProductId]) -> Vec<i64> {
        ids.iter().map(|id| id.get()).collect()
    }

    #[tokio::test]
    async fn shoppers_see_filled_categories_that_are_not_hidden_and_find_what_is_in_them() {
        let documents = MemoryDocuments::default();
        for (id, category_hidden, product_hidden) in [(1, false, false), (2, true, false), (3, false, true)] {
            keep(&documents, id, category_hidden, product_hidden).await;
        }
        keep(&documents, 4, false, false).await;
        let shown = SnapshotCache::default().get(&documents, NOW).await.unwrap();
        assert_eq!(shown.categories().iter().map(|category| category.id).collect::<Vec<_>>(), [4, 1]);
        assert!(shown.products_in(3).is_empty());
        assert_eq!(numbers(&shown.search("choy")), [1, 4]);
        let places = [1, 2, 3].map(|id| shown.place_of(ProductId::try_new(id).unwrap()));
        assert_eq!(places, [Some((1, 0)), Some((2, 0)), None]);
    }

    #[tokio::test]
    async fn a_list_costs_one_command_until_the_catalogue_is_changed() {
        let store = Arc::new(MemoryDocuments::default());
        let documents = CountingDocuments::new(Arc::clone(&store));
        keep(&*store, 1, false, false).await;
        let cache = SnapshotCache::default();
        cache.get(&documents, NOW).await.unwrap();
        documents.reset();
        let again = cache.get(&documents, NOW + Duration::minutes(4)).await.unwrap();
        assert_eq!((documents.calls().total(), numbers(again.products_in(1))), (1, vec![1]));
        keep(&*store, 2, false, false).await;
        let changed = cache.get(&documents, NOW).await.unwrap();
        assert_eq!(numbers(changed.products_in(2)), [2]);
        change(&*store, 1, |product: &mut Product| product.hidden = true).await.unwrap();
        let changed = cache.get(&documents, NOW).await.unwrap();
        assert!(changed.products_in(1).is_empty());
    }

    #[tokio::test]
    async fn a_change_that_nobody_marked_is_seen_after_some_minutes() {
        let documents = MemoryDocuments::default();
        keep(&documents, 1, false, false).await;
        let cache = SnapshotCache::default();
        cache.get(&documents, NOW).await.unwrap();
        records::change(&documents, 1, |product: &mut Product| product.hidden = true).await.unwrap();
        let soon = cache.get(&documents, NOW + Duration::minutes(1)).await.unwrap();
        let later = cache.get(&documents, NOW + Duration::minutes(6)).await.unwrap();
        assert_eq!((soon.products_in(1).len(), later.products_in(1).len()), (1, 0));
    }
}
