//! A shop store in memory: what the bot needs of it.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use tolov_contract::memory::MemoryDocuments;
use tolov_domain::{
    Event, EventId, Language, OrderId, Phone, UserId,
    order::{Order, OrderedProduct, User},
    ports::{
        PortError,
        documents::{Body, Collection, Document, Documents, Key, Put, Query, Sequence, Version},
        shop::{Claim, NewOrder, NotificationLog, OrderProjection, Orders, Outcome, Shoppers},
    },
    time::Timestamp,
};

#[derive(Debug, Default)]
pub(crate) struct Shop {
    notifications: Mutex<BTreeMap<EventId, Record>>,
    pub(crate) users: Mutex<BTreeMap<UserId, User>>,
    pub(crate) orders: Mutex<Vec<Order>>,
    /// The process dies when it is about to record what it has sent.
    pub(crate) hangs_at_settle: AtomicBool,
    pub(crate) documents: MemoryDocuments,
    /// No document can be read or written.
    pub(crate) documents_away: AtomicBool,
    /// So many calls of `claim` find the store away.
    pub(crate) away_calls: AtomicUsize,
}

#[derive(Debug, Default, Clone)]
struct Record {
    attempt: u32,
    lease_until: Option<Timestamp>,
    outcome: Option<Outcome>,
}

impl Shop {
    pub(crate) fn has_language(&self, user_id: UserId, language: Language) {
        let user =
            User { id: user_id, phone: None, language: Some(language), cart: Vec::new(), order_count: 0 };
        self.users.lock().unwrap().insert(user_id, user);
    }

    fn there(&self) -> Result<&MemoryDocuments, PortError> {
        if self.documents_away.load(Ordering::SeqCst) {
            return Err(PortError::Unavailable("no store".to_owned()));
        }
        Ok(&self.documents)
    }

    pub(crate) fn outcome_of(&self, id: &EventId) -> Option<Outcome> {
        self.notifications.lock().unwrap().get(id).and_then(|record| record.outcome.clone())
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
        let away =
            self.away_calls.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if away.is_ok() {
            return Err(PortError::Unavailable("no store".to_owned()));
        }
        let mut notifications = self.notifications.lock().unwrap();
        let claim = |id: &EventId| {
            let record = notifications.entry(id.clone()).or_default();
            match (&record.outcome, record.lease_until) {
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

    async fn settle(&self, ids: &[EventId], outcome: &Outcome, _at: Timestamp) -> Result<(), PortError> {
        if self.hangs_at_settle.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        for id in ids {
            let mut notifications = self.notifications.lock().unwrap();
            notifications.entry(id.clone()).or_default().outcome.get_or_insert_with(|| outcome.clone());
        }
        Ok(())
    }

    async fn outcome(&self, id: &EventId) -> Result<Option<Outcome>, PortError> {
        Ok(self.outcome_of(id))
    }
}

#[async_trait]
impl Shoppers for Shop {
    async fn user(&self, id: UserId) -> Result<Option<User>, PortError> {
        Ok(self.users.lock().unwrap().get(&id).cloned())
    }

    async fn meet(&self, id: UserId, language: Option<Language>) -> Result<Outcome, PortError> {
        let mut users = self.users.lock().unwrap();
        if users.contains_key(&id) {
            return Ok(Outcome::AlreadyApplied);
        }
        users.insert(id, User { id, phone: None, language, cart: Vec::new(), order_count: 0 });
        Ok(Outcome::Applied)
    }

    async fn set_language(&self, id: UserId, language: Language) -> Result<(), PortError> {
        self.meet(id, None).await?;
        self.users.lock().unwrap().get_mut(&id).unwrap().language = Some(language);
        Ok(())
    }

    async fn set_phone(&self, id: UserId, phone: &Phone) -> Result<(), PortError> {
        self.meet(id, None).await?;
        self.users.lock().unwrap().get_mut(&id).unwrap().phone = Some(phone.as_str().to_owned());
        Ok(())
    }

    async fn set_cart_line(&self, id: UserId, line: OrderedProduct) -> Result<(), PortError> {
        self.meet(id, None).await?;
        let mut users = self.users.lock().unwrap();
        let cart = &mut users.get_mut(&id).unwrap().cart;
        cart.retain(|other| other.product_id != line.product_id);
        if line.count > 0 {
            cart.push(line);
        }
        Ok(())
    }

    async fn clear_cart(&self, _id: UserId) -> Result<(), PortError> {
        Err(unused())
    }
}

#[async_trait]
impl Orders for Shop {
    async fn next_order_id(&self) -> Result<OrderId, PortError> {
        Err(unused())
    }

    async fn place_order(&self, _order: &NewOrder) -> Result<Outcome, PortError> {
        Err(unused())
    }

    async fn order(&self, _id: OrderId) -> Result<Option<Order>, PortError> {
        Err(unused())
    }

    async fn orders_of(&self, user_id: UserId, skip: u32, limit: u32) -> Result<Vec<Order>, PortError> {
        let (skip, limit) = (usize::try_from(skip).unwrap(), usize::try_from(limit).unwrap());
        let orders = self.orders.lock().unwrap();
        let newest_first = orders.iter().rev().filter(|order| order.user_id == user_id);
        Ok(newest_first.skip(skip).take(limit).cloned().collect())
    }
}

#[async_trait]
impl OrderProjection for Shop {
    async fn apply(&self, _events: &[Event]) -> Result<Vec<Order>, PortError> {
        Err(unused())
    }
}

#[async_trait]
impl Documents for Shop {
    async fn get(&self, collection: Collection, key: &Key) -> Result<Option<Document>, PortError> {
        self.there()?.get(collection, key).await
    }

    async fn get_many(&self, collection: Collection, keys: &[Key]) -> Result<Vec<Document>, PortError> {
        self.there()?.get_many(collection, keys).await
    }

    async fn put(
        &self,
        collection: Collection,
        key: &Key,
        seen: Option<Version>,
        body: &Body,
    ) -> Result<Put, PortError> {
        self.there()?.put(collection, key, seen, body).await
    }

    async fn remove(&self, collection: Collection, key: &Key, seen: Version) -> Result<bool, PortError> {
        self.there()?.remove(collection, key, seen).await
    }

    async fn find(&self, query: &Query) -> Result<Vec<Document>, PortError> {
        self.there()?.find(query).await
    }

    async fn count(&self, query: &Query) -> Result<u64, PortError> {
        self.there()?.count(query).await
    }

    async fn next_number(&self, sequence: Sequence) -> Result<i64, PortError> {
        self.there()?.next_number(sequence).await
    }
}

fn unused() -> PortError {
    PortError::Refused("the bot does not ask for this".to_owned())
}
