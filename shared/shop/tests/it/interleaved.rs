//! Documents whose callers are interleaved at every call, and whose answers are lost now and then.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use tolov_contract::memory::MemoryDocuments;
use tolov_domain::ports::{
    PortError,
    documents::{Collection, Document, Documents, Key, Query, Sequence, Unreadable, Version, Write, Written},
};

#[derive(Debug)]
pub(crate) struct Interleaved {
    documents: MemoryDocuments,
    dice: AtomicU64,
    /// So many calls of a hundred fail, half of them after they took effect.
    failing: u64,
}

impl Interleaved {
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
            return Err(PortError::Unavailable("the connection broke".to_owned()));
        }
        Ok(())
    }
}

#[async_trait]
impl Documents for Interleaved {
    async fn get_many(
        &self,
        collection: Collection,
        keys: &[Key],
    ) -> Result<Vec<Result<Document, Unreadable>>, PortError> {
        self.turn().await?;
        self.documents.get_many(collection, keys).await
    }

    /// A batch is no unit: others write between its documents, and it may break off after any of them.
    async fn put_many(&self, collection: Collection, writes: &[Write]) -> Result<Vec<Written>, PortError> {
        let mut answers = Vec::new();
        for write in writes {
            self.turn().await?;
            let answer = self.documents.put_many(collection, std::slice::from_ref(write)).await?;
            self.luck()?;
            // A driver that writes once more after a lost answer meets its own write.
            let is_lost = self.below(100) < self.failing;
            answers.extend(if is_lost { vec![Written::Conflict] } else { answer });
        }
        Ok(answers)
    }

    async fn remove(&self, collection: Collection, key: &Key, seen: Version) -> Result<bool, PortError> {
        self.turn().await?;
        self.documents.remove(collection, key, seen).await
    }

    async fn find(&self, query: &Query) -> Result<Vec<Result<Document, Unreadable>>, PortError> {
        self.turn().await?;
        self.documents.find(query).await
    }

    async fn count(&self, query: &Query) -> Result<u64, PortError> {
        self.turn().await?;
        self.documents.count(query).await
    }

    async fn next_number(&self, sequence: Sequence, above: i64) -> Result<i64, PortError> {
        self.turn().await?;
        self.documents.next_number(sequence, above).await
    }
}
