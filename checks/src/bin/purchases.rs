//! Purchases a second, and store commands a purchase, on both stores. Prints numbers and asserts none, but that every
//! order was paid and settled: `scripts/bench purchases [ORDERS]`. MongoDB is measured where TEST_MONGO_URL names one.
#![expect(clippy::print_stdout, reason = "the numbers are this program's answer")]

use std::sync::Arc;

use anyhow::{Context, Result};
use tolov_checks::purchases;
use tolov_domain::ports::ShopStore;
use tolov_embedded::EmbeddedShop;
use tolov_kit::{
    clock::{Clock, SystemClock},
    secret::Secret,
};
use tolov_mongodb::{MongoOptions, MongoShop};
use url::Url;

const BATCHES: [usize; 2] = [64, 128];
/// So many projectors, and as many bots.
const SIDE_BY_SIDE: [usize; 2] = [1, 2];

#[tokio::main]
async fn main() -> Result<()> {
    let orders: i64 = std::env::args().nth(1).map_or(Ok(1024), |count| count.parse())?;
    for batch in BATCHES {
        let folder = tempfile::tempdir()?;
        let shop = EmbeddedShop::open(folder.path()).await?;
        report("SQLite", Arc::new(shop.clone()), orders, (batch, 1)).await?;
        shop.close().await?;
    }
    let Some(url) = std::env::var_os("TEST_MONGO_URL") else {
        println!("MongoDB is not measured: TEST_MONGO_URL names none");
        return Ok(());
    };
    let mut url = Url::parse(url.to_str().context("TEST_MONGO_URL is not a text")?)?;
    let collections = [&tolov_shop::COLLECTIONS[..], &tolov_bot::COLLECTIONS].concat();
    let run = SystemClock.now().unix_timestamp();
    for (batch, processes) in BATCHES.into_iter().flat_map(|batch| SIDE_BY_SIDE.map(|count| (batch, count))) {
        // A database of its own for each run; it stays when the run ends.
        url.set_path(&format!("tolov_bench_{run}_{batch}_{processes}"));
        let url = Secret::new(url.as_str());
        let shop = MongoShop::connect(&url, MongoOptions::default(), &collections).await?;
        report("MongoDB", Arc::new(shop.clone()), orders, (batch, processes)).await?;
        shop.close().await?;
    }
    Ok(())
}

async fn report(
    store: &str,
    shop: Arc<dyn ShopStore>,
    orders: i64,
    (batch, processes): (usize, usize),
) -> Result<()> {
    let purchases = purchases::measure(shop, orders, batch, processes).await?;
    println!("{store}, batches of {batch}, projectors and bots: {processes} each\n{purchases}\n");
    Ok(())
}
