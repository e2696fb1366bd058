//! Purchases as shoppers make them: a cart with a hot product and another one, now and then a promo code, an order that
//! holds its stock, and CLICK's payment of it through the projector.

pub(crate) mod bot;
mod bus;
pub(crate) mod placing;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use tolov_contract::counting::{Calls, CountingDocuments};
use tolov_domain::{ClickPaydocId, ClickTransId, Event, EventKind, PrepareId, ports::ShopStore};
use tolov_kit::{
    clock::{Clock, SystemClock},
    lifecycle::Stop,
};
use tolov_projector::{Config, Deps, Projector};
use tolov_shop::{
    catalogue::product,
    order::{ShopOrder, Stock},
    records,
};

pub(crate) use self::bus::MemoryBus;
use self::{
    bot::RunningBots,
    placing::{HOT, SHOPPERS, STOCK, fill_carts, id, place, stock_up},
};

/// So many batches wait at once, so that several projectors have something to do.
const BATCHES_AT_ONCE: usize = 4;

/// What a run measured.
#[derive(Debug, Default)]
pub struct Purchases {
    count: i64,
    placing: Phase,
    paying: Phase,
    telling: Phase,
    notifications: usize,
    /// Deliveries that a projector or a bot wanted again later.
    again: usize,
}

#[derive(Debug, Default)]
struct Phase {
    took: Duration,
    calls: u64,
    writes: u64,
}

impl Phase {
    fn add(&mut self, began: Instant, calls: &Calls) {
        self.took += began.elapsed();
        self.calls += calls.total();
        self.writes += calls.writes();
    }
}

/// Places and pays orders in waves of a few batches; `batch` is how many events a projector takes at once. So many projectors as
/// `side_by_side` settle them, and as many bots tell shoppers and staff. Commands of the bots' other work fall into whatever phase
/// they meet.
pub async fn measure(
    store: Arc<dyn ShopStore>,
    orders: i64,
    batch: usize,
    side_by_side: usize,
) -> Result<Purchases> {
    stock_up(store.as_ref()).await?;
    let counted = CountingDocuments::new(store);
    let (bus, notifications, stop) =
        (Arc::new(MemoryBus::default()), Arc::new(MemoryBus::default()), Stop::new());
    let bots = RunningBots::start(Arc::new(counted.clone()), notifications.clone(), side_by_side).await?;
    let projectors: Vec<_> = (0..side_by_side)
        .map(|_| {
            let deps = Deps {
                consumer: bus.clone(),
                publisher: bus.clone(),
                documents: Arc::new(counted.clone()),
                clock: Arc::new(SystemClock),
            };
            let projector = Projector::new(deps, Config { batch_max: batch, ..Config::default() });
            tokio::spawn(projector.run(stop.clone()))
        })
        .collect();
    let mut purchases = Purchases::default();
    let numbers: Vec<i64> = (1..=orders).collect();
    for wave in numbers.chunks(batch * BATCHES_AT_ONCE) {
        fill_carts(&counted, wave).await?;
        counted.reset();
        let began = Instant::now();
        let placed: Vec<ShopOrder> = stream::iter(wave)
            .map(|number| place(&counted, *number))
            .buffered(SHOPPERS)
            .try_collect()
            .await?;
        purchases.placing.add(began, &counted.calls());
        let events: Vec<Event> = placed.iter().map(completed).collect::<Result<_>>()?;
        let paid = bus.done() + events.len();
        counted.reset();
        let began = Instant::now();
        for event in events {
            bus.deliver(event.id.clone(), event.kind.schema(), event.to_json());
        }
        until_done(&bus, paid).await?;
        purchases.paying.add(began, &counted.calls());
        counted.reset();
        let began = Instant::now();
        for message in bus.take_published() {
            notifications.deliver(message.id, message.schema, message.body);
            purchases.notifications += 1;
        }
        until_done(&notifications, purchases.notifications).await?;
        purchases.telling.add(began, &counted.calls());
        purchases.count += i64::try_from(wave.len())?;
        for order in placed {
            let order: ShopOrder =
                records::read(&counted, order.id.get()).await?.context("an order is missing")?;
            ensure!(order.is_paid() && order.stock == Stock::Committed, "not settled: {order:?}");
        }
    }
    let hot = product(&counted, id(HOT)?).await?.context("the hot product is missing")?;
    ensure!(hot.stock == Some(STOCK - u32::try_from(orders)?), "left of the hot product: {:?}", hot.stock);
    stop.cancel();
    for projector in projectors {
        let Ok(()) = projector.await?;
    }
    bots.close().await?;
    purchases.again = bus.again() + notifications.again();
    Ok(purchases)
}

async fn until_done(bus: &MemoryBus, count: usize) -> Result<()> {
    while bus.done() < count {
        ensure!(bus.parked().is_empty(), "parked: {:?}", bus.parked());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

/// What the ledger tells when CLICK has taken the money.
fn completed(order: &ShopOrder) -> Result<Event> {
    let number = order.id.get();
    let kind = EventKind::PaymentCompleted {
        click_trans_id: ClickTransId::try_new(9_000_000_000 + number)?,
        click_paydoc_id: ClickPaydocId::try_new(number)?,
        merchant_prepare_id: PrepareId::try_new(number)?,
        late: false,
    };
    Ok(Event {
        id: Event::id_of(order.id, &kind),
        order_id: order.id,
        user_id: order.user_id,
        products: order.products(),
        amount: order.total,
        occurred_at: SystemClock.now(),
        kind,
    })
}

impl fmt::Display for Purchases {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = u64::try_from(self.count).unwrap_or_default().max(1);
        let line = |phase: &Phase| {
            let rate = u128::from(count) * 1_000_000 / phase.took.as_micros().max(1);
            let each = |calls: u64| format!("{}.{:03}", calls / count, calls % count * 1000 / count);
            format!(
                "{rate:>7}/s   {:>7} commands, {:>7} of them writes",
                each(phase.calls),
                each(phase.writes)
            )
        };
        writeln!(formatter, "placed {}", line(&self.placing))?;
        writeln!(formatter, "paid   {}", line(&self.paying))?;
        writeln!(formatter, "told   {}", line(&self.telling))?;
        let Self { count, notifications, again, .. } = self;
        write!(
            formatter,
            "{count} purchases, {notifications} notifications, {again} deliveries that came again"
        )
    }
}
