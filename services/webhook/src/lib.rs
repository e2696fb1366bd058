#![doc = include_str!("../README.md")]

pub mod believed_time;
pub mod config;
pub mod days;
mod deps;
pub mod http;
pub mod ledger;
mod ledger_clock;
pub mod maintenance;
mod readiness;
pub mod relay;
mod restore_gate;
mod steps;
mod undecided;

use std::{io, net::SocketAddr, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::{
    net::TcpListener,
    task::{JoinError, JoinSet},
};
use tolov_kit::{
    http::{Limits, serve},
    lifecycle::Stop,
    status::Report,
};

pub use crate::{
    config::{ClickConfig, Config},
    deps::Deps,
    steps::Steps,
};
use crate::{
    http::{App, flood_brake, refusals, routes},
    ledger::{Ledger, OpenError, WriterTask},
    maintenance::Maintenance,
    readiness::{Readiness, Reporter},
    relay::Relay,
    restore_gate::RestoreGate,
};

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Ledger(#[from] OpenError),
    #[error("cannot listen on {addr}; change WEBHOOK_ADDR or stop what listens there")]
    Listen { addr: SocketAddr, source: io::Error },
}

/// Why the service ended before it was told to stop.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("the HTTP server failed")]
    Serve(#[from] io::Error),
    #[error("a background task of the webhook service panicked")]
    Panicked(#[source] JoinError),
    #[error("{0} of the webhook service ended before it was told to")]
    Ended(&'static str),
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
    maintenance: Maintenance,
    reporter: Reporter,
    readiness: Readiness,
}

impl Service {
    /// Opens the ledger and binds the address. The bus need not be reachable.
    pub async fn new(config: Config, deps: Deps) -> Result<Self, StartError> {
        let (ledger, writer) = Ledger::open(&config.ledger, config.unverified).await?;
        let listen_error = |source| StartError::Listen { addr: config.addr, source };
        let listener = TcpListener::bind(config.addr).await.map_err(listen_error)?;
        let addr = listener.local_addr().map_err(listen_error)?;
        let maintenance = Maintenance::new(ledger.clone(), deps.clock, config.order_ttl, config.unverified);
        let believed_time = maintenance.believed_time();
        believed_time.begin().await;
        let deps = Deps { clock: believed_time.clock(), ..deps };
        let (reporter, readiness) = Reporter::new(ledger.clone(), deps.clone());
        Ok(Self { listener, addr, config, deps, ledger, writer, maintenance, reporter, readiness })
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// A handle to the ledger, for tools in the same process.
    pub fn ledger(&self) -> Ledger {
        self.ledger.clone()
    }

    /// The state of the service, for METRICS_ADDR: its newest report.
    pub fn status(&self) -> impl Fn() -> BoxFuture<'static, Report> + Send + Sync + 'static {
        let readiness = self.readiness.clone();
        move || std::future::ready(readiness.report()).boxed()
    }

    /// Serves until `stop`; then answers what is under way, relays some of what is due and closes the ledger.
    ///
    /// Ends with an error when a background task or the ledger's writer ends before `stop`: without them payments are
    /// accepted and nothing comes of them.
    pub async fn run(self, stop: Stop) -> Result<(), RunError> {
        let Self { listener, addr, config, deps, ledger, writer, maintenance, reporter, readiness } = self;
        let Deps { bus, clock } = deps;
        tracing::info!(%addr, "webhook service listens");
        let background = Stop::new();
        let mut tasks = JoinSet::new();
        let relay = Relay::new(ledger.clone(), bus, Arc::clone(&clock));
        tasks.spawn(named("the relay", relay.run(background.clone())));
        let Config { click, api_token, order_ttl, trusted_proxies, .. } = config;
        let believed_time = maintenance.believed_time();
        let undecided = maintenance.undecided();
        tasks.spawn(named("maintenance", maintenance.run(background.clone())));
        tasks.spawn(named("the reporter", reporter.run(background.clone())));
        if !click.merchant_api() {
            let days = days::run(ledger.clone(), believed_time.clone(), background.clone());
            tasks.spawn(named("the daily comparison", days));
        }

        // A ledger that does not say is asked again at the first Prepare.
        let is_restored = click.merchant_api() && !matches!(ledger.unchecked_restores().await, Ok(None));
        let restore_gate = RestoreGate::new(is_restored, clock.monotonic());
        let app = App {
            ledger: ledger.clone(),
            clock,
            click,
            api_token,
            order_ttl,
            believed_time,
            undecided: undecided.clone(),
            readiness,
            restore_gate,
            flood_brake: flood_brake(),
        };
        let app = Arc::new(app);
        let refusals = refusals(Arc::clone(&app));
        let stop = stop.child_token();
        let limits = Limits { trusted_proxies, ..Limits::default() };
        let serving = serve(listener, routes(app), refusals, limits, stop.clone());
        tokio::pin!(serving);
        let outcome = tokio::select! {
            served = &mut serving => served.map_err(RunError::from),
            Some(ended) = tasks.join_next() => Err(why(ended)),
            () = ledger.writer_ended() => Err(RunError::Ended("the ledger's writer")),
        };
        if outcome.is_err() {
            stop.cancel();
            if let Err(error) = serving.await {
                tracing::error!(%error, "the HTTP server failed");
            }
        }
        undecided.ask_before_the_end(&ledger).await;
        background.cancel();
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a background task of the webhook service panicked");
            }
        }
        drop(ledger);
        writer.close().await;
        outcome
    }
}

async fn named(name: &'static str, task: impl Future<Output = ()>) -> &'static str {
    task.await;
    name
}

fn why(ended: Result<&'static str, JoinError>) -> RunError {
    match ended {
        Ok(name) => RunError::Ended(name),
        Err(error) => RunError::Panicked(error),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use async_trait::async_trait;
    use time::macros::datetime;
    use tolov_click::{PayLink, SecretKey};
    use tolov_domain::ports::{
        PortError,
        bus::{OutgoingMessage, Published, Publisher},
    };
    use tolov_kit::{clock::ManualClock, http::TrustedProxies, secret::Secret};

    use super::*;
    use crate::ledger::UnverifiedLimits;

    #[derive(Debug)]
    struct NoBus;

    #[async_trait]
    impl Publisher for NoBus {
        async fn publish(&self, _window: &[OutgoingMessage]) -> Result<Vec<Published>, PortError> {
            Ok(Vec::new())
        }

        async fn is_reachable(&self) -> bool {
            false
        }
    }

    #[tokio::test]
    async fn a_ledger_whose_writer_has_ended_ends_the_service_with_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let click = ClickConfig {
            secret_key: SecretKey::new("a key"),
            test_mode: false,
            pay_link: PayLink {
                pay_page: "https://my.click.uz/services/pay".to_owned(),
                service_id: 1,
                merchant_id: 2,
                merchant_user_id: None,
                return_url: None,
            },
        };
        let config = Config {
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            ledger: folder.path().join("payments.db").into(),
            api_token: Secret::new("a token"),
            click,
            order_ttl: None,
            trusted_proxies: TrustedProxies::default(),
            unverified: UnverifiedLimits::default(),
        };
        let clock = Arc::new(ManualClock::new(datetime!(2026-11-23 12:00 UTC)));
        let service = Service::new(config, Deps { bus: Arc::new(NoBus), clock }).await.unwrap();
        service.writer.abort();
        let ended = tokio::time::timeout(Duration::from_secs(20), service.run(Stop::new())).await.unwrap();
        assert!(matches!(ended, Err(RunError::Ended("the ledger's writer"))), "{ended:?}");
    }
}
