//! Orders to play with.

use std::collections::VecDeque;

use serde_json::Value;
use tolov_domain::Tiyin;

use crate::{
    merchant::Merchant,
    options::{CreateCall, OrderSource},
};

/// An order that the merchant has, unpaid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// `merchant_trans_id`.
    pub id: String,
    /// So'm, as CLICK writes it into its calls.
    pub amount_text: String,
    pub amount: Tiyin,
    /// The pay link that came with it.
    pub link: Option<String>,
}

/// Why there is no order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoOrder {
    /// It was not said how to get one, or those given are used up.
    Unavailable(String),
    /// It was said, and it did not work.
    Failed(String),
}

/// Gives orders out.
#[derive(Debug)]
pub(crate) struct Orders {
    source: OrderSource,
    given: VecDeque<Order>,
    /// One that is used only by calls that must be refused.
    lent: Option<Order>,
    made: i64,
    first_number: i64,
}

impl Orders {
    pub(crate) fn new(source: OrderSource, first_number: i64) -> Self {
        let given = match &source {
            OrderSource::Given(orders) => orders.iter().cloned().collect(),
            OrderSource::None | OrderSource::Create(_) => VecDeque::new(),
        };
        Self { source, given, lent: None, made: 0, first_number }
    }

    pub(crate) fn create_call(&self) -> Option<&CreateCall> {
        match &self.source {
            OrderSource::Create(call) => Some(call.as_ref()),
            OrderSource::None | OrderSource::Given(_) => None,
        }
    }

    /// One that no case has used.
    pub(crate) async fn fresh(&mut self, merchant: &Merchant) -> Result<Order, NoOrder> {
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
                let (order_id, body) = self.next_body(&call, |body| body);
                create(merchant, &call, &call.headers, body, &order_id).await.map_err(NoOrder::Failed)
            }
        }
    }

    /// One that stays unpaid; the same for all who ask, until [`Orders::spoil`].
    pub(crate) async fn lent(&mut self, merchant: &Merchant) -> Result<Order, NoOrder> {
        if let Some(order) = &self.lent {
            return Ok(order.clone());
        }
        let order = self.fresh(merchant).await?;
        self.lent = Some(order.clone());
        Ok(order)
    }

    /// A call was not refused: the order that was lent may have been paid.
    pub(crate) fn spoil(&mut self) {
        self.lent = None;
    }

    /// The number and the body of the next create call.
    pub(crate) fn next_body(
        &mut self,
        call: &CreateCall,
        change: impl FnOnce(String) -> String,
    ) -> (String, String) {
        self.made += 1;
        let order_id = self.first_number.saturating_add(self.made).to_string();
        let body = call
            .body
            .replace("{n}", &self.made.to_string())
            .replace("{order_id}", &order_id)
            .replace("{amount}", &call.amount.amount_text);
        (order_id, change(body))
    }
}

/// Makes the call and reads the order from its answer.
pub(crate) async fn create(
    merchant: &Merchant,
    call: &CreateCall,
    headers: &[(http::HeaderName, http::HeaderValue)],
    body: String,
    order_id: &str,
) -> Result<Order, String> {
    let (status, text) = merchant.create(call, headers, body).await?;
    if !(200..300).contains(&status) {
        return Err(format!("it answered with HTTP {status}: {}", start_of(&text)));
    }
    let json: Option<Value> = serde_json::from_str(&text).ok();
    let field = |path: &str| json.as_ref().and_then(|json| find(json, path));
    let id = match &call.id_field {
        None => order_id.to_owned(),
        Some(path) => {
            field(path).ok_or_else(|| format!("the answer has no id at {path:?}: {}", start_of(&text)))?
        }
    };
    let link = call.link_field.as_deref().and_then(field);
    Ok(Order { id, link, ..call.amount.clone() })
}

/// The text or number at names separated by dots; a name may be an index of a list.
fn find(json: &Value, path: &str) -> Option<String> {
    let found = path.split('.').try_fold(json, |value, name| match value {
        Value::Array(list) => list.get(name.parse::<usize>().ok()?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            value.get(name)
        }
    })?;
    match found {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn start_of(text: &str) -> String {
    text.chars().take(200).collect()
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
