//! `tolov trace ORDER`: everything that is known of an order, in the order of time. Nothing is changed; a store that cannot
//! be asked is named, and the others are asked all the same.
#![expect(clippy::print_stdout, reason = "the trace is this command's answer")]

mod bus;
mod ledger;
mod operators;
mod shop;

use std::{borrow::Cow, time::Duration};

use anyhow::{Result, bail};
use fluent_templates::fluent_bundle::FluentValue;
use serde_json::{Map, Value, json};
use time::macros::format_description;
use tolov_domain::{
    Language, OrderId,
    time::{Timestamp, from_unix_ms, unix_ms},
};
use tolov_kit::env::Env;

use crate::{
    adapters::{BusAddress, Embedded, ShopAddress},
    cli::Trace,
    data_folder::DataFolder,
    doctor::texts,
};

/// The longest that one store is asked.
const STORE_TIMEOUT: Duration = Duration::from_secs(30);

/// Where an entry comes from, as it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Ledger,
    Outbox,
    Bus,
    Shop,
    Bot,
    Operators,
}

impl Source {
    const fn name(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Outbox => "outbox",
            Self::Bus => "bus",
            Self::Shop => "shop",
            Self::Bot => "bot",
            Self::Operators => "operators",
        }
    }
}

/// One thing that is known: a text of locales/ with its placeables.
#[derive(Debug)]
struct Entry {
    /// `None`: it is so now.
    at: Option<Timestamp>,
    source: Source,
    key: &'static str,
    args: Vec<(&'static str, String)>,
}

impl Entry {
    const fn new(at: Option<Timestamp>, source: Source, key: &'static str) -> Self {
        Self { at, source, key, args: Vec::new() }
    }

    fn at_ms(at_ms: i64, source: Source, key: &'static str) -> Self {
        Self::new(Some(from_unix_ms(at_ms)), source, key)
    }

    #[expect(clippy::needless_pass_by_value, reason = "numbers and texts come as they are")]
    fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.args.push((name, value.to_string()));
        self
    }

    fn text(&self, language: Language) -> String {
        let value = |value: &String| FluentValue::String(value.clone().into());
        let args = self.args.iter().map(|(name, text)| (Cow::Borrowed(*name), value(text))).collect();
        texts::say(language, self.key, &args)
    }

    fn line(&self, language: Language) -> Result<String> {
        let form = format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:3]Z");
        let at = self.at.map(|at| at.format(form)).transpose()?.unwrap_or_default();
        Ok(format!("{at:24}  {:9}  {}", self.source.name(), self.text(language)))
    }

    fn json(&self, language: Language) -> Value {
        let facts: Map<String, Value> =
            self.args.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into())).collect();
        json!({
            "at_ms": self.at.map(unix_ms),
            "source": self.source.name(),
            "what": self.key.trim_start_matches("trace-"),
            "facts": facts,
            "text": self.text(language),
        })
    }
}

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
