//! A shop with all its processes, on simulated time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use anyhow::Result;
use tempfile::TempDir;
use tokio::{runtime::Runtime, task::JoinHandle};
use tolov_bot::Service;
use tolov_contract::random::Random;
use tolov_domain::{
    OrderId, ProductId, Tiyin, UserId,
    ports::{bus::Queue, documents::Query},
};
use tolov_kit::{lifecycle::Stop, secret::Secret};
use tolov_projector::Projector;
use tolov_shop::{
    catalogue::Product,
    order::{ORDERS, ShopOrder},
    records,
    shopper::{Shopper, USERS, checkout::Agreement},
};

use crate::{
    bus::MemoryBus,
    clock::SimulatedClock,
    faults::{Faults, Process, Rates},
    faulty::{FaultyConsumer, FaultyPublisher, FaultyStore},
    models::{
        carts::Carts,
        click::Click,
        telegram::{STAFF_CHANNEL, Telegram},
    },
    plan::Plan,
    refunds::Refunds,
    store::{MemoryStore, StoreCopy},
    webhook::{EmptyLedger, Webhook},
};

pub(crate) const SHOPPERS: [i64; 3] = [501, 502, 503];

/// A dump of the shop store, with the orders of the dialogues in it.
#[derive(Clone)]
pub(crate) struct ShopCopy {
    pub(crate) store: StoreCopy,
    pub(crate) drafts: BTreeMap<OrderId, Agreement>,
}

pub(crate) struct World {
    pub(crate) clock: SimulatedClock,
    pub(crate) faults: Faults,
    pub(crate) rates: Rates,
    pub(crate) bus: MemoryBus,
    pub(crate) store: MemoryStore,
    pub(crate) telegram: Arc<Telegram>,
    pub(crate) carts: Carts,
    pub(crate) webhook: Webhook,
    pub(crate) click: Click,
    pub(crate) refunds: Refunds,
    /// Orders that shoppers are about to place, as their dialogues remember them.
    pub(crate) drafts: BTreeMap<OrderId, Agreement>,
    /// The last dump of the shop store.
    pub(crate) shop_copy: Option<ShopCopy>,
    /// The shop store was put back from a dump.
    pub(crate) is_shop_put_back: bool,
    /// The stock of each product at first.
    pub(crate) stock: BTreeMap<ProductId, u32>,
    /// Payments that the webhook service has answered as paid, by order, with their transaction.
    pub(crate) confirmed: BTreeMap<i64, i64>,
    /// By which attempt the ledger has these orders paid, where that was looked at.
    pub(crate) paid_by: BTreeMap<i64, i64>,
    /// Money that CLICK took and the webhook service did not place, by order, with its transaction.
    pub(crate) unplaced: BTreeSet<(i64, i64)>,
    /// Orders whose payment a restore has lost: only CLICK's cabinet knows it.
    pub(crate) lost: BTreeSet<i64>,
    /// What happened, for whoever reads a failure.
    pub(crate) history: Vec<String>,
    pub(crate) runtime: Runtime,
    projector: Option<JoinHandle<()>>,
    notifier: Option<JoinHandle<()>>,
    _folder: TempDir,
}

impl World {
    pub(crate) fn new(plan: &Plan, empty: &EmptyLedger) -> Result<Self> {
        let folder = memory_backed_folder()?;
        // All processes run on this thread.
        fastrand::seed(plan.seed);
        let clock = SimulatedClock::default();
        let faults = Faults::new(clock.clone());
        let (bus, store) = (MemoryBus::default(), MemoryStore::default());
        let telegram = Arc::new(Telegram::new(store.clone(), faults.clone()));
        let publisher =
            FaultyPublisher { bus: bus.clone(), faults: faults.clone(), process: Process::Webhook };
        let faults_of_merchant = faults.clone();
        let webhook = Webhook::new(folder.path(), empty, publisher, clock.clone())?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
        let mut world = Self {
            clock,
            faults,
            rates: plan.rates,
            bus,
            store,
            telegram,
            carts: Carts::default(),
            webhook,
            click: Click::default(),
            refunds: Refunds::new(faults_of_merchant),
            drafts: BTreeMap::new(),
            shop_copy: None,
            is_shop_put_back: false,
            stock: BTreeMap::new(),
            confirmed: BTreeMap::new(),
            paid_by: BTreeMap::new(),
            unplaced: BTreeSet::new(),
            lost: BTreeSet::new(),
            history: Vec::new(),
            runtime,
            projector: None,
            notifier: None,
            _folder: folder,
        };
        world.open_shop(plan.seed)?;
        Ok(world)
    }

    fn open_shop(&mut self, seed: u64) -> Result<()> {
        let mut random = Random::new(seed ^ 0x5403);
        for number in 1..=1 + random.below(3) {
            let id = ProductId::try_new(i64::try_from(number)?)?;
            let stock = u32::try_from(random.below(9))?;
            let product = Product {
                title: format!("Product {number}"),
                price: Tiyin::from_soum(i64::try_from(1_000 * number)?)?,
                stock: Some(stock),
                ..Product::new(id, 1)
            };
            self.runtime.block_on(records::insert(&self.store, &product.seal()))?;
            self.stock.insert(id, stock);
        }
        Ok(())
    }

    pub(crate) fn note(&mut self, what: impl Into<String>) {
        self.history.push(what.into());
    }

    /// The store as a process of the bot's sees it.
    pub(crate) fn bots_store(&self) -> Arc<FaultyStore> {
        self.store_of(Process::Bot)
    }

    fn store_of(&self, process: Process) -> Arc<FaultyStore> {
        let (store, faults) = (self.store.clone(), self.faults.clone());
        let (telegram, carts) = (self.telegram.clone(), self.carts.clone());
        Arc::new(FaultyStore { store, faults, process, telegram, carts })
    }

    fn consumer(&self, queue: Queue, process: Process) -> Arc<FaultyConsumer> {
        Arc::new(FaultyConsumer { consumer: self.bus.consumer(queue), faults: self.faults.clone(), process })
    }

    /// Starts the processes that are not running.
    fn start(&mut self) -> Result<()> {
        // What they note of the time when they are made is simulated time too.
        let runtime = self.runtime.handle().clone();
        let _entered = runtime.enter();
        if self.projector.is_none() {
            let publisher = FaultyPublisher {
                bus: self.bus.clone(),
                faults: self.faults.clone(),
                process: Process::Projector,
            };
            let deps = tolov_projector::Deps {
                consumer: self.consumer(Queue::ProjectorPayments, Process::Projector),
                publisher: Arc::new(publisher),
                documents: self.store_of(Process::Projector),
                clock: Arc::new(self.clock.clone()),
            };
            let projector = Projector::new(deps, tolov_projector::Config::default());
            self.projector = Some(self.runtime.spawn(async move {
                let Ok(()) = projector.run(Stop::new()).await;
            }));
        }
        if self.notifier.is_none() {
            let nowhere = "http://127.0.0.1:9/".parse()?;
            let config = tolov_bot::Config::new(
                Secret::new("1:simulation"),
                STAFF_CHANNEL.parse()?,
                nowhere,
                Secret::new("simulation"),
            );
            let deps = tolov_bot::Deps {
                consumer: self.consumer(Queue::BotNotifications, Process::Bot),
                shop: self.bots_store(),
                clock: Arc::new(self.clock.clone()),
                trace: None,
            };
            let service = Service::with_stand_in(config, &deps, self.telegram.clone())?;
            self.notifier = Some(self.runtime.spawn(service.notify(Stop::new())));
        }
        Ok(())
    }

    /// Kills a process; it is started again when time goes on.
    pub(crate) fn kill(&mut self, process: Process) {
        let task = match process {
            Process::Webhook => return self.webhook.kill(),
            Process::Projector => self.projector.take(),
            Process::Bot => self.notifier.take(),
            Process::Reconciler => None,
        };
        if let Some(task) = task {
            task.abort();
            drop(self.runtime.block_on(task));
        }
        if process == Process::Bot {
            self.telegram.bot_died();
        }
        self.faults.bury(process);
    }

    fn bury_the_dead(&mut self) {
        for process in [Process::Projector, Process::Bot] {
            if self.faults.has_crashed(process) {
                self.note(format!("  {process:?} died"));
                self.kill(process);
            }
        }
    }

    /// Lets time pass, in which projector and notifier work.
    pub(crate) fn run(&mut self, time: Duration) -> Result<()> {
        self.start()?;
        let clock = self.clock.clone();
        self.runtime.block_on(clock.run(async { tokio::time::sleep(time).await }));
        self.bury_the_dead();
        Ok(())
    }

    /// Does something in the bot's process, beside its notifier. `None`: the process died of it.
    pub(crate) fn in_bot<T: Send + 'static>(
        &mut self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<Option<T>> {
        self.start()?;
        let (clock, faults) = (self.clock.clone(), self.faults.clone());
        let task = self.runtime.spawn(work);
        let stop = task.abort_handle();
        let done = self.runtime.block_on(clock.run(async move {
            tokio::select! {
                biased;
                done = task => done.ok(),
                () = faults.death_of(Process::Bot) => None,
            }
        }));
        stop.abort();
        self.bury_the_dead();
        Ok(done)
    }

    /// Reads the store without faults.
    pub(crate) fn look<T>(&self, look: impl Future<Output = T>) -> T {
        self.runtime.block_on(look)
    }

    pub(crate) fn orders(&self) -> Result<Vec<ShopOrder>> {
        Ok(self.look(records::find(&self.store, &Query::all(ORDERS, 500)))?)
    }

    pub(crate) fn shoppers(&self) -> Result<Vec<Shopper>> {
        Ok(self.look(records::find(&self.store, &Query::all(USERS, 500)))?)
    }

    pub(crate) fn shopper(random: &mut Random) -> Result<UserId> {
        Ok(UserId::try_new(random.pick(&SHOPPERS).unwrap_or(501))?)
    }
}

pub(crate) fn order_id(number: i64) -> Result<OrderId> {
    Ok(OrderId::try_new(number)?)
}

/// In memory where the machine offers that: what is simulated is not the disk.
fn memory_backed_folder() -> Result<TempDir> {
    let memory = std::path::Path::new("/dev/shm");
    Ok(tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir())?)
}
