//! Restore drills: a part of a running shop is lost and put back as docs/operations.md says. `scripts/restore-drill NAME`
//! runs one of them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Output,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::SemaphorePermit;
use tolov_domain::ports::documents::{Documents, Key};
use tolov_kit::secret::Secret;
use tolov_shop::order::ORDERS;

use crate::{
    processes::{PrivateMongo, PrivateRabbitMq, Role, free_port, tolov},
    shop_world::{OWN_SERVERS, STAFF_CHANNEL, environment, eventually, open_mongodb},
};

const PATIENCE: Duration = Duration::from_mins(2);
const API_TOKEN: &str = "api-token-of-the-test";
const ROLES: [&str; 4] = ["sandbox", "webhook", "projector", "bot"];

/// Four processes, a broker and a server of MongoDB's protocol, each with files of its own that can be lost.
struct Shop {
    roles: BTreeMap<&'static str, Role>,
    broker: PrivateRabbitMq,
    mongo: PrivateMongo,
    environment: BTreeMap<String, String>,
    /// Of the webhook service.
    status_addr: String,
    http: reqwest::Client,
    folder: TempDir,
    _turn: SemaphorePermit<'static>,
}

impl Shop {
    async fn start() -> Self {
        let turn = OWN_SERVERS.acquire().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let broker = PrivateRabbitMq::start(folder.path());
        let mongo = PrivateMongo::start(folder.path());
        let environment = environment(&broker.url(), &mongo.url("tolov"), free_port(), free_port());
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        let roles = BTreeMap::new();
        let status_addr = format!("127.0.0.1:{}", free_port());
        let mut shop = Self { roles, broker, mongo, environment, status_addr, http, folder, _turn: turn };
        shop.start_roles(&ROLES).await;
        shop
    }

    async fn start_roles(&mut self, names: &[&'static str]) {
        for name in names {
            let mut environment = self.environment.clone();
            if *name == "webhook" {
                environment.insert("METRICS_ADDR".to_owned(), self.status_addr.clone());
            }
            self.roles.insert(name, Role::start(name, self.folder.path(), &environment));
        }
        eventually("the shop is up", PATIENCE, || async {
            let ready = self.http.get(format!("http://{}/ready", self.status_addr)).send().await;
            let sandbox = self.http.get(format!("{}/sandbox", self.url("SANDBOX_URL"))).send().await;
            let is_up = |role: &&str| names.contains(role);
            (!is_up(&"webhook") || ready.is_ok_and(|answer| answer.status().is_success()))
                && (!is_up(&"sandbox") || sandbox.is_ok())
        })
        .await;
    }

    fn stop_roles(&mut self, names: &[&'static str]) {
        for name in names {
            let mut role = self.roles.remove(name).unwrap();
            let status = role.stop();
            assert!(status.success(), "{name}: {}", role.log_tail());
        }
    }

    fn url(&self, name: &str) -> &str {
        &self.environment[name]
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, command: &str, arguments: &[&str]) -> String {
        let output = tolov(command, self.folder.path(), &self.environment).args(arguments).output().unwrap();
        let told = printed(&output);
        assert!(output.status.success(), "{command} {arguments:?}: {told}");
        told
    }

    fn lose_ledger(&self) {
        for ending in ["", "-wal", "-shm", ".lock"] {
            std::fs::remove_file(self.path(&format!("payments.db{ending}"))).ok();
        }
    }

    /// Registers an order and pays it. Returns the merchant_prepare_id.
    async fn pay(&self, order_id: i64) -> i64 {
        let body = json!({
            "order_id": order_id, "user_id": shopper(order_id), "products": [{"product_id": 7, "count": 2}],
            "total_amount": 30_000, "payment_method": "click",
        });
        let order = self.http.post(format!("{}/api/create_order", self.url("WEBHOOK_URL")));
        let answer = order.bearer_auth(API_TOKEN).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
        let payment = self.ask_click_to_pay(order_id).await;
        assert!(payment["status"].to_string().contains("paid"), "{payment}");
        let text = payment.to_string();
        let rest = text.split("\"merchant_prepare_id\":").nth(1);
        let rest = rest.unwrap_or_else(|| panic!("no merchant_prepare_id in {text}"));
        rest.split(|letter: char| !letter.is_ascii_digit()).next().unwrap().parse().unwrap()
    }

    async fn ask_click_to_pay(&self, order_id: i64) -> Value {
        let body = json!({"order_id": order_id.to_string(), "amount": "30000"});
        let pay = self.http.post(format!("{}/sandbox/click/pay", self.url("SANDBOX_URL"))).json(&body);
        pay.send().await.unwrap().json().await.unwrap()
    }

    /// A purchase, from the order to both messages.
    async fn buy(&self, order_id: i64) -> i64 {
        let prepare_id = self.pay(order_id).await;
        self.until_told(order_id).await;
        prepare_id
    }

    async fn until_told(&self, order_id: i64) {
        eventually("shopper and staff are told", PATIENCE, || async {
            self.times_told(order_id).await.iter().all(|times| *times > 0)
        })
        .await;
    }

    /// How many messages name the order: to its shopper, and to staff.
    async fn times_told(&self, order_id: i64) -> [usize; 2] {
        let mut times = [0; 2];
        for (count, chat) in times.iter_mut().zip([shopper(order_id), STAFF_CHANNEL]) {
            let chat = format!("{}/sandbox/telegram/chats/{chat}/messages", self.url("SANDBOX_URL"));
            let messages: Value = self.http.get(chat).send().await.unwrap().json().await.unwrap();
            // A chat that nobody has written to is not there.
            let messages = messages.as_array().into_iter().flatten();
            let texts = messages.map(|message| message["raw"].to_string());
            *count = texts.filter(|text| text.contains(&order_id.to_string())).count();
        }
        times
    }

    async fn status_of(&self, order_id: i64) -> Value {
        let order = self.http.get(format!("{}/orders/{order_id}", self.url("WEBHOOK_URL")));
        let order: Value = order.bearer_auth(API_TOKEN).send().await.unwrap().json().await.unwrap();
        order["status"].clone()
    }

    /// What the bot lifts its counter over.
    async fn highest_order_id(&self) -> i64 {
        let orders = self.http.get(format!("{}/orders?limit=1", self.url("WEBHOOK_URL")));
        let orders: Value = orders.bearer_auth(API_TOKEN).send().await.unwrap().json().await.unwrap();
        orders["highest_order_id"].as_i64().unwrap()
    }

    /// Ledger, bus, shop store and notifications agree.
    fn books_agree(&self) {
        let told = self.run("audit", &["--settle-for", "5", "--told-within", "0m"]);
        assert!(told.starts_with("no difference"), "{told}");
    }

    async fn until_outbox_is_empty(&self) {
        eventually("every event is on the bus", PATIENCE, || async {
            let ready = self.http.get(format!("http://{}/ready", self.status_addr)).send().await.unwrap();
            ready.json::<Value>().await.unwrap()["outbox"]["depth"] == 0
        })
        .await;
    }
}

/// Each order is somebody else's, so that messages can be counted.
fn shopper(order_id: i64) -> i64 {
    5_000_000 + order_id
}

fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ledger_is_lost_and_comes_back_from_a_backup_beside_a_newer_store() {
    let mut shop = Shop::start().await;
    shop.buy(2001).await;
    shop.run("backup", &["shop.tar.gz"]);
    let last_prepare_id = shop.buy(2002).await;

    shop.stop_roles(&["webhook", "bot"]);
    shop.lose_ledger();
    let refused =
        tolov("restore", shop.folder.path(), &shop.environment).arg("shop.tar.gz").output().unwrap();
    let told = printed(&refused);
    assert!(!refused.status.success() && told.contains("stop the projector"), "it may hold events: {told}");
    assert!(!shop.path("payments.db").exists(), "nothing was restored");
    shop.stop_roles(&["projector"]);
    let told = shop.run("restore", &["shop.tar.gz"]);
    assert!(told.contains("1 orders, 1 of them paid"), "{told}");
    assert!(told.contains("taken back as paid: order 2002"), "{told}");
    shop.start_roles(&["webhook", "projector", "bot"]).await;

    assert_eq!(shop.status_of(2001).await, "paid");
    assert_eq!(shop.status_of(2002).await, "paid");
    let second = shop.ask_click_to_pay(2002).await;
    assert_eq!(second["status"]["error"], -4, "nobody pays twice: {second}");
    let prepare_id = shop.buy(2003).await;
    assert!(prepare_id > last_prepare_id, "no number is given to CLICK twice");
    for order_id in [2001, 2002, 2003] {
        assert_eq!(shop.times_told(order_id).await, [1, 1], "order {order_id}");
    }
    shop.books_agree();
}

#[tokio::test(flavor = "multi_thread")]
async fn ledger_comes_back_and_learns_from_the_bus_what_the_store_does_not_know_yet() {
    let mut shop = Shop::start().await;
    shop.buy(2001).await;
    shop.run("backup", &["shop.tar.gz"]);
    shop.stop_roles(&["projector"]);
    shop.pay(2002).await;
    shop.until_outbox_is_empty().await;

    shop.stop_roles(&["webhook", "bot"]);
    shop.lose_ledger();
    let told = shop.run("restore", &["shop.tar.gz"]);
    assert!(told.contains("taken back as paid: order 2002") && told.contains("known by the bus"), "{told}");
    shop.start_roles(&["webhook", "projector", "bot"]).await;

    assert_eq!(shop.status_of(2002).await, "paid");
    let second = shop.ask_click_to_pay(2002).await;
    assert_eq!(second["status"]["error"], -4, "nobody pays twice: {second}");
    shop.until_told(2002).await;
    for order_id in [2001, 2002] {
        assert_eq!(shop.times_told(order_id).await, [1, 1], "order {order_id}");
    }
    shop.books_agree();
}

#[tokio::test(flavor = "multi_thread")]
async fn ledger_learns_of_every_payment_that_waits_on_the_bus_however_many_they_are() {
    // More than one reader is given before it has answered.
    const PAID: std::ops::RangeInclusive<i64> = 2001..=2300;
    let mut shop = Shop::start().await;
    shop.run("backup", &["shop.tar.gz"]);
    shop.stop_roles(&["projector", "bot"]);
    for order_id in PAID {
        shop.pay(order_id).await;
    }
    shop.until_outbox_is_empty().await;

    shop.stop_roles(&["webhook"]);
    shop.lose_ledger();
    let told = shop.run("restore", &["shop.tar.gz"]);
    for order_id in PAID {
        assert!(told.contains(&format!("taken back as paid: order {order_id},")), "{order_id}: {told}");
    }
    shop.start_roles(&["webhook", "projector", "bot"]).await;
    assert_eq!(shop.status_of(*PAID.end()).await, "paid");
    let second = shop.ask_click_to_pay(*PAID.end()).await;
    assert_eq!(second["status"]["error"], -4, "nobody pays twice: {second}");
    for order_id in PAID {
        shop.until_told(order_id).await;
    }
    shop.books_agree();
}

#[tokio::test(flavor = "multi_thread")]
async fn rabbitmq_loses_its_volume_with_events_that_nobody_has_read() {
    let mut shop = Shop::start().await;
    shop.buy(2001).await;
    shop.stop_roles(&["projector"]);
    shop.pay(2002).await;
    shop.until_outbox_is_empty().await;

    shop.broker.kill_9();
    shop.broker.lose_files();
    shop.broker.spawn();
    shop.stop_roles(&["webhook"]);
    let told = shop.run("replay", &["--since", "1h"]);
    assert!(told.contains("the events of 2 orders"), "{told}");
    shop.start_roles(&["webhook", "projector"]).await;

    shop.until_told(2002).await;
    shop.buy(2003).await;
    for order_id in [2001, 2002, 2003] {
        assert_eq!(shop.times_told(order_id).await, [1, 1], "order {order_id}");
    }
    shop.books_agree();
}

#[tokio::test(flavor = "multi_thread")]
async fn mongodb_is_put_back_from_an_older_dump_and_learns_what_was_paid_since() {
    let mut shop = Shop::start().await;
    shop.buy(2001).await;
    // In place of mongodump, which this server has not: a copy while nothing runs.
    shop.stop_roles(&["projector", "bot"]);
    shop.mongo.stop();
    copy_folder(&shop.mongo.folder(), &shop.path("dump"));
    shop.mongo.spawn();
    shop.start_roles(&["projector", "bot"]).await;
    shop.buy(2002).await;

    shop.stop_roles(&["projector", "bot", "webhook"]);
    shop.mongo.kill_9();
    std::fs::remove_dir_all(shop.mongo.folder()).unwrap();
    copy_folder(&shop.path("dump"), &shop.mongo.folder());
    shop.mongo.spawn();
    let told = shop.run("replay", &["--since", "1h"]);
    assert!(told.contains("the events of 2 orders"), "{told}");
    shop.start_roles(&["webhook", "projector", "bot"]).await;

    // The dump does not know that they were told of the second order, so they are told once more; of the first it does.
    eventually("the store knows the second order again", PATIENCE, || async {
        shop.times_told(2002).await == [2, 2]
    })
    .await;
    shop.buy(2003).await;
    assert_eq!(shop.times_told(2001).await, [1, 1]);
    assert_eq!(shop.times_told(2003).await, [1, 1]);
    shop.books_agree();
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_lost_and_comes_back_from_the_backups_of_one_night() {
    let mut shop = Shop::start().await;
    shop.buy(2001).await;
    shop.run("backup", &["shop.tar.gz"]);
    shop.stop_roles(&["projector", "bot"]);
    shop.mongo.stop();
    copy_folder(&shop.mongo.folder(), &shop.path("dump"));
    shop.mongo.spawn();
    shop.start_roles(&["projector", "bot"]).await;
    let last_prepare_id = shop.buy(2002).await;

    shop.stop_roles(&["webhook", "projector", "bot"]);
    shop.lose_ledger();
    shop.broker.kill_9();
    shop.broker.lose_files();
    shop.mongo.kill_9();
    std::fs::remove_dir_all(shop.mongo.folder()).unwrap();

    // Servers first: the restore asks them what was paid.
    let refused =
        tolov("restore", shop.folder.path(), &shop.environment).arg("shop.tar.gz").output().unwrap();
    assert!(
        !refused.status.success() && printed(&refused).contains("--stores-lost"),
        "{}",
        printed(&refused)
    );
    shop.broker.spawn();
    copy_folder(&shop.path("dump"), &shop.mongo.folder());
    shop.mongo.spawn();
    shop.run("restore", &["shop.tar.gz"]);
    shop.start_roles(&["webhook", "projector", "bot"]).await;

    assert_eq!(shop.status_of(2001).await, "paid");
    assert!(shop.highest_order_id().await > 2002, "a link to an order that was lost pays for no other");
    let prepare_id = shop.buy(2003).await;
    assert!(prepare_id > last_prepare_id, "no number is given to CLICK twice");
    assert_eq!(shop.times_told(2001).await, [1, 1]);
    assert_eq!(shop.times_told(2003).await, [1, 1]);
    shop.books_agree();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_mongodb_lost_is_named_and_put_back_while_everything_runs() {
    let shop = Shop::start().await;
    shop.buy(2001).await;
    shop.buy(2002).await;
    let store = open_mongodb(&Secret::new(shop.mongo.url("tolov"))).await;
    let order = store.get(ORDERS, &Key::Number(2002)).await.unwrap().unwrap();
    assert!(store.remove(ORDERS, &order.key, order.version).await.unwrap());
    let audit = |more: &[&str]| {
        let mut audit = tolov("audit", shop.folder.path(), &shop.environment);
        audit.args(["--settle-for", "1", "--told-within", "0m"]).args(more).output().unwrap()
    };
    let found = audit(&[]);
    assert_eq!(found.status.code(), Some(1), "{}", printed(&found));
    assert!(printed(&found).contains("order 2002 is paid in the ledger and unknown to the shop store"));
    let repaired = audit(&["--repair"]);
    assert!(printed(&repaired).contains("    → repaired"), "{}", printed(&repaired));
    eventually("nothing differs any more", PATIENCE, || async { audit(&[]).status.code() == Some(0) }).await;
    for order_id in [2001, 2002] {
        assert_eq!(shop.times_told(order_id).await, [1, 1], "order {order_id}");
    }
    store.close().await.unwrap();
}
