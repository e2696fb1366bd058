//! A payment as CLICK keeps it.

use serde::{Deserialize, Serialize};

use super::callbacks::exchange::{Exchange, Step};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    pub click_trans_id: i64,
    /// The number that the payer sees.
    pub click_paydoc_id: i64,
    /// `transaction_param` of the link, `merchant_trans_id` of the callbacks.
    pub order_id: String,
    /// As the link wrote it.
    pub amount: String,
    pub status: PaymentStatus,
    pub created_at_ms: i64,
    /// What partial reversals gave back; the payment stays paid.
    #[serde(default)]
    pub reversed_tiyin: i64,
    /// In the order in which they were sent; the last [`MAX_EXCHANGES`].
    pub exchanges: Vec<Exchange>,
}

const MAX_EXCHANGES: usize = 200;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Nothing was sent yet.
    Created,
    /// The merchant refused the Prepare or did not answer it. No money was taken.
    Refused { error: Option<i64>, error_note: String },
    /// The merchant accepted the Prepare.
    Prepared { merchant_prepare_id: i64 },
    /// The money is taken, and the merchant has not confirmed yet.
    Debited { merchant_prepare_id: i64 },
    /// The merchant confirmed.
    Paid { merchant_prepare_id: i64 },
    /// Was paid; the merchant had the money returned.
    Reversed { merchant_prepare_id: i64 },
    /// The payer or CLICK cancelled, or the merchant answered -9. No money was taken.
    Cancelled { error: i64 },
    /// The money is taken, and the merchant never confirmed: a case for CLICK's support.
    Hanging { merchant_prepare_id: i64 },
}

impl Payment {
    pub fn is_paid(&self) -> bool {
        matches!(self.status, PaymentStatus::Paid { .. })
    }

    /// The `payment_status` of CLICK's Merchant API: below 0 failed, 0 created, 1 in progress, 2 paid.
    pub fn payment_status(&self) -> i32 {
        match self.status {
            PaymentStatus::Created => 0,
            PaymentStatus::Prepared { .. }
            | PaymentStatus::Debited { .. }
            | PaymentStatus::Hanging { .. } => 1,
            PaymentStatus::Paid { .. } => 2,
            PaymentStatus::Refused { .. }
            | PaymentStatus::Cancelled { .. }
            | PaymentStatus::Reversed { .. } => -1,
        }
    }

    /// How many calls of a step were made.
    pub fn calls(&self, step: Step) -> usize {
        self.exchanges.iter().filter(|exchange| exchange.step == step).count()
    }

    pub(super) fn add(&mut self, exchange: Exchange) {
        self.exchanges.push(exchange);
        if self.exchanges.len() > MAX_EXCHANGES {
            self.exchanges.remove(0);
        }
    }
}
