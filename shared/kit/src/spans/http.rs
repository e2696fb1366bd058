//! Calls of HTTP, as OpenTelemetry's conventions name them.

use std::future::Future;

use url::Url;
use warp::reply::Response;

use super::{Beginning, Kind, Span, current};

/// What is known of a request when it arrives. `route` has placeholders for what differs from request to request.
pub fn request(method: &'static str, route: &'static str, path: &str) -> Beginning {
    Beginning::of(format!("{method} {route}"))
        .with("http.request.method", method)
        .with("http.route", route)
        .with("url.path", path.to_owned())
        .with("url.scheme", "http")
}

/// Answers a request of a caller who is known, within a span of its own.
pub async fn serve(
    method: &'static str,
    route: &'static str,
    parent: Option<String>,
    answer: impl Future<Output = Response>,
) -> Response {
    let mut span = Span::begin(Kind::Server, parent, || request(method, route, route));
    let response = span.run(answer).await;
    span.answered(response.status().as_u16(), 500);
    response
}

/// A call of another service, as a part of what is done now; of nothing it is no span. `path` names it, with numbers left
/// out, and stands in the address for what may be secret there.
pub fn call(method: &str, path: &str, server: &Url) -> Span {
    let parent = current();
    if parent.is_none() {
        return Span { recorded: None, traceparent: None };
    }
    Span::begin(Kind::Client, parent, || {
        let template = template(path);
        let host = server.host_str().unwrap_or_default();
        let port = i64::from(server.port_or_known_default().unwrap_or_default());
        Beginning::of(format!("{method} {template}"))
            .with("http.request.method", method.to_owned())
            .with("server.address", host.to_owned())
            .with("server.port", port)
            .with("url.full", format!("{}://{host}:{port}{path}", server.scheme()))
            .with("url.template", template)
    })
}

fn template(path: &str) -> String {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = path.split('/').map(|part| if is_number(part) { "{id}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_numbers_so_that_there_are_few() {
        assert_eq!(template("/orders/1024/cancel"), "/orders/{id}/cancel");
        assert_eq!(template("/api/create_order"), "/api/create_order");
        assert_eq!(template("/bot{token}/SendMessage"), "/bot{token}/SendMessage");
    }
}
