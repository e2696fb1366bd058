//! The shop store's port for the demo: what the projector writes becomes a hop on the page, and the page can stop the store.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use tolov_domain::{
    Event, EventId, Language, OrderId, OrderedProduct, Phone, UserId,
    order::{Order, User},
    ports::{
        PortError,
        documents::{Body, Collection, Document, Documents, Key, Put, Query, Sequence, Version},
        shop::{
            Claim, NewOrder, NotificationLog, OrderProjection, Orders, Outcome, Recorded, ShopStore, Shoppers,
        },
    },
    time::{Timestamp, unix_ms},
};
use tolov_sandbox::{
    Switch,
    hops::{Hops, NewHop},
};
use tolov_shop::fulfilment::{Fulfilment, Stage};

#[derive(Debug)]
pub(super) struct InstrumentedShop {
    inner: Arc<dyn ShopStore>,
    hops: Hops,
    store: Switch,
}

impl InstrumentedShop {
    pub(super) fn new(inner: Arc<dyn ShopStore>, hops: Hops, store: Switch) -> Self {
        Self { inner, hops, store }
    }

    fn shop(&self) -> Result<&dyn ShopStore, PortError> {
        if self.store.is_on() {
            Ok(&*self.inner)
        } else {
            Err(PortError::Unavailable("the shop store was stopped from the page".to_owned()))
        }
    }

    fn note(&self, event: &Event, applied: Result<&Order, &PortError>) {
        let name = event.kind.name();
        let hop = match applied {
            Ok(order) => NewHop::new("store", format!("{name} → {}", order.status.as_str()))
                .payload(json!({ "event_id": event.id, "order": order_json(order) })),
            Err(error) => NewHop::new("store", format!("{name}: {error}"))
                .ok(false)
                .payload(json!({ "event_id": event.id, "error": error.to_string() })),
        };
        self.hops.note(hop.of_order(&event.order_id));
    }

    /// Shows an order from the chat when it becomes payable: the bot writes it so after the registration, before there is
    /// a message about it.
    fn note_registered(&self, body: &Body) {
        let Ok(order) = serde_json::from_value::<Fulfilment>(Value::Object(body.clone())) else { return };
        if order.stage != Stage::Waiting || order.shopper_message_id.is_some() {
            return;
        }
        let amount = order.total.grouped();
        let facts = json!({ "shopper_id": order.user_id, "amount": amount, "link": order.payment_url });
        let hop = NewHop::new("order", "POST /api/create_order → 201").of_order(&order.id).facts(facts);
        self.hops.note(hop.payload(Value::Object(body.clone())));
    }
}

fn order_json(order: &Order) -> Value {
    json!({
        "_id": order.id,
        "user_id": order.user_id,
        "lines": order.lines,
        "total_tiyin": order.total,
        "status": order.status,
        "created_at_ms": unix_ms(order.created_at),
        "payment": order.payment.map(|payment| json!({
            "click_trans_id": payment.click_trans_id,
            "click_paydoc_id": payment.click_paydoc_id,
            "paid_at_ms": unix_ms(payment.paid_at),
            "late": payment.late,
        })),
        "history": order.history.iter().map(|entry| json!({
            "event_id": entry.event_id,
            "what": entry.what,
            "at_ms": unix_ms(entry.at),
        })).collect::<Vec<_>>(),
    })
}

#[async_trait]
impl OrderProjection for InstrumentedShop {
    async fn apply(&self, events: &[Event]) -> Result<Vec<Order>, PortError> {
        let applied = match self.shop() {
            Ok(shop) => shop.apply(events).await,
            Err(error) => Err(error),
        };
        match &applied {
            Ok(orders) => events.iter().zip(orders).for_each(|(event, order)| self.note(event, Ok(order))),
            Err(error) => events.iter().for_each(|event| self.note(event, Err(error))),
        }
        applied
    }
}

#[async_trait]
impl Orders for InstrumentedShop {
    async fn next_order_id(&self) -> Result<OrderId, PortError> {
        self.shop()?.next_order_id().await
    }

    async fn place_order(&self, order: &NewOrder) -> Result<Recorded, PortError> {
        self.shop()?.place_order(order).await
    }

    async fn order(&self, id: OrderId) -> Result<Option<Order>, PortError> {
        self.shop()?.order(id).await
    }

    async fn orders_of(&self, user_id: UserId, skip: u32, limit: u32) -> Result<Vec<Order>, PortError> {
        self.shop()?.orders_of(user_id, skip, limit).await
    }
}

#[async_trait]
impl Shoppers for InstrumentedShop {
    async fn user(&self, id: UserId) -> Result<Option<User>, PortError> {
        self.shop()?.user(id).await
    }

    async fn meet(&self, id: UserId, language: Option<Language>) -> Result<Recorded, PortError> {
        self.shop()?.meet(id, language).await
    }

    async fn set_language(&self, id: UserId, language: Language) -> Result<(), PortError> {
        self.shop()?.set_language(id, language).await
    }

    async fn set_phone(&self, id: UserId, phone: &Phone) -> Result<(), PortError> {
        self.shop()?.set_phone(id, phone).await
    }

    async fn set_cart_line(&self, id: UserId, line: OrderedProduct) -> Result<(), PortError> {
        self.shop()?.set_cart_line(id, line).await
    }

    async fn clear_cart(&self, id: UserId) -> Result<(), PortError> {
        self.shop()?.clear_cart(id).await
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

    async fn settle(&self, ids: &[EventId], outcome: &Outcome, at: Timestamp) -> Result<(), PortError> {
        self.shop()?.settle(ids, outcome, at).await
    }

    async fn outcome(&self, id: &EventId) -> Result<Option<Outcome>, PortError> {
        self.shop()?.outcome(id).await
    }
}

#[async_trait]
impl Documents for InstrumentedShop {
    async fn get(&self, collection: Collection, key: &Key) -> Result<Option<Document>, PortError> {
        self.shop()?.get(collection, key).await
    }

    async fn get_many(&self, collection: Collection, keys: &[Key]) -> Result<Vec<Document>, PortError> {
        self.shop()?.get_many(collection, keys).await
    }

    async fn put(
        &self,
        collection: Collection,
        key: &Key,
        seen: Option<Version>,
        body: &Body,
    ) -> Result<Put, PortError> {
        let put = self.shop()?.put(collection, key, seen, body).await?;
        if matches!(put, Put::Done(_)) && collection == Collection::Fulfilments {
            self.note_registered(body);
        }
        Ok(put)
    }

    async fn remove(&self, collection: Collection, key: &Key, seen: Version) -> Result<bool, PortError> {
        self.shop()?.remove(collection, key, seen).await
    }

    async fn find(&self, query: &Query) -> Result<Vec<Document>, PortError> {
        self.shop()?.find(query).await
    }

    async fn count(&self, query: &Query) -> Result<u64, PortError> {
        self.shop()?.count(query).await
    }

    async fn next_number(&self, sequence: Sequence) -> Result<i64, PortError> {
        self.shop()?.next_number(sequence).await
    }
}
