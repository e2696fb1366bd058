//! Invoices to a phone number: the bot asks, the reconciler makes them. Bodies are those of [`tolov_domain::phone_invoice`].

use std::sync::Arc;

use bytes::Bytes;
use tolov_domain::{
    OrderId,
    phone_invoice::{
        DueInvoices, InvoiceChange, InvoiceConflict, InvoiceRefusal, InvoiceRequest, InvoiceStep,
        PhoneInvoices,
    },
};
use warp::{http::StatusCode, reply::Response};

use super::{
    app::App,
    reply::{problem, to_reply, unavailable},
};
use crate::ledger::{InvoiceAsked, InvoiceStepped};

/// POST /orders/ID/phone-invoices
pub(super) async fn ask(order_id: String, app: Arc<App>, body: Bytes) -> Response {
    let Ok(order_id) = OrderId::parse(&order_id) else { return not_found() };
    let asked: InvoiceRequest = match serde_json::from_slice(&body) {
        Ok(asked) => asked,
        Err(error) => return field(&error.to_string()),
    };
    if !app.click.merchant_api() {
        return conflict(InvoiceRefusal::MerchantApiOff);
    }
    match app.ledger.ask_for_phone_invoice(order_id, asked, app.clock.now()).await {
        Ok(InvoiceAsked::Opened(invoice)) => to_reply(StatusCode::CREATED, &invoice),
        Ok(InvoiceAsked::Open(invoice)) => to_reply(StatusCode::OK, &invoice),
        Ok(InvoiceAsked::Refused(reason)) => conflict(reason),
        Ok(InvoiceAsked::UnknownOrder) => not_found(),
        Err(error) => unavailable(&error),
    }
}

/// GET /orders/ID/phone-invoices
pub(super) async fn of_order(order_id: String, app: Arc<App>) -> Response {
    let Ok(order_id) = OrderId::parse(&order_id) else { return not_found() };
    match app.ledger.phone_invoices(order_id).await {
        Ok(phone_invoices) => to_reply(StatusCode::OK, &PhoneInvoices { phone_invoices }),
        Err(error) => unavailable(&error),
    }
}

/// GET /phone-invoices/due
pub(super) async fn due(app: Arc<App>) -> Response {
    match app.ledger.due_phone_invoices(app.clock.now()).await {
        Ok(due) => to_reply(StatusCode::OK, &DueInvoices { due }),
        Err(error) => unavailable(&error),
    }
}

/// POST /phone-invoices/ID/step: the reconciler's.
pub(super) async fn step(id: String, app: Arc<App>, body: Bytes) -> Response {
    let Ok(id) = id.parse() else { return not_found() };
    let step: InvoiceStep = match serde_json::from_slice(&body) {
        Ok(step) => step,
        Err(error) => return field(&error.to_string()),
    };
    if matches!(step.change, InvoiceChange::Sent { invoice_id: ..=0 }) {
        return field("invoice_id is not above 0");
    }
    match app.ledger.step_phone_invoice(id, step, app.clock.now()).await {
        Ok(InvoiceStepped::Changed(invoice)) => to_reply(StatusCode::OK, &invoice),
        Ok(InvoiceStepped::Stale) => conflict(InvoiceRefusal::Stale),
        Ok(InvoiceStepped::Unknown) => not_found(),
        Err(error) => unavailable(&error),
    }
}

fn conflict(reason: InvoiceRefusal) -> Response {
    let error = match reason {
        InvoiceRefusal::NotPayable => "the order is paid or over",
        InvoiceRefusal::OtherUser => "the order is another person's",
        InvoiceRefusal::MerchantApiOff => "CLICK_MERCHANT_USER_ID is not set",
        InvoiceRefusal::Stale => "the invoice has gone on meanwhile",
    };
    to_reply(StatusCode::CONFLICT, &InvoiceConflict { error: error.to_owned(), reason })
}

fn field(error: &str) -> Response {
    problem(StatusCode::UNPROCESSABLE_ENTITY, error, Some("body"))
}

fn not_found() -> Response {
    problem(StatusCode::NOT_FOUND, "the ledger has no such order or invoice", None)
}
