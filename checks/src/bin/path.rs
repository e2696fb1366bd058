//! The whole path from CLICK's callback to Telegram, of orders that were placed in the shop. Prints numbers and asserts none, but
//! that everybody was told: `scripts/bench path [ORDERS [FOLDER FIRST]]`. Servers are measured where TEST_AMQP_URL and
//! TEST_MONGO_URL name some; with FOLDER only what is embedded, on the ledger and the stores in it, and orders are numbered from
//! FIRST on.
#![expect(clippy::print_stdout, reason = "the numbers are this program's answer")]

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result};
use tolov_checks::path::{Frames, Parts, measure};
use tolov_domain::ports::bus::{Queue, RETRY_DELAYS_MS};
use tolov_embedded::{EmbeddedBus, EmbeddedShop};
use tolov_kit::{
    clock::{Clock, SystemClock},
    secret::Secret,
};
use tolov_mongodb::{MongoOptions, MongoShop};
use tolov_rabbitmq::{RabbitBus, RabbitOptions};
use url::Url;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let orders: usize = arguments.next().map_or(Ok(2_000), |count| count.parse())?;
    if let Some(folder) = arguments.next() {
        let first = arguments.next().context("FIRST is missing")?.parse()?;
        return embedded(Path::new(&folder), orders, first).await;
    }
    let folder = tempfile::tempdir()?;
    embedded(folder.path(), orders, 1).await?;
    let [Ok(amqp), Ok(mongo)] = ["TEST_AMQP_URL", "TEST_MONGO_URL"].map(std::env::var) else {
        println!("servers are not measured: TEST_AMQP_URL and TEST_MONGO_URL name none");
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    on_servers(folder.path(), orders, &amqp, mongo.parse()?).await
}

async fn embedded(folder: &Path, orders: usize, first: i64) -> Result<()> {
    let bus = EmbeddedBus::open(folder, Arc::new(SystemClock), RETRY_DELAYS_MS).await?;
    let shop = EmbeddedShop::open(folder).await?;
    let parts = Parts {
        shop: Arc::new(shop.clone()),
        publisher: bus.publisher(),
        events: bus.consumer(Queue::ProjectorPayments),
        notifications: bus.consumer(Queue::BotNotifications),
        frames: None,
    };
    println!("embedded\n{}\n", measure(&parts, folder, orders, first).await?);
    bus.close().await?;
    shop.close().await?;
    Ok(())
}

/// In queues and a database of its own; the database stays when the run ends.
async fn on_servers(folder: &Path, orders: usize, amqp: &str, mut mongo: Url) -> Result<()> {
    let mut amqp: Url = amqp.parse()?;
    let broker = amqp.socket_addrs(|| Some(5672))?.first().copied().context("TEST_AMQP_URL has no host")?;
    let frames = Frames::before(broker).await?;
    let has_port = amqp.set_ip_host(frames.addr.ip()).and_then(|()| amqp.set_port(Some(frames.addr.port())));
    has_port.ok().context("TEST_AMQP_URL cannot be changed")?;
    let run = format!("tolov_bench_{}", SystemClock.now().unix_timestamp());
    let options = RabbitOptions { name_prefix: format!("{run}."), ..RabbitOptions::default() };
    let bus = RabbitBus::try_new(amqp.as_str(), options)?;
    mongo.set_path(&run);
    let collections = [&tolov_shop::COLLECTIONS[..], &tolov_bot::COLLECTIONS].concat();
    let shop =
        MongoShop::connect(&Secret::new(mongo.as_str()), MongoOptions::default(), &collections).await?;
    bus.declare().await?;
    let parts = Parts {
        shop: Arc::new(shop.clone()),
        publisher: Arc::new(bus.publisher()),
        events: Arc::new(bus.consumer(Queue::ProjectorPayments)),
        notifications: Arc::new(bus.consumer(Queue::BotNotifications)),
        frames: Some(frames),
    };
    println!("RabbitMQ and MongoDB\n{}\n", measure(&parts, folder, orders, 1).await?);
    bus.delete_prefixed_topology().await?;
    bus.close().await;
    shop.close().await?;
    Ok(())
}
