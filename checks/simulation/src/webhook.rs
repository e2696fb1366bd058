//! The webhook service as a process that is started, asked, killed and restored. Its ledger is the real one, on a file.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use tolov_click::{PayLink, SecretKey};
use tolov_domain::time::Timestamp;
use tolov_kit::{clock::Clock, http::TrustedProxies, secret::Secret};
use tolov_webhook::{
    ClickConfig, Config, Deps, Steps,
    ledger::{
        KnownRefund, Ledger, OpenError, PaidOrder, UnverifiedLimits, backup,
        restore::{Place, Restore, numbers_of, ready},
    },
    relay::Relayed,
};
use tower_service::Service;

use crate::{
    clock::{PatientRuntime, SimulatedClock},
    faults::{Faults, Process},
    faulty::FaultyPublisher,
    models::click::{SECRET_KEY, SERVICE_ID},
};

const API_TOKEN: &str = "the token of the simulation";
pub(crate) const ORDER_TTL: Duration = Duration::from_mins(30);
/// The events of one closed window, as the relay takes them.
const WINDOW: u32 = 512;

/// A millisecond apart.
const UNLOCKED_TRIES: usize = 10_000;

/// A migrated ledger without orders, so that not every run has to make one.
#[derive(Debug, Clone)]
pub struct EmptyLedger(Arc<Vec<u8>>);

impl EmptyLedger {
    pub fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("payments.db");
        PatientRuntime::new()?.block_on(async {
            let (ledger, writer) = Ledger::open(&path, UnverifiedLimits::default()).await?;
            drop(ledger);
            writer.close().await;
            anyhow::Ok(())
        })?;
        Ok(Self(Arc::new(fs::read(path)?)))
    }
}

#[derive(Debug)]
pub(crate) struct Webhook {
    ledger_path: PathBuf,
    publisher: Arc<FaultyPublisher>,
    faults: Faults,
    clock: SimulatedClock,
    running: Option<Running>,
    backup_made_at: Option<Timestamp>,
}

/// Dropped, the process is dead: its tasks end where they stand.
#[derive(Debug)]
struct Running {
    steps: Steps,
    runtime: PatientRuntime,
}

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// What became of a request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// What the service answered, whether or not anybody heard it. `None`: it died before.
    pub(crate) answer: Option<Answer>,
    pub(crate) is_heard: bool,
}

impl Asked {
    pub(crate) fn heard(self) -> Option<Answer> {
        self.answer.filter(|_| self.is_heard)
    }
}

/// The threads of a process that was killed need a moment to let go of the file.
fn once_unlocked<T>(mut open: impl FnMut() -> Result<T, OpenError>) -> Result<T> {
    for _ in 0..UNLOCKED_TRIES {
        match open() {
            Ok(opened) => return Ok(opened),
            Err(OpenError::Locked(_)) => std::thread::sleep(Duration::from_millis(1)),
            Err(error) => return Err(error.into()),
        }
    }
    bail!("the ledger stays locked")
}

async fn answer(steps: &Steps, method: &str, path: &str, body: String) -> Result<Answer> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {API_TOKEN}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from(body)))?;
    let Ok(response) = warp::service(steps.routes.clone()).call(request).await;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.ok().context("the body of an answer")?;
    let body = serde_json::from_slice(&body.to_bytes()).unwrap_or(Value::Null);
    Ok(Answer { status, body })
}

impl Webhook {
    pub(crate) fn new(
        folder: &Path,
        empty: &EmptyLedger,
        publisher: FaultyPublisher,
        clock: SimulatedClock,
    ) -> Result<Self> {
        let ledger_path = folder.join("payments.db");
        fs::write(&ledger_path, empty.0.as_slice())?;
        let faults = publisher.faults.clone();
        let publisher = Arc::new(publisher);
        Ok(Self { ledger_path, publisher, faults, clock, running: None, backup_made_at: None })
    }

    pub(crate) fn kill(&mut self) {
        self.running = None;
        self.faults.bury(Process::Webhook);
    }

    /// Starts the service where it is not running.
    fn running(&mut self) -> Result<&mut Running> {
        let running = match self.running.take() {
            Some(running) => running,
            None => self.start()?,
        };
        Ok(self.running.insert(running))
    }

    fn start(&self) -> Result<Running> {
        let config = Config {
            addr: ([127, 0, 0, 1], 0).into(),
            trusted_proxies: TrustedProxies::default(),
            ledger: (&self.ledger_path).into(),
            api_token: Secret::new(API_TOKEN),
            click: ClickConfig {
                secret_key: SecretKey::new(SECRET_KEY),
                test_mode: false,
                pay_link: PayLink {
                    pay_page: "https://my.click.uz/services/pay".to_owned(),
                    service_id: SERVICE_ID,
                    merchant_id: 1,
                    merchant_user_id: Some(1),
                    return_url: None,
                },
            },
            order_ttl: Some(ORDER_TTL),
            unverified: UnverifiedLimits::default(),
        };
        let runtime = PatientRuntime::new()?;
        let steps = once_unlocked(|| {
            let deps = Deps { bus: self.publisher.clone(), clock: Arc::new(self.clock.clone()) };
            runtime.block_on(Steps::open(config.clone(), deps))
        })?;
        Ok(Running { steps, runtime })
    }

    /// Asks the service. It may die before or after, and its answer may be lost.
    pub(crate) fn ask(&mut self, method: &str, path: &str, body: String) -> Result<Asked> {
        let asked = self.ask_all(method, path, &[body])?;
        asked.into_iter().next().context("an answer for each request")
    }

    /// Several requests at the same moment.
    pub(crate) fn ask_all(&mut self, method: &str, path: &str, bodies: &[String]) -> Result<Vec<Asked>> {
        let (dies_before, dies_after, is_lost) = self.faults.draw(|random, rates| {
            (random.per_mille(rates.crash), random.per_mille(rates.crash), random.per_mille(rates.lose))
        });
        if dies_before {
            self.kill();
            return Ok(vec![Asked { answer: None, is_heard: false }; bodies.len()]);
        }
        let Running { steps, runtime } = self.running()?;
        let answers = bodies.iter().map(|body| answer(steps, method, path, body.clone()));
        let answers = runtime.block_on(futures_util::future::try_join_all(answers))?;
        if dies_after {
            self.kill();
        }
        let is_heard = !dies_after && !is_lost;
        Ok(answers.into_iter().map(|answer| Asked { answer: Some(answer), is_heard }).collect())
    }

    /// One window of the relay. `None`: the service died of it.
    pub(crate) fn relay(&mut self) -> Result<Option<Relayed>> {
        let faults = self.faults.clone();
        let Running { steps, runtime } = self.running()?;
        let relayed = runtime.block_on(async {
            tokio::select! {
                biased;
                relayed = steps.relay.relay_once(WINDOW) => Some(relayed),
                () = faults.death_of(Process::Webhook) => None,
            }
        });
        if relayed.is_none() {
            self.kill();
        }
        Ok(relayed)
    }

    pub(crate) fn maintain(&mut self) -> Result<()> {
        let Running { steps, runtime } = self.running()?;
        runtime.block_on(steps.maintenance.round());
        Ok(())
    }

    /// Reads the ledger without faults.
    pub(crate) fn read<T>(&mut self, read: impl AsyncFnOnce(&Ledger) -> Result<T>) -> Result<T> {
        let Running { steps, runtime } = self.running()?;
        runtime.block_on(read(&steps.ledger))
    }

    /// The same where the service runs: a ledger that nobody has open is as it was.
    pub(crate) fn look<T>(&self, read: impl AsyncFnOnce(&Ledger) -> Result<T>) -> Result<Option<T>> {
        let Some(Running { steps, runtime }) = &self.running else { return Ok(None) };
        runtime.block_at_once_on(read(&steps.ledger)).map(Some)
    }

    pub(crate) fn ledger_path(&self) -> &Path {
        &self.ledger_path
    }

    pub(crate) fn block_on<T>(&mut self, work: impl Future<Output = T>) -> Result<T> {
        Ok(self.running()?.runtime.block_on(work))
    }

    pub(crate) fn back_up(&mut self) -> Result<()> {
        let (ledger, copy) = (self.ledger_path.clone(), self.copy());
        if copy.exists() {
            fs::remove_file(&copy)?;
        }
        self.backup_made_at = Some(self.clock.now());
        self.block_on(backup::copy(&ledger, &copy))??;
        Ok(())
    }

    /// Loses the ledger and puts the last backup in its place, with what other stores know to be paid and to have gone back.
    /// `false`: there is no backup.
    pub(crate) fn restore(&mut self, paid: Vec<PaidOrder>, refunds: Vec<KnownRefund>) -> Result<bool> {
        let Some(backup_made_at) = self.backup_made_at else { return Ok(false) };
        self.kill();
        let readied = self.ledger_path.with_extension("restored");
        fs::copy(self.copy(), &readied)?;
        let (place, now) = (once_unlocked(|| Place::take(&self.ledger_path))?, self.clock.now());
        PatientRuntime::new()?.block_on(async {
            let replaced = numbers_of(place.path()).await;
            let restore = Restore { at: now, backup_made_at, replaced, beyond_click_int: true };
            ready(&readied, restore).await?;
            let (ledger, writer) = Ledger::open(&readied, UnverifiedLimits::default()).await?;
            ledger.adopt_paid(paid, now).await?;
            ledger.adopt_refunds(refunds).await?;
            ledger.leave_open_refunds_to_staff(now).await?;
            drop(ledger);
            writer.close().await;
            anyhow::Ok(())
        })?;
        for ending in ["-wal", "-shm"] {
            let mut beside = self.ledger_path.clone().into_os_string();
            beside.push(ending);
            drop(fs::remove_file(beside));
        }
        fs::rename(&readied, &self.ledger_path)?;
        Ok(true)
    }

    fn copy(&self) -> PathBuf {
        self.ledger_path.with_extension("backup")
    }
}
