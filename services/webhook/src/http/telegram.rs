//! Payments by Telegram's invoice: the bot asks before Telegram takes the money, and tells when it has. Bodies are those of
//! [`tolov_domain::telegram_payment`].

use std::sync::Arc;

use bytes::Bytes;
use tolov_domain::{
    OrderId,
    telegram_payment::{
        CHARGE_ID_MAX, Checkout, CheckoutConflict, CheckoutRefusal, CheckoutRequest, PaymentReply,
        TelegramPayment,
    },
};
use warp::{http::StatusCode, reply::Response};

use super::{
    app::App,
    reply::{problem, to_reply, unavailable},
};
use crate::ledger::{CheckedOut, LedgerError};

/// As Telegram limits it.
const PAYLOAD_MAX: usize = 128;

/// POST /orders/ID/telegram-checkouts
pub(super) async fn check_out(order_id: String, app: Arc<App>, body: Bytes) -> Response {
    let Ok(order_id) = OrderId::parse(&order_id) else { return no_order() };
    let asked: CheckoutRequest = match serde_json::from_slice(&body) {
        Ok(asked) => asked,
        Err(error) => return field("body", &error.to_string()),
    };
    match app.ledger.check_out_in_telegram(order_id, asked, app.clock.now()).await {
        Ok(CheckedOut::Until(held_until)) => to_reply(StatusCode::OK, &Checkout { held_until }),
        Ok(CheckedOut::Refused(reason)) => {
            tracing::info!(order.id = %order_id, ?reason, "an invoice in Telegram cannot be paid now");
            let error = why(reason).to_owned();
            to_reply(StatusCode::CONFLICT, &CheckoutConflict { error, reason })
        }
        Ok(CheckedOut::UnknownOrder) => no_order(),
        Ok(CheckedOut::NumbersUsedUp) => {
            unavailable(&LedgerError::Row("the ledger has no merchant_prepare_id left"))
        }
        Err(error) => unavailable(&error),
    }
}

fn why(reason: CheckoutRefusal) -> &'static str {
    match reason {
        CheckoutRefusal::Paid => "the order is paid",
        CheckoutRefusal::Expired => "the order is over",
        CheckoutRefusal::BeingPaid => "the order is being paid through CLICK's page",
        CheckoutRefusal::AmountDiffers => "the amount or the currency is not the order's",
        CheckoutRefusal::OtherUser => "the order is another person's",
    }
}

/// POST /telegram-payments
pub(super) async fn pay(app: Arc<App>, body: Bytes) -> Response {
    let payment: TelegramPayment = match serde_json::from_slice(&body) {
        Ok(payment) => payment,
        Err(error) => return field("body", &error.to_string()),
    };
    let is_charge = |id: &str| (1..=CHARGE_ID_MAX).contains(&id.chars().count());
    if !(1..=PAYLOAD_MAX).contains(&payment.payload.len()) {
        return field("payload", "write 1 to 128 bytes");
    }
    if !is_charge(&payment.telegram_charge_id) {
        return field("telegram_charge_id", "write 1 to 200 characters");
    }
    if !is_charge(&payment.provider_charge_id) {
        return field("provider_charge_id", "write 1 to 200 characters");
    }
    match app.ledger.take_telegram_payment(payment, app.clock.now()).await {
        Ok(outcome) => {
            metrics::counter!("tolov_telegram_payments_total", "outcome" => outcome.as_str()).increment(1);
            to_reply(StatusCode::OK, &PaymentReply { outcome })
        }
        Err(error) => unavailable(&error),
    }
}

fn field(name: &'static str, error: &str) -> Response {
    problem(StatusCode::UNPROCESSABLE_ENTITY, error, Some(name))
}

fn no_order() -> Response {
    problem(StatusCode::NOT_FOUND, "the ledger has no such order", Some("order_id"))
}
