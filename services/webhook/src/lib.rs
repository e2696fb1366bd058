#![doc = include_str!("../README.md")]

pub mod config;
pub mod housekeeping;
pub mod http;
pub mod ledger;
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
    #[error("{0}")]
    Ledger(#[from] OpenError),
    #[error("cannot listen on {addr}: {source}; change WEBHOOK_ADDR or stop what listens there")]
    Listen { addr: SocketAddr, source: io::Error },
}

/// The webhook service, built and bound, not yet running.
#[derive(Debug)]
pub struct Service {
    listener: TcpListener,
    addr: SocketAddr,
    config: Config,
    ledger: Ledger,
    writer: WriterTask,
    bus: Arc<dyn Publisher>,
    clock: Arc<dyn Clock>,
}

impl Service {
    /// Opens the ledger and binds the address. The bus need not be reachable.
    pub async fn build(
        config: Config,
        bus: Arc<dyn Publisher>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let (ledger, writer) = Ledger::open(&config.ledger_path).await?;
        let listen_error = |source| StartError::Listen { addr: config.addr, source };
        let listener = TcpListener::bind(config.addr).await.map_err(listen_error)?;
        let addr = listener.local_addr().map_err(listen_error)?;
        Ok(Self { listener, addr, config, ledger, writer, bus, clock })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// A handle to the ledger, for tools in the same process.
    pub fn ledger(&self) -> Ledger {
        self.ledger.clone()
    }

    /// The service's word on itself, for METRICS_ADDR. It can be asked as long as the process lives.
    pub fn status(&self) -> impl Fn() -> BoxFuture<'static, Report> + Send + Sync + 'static {
        let (ledger, bus, clock) = (self.ledger(), Arc::clone(&self.bus), Arc::clone(&self.clock));
        move || {
            let (ledger, bus, clock) = (ledger.clone(), Arc::clone(&bus), Arc::clone(&clock));
            async move { http::status::report(&ledger, bus.as_ref(), clock.as_ref()).await }.boxed()
        }
    }

    /// Serves until `stop`; then answers what is under way, relays what is due and closes the ledger.
    pub async fn run(self, stop: Stop) -> io::Result<()> {
        let Self { listener, addr, config, ledger, writer, bus, clock } = self;
        tracing::info!(%addr, "webhook service listens");
        let background = Stop::new();
        let relay = Relay::new(ledger.clone(), Arc::clone(&bus), Arc::clone(&clock));
        let relay = tokio::spawn(relay.run(background.clone()));
        let housekeeping = tokio::spawn(housekeeping::run(
            ledger.clone(),
            Arc::clone(&clock),
            config.order_ttl,
            background.clone(),
        ));
        let Config { click, api_token, order_ttl, .. } = config;
        let app = App { ledger, bus, clock, click, api_token, order_ttl };
        let app = Arc::new(app);
        let refusals = refusals(Arc::clone(&app));
        let served = serve(listener, routes(app), refusals, Limits::default(), stop).await;
        background.cancel();
        for task in [relay, housekeeping] {
            if let Err(error) = task.await {
                tracing::error!(%error, "a background task of the webhook service ended badly");
            }
        }
        writer.close().await;
        served
    }
}
