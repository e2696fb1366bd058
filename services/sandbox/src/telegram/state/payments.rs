//! Invoices and what becomes of them.

use serde::{Deserialize, Serialize};

/// How long Telegram waits for the answer to a pre_checkout_query.
const ANSWER_MAX_MS: i64 = 10_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    pub title: String,
    pub description: String,
    pub payload: String,
    pub currency: String,
    pub total_amount: i64,
}

/// Money that was taken for an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuccessfulPayment {
    pub currency: String,
    pub total_amount: i64,
    pub invoice_payload: String,
    pub telegram_payment_charge_id: String,
    pub provider_payment_charge_id: String,
}

/// Telegram's question to the bot whether a shopper may pay an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkout {
    pub id: String,
    pub shopper_id: i64,
    pub message_id: i64,
    pub invoice: Invoice,
    pub asked_at_ms: i64,
    pub answer: Option<CheckoutAnswer>,
    /// The money was taken.
    pub paid: Option<SuccessfulPayment>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutAnswer {
    pub ok: bool,
    /// What the shopper reads.
    pub error_message: Option<String>,
}

impl Checkout {
    pub(crate) fn is_open(&self, now_ms: i64) -> bool {
        now_ms < self.asked_at_ms + ANSWER_MAX_MS
    }
}
