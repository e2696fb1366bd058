//! What the bot is asked to say, and to whom. One message a recipient, so that a slow staff channel never
//! holds back a shopper.

use serde::{Deserialize, Serialize};

use crate::{
    ClickPaydocId, Event, EventId, EventKind, OrderId, Tiyin, UserId,
    order::{Order, OrderLine, OrderStatus},
    payment::Anomaly,
    time::Timestamp,
};

/// A message that the bot owes to somebody. Its id never changes; a repetition sends nothing twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    pub schema: String,
    pub notification_id: EventId,
    pub recipient: Recipient,
    pub order_id: OrderId,
    pub user_id: UserId,
    pub lines: Vec<OrderLine>,
    pub total_tiyin: Tiyin,
    pub subject: Subject,
    #[serde(with = "time::serde::rfc3339")]
    pub occurred_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    Shopper,
    /// The staff channel, DB_CHANNEL.
    Staff,
}

/// What is said. A reader that does not know a subject parks the message: the bot is upgraded before the projector
/// (docs/events.md).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    OrderPaid {
        click_paydoc_id: ClickPaydocId,
        late: bool,
    },
    PaymentQuestioned {
        click_paydoc_id: ClickPaydocId,
        anomaly: Anomaly,
    },
    /// Nobody paid in time. For the shopper alone.
    OrderExpired,
}

/// The only schema of this version.
pub const SCHEMA: &str = "notification/1";

/// Whom an event concerns, and what each is told: nobody, the shopper, staff, or both. `order` is as it stands after the
/// event.
pub fn notifications_for(event: &Event, order: &Order) -> Vec<Notification> {
    let told = |recipient, subject| Notification {
        schema: SCHEMA.to_owned(),
        notification_id: id_of(&event.id, recipient),
        recipient,
        order_id: event.order_id,
        user_id: event.user_id,
        lines: order.lines.clone(),
        total_tiyin: event.amount,
        subject,
        occurred_at: event.occurred_at,
    };
    match event.kind {
        EventKind::PaymentCompleted { click_paydoc_id, late, .. } => {
            let subject = Subject::OrderPaid { click_paydoc_id, late };
            vec![told(Recipient::Shopper, subject.clone()), told(Recipient::Staff, subject)]
        }
        EventKind::PaymentQuestioned { click_paydoc_id, anomaly, .. } => {
            vec![told(Recipient::Staff, Subject::PaymentQuestioned { click_paydoc_id, anomaly })]
        }
        // Late money may have overtaken the event: who has paid is not told that nobody did.
        EventKind::OrderExpired if order.status == OrderStatus::Expired => {
            vec![told(Recipient::Shopper, Subject::OrderExpired)]
        }
        EventKind::PaymentCancelled { .. } | EventKind::OrderExpired => Vec::new(),
    }
}

fn id_of(event_id: &EventId, recipient: Recipient) -> EventId {
    EventId::new(match recipient {
        Recipient::Shopper => format!("{event_id}/shopper"),
        Recipient::Staff => format!("{event_id}/staff"),
    })
}

impl Notification {
    pub fn to_json(&self) -> Vec<u8> {
        // Serialising strings and integers cannot fail; an empty body would be parked by its reader.
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub fn from_json(body: &[u8]) -> Result<Self, crate::event::EventError> {
        use crate::event::EventError;
        #[derive(Deserialize)]
        struct Header {
            schema: String,
        }
        let malformed = |error: serde_json::Error| EventError::Malformed(error.to_string());
        let header: Header = serde_json::from_slice(body).map_err(malformed)?;
        if header.schema != SCHEMA {
            return Err(EventError::UnknownSchema(header.schema));
        }
        serde_json::from_slice(body).map_err(malformed)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn expired() -> Event {
        let order_id = OrderId::try_new(1024).unwrap();
        Event {
            id: Event::id_of(order_id, &EventKind::OrderExpired),
            order_id,
            user_id: UserId::try_new(5551).unwrap(),
            products: Vec::new(),
            amount: Tiyin::try_new(3_000_000).unwrap(),
            occurred_at: datetime!(2026-11-23 07:05:06 UTC),
            kind: EventKind::OrderExpired,
        }
    }

    fn order(event: &Event, status: OrderStatus) -> Order {
        Order {
            id: event.order_id,
            user_id: event.user_id,
            lines: Vec::new(),
            total: event.amount,
            status,
            created_at: event.occurred_at,
            payment: None,
            history: Vec::new(),
        }
    }

    #[test]
    fn an_expiry_is_told_to_the_shopper_alone_and_not_when_the_money_came_after_all() {
        let event = expired();
        let told = notifications_for(&event, &order(&event, OrderStatus::Expired));
        let [told] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((told.recipient, &told.subject), (Recipient::Shopper, &Subject::OrderExpired));
        assert_eq!(told.notification_id.as_str(), "order.expired:1024/shopper");
        assert_eq!(Notification::from_json(&told.to_json()).as_ref(), Ok(told));
        assert_eq!(notifications_for(&event, &order(&event, OrderStatus::Paid)), []);
    }

    #[test]
    fn a_subject_of_a_newer_producer_is_refused_as_unreadable() {
        let event = expired();
        let told = notifications_for(&event, &order(&event, OrderStatus::Expired)).remove(0);
        let body = String::from_utf8(told.to_json()).unwrap();
        let newer = body.replace("\"order_expired\"", "\"order_sent_off\"");
        assert_ne!(newer, body);
        let refusal = Notification::from_json(newer.as_bytes()).unwrap_err();
        assert!(refusal.to_string().contains("order_sent_off"), "{refusal}");
    }
}
