//! What a run is told: the merchant, its orders, and which cases to run.

use std::time::Duration;

use tolov_kit::secret::Secret;
use url::Url;

use crate::{error::UsageError, order::Order};

#[derive(Debug, Clone)]
pub struct Options {
    pub prepare_url: Url,
    pub complete_url: Url,
    pub service_id: i64,
    pub secret_key: Secret,
    pub orders: OrderSource,
    /// An order that the merchant does not have.
    pub unknown_order: String,
    /// Cases to run: an id, the part of one before its dot, `must` or `should`. Empty: all.
    pub only: Vec<String>,
    /// For one answer.
    pub answer_timeout: Duration,
    /// For the whole run; cases that are left then are reported as skipped.
    pub deadline: Duration,
    /// Calls that a race sends at the same time.
    pub parallel: usize,
}

impl Options {
    /// One address for both calls, no orders, 10 s an answer and 10 minutes in all.
    pub fn new(url: Url, service_id: i64, secret_key: Secret) -> Self {
        Self {
            prepare_url: url.clone(),
            complete_url: url,
            service_id,
            secret_key,
            orders: OrderSource::None,
            unknown_order: "918273645".to_owned(),
            only: Vec::new(),
            answer_timeout: Duration::from_secs(10),
            deadline: Duration::from_mins(10),
            parallel: 20,
        }
    }
}

/// Where unpaid orders come from.
#[derive(Debug, Clone)]
pub enum OrderSource {
    /// Cases that need an order are skipped.
    None,
    /// These exist already; each is used by one case.
    Given(Vec<Order>),
    Create(Box<CreateCall>),
}

/// A call that makes the merchant create an unpaid order.
#[derive(Debug, Clone)]
pub struct CreateCall {
    pub url: Url,
    /// Never shown: a header may hold a token.
    pub headers: Vec<(http::HeaderName, http::HeaderValue)>,
    /// With the placeholders `{n}` (1, 2, …), `{order_id}` (a number not used before) and `{amount}`.
    pub body: String,
    /// Where the answer has the order's id: names separated by dots. `None`: it is the `{order_id}` that was sent.
    pub id_field: Option<String>,
    /// Where the answer has the pay link.
    pub link_field: Option<String>,
    /// The amount of every order; its id is not used.
    pub amount: Order,
}

/// Reads `Name: value`.
pub fn header(text: &str) -> Result<(http::HeaderName, http::HeaderValue), UsageError> {
    // The value may be a token: errors repeat only the name.
    let bad = |shown: &str| UsageError::BadHeader(shown.to_owned());
    let (name, value) = text.split_once(':').ok_or_else(|| bad("a header without a colon"))?;
    let parsed_name = name.trim().parse().map_err(|_| bad(name))?;
    let value = value.trim().parse().map_err(|_| bad(name))?;
    Ok((parsed_name, value))
}
