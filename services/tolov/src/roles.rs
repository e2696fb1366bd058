//! One function a role: read the settings, open the adapters, run the services until they are told to stop.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use tolov_bot::BotConfig;
use tolov_domain::ports::{bus::Queue, shop::ShopStore};
use tolov_kit::{
    env::Env,
    lifecycle::{Ending, Stop, Tasks, stop_on_signals},
};
use tolov_projector::Projector;
use tolov_sandbox::Sandbox;
use tolov_webhook::ledger::Ledger;

use crate::{
    adapters::{Bus, BusAddress, Embedded, ShopAddress, open_shop, system_clock},
    settings,
};

/// After a stop: how long the services may take to finish what they hold. Compose's and systemd's grace is longer.
pub(crate) const STOP_DEADLINE: Duration = Duration::from_secs(20);

pub(crate) async fn webhook(env: &Env) -> Result<Ending> {
    let config = tolov_webhook::Config::from_env(env);
    let bus = BusAddress::from_env(env, Embedded::Refused);
    env.finish()?;
    let mut tasks = Tasks::default();
    let stop = stop_at_signals()?;
    add_webhook_service(&mut tasks, &stop, config, &Bus::open(&bus, "webhook").await?).await?;
    Ok(tasks.run(stop, STOP_DEADLINE).await)
}

pub(crate) async fn projector(env: &Env) -> Result<Ending> {
    let bus = BusAddress::from_env(env, Embedded::Refused);
    let shop = ShopAddress::from_env(env, Embedded::Refused);
    env.finish()?;
    let mut tasks = Tasks::default();
    let stop = stop_at_signals()?;
    add_projector(&mut tasks, &stop, &Bus::open(&bus, "projector").await?, open_shop(&shop).await?);
    Ok(tasks.run(stop, STOP_DEADLINE).await)
}

pub(crate) async fn bot(env: &Env) -> Result<Ending> {
    let config = settings::bot(env);
    let bus = BusAddress::from_env(env, Embedded::Refused);
    let shop = ShopAddress::from_env(env, Embedded::Refused);
    env.finish()?;
    let mut tasks = Tasks::default();
    let stop = stop_at_signals()?;
    add_bot(&mut tasks, &stop, config, &Bus::open(&bus, "bot").await?, open_shop(&shop).await?)?;
    Ok(tasks.run(stop, STOP_DEADLINE).await)
}

pub(crate) async fn sandbox(env: &Env) -> Result<Ending> {
    let config = settings::sandbox(env);
    let channel = settings::sandbox_channel(env);
    env.finish()?;
    let mut tasks = Tasks::default();
    let stop = stop_at_signals()?;
    let sandbox = Sandbox::build(config)?;
    if let Some(channel) = channel {
        sandbox.handle().telegram().create_channel(channel)?;
    }
    tracing::info!(addr = %sandbox.addr(), "sandbox listens: GET /sandbox says what it can be told");
    tasks.spawn("sandbox", sandbox.run(stop.clone()));
    Ok(tasks.run(stop, STOP_DEADLINE).await)
}

/// The three services on whatever bus and store the environment names, by default on files of their own.
pub(crate) async fn all(env: &Env) -> Result<Ending> {
    let webhook = tolov_webhook::Config::from_env(env);
    let bot = settings::bot(env);
    let bus = BusAddress::from_env(env, Embedded::Allowed);
    let shop = ShopAddress::from_env(env, Embedded::Allowed);
    env.finish()?;
    let bus = Bus::open(&bus, "all").await?;
    let shop = open_shop(&shop).await?;
    let mut tasks = Tasks::default();
    let stop = stop_at_signals()?;
    add_webhook_service(&mut tasks, &stop, webhook, &bus).await?;
    add_projector(&mut tasks, &stop, &bus, shop.clone());
    add_bot(&mut tasks, &stop, bot, &bus, shop)?;
    Ok(tasks.run(stop, STOP_DEADLINE).await)
}

fn stop_at_signals() -> Result<Stop> {
    let stop = Stop::new();
    stop_on_signals(&stop)?;
    Ok(stop)
}

/// Adds the service and returns where it listens, and a handle to its ledger.
pub(crate) async fn add_webhook_service(
    tasks: &mut Tasks,
    stop: &Stop,
    config: tolov_webhook::Config,
    bus: &Bus,
) -> Result<(SocketAddr, Ledger)> {
    let service = tolov_webhook::Service::build(config, bus.publisher(), system_clock()).await?;
    let running = (service.addr(), service.ledger());
    tasks.spawn("webhook", service.run(stop.clone()));
    Ok(running)
}

pub(crate) fn add_projector(tasks: &mut Tasks, stop: &Stop, bus: &Bus, shop: Arc<dyn ShopStore>) {
    let deps = tolov_projector::Deps {
        consumer: bus.consumer(Queue::ProjectorPayments),
        publisher: bus.publisher(),
        shop,
        clock: system_clock(),
    };
    tasks.spawn("projector", Projector::new(deps, tolov_projector::Config::default()).run(stop.clone()));
}

pub(crate) fn add_bot(
    tasks: &mut Tasks,
    stop: &Stop,
    config: Option<BotConfig>,
    bus: &Bus,
    shop: Arc<dyn ShopStore>,
) -> Result<()> {
    let config = config.context("the bot's settings are not complete")?;
    let deps =
        tolov_bot::Deps { consumer: bus.consumer(Queue::BotNotifications), shop, clock: system_clock() };
    tasks.spawn("bot", tolov_bot::Service::build(config, deps)?.run(stop.clone()));
    Ok(())
}
