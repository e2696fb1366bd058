//! Telegram, CLICK, the control API and the page on one address.

use std::{
    future::{Ready, ready},
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use http::{HeaderMap, Method, StatusCode};
use tolov_kit::{
    http::{Limits, Refusal, RefusedRequest, serve},
    lifecycle::Stop,
};
use warp::{Filter, filters::BoxedFilter, path::FullPath, reply::Response};

use crate::{
    click::{self, Click},
    config::{Config, KEY_MARK},
    control,
    handle::Handle,
    load::LoadGenerator,
    monitor::{Dashboard, Trace},
    telegram::{self, Telegram},
    web::{guard::Guard, page, reply::refusal},
};

/// Why the sandbox cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "CLICK_SECRET_KEY is a real key: whoever reaches the sandbox could pay orders without money; use a key that \
         contains {KEY_MARK}, or start `tolov sandbox --real-key`"
    )]
    RealKey,
    #[error("cannot listen on {addr}: stop what listens there, or change SANDBOX_ADDR")]
    Listen { addr: SocketAddr, source: io::Error },
    #[error("cannot create an HTTP client")]
    Client(#[from] reqwest::Error),
}

/// The sandbox, bound to its address.
#[derive(Debug)]
pub struct Service {
    listener: TcpListener,
    addr: SocketAddr,
    handle: Handle,
    guard: Guard,
    client: reqwest::Client,
    stop_timeout: Duration,
    stopping: Stop,
}

/// Telegram's limit for downloads; what a shop uploads is smaller.
const BODY_MAX_BYTES: usize = 20 * 1024 * 1024;

impl Service {
    /// Binds the address. Requests wait in the kernel's queue until [`Service::run`].
    pub fn build(config: Config) -> Result<Self, StartError> {
        if !config.click.allow_real_key && !config.click.secret_key.expose().contains(KEY_MARK) {
            return Err(StartError::RealKey);
        }
        let addr = config.addr;
        let listen = |source| StartError::Listen { addr, source };
        let listener = TcpListener::bind(addr).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let addr = listener.local_addr().map_err(listen)?;
        // The merchant is called directly, at the address that it was given.
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_mins(1))
            .build()?;
        let stopping = Stop::new();
        let clock = config.clock;
        let (trace, dashboard) = (Trace::new(Arc::clone(&clock)), Dashboard::default());
        let monitor = (trace.clone(), dashboard.clone());
        let telegram = Telegram::new(config.telegram, Arc::clone(&clock), stopping.clone(), monitor.clone());
        let click =
            Click::new(config.click, client.clone(), Arc::clone(&clock), stopping.clone(), monitor.clone());
        let load = LoadGenerator::new(click.clone(), telegram.clone(), monitor, clock, stopping.clone());
        let handle = Handle { telegram, click, trace, dashboard, load };
        let guard = Guard::new(addr.ip(), config.public_url);
        Ok(Self { listener, addr, handle, guard, client, stop_timeout: config.stop_timeout, stopping })
    }

    /// The bound address, with its port.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Serves until `stop`, then ends every wait and returns within `stop_timeout`.
    pub async fn run(self, stop: Stop) -> io::Result<()> {
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        let limits = Limits {
            body_max_bytes: BODY_MAX_BYTES,
            // Longer than clients keep idle connections, so that the client closes them.
            header_timeout: Duration::from_mins(2),
            // Longer than the longest wait and the longest fault together.
            request_timeout: Duration::from_mins(5),
            stop_timeout: self.stop_timeout,
            ..Limits::default()
        };
        let delivery = self.handle.telegram.clone().deliver_to_webhook(self.client, stop.clone());
        let delivery = tokio::spawn(delivery);
        let end_waits = {
            let (stop, stopping) = (stop.clone(), self.stopping);
            async move {
                stop.cancelled().await;
                stopping.cancel();
            }
        };
        let serving = serve(listener, routes(self.guard, self.handle), refuse, limits, stop);
        let (served, ()) = tokio::join!(serving, end_waits);
        delivery.abort();
        served
    }
}

fn routes(guard: Guard, handle: Handle) -> BoxedFilter<(Response,)> {
    let unknown = warp::any()
        .map(|| refusal(StatusCode::NOT_FOUND, "unknown address: GET /sandbox lists the known ones"));
    denied(guard)
        .or(telegram::bot_api::routes(handle.telegram.clone()))
        .unify()
        .or(click::page::routes(handle.click.clone()))
        .unify()
        .or(click::merchant_api::routes(handle.click.clone()))
        .unify()
        .or(control::routes(handle))
        .unify()
        .or(page::routes())
        .unify()
        .or(unknown)
        .unify()
        .boxed()
}

/// Answers what the guard denies, and leaves the rest to the other routes.
fn denied(guard: Guard) -> BoxedFilter<(Response,)> {
    warp::method()
        .and(warp::path::full())
        .and(warp::header::headers_cloned())
        .and_then(move |method: Method, path: FullPath, headers: HeaderMap| {
            let checked = guard.check(&method, path.as_str(), &headers);
            let answer =
                checked.err().map(|denied| refusal_for(path.as_str(), denied.status(), &denied.to_string()));
            ready(answer.ok_or_else(warp::reject::not_found))
        })
        .boxed()
}

/// What the accept loop itself refuses.
fn refuse(RefusedRequest { refusal, path, .. }: RefusedRequest) -> Ready<Response> {
    let (status, problem) = match refusal {
        Refusal::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
        Refusal::BodyBroken => (StatusCode::BAD_REQUEST, "Bad Request: the body is incomplete"),
        Refusal::TooSlow => (StatusCode::REQUEST_TIMEOUT, "Request Timeout"),
        Refusal::TooMany => (StatusCode::TOO_MANY_REQUESTS, "Too Many Requests"),
        Refusal::Panicked => (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
    };
    ready(refusal_for(&path, status, problem))
}

/// A refusal in the form that callers of the path read.
fn refusal_for(path: &str, status: StatusCode, problem: &str) -> Response {
    if path.starts_with("/bot") {
        telegram::bot_api::refuse_with(status, problem)
    } else {
        refusal(status, problem)
    }
}
