//! Invoices, and the answers to Telegram's question whether one may be paid.

use serde_json::Value;

use super::sends::send;
use crate::telegram::{
    bot_api::params::Params,
    refusal::Refusal,
    state::{
        State,
        message::Body,
        payments::{CheckoutAnswer, Invoice},
    },
};

const TITLE_MAX_CHARS: usize = 32;
const DESCRIPTION_MAX_CHARS: usize = 255;
const PAYLOAD_MAX_BYTES: usize = 128;
/// What Telegram takes in UZS, in tiyin. It moves with the dollar.
const AMOUNTS: std::ops::RangeInclusive<i64> = 1_298_089..=12_980_894_361;

pub(super) fn invoice(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    send(state, params, |_, params| Ok(Body::Invoice { invoice: read(params)? }))
}

fn read(params: &Params) -> Result<Invoice, Refusal> {
    let text = |name: &str, max: usize, error: &str| {
        let text = params.text(name).filter(|text| (1..=max).contains(&text.chars().count()));
        text.ok_or_else(|| Refusal::bad_request(error))
    };
    let title = text("title", TITLE_MAX_CHARS, "INVOICE_TITLE_INVALID")?;
    let description = text("description", DESCRIPTION_MAX_CHARS, "INVOICE_DESCRIPTION_INVALID")?;
    let payload = text("payload", PAYLOAD_MAX_BYTES, "INVOICE_PAYLOAD_INVALID")?;
    let is_token = |token: &String| token.split(':').count() == 3;
    if !params.text("provider_token").as_ref().is_some_and(is_token) {
        return Err(Refusal::bad_request("PAYMENT_PROVIDER_INVALID"));
    }
    let currency = params.text("currency").unwrap_or_default();
    if currency != "UZS" {
        return Err(Refusal::bad_request("CURRENCY_INVALID"));
    }
    let prices = params.json("prices")?.unwrap_or_default();
    let amounts = prices.as_array().into_iter().flatten().map(|price| price.get("amount")?.as_i64());
    let total_amount = amounts
        .sum::<Option<i64>>()
        .filter(|total| AMOUNTS.contains(total))
        .ok_or_else(|| Refusal::bad_request("CURRENCY_TOTAL_AMOUNT_INVALID"))?;
    Ok(Invoice { title, description, payload, currency, total_amount })
}

pub(super) fn pre_checkout_query(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let answer = CheckoutAnswer {
        ok: params.flag("ok"),
        error_message: params.text("error_message").filter(|text| !text.is_empty()),
    };
    if !answer.ok && answer.error_message.is_none() {
        return Err(Refusal::bad_request("ERROR_MESSAGE_EMPTY"));
    }
    let id = params.text("pre_checkout_query_id").unwrap_or_default();
    let now_ms = state.now_ms;
    let open = state.checkouts.find_mut(|checkout| checkout.id == id && checkout.is_open(now_ms));
    let checkout = open.ok_or_else(|| {
        Refusal::bad_request("query is too old and response timeout expired or query ID is invalid")
    })?;
    checkout.answer.get_or_insert(answer);
    Ok(true.into())
}
