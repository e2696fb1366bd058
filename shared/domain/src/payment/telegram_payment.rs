//! Payment by Telegram's own invoice with CLICK's provider token: bodies of the webhook service's internal API. JSON, sums in
//! tiyin; docs/openapi.yaml has the addresses and codes. The rules are [`crate::payment`]'s.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{ClickPaydocId, OrderId, UserId},
    time::Timestamp,
};

/// The currency of every invoice. Its amounts are whole tiyin.
pub const CURRENCY: &str = "UZS";
/// What comes before the order's number in an invoice's payload.
const PAYLOAD: &str = "order-";
/// The most characters of a charge id.
pub const CHARGE_ID_MAX: usize = 200;

/// What an invoice carries to name its order.
pub fn payload_of(order_id: OrderId) -> String {
    format!("{PAYLOAD}{order_id}")
}

/// The order that an invoice's payload names.
pub fn order_of(payload: &str) -> Option<OrderId> {
    payload.strip_prefix(PAYLOAD).and_then(|number| OrderId::parse(number).ok())
}

/// `POST /orders/ID/telegram-checkouts`, before Telegram takes the money: 200 [`Checkout`], 404, 409 [`CheckoutConflict`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutRequest {
    /// Who pays.
    pub user_id: UserId,
    pub amount_tiyin: i64,
    pub currency: String,
}

/// The order can be paid, and until then CLICK's page cannot take money for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkout {
    #[serde(with = "time::serde::rfc3339")]
    pub held_until: Timestamp,
}

/// Body of a 409.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutConflict {
    pub error: String,
    pub reason: CheckoutRefusal,
}

/// Why an invoice cannot be paid now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutRefusal {
    Paid,
    /// It expired or was cancelled.
    Expired,
    /// It is being paid through CLICK's page; the next attempt may be made in some minutes.
    BeingPaid,
    /// The invoice is not this order's: another amount or currency.
    AmountDiffers,
    /// The order is another person's.
    OtherUser,
}

/// `POST /telegram-payments`: money that Telegram says was taken. 200 [`PaymentReply`] however often it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TelegramPayment {
    /// 1 to 128 characters; names the order.
    pub payload: String,
    pub user_id: UserId,
    pub amount_tiyin: i64,
    pub currency: String,
    /// 1 to [`CHARGE_ID_MAX`] characters. The same one again is the same payment.
    pub telegram_charge_id: String,
    /// The provider's number, 1 to [`CHARGE_ID_MAX`] characters.
    pub provider_charge_id: String,
}

impl TelegramPayment {
    /// The payment number that people see: the provider's, where it is a number, else 0.
    pub fn paydoc_id(&self) -> ClickPaydocId {
        ClickPaydocId::parse(&self.provider_charge_id).unwrap_or(ClickPaydocId::NONE)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentReply {
    pub outcome: PaymentOutcome,
}

/// What the ledger made of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentOutcome {
    /// The order is paid by it.
    Paid,
    /// It was recorded before.
    AlreadyApplied,
    /// It does not agree with the ledger, for example because the order was paid before: staff are asked.
    Questioned,
    /// The ledger has no such order: staff are told.
    Unplaced,
}

impl PaymentOutcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::AlreadyApplied => "already_applied",
            Self::Questioned => "questioned",
            Self::Unplaced => "unplaced",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_has_the_name_that_its_json_has() {
        use PaymentOutcome::{AlreadyApplied, Paid, Questioned, Unplaced};
        for outcome in [Paid, AlreadyApplied, Questioned, Unplaced] {
            let json = serde_json::to_string(&outcome).unwrap();
            assert_eq!(json, format!("\"{}\"", outcome.as_str()));
        }
    }

    #[test]
    fn a_payload_names_its_order_and_nothing_else_does() {
        let order = OrderId::try_new(1001).unwrap();
        assert_eq!(order_of(&payload_of(order)), Some(order));
        for text in ["", "order-", "order-0", "order-01", "1001", "Order-1001", "order-1001 "] {
            assert_eq!(order_of(text), None, "{text:?}");
        }
    }
}
