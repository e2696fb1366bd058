//! People who tap at the same time, in a large shop: the bot, a store, and a Bot API that answers at once.

mod bot_api;
mod seed;

use std::{
    collections::BTreeMap,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tolov_bot::{Config, Deps, Service};
use tolov_contract::counting::CountingDocuments;
use tolov_domain::ports::ShopStore;
use tolov_kit::{
    clock::{Clock, SystemClock},
    lifecycle::Stop,
    secret::Secret,
};
use tolov_shop::statistics;

use self::bot_api::BotApi;
pub use self::seed::Sizes;
use crate::{load::Report, purchases::MemoryBus};

/// People who tap at the same moment.
const AT_ONCE: i64 = 200;
/// How often; other people each time.
const WAVES: i64 = 30;
const OWNER: i64 = 4_999_999;

/// What is tapped, and how.
const KINDS: [Kind; 9] = [
    Kind { name: "menu", tap: |_, _| tapped("m") },
    Kind { name: "catalogue", tap: |number, _| tapped(&format!("cs:{}", number % 12)) },
    Kind {
        name: "page of a category",
        tap: |number, _| tapped(&format!("c:{}:{}", 1 + number % seed::CATEGORIES, number % 25)),
    },
    Kind { name: "card", tap: |number, products| tapped(&format!("p:{}", 1 + number * 37 % products)) },
    Kind {
        name: "one more",
        tap: |number, products| tapped(&format!("sc:{}:3", 1 + number * 37 % products)),
    },
    Kind { name: "cart", tap: |_, _| tapped("k") },
    Kind { name: "own orders", tap: |_, _| tapped("os:0") },
    Kind { name: "inline letter", tap: |number, _| typed(["c", "qa", "ko'y", "чой", "choj"], number) },
    Kind {
        name: "back to the page",
        tap: |number, products| tapped(&format!("cp:{}", 1 + number * 37 % products)),
    },
];

struct Kind {
    name: &'static str,
    /// Of the tap with this number, in a shop with so many products.
    tap: fn(i64, i64) -> Update,
}

enum Update {
    Tap(String),
    Inline(&'static str),
}

fn tapped(data: &str) -> Update {
    Update::Tap(format!("1:{data}"))
}

fn typed(words: [&'static str; 5], number: i64) -> Update {
    Update::Inline(words[usize::try_from(number).unwrap_or_default() % words.len()])
}

/// What a run measured.
#[derive(Debug, Default)]
pub struct Taps {
    sizes: Sizes,
    filled_in: Duration,
    counted_in: Duration,
    by_kind: BTreeMap<&'static str, Vec<Duration>>,
    waves: Vec<Duration>,
    staff: Vec<(&'static str, Duration)>,
    commands: u64,
    memory_before: u64,
    memory_after: u64,
}

/// Fills the store, and lets people tap in waves of 200.
pub async fn measure(shop: Arc<dyn ShopStore>, sizes: Sizes) -> Result<Taps> {
    let mut taps = Taps { sizes, ..Taps::default() };
    let began = Instant::now();
    seed::fill(&shop, sizes, SystemClock.now()).await?;
    taps.filled_in = began.elapsed();
    let began = Instant::now();
    while !statistics::refresh(shop.as_ref(), SystemClock.now()).await? {}
    taps.counted_in = began.elapsed();
    taps.memory_before = resident_kib()?;
    let (stop, api) = (Stop::new(), Arc::new(BotApi::default()));
    let address = api.serve(stop.clone()).await?;
    let nowhere = "http://127.0.0.1:9/".parse()?;
    let mut config =
        Config::new(Secret::new("1:bench"), "-1001000000001".parse()?, nowhere, Secret::new("bench"));
    config.api_url = Some(format!("http://{address}/").parse()?);
    config.messages_per_s = 1_000;
    config.owners = vec![tolov_domain::UserId::try_new(OWNER)?];
    let consumer = Arc::new(MemoryBus::default());
    let counted = CountingDocuments::new(shop);
    let shop: Arc<dyn ShopStore> = Arc::new(counted.clone());
    let deps = Deps { consumer, shop, clock: Arc::new(SystemClock), trace: None };
    let service = Service::new(config, &deps)?;
    let running = tokio::spawn(service.run(stop.clone()));
    // The first tap reads the catalogue.
    api.bring(vec![update("warm", OWNER, &tapped("cs:0"))]).await?;
    counted.reset();
    for wave in 0..WAVES {
        tap_at_once(&api, wave, &mut taps).await?;
    }
    taps.commands = counted.calls().total();
    for (name, data) in
        [("figures of a year", "at:m"), ("orders overview", "ao"), ("delivered orders", "aoi:d:0")]
    {
        let took = api.bring(vec![update(name, OWNER, &tapped(data))]).await?;
        taps.staff.extend(took.into_iter().map(|(_, took)| (name, took)));
    }
    taps.memory_after = resident_kib()?;
    stop.cancel();
    running.await??;
    Ok(taps)
}

async fn tap_at_once(api: &BotApi, wave: i64, taps: &mut Taps) -> Result<()> {
    let kinds = i64::try_from(KINDS.len())?;
    let mut updates = Vec::new();
    for person in 0..AT_ONCE {
        let number = wave * AT_ONCE + person;
        let kind = &KINDS[usize::try_from(number % kinds)?];
        let id = format!("{number}:{}", kind.name);
        let user = seed::shopper_of(1 + number * 13 % taps.sizes.shoppers)?.get();
        updates.push(update(&id, user, &(kind.tap)(number, taps.sizes.products)));
    }
    let began = Instant::now();
    for (id, took) in api.bring(updates).await? {
        let name = id.split_once(':').map_or("", |(_, name)| name);
        let kind = KINDS.iter().find(|kind| kind.name == name).context("a kind of tap")?;
        taps.by_kind.entry(kind.name).or_default().push(took);
    }
    taps.waves.push(began.elapsed());
    Ok(())
}

fn update(id: &str, user: i64, update: &Update) -> (String, Value) {
    let from = json!({ "id": user, "is_bot": false, "first_name": "Shopper", "language_code": "uz" });
    let body = match update {
        Update::Tap(data) => {
            let chat = json!({ "id": user, "type": "private", "first_name": "Shopper" });
            let message = json!({ "message_id": 2, "date": 1_763_881_506, "text": "…", "chat": chat });
            let query =
                json!({ "id": id, "from": from, "chat_instance": "1", "data": data, "message": message });
            json!({ "callback_query": query })
        }
        Update::Inline(words) => {
            json!({ "inline_query": { "id": id, "from": from, "query": words, "offset": "" } })
        }
    };
    (id.to_owned(), body)
}

/// The memory of this process that is in RAM.
fn resident_kib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}

/// `12.3 ms`.
fn ms(took: Duration) -> String {
    let tenths = took.as_micros() / 100;
    format!("{}.{} ms", tenths / 10, tenths % 10)
}

impl fmt::Display for Taps {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "{} products, {} shoppers, {} orders: filled in {} s, figures counted in {} s",
            self.sizes.products,
            self.sizes.shoppers,
            self.sizes.orders,
            self.filled_in.as_secs(),
            self.counted_in.as_secs()
        )?;
        let mut line = |name: &str, took: &[Duration]| {
            let report = Report::new(took.to_vec(), Duration::ZERO);
            let [p50, p99, p999] = [500, 990, 999].map(|part| ms(report.per_mille(part)));
            writeln!(formatter, "{name:>20}: p50 {p50:>10}, p99 {p99:>10}, p99.9 {p999:>10}")
        };
        line("all taps", &self.by_kind.values().flatten().copied().collect::<Vec<_>>())?;
        for (name, took) in &self.by_kind {
            line(name, took)?;
        }
        line("200 taps together", &self.waves)?;
        for (name, took) in &self.staff {
            writeln!(formatter, "{name:>20}: {:>14}, by itself", ms(*took))?;
        }
        let taps = self.by_kind.values().map(Vec::len).sum::<usize>().max(1);
        let hundredths = self.commands * 100 / u64::try_from(taps).unwrap_or(1);
        writeln!(formatter, "store commands a tap: {}.{:02}", hundredths / 100, hundredths % 100)?;
        writeln!(
            formatter,
            "memory: {} MB before the bot started, {} MB after",
            self.memory_before / 1_024,
            self.memory_after / 1_024
        )
    }
}
