//! The page's files, at `/` and under `/page/`.

use http::{HeaderValue, StatusCode, header};
use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::reply::reply_with;

/// Only files of this address, and no inline scripts or styles.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

macro_rules! files {
    ($($name:literal: $kind:expr),* $(,)?) => {
        /// Name under `/page/`, content type, content.
        const FILES: &[(&str, &str, &str)] =
            &[$(($name, $kind, include_str!(concat!("../../page/", $name)))),*];
    };
}

files! {
    "index.html": "text/html; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "base.css": CSS,
    "chat.css": CSS,
    "path.css": CSS,
    "app.js": JAVASCRIPT,
    "chat.js": JAVASCRIPT,
    "chats.js": JAVASCRIPT,
    "checkout.js": JAVASCRIPT,
    "details.js": JAVASCRIPT,
    "dom.js": JAVASCRIPT,
    "faults.js": JAVASCRIPT,
    "feed.js": JAVASCRIPT,
    "formatted.js": JAVASCRIPT,
    "load.js": JAVASCRIPT,
    "log.js": JAVASCRIPT,
    "message.js": JAVASCRIPT,
    "orders.js": JAVASCRIPT,
    "pay.css": CSS,
    "pay.js": JAVASCRIPT,
    "path.js": JAVASCRIPT,
    "plot.js": JAVASCRIPT,
    "texts.js": JAVASCRIPT,
    "translations.js": JAVASCRIPT,
    "windowed.js": JAVASCRIPT,
}

pub(crate) fn routes() -> BoxedFilter<(Response,)> {
    let index = warp::path::end().and(warp::get().or(warp::head()).unify()).map(|| file("index.html"));
    let other = warp::path!("page" / String)
        .and(warp::get().or(warp::head()).unify())
        .map(|name: String| file(&name));
    index.or(other).unify().boxed()
}

fn file(name: &str) -> Response {
    let Some((_, kind, content)) = FILES.iter().find(|(known, ..)| *known == name) else {
        return reply_with(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "no such file");
    };
    let mut response = reply_with(StatusCode::OK, kind, *content);
    let headers = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        // The next start may serve another version.
        (header::CACHE_CONTROL, "no-cache"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
