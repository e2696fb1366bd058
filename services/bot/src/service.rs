//! The bot as a whole.

use std::{
    convert::Infallible,
    sync::{Arc, OnceLock},
    time::Duration,
};

use tolov_domain::ports::{bus::Consumer, shop::ShopStore};
use tolov_kit::{clock::Clock, in_flight::InFlight, lifecycle::Stop};

use crate::{
    BotConfig, ConfigError,
    cashier::Cashier,
    chores,
    ctx::HandlerDeps,
    notify::Notifier,
    pace::Pace,
    staff::{broadcast, channel::StaffChat},
    telegram::Telegram,
    updates,
};

/// What the bot works with. The consumer reads [`tolov_domain::ports::bus::Queue::BotNotifications`].
#[derive(Debug, Clone)]
pub struct Deps {
    pub consumer: Arc<dyn Consumer>,
    pub shop: Arc<dyn ShopStore>,
    pub clock: Arc<dyn Clock>,
}

/// Tells shoppers and staff what happened, and answers shoppers.
#[derive(Debug)]
pub struct Service {
    notifier: Arc<Notifier>,
    handlers: Arc<HandlerDeps>,
    telegram: Arc<Telegram>,
}

impl Service {
    /// Checks the settings; asks nothing of the network.
    pub fn build(config: BotConfig, deps: Deps) -> Result<Self, ConfigError> {
        config.check()?;
        let telegram = Arc::new(Telegram::new(&config)?);
        let overall = Pace::new(config.messages_per_s, Duration::from_secs(1), config.messages_per_s / 10);
        let handlers = Arc::new(HandlerDeps {
            shop: Arc::clone(&deps.shop),
            clock: Arc::clone(&deps.clock),
            telegram: Arc::clone(&telegram),
            overall: Arc::new(overall),
            cashier: Cashier::new(config.webhook_url.clone(), config.api_token.clone())?,
            staff_chat: StaffChat::new(&config),
            config: Arc::new(config),
            me: OnceLock::new(),
        });
        let notifier = Arc::new(Notifier::new(deps, Arc::clone(&handlers)));
        Ok(Self { notifier, handlers, telegram })
    }

    /// The notifications that were received and are not settled, for readiness.
    pub fn in_hand(&self) -> InFlight {
        self.notifier.in_hand()
    }

    /// Tells, as long as the process lives, whether Telegram answered the last time.
    pub fn telegram_status(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let telegram = Arc::clone(&self.telegram);
        move || telegram.is_reachable()
    }

    /// Runs until `stop`; what is in hand is sent or given back first. Never fails: what is away is awaited, and the
    /// notifier does not need the listener.
    pub async fn run(self, stop: Stop) -> Result<(), Infallible> {
        tokio::join!(
            self.notifier.run(stop.clone()),
            chores::run(Arc::clone(&self.handlers), stop.clone()),
            broadcast::worker::run(Arc::clone(&self.handlers), stop.clone()),
            updates::run(self.handlers, stop),
        );
        Ok(())
    }
}
