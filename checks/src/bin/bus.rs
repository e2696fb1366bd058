//! The relay and the consumer beside lapin by itself, on the broker of TEST_AMQP_URL. Prints numbers and asserts none, but that
//! every message was confirmed and acknowledged: `scripts/bench bus [WINDOWS]`.
#![expect(clippy::print_stdout, reason = "the numbers are this program's answer")]

use anyhow::{Context, Result};
use tolov_checks::bus::{Windows, measure};
use tolov_kit::clock::{Clock, SystemClock};
use tolov_projector::Config;

/// The relay's.
const WINDOW: usize = 512;

#[tokio::main]
async fn main() -> Result<()> {
    let count: usize = std::env::args().nth(1).map_or(Ok(20), |count| count.parse())?;
    let amqp = std::env::var("TEST_AMQP_URL").context("TEST_AMQP_URL names no broker")?;
    let folder = tempfile::tempdir()?;
    let run = SystemClock.now().unix_timestamp();
    let consumed = Config::default().batch_max;
    for windows in [
        Windows { published: 1, consumed: 1, count: count * 10, rounds: 4 },
        Windows { published: WINDOW, consumed, count, rounds: 4 },
    ] {
        let prefix = format!("tolov_bench_{run}_{}.", windows.published);
        println!("{}", measure(&amqp, prefix, folder.path(), windows).await?);
    }
    Ok(())
}
