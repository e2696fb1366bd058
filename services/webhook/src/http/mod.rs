//! The routes: who may call what, and which function answers.

mod app;
mod body;
mod click;
mod orders;
mod phone_invoices;
mod playground;
mod receipts;
mod reconciliation;
mod refunds;
mod reply;
mod telegram;
mod unplaced;

use std::{convert::Infallible, sync::Arc};

use serde_json::json;
use subtle::ConstantTimeEq;
use tolov_kit::{
    http::{Peer, Refusal, RefusalReply, RefusedRequest},
    spans,
    status::json_reply,
};
use warp::{
    Filter, Rejection,
    filters::BoxedFilter,
    http::{Method, StatusCode},
    reply::Response,
};

pub use self::app::App;
pub(crate) use self::app::flood_brake;
use self::reply::problem;

/// CLICK's path, as the cabinet knows it.
pub const CLICK_PATH: &str = "/payments/click/webhook";

/// Every route, with every rejection mapped: no text of a library reaches a caller.
pub fn routes(app: Arc<App>) -> BoxedFilter<(Response,)> {
    click::begin_counting();
    let shared = Arc::clone(&app);
    let with_app = warp::any().map(move || Arc::clone(&shared));
    let peer = warp::ext::optional::<Peer>()
        .map(|peer: Option<Peer>| peer.map_or_else(|| "unknown".to_owned(), |peer| peer.to_string()));
    let playground = playground::origin(app.click.test_mode);
    let staff = authorized(app);
    let preflight = warp::path!("payments" / "click" / "webhook")
        .and(warp::options())
        .and(playground.clone())
        .and_then(playground::preflight);
    let click = warp::path!("payments" / "click" / "webhook")
        .and(warp::post())
        .and(with_app.clone())
        .and(peer)
        .and(warp::body::bytes())
        .then(click::answer)
        .and(playground)
        .map(playground::allow);
    let create_order = warp::path!("api" / "create_order")
        .and(warp::post())
        .and(staff.clone())
        .and(with_app.clone())
        .and(body::json())
        .and(warp::header::optional("traceparent"))
        .then(|app, body, parent| {
            const ROUTE: &str = "/api/create_order";
            spans::serve("POST", ROUTE, parent, orders::create(app, body))
        });
    let cancel = warp::path!("orders" / String / "cancel")
        .and(warp::post())
        .and(staff.clone())
        .and(with_app.clone())
        .then(orders::cancel);
    let replay = warp::path!("orders" / String / "replay")
        .and(warp::post())
        .and(staff.clone())
        .and(with_app.clone())
        .then(orders::replay);
    let order_routes = order_routes(&staff, &with_app);
    let payments = refund_routes(&staff, &with_app).or(invoice_routes(&staff, &with_app)).unify();
    let payments = payments.or(reconciliation_routes(&staff, &with_app)).unify().boxed();
    let health =
        warp::path!("health").and(warp::get()).map(|| json_reply(StatusCode::OK, &json!({"status": "ok"})));
    let ready = warp::path!("ready").and(warp::get()).and(staff).and(with_app);
    click
        .or(preflight)
        .unify()
        .boxed()
        .or(create_order.boxed())
        .unify()
        .or(cancel.or(replay).unify().or(order_routes).unify().boxed())
        .unify()
        .or(payments)
        .unify()
        .or(health.or(ready.map(|app: Arc<App>| ready_of(&app))).unify().boxed())
        .unify()
        .recover(rejected)
        .unify()
        .boxed()
}

/// What the ledger keeps of orders, and money that belongs to none.
fn order_routes(
    staff: &(impl Filter<Extract = (), Error = Rejection> + Clone + Send + Sync + 'static),
    with_app: &(impl Filter<Extract = (Arc<App>,), Error = Infallible> + Clone + Send + Sync + 'static),
) -> BoxedFilter<(Response,)> {
    let app = staff.clone().and(with_app.clone());
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    let order = warp::path!("orders" / String).and(warp::get()).and(app.clone());
    let records = warp::path!("orders" / String / "records").and(warp::get()).and(app.clone());
    let orders = warp::path!("orders").and(warp::get()).and(app.clone()).and(query);
    let unplaced = warp::path!("payments" / "unplaced").and(warp::get()).and(app.clone()).and(query);
    let replay = warp::path!("payments" / "unplaced" / "replay").and(warp::post()).and(app).and(body::json());
    let of_one = order.then(orders::show).or(records.then(orders::records)).unify();
    let of_all = orders.then(orders::list).or(unplaced.then(unplaced::list)).unify();
    of_one.or(of_all).unify().or(replay.then(unplaced::replay)).unify().boxed()
}

/// Telegram's invoices, and those to a phone number.
fn invoice_routes(
    staff: &(impl Filter<Extract = (), Error = Rejection> + Clone + Send + Sync + 'static),
    with_app: &(impl Filter<Extract = (Arc<App>,), Error = Infallible> + Clone + Send + Sync + 'static),
) -> BoxedFilter<(Response,)> {
    let app = staff.clone().and(with_app.clone());
    let body = app.clone().and(body::json());
    let of_order = warp::path!("orders" / String / "phone-invoices").and(warp::get()).and(app.clone());
    let ask = warp::path!("orders" / String / "phone-invoices").and(warp::post()).and(body.clone());
    let due = warp::path!("phone-invoices" / "due").and(warp::get()).and(app);
    let step = warp::path!("phone-invoices" / String / "step").and(warp::post()).and(body.clone());
    let check_out = warp::path!("orders" / String / "telegram-checkouts").and(warp::post()).and(body.clone());
    let pay = warp::path!("telegram-payments").and(warp::post()).and(body);
    let in_telegram = check_out.then(telegram::check_out).or(pay.then(telegram::pay)).unify().boxed();
    let of_order = of_order.then(phone_invoices::of_order).or(ask.then(phone_invoices::ask)).unify();
    let moved = due.then(phone_invoices::due).or(step.then(phone_invoices::step)).unify();
    of_order.or(moved).unify().or(in_telegram).unify().boxed()
}

/// Refunds and receipts, and what CLICK's Merchant API says of attempts.
fn refund_routes(
    staff: &(impl Filter<Extract = (), Error = Rejection> + Clone + Send + Sync + 'static),
    with_app: &(impl Filter<Extract = (Arc<App>,), Error = Infallible> + Clone + Send + Sync + 'static),
) -> BoxedFilter<(Response,)> {
    let app = staff.clone().and(with_app.clone());
    let body = app.clone().and(body::json());
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    let of_order = warp::path!("orders" / String / "refunds").and(warp::get()).and(app.clone());
    let ask = warp::path!("orders" / String / "refunds").and(warp::post()).and(body.clone());
    let open = warp::path!("refunds" / "open").and(warp::get()).and(app.clone()).and(query);
    let withdraw = warp::path!("refunds" / String / "withdraw").and(warp::post()).and(body.clone());
    let by_hand = warp::path!("refunds" / String / "by-hand").and(warp::post()).and(body.clone());
    let retry = warp::path!("refunds" / String / "retry").and(warp::post()).and(body.clone());
    let step = warp::path!("refunds" / String / "step").and(warp::post()).and(body.clone());
    let silent = warp::path!("attempts" / "silent").and(warp::get()).and(app.clone());
    let attempts = warp::path!("attempts").and(warp::get()).and(app).and(query);
    let seen = warp::path!("attempts" / String / "seen").and(warp::post()).and(body.clone());
    let calls = warp::path!("merchant-calls").and(warp::post()).and(body);
    let of_order = of_order.then(refunds::of_order).or(ask.then(refunds::ask)).unify().boxed();
    let by_people = withdraw.then(refunds::withdraw).or(by_hand.then(refunds::by_hand)).unify();
    let by_people = by_people.or(retry.then(refunds::retry)).unify().boxed();
    let of_refunds = open.then(refunds::open).or(step.then(refunds::step)).unify().boxed();
    let of_attempts = silent.then(refunds::silent_attempts).or(attempts.then(refunds::attempts)).unify();
    let of_attempts = of_attempts.or(seen.then(refunds::seen)).unify().boxed();
    let calls = calls.then(refunds::merchant_calls).boxed();
    let of_refunds = of_refunds.or(by_people).unify().boxed();
    let receipts = receipts::routes(staff, with_app);
    let of_attempts = of_attempts.or(calls).unify().or(receipts).unify().boxed();
    of_order.or(of_refunds).unify().or(of_attempts).unify().boxed()
}

/// Compared days, restored ledgers, attempts that an owner accepts as paid.
fn reconciliation_routes(
    staff: &(impl Filter<Extract = (), Error = Rejection> + Clone + Send + Sync + 'static),
    with_app: &(impl Filter<Extract = (Arc<App>,), Error = Infallible> + Clone + Send + Sync + 'static),
) -> BoxedFilter<(Response,)> {
    let app = staff.clone().and(with_app.clone());
    let body = app.clone().and(body::json());
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    let next_day = warp::path!("days" / "next").and(warp::get()).and(app.clone());
    let record_day = warp::path!("days" / String).and(warp::post()).and(body.clone());
    let restore = warp::path!("restore").and(warp::get()).and(app).and(query);
    let restore_checked = warp::path!("restore").and(warp::post()).and(body.clone());
    let found = warp::path!("restore" / "found").and(warp::post()).and(body.clone());
    let accept = warp::path!("attempts" / String / "accept").and(warp::post()).and(body);
    let days =
        next_day.then(reconciliation::next_day).or(record_day.then(reconciliation::record_day)).unify();
    let restore =
        restore.then(reconciliation::restore).or(restore_checked.then(reconciliation::restore_checked));
    let restore = restore.unify().or(found.then(reconciliation::found)).unify();
    days.or(restore).unify().or(accept.then(reconciliation::accept)).unify().boxed()
}

fn ready_of(app: &App) -> Response {
    let (code, body) = app.readiness.report().to_json();
    json_reply(code, &body)
}

/// The answer to a request that no route saw. CLICK's path always answers with CLICK's codes, and what was refused there
/// is kept like every other callback.
pub fn refusals(app: Arc<App>) -> impl RefusalReply {
    move |request: RefusedRequest| {
        let app = Arc::clone(&app);
        async move {
            if request.path.trim_end_matches('/') == CLICK_PATH && request.method == Method::POST {
                return click::refused(app, request).await;
            }
            refused(request.refusal)
        }
    }
}

fn refused(refusal: Refusal) -> Response {
    match refusal {
        Refusal::BodyTooLarge => problem(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large", None),
        Refusal::BodyBroken => problem(StatusCode::BAD_REQUEST, "the body is incomplete", None),
        Refusal::TooSlow => problem(StatusCode::REQUEST_TIMEOUT, "the request took too long", None),
        Refusal::TooMany => {
            problem(StatusCode::TOO_MANY_REQUESTS, "too many requests of this address are under way", None)
        }
        Refusal::Panicked => {
            problem(StatusCode::INTERNAL_SERVER_ERROR, "an internal error, see the log", None)
        }
    }
}

#[derive(Debug)]
struct NotAuthorized;

impl warp::reject::Reject for NotAuthorized {}

/// Passes requests that carry API_TOKEN as a bearer token, compared in constant time.
fn authorized(app: Arc<App>) -> impl Filter<Extract = (), Error = Rejection> + Clone {
    warp::header::optional::<String>("authorization")
        .and_then(move |header: Option<String>| {
            let app = Arc::clone(&app);
            async move {
                let sent =
                    header.as_deref().and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
                let token = app.api_token.expose();
                let is_right: bool = sent.as_bytes().ct_eq(token.as_bytes()).into();
                if is_right && !token.is_empty() { Ok(()) } else { Err(warp::reject::custom(NotAuthorized)) }
            }
        })
        .untuple_one()
}

async fn rejected(rejection: Rejection) -> Result<Response, std::convert::Infallible> {
    Ok(if rejection.find::<NotAuthorized>().is_some() {
        problem(StatusCode::UNAUTHORIZED, "send the API_TOKEN: Authorization: Bearer …", None)
    } else if rejection.find::<warp::reject::MethodNotAllowed>().is_some() {
        problem(StatusCode::METHOD_NOT_ALLOWED, "this address takes another method", None)
    } else if rejection.is_not_found() {
        problem(StatusCode::NOT_FOUND, "there is nothing at this address", None)
    } else {
        problem(StatusCode::BAD_REQUEST, "the request cannot be read", None)
    })
}
