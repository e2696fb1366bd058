//! The bot as a whole.

use std::{convert::Infallible, sync::Arc};

use tokio::sync::SetOnce;
use tolov_kit::{in_flight::InFlight, lifecycle::Stop};
use tolov_shop::catalogue::SnapshotCache;

use crate::{
    broadcast,
    config::{Config, ConfigError},
    deps::{Deps, HandlerDeps},
    maintenance,
    notify::{self, notifier::Notifier},
    orders::ledger_client::LedgerClient,
    staff::{catalogue::import_job, marketing::statistics, people::support_albums},
    telegram::{client::Telegram, limits::HeldUp, staff_chat::StaffChat, stand_in::BotApi},
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

    /// Runs until `stop`; what is in hand is sent or given back first. Waits for whatever is unavailable, so it never fails.
    pub async fn run(self, stop: Stop) -> Result<(), Infallible> {
        // Together they are too large for whoever's stack they would be moved over.
        Box::pin(async {
            tokio::join!(
                notify::run(self.notifier, stop.clone()),
                maintenance::run(Arc::clone(&self.handlers), stop.clone()),
                broadcast::worker::run(Arc::clone(&self.handlers), stop.clone()),
                broadcast::preview::run(Arc::clone(&self.handlers), stop.clone()),
                import_job::run(Arc::clone(&self.handlers), stop.clone()),
                statistics::keep_counted(Arc::clone(&self.handlers), stop.clone()),
                support_albums::run(Arc::clone(&self.handlers), stop.clone()),
                updates::run(self.handlers, stop),
            );
        })
        .await;
        Ok(())
    }
}
