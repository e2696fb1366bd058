//! One function a role: read theopen the adapters, run the services until they are told to stop.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Result;
use tolov_domain::ports::{ShopStore, bus::Queue};
use tolov_kit::{
    env::Env,
    lifecycle::{Ending, Stop, Tasks, stop_on_signals},
};
use tolov_projector::Projector;
use tolov_webhook::ledger::Ledger;

use crate::{
    adapters::{Bus, BusAddress, Embedded, Shop, ShopAddress, system_clock},
    cli, local_defaults, people,
    status_page::{self, StatusPage},
};

/// After a stop: how long the services may take to finish what they hold. Compose's and systemd's grace is longer.
pub(crate) const STOP_DEADLINE: Duration = Duration::from_secs(20);

pub(crate) async fn webhook(env: &Env) -> Result<Ending> {
    let config = tolov_webhook::Config::from_env(env);
    let bus = BusAddress::from_env(env, Embedded::Refused);
    let mut page = open_status_page(env).await?;
    let mut tasks = Tasks::default();
    let stop = stop_at_signals()?;
    let bus = Bus::open(&bus, "webhook").await?;
    add_webhook_service(&mut tasks, &stop, config, &bus, &mut page).await?;
    page.serve(&mut tasks, &stop);
    let ending = tasks.run(stop, STOP_DEADLINE).await;
    bus.close().await;
    Ok(ending)
}

pub(crate) async fn projector(env: &Env) -> Result<Ending> {
    let bus = BusAddress::from_env(env, Embedded::Refused);
    let shop = ShopAddress::from_env(env, Embedded::Refused);
    let mut page = open_status_page(env).await?;
    let mut tasks = Tasks::default();
    let stop = stop_at_signals()?;
    let bus = Bus::open(&bus, "projector").await?;
    let shop = Shop::open(&shop).await?;
    add_projector(&mut tasks, &stop, &bus, shop.store(), &mut page);
    page.serve(&mut tasks, &stop);
    let ending = tasks.run(stop, STOP_DEADLINE).await;
    shop.close().await;
    bus.close().await;
    Ok(ending)
}

pub(crate) async fn bot(env: &Env) -> Result<Ending> {
    let config = tolov_bot::Config::from_env(env);
    let bus = BusAddress::from_env(env, Embedded::Refused);
    let shop = ShopAddress::from_env(env, Embedded::Refused);
    let mut page = open_status_page(env).await?;
    let mut tasks = Tasks::default();
    let stop = stop_at_signals()?;
    let bus = Bus::open(&bus, "bot").await?;
    let shop = Shop::open(&shop).await?;
    add_bot(&mut tasks, &stop, config, &bus, shop.store(), &mut page)?;
    page.serve(&mut tasks, &stop);
    let ending = tasks.run(stop, STOP_DEADLINE).await;
    shop.close().await;
    bus.close().await;
    Ok(ending)
}

pub(crate) async fn sandbox(env: &Env, flags: &cli::Sandbox) -> Result<Ending> {
    let mut config = tolov_sandbox::Config::from_env(env);
    config.click.allow_real_key = flags.real_key;
    config.click.allow_any_merchant = flags.any_merchant;
    let addr = status_page::address(env);
    env.finish()?;
    if local_defaults::is_without_sandbox(env) {
        tracing::info!("a real BOT_TOKEN, and CLICK_TEST_MODE is off: the sandbox is not needed, it ends");
        return Ok(Ending::Clean);
    }
    let page = StatusPage::open(addr).await?;
    let mut tasks = Tasks::default();
    let stop = stop_at_signals()?;
    let sandbox = tolov_sandbox::Service::build(config)?;
    people::move_in(sandbox.handle().telegram())?;
    let addr = sandbox.addr();
    // In a container the address it listens at is not the one that a browser on the host finds it at.
    let url = env.text("SANDBOX_URL").unwrap_or_else(|| format!("http://{addr}"));
    tracing::info!(%addr, %url, "sandbox listens: open {url} in a browser to shop and pay; GET /sandbox says what it can be told");
    tasks.spawn("sandbox", sandbox.run(stop.clone()));
    page.serve(&mut tasks, &stop);
    Ok(tasks.run(stop, STOP_DEADLINE).await)
}

/// The three services on whatever bus and store the environment names, by default on files of their own.
pub(crate) async fn all(env: &Env) -> Result<Ending> {
    let webhook = tolov_webhook::Config::from_env(env);
    let bot = tolov_bot::Config::from_env(env);
    let bus = BusAddress::from_env(env, Embedded::Allowed);
    let shop = ShopAddress::from_env(env, Embedded::Allowed);
    let mut page = open_status_page(env).await?;
    let bus = Bus::open(&bus, "all").await?;
    let shop = Shop::open(&shop).await?;
    let mut tasks = Tasks::default();
    let stop = stop_at_signals()?;
    add_webhook_service(&mut tasks, &stop, webhook, &bus, &mut page).await?;
    add_projector(&mut tasks, &stop, &bus, shop.store(), &mut page);
    add_bot(&mut tasks, &stop, bot, &bus, shop.store(), &mut page)?;
    page.serve(&mut tasks, &stop);
    let ending = tasks.run(stop, STOP_DEADLINE).await;
    shop.close().await;
    bus.close().await;
    Ok(ending)
}

/// Ends the reading of the settings of a service: fails with everything that is wrong with them.
async fn open_status_page(env: &Env) -> Result<StatusPage> {
    let addr = status_page::address(env);
    local_defaults::refuse(env);
    env.finish()?;
    StatusPage::open(addr).await
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
    page: &mut StatusPage,
) -> Result<(SocketAddr, Ledger)> {
    let deps = tolov_webhook::Deps { bus: bus.publisher(), clock: system_clock() };
    let service = tolov_webhook::Service::new(config, deps).await?;
    let running = (service.addr(), service.ledger());
    page.status.add(service.status());
    tasks.spawn("webhook", service.run(stop.clone()));
    Ok(running)
}

pub(crate) fn add_projector(
    tasks: &mut Tasks,
    stop: &Stop,
    bus: &Bus,
    shop: Arc<dyn ShopStore>,
    page: &mut StatusPage,
) {
    let deps = tolov_projector::Deps {
        consumer: bus.consumer(Queue::ProjectorPayments),
        publisher: bus.publisher(),
        documents: shop.clone(),
        clock: system_clock(),
    };
    let projector = Projector::new(deps, tolov_projector::Config::default());
    page.add_projector(&projector, bus, shop);
    tasks.spawn("projector", projector.run(stop.clone()));
}

pub(crate) fn add_bot(
    tasks: &mut Tasks,
    stop: &Stop,
    config: tolov_bot::Config,
    bus: &Bus,
    shop: Arc<dyn ShopStore>,
    page: &mut StatusPage,
) -> Result<()> {
    let deps = tolov_bot::Deps {
        consumer: bus.consumer(Queue::BotNotifications),
        shop: shop.clone(),
        clock: system_clock(),
    };
    let service = tolov_bot::Service::new(config, &deps)?;
    page.add_bot(&service, bus, shop);
    tasks.spawn("bot", service.run(stop.clone()));
    Ok(())
}
