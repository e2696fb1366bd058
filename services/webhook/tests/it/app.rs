//! A webhook service of its own for each test: own folder, own ledger, own port, own bus, own runtime, so that a test
//! can stop it in good order, kill it, and look into what it left behind.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::Executor;
use time::macros::datetime;
use tokio::{runtime::Runtime, task::JoinHandle};
use tolov_click::{PayLink, SecretKey};
use tolov_kit::{
    clock::{Clock, ManualClock, SystemClock},
    http::TrustedProxies,
    lifecycle::Stop,
    secret::Secret,
};
use tolov_webhook::{
    ClickConfig, Config, Deps, RunError, Service, StartError,
    ledger::{Ledger, LedgerPlace, OpenError, Quota, UnverifiedLimits},
};

pub(crate) use crate::click::API_TOKEN;
use crate::{
    audit::{EventsLeft, Expected, audit},
    bus::RecordingBus,
    click::{SECRET_KEY, SERVICE_ID},
    engine::{Connection, Database, LOCK},
    log_watch,
};

/// How long a stop may take: the accept loop cuts off what is stuck after five seconds.
const STOP_DEADLINE: Duration = Duration::from_secs(9);
/// How long a test waits for something that must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What a test wants otherwise than usual.
#[derive(Debug, Default)]
pub(crate) struct Setup {
    pub(crate) bus: Arc<RecordingBus>,
    pub(crate) order_ttl: Option<Duration>,
    pub(crate) secret_key: Option<&'static str>,
    pub(crate) return_url: Option<&'static str>,
    pub(crate) test_mode: bool,
    pub(crate) trusted_proxies: TrustedProxies,
    /// In place of limits that no ordinary test reaches.
    pub(crate) unverified: Option<UnverifiedLimits>,
    /// The machine's clock in place of one that only the test moves.
    pub(crate) system_clock: bool,
    /// CLICK_MERCHANT_USER_ID is set: CLICK's Merchant API can be called.
    pub(crate) merchant_api: bool,
}

#[derive(Debug)]
pub(crate) struct TestApp {
    pub(crate) bus: Arc<RecordingBus>,
    pub(crate) clock: ManualClock,
    pub(crate) http: reqwest::Client,
    pub(crate) database: Database,
    setup: Setup,
    running: Option<Running>,
    pub(crate) sent: AtomicI64,
    pub(crate) decided: AtomicI64,
    events_may_wait: bool,
    events: EventsLeft,
    finished: bool,
}

#[derive(Debug)]
struct Running {
    addr: SocketAddr,
    stop: Stop,
    ended: JoinHandle<Result<(), RunError>>,
    /// Given up before a stop.
    ledger: Option<Ledger>,
    runtime: Option<Runtime>,
}

impl Drop for Running {
    /// Ends every task where it stands, as a dying process does.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        assert!(self.finished || std::thread::panicking(), "every test ends with finish()");
    }
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::start_with(Setup::default()).await
    }

    pub(crate) async fn start_with(setup: Setup) -> Self {
        Self::start_in(Database::new().await, setup).await
    }

    /// Starts on whatever ledger is there.
    pub(crate) async fn start_in(database: Database, setup: Setup) -> Self {
        log_watch::install();
        let mut app = Self {
            bus: Arc::clone(&setup.bus),
            clock: ManualClock::new(datetime!(2026-11-23 12:00 UTC)),
            http: reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap(),
            database,
            setup,
            running: None,
            sent: AtomicI64::new(0),
            decided: AtomicI64::new(0),
            events_may_wait: false,
            events: EventsLeft::All,
            finished: false,
        };
        app.start_again().await;
        app
    }

    pub(crate) fn config(&self) -> Config {
        config(self.place(), &self.setup)
    }

    pub(crate) fn place(&self) -> LedgerPlace {
        self.database.place()
    }

    /// Starts on the same ledger, with the same bus and clock.
    pub(crate) async fn start_again(&mut self) {
        let mut runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let started = Instant::now();
        let service = loop {
            let clock: Arc<dyn Clock> =
                if self.setup.system_clock { Arc::new(SystemClock) } else { Arc::new(self.clock.clone()) };
            let deps = Deps { bus: self.bus.clone(), clock };
            let config = self.config();
            let building = tokio::task::spawn_blocking(move || {
                let built = runtime.block_on(Service::new(config, deps));
                (runtime, built)
            });
            let (same_runtime, built) = building.await.unwrap();
            runtime = same_runtime;
            match built {
                // The tasks of a service that was killed are still being dropped.
                Err(StartError::Ledger(OpenError::Locked(_))) if started.elapsed() < PATIENCE => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                built => break built.unwrap(),
            }
        };
        let (addr, stop, ledger) = (service.addr(), Stop::new(), Some(service.ledger()));
        let ended = runtime.spawn(service.run(stop.clone()));
        self.running = Some(Running { addr, stop, ended, ledger, runtime: Some(runtime) });
    }

    fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.running().addr
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        self.running().ledger.as_ref().unwrap()
    }

    /// A second connection to the ledger.
    pub(crate) async fn file(&self) -> Connection {
        self.database.connect().await
    }

    /// Keeps the service from committing until the connection says COMMIT or is dropped.
    pub(crate) async fn hold_the_write_lock(&self) -> Connection {
        let mut file = self.file().await;
        file.execute(sqlx::raw_sql(LOCK)).await.unwrap();
        file
    }

    /// Asks the service to stop, without waiting.
    pub(crate) fn ask_to_stop(&self) {
        self.running().stop.cancel();
    }

    /// Stops in good order, within the deadline.
    pub(crate) async fn stop(&mut self) {
        let mut running = self.running.take().unwrap();
        running.ledger = None;
        running.stop.cancel();
        let ended = tokio::time::timeout(STOP_DEADLINE, &mut running.ended).await;
        assert!(ended.is_ok(), "the service did not end within {STOP_DEADLINE:?}");
        ended.unwrap().unwrap().unwrap();
    }

    /// Waits until the service ends by itself, and returns why.
    pub(crate) async fn ended(&mut self) -> RunError {
        let mut running = self.running.take().unwrap();
        running.ledger = None;
        let ended = tokio::time::timeout(PATIENCE, &mut running.ended).await;
        ended.unwrap().unwrap().unwrap_err()
    }

    /// Drops every task of the service where it stands.
    pub(crate) fn kill(&mut self) {
        self.running = None;
    }

    /// For a test at whose end events wait for a bus that does not take them.
    pub(crate) fn events_may_wait(&mut self) {
        self.events_may_wait = true;
    }

    /// For a test that prunes the outbox.
    pub(crate) fn events_may_be_pruned(&mut self) {
        self.events = EventsLeft::Some;
    }

    /// For a test at whose end payments have no event any more.
    pub(crate) fn events_are_gone(&mut self) {
        self.events = EventsLeft::NotThoseOfPayments;
    }

    /// Counts callbacks that this test sent by other means, or to an earlier service on this ledger.
    pub(crate) fn count_callbacks(&self, sent: i64, decided: i64) {
        self.sent.fetch_add(sent, Ordering::Relaxed);
        self.decided.fetch_add(decided, Ordering::Relaxed);
    }

    pub(crate) async fn until_the_outbox_is_empty(&self) {
        let ledger = self.ledger();
        wait_until("the outbox is empty", async || ledger.outbox_status().await.unwrap().depth == 0).await;
    }

    /// The end of every test.
    pub(crate) async fn finish(mut self) {
        if self.running.is_some() {
            if !self.events_may_wait {
                self.until_the_outbox_is_empty().await;
            }
            self.stop().await;
        }
        let expected = Expected {
            sent: self.sent.load(Ordering::Relaxed),
            decided: self.decided.load(Ordering::Relaxed),
            outbox_is_empty: !self.events_may_wait,
            events: self.events,
        };
        audit(&self.database, expected, &self.bus.confirmed()).await;
        assert_eq!(log_watch::leaks(), Vec::<String>::new(), "secrets in the log");
        self.finished = true;
    }
}

pub(crate) fn config(ledger: LedgerPlace, setup: &Setup) -> Config {
    Config {
        addr: SocketAddr::from(([127, 0, 0, 1], 0)),
        ledger,
        api_token: Secret::new(API_TOKEN),
        click: ClickConfig {
            secret_key: SecretKey::new(setup.secret_key.unwrap_or(SECRET_KEY)),
            test_mode: setup.test_mode,
            pay_link: PayLink {
                pay_page: "https://my.click.uz/services/pay".to_owned(),
                service_id: SERVICE_ID,
                merchant_id: 678,
                merchant_user_id: setup.merchant_api.then_some(4321),
                return_url: setup.return_url.map(str::to_owned),
            },
        },
        order_ttl: setup.order_ttl,
        trusted_proxies: setup.trusted_proxies.clone(),
        unverified: setup.unverified.unwrap_or_else(generous),
    }
}

/// Limits within which everything that a test sends is kept.
pub(crate) fn generous() -> UnverifiedLimits {
    let quota = Quota { rows: u32::MAX, bytes: usize::MAX };
    UnverifiedLimits {
        peer_minute: quota,
        peer_day: quota,
        minute: quota,
        rows_max: u32::MAX,
        disk_reserve_bytes: 0,
        ..UnverifiedLimits::default()
    }
}

/// Waits for the thing itself, for as long as a slow machine may need.
pub(crate) async fn wait_until(what: &str, condition: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !condition().await {
        assert!(started.elapsed() < PATIENCE, "still waiting: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
