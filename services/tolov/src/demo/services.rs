//! The services of the demo on instrumented ports: the page shows what passes, and can stop broker, store and bot.

use std::{convert::Infallible, sync::Arc};

use tolov_bot::{Config as BotConfig, ConfigError};
use tolov_domain::ports::{
    ShopStore,
    bus::{Consumer, Publisher, Queue},
};
use tolov_kit::lifecycle::Stop;
use tolov_projector::Projector;
use tolov_sandbox::{
    Handle,
    monitor::{Switch, Trace},
};

use super::{
    instrumented_bus::{InstrumentedConsumer, InstrumentedPublisher},
    instrumented_shop::InstrumentedShop,
};
use crate::adapters::{Bus, system_clock};

/// Builds the services.
#[derive(Debug, Clone)]
pub(super) struct Services {
    bus: Arc<Bus>,
    store: Arc<dyn ShopStore>,
    trace: Trace,
    broker: Switch,
    bot: Switch,
}

impl Services {
    pub(super) fn new(sandbox: &Handle, bus: Arc<Bus>, store: Arc<dyn ShopStore>) -> Self {
        let (trace, dashboard) = (sandbox.trace().clone(), sandbox.dashboard());
        let store = Arc::new(InstrumentedShop::new(store, trace.clone(), dashboard.switch("store")));
        Self { bus, store, trace, broker: dashboard.switch("broker"), bot: dashboard.switch("bot") }
    }

    pub(super) fn shop(&self) -> Arc<dyn ShopStore> {
        Arc::clone(&self.store)
    }

    pub(super) fn publisher(&self) -> Arc<dyn Publisher> {
        Arc::new(InstrumentedPublisher::new(self.bus.publisher(), self.trace.clone(), self.broker.clone()))
    }

    fn consumer(&self, queue: Queue) -> Arc<dyn Consumer> {
        let bus = Arc::clone(&self.bus);
        let connect = Box::new(move || bus.consumer(queue));
        Arc::new(InstrumentedConsumer::new(connect, queue, self.trace.clone(), self.broker.clone()))
    }

    pub(super) fn projector(&self) -> Projector {
        let deps = tolov_projector::Deps {
            consumer: self.consumer(Queue::ProjectorPayments),
            publisher: self.publisher(),
            documents: self.shop(),
            clock: system_clock(),
        };
        Projector::new(deps, tolov_projector::Config::default())
    }

    /// Runs the bot while its switch is on, until `stop`.
    pub(super) async fn run_bot(self, config: BotConfig, stop: Stop) -> Result<(), ConfigError> {
        while !stop.is_cancelled() {
            let deps = tolov_bot::Deps {
                consumer: self.consumer(Queue::BotNotifications),
                shop: self.shop(),
                clock: system_clock(),
                trace: None,
            };
            let bot = tolov_bot::Service::new(config.clone(), &deps)?;
            let bot_stop = stop.child_token();
            let switched_off = async {
                self.bot.until(false).await;
                bot_stop.cancel();
                std::future::pending::<Infallible>().await
            };
            tokio::select! {
                Ok(()) = bot.run(bot_stop.clone()) => {}
                _ = switched_off => {}
            }
            tokio::select! {
                () = self.bot.until(true) => {}
                () = stop.cancelled() => {}
            }
        }
        Ok(())
    }
}
