//! Both halves on one address.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use http::StatusCode;
use tolov_kit::{
    clock::{Clock, SystemClock},
    http::{Limits, Peer, Refusal, serve},
    lifecycle::Stop,
};
use warp::{Filter, filters::BoxedFilter, reply::Response};

use crate::{
    board::Board,
    click::{self, Click, ClickConfig},
    control,
    hops::Hops,
    http_reply::refusal,
    load::Loads,
    page,
    telegram::{self, Telegram, TelegramConfig},
};

/// Where the sandbox listens, and whom it plays.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// Port 0 takes a free one. Keep it on the loopback: everybody who reaches it may do everything.
    pub addr: SocketAddr,
    pub telegram: TelegramConfig,
    pub click: ClickConfig,
    pub clock: Arc<dyn Clock>,
    /// How long requests under way may take after a stop.
    pub stop_timeout: Duration,
}

impl SandboxConfig {
    pub fn new(addr: SocketAddr, click: ClickConfig) -> Self {
        Self {
            addr,
            telegram: TelegramConfig::default(),
            click,
            clock: Arc::new(SystemClock),
            stop_timeout: Duration::from_secs(5),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("cannot listen on {addr}: {source}; is another sandbox running, or set SANDBOX_ADDR")]
    Listen { addr: SocketAddr, source: std::io::Error },
    #[error("cannot make an HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    #[error("the sandbox cannot serve: {0}")]
    Serve(std::io::Error),
}

/// The sandbox, bound to its address.
#[derive(Debug)]
pub struct Sandbox {
    listener: TcpListener,
    addr: SocketAddr,
    handle: Handle,
    client: reqwest::Client,
    stop_timeout: Duration,
    stopping: Stop,
}

/// The knobs, for the same process: cheap to clone, and good after the sandbox has stopped, to read what happened.
#[derive(Debug, Clone)]
pub struct Handle {
    telegram: Telegram,
    click: Click,
    hops: Hops,
    board: Board,
    loads: Loads,
}

impl Handle {
    pub fn telegram(&self) -> &Telegram {
        &self.telegram
    }

    pub fn click(&self) -> &Click {
        &self.click
    }

    /// The way of every order, hop by hop.
    pub fn hops(&self) -> &Hops {
        &self.hops
    }

    /// Switches and gauges that the page shows.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// Orders on request, and many of them at once.
    pub fn loads(&self) -> &Loads {
        &self.loads
    }

    /// Forgets everything but the channels and the merchant.
    pub fn reset(&self) {
        self.loads.stop();
        self.telegram.reset();
        self.click.reset();
        self.hops.reset();
    }
}

/// Telegram's own limit for downloads; uploads of a shop are smaller.
const BODY_MAX_BYTES: usize = 20 * 1024 * 1024;

impl Sandbox {
    /// Binds the address. Requests wait in the kernel's queue until [`Sandbox::run`].
    pub fn build(config: SandboxConfig) -> Result<Self, SandboxError> {
        let addr = config.addr;
        let listen = |source| SandboxError::Listen { addr, source };
        let listener = TcpListener::bind(addr).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let addr = listener.local_addr().map_err(listen)?;
        // Merchants are on this machine or in this network: no proxy stands between, and no redirect is followed.
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_mins(1))
            .build()?;
        let stopping = Stop::new();
        let clock = config.clock;
        let (hops, board) = (Hops::new(Arc::clone(&clock)), Board::default());
        let around = (hops.clone(), board.clone());
        let telegram = Telegram::new(config.telegram, Arc::clone(&clock), stopping.clone(), around.clone());
        let click =
            Click::new(config.click, client.clone(), Arc::clone(&clock), stopping.clone(), around.clone());
        let loads = Loads::new(click.clone(), telegram.clone(), around, clock, stopping.clone());
        let handle = Handle { telegram, click, hops, board, loads };
        Ok(Self { listener, addr, handle, client, stop_timeout: config.stop_timeout, stopping })
    }

    /// The address with its real port.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Serves until `stop`, then ends every wait and returns within `stop_timeout`.
    pub async fn run(self, stop: Stop) -> Result<(), SandboxError> {
        let listener = tokio::net::TcpListener::from_std(self.listener).map_err(SandboxError::Serve)?;
        let limits = Limits {
            body_max_bytes: BODY_MAX_BYTES,
            // Longer than clients keep idle connections, so that it is they who close them.
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
        let serving = serve(listener, routes(self.handle), refuse, limits, stop);
        let (served, ()) = tokio::join!(serving, end_waits);
        delivery.abort();
        served.map_err(SandboxError::Serve)
    }
}

fn routes(handle: Handle) -> BoxedFilter<(Response,)> {
    let nothing = warp::any()
        .map(|| refusal(StatusCode::NOT_FOUND, "there is nothing here: GET /sandbox says what is"));
    telegram::routes::bot_api(handle.telegram.clone())
        .or(click::routes::pay_page(handle.click.clone()))
        .unify()
        .or(click::merchant_api::routes(handle.click.clone()))
        .unify()
        .or(control::routes(handle))
        .unify()
        .or(page::routes())
        .unify()
        .or(nothing)
        .unify()
        .boxed()
}

/// What the accept loop refuses by itself, in the words of whoever asked.
fn refuse(refused: Refusal, _: &http::Method, path: &str, _: Peer) -> Response {
    let is_bot = path.starts_with("/bot");
    let (status, words) = match refused {
        Refusal::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
        Refusal::BodyBroken => (StatusCode::BAD_REQUEST, "Bad Request: the body broke off"),
        Refusal::TooSlow => (StatusCode::REQUEST_TIMEOUT, "Request Timeout"),
        Refusal::Panicked => (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
    };
    if is_bot { telegram::routes::refuse_with(status, words) } else { refusal(status, words) }
}
