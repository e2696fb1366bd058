//! A payment that CLICK reports as taken and that the ledger cannot place: its order or its attempt is not there, or the
//! callback cannot be understood. It may belong to no order, so it is not an [`crate::Event`]; staff must look.

use serde::{Deserialize, Serialize};

use crate::{
    EventId, OrderId,
    event::{EventError, schema_of},
    json,
    notification::{self, Recipient},
    time::Timestamp,
};

/// The only schema of this version, the `type` of the message. The bot's queue carries the same body.
pub const SCHEMA: &str = "payment.unplaced/1";
/// The message's routing key.
pub const NAME: &str = "payment.unplaced";

/// A genuine Complete without failure that was refused. The texts are CLICK's, as written, and may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnplacedPayment {
    pub schema: String,
    pub event_id: EventId,
    pub click_trans_id: String,
    /// The payment number that the payer sees.
    pub click_paydoc_id: String,
    /// What CLICK names as the order.
    pub merchant_trans_id: String,
    /// In so'm.
    pub amount: String,
    /// The `error` that was answered: -5, -6 or -8; -7 of one that CLICK did not repeat.
    pub answer: i32,
    #[serde(with = "time::serde::rfc3339")]
    pub occurred_at: Timestamp,
}

impl UnplacedPayment {
    /// The id of the fact: one a transaction, however often CLICK repeats it.
    pub fn id_of(click_trans_id: &str) -> EventId {
        let name: String = click_trans_id.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
        EventId::new(format!("{NAME}:{name}"))
    }

    /// Names the message to staff about it.
    pub fn notification_id(&self) -> EventId {
        notification::id_of(&self.event_id, Recipient::Staff)
    }

    /// The order that CLICK names, whether it exists or not; `None` where the text is no order number.
    pub fn order_id(&self) -> Option<OrderId> {
        OrderId::parse(&self.merchant_trans_id).ok()
    }

    pub fn to_json(&self) -> Vec<u8> {
        json::to_vec(self)
    }

    pub fn from_json(body: &[u8]) -> Result<Self, EventError> {
        let schema = schema_of(body)?;
        if schema != SCHEMA {
            return Err(EventError::UnknownSchema(schema));
        }
        serde_json::from_slice(body).map_err(|error| EventError::Malformed(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn an_unplaced_payment_is_read_back_as_it_was_written() {
        let unplaced = UnplacedPayment {
            schema: SCHEMA.to_owned(),
            event_id: UnplacedPayment::id_of("3647911201"),
            click_trans_id: "3647911201".to_owned(),
            click_paydoc_id: "2001".to_owned(),
            merchant_trans_id: "Заказ-7".to_owned(),
            amount: "30000.00".to_owned(),
            answer: -5,
            occurred_at: datetime!(2026-11-23 07:05:06 UTC),
        };
        assert_eq!(UnplacedPayment::from_json(&unplaced.to_json()).as_ref(), Ok(&unplaced));
        assert_eq!(unplaced.event_id.as_str(), "payment.unplaced:3647911201");
        assert_eq!(unplaced.notification_id().as_str(), "payment.unplaced:3647911201/staff");
        assert_eq!(unplaced.order_id(), None);
        let numbered = UnplacedPayment { merchant_trans_id: "1007".to_owned(), ..unplaced.clone() };
        assert_eq!(numbered.order_id(), OrderId::try_new(1007).ok());
        let newer = UnplacedPayment { schema: "payment.unplaced/2".to_owned(), ..unplaced };
        let refused = UnplacedPayment::from_json(&newer.to_json());
        assert_eq!(refused, Err(EventError::UnknownSchema("payment.unplaced/2".to_owned())));
    }

    #[test]
    fn an_id_is_short_and_plain_whatever_clicks_text_is() {
        assert_eq!(UnplacedPayment::id_of("1/\u{0}ё;2").as_str(), "payment.unplaced:12");
        assert!(UnplacedPayment::id_of(&"9".repeat(500)).as_str().len() < 64);
    }
}
