//! Orders: the bot registers and cancels them, staff read them.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use time::format_description::well_known::Rfc3339;
use tolov_domain::{
    OrderId, OrderedProduct, Tiyin, UserId,
    receipt::Content,
    time::{Timestamp, from_unix_ms},
};
use warp::{http::StatusCode, reply::Response};

use super::{
    app::App,
    reply::{problem, to_reply, unavailable},
};
use crate::ledger::{
    AttemptRecord, EndRefusal, Ledger, LedgerError, NewOrder, OrderRecord, OrderRefusal, OrderRefusalReason,
    OrderStatus, Outcome, ReplayRefusal, TelegramPaymentRecord,
};

/// The most lines of an order.
const PRODUCTS_MAX: usize = 100;
/// How many orders a page has, and the most that it may have.
pub(super) const PAGE: u32 = 50;
pub(super) const PAGE_MAX: u32 = 500;

/// POST /api/create_order: 201 for a new order, 200 for the very same one again, 409 for a number that is taken by
/// another, 422 naming the field that is wrong.
pub(super) async fn create(app: Arc<App>, body: Bytes) -> Response {
    let now = app.clock.now();
    let order = match read_order(&body, now) {
        Ok(order) => order,
        Err(bad) => return bad.reply(),
    };
    let order_id = order.order_id;
    let status = match app.ledger.create_order(order).await {
        Ok(Outcome::Applied) => {
            tracing::info!(order.id = %order_id, "order registered");
            StatusCode::CREATED
        }
        Ok(Outcome::AlreadyApplied) => StatusCode::OK,
        Ok(Outcome::Refused(refusal)) => {
            tracing::warn!(order.id = %order_id, ?refusal, "an order number is refused");
            return number_refused(refusal);
        }
        Err(error) => return unavailable(&error),
    };
    match app.ledger.order(order_id).await {
        Ok(Some(record)) => {
            let payment_url = app.click.pay_link.for_order(order_id, tiyin(record.amount_tiyin));
            let pay_until = pay_until(record.created_at, app.order_ttl);
            to_reply(status, &Created { order: ShownOrder::of(&record), pay_until, payment_url })
        }
        Ok(None) => unavailable(&LedgerError::Row("an order that was registered is not there")),
        Err(error) => unavailable(&error),
    }
}

/// The refusal tells the highest order number, so that the caller can go on above it.
fn number_refused(OrderRefusal { reason, highest_order_id }: OrderRefusal) -> Response {
    let (status, error, field) = match reason {
        OrderRefusalReason::Taken { field } => {
            (StatusCode::CONFLICT, "this order number is taken by another order", field)
        }
        OrderRefusalReason::OutOfRange => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "the order number is too far above the highest one",
            "order_id",
        ),
    };
    to_reply(status, &NumberRefused { error, field, highest_order_id })
}

/// GET /orders?before&limit&status, newest first. The next page begins before the last number of this one.
pub(super) async fn list(app: Arc<App>, query: String) -> Response {
    let page = match Page::parse(&query) {
        Ok(page) => page,
        Err(bad) => return bad.reply(),
    };
    let read = async {
        let highest_order_id = app.ledger.highest_order_id().await?;
        Ok::<_, LedgerError>((
            app.ledger.orders(page.status, page.before, page.limit).await?,
            highest_order_id,
        ))
    };
    match read.await {
        Ok((orders, highest_order_id)) => {
            let orders = orders.iter().map(ShownOrder::of).collect();
            to_reply(StatusCode::OK, &Listed { orders, limit: page.limit, highest_order_id })
        }
        Err(error) => unavailable(&error),
    }
}

/// GET /orders/ID, with its attempts.
pub(super) async fn show(order_id: String, app: Arc<App>) -> Response {
    let Ok(order_id) = OrderId::parse(&order_id) else { return not_found() };
    match with_attempts(&app.ledger, order_id).await {
        Ok(Some(order)) => to_reply(StatusCode::OK, &order),
        Ok(None) => not_found(),
        Err(error) => unavailable(&error),
    }
}

/// POST /orders/ID/cancel: 200 when the order is over, now or before; 409 when it is paid.
pub(super) async fn cancel(order_id: String, app: Arc<App>) -> Response {
    let Ok(order_id) = OrderId::parse(&order_id) else { return not_found() };
    match app.ledger.cancel_order(order_id, app.clock.now()).await {
        Ok(Outcome::Applied) => tracing::info!(order.id = %order_id, "order cancelled"),
        Ok(Outcome::AlreadyApplied) => {}
        Ok(Outcome::Refused(EndRefusal::Paid)) => return is_paid(),
        Ok(Outcome::Refused(EndRefusal::Unknown)) => return not_found(),
        Err(error) => return unavailable(&error),
    }
    match with_attempts(&app.ledger, order_id).await {
        // Late money may have come in between the two.
        Ok(Some(order)) if order.order.status == OrderStatus::Paid => is_paid(),
        Ok(Some(order)) => to_reply(StatusCode::OK, &Cancelled { order, cancelled: true }),
        Ok(None) => not_found(),
        Err(error) => unavailable(&error),
    }
}

/// POST /orders/ID/replay: publishes the order's events once more. 200 however often it is asked.
pub(super) async fn replay(order_id: String, app: Arc<App>) -> Response {
    let Ok(order_id) = OrderId::parse(&order_id) else { return not_found() };
    match app.ledger.replay(&[order_id]).await.as_deref() {
        Ok([Outcome::Refused(ReplayRefusal::Unknown), ..]) => not_found(),
        Ok(_) => {
            tracing::info!(order.id = %order_id, "the order's events are published once more");
            to_reply(StatusCode::OK, &Replayed { order_id: order_id.get(), replayed: true })
        }
        Err(error) => unavailable(error),
    }
}

/// GET /orders/ID/records: everything that the ledger keeps of an order, also of a number that is not registered.
pub(super) async fn records(order_id: String, app: Arc<App>) -> Response {
    let Ok(order_id) = OrderId::parse(&order_id) else { return not_found() };
    match app.ledger.records(order_id).await {
        Ok(records) => to_reply(StatusCode::OK, &records),
        Err(error) => unavailable(&error),
    }
}

async fn with_attempts(ledger: &Ledger, order_id: OrderId) -> Result<Option<WithAttempts>, LedgerError> {
    let (record, attempts, telegram_payments) = tokio::try_join!(
        ledger.order(order_id),
        ledger.attempts(order_id),
        ledger.telegram_payments(order_id)
    )?;
    Ok(record.map(|record| {
        let order = ShownOrder::of(&record);
        WithAttempts { order, attempts, telegram_payments }
    }))
}

fn is_paid() -> Response {
    problem(StatusCode::CONFLICT, "the order is paid", Some("status"))
}

fn not_found() -> Response {
    problem(StatusCode::NOT_FOUND, "the ledger has no such order", Some("order_id"))
}

#[derive(Serialize)]
struct ShownOrder {
    order_id: i64,
    user_id: i64,
    products: Box<RawValue>,
    /// So'm, written from integer tiyin.
    total_amount: Box<RawValue>,
    payment_method: String,
    status: OrderStatus,
    created_at: String,
    changed_at: String,
}

#[derive(Serialize)]
struct Created {
    #[serde(flatten)]
    order: ShownOrder,
    /// `None`: for ever. Only pending orders can be paid, whatever stands here.
    pay_until: Option<String>,
    payment_url: String,
}

#[derive(Serialize)]
struct WithAttempts {
    #[serde(flatten)]
    order: ShownOrder,
    attempts: Vec<AttemptRecord>,
    telegram_payments: Vec<TelegramPaymentRecord>,
}

#[derive(Serialize)]
struct Cancelled {
    #[serde(flatten)]
    order: WithAttempts,
    cancelled: bool,
}

#[derive(Serialize)]
struct Replayed {
    order_id: i64,
    replayed: bool,
}

#[derive(Serialize)]
struct Listed {
    orders: Vec<ShownOrder>,
    limit: u32,
    /// 0: there is no order.
    highest_order_id: i64,
}

#[derive(Serialize)]
struct NumberRefused {
    error: &'static str,
    field: &'static str,
    highest_order_id: i64,
}

impl ShownOrder {
    fn of(record: &OrderRecord) -> Self {
        Self {
            order_id: record.order_id,
            user_id: record.user_id,
            products: raw_json(record.products.clone()),
            total_amount: raw_json(tiyin(record.amount_tiyin).soum_json()),
            payment_method: record.payment_method.clone(),
            status: record.status,
            created_at: date(from_unix_ms(record.created_at)),
            changed_at: date(from_unix_ms(record.changed_at)),
        }
    }
}

#[expect(clippy::expect_used, reason = "what the ledger keeps as JSON is JSON, and an amount is digits")]
pub(super) fn raw_json(text: String) -> Box<RawValue> {
    RawValue::from_string(text).expect("kept as JSON")
}

#[expect(
    clippy::expect_used,
    reason = "the ledger keeps milliseconds of this calendar: years of four digits"
)]
pub(super) fn date(at: Timestamp) -> String {
    at.format(&Rfc3339).expect("a date of the calendar has an RFC 3339 form")
}

/// Until when an order can be paid; a limit beyond all dates is none.
fn pay_until(created_at: i64, order_ttl: Option<Duration>) -> Option<String> {
    let order_ttl = time::Duration::try_from(order_ttl?).ok()?;
    from_unix_ms(created_at).checked_add(order_ttl).map(date)
}

/// The ledger's CHECKs keep amounts in range.
fn tiyin(amount: i64) -> Tiyin {
    Tiyin::try_new(amount).unwrap_or(Tiyin::ZERO)
}

#[derive(Debug)]
struct BadOrder {
    field: &'static str,
    reason: String,
}

impl BadOrder {
    fn reply(&self) -> Response {
        problem(StatusCode::UNPROCESSABLE_ENTITY, &self.reason, Some(self.field))
    }
}

fn bad(field: &'static str, reason: impl Into<String>) -> BadOrder {
    BadOrder { field, reason: reason.into() }
}

/// Reads the body field by field, so that the answer can name the one that is wrong, and the amount from its text.
fn read_order(body: &[u8], now: Timestamp) -> Result<NewOrder, BadOrder> {
    let fields: HashMap<String, Box<RawValue>> =
        serde_json::from_slice(body).map_err(|_| bad("body", "write one JSON object"))?;
    let field =
        |name: &'static str| fields.get(name).map(|raw| raw.get()).ok_or_else(|| bad(name, "is missing"));
    let order_id: OrderId = serde_json::from_str(field("order_id")?)
        .map_err(|_| bad("order_id", "write a whole number from 1 to 999999999999"))?;
    let user_id: UserId = serde_json::from_str(field("user_id")?)
        .map_err(|_| bad("user_id", "write the shopper's Telegram id, a whole number from 1"))?;
    let amount =
        Tiyin::parse_soum(field("total_amount")?).map_err(|error| bad("total_amount", error.to_string()))?;
    if amount == Tiyin::ZERO {
        return Err(bad("total_amount", "must be more than nothing"));
    }
    if field("payment_method")? != "\"click\"" {
        return Err(bad("payment_method", "only \"click\" is taken"));
    }
    let (products, receipt) = (read_products(field("products")?)?, read_receipt(body, amount)?);
    Ok(NewOrder { order_id, user_id, products, amount, created_at: now, receipt })
}

/// What is sold, for the order's fiscal receipt, where the shop makes them.
fn read_receipt(body: &[u8], amount: Tiyin) -> Result<Option<Content>, BadOrder> {
    #[derive(Deserialize)]
    struct WithReceipt {
        receipt: Option<Content>,
    }
    let read: WithReceipt =
        serde_json::from_slice(body).map_err(|error| bad("receipt", error.to_string()))?;
    let adds_up = read.receipt.as_ref().is_none_or(|receipt| receipt.paid() == Some(amount));
    if !adds_up {
        return Err(bad("receipt", "what is paid for its lines must add up to total_amount"));
    }
    Ok(read.receipt)
}

fn read_products(text: &str) -> Result<Vec<OrderedProduct>, BadOrder> {
    let products: Vec<OrderedProduct> = serde_json::from_str(text).map_err(|_| {
        bad("products", "write a list of {\"product_id\": …, \"count\": …} with whole numbers from 1")
    })?;
    if products.is_empty() || products.len() > PRODUCTS_MAX {
        return Err(bad("products", format!("write 1 to {PRODUCTS_MAX} products")));
    }
    if products.iter().any(|product| product.count == 0) {
        return Err(bad("products", "every count is at least 1"));
    }
    let mut ids: Vec<_> = products.iter().map(|product| product.product_id).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() != products.len() {
        return Err(bad("products", "every product stands once, with its count"));
    }
    Ok(products)
}

#[derive(Debug)]
struct Page {
    /// Only what has smaller numbers.
    before: i64,
    limit: u32,
    status: Option<OrderStatus>,
}

/// From 1 to [`PAGE_MAX`].
pub(super) fn read_limit(text: &str) -> Option<u32> {
    text.parse().ok().filter(|limit| (1..=PAGE_MAX).contains(limit))
}

impl Page {
    fn parse(query: &str) -> Result<Self, BadOrder> {
        let mut page = Self { before: i64::MAX, limit: PAGE, status: None };
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "before" => {
                    page.before = value
                        .parse()
                        .map_err(|_| bad("before", "write the last number of the page before"))?;
                }
                "limit" => {
                    page.limit =
                        read_limit(&value).ok_or_else(|| bad("limit", format!("write 1 to {PAGE_MAX}")))?;
                }
                "status" => {
                    let status = OrderStatus::parse(&value);
                    page.status =
                        Some(status.ok_or_else(|| bad("status", "write pending, paid or expired"))?);
                }
                _ => {}
            }
        }
        Ok(page)
    }
}
