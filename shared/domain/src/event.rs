//! What happened, as other services hear it: self-contained, in the past tense, versioned.
//!
//! The contract is docs/events.md. A reader that meets a schema it does not know parks the message.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{ClickPaydocId, ClickTransId, EventId, OrderId, PrepareId, UserId},
    json,
    money::Tiyin,
    order::OrderedProduct,
    payment::{Anomaly, ClickError},
    time::Timestamp,
};

/// A fact about an order, with everything that a reader needs to create the order and the shopper from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub id: EventId,
    pub order_id: OrderId,
    pub user_id: UserId,
    pub products: Vec<OrderedProduct>,
    /// The total of the order.
    pub amount: Tiyin,
    pub occurred_at: Timestamp,
    pub kind: EventKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    PaymentCompleted {
        click_trans_id: ClickTransId,
        click_paydoc_id: ClickPaydocId,
        merchant_prepare_id: PrepareId,
        /// The order had expired before the money came.
        late: bool,
    },
    PaymentCancelled {
        click_trans_id: ClickTransId,
        click_paydoc_id: ClickPaydocId,
        merchant_prepare_id: PrepareId,
        error: ClickError,
    },
    /// What CLICK says and what we know do not agree; staff must look.
    PaymentQuestioned {
        click_trans_id: ClickTransId,
        click_paydoc_id: ClickPaydocId,
        /// `None` where it was a Prepare.
        merchant_prepare_id: Option<PrepareId>,
        /// The amount that CLICK names. `None` where it wrote none that is one.
        click_amount: Option<Tiyin>,
        anomaly: Anomaly,
    },
    /// Nobody paid within ORDER_TTL, or the order was cancelled before anybody did.
    OrderExpired,
}

impl EventKind {
    /// CLICK's numbers of the payment that the event is about; `None` for an expiry.
    pub const fn click_ids(&self) -> Option<(ClickTransId, ClickPaydocId)> {
        match *self {
            Self::PaymentCompleted { click_trans_id, click_paydoc_id, .. }
            | Self::PaymentCancelled { click_trans_id, click_paydoc_id, .. }
            | Self::PaymentQuestioned { click_trans_id, click_paydoc_id, .. } => {
                Some((click_trans_id, click_paydoc_id))
            }
            Self::OrderExpired => None,
        }
    }

    /// The name and the version of the body, for example `payment.completed/1`.
    pub fn schema(&self) -> String {
        format!("{}/{VERSION}", self.name())
    }

    /// The routing key, and the first half of the schema.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::PaymentCompleted { .. } => "payment.completed",
            Self::PaymentCancelled { .. } => "payment.cancelled",
            Self::PaymentQuestioned { .. } => "payment.questioned",
            Self::OrderExpired => "order.expired",
        }
    }
}

impl Event {
    /// Names the event after what happened, so that the same fact always has the same id.
    pub fn id_of(order_id: OrderId, kind: &EventKind) -> EventId {
        let name = kind.name();
        EventId::new(match kind {
            EventKind::PaymentCompleted { .. } | EventKind::OrderExpired => format!("{name}:{order_id}"),
            EventKind::PaymentCancelled { merchant_prepare_id, .. } => {
                format!("{name}:{order_id}:{merchant_prepare_id}")
            }
            EventKind::PaymentQuestioned { click_trans_id, merchant_prepare_id, anomaly, .. } => {
                let anomaly = anomaly.as_str();
                match merchant_prepare_id {
                    Some(prepare_id) => format!("{name}:{order_id}:{prepare_id}:{anomaly}"),
                    // A Prepare has no attempt yet: each transaction is a question of its own.
                    None => format!("{name}:{order_id}:trans-{click_trans_id}:{anomaly}"),
                }
            }
        })
    }

    pub fn to_json(&self) -> Vec<u8> {
        json::to_vec(&Wire::from(self))
    }

    pub fn from_json(body: &[u8]) -> Result<Self, EventError> {
        let schema = schema_of(body)?;
        // A newer one may have other fields.
        if !SCHEMAS.contains(&schema.as_str()) {
            return Err(EventError::UnknownSchema(schema));
        }
        let wire: Wire =
            serde_json::from_slice(body).map_err(|error| EventError::Malformed(error.to_string()))?;
        wire.try_into()
    }
}

/// The schema that a body names, whatever else is in it.
pub fn schema_of(body: &[u8]) -> Result<String, EventError> {
    #[derive(Deserialize)]
    struct Header {
        schema: String,
    }
    let header: Header =
        serde_json::from_slice(body).map_err(|error| EventError::Malformed(error.to_string()))?;
    Ok(header.schema)
}

/// Why a body was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    #[error("not an event: {0}")]
    Malformed(String),
    #[error("schema {0} is not known to this version; upgrade the reader, then requeue the message")]
    UnknownSchema(String),
    #[error("{schema} without {field}")]
    Missing { schema: String, field: &'static str },
}

/// The JSON body, version 1 of every kind.
#[derive(Serialize, Deserialize)]
struct Wire {
    schema: String,
    event_id: EventId,
    order_id: OrderId,
    user_id: UserId,
    products: Vec<OrderedProduct>,
    amount_tiyin: Tiyin,
    #[serde(with = "time::serde::rfc3339")]
    occurred_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    click_trans_id: Option<ClickTransId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    click_paydoc_id: Option<ClickPaydocId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    merchant_prepare_id: Option<PrepareId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    late: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    anomaly: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    click_amount_tiyin: Option<Tiyin>,
}

const VERSION: &str = "1";
const SCHEMAS: [&str; 4] =
    ["payment.completed/1", "payment.cancelled/1", "payment.questioned/1", "order.expired/1"];

impl From<&Event> for Wire {
    fn from(event: &Event) -> Self {
        let mut wire = Self {
            schema: event.kind.schema(),
            event_id: event.id.clone(),
            order_id: event.order_id,
            user_id: event.user_id,
            products: event.products.clone(),
            amount_tiyin: event.amount,
            occurred_at: event.occurred_at,
            click_trans_id: None,
            click_paydoc_id: None,
            merchant_prepare_id: None,
            late: None,
            error: None,
            anomaly: None,
            click_amount_tiyin: None,
        };
        match event.kind {
            EventKind::PaymentCompleted { click_trans_id, click_paydoc_id, merchant_prepare_id, late } => {
                wire.set_click(click_trans_id, click_paydoc_id, Some(merchant_prepare_id));
                wire.late = Some(late);
            }
            EventKind::PaymentCancelled { click_trans_id, click_paydoc_id, merchant_prepare_id, error } => {
                wire.set_click(click_trans_id, click_paydoc_id, Some(merchant_prepare_id));
                wire.error = Some(error.code());
            }
            EventKind::PaymentQuestioned {
                click_trans_id,
                click_paydoc_id,
                merchant_prepare_id,
                click_amount,
                anomaly,
            } => {
                wire.set_click(click_trans_id, click_paydoc_id, merchant_prepare_id);
                wire.click_amount_tiyin = click_amount;
                wire.anomaly = Some(anomaly.as_str().to_owned());
            }
            EventKind::OrderExpired => {}
        }
        wire
    }
}

impl Wire {
    fn set_click(&mut self, trans_id: ClickTransId, paydoc_id: ClickPaydocId, prepare_id: Option<PrepareId>) {
        self.click_trans_id = Some(trans_id);
        self.click_paydoc_id = Some(paydoc_id);
        self.merchant_prepare_id = prepare_id;
    }

    fn kind(&self) -> Result<EventKind, EventError> {
        let missing = |field| EventError::Missing { schema: self.schema.clone(), field };
        let click_trans_id = || self.click_trans_id.ok_or_else(|| missing("click_trans_id"));
        let click_paydoc_id = || self.click_paydoc_id.ok_or_else(|| missing("click_paydoc_id"));
        let prepare_id = || self.merchant_prepare_id.ok_or_else(|| missing("merchant_prepare_id"));
        match self.schema.as_str() {
            "payment.completed/1" => Ok(EventKind::PaymentCompleted {
                click_trans_id: click_trans_id()?,
                click_paydoc_id: click_paydoc_id()?,
                merchant_prepare_id: prepare_id()?,
                late: self.late.unwrap_or(false),
            }),
            "payment.cancelled/1" => Ok(EventKind::PaymentCancelled {
                click_trans_id: click_trans_id()?,
                click_paydoc_id: click_paydoc_id()?,
                merchant_prepare_id: prepare_id()?,
                error: self.error.and_then(ClickError::from_code).ok_or_else(|| missing("error"))?,
            }),
            "payment.questioned/1" => Ok(EventKind::PaymentQuestioned {
                click_trans_id: click_trans_id()?,
                click_paydoc_id: click_paydoc_id()?,
                merchant_prepare_id: self.merchant_prepare_id,
                click_amount: self.click_amount_tiyin,
                anomaly: self
                    .anomaly
                    .as_deref()
                    .and_then(Anomaly::parse)
                    .ok_or_else(|| missing("anomaly"))?,
            }),
            "order.expired/1" => Ok(EventKind::OrderExpired),
            _ => Err(EventError::UnknownSchema(self.schema.clone())),
        }
    }
}

impl TryFrom<Wire> for Event {
    type Error = EventError;

    fn try_from(wire: Wire) -> Result<Self, EventError> {
        let kind = wire.kind()?;
        Ok(Self {
            id: wire.event_id,
            order_id: wire.order_id,
            user_id: wire.user_id,
            products: wire.products,
            amount: wire.amount_tiyin,
            occurred_at: wire.occurred_at,
            kind,
        })
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn event(kind: EventKind) -> Event {
        let order_id = OrderId::try_new(1024).unwrap();
        Event {
            id: Event::id_of(order_id, &kind),
            order_id,
            user_id: UserId::try_new(5551).unwrap(),
            products: vec![OrderedProduct { product_id: crate::ProductId::try_new(7).unwrap(), count: 2 }],
            amount: Tiyin::try_new(3_000_000).unwrap(),
            occurred_at: datetime!(2026-11-23 07:05:06.789 UTC),
            kind,
        }
    }

    fn kinds() -> Vec<EventKind> {
        let click_trans_id = ClickTransId::try_new(3_647_911_201).unwrap();
        let click_paydoc_id = ClickPaydocId::try_new(2001).unwrap();
        let merchant_prepare_id = PrepareId::try_new(77).unwrap();
        let error = ClickError::from_code(-5017).unwrap();
        let anomaly = Anomaly::PaidTwice;
        vec![
            EventKind::PaymentCompleted { click_trans_id, click_paydoc_id, merchant_prepare_id, late: false },
            EventKind::PaymentCancelled { click_trans_id, click_paydoc_id, merchant_prepare_id, error },
            EventKind::PaymentQuestioned {
                click_trans_id,
                click_paydoc_id,
                merchant_prepare_id: Some(merchant_prepare_id),
                click_amount: Tiyin::try_new(2_999_900).ok(),
                anomaly,
            },
            EventKind::OrderExpired,
        ]
    }

    #[test]
    fn an_event_is_read_back_as_it_was_written() {
        for kind in kinds() {
            let event = event(kind);
            assert_eq!(Event::from_json(&event.to_json()), Ok(event));
        }
    }

    #[test]
    fn the_body_has_the_fields_of_the_contract() {
        let body = String::from_utf8(event(kinds()[0]).to_json()).unwrap();
        assert_eq!(
            body,
            r#"{"schema":"payment.completed/1","event_id":"payment.completed:1024","order_id":1024,"user_id":5551,"products":[{"product_id":7,"count":2}],"amount_tiyin":3000000,"occurred_at":"2026-11-23T07:05:06.789Z","click_trans_id":3647911201,"click_paydoc_id":2001,"merchant_prepare_id":77,"late":false}"#
        );
    }

    #[test]
    fn each_transaction_that_is_reused_at_prepare_is_a_question_of_its_own() {
        let order_id = OrderId::try_new(1024).unwrap();
        let reused = |trans_id| EventKind::PaymentQuestioned {
            click_trans_id: ClickTransId::try_new(trans_id).unwrap(),
            click_paydoc_id: ClickPaydocId::try_new(2001).unwrap(),
            merchant_prepare_id: None,
            click_amount: None,
            anomaly: Anomaly::TransactionReused,
        };
        assert_ne!(Event::id_of(order_id, &reused(501)), Event::id_of(order_id, &reused(777)));
        assert_eq!(Event::id_of(order_id, &reused(501)), Event::id_of(order_id, &reused(501)));
    }

    #[test]
    fn a_schema_of_a_newer_producer_is_named_in_the_refusal() {
        let body = String::from_utf8(event(EventKind::OrderExpired).to_json()).unwrap();
        let newer = body.replace("order.expired/1", "order.expired/2");
        assert_eq!(
            Event::from_json(newer.as_bytes()),
            Err(EventError::UnknownSchema("order.expired/2".to_owned()))
        );
        let other_fields = Event::from_json(br#"{"schema":"order.moved/1"}"#);
        assert_eq!(other_fields, Err(EventError::UnknownSchema("order.moved/1".to_owned())));
        assert!(matches!(Event::from_json(b"not json"), Err(EventError::Malformed(_))));
    }
}
