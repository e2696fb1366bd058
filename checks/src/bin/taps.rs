//! Two hundred people who tap at once in a shop of 20,000 products, 100,000 shoppers and a million orders: how long a tap
//! takes, and the memory. Prints numbers and asserts none: `scripts/bench taps [ORDERS]`.
#![expect(clippy::print_stdout, reason = "the numbers are this program's answer")]

use std::sync::Arc;

use anyhow::Result;
use tolov_checks::taps;
use tolov_embedded::EmbeddedShop;

#[tokio::main]
async fn main() -> Result<()> {
    let orders: i64 = std::env::args().nth(1).map_or(Ok(1_000_000), |count| count.parse())?;
    let folder = tempfile::tempdir()?;
    let shop = EmbeddedShop::open(folder.path()).await?;
    println!("{}", taps::measure(Arc::new(shop.clone()), orders).await?);
    shop.close().await?;
    Ok(())
}
