//! `tolov trace ORDER`, and the same in the bot for owners: everything that is known of an order, in the order of time; and
//! `tolov trace --unplaced`, the payments that no order has.
//! Nothing is changed; a store that cannot be asked is named, and the others are asked all the same.

mod bus;
mod entry;
mod ledger;
mod operators;
mod owners;
mod shop;

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tolov_domain::{Language, OrderId, time::unix_ms};
use tolov_kit::env::Env;
use tolov_webhook::ledger::UnplacedBefore;

use self::entry::{Entry, Source};
pub(crate) use self::owners::OwnersTrace;
use crate::{
    adapters::{BusAddress, Embedded, ShopAddress, open_bus_admin},
    cli::Trace,
    data_folder::DataFolder,
    doctor::texts,
};

/// The longest that the command asks one store.
const STORE_TIMEOUT: Duration = Duration::from_secs(30);
/// The most payments without an order that are printed at a time.
const UNPLACED_PAGE: u32 = 100;

pub(crate) async fn run(env: &Env, options: &Trace) -> Result<()> {
    let language = options.language.unwrap_or_else(texts::language_of_terminal);
    let Some(order) = &options.order else { return unplaced(env, options, language).await };
    let order_id = match OrderId::parse(order) {
        Ok(order_id) => order_id,
        Err(error) => bail!(
            "{order:?} is no order number: {error}; `tolov trace --unplaced` shows payments without one"
        ),
    };
    let bus = BusAddress::from_env(env, Embedded::Allowed);
    let shop = ShopAddress::from_env(env, Embedded::Allowed);
    let data = DataFolder::from_env(env);
    env.finish()?;
    let _lock = data.share(&data.existing_parts())?;
    let stores = Stores {
        timeout: STORE_TIMEOUT,
        ledger: ledger::of_place(data.ledger(), order_id),
        bus: async {
            let admin = open_bus_admin(&bus).await.context("the bus cannot be opened")?;
            Ok(bus::entries(&*admin, order_id).await)
        },
        shop: async |events| shop::of_address(&shop, order_id, events).await,
        operators: async { operators::entries(data.ledger_path(), order_id) },
    };
    // It holds the futures of every place that is asked.
    let entries = Box::pin(stores.ask()).await;
    if options.json {
        println!("{}", json!({ "order_id": order_id, "entries": as_json(&entries, language) }));
        return Ok(());
    }
    if entries.is_empty() {
        println!("{}", texts::text(language, "trace-nothing", &[]));
    }
    print_lines(&entries, language)
}

async fn unplaced(env: &Env, options: &Trace, language: Language) -> Result<()> {
    let data = DataFolder::from_env(env);
    env.finish()?;
    let _lock = data.share(&data.existing_parts())?;
    let before = options.before.unwrap_or(UnplacedBefore::NEWEST);
    let (entries, next) = ledger::unplaced(data.ledger(), before, UNPLACED_PAGE).await?;
    let next = next.map(|next| next.to_string());
    if options.json {
        println!("{}", json!({ "entries": as_json(&entries, language), "next": next }));
        return Ok(());
    }
    if entries.is_empty() {
        println!("{}", texts::text(language, "trace-none-unplaced", &[]));
    }
    print_lines(&entries, language)?;
    if let Some(next) = next {
        println!("{}", texts::text(language, "trace-more-unplaced", &[("before", &next)]));
    }
    Ok(())
}

fn as_json(entries: &[Entry], language: Language) -> Vec<Value> {
    entries.iter().map(|entry| entry.json(language)).collect()
}

fn print_lines(entries: &[Entry], language: Language) -> Result<()> {
    for entry in entries {
        println!("{}", entry.line(language)?);
    }
    Ok(())
}

/// How each store is asked. The shop store is told the ids of the events that the ledger has.
struct Stores<L, B, S, O> {
    /// The longest that one of them is asked.
    timeout: Duration,
    ledger: L,
    bus: B,
    shop: S,
    operators: O,
}

impl<L, B, S, O> Stores<L, B, S, O>
where
    L: Future<Output = Result<Vec<Entry>>>,
    B: Future<Output = Result<Vec<Entry>>>,
    S: AsyncFnOnce(BTreeSet<String>) -> Result<Vec<Entry>>,
    O: Future<Output = Result<Vec<Entry>>>,
{
    /// All that they say, in the order of time. Nothing of an order that nobody knows.
    async fn ask(self) -> Vec<Entry> {
        let mut entries = asked(Source::Ledger, self.timeout, self.ledger).await;
        let events = entries.iter().filter(|entry| entry.source == Source::Outbox);
        let events = events.filter_map(|entry| entry.args.first()).map(|(_, id)| id.clone()).collect();
        let (bus, shop, operators) = tokio::join!(
            asked(Source::Bus, self.timeout, self.bus),
            asked(Source::Shop, self.timeout, (self.shop)(events)),
            asked(Source::Operators, self.timeout, self.operators),
        );
        entries.extend([bus, shop, operators].concat());
        if entries.iter().all(|entry| entry.key == bus::WAITING) {
            entries.clear();
        }
        // Stable: what happened in the same millisecond stays in the direction of the money.
        entries.sort_by_key(|entry| entry.at.map_or(i64::MAX, unix_ms));
        entries
    }
}

/// What a store says, or why it says nothing.
async fn asked(
    source: Source,
    timeout: Duration,
    asking: impl Future<Output = Result<Vec<Entry>>>,
) -> Vec<Entry> {
    match tokio::time::timeout(timeout, asking).await {
        Ok(Ok(entries)) => entries,
        Ok(Err(error)) => vec![Entry::away(source, format!("{error:#}"))],
        Err(_elapsed) => {
            vec![Entry::new(None, source, "trace-no-answer").with("seconds", timeout.as_secs())]
        }
    }
}
