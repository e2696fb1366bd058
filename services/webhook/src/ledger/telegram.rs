//! Payments by Telegram's invoice: what the HTTP API asks of the ledger about them.

use serde::{Deserialize, Serialize};
use tolov_domain::{
    OrderId,
    telegram_payment::{CheckoutRequest, PaymentOutcome, TelegramPayment},
    time::Timestamp,
};

use super::{
    Ledger, LedgerError,
    read::pool::{Pool, read},
    writer::invoices::telegram::{CheckOut, CheckedOut, TakePayment},
};

/// Money that Telegram said was taken for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct TelegramPaymentRecord {
    #[serde(rename = "merchant_prepare_id")]
    pub prepare_id: i64,
    pub user_id: i64,
    pub amount_tiyin: i64,
    pub currency: String,
    pub telegram_charge_id: String,
    pub provider_charge_id: String,
    #[serde(rename = "received_at_ms")]
    pub received_at: i64,
    /// `paid` or `questioned`.
    pub outcome: String,
}

impl Ledger {
    /// Opens an attempt by Telegram's invoice, which keeps CLICK's page closed for [`tolov_domain::payment::HOLD`].
    pub async fn check_out_in_telegram(
        &self,
        order_id: OrderId,
        asked: CheckoutRequest,
        at: Timestamp,
    ) -> Result<CheckedOut, LedgerError> {
        self.decide(CheckOut { order_id, asked, at }).await
    }

    /// Records money that Telegram says was taken, and what it does to its order. May be repeated.
    pub async fn take_telegram_payment(
        &self,
        payment: TelegramPayment,
        at: Timestamp,
    ) -> Result<PaymentOutcome, LedgerError> {
        self.decide(TakePayment { payment, at }).await
    }

    /// Of an order, oldest first.
    pub async fn telegram_payments(
        &self,
        order_id: OrderId,
    ) -> Result<Vec<TelegramPaymentRecord>, LedgerError> {
        telegram_payments(&self.readers.requests, order_id).await
    }
}

pub(super) async fn telegram_payments(
    pool: &Pool,
    order_id: OrderId,
) -> Result<Vec<TelegramPaymentRecord>, LedgerError> {
    let payments = "SELECT prepare_id, user_id, amount_tiyin, currency, telegram_charge_id, provider_charge_id, received_at, outcome
         FROM telegram_payments WHERE order_id = $1 LIMIT 1000";
    let mut payments: Vec<TelegramPaymentRecord> = read!(pool, query_as.fetch_all, payments, order_id.get())?;
    payments.sort_by_key(|payment| payment.prepare_id);
    Ok(payments)
}
