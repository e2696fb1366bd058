//! What the tester is told.

use std::time::Duration;

use tolov_domain::Tiyin;
use tolov_kit::secret::Secret;
use url::Url;

use crate::orders::Order;

/// Which merchant, how its orders come to exist, and what to play.
#[derive(Debug, Clone)]
pub struct Options {
    pub prepare_url: Url,
    pub complete_url: Url,
    pub service_id: i64,
    pub secret_key: Secret,
    pub orders: OrderSource,
    /// An order that the merchant does not have.
    pub unknown_order: String,
    /// Cases to play: an id, the beginning of one up to a dot, `must` or `should`. Empty: all.
    pub only: Vec<String>,
    /// How long one answer may take.
    pub answer_timeout: Duration,
    /// How long everything may take; what is left then is reported as skipped.
    pub deadline: Duration,
    /// How many calls a race sends at the same time.
    pub parallel: usize,
}

impl Options {
    /// The usual patience, one address for both calls, no orders.
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

/// How an order comes to exist that nobody has paid.
#[derive(Debug, Clone)]
pub enum OrderSource {
    /// It does not: cases that need one are skipped.
    None,
    /// These exist already; each is used by one case.
    Given(Vec<Order>),
    /// The merchant makes one when it is asked.
    Create(Box<CreateCall>),
}

/// A call that makes the merchant create an unpaid order.
#[derive(Debug, Clone)]
pub struct CreateCall {
    pub url: Url,
    /// Shown nowhere: a header may hold a token.
    pub headers: Vec<(http::HeaderName, http::HeaderValue)>,
    /// With `{n}` (1, 2, …), `{order_id}` (a number that was not used before) and `{amount}` to be filled in.
    pub body: String,
    /// Where the answer has the order's id: names separated by dots. `None`: it is the `{order_id}` that was sent.
    pub id_field: Option<String>,
    /// Where the answer has the pay link, to be looked at.
    pub link_field: Option<String>,
    /// So'm, as CLICK would write it.
    pub amount: Order,
}

/// Why nothing was tried.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    #[error("{0:?} is no order: write ID=AMOUNT, for example 1001=1500.00")]
    BadOrder(String),
    #[error("{0:?} is no header: write 'Name: value'")]
    BadHeader(String),
    #[error("no case is named {0:?}: --list shows them")]
    NoSuchCase(String),
    #[error("give the merchant's address, or --prepare-url and --complete-url")]
    NoAddress,
    #[error("{0} is no address of a merchant: it begins with http:// or https://")]
    NotHttp(String),
    #[error("cannot use the secret key: {0}")]
    SecretFile(String),
    #[error("nothing could be played: every case was skipped, the table says why")]
    NothingPlayed,
    #[error("the create call does not work: {0}")]
    Create(String),
    #[error("cannot make an HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}

/// Reads `ID=AMOUNT`. An id may contain `=`; an amount does not.
pub fn given_order(text: &str) -> Result<Order, UsageError> {
    let bad = || UsageError::BadOrder(text.to_owned());
    let (id, amount) = text.rsplit_once('=').filter(|(id, _)| !id.is_empty()).ok_or_else(bad)?;
    Order::new(id, amount).ok_or_else(bad)
}

/// Reads `Name: value`.
pub fn header(text: &str) -> Result<(http::HeaderName, http::HeaderValue), UsageError> {
    // The value may be a token: only the name is repeated.
    let bad = |shown: &str| UsageError::BadHeader(shown.to_owned());
    let (name, value) = text.split_once(':').ok_or_else(|| bad("a header without a colon"))?;
    let parsed_name = name.trim().parse().map_err(|_| bad(name))?;
    let value = value.trim().parse().map_err(|_| bad(name))?;
    Ok((parsed_name, value))
}

impl Order {
    /// An order whose amount is text as CLICK would write it; `None` if it is no amount above zero.
    pub fn new(id: impl Into<String>, amount: &str) -> Option<Self> {
        let tiyin = Tiyin::parse_soum(amount).ok().filter(|tiyin| *tiyin > Tiyin::ZERO)?;
        Some(Self { id: id.into(), amount_text: amount.to_owned(), amount: tiyin, link: None })
    }
}
