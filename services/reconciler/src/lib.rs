#![doc = include_str!("../README.md")]

mod attempts;
mod caller;
mod click_client;
mod config;
mod invoices;
mod ledger_client;
mod ports;
mod receipts;
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
    invoices::Invoices,
    receipts::Receipts,
    refunds::Refunds,
};
pub use crate::{
    click_client::ClickClient,
    config::Config,
    ledger_client::LedgerClient,
    ports::{Ledger, LedgerError, MerchantApi},
    receipts::ReceiptSettings,
};

/// How often it looks for work.
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
    invoices: Invoices,
    /// `None`: the shop does not have CLICK make receipts.
    receipts: Option<Receipts>,
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
        let refunds =
            Refunds { caller: Arc::clone(&caller), ledger: Arc::clone(&ledger), clock: Arc::clone(&clock) };
        let invoices = Invoices { caller, ledger, clock: Arc::clone(&clock) };
        Self { refunds, attempts, invoices, receipts: None, clock, webhook, next_comparison }
    }

    /// Has CLICK make fiscal receipts too.
    #[must_use]
    pub fn with_receipts(self, settings: ReceiptSettings) -> Self {
        let Refunds { caller, ledger, clock } = &self.refunds;
        let (caller, ledger, clock) = (Arc::clone(caller), Arc::clone(ledger), Arc::clone(clock));
        Self { receipts: Some(Receipts { caller, ledger, clock, settings }), ..self }
    }

    /// The clients that the settings name.
    pub fn open(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        let api = Arc::new(ClickClient::new(config, Arc::clone(&clock))?);
        let ledger = Arc::new(LedgerClient::new(config)?);
        let service = Self::new(Deps { api, ledger, clock }, config.service_id, config.accepts);
        Ok(match &config.receipts {
            Some(settings) => service.with_receipts(settings.clone()),
            None => service,
        })
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
        let rounds = async {
            loop {
                self.round(&stop).await;
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
        tokio::join!(rounds, comparisons);
        Ok(())
    }

    /// Moves the refunds, the invoices and the receipts, and asks about the silent attempts, whose turn it is.
    pub async fn round(&self, stop: &Stop) {
        let done = async {
            self.refunds.round(stop).await?;
            self.attempts.silent_round(stop).await?;
            self.invoices.round(stop).await?;
            match &self.receipts {
                Some(receipts) => receipts.round(stop).await,
                None => Ok(()),
            }
        };
        self.webhook.mark(done.await);
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
