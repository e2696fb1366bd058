//! Identifiers, each a type of its own, so that a CLICK payment number is never taken for an order number.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A text or a number that is not an identifier of the kind that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a whole number from 1 to 9223372036854775807 without leading zeros")]
pub struct IdError;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, at least $min:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "i64", into = "i64")]
        pub struct $name(i64);

        impl $name {
            const MIN: i64 = $min;

            pub const fn try_new(value: i64) -> Result<Self, IdError> {
                if value < Self::MIN { Err(IdError) } else { Ok(Self(value)) }
            }

            /// Reads the one spelling that the number has, without plus, space or leading zero.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let id = text.parse().map_err(|_| IdError).and_then(Self::try_new)?;
                if id.to_string() == text { Ok(id) } else { Err(IdError) }
            }

            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl TryFrom<i64> for $name {
            type Error = IdError;

            fn try_from(value: i64) -> Result<Self, IdError> {
                Self::try_new(value)
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

id! {
    /// An order's number: given out by the shop store's counter, CLICK's `merchant_trans_id`.
    OrderId, at least 1
}
id! {
    /// A shopper: the Telegram user id, which is also the id of the private chat.
    UserId, at least 1
}
id! {
    /// A product of the catalogue.
    ProductId, at least 1
}
id! {
    /// CLICK's number of one try to pay. A Prepare and its Complete may carry different ones (section 1.9).
    ClickTransId, at least 1
}
impl ClickPaydocId {
    /// Of a payment whose number is not known.
    pub const NONE: Self = Self(0);
}

impl ClickTransId {
    /// CLICK's own numbers are far below it, and [`PrepareId`]s never reach it.
    const FIRST_OF_TELEGRAM: i64 = 1 << 53;

    /// What stands for CLICK's transaction in an attempt that is paid by Telegram's invoice, where CLICK tells no number of
    /// its own (docs/decisions/0011-telegrams-invoice-is-an-attempt.md).
    pub const fn of_telegram(attempt: PrepareId) -> Self {
        Self(Self::FIRST_OF_TELEGRAM.saturating_add(attempt.0))
    }

    /// Whether it stands for a payment by Telegram's invoice, and is no number of CLICK's.
    pub const fn is_of_telegram(self) -> bool {
        self.0 >= Self::FIRST_OF_TELEGRAM
    }
}

id! {
    /// CLICK's payment number, which the payer sees in the SMS. Not covered by the signature, and no payment fails over it:
    /// any whole number is one, also 0 and those below.
    ClickPaydocId, at least i64::MIN
}
id! {
    /// A refund in the ledger. Seconds since 1970 of its request, or the next free number: after a restore no lost one is
    /// given again.
    RefundId, at least 1
}
id! {
    /// CLICK's number of a payment in its Merchant API, where it is the `click_paydoc_id` of the callbacks.
    ClickPaymentId, at least 1
}
id! {
    /// Our number of one Prepare, `merchant_prepare_id`; stays below 2^53 (section 1.5).
    PrepareId, at least 1
}

/// The name of an event or a notification: stable for ever, made from what it is about.
///
/// The same fact has the same id even after a restore from a backup, so whoever has seen it knows it again
/// (docs/decisions/0002-event-ids-say-what-happened.md).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(String);

impl EventId {
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "EventId({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        assert_eq!(OrderId::parse("1001").map(OrderId::get), Ok(1001));
        assert_eq!(ClickTransId::parse("9223372036854775807").map(ClickTransId::get), Ok(i64::MAX));
        for text in ["", "0", "01001", "+1", "-1", " 1", "1.0", "9223372036854775808", "Заказ-7"] {
            assert_eq!(OrderId::parse(text), Err(IdError), "{text:?}");
        }
    }

    #[test]
    fn a_payment_number_may_be_zero_or_below() {
        for number in [0, -1, i64::MIN] {
            assert_eq!(ClickPaydocId::parse(&number.to_string()).map(ClickPaydocId::get), Ok(number));
        }
        for text in ["", "-0", "00", "-01", "+1", "x"] {
            assert_eq!(ClickPaydocId::parse(text), Err(IdError), "{text:?}");
        }
    }

    #[test]
    fn no_transaction_of_clicks_stands_for_a_payment_in_telegram() {
        let first = ClickTransId::of_telegram(PrepareId::try_new(1).unwrap());
        assert!(first.is_of_telegram());
        assert!(!ClickTransId::try_new(3_647_911_201).unwrap().is_of_telegram());
        let last = PrepareId::try_new((1 << 53) - 1).unwrap();
        assert!(ClickTransId::of_telegram(last) > first, "an attempt keeps a number of its own");
    }

    #[test]
    fn json_refuses_an_id_that_is_not_positive() {
        assert!(serde_json::from_str::<OrderId>("0").is_err());
        assert!(serde_json::from_str::<OrderId>("1024").is_ok());
    }
}
