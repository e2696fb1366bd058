//! Supplies the cases with unpaid orders.

use std::collections::VecDeque;

use serde_json::Value;

use crate::{
    error::CreateError,
    options::{CreateCall, OrderSource},
    order::Order,
    protocol::MerchantClient,
};

/// Why a case gets no order.
#[derive(Debug)]
pub(crate) enum NoOrder {
    /// No source was given, or the orders given are used up.
    Unavailable(String),
    Failed(CreateError),
}

#[derive(Debug)]
pub(crate) struct Orders {
    source: OrderSource,
    given: VecDeque<Order>,
    /// Used by all cases whose calls must be refused.
    shared: Option<Order>,
    created: i64,
    first_number: i64,
}

impl Orders {
    pub(crate) fn new(source: OrderSource, first_number: i64) -> Self {
        let given = match &source {
            OrderSource::Given(orders) => orders.iter().cloned().collect(),
            OrderSource::None | OrderSource::Create(_) => VecDeque::new(),
        };
        Self { source, given, shared: None, created: 0, first_number }
    }

    pub(crate) fn create_call(&self) -> Option<&CreateCall> {
        match &self.source {
            OrderSource::Create(call) => Some(call.as_ref()),
            OrderSource::None | OrderSource::Given(_) => None,
        }
    }

    /// An order that no case has used.
    pub(crate) async fn fresh(&mut self, merchant: &MerchantClient) -> Result<Order, NoOrder> {
        match &self.source {
            OrderSource::None => Err(NoOrder::Unavailable(
                "needs an unpaid order: give --order ID=AMOUNT or --create-url".to_owned(),
            )),
            OrderSource::Given(orders) => self.given.pop_front().ok_or_else(|| {
                NoOrder::Unavailable(format!(
                    "the {} orders given are used up: give more --order ID=AMOUNT",
                    orders.len()
                ))
            }),
            OrderSource::Create(call) => {
                let call = call.clone();
                let (order_id, body) = self.next_body(&call);
                create(merchant, &call, body, &order_id).await.map_err(NoOrder::Failed)
            }
        }
    }

    /// An order that stays unpaid, the same for every caller until [`Orders::discard_shared`].
    pub(crate) async fn shared(&mut self, merchant: &MerchantClient) -> Result<Order, NoOrder> {
        if let Some(order) = &self.shared {
            return Ok(order.clone());
        }
        let order = self.fresh(merchant).await?;
        self.shared = Some(order.clone());
        Ok(order)
    }

    /// For when a call was accepted by mistake, so that the shared order may be paid.
    pub(crate) fn discard_shared(&mut self) {
        self.shared = None;
    }

    /// The order number and the body of the next create call.
    pub(crate) fn next_body(&mut self, call: &CreateCall) -> (String, String) {
        self.created += 1;
        let order_id = self.first_number.saturating_add(self.created).to_string();
        let body = call
            .body
            .replace("{n}", &self.created.to_string())
            .replace("{order_id}", &order_id)
            .replace("{amount}", &call.amount.amount_text);
        (order_id, body)
    }
}

/// Makes the call and reads the order from its answer.
pub(crate) async fn create(
    merchant: &MerchantClient,
    call: &CreateCall,
    body: String,
    order_id: &str,
) -> Result<Order, CreateError> {
    let answer = merchant.create(call, body).await.map_err(CreateError::NoAnswer)?;
    let start = || answer.text.chars().take(200).collect();
    if !(200..300).contains(&answer.http_status) {
        return Err(CreateError::Refused { http_status: answer.http_status, body: start() });
    }
    let field = |path: &str| answer.json.as_ref().and_then(|json| find(json, path));
    let id = match &call.id_field {
        None => order_id.to_owned(),
        Some(path) => field(path).ok_or_else(|| CreateError::NoId { field: path.clone(), body: start() })?,
    };
    let link = call.link_field.as_deref().and_then(field);
    Ok(Order { id, link, ..call.amount.clone() })
}

/// The text or number at names separated by dots; a name may be an index of a list.
fn find(json: &Value, path: &str) -> Option<String> {
    let pointer = format!("/{}", path.replace('.', "/"));
    match json.pointer(&pointer)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_found_deep_in_the_answer() {
        let answer = serde_json::json!({"data": {"orders": [{"id": 7}, {"id": "A-8"}], "none": null}});
        assert_eq!(find(&answer, "data.orders.0.id").as_deref(), Some("7"));
        assert_eq!(find(&answer, "data.orders.1.id").as_deref(), Some("A-8"));
        assert_eq!(find(&answer, "data.none"), None);
        assert_eq!(find(&answer, "data.orders"), None);
    }
}
