//! An outage of the store between an answer and its mark.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use teloxide::types::Update;
use time::macros::datetime;
use tokio::time::sleep;
use tolov_contract::memory::MemoryDocuments;
use tolov_domain::ports::{
    PortError,
    documents::{Collection, Document, Documents, Key, Query, Sequence, Unreadable, Version, Write, Written},
};
use tolov_kit::{clock::ManualClock, lifecycle::Stop};

use crate::{
    telegram::membership::PollingLease,
    updates::{answering::Work, inbox::Inbox, sweeper, user_queues::UserQueues},
};

#[derive(Debug, Clone, Default)]
struct Store(MemoryDocuments, Arc<AtomicBool>);

impl Store {
    fn there(&self) -> Result<&MemoryDocuments, PortError> {
        if self.1.load(Ordering::SeqCst) {
            Err(PortError::Unavailable("no store".into()))
        } else {
            Ok(&self.0)
        }
    }
}

#[async_trait]
impl Documents for Store {
    async fn get_many(
        &self,
        collection: Collection,
        keys: &[Key],
    ) -> Result<Vec<Result<Document, Unreadable>>, PortError> {
        self.there()?.get_many(collection, keys).await
    }

    async fn put_many(&self, collection: Collection, writes: &[Write]) -> Result<Vec<Written>, PortError> {
        self.there()?.put_many(collection, writes).await
    }

    async fn remove(&self, collection: Collection, key: &Key, seen: Version) -> Result<bool, PortError> {
        self.there()?.remove(collection, key, seen).await
    }

    async fn find(&self, query: &Query) -> Result<Vec<Result<Document, Unreadable>>, PortError> {
        self.there()?.find(query).await
    }

    async fn count(&self, query: &Query) -> Result<u64, PortError> {
        self.there()?.count(query).await
    }

    async fn next_number(&self, sequence: Sequence, above: i64) -> Result<i64, PortError> {
        self.there()?.next_number(sequence, above).await
    }
}

/// Each answer makes the store unavailable.
#[derive(Debug, Default)]
struct Breaking(Arc<AtomicBool>, Arc<AtomicUsize>);

impl Work for Breaking {
    async fn answer(&self, _: Update) {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.store(true, Ordering::SeqCst);
    }

    async fn end_tap(&self, _: &Update) {}

    async fn apologise(&self, _: &Update) {}

    async fn slow_down(&self, _: i64) {}
}

#[tokio::test(start_paused = true)]
async fn an_answered_update_is_marked_done_after_an_outage_of_the_store() {
    let (store, answers) = (Store::default(), Arc::default());
    let clock = ManualClock::new(datetime!(2026-11-25 07:00 UTC));
    let inbox = Inbox::new(Arc::new(store.clone()), Arc::new(clock.clone()));
    let json = r#"{"update_id":1,"poll":{}}"#;
    for id in 1..=2 {
        inbox.store(id, 1, json.to_owned(), false).await.unwrap();
    }
    let queues = Arc::new(UserQueues::new(
        Breaking(Arc::clone(&store.1), Arc::clone(&answers)),
        inbox.clone(),
        PollingLease::new().1,
    ));
    let stop = Stop::new();
    let (running, told) = (Arc::clone(&queues), stop.clone());
    let task = tokio::spawn(async move { tokio::join!(running.run(&told), sweeper::run(&running, &told)) });
    for answered in 1..=2 {
        sleep(Duration::from_mins(1)).await;
        // Longer than any lease.
        clock.advance(time::Duration::minutes(1));
        assert_eq!(answers.load(Ordering::SeqCst), answered);
        store.1.store(false, Ordering::SeqCst);
    }
    sleep(Duration::from_mins(1)).await;
    assert_eq!(inbox.count_waiting().await.unwrap(), 0);
    stop.cancel();
    task.await.unwrap();
    assert_eq!(answers.load(Ordering::SeqCst), 2);
}
