//! Two hundred people who tap at once in a shop of 20,000 products, 100,000 shoppers and a million orders: how long a tap
//! takes, its store commands, and the memory. Prints numbers and asserts none: `scripts/bench taps [ORDERS [SHOPPERS
//! [PRODUCTS]]]`. MongoDB is measured too where TEST_MONGO_URL names one.
#![expect(clippy::print_stdout, reason = "the numbers are this program's answer")]

use std::{process::Command, sync::Arc};

use anyhow::{Context, Result, bail, ensure};
use tolov_checks::taps::{self, Sizes};
use tolov_embedded::EmbeddedShop;
use tolov_kit::{
    clock::{Clock, SystemClock},
    secret::Secret,
};
use tolov_mongodb::{MongoOptions, MongoShop};
use url::Url;

const EMBEDDED: &str = "embedded";
const MONGODB: &str = "mongodb";

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let store = arguments.first().filter(|store| [EMBEDDED, MONGODB].contains(&store.as_str())).cloned();
    let Some(store) = store else { return each_in_a_process_of_its_own(&arguments) };
    let sizes = sizes(&arguments.split_off(1))?;
    if store == EMBEDDED {
        let folder = tempfile::tempdir()?;
        let shop = EmbeddedShop::open(folder.path()).await?;
        println!("SQLite, {}", taps::measure(Arc::new(shop.clone()), sizes).await?);
        shop.close().await?;
        return Ok(());
    }
    let mut url = Url::parse(&std::env::var("TEST_MONGO_URL")?)?;
    // A database of its own for each run; it stays when the run ends.
    url.set_path(&format!("tolov_taps_{}", SystemClock.now().unix_timestamp()));
    let collections = [&tolov_shop::COLLECTIONS[..], &tolov_bot::COLLECTIONS].concat();
    let url = Secret::new(url.as_str());
    let shop = MongoShop::connect(&url, MongoOptions::default(), &collections).await?;
    println!("MongoDB, {}", taps::measure(Arc::new(shop.clone()), sizes).await?);
    shop.close().await?;
    Ok(())
}

/// So that the memory of one store is not counted to the other.
fn each_in_a_process_of_its_own(arguments: &[String]) -> Result<()> {
    let has_mongodb = std::env::var_os("TEST_MONGO_URL").is_some();
    for store in [Some(EMBEDDED), has_mongodb.then_some(MONGODB)].into_iter().flatten() {
        let status = Command::new(std::env::current_exe()?).arg(store).args(arguments).status()?;
        ensure!(status.success(), "the taps on {store} were not measured: {status}");
    }
    if !has_mongodb {
        println!("MongoDB is not measured: TEST_MONGO_URL names none");
    }
    Ok(())
}

fn sizes(arguments: &[String]) -> Result<Sizes> {
    let mut sizes = Sizes::default();
    let known = [&mut sizes.orders, &mut sizes.shoppers, &mut sizes.products];
    if arguments.len() > known.len() {
        bail!("taps [ORDERS [SHOPPERS [PRODUCTS]]]");
    }
    for (size, argument) in known.into_iter().zip(arguments) {
        *size = argument.parse().with_context(|| format!("{argument:?} is no number"))?;
        ensure!(*size > 0, "there is nothing to measure");
    }
    Ok(sizes)
}
