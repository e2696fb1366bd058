//! A real process is killed in mid-work, and the next one finds everything that was answered.
//!
//! The process is examples/killed_service.rs.

use std::{
    path::PathBuf,
    process::Stdio,
    sync::atomic::{AtomicI64, Ordering},
};

use futures_util::future::join_all;
use tokio::process::{Child, Command};
use tolov_webhook::http::CLICK_PATH;

use crate::{
    app::{API_TOKEN, PATIENCE, Setup, TestApp, wait_until},
    callers::order_json,
    click::{Answer, Callback, SECRET_KEY, SERVICE_ID},
    engine::Database,
};

/// Cargo builds examples beside the tests.
fn killed_service() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let service = test.ancestors().nth(2).unwrap().join("examples/killed_service");
    assert!(
        service.exists(),
        "{} is missing: run `cargo test`, which builds examples too",
        service.display()
    );
    service
}

/// A service in a process of its own, and what was said to it.
pub(crate) struct Victim {
    pub(crate) process: Child,
    address: String,
    http: reqwest::Client,
    sent: AtomicI64,
    answered: AtomicI64,
}

impl Victim {
    /// `limit_blocks`: the largest file that it may write, in blocks of 512 bytes.
    pub(crate) async fn start(database: &Database, limit_blocks: Option<u32>) -> Self {
        let folder = database.folder().path();
        let service = killed_service();
        let service_id = SERVICE_ID.to_string();
        let mut command = match limit_blocks {
            None => Command::new(service),
            Some(blocks) => {
                let mut shell = Command::new("sh");
                // With the signal ignored, a write beyond the limit fails as on a full disk.
                shell.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")]);
                shell.arg(service);
                shell
            }
        };
        command
            .arg(folder)
            .args([&database.address(), API_TOKEN, SECRET_KEY, &service_id])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = command.kill_on_drop(true).spawn().unwrap();
        let address = folder.join("address");
        wait_until("the process listens", async || address.exists()).await;
        let address = std::fs::read_to_string(address).unwrap();
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { process, address, http, sent: AtomicI64::new(0), answered: AtomicI64::new(0) }
    }

    /// `None`: it has died before it answered.
    async fn register(&self, order_id: i64) -> Option<()> {
        let url = format!("http://{}/api/create_order", self.address);
        let request = self.http.post(url).bearer_auth(API_TOKEN).body(order_json(order_id, "30000"));
        let response = request.send().await.ok()?;
        let registered = response.status() == 201;
        registered.then_some(())
    }

    async fn send(&self, callback: &Callback) -> Option<Answer> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let url = format!("http://{}{CLICK_PATH}", self.address);
        let response = self.http.post(url).body(callback.body()).send().await.ok()?;
        let answer = Answer::read(&response.text().await.ok()?);
        if answer.code != -7 {
            self.answered.fetch_add(1, Ordering::Relaxed);
        }
        Some(answer)
    }

    /// Tells the next service on this ledger how many callbacks it may find.
    pub(crate) fn hand_over(&self, app: &TestApp) {
        app.count_callbacks(self.sent.load(Ordering::Relaxed), self.answered.load(Ordering::Relaxed));
    }
}

/// How far an order came with the process that died.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    registered: bool,
    prepare_id: Option<i64>,
    pub(crate) paid: bool,
}

pub(crate) async fn journey(victim: &Victim, order_id: i64) -> Progress {
    let mut progress = Progress::default();
    if victim.register(order_id).await.is_none() {
        return progress;
    }
    progress.registered = true;
    let Some(prepared) = victim.send(&Callback::prepare(order_id)).await else { return progress };
    let Some(prepare_id) = prepared.body["merchant_prepare_id"].as_i64() else { return progress };
    progress.prepare_id = Some(prepare_id);
    let completed = victim.send(&Callback::complete(order_id, prepare_id)).await;
    progress.paid = completed.is_some_and(|answer| answer.code == 0);
    progress
}

/// What the dead process has answered is true, and what it has not answered can be done again.
pub(crate) async fn take_over(app: &TestApp, order_id: i64, progress: &Progress) {
    if !progress.registered {
        let (status, _) = app.create(&order_json(order_id, "30000")).await;
        assert!(status == 201 || status == 200, "order {order_id}: {status}");
    }
    if progress.paid {
        assert_eq!(app.status_of(order_id).await, "paid", "order {order_id} was answered as paid");
    }
    let prepare_id = match progress.prepare_id {
        Some(prepare_id) => prepare_id,
        None => app.prepared(order_id).await,
    };
    let code = app.code(&Callback::complete(order_id, prepare_id)).await;
    let expected: &[i64] = if progress.paid { &[-4] } else { &[0, -4] };
    assert!(expected.contains(&code), "order {order_id}: {code}, {progress:?}");
}

#[tokio::test]
async fn a_process_killed_under_load_has_lost_nothing_that_it_answered() {
    let database = Database::new().await;
    let mut victim = Victim::start(&database, None).await;
    let orders = 1..=150;
    let mut process = std::mem::replace(&mut victim.process, Command::new("true").spawn().unwrap());
    let killer = async {
        wait_until("it is in the middle of its work", async || {
            victim.answered.load(Ordering::Relaxed) >= 120
        })
        .await;
        process.kill().await.unwrap();
    };
    let (journeys, ()) =
        tokio::join!(join_all(orders.clone().map(|order_id| journey(&victim, order_id))), killer);
    assert!(journeys.iter().any(|progress| !progress.paid), "it died too late");
    let app = TestApp::start_in(database, Setup::default()).await;
    victim.hand_over(&app);
    for (order_id, progress) in orders.zip(&journeys) {
        take_over(&app, order_id, progress).await;
    }
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.bus.confirmed().len(), 150);
    app.finish().await;
}

#[tokio::test]
async fn a_process_killed_between_the_bus_and_the_mark_sends_the_same_event_again() {
    let database = Database::new().await;
    let mut victim = Victim::start(&database, None).await;
    assert!(journey(&victim, 1).await.paid);
    let bus = database.folder().path().join("bus");
    wait_until("the bus has it", async || {
        std::fs::read_to_string(&bus).is_ok_and(|ids| ids == "payment.completed:1")
    })
    .await;
    victim.process.kill().await.unwrap();
    let app = TestApp::start_in(database, Setup::default()).await;
    victim.hand_over(&app);
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.bus.confirmed(), ["payment.completed:1"]);
    app.finish().await;
}
