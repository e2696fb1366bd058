//! The documents as they are stored, and the way from and to the domain. Money is Int64 tiyin, times are dates.

use std::collections::HashMap;

use mongodb::bson::{Bson, DateTime, Document, RawDocument, doc, oid::ObjectId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tolov_domain::{
    ClickPaydocId, ClickTransId, Event, EventId, EventKind, Language, OrderId, OrderedProduct, ProductId,
    Tiyin, UserId,
    order::{HistoryEntry, Order, OrderLine, OrderStatus, PaymentFacts, User},
    ports::shop::{NewOrder, Outcome},
    time::{Timestamp, from_unix_ms, unix_ms},
};

/// A document that this version cannot read.
#[derive(Debug, thiserror::Error)]
#[error("the document {id} in {collection} cannot be read: {reason}")]
pub(crate) struct Unreadable {
    collection: &'static str,
    id: String,
    reason: String,
}

/// Reads one stored document; a failure names it.
pub(crate) fn read<D: DeserializeOwned, T>(
    collection: &'static str,
    raw: &RawDocument,
    convert: impl FnOnce(D) -> Result<T, String>,
) -> Result<T, Unreadable> {
    let stored = mongodb::bson::from_slice::<D>(raw.as_bytes()).map_err(|error| error.to_string());
    stored.and_then(convert).map_err(|reason| {
        let id = raw.get("_id").ok().flatten().and_then(|id| Bson::try_from(id.to_raw_bson()).ok());
        Unreadable {
            collection,
            id: id.map_or_else(|| "without _id".to_owned(), |id| id.to_string()),
            reason,
        }
    })
}

pub(crate) fn date(at: Timestamp) -> DateTime {
    DateTime::from_millis(unix_ms(at))
}

pub(crate) fn instant(at: DateTime) -> Timestamp {
    from_unix_ms(at.timestamp_millis())
}

#[derive(Debug, Deserialize)]
pub(crate) struct OrderDocument {
    #[serde(rename = "_id")]
    id: i64,
    user_id: i64,
    #[serde(default)]
    lines: Vec<LineDocument>,
    total: i64,
    status: String,
    payment: Option<PaymentDocument>,
    #[serde(default)]
    history: Vec<HistoryDocument>,
    created_at: DateTime,
}

#[derive(Debug, Deserialize)]
struct LineDocument {
    product_id: i64,
    count: i64,
    #[serde(default)]
    title: String,
    price: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct PaymentDocument {
    click_trans_id: i64,
    click_paydoc_id: i64,
    paid_at: DateTime,
    late: bool,
}

#[derive(Debug, Deserialize)]
struct HistoryDocument {
    event_id: String,
    what: String,
    at: DateTime,
}

impl TryFrom<OrderDocument> for Order {
    type Error = String;

    fn try_from(stored: OrderDocument) -> Result<Self, String> {
        let mut history: Vec<HistoryEntry> = stored.history.into_iter().map(HistoryEntry::from).collect();
        // Stored in the order in which events came; told in the order in which things happened.
        history.sort_by(|one, other| (one.at, &one.event_id).cmp(&(other.at, &other.event_id)));
        Ok(Self {
            id: OrderId::try_new(stored.id).map_err(named("_id"))?,
            user_id: UserId::try_new(stored.user_id).map_err(named("user_id"))?,
            lines: stored.lines.into_iter().map(OrderLine::try_from).collect::<Result<_, _>>()?,
            total: Tiyin::try_new(stored.total).map_err(named("total"))?,
            status: OrderStatus::parse(&stored.status)
                .ok_or_else(|| format!("status {:?} is none of pending, paid, expired", stored.status))?,
            created_at: instant(stored.created_at),
            payment: stored.payment.map(PaymentFacts::try_from).transpose()?,
            history,
        })
    }
}

impl TryFrom<LineDocument> for OrderLine {
    type Error = String;

    fn try_from(stored: LineDocument) -> Result<Self, String> {
        Ok(Self {
            product_id: ProductId::try_new(stored.product_id).map_err(named("lines.product_id"))?,
            count: u32::try_from(stored.count).map_err(named("lines.count"))?,
            title: stored.title,
            price: stored.price.map(Tiyin::try_new).transpose().map_err(named("lines.price"))?,
        })
    }
}

impl TryFrom<PaymentDocument> for PaymentFacts {
    type Error = String;

    fn try_from(stored: PaymentDocument) -> Result<Self, String> {
        Ok(Self {
            click_trans_id: ClickTransId::try_new(stored.click_trans_id)
                .map_err(named("payment.click_trans_id"))?,
            click_paydoc_id: ClickPaydocId::try_new(stored.click_paydoc_id)
                .map_err(named("payment.click_paydoc_id"))?,
            paid_at: instant(stored.paid_at),
            late: stored.late,
        })
    }
}

impl From<HistoryDocument> for HistoryEntry {
    fn from(stored: HistoryDocument) -> Self {
        Self { event_id: EventId::new(stored.event_id), what: stored.what, at: instant(stored.at) }
    }
}

/// A new pending order, without the `_id`, which is in the filter of its upsert.
pub(crate) fn pending_order(order: &NewOrder) -> Document {
    doc! {
        "user_id": order.user_id.get(),
        "lines": lines(&order.lines),
        "total": order.total.get(),
        "status": OrderStatus::Pending.as_str(),
        "history": [],
        "created_at": date(order.created_at),
    }
}

pub(crate) fn lines(lines: &[OrderLine]) -> Vec<Document> {
    let line = |line: &OrderLine| {
        doc! {
            "product_id": line.product_id.get(),
            "count": i64::from(line.count),
            "title": &line.title,
            "price": line.price.map(Tiyin::get),
        }
    };
    lines.iter().map(line).collect()
}

/// What a completed payment leaves with its order; nothing for the other kinds.
pub(crate) fn payment(event: &Event) -> Option<Document> {
    match event.kind {
        EventKind::PaymentCompleted { click_trans_id, click_paydoc_id, late, .. } => Some(doc! {
            "click_trans_id": click_trans_id.get(),
            "click_paydoc_id": click_paydoc_id.get(),
            "paid_at": date(event.occurred_at),
            "late": late,
        }),
        EventKind::PaymentCancelled { .. }
        | EventKind::PaymentQuestioned { .. }
        | EventKind::OrderExpired => None,
    }
}

pub(crate) fn history_entry(event: &Event) -> Document {
    doc! { "event_id": event.id.as_str(), "what": event.kind.name(), "at": date(event.occurred_at) }
}

#[derive(Debug, Deserialize)]
pub(crate) struct UserDocument {
    #[serde(rename = "_id")]
    id: i64,
    phone: Option<String>,
    language: Option<String>,
    #[serde(default)]
    cart: Vec<CartLineDocument>,
    #[serde(default)]
    order_count: i64,
}

/// A shopper of whom nothing is known yet, without the `_id`, which is in the filter of the upsert.
pub(crate) fn new_shopper() -> Document {
    doc! { "cart": [], "order_count": 0_i64, "paid_orders": [] }
}

#[derive(Debug, Deserialize)]
struct CartLineDocument {
    product_id: i64,
    count: i64,
}

impl TryFrom<UserDocument> for User {
    type Error = String;

    fn try_from(stored: UserDocument) -> Result<Self, String> {
        Ok(Self {
            id: UserId::try_new(stored.id).map_err(named("_id"))?,
            phone: stored.phone,
            language: stored.language.as_deref().and_then(Language::from_tag),
            cart: stored.cart.into_iter().map(OrderedProduct::try_from).collect::<Result<_, _>>()?,
            order_count: u32::try_from(stored.order_count).map_err(named("order_count"))?,
        })
    }
}

impl TryFrom<CartLineDocument> for OrderedProduct {
    type Error = String;

    fn try_from(stored: CartLineDocument) -> Result<Self, String> {
        Ok(Self {
            product_id: ProductId::try_new(stored.product_id).map_err(named("cart.product_id"))?,
            count: u32::try_from(stored.count).map_err(named("cart.count"))?,
        })
    }
}

pub(crate) fn cart_line(line: OrderedProduct) -> Document {
    doc! { "product_id": line.product_id.get(), "count": i64::from(line.count) }
}

/// Name and price of a product now, for an order that comes from an event.
///
/// The catalogue is not the money's: an entry that cannot be read leaves the line without name or price instead of
/// stopping the payment.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct CatalogueEntry {
    title: String,
    price: Option<Tiyin>,
}

pub(crate) type Catalogue = HashMap<i64, CatalogueEntry>;

/// The entry of one product, under its id; none where the id is no number.
pub(crate) fn catalogue_entry(raw: &RawDocument) -> Option<(i64, CatalogueEntry)> {
    let number = |name| {
        let value = raw.get(name).ok().flatten()?;
        value.as_i64().or_else(|| value.as_i32().map(i64::from))
    };
    let title = raw.get_str("title").unwrap_or_default().to_owned();
    let price = number("price").and_then(|price| Tiyin::try_new(price).ok());
    Some((number("_id")?, CatalogueEntry { title, price }))
}

pub(crate) fn lines_from_event(event: &Event, catalogue: &Catalogue) -> Vec<OrderLine> {
    let line = |product: &OrderedProduct| {
        let entry = catalogue.get(&product.product_id.get()).cloned().unwrap_or_default();
        OrderLine {
            product_id: product.product_id,
            count: product.count,
            title: entry.title,
            price: entry.price,
        }
    };
    event.products.iter().map(line).collect()
}

/// What is known of one notification.
#[derive(Debug, Deserialize)]
pub(crate) struct NotificationDocument {
    #[serde(rename = "_id")]
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) attempt: i64,
    pub(crate) lease_until: Option<DateTime>,
    pub(crate) call: Option<ObjectId>,
    pub(crate) outcome: Option<OutcomeDocument>,
}

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum OutcomeDocument {
    Sent { message_id: i64 },
    Undeliverable { reason: String },
}

impl From<OutcomeDocument> for Outcome {
    fn from(stored: OutcomeDocument) -> Self {
        match stored {
            OutcomeDocument::Sent { message_id } => Self::Sent { message_id },
            OutcomeDocument::Undeliverable { reason } => Self::Undeliverable { reason },
        }
    }
}

pub(crate) fn outcome(outcome: &Outcome) -> Document {
    match outcome {
        Outcome::Sent { message_id } => doc! { "kind": "sent", "message_id": *message_id },
        Outcome::Undeliverable { reason } => doc! { "kind": "undeliverable", "reason": reason },
    }
}

fn named<E: std::fmt::Display>(field: &'static str) -> impl Fn(E) -> String {
    move |error| format!("{field}: {error}")
}
