//! The payment page at CLICK's own path.

use bytes::Bytes;
use http::{Method, StatusCode, header};
use tolov_domain::Language;
use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::{
    super::simulator::Click,
    checkout::{Answer, Fields, read_fields},
    html::Page,
    texts,
};
use crate::web::reply::{raw_query, reply_with};

/// Its own styles, scripts and forms. The sandbox's page shows it in a frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'self'";

/// Far more than the forms have; a longer body is cut.
const MAX_BODY_BYTES: usize = 64 * 1024;

pub(crate) fn routes(click: Click) -> BoxedFilter<(Response,)> {
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
                    let body = body.get(..MAX_BODY_BYTES).unwrap_or(&body);
                    let fields = if method == Method::POST { body } else { query.as_bytes() };
                    let fields = read_fields(fields);
                    let page = Page { language: language(&fields, accepted.as_deref()) };
                    html(answer(click, page, &method, tail.as_str(), (&query, fields)).await)
                }
            },
        )
        .boxed()
}

/// The chosen language, else the browser's first known one, else English.
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
) -> Answer {
    match (method.as_str(), tail) {
        ("GET" | "HEAD", "") => click.card_page(page, query),
        ("POST", "card") => click.card_entered(page, fields).await,
        ("POST", "sms") => click.code_entered(page, fields).await,
        ("POST", "cancel") => click.cancelled_by_payer(page, fields).await,
        _ => (StatusCode::NOT_FOUND, page.refusal(page.text(texts::NO_SUCH_PAGE))),
    }
}

fn html((status, html): Answer) -> Response {
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
