//! The shop of the demo: the four services and the sandbox, in one process, on files that are deleted afterwards.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tolov_bot::{Config as BotConfig, ReceiptDefaults};
use tolov_click::{PayLink, SecretKey, merchant_api::CommissionInfo};
use tolov_domain::{UserId, ports::ShopStore, receipt::Fiscal};
use tolov_kit::{
    http::TrustedProxies,
    lifecycle::{Stop, Tasks},
    secret::Secret,
};
use tolov_reconciler::ReceiptSettings;
use tolov_sandbox::{Config, Handle, Service, click::ClickConfig, load::OrderSource, telegram::Channel};
use tolov_shop::seed;
use tolov_webhook::ledger::Ledger;
use url::Url;

use super::{checkout::Checkout, page_feed, services::Services};
use crate::{
    adapters::{Bus, BusAddress, Shop, ShopAddress, system_clock},
    roles::seed_users::{self, seed_users},
};

const SERVICE_ID: i64 = 12345;
const MERCHANT_ID: i64 = 6789;
const MERCHANT_USER_ID: i64 = 4321;
/// A TIN that belongs to nobody.
const SELLER: &str = "300000000";
/// Used within this process only.
const CLICK_SECRET_KEY: &str = "sandbox-only-demo-key";
pub(super) const API_TOKEN: &str = "demo-api-token";
const BOT_TOKEN: &str = "1000000001:demo-bot-token-of-the-sandbox-only";
pub(super) const STAFF_CHANNEL: i64 = -1_001_000_000_001;
const SANDBOX_ADDR: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

pub(super) struct DemoShop {
    folder: TempDir,
    pub(super) sandbox: Handle,
    pub(super) store: Arc<dyn ShopStore>,
    pub(super) ledger: Ledger,
    pub(super) checkout: Arc<Checkout>,
    opened: (Arc<Bus>, Shop),
    sandbox_url: Url,
    /// Stopped last: the services call it until their end.
    sandbox_stop: Stop,
    sandbox_task: JoinHandle<std::io::Result<()>>,
    webhook_url: Url,
    shopper_id: i64,
}

impl DemoShop {
    /// Starts everything on free ports, the sandbox on `sandbox_addr`, or on its usual port where that is free.
    pub(super) async fn start(
        tasks: &mut Tasks,
        stop: &Stop,
        sandbox_addr: Option<SocketAddr>,
        order_ttl: Option<Duration>,
    ) -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot create a temporary folder")?;
        let bus = Bus::open(&BusAddress::Embedded(folder.path().to_owned()), "demo").await?;
        let (admin, bus) = (bus.admin(), Arc::new(bus));
        let shop = Shop::open(&ShopAddress::Embedded(folder.path().to_owned())).await?;
        let store = shop.store();
        let sandbox = bind_sandbox(sandbox_addr)?;
        let sandbox_url = url_of(sandbox.addr())?;
        let handle = sandbox.handle();
        let services = Services::new(&handle, Arc::clone(&bus), Arc::clone(&store));
        seed::seed(store.as_ref()).await?;

        let config = webhook_config(folder.path(), &sandbox_url, order_ttl);
        let deps = tolov_webhook::Deps { bus: services.publisher(), clock: system_clock() };
        let webhook = tolov_webhook::Service::new(config, deps).await?;
        let (webhook_url, ledger) = (url_of(webhook.addr())?, webhook.ledger());
        let callback_url = webhook_url.join(tolov_webhook::http::CLICK_PATH)?;
        handle.click().set_merchant(callback_url.clone(), callback_url);
        tasks.spawn("webhook", webhook.run(stop.clone()));

        let shopper_id = populate(&handle)?;
        let sandbox_stop = Stop::new();
        let sandbox_task = tokio::spawn(sandbox.run(sandbox_stop.clone()));
        tasks.spawn("projector", services.projector().run(stop.clone()));
        let config = reconciler_config(&sandbox_url, &webhook_url);
        let reconciler = tolov_reconciler::Service::open(&config, system_clock())?;
        tasks.spawn("reconciler", reconciler.run(stop.clone()));
        let channel = STAFF_CHANNEL.to_string().parse()?;
        let api_token = Secret::new(API_TOKEN);
        let mut bot = BotConfig::new(Secret::new(BOT_TOKEN), channel, webhook_url.clone(), api_token);
        bot.api_url = Some(sandbox_url.clone());
        bot.owners = vec![UserId::try_new(seed_users::OWNER_ID)?];
        bot.pickup_address = Some(seed_users::PICKUP_ADDRESS.to_owned());
        if let Some(order_ttl) = order_ttl {
            // With seconds to pay, what the clock does is seen in time too.
            bot.maintenance_every = (order_ttl / 40).clamp(Duration::from_secs(1), bot.maintenance_every);
        }
        bot.receipts = Some(ReceiptDefaults { goods: demo_codes(), delivery: demo_codes() });
        tasks.spawn("bot", services.clone().run_bot(bot, stop.clone()));

        let checkout = Arc::new(Checkout {
            store: services.shop(),
            sandbox: handle.clone(),
            http: reqwest::Client::builder().no_proxy().build()?,
            webhook_url: webhook_url.clone(),
        });
        let order_source: Arc<dyn OrderSource> = checkout.clone();
        handle.load().set_order_source(order_source);
        tokio::spawn(page_feed::commits(handle.clone(), ledger.clone(), stop.clone()));
        tokio::spawn(page_feed::gauges(handle.clone(), ledger.clone(), admin, stop.clone()));
        Ok(Self {
            folder,
            sandbox: handle,
            store,
            ledger,
            checkout,
            opened: (bus, shop),
            sandbox_url,
            sandbox_stop,
            sandbox_task,
            webhook_url,
            shopper_id,
        })
    }

    pub(super) fn url(&self) -> &Url {
        &self.sandbox_url
    }

    pub(super) fn webhook_url(&self) -> &Url {
        &self.webhook_url
    }

    pub(super) fn shopper_id(&self) -> i64 {
        self.shopper_id
    }

    /// Stops the sandbox, closes the stores and deletes the files. Call it when the services have ended.
    pub(super) async fn close(self) {
        self.sandbox_stop.cancel();
        if let Ok(Err(error)) = self.sandbox_task.await {
            tracing::warn!(%error, "the sandbox failed");
        }
        drop((self.store, self.ledger, self.checkout));
        let (bus, shop) = self.opened;
        bus.close().await;
        shop.close().await;
        if let Err(error) = self.folder.close() {
            tracing::warn!(%error, "the demo's temporary folder could not be deleted");
        }
    }
}

/// Creates the staff channel and the users; returns the shopper's id.
fn populate(sandbox: &Handle) -> Result<i64> {
    let title = "Tolov staff".to_owned();
    sandbox.telegram().create_channel(Channel { id: STAFF_CHANNEL, title, username: None })?;
    seed_users(sandbox.telegram())?;
    Ok(seed_users::SHOPPER_ID)
}

fn bind_sandbox(sandbox_addr: Option<SocketAddr>) -> Result<Service> {
    let secret_key = Secret::new(CLICK_SECRET_KEY);
    let config = |addr| Config::new(addr, ClickConfig::new(SERVICE_ID, MERCHANT_ID, secret_key.clone()));
    if let Some(addr) = sandbox_addr {
        return Ok(Service::build(config(addr))?);
    }
    let any_port = SocketAddr::new(SANDBOX_ADDR.ip(), 0);
    Ok(Service::build(config(SANDBOX_ADDR)).or_else(|_| Service::build(config(any_port)))?)
}

fn webhook_config(folder: &Path, sandbox_url: &Url, order_ttl: Option<Duration>) -> tolov_webhook::Config {
    tolov_webhook::Config {
        addr: SocketAddr::new(SANDBOX_ADDR.ip(), 0),
        ledger: folder.join("payments.db").into(),
        api_token: Secret::new(API_TOKEN),
        click: tolov_webhook::ClickConfig {
            secret_key: SecretKey::new(CLICK_SECRET_KEY),
            test_mode: false,
            pay_link: PayLink {
                pay_page: format!("{sandbox_url}services/pay"),
                service_id: SERVICE_ID,
                merchant_id: MERCHANT_ID,
                merchant_user_id: Some(MERCHANT_USER_ID),
                return_url: None,
            },
        },
        order_ttl,
        trusted_proxies: TrustedProxies::default(),
        unverified: tolov_webhook::ledger::UnverifiedLimits::default(),
    }
}

fn reconciler_config(sandbox_url: &Url, webhook_url: &Url) -> tolov_reconciler::Config {
    tolov_reconciler::Config {
        service_id: SERVICE_ID,
        merchant_user_id: MERCHANT_USER_ID,
        secret_key: SecretKey::new(CLICK_SECRET_KEY),
        merchant_api_url: sandbox_url.clone(),
        webhook_url: webhook_url.clone(),
        api_token: Secret::new(API_TOKEN),
        accepts: false,
        receipts: Some(ReceiptSettings {
            seller: CommissionInfo::Tin(SELLER.to_owned()),
            deadline: time::Duration::DAY,
        }),
        restore_in_parallel: false,
    }
}

/// What stands in for the codes that the example catalogue does not have.
pub(super) fn demo_codes() -> Fiscal {
    let code = |text: &str| Some(text.to_owned());
    Fiscal { mxik: code("00902001001000000"), package_code: code("1500000"), vat_percent: Some(12) }
}

fn url_of(addr: SocketAddr) -> Result<Url> {
    Ok(format!("http://{addr}/").parse()?)
}
