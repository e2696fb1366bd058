//! `/services/pay`: the page that a pay link opens, at the path that CLICK has.

use bytes::Bytes;
use http::{Method, StatusCode, header};
use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::{
    Click,
    checkout::{Fields, read_fields},
    page,
};
use crate::http_reply::{raw_query, reply_with};

/// Only what the page needs is allowed: its own style and its own forms.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";

pub(crate) fn pay_page(click: Click) -> BoxedFilter<(Response,)> {
    warp::path!("services" / "pay" / ..)
        .and(warp::path::tail())
        .and(warp::method())
        .and(raw_query())
        .and(warp::body::bytes())
        .then(move |tail: warp::path::Tail, method: Method, query: String, body: Bytes| {
            let click = click.clone();
            async move { html(answer(click, &method, tail.as_str(), &query, &body).await) }
        })
        .boxed()
}

async fn answer(click: Click, method: &Method, tail: &str, query: &str, body: &[u8]) -> (StatusCode, String) {
    let fields: Fields = read_fields(body);
    match (method.as_str(), tail) {
        ("GET" | "HEAD", "") => click.card_page(query),
        ("POST", "card") => click.card_entered(fields).await,
        ("POST", "sms") => click.code_entered(fields).await,
        ("POST", "cancel") => click.cancelled_by_payer(fields).await,
        _ => (StatusCode::NOT_FOUND, page::refusal("There is no such page.")),
    }
}

fn html((status, html): (StatusCode, String)) -> Response {
    let mut response = reply_with(status, "text/html; charset=utf-8", html);
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in fixed {
        headers.insert(name, http::HeaderValue::from_static(value));
    }
    response
}
