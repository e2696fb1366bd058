//! Documents on which callers get into each other's way, and whose answers are lost now and then.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use tolov_contract::memory::MemoryDocuments;
use tolov_domain::ports::{
    PortError,
    documents::{Body, Collection, Document, Documents, Key, Put, Query, Sequence, Version},
};

#[derive(Debug)]
pub(crate) struct Jumbled {
    documents: MemoryDocuments,
    dice: AtomicU64,
    /// Of a hundred calls so many fail, half of them after they took effect.
    failing: u64,
}

impl Jumbled {
    pub(crate) fn new(documents: MemoryDocuments, seed: u64, failing: u64) -> Self {
        Self { documents, dice: AtomicU64::new(seed), failing }
    }

    fn below(&self, end: u64) -> u64 {
        let next =
            |dice: u64| dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let dice = self.dice.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |dice| Some(next(dice)));
        (next(dice.unwrap()) >> 33) % end
    }

    /// Lets the others go first, or fails.
    async fn turn(&self) -> Result<(), PortError> {
        for _ in 0..self.below(4) {
            tokio::task::yield_now().await;
        }
        self.luck()
    }

    fn luck(&self) -> Result<(), PortError> {
        if self.below(200) < self.failing {
            return Err(PortError::Unavailable("the line broke".to_owned()));
        }
        Ok(())
    }
}

#[async_trait]
impl Documents for Jumbled {
    async fn get(&self, collection: Collection, key: &Key) -> Result<Option<Document>, PortError> {
        self.turn().await?;
        self.documents.get(collection, key).await
    }

    async fn get_many(&self, collection: Collection, keys: &[Key]) -> Result<Vec<Document>, PortError> {
        self.turn().await?;
        self.documents.get_many(collection, keys).await
    }

    async fn put(
        &self,
        collection: Collection,
        key: &Key,
        seen: Option<Version>,
        body: &Body,
    ) -> Result<Put, PortError> {
        self.turn().await?;
        let put = self.documents.put(collection, key, seen, body).await?;
        self.luck()?;
        // A driver that writes once more after a lost answer meets its own write.
        Ok(if self.below(100) < self.failing { Put::Conflict } else { put })
    }

    async fn remove(&self, collection: Collection, key: &Key, seen: Version) -> Result<bool, PortError> {
        self.turn().await?;
        self.documents.remove(collection, key, seen).await
    }

    async fn find(&self, query: &Query) -> Result<Vec<Document>, PortError> {
        self.turn().await?;
        self.documents.find(query).await
    }

    async fn count(&self, query: &Query) -> Result<u64, PortError> {
        self.turn().await?;
        self.documents.count(query).await
    }

    async fn next_number(&self, sequence: Sequence) -> Result<i64, PortError> {
        self.turn().await?;
        self.documents.next_number(sequence).await
    }
}
