#![doc = include_str!("../README.md")]

mod attempts;
mod caller;
mod click_client;
mod config;
mod ledger_client;
mod ports;
mod refunds;

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tolov_domain::time::Timestamp;
use tolov_kit::{
    availability::Availability,
    clock::Clock,
    lifecycle::{Stop, pause},
    status::{Dependency, Report},
};

use crate::{
    attempts::{Attempts, day_end, next_comparison},
    caller::Caller,
    refunds::Refunds,
};
pub use crate::{
    click_client::ClickClient,
    config::Config,
    ledger_client::LedgerClient,
    ports::{Ledger, LedgerError, MerchantApi},
};

/// How often it looks for refunds: somebody may be waiting for one, and asking the webhook service costs it one small read.
const REFUNDS_EVERY: Duration = Duration::from_secs(2);
/// How often it looks for everything else.
const ROUND: Duration = Duration::from_secs(30);

/// What the reconciler works with.
#[derive(Debug, Clone)]
pub struct Deps {
    pub api: Arc<dyn MerchantApi>,
    pub ledger: Arc<dyn Ledger>,
    pub clock: Arc<dyn Clock>,
}

/// The reconciler. It keeps nothing: the ledger says what is to be done, and is told what came of it.
#[derive(Debug)]
pub struct Service {
    refunds: Refunds,
    attempts: Attempts,
    clock: Arc<dyn Clock>,
    webhook: Arc<Availability>,
    next_comparison: Mutex<Timestamp>,
}

impl Service {
    /// `accepts`: a silent attempt that CLICK shows as paid makes its order paid; otherwise staff are asked.
    pub fn new(deps: Deps, service_id: i64, accepts: bool) -> Self {
        let Deps { api, ledger, clock } = deps;
        let caller = Arc::new(Caller::new(api, Arc::clone(&ledger), Arc::clone(&clock), service_id));
        let attempts = Attempts {
            caller: Arc::clone(&caller),
            ledger: Arc::clone(&ledger),
            accepts,
            clock: Arc::clone(&clock),
            paused_until: Mutex::default(),
        };
        let next_comparison = Mutex::new(next_comparison(clock.now()));
        let webhook = Arc::new(Availability::new("the webhook service"));
        let refunds = Refunds { caller, ledger, clock: Arc::clone(&clock) };
        Self { refunds, attempts, clock, webhook, next_comparison }
    }

    /// The clients that the settings name.
    pub fn open(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        let api = Arc::new(ClickClient::new(config, Arc::clone(&clock))?);
        let ledger = Arc::new(LedgerClient::new(config)?);
        Ok(Self::new(Deps { api, ledger, clock }, config.service_id, config.accepts))
    }

    /// The state of the service, for METRICS_ADDR. CLICK's is in the metrics: without it nothing here can be mended by a
    /// restart.
    pub fn status(&self) -> impl Fn() -> std::future::Ready<Report> + Send + Sync + 'static {
        let webhook = Arc::clone(&self.webhook);
        move || {
            let dependency = Dependency { name: "webhook", reachable: !webhook.is_down(), needed: true };
            std::future::ready(Report { dependencies: vec![dependency], waiting: Vec::new() })
        }
    }

    /// Runs until `stop`; a call that is under way is finished first. A comparison, which takes a second a payment, holds up
    /// nothing else.
    pub async fn run(self, stop: Stop) -> Result<(), Infallible> {
        let refunds = async {
            loop {
                self.refunds_round(&stop).await;
                if !pause(&stop, REFUNDS_EVERY).await {
                    break;
                }
            }
        };
        let attempts = async {
            loop {
                self.attempts_round(&stop).await;
                if !pause(&stop, ROUND).await {
                    break;
                }
            }
        };
        let comparisons = async {
            while pause(&stop, ROUND).await {
                self.compare_when_due(&stop).await;
            }
        };
        tokio::join!(refunds, attempts, comparisons);
        Ok(())
    }

    /// Moves the refunds whose turn it is.
    pub async fn refunds_round(&self, stop: &Stop) {
        self.webhook.mark(self.refunds.round(stop).await);
    }

    /// Asks about the silent attempts whose turn it is.
    pub async fn attempts_round(&self, stop: &Stop) {
        self.webhook.mark(self.attempts.silent_round(stop).await);
    }

    /// Compares the payments of yesterday with CLICK, once a night.
    pub async fn compare_when_due(&self, stop: &Stop) {
        let now = self.clock.now();
        let due = {
            let mut next = self.next_comparison.lock().unwrap_or_else(PoisonError::into_inner);
            if now < *next {
                return;
            }
            std::mem::replace(&mut *next, next_comparison(now))
        };
        match self.attempts.compare(day_end(due), stop).await {
            Ok(compared) => {
                metrics::gauge!("tolov_reconciliation_questions").set(compared.questioned);
                metrics::gauge!("tolov_reconciliation_unanswered").set(compared.unanswered);
                tracing::info!(
                    agreed = compared.agreed,
                    questioned = compared.questioned,
                    unanswered = compared.unanswered,
                    "the payments of yesterday are compared with CLICK"
                );
            }
            Err(error) => tracing::warn!(%error, "the payments of yesterday are not compared with CLICK"),
        }
    }
}
