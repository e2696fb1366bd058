//! `/services/pay`: the page that a pay link opens, at the path that CLICK has.

use bytes::Bytes;
use http::{Method, StatusCode, header};
use tolov_domain::Language;
use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::{
    Click,
    checkout::{Fields, read_fields},
    page::Page,
    words,
};
use crate::http_reply::{raw_query, reply_with};

/// Only what the page needs is allowed: its own style, its own script and its own forms. The sandbox's page shows it in
/// a frame, as Telegram does.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'self'";

pub(crate) fn pay_page(click: Click) -> BoxedFilter<(Response,)> {
    warp::path!("services" / "pay" / ..)
        .and(warp::path::tail())
        .and(warp::method())
        .and(raw_query())
        .and(warp::header::optional::<String>(header::ACCEPT_LANGUAGE.as_str()))
        .and(warp::body::bytes())
        .then(
            move |tail: warp::path::Tail,
                  method: Method,
                  query: String,
                  accepted: Option<String>,
                  body: Bytes| {
                let click = click.clone();
                async move {
                    let fields = if method == Method::POST { &body[..] } else { query.as_bytes() };
                    let fields = read_fields(fields);
                    let page = Page { language: language(&fields, accepted.as_deref()) };
                    html(answer(click, page, &method, tail.as_str(), (&query, fields)).await)
                }
            },
        )
        .boxed()
}

/// The one that was chosen, else the browser's first that we speak, else English.
fn language(fields: &Fields, accepted: Option<&str>) -> Language {
    let chosen = fields.get("lang").map(String::as_str);
    let accepted = accepted.unwrap_or_default().split(',').map(str::trim);
    chosen.into_iter().chain(accepted).find_map(Language::from_tag).unwrap_or(Language::En)
}

async fn answer(
    click: Click,
    page: Page,
    method: &Method,
    tail: &str,
    (query, fields): (&str, Fields),
) -> (StatusCode, String) {
    match (method.as_str(), tail) {
        ("GET" | "HEAD", "") => click.card_page(page, query),
        ("POST", "card") => click.card_entered(page, fields).await,
        ("POST", "sms") => click.code_entered(page, fields).await,
        ("POST", "cancel") => click.cancelled_by_payer(page, fields).await,
        _ => (StatusCode::NOT_FOUND, page.refusal_in_words(words::NO_SUCH_PAGE)),
    }
}

fn html((status, html): (StatusCode, String)) -> Response {
    let mut response = reply_with(status, "text/html; charset=utf-8", html);
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::CACHE_CONTROL, "no-store"),
        // With no-referrer browsers send `Origin: null` along with the forms.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in fixed {
        headers.insert(name, http::HeaderValue::from_static(value));
    }
    response
}
