//! Payments in Telegram as rows.

use serde::{Deserialize, Serialize};
use tolov_domain::{
    OrderId, PrepareId, UserId,
    telegram_payment::{PaymentOutcome, TelegramPayment},
    time::{Timestamp, unix_ms},
};

use crate::ledger::writer::rows::LedgerAttempt;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TelegramRow {
    pub(crate) prepare_id: Option<PrepareId>,
    pub(crate) order_id: Option<OrderId>,
    payload: String,
    user_id: UserId,
    amount_tiyin: i64,
    currency: String,
    pub(crate) telegram_charge_id: String,
    pub(crate) provider_charge_id: String,
    received_at: i64,
    outcome: PaymentOutcome,
}

impl TelegramRow {
    pub(crate) fn of(
        paid: &TelegramPayment,
        attempt: Option<&LedgerAttempt>,
        outcome: PaymentOutcome,
        at: Timestamp,
    ) -> Self {
        Self {
            prepare_id: attempt.map(|attempt| attempt.prepare_id),
            order_id: attempt.map(|attempt| attempt.order_id),
            payload: paid.payload.clone(),
            user_id: paid.user_id,
            amount_tiyin: paid.amount_tiyin,
            currency: paid.currency.clone(),
            telegram_charge_id: paid.telegram_charge_id.clone(),
            provider_charge_id: paid.provider_charge_id.clone(),
            received_at: unix_ms(at),
            outcome,
        }
    }
}
