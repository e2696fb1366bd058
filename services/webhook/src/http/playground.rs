//! CLICK's Playground, a page that calls the merchant from the browser: in test mode alone it may read the answers.

use warp::{
    Filter, Rejection,
    http::{HeaderValue, StatusCode, header},
    reply::Response,
};

/// Where the page is: <https://docs.click.uz/testing/playground>.
const ORIGIN: &str = "https://docs.click.uz";

/// Passes the Origin of a request by the Playground while it may call.
pub(super) fn origin(
    test_mode: bool,
) -> impl Filter<Extract = (Option<HeaderValue>,), Error = Rejection> + Clone {
    warp::header::optional::<String>("origin").map(move |origin: Option<String>| {
        (test_mode && origin.as_deref() == Some(ORIGIN)).then(|| HeaderValue::from_static(ORIGIN))
    })
}

/// OPTIONS, which the browser sends first. From elsewhere it is a method that the address does not take.
pub(super) async fn preflight(origin: Option<HeaderValue>) -> Result<Response, Rejection> {
    let Some(origin) = origin else { return Err(warp::reject::not_found()) };
    let mut response = allow(Response::default(), Some(origin));
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type"));
    Ok(response)
}

/// Lets the page read an answer.
pub(super) fn allow(mut response: Response, origin: Option<HeaderValue>) -> Response {
    if let Some(origin) = origin {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("origin"));
    }
    response
}
