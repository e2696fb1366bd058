//! People pay invoices: Telegram asks the bot, takes the money, and tells the bot.

use std::time::Duration;

use serde_json::json;

use super::shoppers::{say, shopper};
use crate::telegram::{
    emulator::Telegram,
    error::ControlError,
    state::{
        State,
        message::{Body, Message},
        payments::{Checkout, Invoice, SuccessfulPayment},
    },
};

/// As long as Telegram waits for the bot.
const CHECKOUT_MAX: Duration = Duration::from_secs(10);

impl Telegram {
    /// A shopper pays an invoice: the bot is asked, and where it agrees the money is taken. `None`: the newest invoice.
    pub async fn pay_invoice(
        &self,
        shopper_id: i64,
        message_id: Option<i64>,
    ) -> Result<Checkout, ControlError> {
        let asked = self.check_out(shopper_id, message_id)?;
        let answered = self.wait_for_checkout(&asked.id, CHECKOUT_MAX).await?;
        match answered.answer {
            Some(answer) if answer.ok => self.take_money(&asked.id),
            _ => Ok(answered),
        }
    }

    /// A shopper confirms the payment of an invoice, and the bot is asked about it.
    pub fn check_out(&self, shopper_id: i64, message_id: Option<i64>) -> Result<Checkout, ControlError> {
        self.change(|state| {
            let from = shopper(state, shopper_id)?.to_json();
            let found = state
                .shown(shopper_id)
                .filter(|message| message_id.is_none_or(|id| id == message.message_id))
                .find_map(|message| Some((message.message_id, invoice_of(message)?.clone())));
            let missing =
                ControlError::NoMessage { chat_id: shopper_id, message_id: message_id.unwrap_or(0) };
            let (message_id, invoice) = found.ok_or(missing)?;
            let id = state.next_query_id();
            let update = json!({
                "id": id, "from": from, "currency": invoice.currency, "total_amount": invoice.total_amount,
                "invoice_payload": invoice.payload,
            });
            state.updates.push("pre_checkout_query", &update);
            let asked_at_ms = state.now_ms;
            let checkout =
                Checkout { id, shopper_id, message_id, invoice, asked_at_ms, answer: None, paid: None };
            state.checkouts.push(checkout.clone());
            Ok(checkout)
        })
    }

    /// Waits until the bot has answered. Without an answer in Telegram's time nothing is paid.
    pub async fn wait_for_checkout(&self, id: &str, timeout: Duration) -> Result<Checkout, ControlError> {
        let find = |state: &State| {
            state.checkouts.find(|checkout| checkout.id == id && checkout.answer.is_some()).cloned()
        };
        let timeout_ms = timeout.as_millis();
        self.wait(timeout, find).await.ok_or(ControlError::NoAnswer { timeout_ms })
    }

    /// Takes the money of a checkout, whatever the bot has answered, and tells the bot. Called again, the bot is told of the
    /// same payment once more.
    pub fn take_money(&self, id: &str) -> Result<Checkout, ControlError> {
        self.change(|state| {
            let now_ms = state.now_ms;
            let checkout = state.checkouts.find_mut(|checkout| checkout.id == id);
            let checkout = checkout.ok_or(ControlError::NoAnswer { timeout_ms: 0 })?;
            let invoice = &checkout.invoice;
            let paid = checkout.paid.get_or_insert_with(|| SuccessfulPayment {
                currency: invoice.currency.clone(),
                total_amount: invoice.total_amount,
                invoice_payload: invoice.payload.clone(),
                telegram_payment_charge_id: format!("tg_{id}"),
                provider_payment_charge_id: format!("{now_ms}{:03}", checkout.message_id % 1000),
            });
            let (shopper_id, paid, checkout) = (checkout.shopper_id, paid.clone(), checkout.id.clone());
            say(state, shopper_id, Body::SuccessfulPayment { successful_payment: paid })?;
            let found = state.checkouts.find(|known| known.id == checkout).cloned();
            found.ok_or(ControlError::NoAnswer { timeout_ms: 0 })
        })
    }
}

fn invoice_of(message: &Message) -> Option<&Invoice> {
    if let Body::Invoice { invoice } = &message.body { Some(invoice) } else { None }
}
