//! The shop store's port for the demo: what the projector writes becomes an event on the page, and the page can stop
//! the store.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use tolov_domain::{
    EventId,
    ports::{
        PortError, ShopStore,
        documents::{
            Collection, Document, Documents, Key, Query, Sequence, Unreadable, Version, Write, Written,
        },
        notifications::{Claim, NotificationLog, SendOutcome, Settled},
    },
    time::Timestamp,
};
use tolov_sandbox::monitor::{Switch, Trace, TraceEvent};
use tolov_shop::order::{ORDERS, ShopOrder, Stage, Stock};

#[derive(Debug)]
pub(super) struct InstrumentedShop {
    inner: Arc<dyn ShopStore>,
    trace: Trace,
    store: Switch,
}

impl InstrumentedShop {
    pub(super) fn new(inner: Arc<dyn ShopStore>, trace: Trace, store: Switch) -> Self {
        Self { inner, trace, store }
    }

    fn shop(&self) -> Result<&dyn ShopStore, PortError> {
        if self.store.is_on() {
            Ok(&*self.inner)
        } else {
            Err(PortError::Unavailable("the shop store was stopped from the page".to_owned()))
        }
    }

    /// Orders that the store refused to read or write: their events wait.
    fn note_refused<'a>(
        &self,
        collection: Collection,
        keys: impl Iterator<Item = &'a Key>,
        error: &PortError,
    ) {
        if collection != ORDERS {
            return;
        }
        for key in keys {
            let Key::Number(order_id) = key else { continue };
            let event = TraceEvent::new("store", error.to_string()).ok(false).of_order(order_id);
            self.trace.record(event.payload(&json!({ "error": error.to_string() })));
        }
    }

    /// An order as it was written: the event that was settled by it, or, of a new one, that it can be paid.
    fn note_order(&self, write: &Write) {
        let Ok(order) = serde_json::from_value::<ShopOrder>(Value::Object(write.body.clone())) else {
            return;
        };
        let body = Value::Object(write.body.clone());
        let Some(last) = order.history.last() else { return };
        if let Some(event_id) = &last.event_id {
            let is_closed = matches!(order.stage(), Stage::Expired | Stage::Cancelled);
            let is_settled = match order.stock {
                Stock::Held => !order.is_paid() && !is_closed,
                Stock::Unheld => false,
                Stock::Committed | Stock::Restocking | Stock::Released => true,
            };
            if is_settled {
                let name = event_id.as_str().split(':').next().unwrap_or_default();
                let event = TraceEvent::new("store", format!("{name} → {}", order.stage().as_str()));
                let payload = json!({ "event_id": event_id, "order": body });
                self.trace.record(event.payload(&payload).of_order(&order.id));
            }
        } else if let (Stage::AwaitingPayment, Some(link)) = (order.stage(), order.link()) {
            let amount = order.total.grouped();
            let facts = json!({ "shopper_id": order.user_id, "amount": amount, "link": link.url });
            let event =
                TraceEvent::new("order", "POST /api/create_order → 201").of_order(&order.id).facts(facts);
            self.trace.record(event.payload(&body));
        }
    }
}

#[async_trait]
impl NotificationLog for InstrumentedShop {
    async fn claim(
        &self,
        ids: &[EventId],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Claim>, PortError> {
        self.shop()?.claim(ids, now, lease_until).await
    }

    async fn release(&self, ids: &[EventId]) -> Result<(), PortError> {
        self.shop()?.release(ids).await
    }

    async fn settle_each(&self, outcomes: &[(EventId, SendOutcome)], at: Timestamp) -> Result<(), PortError> {
        self.shop()?.settle_each(outcomes, at).await
    }

    async fn outcomes(&self, ids: &[EventId]) -> Result<Vec<Option<Settled>>, PortError> {
        self.shop()?.outcomes(ids).await
    }
}

#[async_trait]
impl Documents for InstrumentedShop {
    async fn get_many(
        &self,
        collection: Collection,
        keys: &[Key],
    ) -> Result<Vec<Result<Document, Unreadable>>, PortError> {
        let answer = async { self.shop()?.get_many(collection, keys).await };
        answer.await.inspect_err(|error| self.note_refused(collection, keys.iter(), error))
    }

    async fn put_many(&self, collection: Collection, writes: &[Write]) -> Result<Vec<Written>, PortError> {
        let answer = async { self.shop()?.put_many(collection, writes).await };
        let answers = answer.await.inspect_err(|error| {
            self.note_refused(collection, writes.iter().map(|write| &write.key), error);
        })?;
        if collection == ORDERS {
            for (write, answer) in writes.iter().zip(&answers) {
                if matches!(answer, Written::Done(_)) {
                    self.note_order(write);
                }
            }
        }
        Ok(answers)
    }

    async fn remove(&self, collection: Collection, key: &Key, seen: Version) -> Result<bool, PortError> {
        self.shop()?.remove(collection, key, seen).await
    }

    async fn find(&self, query: &Query) -> Result<Vec<Result<Document, Unreadable>>, PortError> {
        self.shop()?.find(query).await
    }

    async fn count(&self, query: &Query) -> Result<u64, PortError> {
        self.shop()?.count(query).await
    }

    async fn next_number(&self, sequence: Sequence, above: i64) -> Result<i64, PortError> {
        self.shop()?.next_number(sequence, above).await
    }
}
