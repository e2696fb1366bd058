//! The control API under `/sandbox`: [`Handle`] over HTTP.

mod click;
mod dashboard;
mod feed;
mod openapi;
mod request;
mod telegram;

use bytes::Bytes;
use http::{Method, StatusCode};
use warp::{Filter, filters::BoxedFilter, path::Tail, reply::Response};

use self::request::{Answer, Request, done, unknown};
use crate::{
    handle::Handle,
    web::reply::{json_with, raw_query, refusal, reply_with},
};

/// The list of routes, for a person with curl.
const ROUTES: &str = include_str!("routes.txt");

pub(crate) fn routes(handle: Handle) -> BoxedFilter<(Response,)> {
    warp::path("sandbox")
        .and(warp::path::tail())
        .and(warp::method())
        .and(raw_query())
        .and(warp::body::bytes())
        .then(move |tail: Tail, method: Method, query: String, body: Bytes| {
            let handle = handle.clone();
            async move {
                let answer = match Request::new(method, &query, body, tail.as_str()) {
                    Ok(request) => answer(&handle, tail.as_str(), request).await,
                    Err(refused) => Err(refused),
                };
                answer.unwrap_or_else(|refused| refusal(refused.status, refused.problem))
            }
        })
        .boxed()
}

async fn answer(handle: &Handle, path: &str, request: Request) -> Answer {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match (request.method.as_str(), segments.as_slice()) {
        ("GET", []) => Ok(reply_with(StatusCode::OK, "text/plain; charset=utf-8", ROUTES)),
        ("GET", ["openapi.json"]) => Ok(json_with(StatusCode::OK, &openapi::document(ROUTES))),
        ("POST", ["reset"]) => {
            handle.reset();
            Ok(done())
        }
        ("GET", ["events"]) => feed::events(handle, &request).await,
        ("GET", ["events", seq]) => feed::event(handle, seq),
        (_, ["switches" | "orders" | "load", ..]) => dashboard::answer(handle, &segments, &request).await,
        (_, ["telegram", path @ ..]) => telegram::answer(handle.telegram(), path, &request).await,
        (_, ["click", path @ ..]) => click::answer(handle.click(), path, &request).await,
        _ => Err(unknown()),
    }
}
