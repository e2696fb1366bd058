//! `tolov replay`: for a broker, or a shop store, that lost what the ledger had sent.

use anyhow::{Result, ensure};
use serde_json::json;
use time::macros::datetime;
use tolov_domain::{OrderId, time::Timestamp};
use tolov_kit::{
    clock::{Clock, SystemClock},
    env::Env,
    lifecycle::Ending,
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
/// The end of the calendar's years of four digits.
const LATEST: Timestamp = datetime!(9999-12-31 23:59:59 UTC);

/// Has events published once more, also those that were deleted after they were sent. Readers know an event by its id: one
/// that they have handled before has no second effect. Of what is about no order some is in the outbox alone: that it is left
/// out, once it was deleted, is said.
pub(crate) async fn run(env: &Env, options: &Replay) -> Result<Ending> {
    let data = DataFolder::from_env(env);
    let service = ServiceAddress::from_env(env);
    env.finish()?;
    let _lock = data.share(&[Part::Ledger])?;
    let now = SystemClock.now();
    let replayer = Replayer::open(data.ledger(), &service).await?;
    let reader = LedgerReader::open(data.ledger()).await?;
    let journal = Journal::beside(data.ledger_path());
    let replayed = match options.since {
        None => {
            journal.record("replay", json!({ "orders": options.orders }))?;
            replay_orders(&replayer, &options.orders).await
        }
        Some(since) => {
            let since = since.before(now);
            // A clock that was ahead may have written what is of a time to come.
            let until = options.until.map_or(LATEST, |until| until.before(now));
            journal.record("replay", json!({ "since": since.to_string(), "until": until.to_string() }))?;
            replay_range(&replayer, &reader, (since, until), now).await
        }
    };
    reader.close().await;
    replayer.close().await;
    replayed
}

async fn replay_orders(replayer: &Replayer, order_ids: &[OrderId]) -> Result<Ending> {
    let unknown = replayer.replay(order_ids).await?;
    println!("the events of {} orders are published once more", order_ids.len() - unknown.len());
    ensure!(unknown.is_empty(), "the ledger has no order {}", list(&unknown));
    Ok(Ending::Clean)
}

async fn replay_range(
    replayer: &Replayer,
    reader: &LedgerReader,
    (since, until): (Timestamp, Timestamp),
    now: Timestamp,
) -> Result<Ending> {
    let (mut after, mut count) = (0, 0);
    loop {
        let page = reader.changed_orders(after, (since, until), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.get();
        replayer.replay(&page).await?;
        count += page.len();
    }
    println!("the events of {count} orders since {since} are published once more");
    let without_order = replayer.replay_unplaced((since, until), now).await?;
    if without_order > 0 {
        println!("and {without_order} that belong to no order");
    }
    left_out(reader, since).await
}

/// Says what cannot be published of this time, where that is so.
async fn left_out(reader: &LedgerReader, since: Timestamp) -> Result<Ending> {
    let kept_since = reader.events_kept_since().await?;
    if since >= kept_since {
        return Ok(Ending::Clean);
    }
    println!(
        "left out, because they are deleted after a week and nothing else has them: compared days, and payments that CLICK \
         showed after a restore, of before {kept_since}"
    );
    Ok(Ending::Failed)
}

fn list(order_ids: &[OrderId]) -> String {
    order_ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
