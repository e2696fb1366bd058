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
mod restore;

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tolov_domain::{
    Day,
    day::ClickComparison,
    time::{Timestamp, is_due},
};
use tolov_kit::{
    availability::Availability,
    clock::Clock,
    lifecycle::{Stop, pause},
    status::{Dependency, Report},
};

use crate::{
    attempts::Attempts, caller::Caller, invoices::Invoices, receipts::Receipts, refunds::Refunds,
    restore::AfterRestore,
};
pub use crate::{
    click_client::ClickClient,
    config::{Config, accepts},
    ledger_client::LedgerClient,
    ports::{Ledger, LedgerError, MerchantApi},
    receipts::ReceiptSettings,
};

/// How often it looks for refunds, invoices and receipts: somebody may be waiting for one, and asking the webhook service costs
/// it a few small reads.
const REFUNDS_EVERY: Duration = Duration::from_secs(2);
/// How often it looks for everything else.
const ROUND: Duration = Duration::from_secs(30);
/// A day of which CLICK answered nothing is compared again after this, until [`GIVEN_UP_AFTER`] its end.
const UNANSWERED_PAUSE: time::Duration = time::Duration::minutes(30);
const GIVEN_UP_AFTER: time::Duration = time::Duration::hours(15);

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
    restore: AfterRestore,
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
    webhook: Arc<Availability>,
    /// Until when no day is compared.
    comparisons_paused_until: Mutex<Option<Timestamp>>,
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
            unanswered: attempts::Unanswered::default(),
        };
        let webhook = Arc::new(Availability::new("the webhook service"));
        let invoices =
            Invoices { caller: Arc::clone(&caller), ledger: Arc::clone(&ledger), clock: Arc::clone(&clock) };
        let refunds = Refunds::new(caller, Arc::clone(&ledger), Arc::clone(&clock));
        let (restore, comparisons_paused_until) = (AfterRestore::new(false), Mutex::default());
        let receipts = None;
        Self {
            refunds,
            attempts,
            invoices,
            receipts,
            restore,
            ledger,
            clock,
            webhook,
            comparisons_paused_until,
        }
    }

    /// Has CLICK make fiscal receipts too.
    #[must_use]
    pub fn with_receipts(self, settings: ReceiptSettings) -> Self {
        let Refunds { caller, ledger, clock, .. } = &self.refunds;
        let (caller, ledger, clock) = (Arc::clone(caller), Arc::clone(ledger), Arc::clone(clock));
        Self { receipts: Some(Receipts { caller, ledger, clock, settings }), ..self }
    }

    /// After a restore of the ledger Prepares are let in while CLICK is asked for what it lost, and not only afterwards.
    #[must_use]
    pub fn restore_in_parallel(self, in_parallel: bool) -> Self {
        Self { restore: AfterRestore::new(in_parallel), ..self }
    }

    /// The clients that the settings name.
    pub fn open(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        let api = Arc::new(ClickClient::new(config, Arc::clone(&clock))?);
        let ledger = Arc::new(LedgerClient::new(config)?);
        let service = Self::new(Deps { api, ledger, clock }, config.service_id, config.accepts);
        let service = service.restore_in_parallel(config.restore_in_parallel);
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
                self.restore_round(&stop).await;
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

    /// Moves the refunds, invoices and receipts whose turn it is.
    pub async fn refunds_round(&self, stop: &Stop) {
        let done = async {
            self.refunds.round(stop).await?;
            self.invoices.round(stop).await?;
            match &self.receipts {
                Some(receipts) => receipts.round(stop).await,
                None => Ok(()),
            }
        };
        self.webhook.mark(done.await);
    }

    /// Asks for what a restored ledger may have lost.
    pub async fn restore_round(&self, stop: &Stop) {
        self.webhook.mark(self.restore.round(&self.attempts, &self.ledger, stop).await);
    }

    /// Asks about the silent attempts whose turn it is.
    pub async fn attempts_round(&self, stop: &Stop) {
        self.webhook.mark(self.attempts.silent_round(stop).await);
    }

    /// Compares the oldest day that was not compared, once it is over, and tells the ledger.
    pub async fn compare_when_due(&self, stop: &Stop) {
        let (now, paused_until) = (self.clock.now(), *self.pause());
        if paused_until.is_some_and(|until| !is_due(until, now, now + UNANSWERED_PAUSE)) {
            return;
        }
        let compared = async {
            let Some(day) = self.ledger.next_day().await? else { return Ok(()) };
            match self.attempts.compare(day, stop).await? {
                Some(compared) => self.record(day, compared).await,
                None => Ok(()),
            }
        };
        if let Err::<(), LedgerError>(error) = compared.await {
            tracing::warn!(%error, "the payments of a day are not compared with CLICK yet");
        }
    }

    async fn record(&self, day: Day, compared: ClickComparison) -> Result<(), LedgerError> {
        let now = self.clock.now();
        let is_answered = compared.unanswered == 0 || compared.agreed > 0 || !compared.differing.is_empty();
        if !is_answered && now < day.end() + GIVEN_UP_AFTER {
            *self.pause() = Some(now + UNANSWERED_PAUSE);
            return Ok(());
        }
        let questioned = u32::try_from(compared.differing.len()).unwrap_or(u32::MAX);
        metrics::gauge!("tolov_reconciliation_questions").set(questioned);
        metrics::gauge!("tolov_reconciliation_unanswered").set(compared.unanswered);
        tracing::info!(
            %day,
            agreed = compared.agreed,
            questioned,
            unanswered = compared.unanswered,
            "the payments of a day are compared with CLICK"
        );
        self.ledger.record_day(day, compared).await
    }

    fn pause(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.comparisons_paused_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
