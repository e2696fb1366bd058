//! `tolov replay`: for a broker, or a shop store, that lost what the ledger had sent.

use anyhow::{Result, ensure};
use serde_json::json;
use tolov_domain::{OrderId, time::Timestamp};
use tolov_kit::{
    clock::{Clock, SystemClock},
    env::Env,
};
use tolov_webhook::ledger::LedgerReader;

use super::journal::Journal;
use crate::{
    audit::replayer::{Replayer, ServiceAddress},
    cli::Replay,
    data_folder::{DataFolder, Part},
};

/// How many orders are read, and published once more, at a time.
const PAGE: u32 = 200;

/// Has events published once more, also those that were deleted after they were sent. Readers know an event by its id: one
/// that they have handled before has no second effect.
pub(crate) async fn run(env: &Env, options: &Replay) -> Result<()> {
    let data = DataFolder::from_env(env);
    let service = ServiceAddress::from_env(env);
    env.finish()?;
    let _lock = data.share(&[Part::Ledger])?;
    let now = SystemClock.now();
    let replayer = Replayer::open(data.ledger(), &service).await?;
    let journal = Journal::beside(data.ledger());
    let replayed = match options.since {
        None => {
            journal.record("replay", json!({ "orders": options.orders }))?;
            replay_orders(&replayer, &options.orders).await
        }
        Some(since) => {
            let until = options.until.map_or(now, |until| until.before(now));
            let since = since.before(now);
            journal.record("replay", json!({ "since": since.to_string(), "until": until.to_string() }))?;
            let reader = LedgerReader::open(data.ledger()).await?;
            let replayed = replay_range(&replayer, &reader, since, until).await;
            reader.close().await;
            replayed
        }
    };
    replayer.close().await;
    replayed
}

async fn replay_orders(replayer: &Replayer, order_ids: &[OrderId]) -> Result<()> {
    let unknown = replayer.replay(order_ids).await?;
    println!("the events of {} orders are published once more", order_ids.len() - unknown.len());
    ensure!(unknown.is_empty(), "the ledger has no order {}", list(&unknown));
    Ok(())
}

async fn replay_range(
    replayer: &Replayer,
    reader: &LedgerReader,
    since: Timestamp,
    until: Timestamp,
) -> Result<()> {
    let (mut after, mut count) = (0, 0);
    loop {
        let page = reader.changed_orders(after, (since, until), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.get();
        replayer.replay(&page).await?;
        count += page.len();
    }
    println!("the events of {count} orders since {since} are published once more");
    match replayer.replay_unplaced(since, until).await? {
        Some(0) => {}
        Some(count) => println!("and those of {count} payments that belong to no order"),
        None => {
            println!("those of payments that belong to no order only while the webhook service is stopped");
        }
    }
    Ok(())
}

fn list(order_ids: &[OrderId]) -> String {
    order_ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
