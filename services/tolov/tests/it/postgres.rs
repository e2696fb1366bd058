//! The ledger in PostgreSQL: several webhook services on one database, and a ledger that moves there and back.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tolov_domain::OrderId;

use crate::{
    journey::{make_purchases, told},
    one_server::callback_body,
    processes::{PrivatePostgres, Role, free_port, tolov},
    shop_world::{API_TOKEN, ShopWorld, environment, eventually},
};

fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// What stands before several webhook services: it leads one connection after the other to the next service that takes it.
async fn balance(listener: TcpListener, services: [SocketAddr; 2]) {
    let next = AtomicUsize::new(0);
    loop {
        let (mut caller, _) = listener.accept().await.unwrap();
        let first = next.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(async move {
            for turn in 0..services.len() {
                let service = services[(first + turn) % services.len()];
                if let Ok(mut service) = TcpStream::connect(service).await {
                    // Ended by either, also by a kill.
                    tokio::io::copy_bidirectional(&mut caller, &mut service).await.ok();
                    return;
                }
            }
        });
    }
}

/// How many orders a webhook service has taken to be paid, by its log.
fn paid_by(role: &Role) -> usize {
    let log = std::fs::read_to_string(role.log_path()).unwrap_or_default();
    log.lines().filter(|line| line.contains("callback answered") && line.contains("omplete")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_webhook_services_on_one_database_lose_and_repeat_nothing_though_each_and_the_server_are_killed()
{
    let folder = tempfile::tempdir().unwrap();
    let server = PrivatePostgres::start(folder.path());
    let [address, first, second] = [free_port(), free_port(), free_port()].map(local);
    let balancer = tokio::spawn(balance(TcpListener::bind(address).await.unwrap(), [first, second]));
    let mut world = ShopWorld::start_behind(address, first, &server.url("webhook")).await;
    world.environment.insert("LEDGER_URL".to_owned(), server.url("tools"));
    let mut environment: BTreeMap<String, String> = world.environment.clone();
    environment.insert("LEDGER_URL".to_owned(), server.url("webhook"));
    environment.insert("WEBHOOK_ADDR".to_owned(), second.to_string());
    let beside = world.folder().join("second");
    std::fs::create_dir_all(&beside).unwrap();
    let mut second = Role::start("webhook", &beside, &environment);
    let world = Arc::new(world);
    let is_up = async |port: SocketAddr| world.http.get(format!("http://{port}/health")).send().await.is_ok();
    let second_addr: SocketAddr = environment["WEBHOOK_ADDR"].parse().unwrap();
    eventually("the second is up", Duration::from_mins(1), async || is_up(second_addr).await).await;
    let buying = tokio::spawn({
        let world = Arc::clone(&world);
        async move { make_purchases(&world, 1..=150).await }
    });
    eventually("some are told", Duration::from_mins(2), async || world.sends().await > 20).await;
    second.kill_9();
    eventually("more are told by the first", Duration::from_mins(2), async || world.sends().await > 60).await;
    second.spawn();
    eventually("the second is up again", Duration::from_mins(1), async || is_up(second_addr).await).await;
    world.roles["webhook"].lock().unwrap().kill_9();
    eventually("more are told by the second", Duration::from_mins(2), async || world.sends().await > 120)
        .await;
    // One that is starting while its server dies ends, and is started again by systemd.
    server.kill_9();
    server.spawn();
    world.roles["webhook"].lock().unwrap().spawn();
    let purchases = buying.await.unwrap();
    world.settle(&purchases).await;
    for count in told(&world, &purchases).await {
        assert_eq!(count, 1, "nobody is told twice: the bot was not killed");
    }
    commands_know_the_ledger(&world, purchases[0].order_id);
    let mut first = world.roles["webhook"].lock().unwrap();
    let paid = [paid_by(&first), paid_by(&second)];
    assert!(paid.iter().all(|paid| *paid > 5), "both work: {paid:?}");
    for role in [&mut second, &mut *first] {
        let status = role.stop();
        assert!(status.success(), "{status}: {}", role.log_tail());
    }
    balancer.abort();
}

/// The operators' commands, with the account of tools, which changes nothing by itself.
fn commands_know_the_ledger(world: &ShopWorld, order: OrderId) {
    let order = order.to_string();
    for (command, arguments, told) in [
        ("trace", &[order.as_str(), "--language", "en"][..], "CLICK"),
        ("replay", &["--order", &order], "the events of 1 orders are published once more"),
        ("rebuild", &[], "0 orders were changed"),
        ("audit", &["--repair", "--language", "en"], "no difference"),
    ] {
        let output = tolov(command, world.folder(), &world.environment).args(arguments).output().unwrap();
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && said.contains(told), "{command}: {said}");
    }
}

/// A webhook service alone: no broker, and CLICK played by the test.
pub(crate) struct Webhook {
    pub(crate) http: reqwest::Client,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) server: PrivatePostgres,
    pub(crate) environment: BTreeMap<String, String>,
}

impl Webhook {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = PrivatePostgres::start(folder.path());
        // Nobody listens there; payments are accepted without the bus.
        let mut environment =
            environment("amqp://guest:guest@127.0.0.1:1/%2f", "mongodb://nobody", free_port(), free_port());
        environment.insert("LEDGER_PATH".to_owned(), "payments.db".to_owned());
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_mins(1)).build().unwrap();
        Self { http, folder, server, environment }
    }

    pub(crate) fn on_postgres(&self) -> BTreeMap<String, String> {
        let mut environment = self.environment.clone();
        environment.insert("LEDGER_URL".to_owned(), self.server.url("webhook"));
        environment
    }

    pub(crate) async fn start(&self, environment: &BTreeMap<String, String>) -> Role {
        let role = Role::start("webhook", self.folder.path(), environment);
        eventually("the webhook service is up", Duration::from_mins(1), || async {
            self.http.get(self.url("/health")).send().await.is_ok()
        })
        .await;
        role
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.environment["WEBHOOK_URL"])
    }

    /// A command with LEDGER_URL: whether it was done, and what it says.
    fn run(&self, command: &str, arguments: &[&str]) -> (bool, String) {
        let mut command = tolov(command, self.folder.path(), &self.on_postgres());
        let output = command.args(arguments).output().unwrap();
        let told = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
        assert!(!told.concat().contains("pw-webhook"), "{told:?}");
        (output.status.success(), told.concat())
    }

    /// What a service says that ends at once.
    fn refused_start(&self) -> String {
        let output = tolov("webhook", self.folder.path(), &self.on_postgres()).output().unwrap();
        assert!(!output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    pub(crate) fn copy(&self, from: &str, to: &str) -> (bool, String) {
        self.run("ledger", &["copy", from, to])
    }

    async fn order(&self, order_id: i64) {
        let body = json!({
            "order_id": order_id, "user_id": 5_551, "products": [{"product_id": 7, "count": 2}],
            "total_amount": 30_000, "payment_method": "click",
        });
        let order = self.http.post(self.url("/api/create_order")).bearer_auth(API_TOKEN).json(&body);
        let answer = order.send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
    }

    /// CLICK's Prepare, or the Complete of this attempt.
    pub(crate) async fn callback(&self, order_id: i64, prepare_id: Option<&str>) -> Value {
        let key = self.environment["CLICK_SECRET_KEY"].as_str();
        let transaction = (7_000_000 + order_id).to_string();
        let body = callback_body(key, &order_id.to_string(), &transaction, prepare_id);
        let callback = self.http.post(self.url("/payments/click/webhook"));
        let callback = callback.header("content-type", "application/x-www-form-urlencoded").body(body);
        callback.send().await.unwrap().json().await.unwrap()
    }

    /// The attempt that a Prepare has made.
    pub(crate) async fn prepare(&self, order_id: i64) -> String {
        self.order(order_id).await;
        let answer = self.callback(order_id, None).await;
        assert_eq!(answer["error"], 0, "{answer}");
        answer["merchant_prepare_id"].to_string()
    }

    pub(crate) async fn status_of(&self, order_id: i64) -> Value {
        let order = self.http.get(self.url(&format!("/orders/{order_id}"))).bearer_auth(API_TOKEN);
        order.send().await.unwrap().json::<Value>().await.unwrap()["status"].clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_moves_to_postgresql_and_back_and_what_was_prepared_before_is_paid_after() {
    let shop = Webhook::new();
    let mut on_file = shop.start(&shop.environment).await;
    let paid = shop.prepare(1001).await;
    assert_eq!(shop.callback(1001, Some(&paid)).await["error"], 0);
    let prepared = shop.prepare(1002).await;
    let (done, told) = shop.copy("LEDGER_PATH", "LEDGER_URL");
    assert!(!done && told.contains("stop the services"), "{told}");
    assert!(on_file.stop().success());

    // A service that is started too early would know nothing of those orders.
    let early = tolov("webhook", shop.folder.path(), &shop.on_postgres()).output().unwrap();
    let told = String::from_utf8_lossy(&early.stderr);
    assert!(!early.status.success() && told.contains("ledger copy LEDGER_PATH LEDGER_URL"), "{told}");
    let (done, told) = shop.copy("LEDGER_PATH", "LEDGER_URL");
    assert!(done && told.contains("every row was read back"), "{told}");
    let rows = |table: &str, count: &str| {
        told.lines().any(|line| line.trim().starts_with(table) && line.contains(&format!(" {count} rows")))
    };
    assert!(rows("orders", "2") && rows("attempts", "2") && rows("callbacks", "3"), "{told}");
    let (done, told) = shop.copy("LEDGER_PATH", "LEDGER_URL");
    assert!(!done && told.contains("the ledger is in PostgreSQL"), "it is not copied once more: {told}");
    let second = tolov("webhook", shop.folder.path(), &shop.environment).output().unwrap();
    let told = String::from_utf8_lossy(&second.stderr);
    assert!(!second.status.success() && told.contains("set LEDGER_URL"), "{told}");

    let mut on_postgres = shop.start(&shop.on_postgres()).await;
    assert_eq!(shop.callback(1002, Some(&prepared)).await["error"], 0, "the attempt has moved along");
    assert_eq!(shop.callback(1001, Some(&paid)).await["error"], -4, "nobody pays twice");
    let later = shop.prepare(1003).await;
    let number = |id: &str| id.parse::<i64>().unwrap();
    assert!(number(&later) > number(&prepared), "no number is given to CLICK twice");
    let (done, told) = shop.run("backup", &["backup.tar.gz"]);
    assert!(!done && told.contains("back it up with pg_dump"), "{told}");
    let (done, told) = shop.run("verify", &[]);
    assert!(done && told.contains("back it up with pg_dump"), "{told}");
    let (_, told) = shop.run("doctor", &["--role", "webhook", "--language", "en"]);
    for found in
        ["Ledger: 3 orders, 2 paid", "PostgreSQL archives no WAL", " at postgres://webhook:…@127.0.0.1"]
    {
        assert!(told.contains(found), "{found}: {told}");
    }
    let (done, told) = shop.copy("LEDGER_URL", "back.db");
    assert!(!done && told.contains("stop every webhook service"), "{told}");
    assert!(on_postgres.stop().success());

    let (done, told) = shop.copy("LEDGER_URL", "back.db");
    assert!(done, "{told}");
    let told = shop.refused_start();
    assert!(told.contains("was moved to back.db by `tolov ledger copy`"), "{told}");
    let (_, told) = shop.run("doctor", &["--role", "webhook", "--language", "en"]);
    assert!(told.contains("is closed to services"), "{told}");
    let mut environment = shop.environment.clone();
    environment.insert("LEDGER_PATH".to_owned(), "back.db".to_owned());
    let mut back = shop.start(&environment).await;
    assert_eq!(shop.status_of(1002).await, "paid");
    assert_eq!(shop.callback(1003, Some(&later)).await["error"], 0);
    assert!(number(&shop.prepare(1004).await) > number(&later));
    assert!(back.stop().success());
    let journal = std::fs::read_to_string(shop.folder.path().join("operators.jsonl")).unwrap();
    assert!(journal.contains("\"ledger copied\"") && !journal.contains("pw-webhook"), "{journal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_reads_back_otherwise_than_it_was_written_is_taken_back() {
    let shop = Webhook::new();
    let mut on_postgres = shop.start(&shop.on_postgres()).await;
    assert!(on_postgres.stop().success());
    let note = shop.folder.path().join("payments.db.in-postgresql");
    std::fs::remove_file(&note).unwrap();
    let mut on_file = shop.start(&shop.environment).await;
    let paid = shop.prepare(1001).await;
    assert_eq!(shop.callback(1001, Some(&paid)).await["error"], 0);
    assert!(on_file.stop().success());
    shop.server.sql("ALTER TABLE callbacks ALTER COLUMN peer TYPE char(99)");
    let (done, told) = shop.copy("LEDGER_PATH", "LEDGER_URL");
    assert!(!done && told.contains("callbacks was not copied as it is"), "{told}");
    assert_eq!(shop.server.sql("SELECT count(*) FROM orders"), "0", "nothing is left of it");
    shop.server.sql("ALTER TABLE callbacks ALTER COLUMN peer TYPE text");
    let (done, told) = shop.copy("LEDGER_PATH", "LEDGER_URL");
    assert!(done, "it may be repeated: {told}");
    assert_eq!(shop.server.sql("SELECT count(*) FROM orders WHERE status = 'paid'"), "1");
    std::fs::remove_file(&note).unwrap();
    let (done, told) = shop.copy("LEDGER_PATH", "LEDGER_URL");
    assert!(!done && told.contains("empty database alone"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_put_back_to_an_earlier_time_gives_no_number_to_click_twice() {
    let shop = Webhook::new();
    let dump = shop.folder.path().join("ledger.dump");
    let mut service = shop.start(&shop.on_postgres()).await;
    let paid = shop.prepare(1001).await;
    assert_eq!(shop.callback(1001, Some(&paid)).await["error"], 0);
    shop.server.tool("pg_dump", &["-Fc", "-f", dump.to_str().unwrap()]);
    let lost = shop.prepare(1002).await;
    let (done, told) = shop.run("ledger", &["restored", "1h", "--stores-lost"]);
    assert!(!done && told.contains("stop every webhook service"), "{told}");
    assert!(service.stop().success());
    shop.server.tool("pg_restore", &["--clean", "--no-owner", "--no-acl", dump.to_str().unwrap(), "-d"]);
    // As a restore leaves it that was cut off before its end.
    shop.server.sql("UPDATE ledger_state SET restoring_since = 1");
    let told = shop.refused_start();
    assert!(told.contains("run `tolov ledger restored` again"), "{told}");
    let (done, told) = shop.run("ledger", &["restored", "1h", "--stores-lost"]);
    assert!(done && told.contains("merchant_prepare_id goes on above"), "{told}");
    let journal = std::fs::read_to_string(shop.folder.path().join("operators.jsonl")).unwrap();
    assert!(journal.contains("\"ledger restored\""), "{journal}");
    let mut service = shop.start(&shop.on_postgres()).await;
    assert_eq!(shop.status_of(1001).await, "paid");
    let number = |id: &str| id.parse::<i64>().unwrap();
    assert!(number(&shop.prepare(1003).await) > number(&lost));
    assert!(service.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_came_back_as_a_standby_takes_no_payment_and_no_service_starts_on_it() {
    let shop = Webhook::new();
    let mut service = shop.start(&shop.on_postgres()).await;
    let prepared = shop.prepare(1001).await;
    shop.server.kill_9();
    shop.server.becomes_a_standby();
    shop.server.spawn();
    assert_eq!(shop.server.sql("SELECT pg_is_in_recovery()"), "t");
    let answer = shop.callback(1001, Some(&prepared)).await;
    assert_eq!(answer["error"], -7, "CLICK repeats it: {answer}");
    assert!(service.stop().success());
    let told = std::fs::read_to_string(service.log_path()).unwrap();
    assert!(told.contains("is a standby"), "the writer that connected anew says why: {told}");
    let told = shop.refused_start();
    assert!(told.contains("this PostgreSQL is a standby") && told.contains("LEDGER_URL"), "{told}");
}
