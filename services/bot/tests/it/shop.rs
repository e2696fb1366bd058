//! A shop store in memory, as far as the bot needs one.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tolov_contract::memory::MemoryDocuments;
use tolov_domain::{
    EventId, Language, UserId,
    ports::{
        PortError,
        documents::{
            Collection, Document, Documents, Key, Query, Sequence, Unreadable, Version, Write, Written,
        },
        notifications::{Claim, NotificationLog, SendOutcome, Settled},
    },
    time::Timestamp,
};
use tolov_shop::shopper::{self, Shopper};

#[derive(Debug, Default)]
pub(crate) struct Shop {
    notifications: Mutex<BTreeMap<EventId, Record>>,
    /// Hangs when the bot is about to record what it has sent.
    pub(crate) hangs_at_settle: AtomicBool,
    pub(crate) documents: MemoryDocuments,
    /// Documents can be neither read nor written.
    pub(crate) documents_away: AtomicBool,
    /// So many calls of `claim` find the store unavailable.
    pub(crate) away_calls: AtomicUsize,
    /// So many calls of `claim` panic.
    pub(crate) panicking_calls: AtomicUsize,
    /// The reads of documents: the call, and the collection.
    pub(crate) reads: Mutex<Vec<(&'static str, &'static str)>>,
    /// After so many calls `claim` never answers; `None`: it always does.
    claims_left: Mutex<Option<usize>>,
    /// So long every claim and every record takes.
    pub(crate) takes: Mutex<Duration>,
    /// The notifications of each call of `claim`, and of `settle`.
    pub(crate) claims: Mutex<Vec<Vec<EventId>>>,
    pub(crate) records: Mutex<Vec<Vec<EventId>>>,
    /// So many calls of `settle` find the store unavailable.
    pub(crate) away_records: AtomicUsize,
    /// A call that names it is refused as a whole.
    pub(crate) refuses_calls_with: Mutex<Option<EventId>>,
    /// It cannot be claimed, and the others of its call can.
    pub(crate) cannot_read: Mutex<Option<EventId>>,
}

#[derive(Debug, Default, Clone)]
struct Record {
    attempt: u32,
    lease_until: Option<Timestamp>,
    settled: Option<Settled>,
}

impl Shop {
    pub(crate) async fn has_language(&self, user_id: UserId, language: Language) {
        shopper::change(&self.documents, user_id, |shopper| shopper.language = Some(language)).await.unwrap();
    }

    pub(crate) async fn shopper(&self, user_id: UserId) -> Option<Shopper> {
        shopper::shopper(&self.documents, user_id).await.unwrap()
    }

    pub(crate) fn allow_claims(&self, count: Option<usize>) {
        *self.claims_left.lock().unwrap() = count;
    }

    /// Whether one more call of `claim` is answered.
    fn may_claim(&self) -> bool {
        let mut left = self.claims_left.lock().unwrap();
        let Some(count) = *left else { return true };
        *left = Some(count.saturating_sub(1));
        count > 0
    }

    fn there(&self) -> Result<&MemoryDocuments, PortError> {
        if self.documents_away.load(Ordering::SeqCst) {
            return Err(PortError::Unavailable("no store".to_owned()));
        }
        Ok(&self.documents)
    }

    /// One call of several notifications, or the answer that a test wants.
    async fn call(
        &self,
        ids: Vec<EventId>,
        calls: &Mutex<Vec<Vec<EventId>>>,
        away: &AtomicUsize,
    ) -> Result<(), PortError> {
        let takes = *self.takes.lock().unwrap();
        if !takes.is_zero() {
            tokio::time::sleep(takes).await;
        }
        if away.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(PortError::Unavailable("no store".to_owned()));
        }
        if self.refuses_calls_with.lock().unwrap().as_ref().is_some_and(|id| ids.contains(id)) {
            return Err(PortError::Refused("one of them is damaged".to_owned()));
        }
        calls.lock().unwrap().push(ids);
        Ok(())
    }

    pub(crate) fn outcome_of(&self, id: &EventId) -> Option<SendOutcome> {
        self.notifications
            .lock()
            .unwrap()
            .get(id)
            .and_then(|record| record.settled.clone())
            .map(|settled| settled.outcome)
    }
}

#[async_trait]
impl NotificationLog for Shop {
    async fn claim(
        &self,
        ids: &[EventId],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Claim>, PortError> {
        if !self.may_claim() {
            std::future::pending::<()>().await;
        }
        let panics =
            self.panicking_calls.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        assert!(panics.is_err(), "as the test wants");
        self.call(ids.to_vec(), &self.claims, &self.away_calls).await?;
        let unreadable = self.cannot_read.lock().unwrap().clone();
        let mut notifications = self.notifications.lock().unwrap();
        let claim = |id: &EventId| {
            if unreadable.as_ref() == Some(id) {
                return Claim::Refused { reason: "it is damaged".to_owned() };
            }
            let record = notifications.entry(id.clone()).or_default();
            match (&record.settled, record.lease_until) {
                (Some(_), _) => Claim::Settled,
                (None, Some(until)) if until > now => Claim::Busy { until },
                (None, _) => {
                    record.attempt += 1;
                    record.lease_until = Some(lease_until);
                    Claim::Send { attempt: record.attempt }
                }
            }
        };
        Ok(ids.iter().map(claim).collect())
    }

    async fn release(&self, ids: &[EventId]) -> Result<(), PortError> {
        for id in ids {
            if let Some(record) = self.notifications.lock().unwrap().get_mut(id) {
                record.lease_until = None;
                record.attempt = record.attempt.saturating_sub(1);
            }
        }
        Ok(())
    }

    async fn settle_each(&self, outcomes: &[(EventId, SendOutcome)], at: Timestamp) -> Result<(), PortError> {
        if self.hangs_at_settle.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        let ids = outcomes.iter().map(|(id, _)| id.clone()).collect();
        self.call(ids, &self.records, &self.away_records).await?;
        for (id, outcome) in outcomes {
            let mut notifications = self.notifications.lock().unwrap();
            let record = notifications.entry(id.clone()).or_default();
            record.settled.get_or_insert_with(|| Settled { outcome: outcome.clone(), at });
        }
        Ok(())
    }

    async fn outcomes(&self, ids: &[EventId]) -> Result<Vec<Option<Settled>>, PortError> {
        let notifications = self.notifications.lock().unwrap();
        Ok(ids.iter().map(|id| notifications.get(id)?.settled.clone()).collect())
    }
}

#[async_trait]
impl Documents for Shop {
    async fn get_many(
        &self,
        collection: Collection,
        keys: &[Key],
    ) -> Result<Vec<Result<Document, Unreadable>>, PortError> {
        self.reads.lock().unwrap().push(("get", collection.name()));
        self.there()?.get_many(collection, keys).await
    }

    async fn put_many(&self, collection: Collection, writes: &[Write]) -> Result<Vec<Written>, PortError> {
        self.there()?.put_many(collection, writes).await
    }

    async fn remove(&self, collection: Collection, key: &Key, seen: Version) -> Result<bool, PortError> {
        self.there()?.remove(collection, key, seen).await
    }

    async fn find(&self, query: &Query) -> Result<Vec<Result<Document, Unreadable>>, PortError> {
        self.reads.lock().unwrap().push(("find", query.collection.name()));
        self.there()?.find(query).await
    }

    async fn count(&self, query: &Query) -> Result<u64, PortError> {
        self.reads.lock().unwrap().push(("count", query.collection.name()));
        self.there()?.count(query).await
    }

    async fn next_number(&self, sequence: Sequence, above: i64) -> Result<i64, PortError> {
        self.there()?.next_number(sequence, above).await
    }
}
