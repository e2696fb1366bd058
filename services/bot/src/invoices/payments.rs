//! Payments that Telegram has told of, as they are stored until the ledger has them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tolov_domain::{
    Outcome, UserId,
    ports::{
        PortError,
        documents::{Collection, Documents, Key, Query},
    },
    telegram_payment::TelegramPayment,
    time::{Timestamp, millis},
};
use tolov_shop::records::{self, Record};

pub(crate) const PAYMENTS: Collection = Collection::new("telegram_payments", &["state"]);

/// Telegram delivers an update again for 24 hours; that long it must be known.
pub(crate) const KEPT_FOR: Duration = Duration::from_hours(48);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// The ledger is told of it until it answers.
    Waiting,
    Done,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReceivedPayment {
    #[serde(flatten)]
    pub(crate) payment: TelegramPayment,
    pub(crate) state: State,
    /// The shopper knows that it takes longer.
    pub(crate) is_told: bool,
    #[serde(with = "millis")]
    received_at: Timestamp,
}

impl Record for ReceivedPayment {
    const COLLECTION: Collection = PAYMENTS;

    fn key(&self) -> Key {
        Key::Text(self.payment.telegram_charge_id.clone())
    }
}

/// The part of Telegram's `message` that counts. teloxide refuses the whole message where a field is missing.
#[derive(Deserialize)]
struct PaidMessage {
    from: Payer,
    successful_payment: SuccessfulPayment,
}

#[derive(Deserialize)]
struct Payer {
    id: UserId,
}

#[derive(Deserialize)]
struct SuccessfulPayment {
    currency: String,
    total_amount: i64,
    invoice_payload: String,
    telegram_payment_charge_id: String,
    provider_payment_charge_id: String,
}

/// What an update is to payments.
#[derive(Debug)]
pub(crate) enum Told {
    Payment(Box<ReceivedPayment>),
    /// Money was taken, and the rest cannot be read: a person has to look into it.
    Unreadable(String),
}

/// The payment that an update tells of.
pub(crate) fn in_update(update: &Value, now: Timestamp) -> Option<Told> {
    let message = update.get("message")?;
    message.get("successful_payment")?;
    let PaidMessage { from, successful_payment: paid } = match PaidMessage::deserialize(message) {
        Ok(message) => message,
        Err(error) => return Some(Told::Unreadable(error.to_string())),
    };
    let payment = TelegramPayment {
        payload: paid.invoice_payload,
        user_id: from.id,
        amount_tiyin: paid.total_amount,
        currency: paid.currency,
        telegram_charge_id: paid.telegram_payment_charge_id,
        provider_charge_id: paid.provider_payment_charge_id,
    };
    let state = State::Waiting;
    Some(Told::Payment(Box::new(ReceivedPayment { payment, state, is_told: false, received_at: now })))
}

/// Stores a payment that is not there yet.
pub(crate) async fn store(
    documents: &dyn Documents,
    payment: &ReceivedPayment,
) -> Result<Outcome, PortError> {
    records::insert(documents, payment).await
}

/// Those that the ledger does not have.
pub(crate) async fn waiting(documents: &dyn Documents) -> Result<Vec<ReceivedPayment>, PortError> {
    const AT_ONCE: u32 = 100;
    records::find(documents, &Query::is(PAYMENTS, "state", "waiting", AT_ONCE)).await
}

pub(crate) async fn change(
    documents: &dyn Documents,
    payment: &ReceivedPayment,
    change: impl FnMut(&mut ReceivedPayment),
) -> Result<(), PortError> {
    records::change(documents, payment.key(), change).await.map(drop)
}

/// Removes some of those that came before this and that the ledger has.
pub(crate) async fn remove_old(
    documents: &dyn Documents,
    received_before: Timestamp,
) -> Result<(), PortError> {
    const AT_ONCE: u32 = 200;
    let done: Vec<ReceivedPayment> =
        records::find(documents, &Query::is(PAYMENTS, "state", "done", AT_ONCE)).await?;
    for old in done.into_iter().filter(|payment| payment.received_at < received_before) {
        records::remove::<ReceivedPayment>(documents, old.key()).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;

    fn update(paid: &Value) -> Value {
        json!({"update_id": 1, "message": {"message_id": 5, "date": 0, "chat": {"id": 7, "type": "private"},
               "from": {"id": 7, "is_bot": false, "first_name": "Ali"}, "successful_payment": paid}})
    }

    #[test]
    fn a_payment_is_read_whatever_else_telegram_writes() {
        let now = datetime!(2026-11-29 08:00 UTC);
        let paid = json!({"currency": "UZS", "total_amount": 5_000_000_000_i64, "invoice_payload": "order-7",
            "telegram_payment_charge_id": "tg-1", "provider_payment_charge_id": "4711", "news": {}});
        let Some(Told::Payment(read)) = in_update(&update(&paid), now) else { panic!("not read") };
        assert_eq!((read.payment.amount_tiyin, read.payment.user_id.get()), (5_000_000_000, 7));
        assert!(matches!(in_update(&update(&json!({"currency": "UZS"})), now), Some(Told::Unreadable(_))));
        assert!(in_update(&json!({"update_id": 1, "message": {"text": "hi"}}), now).is_none());
    }
}
