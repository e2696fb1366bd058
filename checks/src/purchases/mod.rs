//! Purchases as shoppers make them: a cart with a hot product and another one, now and then a promo code, an order that
//! holds its stock, and CLICK's payment of it through the projector.

mod bot;
mod bus;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use tolov_contract::counting::{Calls, CountingDocuments};
use tolov_domain::{
    ClickPaydocId, ClickTransId, Event, EventKind, OrderId, OrderedProduct, Phone, PrepareId, ProductId,
    Tiyin, UserId,
    ports::{ShopStore, documents::Documents},
};
use tolov_kit::{
    clock::{Clock, SystemClock},
    lifecycle::Stop,
};
use tolov_projector::{Config, Deps, Projector};
use tolov_shop::{
    catalogue::{Product, product},
    order::{Delivery, PaymentLink, ShopOrder, Stock},
    promo::{Off, PromoCode},
    records,
    shopper::{
        self, cart,
        checkout::{self, Agreement, Placed},
    },
};

use self::bot::RunningBots;
pub(crate) use self::bus::MemoryBus;

/// In every cart.
const HOT: i64 = 1;
const OTHERS: i64 = 200;
const STOCK: u32 = 1_000_000;
const CODE: &str = "BENCH";
/// One order in this many uses the promo code.
const PROMO_EVERY: i64 = 10;
/// Shoppers who check out at the same time.
const SHOPPERS: usize = 16;
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
    let bots = RunningBots::start(Arc::new(counted.clone()), side_by_side).await?;
    let (bus, stop) = (Arc::new(MemoryBus::default()), Stop::new());
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
            bots.bus.deliver(message.id, message.schema, message.body);
            purchases.notifications += 1;
        }
        until_done(&bots.bus, purchases.notifications).await?;
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
    Ok(purchases)
}

async fn until_done(bus: &MemoryBus, count: usize) -> Result<()> {
    while bus.done() < count {
        ensure!(bus.undone().is_empty(), "not done: {:?}", bus.undone());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

async fn stock_up(shop: &dyn Documents) -> Result<()> {
    for number in HOT..=HOT + OTHERS {
        let product = Product {
            title: format!("Product {number}"),
            price: Tiyin::from_soum(15_000)?,
            stock: Some(STOCK),
            ..Product::new(id(number)?, 1)
        };
        records::insert(shop, &product.seal()).await?;
    }
    let code = PromoCode {
        code: CODE.to_owned(),
        off: Off::Percent(10),
        goods_min: Tiyin::ZERO,
        uses_max: tolov_shop::promo::USES_MAX,
        uses_per_shopper_max: 1,
        expires_at: None,
        active: true,
        uses: Vec::new(),
    };
    records::insert(shop, &code).await?;
    Ok(())
}

async fn fill_carts(shop: &dyn Documents, wave: &[i64]) -> Result<()> {
    for number in wave {
        for article in [HOT, HOT + 1 + number % OTHERS] {
            let line = OrderedProduct { product_id: id(article)?, count: 1 };
            cart::set(shop, shopper_of(*number)?, line).await?;
        }
        if number % PROMO_EVERY == 0 {
            let code = Some(CODE.to_owned());
            shopper::change(shop, shopper_of(*number)?, |shopper| shopper.promo_code.clone_from(&code))
                .await?;
        }
    }
    Ok(())
}

/// Checks out as the bot does it; the ledger is left out.
async fn place(shop: &dyn Documents, number: i64) -> Result<ShopOrder> {
    let (user_id, order_id, now) = (shopper_of(number)?, OrderId::try_new(number)?, SystemClock.now());
    let agreement = Agreement {
        user_id,
        quote: cart::quote(shop, user_id, now).await?,
        delivery: Delivery::Pickup,
        delivery_price: Tiyin::ZERO,
        phone: Phone::parse("+998901234567").context("a phone number")?,
        comment: None,
    };
    let placed = checkout::place(shop, order_id, &agreement, now).await?;
    ensure!(matches!(placed, Placed::Order(_)), "order {number}: {placed:?}");
    let link = PaymentLink { url: "https://my.click.uz/services/pay".to_owned(), pay_until: None };
    let registered = checkout::registered(shop, order_id, &link, now).await?;
    Ok(registered.context("an order was not registered")?.0)
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

fn id(number: i64) -> Result<ProductId> {
    Ok(ProductId::try_new(number)?)
}

fn shopper_of(number: i64) -> Result<UserId> {
    Ok(UserId::try_new(5_000 + number)?)
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
        write!(formatter, "{} purchases, {} notifications", self.count, self.notifications)
    }
}
