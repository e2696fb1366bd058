//! One function for each role: read the settings, open the adapters, run the services until they are told to stop, close
//! what was opened.

mod disk;
pub(crate) mod seed_users;
pub(crate) mod status_page;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use tolov_domain::ports::{ShopStore, bus::Queue};
use tolov_kit::{
    env::Env,
    lifecycle::{Ending, Stop, Tasks, stop_on_signals},
};
use tolov_projector::Projector;
use tolov_webhook::ledger::{LedgerPlace, diagnosis::wait_for_start};

use self::{seed_users::seed_users, status_page::StatusPage};
use crate::{
    adapters::{Bus, BusAddress, Embedded, Shop, ShopAddress, data_dir, system_clock},
    audit::replayer::ServiceAddress,
    cli,
    data_folder::{DataFolder, Part},
    environment::local_defaults,
    trace::OwnersTrace,
};

/// How long services may take to finish their work after a stop. Compose and systemd wait longer.
pub(crate) const STOP_DEADLINE: Duration = Duration::from_secs(20);

pub(crate) async fn webhook(env: &Env) -> Result<Ending> {
    let config = tolov_webhook::Config::from_env(env);
    let bus = BusAddress::from_env(env, Embedded::Refused);
    let data = DataFolder::from_env(env);
    let mut page = open_status_page(env).await?;
    let _lock = data.share(&[Part::Ledger])?;
    data.refuse_forgotten_file()?;
    let mut tasks = Tasks::default();
    let stop = stop_at_signals()?;
    let bus = Bus::open(&bus, "webhook").await?;
    let running = async {
        add_webhook_service(&mut tasks, &stop, config, &bus, &mut page).await?;
        note_place(&data);
        disk::add_gauges(&mut page.status, &data);
        page.serve(&mut tasks, &stop);
        Ok(tasks.run(stop, STOP_DEADLINE).await)
    };
    let ending = running.await;
    bus.close().await;
    ending
}

pub(crate) async fn projector(env: &Env) -> Result<Ending> {
    let bus = BusAddress::from_env(env, Embedded::Refused);
    let shop = ShopAddress::from_env(env, Embedded::Refused);
    let mut page = open_status_page(env).await?;
    let mut tasks = Tasks::default();
    let stop = stop_at_signals()?;
    with_clients(&bus, &shop, "projector", async move |bus, shop| {
        add_projector(&mut tasks, &stop, bus, shop.store(), &mut page);
        page.serve(&mut tasks, &stop);
        Ok(tasks.run(stop, STOP_DEADLINE).await)
    })
    .await
}

pub(crate) async fn bot(env: &Env) -> Result<Ending> {
    let config = bot_config(env);
    let ledger = tolov_webhook::config::ledger_path(env);
    let bus = BusAddress::from_env(env, Embedded::Refused);
    let shop = ShopAddress::from_env(env, Embedded::Refused);
    let mut page = open_status_page(env).await?;
    let mut tasks = Tasks::default();
    let stop = stop_at_signals()?;
    with_clients(&bus, &shop, "bot", async move |bus, shop| {
        let trace = owners_trace(&config, bus, shop, ledger);
        add_bot(&mut tasks, &stop, config, trace, bus, shop.store(), &mut page)?;
        page.serve(&mut tasks, &stop);
        Ok(tasks.run(stop, STOP_DEADLINE).await)
    })
    .await
}

pub(crate) async fn reconciler(env: &Env) -> Result<Ending> {
    let config = tolov_reconciler::Config::from_env(env);
    let mut page = open_status_page(env).await?;
    let mut tasks = Tasks::default();
    let stop = stop_at_signals()?;
    let service = open_reconciler(config.as_ref())?;
    if let Some(service) = &service {
        page.status.add(service.status());
    }
    add_reconciler(&mut tasks, &stop, service);
    page.serve(&mut tasks, &stop);
    Ok(tasks.run(stop, STOP_DEADLINE).await)
}

pub(crate) async fn sandbox(env: &Env, flags: &cli::Sandbox) -> Result<Ending> {
    let mut config = tolov_sandbox::Config::from_env(env);
    config.click.allow_real_key = flags.real_key;
    config.click.allow_any_merchant = flags.any_merchant;
    let addr = status_page::address(env);
    env.finish()?;
    if local_defaults::is_without_sandbox(env) {
        tracing::info!("Telegram and CLICK are the real ones: the sandbox is not needed and exits");
        return Ok(Ending::Clean);
    }
    let page = StatusPage::open(addr).await?;
    let mut tasks = Tasks::default();
    let stop = stop_at_signals()?;
    let sandbox = tolov_sandbox::Service::build(config).context("the sandbox cannot start")?;
    seed_users(sandbox.handle().telegram())?;
    let addr = sandbox.addr();
    // The address that it listens on within a container is not the one that a browser on the host uses.
    let url = env.text("SANDBOX_URL").unwrap_or_else(|| format!("http://{addr}"));
    tracing::info!(%addr, %url, "sandbox listens: open {url} in a browser to shop and pay; GET /sandbox lists its commands");
    tasks.spawn("sandbox", sandbox.run(stop.clone()));
    page.serve(&mut tasks, &stop);
    Ok(tasks.run(stop, STOP_DEADLINE).await)
}

/// The four services on the bus and the store that the environment names, by default on files.
pub(crate) async fn all(env: &Env) -> Result<Ending> {
    let webhook = tolov_webhook::Config::from_env(env);
    let bot = bot_config(env);
    let reconciler = tolov_reconciler::Config::from_env(env);
    let bus = BusAddress::from_env(env, Embedded::Allowed);
    let shop = ShopAddress::from_env(env, Embedded::Allowed);
    let data = DataFolder::from_env(env);
    let mut page = open_status_page(env).await?;
    let _lock = data.share(&Part::ALL)?;
    data.refuse_forgotten_file()?;
    let mut tasks = Tasks::default();
    let stop = stop_at_signals()?;
    with_clients(&bus, &shop, "all", async move |bus, shop| {
        add_webhook_service(&mut tasks, &stop, webhook, bus, &mut page).await?;
        note_place(&data);
        add_projector(&mut tasks, &stop, bus, shop.store(), &mut page);
        let trace = owners_trace(&bot, bus, shop, data.ledger_path().to_owned());
        add_bot(&mut tasks, &stop, bot, trace, bus, shop.store(), &mut page)?;
        // Its one dependency is the webhook service of this very process.
        add_reconciler(&mut tasks, &stop, open_reconciler(reconciler.as_ref())?);
        disk::add_gauges(&mut page.status, &data);
        page.serve(&mut tasks, &stop);
        Ok(tasks.run(stop, STOP_DEADLINE).await)
    })
    .await
}

/// Opens bus and shop store for a role and closes them when it has ended, also when it could not start: a client must not
/// outlive the runtime.
async fn with_clients(
    bus: &BusAddress,
    shop: &ShopAddress,
    app: &str,
    role: impl AsyncFnOnce(&Bus, &Shop) -> Result<Ending>,
) -> Result<Ending> {
    let bus = Bus::open(bus, app).await?;
    let ending = match Shop::open(shop).await {
        Ok(shop) => {
            let ending = Box::pin(role(&bus, &shop)).await;
            shop.close().await;
            ending
        }
        Err(error) => Err(error),
    };
    bus.close().await;
    ending
}

/// Ends the reading of a service's settings: fails with everything that is wrong with them.
async fn open_status_page(env: &Env) -> Result<StatusPage> {
    let addr = status_page::address(env);
    local_defaults::refuse(env);
    env.finish()?;
    StatusPage::open(addr).await
}

/// Where services have no folder in common, there is no file either that could become a second ledger.
fn note_place(data: &DataFolder) {
    if let Err(error) = data.note_place() {
        tracing::warn!(
            error = format!("{error:#}"),
            "it cannot be noted beside LEDGER_PATH where the ledger is"
        );
    }
}

fn stop_at_signals() -> Result<Stop> {
    let stop = Stop::new();
    stop_on_signals(&stop)?;
    Ok(stop)
}

async fn add_webhook_service(
    tasks: &mut Tasks,
    stop: &Stop,
    config: tolov_webhook::Config,
    bus: &Bus,
    page: &mut StatusPage,
) -> Result<()> {
    if let LedgerPlace::Postgres(url) = &config.ledger {
        tokio::select! {
            () = wait_for_start(url) => {}
            () = stop.cancelled() => {}
        }
    }
    let deps = tolov_webhook::Deps { bus: bus.publisher(), clock: system_clock() };
    let service =
        tolov_webhook::Service::new(config, deps).await.context("the webhook service cannot start")?;
    page.status.add(service.status());
    tasks.spawn("webhook", service.run(stop.clone()));
    Ok(())
}

fn add_projector(tasks: &mut Tasks, stop: &Stop, bus: &Bus, shop: Arc<dyn ShopStore>, page: &mut StatusPage) {
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

fn add_bot(
    tasks: &mut Tasks,
    stop: &Stop,
    config: tolov_bot::Config,
    trace: OwnersTrace,
    bus: &Bus,
    shop: Arc<dyn ShopStore>,
    page: &mut StatusPage,
) -> Result<()> {
    let deps = tolov_bot::Deps {
        trace: Some(Arc::new(trace)),
        consumer: bus.consumer(Queue::BotNotifications),
        shop: shop.clone(),
        clock: system_clock(),
    };
    let service = tolov_bot::Service::new(config, &deps).context("the bot cannot start")?;
    page.add_bot(&service, bus, shop);
    tasks.spawn("bot", service.run(stop.clone()));
    Ok(())
}

fn bot_config(env: &Env) -> tolov_bot::Config {
    tolov_bot::Config { data_folder: Some(data_dir(env)), ..tolov_bot::Config::from_env(env) }
}

/// What owners see of an order in the bot.
fn owners_trace(config: &tolov_bot::Config, bus: &Bus, shop: &Shop, ledger: PathBuf) -> OwnersTrace {
    let service = ServiceAddress::new(config.webhook_url.clone(), config.api_token.clone());
    OwnersTrace { service, bus: bus.admin(), shop: shop.store(), ledger }
}

/// `None` without the Merchant API.
fn open_reconciler(config: Option<&tolov_reconciler::Config>) -> Result<Option<tolov_reconciler::Service>> {
    let Some(config) = config else {
        tracing::info!(
            "CLICK_MERCHANT_USER_ID is empty: CLICK's Merchant API is not used, refunds go by hand"
        );
        return Ok(None);
    };
    let service = tolov_reconciler::Service::open(config, system_clock());
    Ok(Some(service.context("the reconciler cannot start")?))
}

/// With nothing to do it waits for the stop, so that a container stays up.
fn add_reconciler(tasks: &mut Tasks, stop: &Stop, service: Option<tolov_reconciler::Service>) {
    let stop = stop.clone();
    match service {
        Some(service) => tasks.spawn("reconciler", service.run(stop)),
        None => tasks.spawn("reconciler", async move { stop.cancelled().await }),
    }
}
