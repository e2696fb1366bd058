//! `tolov trace ORDER`: everything that is known of an order, in the order of time. Nothing is changed; a store that cannot
//! be asked is named, and the others are asked all the same.
#![expect(clippy::print_stdout, reason = "the trace is this command's answer")]

mod bus;
mod entry;
mod ledger;
mod operators;
mod shop;

use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Value, json};
use tolov_domain::{OrderId, time::unix_ms};
use tolov_kit::env::Env;

use self::entry::{Entry, Source};
use crate::{
    adapters::{BusAddress, Embedded, ShopAddress},
    cli::Trace,
    data_folder::DataFolder,
    doctor::texts,
};

/// The longest that one store is asked.
const STORE_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) async fn run(env: &Env, options: &Trace) -> Result<()> {
    let order_id = match OrderId::parse(&options.order) {
        Ok(order_id) => order_id,
        Err(error) => bail!("{:?} is no order number: {error}", options.order),
    };
    let language = options.language.unwrap_or_else(texts::language_of_terminal);
    let bus = BusAddress::from_env(env, Embedded::Allowed);
    let shop = ShopAddress::from_env(env, Embedded::Allowed);
    let data = DataFolder::from_env(env);
    env.finish()?;
    let _lock = data.share(&data.existing_parts())?;
    let mut entries = Vec::new();
    let ledger = asked(Source::Ledger, ledger::entries(data.ledger(), order_id)).await;
    entries.extend(ledger);
    let events = entries.iter().filter(|entry| entry.source == Source::Outbox);
    let events = events.filter_map(|entry| entry.args.first()).map(|(_, id)| id.clone()).collect();
    entries.extend(asked(Source::Bus, bus::entries(&bus, order_id)).await);
    entries.extend(asked(Source::Shop, shop::entries(&shop, order_id, events)).await);
    entries.extend(asked(Source::Operators, async { operators::entries(data.ledger(), order_id) }).await);
    // Stable: what happened in the same millisecond stays in the direction of the money.
    entries.sort_by_key(|entry| entry.at.map_or(i64::MAX, unix_ms));
    if options.json {
        let entries: Vec<Value> = entries.iter().map(|entry| entry.json(language)).collect();
        println!("{}", json!({ "order_id": order_id, "entries": entries }));
        return Ok(());
    }
    for entry in &entries {
        println!("{}", entry.line(language)?);
    }
    if entries.is_empty() {
        println!("{}", Entry::new(None, Source::Ledger, "trace-nothing").text(language));
    }
    Ok(())
}

/// What a store says, or why it says nothing.
async fn asked(source: Source, asking: impl Future<Output = Result<Vec<Entry>>>) -> Vec<Entry> {
    let away = |reason: String| vec![Entry::new(None, source, "trace-away").with("reason", reason)];
    match tokio::time::timeout(STORE_TIMEOUT, asking).await {
        Ok(Ok(entries)) => entries,
        Ok(Err(error)) => away(format!("{error:#}")),
        Err(_elapsed) => away(format!("no answer within {} s", STORE_TIMEOUT.as_secs())),
    }
}
