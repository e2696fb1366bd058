//! The only place that names the adapters: RabbitMQ or SQLite for the bus, MongoDB or SQLite for the shop store,
//! chosen by what the environment says.

mod traced_bus;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use tolov_domain::ports::{
    PortError, ShopStore,
    bus::{BusAdmin, Consumer, Publisher, Queue, QueueDepth, RETRY_DELAYS_MS},
    documents::Collection,
};
use tolov_embedded::{
    EmbeddedBus, EmbeddedShop,
    backup::{self, StoreFile},
};
use tolov_kit::{
    clock::{Clock, SystemClock},
    env::Env,
    secret::Secret,
    spans,
};
use tolov_mongodb::{Diagnosis, MongoOptions, MongoShop};
use tolov_rabbitmq::{RabbitBus, RabbitOptions};

use self::traced_bus::{TracedConsumer, TracedPublisher};

/// The longest that closing a client may take at the end of a process.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Whether a process may keep its messages and its shop store in files of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Embedded {
    /// `tolov all`: AMQP_URL and MONGO_URL may be left out.
    Allowed,
    /// A single service must share them with the others.
    Refused,
}

/// Where the bus is.
#[derive(Debug, Clone)]
pub(crate) enum BusAddress {
    RabbitMq(Secret),
    Embedded(PathBuf),
}

/// Where the shop store is.
#[derive(Debug, Clone)]
pub(crate) enum ShopAddress {
    MongoDb(Secret),
    Embedded(PathBuf),
}

impl BusAddress {
    /// AMQP_URL, or files under DATA_DIR where that is allowed.
    pub(crate) fn from_env(env: &Env, embedded: Embedded) -> Self {
        match address(
            env,
            "AMQP_URL",
            embedded,
            "RabbitMQ, for example amqp://tolov:password@localhost:5672/%2f",
        ) {
            Some(url) => Self::RabbitMq(url),
            None => Self::Embedded(data_dir(env)),
        }
    }
}

impl ShopAddress {
    /// MONGO_URL, or files under DATA_DIR where that is allowed.
    pub(crate) fn from_env(env: &Env, embedded: Embedded) -> Self {
        match address(env, "MONGO_URL", embedded, "MongoDB, for example mongodb://localhost:27017/tolov") {
            Some(url) => Self::MongoDb(url),
            None => Self::Embedded(data_dir(env)),
        }
    }
}

fn address(env: &Env, name: &str, embedded: Embedded, what: &str) -> Option<Secret> {
    let url = env.text(name);
    if url.is_none() && embedded == Embedded::Refused {
        env.problem(name, format_args!("is missing: {what} (only `tolov all` and `tolov demo` do without)"));
    }
    url.map(Secret::new)
}

pub(crate) fn data_dir(env: &Env) -> PathBuf {
    env.text("DATA_DIR").map_or_else(|| PathBuf::from("tolov-data"), PathBuf::from)
}

pub(crate) fn system_clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// An open bus, from which the ports are made.
#[derive(Debug)]
pub(crate) enum Bus {
    RabbitMq(RabbitBus),
    Embedded(EmbeddedBus),
}

impl Bus {
    /// `app` is the name that the broker shows for the connection.
    pub(crate) async fn open(address: &BusAddress, app: &str) -> Result<Self> {
        match address {
            BusAddress::RabbitMq(url) => {
                let options = RabbitOptions { app_id: format!("tolov-{app}"), ..RabbitOptions::default() };
                RabbitBus::try_new(url.expose(), options)
                    .map(Self::RabbitMq)
                    .context("AMQP_URL cannot be used")
            }
            BusAddress::Embedded(folder) => EmbeddedBus::open(folder, system_clock(), RETRY_DELAYS_MS)
                .await
                .map(Self::Embedded)
                .with_context(|| format!("the embedded bus in {} cannot be opened", folder.display())),
        }
    }

    pub(crate) fn publisher(&self) -> Arc<dyn Publisher> {
        match self {
            Self::RabbitMq(bus) => self.traced_publisher(Arc::new(bus.publisher())),
            Self::Embedded(bus) => self.traced_publisher(bus.publisher()),
        }
    }

    pub(crate) fn admin(&self) -> Arc<dyn BusAdmin> {
        match self {
            Self::RabbitMq(bus) => Arc::new(bus.admin()),
            Self::Embedded(bus) => bus.admin(),
        }
    }

    pub(crate) fn consumer(&self, queue: Queue) -> Arc<dyn Consumer> {
        match self {
            Self::RabbitMq(bus) => self.traced_consumer(Arc::new(bus.consumer(queue)), queue),
            Self::Embedded(bus) => self.traced_consumer(bus.consumer(queue), queue),
        }
    }

    fn traced_publisher(&self, inner: Arc<dyn Publisher>) -> Arc<dyn Publisher> {
        if spans::is_on() { Arc::new(TracedPublisher { inner, system: self.system() }) } else { inner }
    }

    fn traced_consumer(&self, inner: Arc<dyn Consumer>, queue: Queue) -> Arc<dyn Consumer> {
        if spans::is_on() { Arc::new(TracedConsumer::new(inner, queue, self.system())) } else { inner }
    }

    /// As OpenTelemetry calls it.
    const fn system(&self) -> &'static str {
        match self {
            Self::RabbitMq(_) => "rabbitmq",
            Self::Embedded(_) => "tolov_embedded",
        }
    }

    /// Closes connections and files, for when the services have ended and before the runtime does. Everything made from
    /// it is unavailable afterwards.
    pub(crate) async fn close(&self) {
        match self {
            Self::RabbitMq(bus) => {
                let closing = async {
                    bus.close().await;
                    Ok(())
                };
                close("bus", closing).await;
            }
            Self::Embedded(bus) => close("bus", bus.close()).await,
        }
    }
}

/// An open shop store.
#[derive(Debug)]
pub(crate) enum Shop {
    MongoDb(MongoShop),
    Embedded(EmbeddedShop),
}

impl Shop {
    pub(crate) async fn open(address: &ShopAddress) -> Result<Self> {
        match address {
            ShopAddress::MongoDb(url) => MongoShop::connect(url, MongoOptions::default(), &collections())
                .await
                .map(Self::MongoDb)
                .context("MONGO_URL cannot be used"),
            ShopAddress::Embedded(folder) => EmbeddedShop::open(folder)
                .await
                .map(Self::Embedded)
                .with_context(|| format!("the embedded shop store in {} cannot be opened", folder.display())),
        }
    }

    pub(crate) fn store(&self) -> Arc<dyn ShopStore> {
        match self {
            Self::MongoDb(shop) => Arc::new(shop.clone()),
            Self::Embedded(shop) => Arc::new(shop.clone()),
        }
    }

    /// As [`Bus::close`].
    pub(crate) async fn close(&self) {
        match self {
            Self::MongoDb(shop) => close("shop store", shop.close()).await,
            Self::Embedded(shop) => close("shop store", shop.close()).await,
        }
    }
}

async fn close(what: &'static str, closing: impl Future<Output = Result<(), PortError>>) {
    match tokio::time::timeout(CLOSE_TIMEOUT, closing).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(what, %error, "did not close cleanly"),
        Err(_elapsed) => tracing::warn!(what, "did not close in time"),
    }
}

/// The operator's port, beside the process that runs the bus.
pub(crate) async fn open_bus_admin(address: &BusAddress) -> Result<Arc<dyn BusAdmin>, PortError> {
    match address {
        BusAddress::RabbitMq(url) => {
            Ok(Arc::new(RabbitBus::try_new(url.expose(), RabbitOptions::default())?.admin()))
        }
        BusAddress::Embedded(folder) => Ok(Arc::new(EmbeddedBus::admin_of(folder, system_clock()).await?)),
    }
}

/// How full the queues are, after a check of the broker or of the file in its place. `None`: there is no file yet, the
/// first start creates it.
pub(crate) async fn diagnose_bus(
    address: &BusAddress,
) -> Result<Option<Vec<(Queue, QueueDepth)>>, PortError> {
    match address {
        // AMQP compares the arguments of a queue only when it is declared.
        BusAddress::RabbitMq(url) => {
            RabbitBus::try_new(url.expose(), RabbitOptions::default())?.declare().await?;
        }
        BusAddress::Embedded(folder) => {
            let file = folder.join(StoreFile::Bus.name());
            if !file.exists() {
                return Ok(None);
            }
            backup::examine(&file).await?;
        }
    }
    let admin = open_bus_admin(address).await?;
    let mut depths = Vec::new();
    for queue in Queue::ALL {
        depths.push((queue, admin.depth(queue).await?));
    }
    Ok(Some(depths))
}

/// What a check of the shop store found.
#[derive(Debug)]
pub(crate) enum ShopDiagnosis {
    MongoDb(Diagnosis),
    Embedded(PathBuf),
    /// There is no file yet: the first start creates it.
    NotYet(PathBuf),
}

pub(crate) async fn diagnose_shop(address: &ShopAddress) -> Result<ShopDiagnosis, PortError> {
    match address {
        ShopAddress::MongoDb(url) => {
            let shop = MongoShop::connect(url, MongoOptions::default(), &collections()).await?;
            shop.diagnose().await.map(ShopDiagnosis::MongoDb)
        }
        ShopAddress::Embedded(folder) => {
            let file = folder.join(StoreFile::Shop.name());
            if !file.exists() {
                return Ok(ShopDiagnosis::NotYet(file));
            }
            backup::examine(&file).await?;
            Ok(ShopDiagnosis::Embedded(file))
        }
    }
}

/// The collections of every crate that keeps records in the shop store.
fn collections() -> Vec<Collection> {
    [&tolov_shop::COLLECTIONS[..], &tolov_bot::COLLECTIONS].concat()
}
