//! The bot as a whole.

use std::sync::Arc;

use tokio::sync::{Notify, SetOnce};
use tolov_kit::{
    in_flight::InFlight,
    lifecycle::{Stop, TaskError, Tasks},
};
use tolov_shop::catalogue::SnapshotCache;

use crate::{
    broadcast,
    config::{Config, ConfigError},
    deps::{Deps, HandlerDeps},
    invoices::{bills, recorder},
    maintenance,
    notify::{self, grouped::GroupedDocuments, notifier::Notifier},
    orders::ledger_client::LedgerClient,
    staff::{catalogue::import_job, marketing::statistics, people::support_albums},
    telegram::{
        client::Telegram,
        limits::{HeldUp, RateLimiter},
        membership::{self, PollingLease},
        staff_chat::StaffChat,
        stand_in::BotApi,
    },
    updates,
};

/// Sends notifications, and answers shoppers and staff.
#[derive(Debug)]
pub struct Service {
    notifier: Arc<Notifier>,
    handlers: Arc<HandlerDeps>,
    telegram: Arc<Telegram>,
}

impl Service {
    /// Checks the settings. Nothing of the network is needed.
    pub fn new(config: Config, deps: &Deps) -> Result<Self, ConfigError> {
        config.check()?;
        let telegram = Telegram::new(&config)?;
        Self::with_telegram(config, deps, telegram)
    }

    /// A bot that sends to `api` and not over the network. Of its parts [`Service::notify`] alone can be run.
    pub fn with_stand_in(config: Config, deps: &Deps, api: Arc<dyn BotApi>) -> Result<Self, ConfigError> {
        config.check()?;
        let telegram = Telegram::new(&config)?.with_stand_in(api);
        Self::with_telegram(config, deps, telegram)
    }

    fn with_telegram(config: Config, deps: &Deps, telegram: Telegram) -> Result<Self, ConfigError> {
        let telegram = Arc::new(telegram);
        let handlers = Arc::new(HandlerDeps {
            shop: Arc::clone(&deps.shop),
            grouped: Arc::new(GroupedDocuments::at_once(deps.shop.clone())),
            clock: Arc::clone(&deps.clock),
            telegram: Arc::clone(&telegram),
            rate_limiter: Arc::clone(&telegram.rate_limiter),
            held_up: HeldUp::default(),
            ledger: LedgerClient::new(config.webhook_url.clone(), config.api_token.clone())?,
            staff_chat: StaffChat::new(&config),
            store_chat: StaffChat::store(&config),
            config: Arc::new(config),
            snapshots: SnapshotCache::default(),
            me: SetOnce::new(),
            trace: deps.trace.clone(),
            payment_came: Notify::new(),
        });
        let notifier = Arc::new(Notifier::new(deps, Arc::clone(&handlers)));
        Ok(Self { notifier, handlers, telegram })
    }

    /// The notifications that were received and are not settled, for readiness.
    pub fn in_hand(&self) -> InFlight {
        self.notifier.in_hand()
    }

    /// Whether Telegram answered the last time, for readiness.
    pub fn telegram_status(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let telegram = Arc::clone(&self.telegram);
        move || telegram.is_reachable()
    }

    /// Sends notifications until `stop`, and nothing else.
    pub async fn notify(self, stop: Stop) {
        notify::run(self.notifier, stop).await;
    }

    /// Runs until `stop`; what is in hand is sent or given back first. Waits for whatever is unavailable. Fails when one of
    /// its parts ends or panics: without it shoppers would not be told, and nobody would know.
    pub async fn run(self, stop: Stop) -> Result<(), TaskError> {
        let stop = stop.child_token();
        let handlers = || Arc::clone(&self.handlers);
        let mut tasks = Tasks::default();
        let (lease, polling_lease) = PollingLease::new();
        // What this bot may send at is known once it is in the roster.
        self.handlers.limiters().for_each(RateLimiter::close);
        tasks.spawn("roster", membership::run(handlers(), lease, stop.clone()));
        tasks.spawn("notifications", notify::run(self.notifier, stop.clone()));
        tasks.spawn("maintenance", maintenance::run(handlers(), stop.clone()));
        tasks.spawn("broadcasts", broadcast::worker::run(handlers(), stop.clone()));
        tasks.spawn("broadcast previews", broadcast::preview::run(handlers(), stop.clone()));
        tasks.spawn("imports", import_job::run(handlers(), stop.clone()));
        tasks.spawn("payments by Telegram's invoice", recorder::run(handlers(), stop.clone()));
        tasks.spawn("bills", bills::run(handlers(), stop.clone()));
        tasks.spawn("figures", statistics::keep_counted(handlers(), stop.clone()));
        tasks.spawn("support albums", support_albums::run(handlers(), stop.clone()));
        tasks.spawn("updates", updates::run(handlers(), polling_lease, stop.clone()));
        let supervised = tasks.supervise(&stop, stop.cancelled()).await;
        let joined = tasks.join().await;
        supervised.and(joined)
    }
}
