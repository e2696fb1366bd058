//! The whole path: orders that were placed in the shop are paid by CLICK's callbacks, settled by the projector, and told by
//! the bot.

mod frames;
mod process;

use std::{
    collections::BTreeMap,
    fmt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use tolov_contract::counting::{Calls, CountingDocuments};
use tolov_domain::{
    UserId,
    ports::{
        PortError, ShopStore,
        bus::{Consumer, OutgoingMessage, Published, Publisher},
    },
};
use tolov_kit::{
    clock::{Clock, SystemClock},
    lifecycle::Stop,
};
use tolov_projector::{Config, Deps, Projector};
use tolov_webhook::ledger::{Ledger, NewOrder};

pub use self::frames::Frames;
use self::{
    frames::Counts,
    process::{Fsyncs, Statements, cpu_time, memory_max_mib},
};
use crate::{
    load::{Report, pay_orders},
    purchases::{
        bot::RunningBots,
        placing::{PROMO_EVERY, SHOPPERS, fill_carts, place, shopper_of, stock_up},
    },
    service::Server,
};

const CONNECTIONS: usize = 64;
/// One purchase that takes longer ends the run.
const PATIENCE: Duration = Duration::from_mins(2);

/// What the services work with.
#[derive(Debug)]
pub struct Parts {
    pub shop: Arc<dyn ShopStore>,
    pub publisher: Arc<dyn Publisher>,
    /// The projector's.
    pub events: Arc<dyn Consumer>,
    /// The bot's.
    pub notifications: Arc<dyn Consumer>,
    /// Where the bus is a broker.
    pub frames: Option<Frames>,
}

/// What a run measured.
#[derive(Debug)]
pub struct Measured {
    /// From the answer to Complete to sendMessage.
    at_rest: Report,
    callbacks: Report,
    orders: usize,
    paid_after: Duration,
    told_after: Duration,
    /// Under load, with the load's own work.
    cpu: Duration,
    store: Calls,
    bot_api_calls: u64,
    to_broker: Counts,
    from_broker: Counts,
    /// So many of the purchases are made once more to count what slows them.
    counted: usize,
    /// Under load, by file. `None`: perf cannot count them here.
    statements: Option<BTreeMap<String, usize>>,
    /// Under load. `None`: there is no strace.
    fsyncs: Option<usize>,
    memory_max_mib: u64,
}

struct Running {
    webhook: Server,
    ledger: Ledger,
    store: CountingDocuments<dyn ShopStore>,
    settled: Arc<Settled>,
    bots: RunningBots,
    next: i64,
}

/// Places and pays orders: half as many one by one, then all over [`CONNECTIONS`] connections, then a quarter of them while
/// statements are counted, and another while fsyncs are. The ledger and other files go into `folder`; orders have numbers from
/// `first` on.
pub async fn measure(parts: &Parts, folder: &Path, orders: usize, first: i64) -> Result<Measured> {
    stock_up(parts.shop.as_ref()).await?;
    let store = CountingDocuments::new(Arc::clone(&parts.shop));
    let shop: Arc<dyn ShopStore> = Arc::new(store.clone());
    let bots = RunningBots::start(Arc::clone(&shop), Arc::clone(&parts.notifications), 1).await?;
    let settled = Arc::new(Settled { bus: Arc::clone(&parts.publisher), orders: AtomicUsize::new(0) });
    let deps = Deps {
        consumer: Arc::clone(&parts.events),
        publisher: settled.clone(),
        documents: shop,
        clock: Arc::new(SystemClock),
    };
    let stop = Stop::new();
    let projector = tokio::spawn(Projector::new(deps, Config::default()).run(stop.clone()));
    let ledger = folder.join("payments.db");
    let (webhook, ledger) = Server::webhook(ledger.into(), Arc::clone(&parts.publisher)).await?;
    let mut running = Running { webhook, ledger, store, settled, bots, next: first };

    let at_rest = running.one_by_one(orders.div_ceil(2)).await?;
    let mut measured = running.under_load(parts, orders, at_rest).await?;
    running.count(folder, &mut measured).await?;
    stop.cancel();
    let Ok(()) = projector.await?;
    let Running { webhook, ledger, bots, .. } = running;
    drop(ledger);
    webhook.close().await?;
    bots.close().await?;
    Ok(measured)
}

impl Running {
    /// So many orders in the shop and in the ledger. Each is of another shopper, who uses no promo code.
    async fn place(&mut self, count: usize) -> Result<Vec<i64>> {
        let numbers: Vec<i64> =
            (self.next..).filter(|number| number % PROMO_EVERY != 0).take(count).collect();
        self.next = numbers.last().map_or(self.next, |last| last + 1);
        fill_carts(&self.store, &numbers).await?;
        let (store, ledger) = (&self.store, &self.ledger);
        stream::iter(&numbers)
            .map(async |number| {
                let order = place(store, *number).await?;
                let new = NewOrder {
                    order_id: order.id,
                    user_id: order.user_id,
                    products: order.products(),
                    amount: order.total,
                    created_at: SystemClock.now(),
                    receipt: None,
                };
                ledger.create_order(new).await?;
                anyhow::Ok(())
            })
            .buffer_unordered(SHOPPERS)
            .try_collect::<()>()
            .await?;
        Ok(numbers)
    }

    async fn one_by_one(&mut self, count: usize) -> Result<Report> {
        let numbers = self.place(count).await?;
        let began = Instant::now();
        let mut took = Vec::new();
        for number in numbers {
            pay_orders(&self.webhook.shop(), &[number], 1).await?;
            let answered = Instant::now();
            let told = self.told(shopper_of(number)?).await?;
            took.push(told.saturating_duration_since(answered));
        }
        Ok(Report::new(took, began.elapsed()))
    }

    /// Until everybody is told: the callbacks, and when the last order was settled and its shopper told.
    async fn pay(&self, numbers: &[i64]) -> Result<(Report, Duration, Duration)> {
        let (began, before) = (Instant::now(), self.settled.orders.load(Ordering::Relaxed));
        let callbacks = pay_orders(&self.webhook.shop(), numbers, CONNECTIONS).await?;
        while self.settled.orders.load(Ordering::Relaxed) < before + numbers.len() {
            ensure!(began.elapsed() < PATIENCE, "the projector does not come to an end");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let settled_after = began.elapsed();
        let mut last = began;
        for number in numbers {
            last = last.max(self.told(shopper_of(*number)?).await?);
        }
        Ok((callbacks, settled_after, last - began))
    }

    async fn told(&self, shopper: UserId) -> Result<Instant> {
        let told = async {
            loop {
                if let Some(told) = self.bots.api.told(shopper.get()) {
                    return told;
                }
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
        };
        tokio::time::timeout(PATIENCE, told).await.with_context(|| format!("{shopper} was not told"))
    }

    /// Waits until each shopper has the message and the order's own message is edited, and for what the bot reads after that.
    async fn edited(&self, calls: u64) -> Result<()> {
        let edited = async {
            while self.bots.api.calls() < calls {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, edited).await.context("orders' messages are not edited")?;
        tokio::time::sleep(Duration::from_millis(500)).await;
        Ok(())
    }

    async fn under_load(&mut self, parts: &Parts, orders: usize, at_rest: Report) -> Result<Measured> {
        let numbers = self.place(orders).await?;
        self.store.reset();
        let broker = || {
            let counts = parts.frames.as_ref().map(|it| (it.to_broker.counts(), it.from_broker.counts()));
            counts.unwrap_or_default()
        };
        let (cpu, calls, frames) = (cpu_time()?, self.bots.api.calls(), broker());
        let (callbacks, paid_after, told_after) = self.pay(&numbers).await?;
        self.edited(calls + 2 * u64::try_from(orders)?).await?;
        let (store, now) = (self.store.calls(), broker());
        Ok(Measured {
            at_rest,
            callbacks,
            orders,
            paid_after,
            told_after,
            cpu: cpu_time()?.saturating_sub(cpu),
            store,
            bot_api_calls: self.bots.api.calls() - calls,
            to_broker: now.0 - frames.0,
            from_broker: now.1 - frames.1,
            counted: (orders / 4).max(1),
            statements: None,
            fsyncs: None,
            memory_max_mib: memory_max_mib()?,
        })
    }

    /// Statements, and then fsyncs: what counts them slows the purchases.
    async fn count(&mut self, folder: &Path, measured: &mut Measured) -> Result<()> {
        let numbers = self.place(measured.counted).await?;
        let log = folder.join("statements");
        let statements = Statements::count_into(&log).await?;
        self.pay(&numbers).await?;
        if let Some(statements) = statements {
            measured.statements = Some(statements.end(&log).await?);
        }
        let log = folder.join("fsyncs");
        if let Some(fsyncs) = Fsyncs::count_into(&log).await? {
            let numbers = self.place(measured.counted).await?;
            let before = std::fs::read_to_string(&log)?.lines().count();
            self.pay(&numbers).await?;
            measured.fsyncs = Some(fsyncs.end(&log).await?.saturating_sub(before));
        }
        Ok(())
    }
}

/// Counts the orders that the projector has settled: it publishes their notifications afterwards, one to each shopper.
#[derive(Debug)]
struct Settled {
    bus: Arc<dyn Publisher>,
    orders: AtomicUsize,
}

#[async_trait]
impl Publisher for Settled {
    async fn publish(&self, window: &[OutgoingMessage]) -> Result<Vec<Published>, PortError> {
        let published = self.bus.publish(window).await?;
        let is_settled = |(message, published): &(&OutgoingMessage, &Published)| {
            message.id.as_str().ends_with("/shopper") && matches!(published, Published::Confirmed)
        };
        let confirmed = window.iter().zip(&published).filter(is_settled).count();
        self.orders.fetch_add(confirmed, Ordering::Relaxed);
        Ok(published)
    }

    async fn is_reachable(&self) -> bool {
        self.bus.is_reachable().await
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let orders = u64::try_from(self.orders).unwrap_or_default().max(1);
        let rate = |after: Duration| u128::from(orders) * 1_000_000 / after.as_micros().max(1);
        writeln!(formatter, "callbacks            {}", self.callbacks)?;
        writeln!(formatter, "settled in the shop  {:>8}/s", rate(self.paid_after))?;
        writeln!(formatter, "told                 {:>8}/s", rate(self.told_after))?;
        writeln!(formatter, "at rest, told        {}", self.at_rest)?;
        let each = |count: u64| format!("{}.{:03}", count / orders, count % orders * 1000 / orders);
        let Counts { frames: frames_to, reads: reads_to } = self.to_broker;
        let Counts { frames: frames_from, reads: reads_from } = self.from_broker;
        writeln!(
            formatter,
            "a purchase: {} store commands ({} writes), {} Bot API calls, {} ms CPU with the load's own",
            each(self.store.total()),
            each(self.store.writes()),
            each(self.bot_api_calls),
            each(u64::try_from(self.cpu.as_millis()).unwrap_or_default()),
        )?;
        let commands: Vec<String> =
            self.store.each().map(|(call, count)| format!("{call} {}", each(count))).collect();
        writeln!(formatter, "            {}", commands.join(", "))?;
        writeln!(
            formatter,
            "            {} AMQP frames in {} segments to the broker, {} in {} from it",
            each(frames_to),
            each(reads_to),
            each(frames_from),
            each(reads_from)
        )?;
        let each = |count: usize| {
            let each = count * 1000 / self.counted;
            format!("{}.{:03}", each / 1000, each % 1000)
        };
        let by_file = self.statements.iter().flatten();
        let statements: Vec<String> =
            by_file.map(|(file, count)| format!("{file} {}", each(*count))).collect();
        let statements = match &self.statements {
            Some(_) => statements.join(", "),
            None => "not counted, perf cannot set a probe".to_owned(),
        };
        writeln!(formatter, "            SQL statements: {statements}")?;
        match self.fsyncs {
            Some(fsyncs) => writeln!(formatter, "            {} fsyncs of this process", each(fsyncs))?,
            None => writeln!(formatter, "            fsyncs are not counted: there is no strace")?,
        }
        write!(formatter, "{orders} purchases; at most {} MiB of memory", self.memory_max_mib)
    }
}
