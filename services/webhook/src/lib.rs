#![doc = include_str!("../README.md")]

pub mod config;
pub mod http;
pub mod ledger;
pub mod maintenance;
pub mod relay;

use std::{io, net::SocketAddr, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::net::TcpListener;
use tolov_domain::ports::bus::Publisher;
use tolov_kit::{
    clock::Clock,
    http::{Limits, serve},
    lifecycle::Stop,
    status::Report,
};

pub use crate::config::{ClickConfig, Config};
use crate::{
    http::{App, refusals, routes},
    ledger::{Ledger, OpenError, WriterTask},
    relay::Relay,
};

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Ledger(#[from] OpenError),
    #[error("cannot listen on {addr}; change WEBHOOK_ADDR or stop what listens there")]
    Listen { addr: SocketAddr, source: io::Error },
}

/// What the service works with.
#[derive(Debug, Clone)]
pub struct Deps {
    pub bus: Arc<dyn Publisher>,
    pub clock: Arc<dyn Clock>,
}

/// The webhook service, bound to its address, not yet running.
#[derive(Debug)]
pub struct Service {
    listener: TcpListener,
    addr: SocketAddr,
    config: Config,
    deps: Deps,
    ledger: Ledger,
    writer: WriterTask,
}

impl Service {
    /// Opens the ledger and binds the address. The bus need not be reachable.
    pub async fn new(config: Config, deps: Deps) -> Result<Self, StartError> {
        let (ledger, writer) = Ledger::open(&config.ledger_path, config.unverified).await?;
        let listen_error = |source| StartError::Listen { addr: config.addr, source };
        let listener = TcpListener::bind(config.addr).await.map_err(listen_error)?;
        let addr = listener.local_addr().map_err(listen_error)?;
        Ok(Self { listener, addr, config, deps, ledger, writer })
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// A handle to the ledger, for tools in the same process.
    pub fn ledger(&self) -> Ledger {
        self.ledger.clone()
    }

    /// The state of the service, for METRICS_ADDR. It can be asked as long as the process lives.
    pub fn status(&self) -> impl Fn() -> BoxFuture<'static, Report> + Send + Sync + 'static {
        let (ledger, Deps { bus, clock }) = (self.ledger(), self.deps.clone());
        move || {
            let (ledger, bus, clock) = (ledger.clone(), Arc::clone(&bus), Arc::clone(&clock));
            async move { http::status::report(&ledger, bus.as_ref(), clock.as_ref()).await }.boxed()
        }
    }

    /// Serves until `stop`; then answers what is under way, relays what is due and closes the ledger.
    pub async fn run(self, stop: Stop) -> io::Result<()> {
        let Self { listener, addr, config, deps: Deps { bus, clock }, ledger, writer } = self;
        tracing::info!(%addr, "webhook service listens");
        let background = Stop::new();
        let relay = Relay::new(ledger.clone(), Arc::clone(&bus), Arc::clone(&clock));
        let relay = tokio::spawn(relay.run(background.clone()));
        let maintenance = tokio::spawn(maintenance::run(
            ledger.clone(),
            Arc::clone(&clock),
            config.order_ttl,
            config.unverified,
            background.clone(),
        ));
        let Config { click, api_token, order_ttl, .. } = config;
        let app = Arc::new(App { ledger, bus, clock, click, api_token, order_ttl });
        let refusals = refusals(Arc::clone(&app));
        let served = serve(listener, routes(app), refusals, Limits::default(), stop).await;
        background.cancel();
        for task in [relay, maintenance] {
            if let Err(error) = task.await {
                tracing::error!(%error, "a background task of the webhook service panicked");
            }
        }
        writer.close().await;
        served
    }
}
