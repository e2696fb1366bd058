//! A shop with its processes, a pretend Telegram and a pretend CLICK, for the length of a story.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, LazyLock, Mutex},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tolov_domain::ports::{
    ShopStore,
    bus::{BusAdmin, Consumer, Queue, QueueDepth, Verdict},
    documents::Query,
};
use tolov_embedded::EmbeddedShop;
use tolov_kit::secret::Secret;
use tolov_rabbitmq::{RabbitBus, RabbitOptions};
use url::Url;

use super::{person::Person, transcript::Transcript};
use crate::{
    processes::{Role, free_port, tolov},
    shop_world::{STAFF_CHANNEL, eventually, open_mongodb, own_database},
};

/// The owner of the shop, of ADMIN_IDS.
pub(crate) const OWNER: i64 = 9_001;
/// As the story calls the staff channel.
pub(crate) const CHANNEL: &str = "Staff channel";
const API_TOKEN: &str = "api-token-of-the-test";
/// Nothing that is waited for takes this long on a machine that does something else besides.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Where a shop keeps what it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stores {
    /// `tolov all`.
    Files,
    /// Three processes on RabbitMQ and MongoDB.
    Servers,
}

impl Stores {
    fn services(self) -> &'static [&'static str] {
        match self {
            Self::Files => &["all"],
            Self::Servers => &["webhook", "projector", "bot"],
        }
    }

    /// The process that has the bot in it.
    fn bot(self) -> &'static str {
        match self {
            Self::Files => "all",
            Self::Servers => "bot",
        }
    }
}

pub(crate) type Settings = BTreeMap<String, String>;

pub(crate) struct World {
    stores: Stores,
    services: Mutex<BTreeMap<&'static str, Role>>,
    _sandbox: Role,
    environment: Settings,
    http: reqwest::Client,
    sandbox_url: String,
    transcript: Mutex<Transcript>,
    bus: Option<RabbitBus>,
    store: Option<Arc<dyn ShopStore>>,
    folder: TempDir,
    _broker: Option<Broker>,
}

/// The addresses of brokers on which no shop is now. The queues of a virtual host have fixed names, so each serves one shop at a
/// time: that of TEST_AMQP_URL, and those that TEST_AMQP_VHOSTS names on the same server.
static FREE_BROKERS: LazyLock<(
    mpsc::UnboundedSender<String>,
    tokio::sync::Mutex<mpsc::UnboundedReceiver<String>>,
)> = LazyLock::new(|| {
    let (free, brokers) = mpsc::unbounded_channel();
    let address = std::env::var("TEST_AMQP_URL")
        .unwrap_or_else(|_| panic!("TEST_AMQP_URL is not set: run ./scripts/test, which starts a RabbitMQ"));
    let more = std::env::var("TEST_AMQP_VHOSTS").unwrap_or_default();
    for virtual_host in more.split_whitespace() {
        let mut address = Url::parse(&address).unwrap();
        address.set_path(virtual_host);
        free.send(address.into()).unwrap();
    }
    free.send(address).unwrap();
    (free, tokio::sync::Mutex::new(brokers))
});

/// The broker of one shop until it is dropped.
struct Broker {
    address: String,
}

impl Broker {
    async fn free() -> Self {
        let address = FREE_BROKERS.1.lock().await.recv().await.unwrap();
        Self { address }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // Nobody else has the receiver.
        FREE_BROKERS.0.send(std::mem::take(&mut self.address)).unwrap();
    }
}

impl World {
    /// Starts everything with the example catalogue in the shop. `settings` may change the environment.
    pub(crate) async fn start(stores: Stores, settings: impl FnOnce(&mut Settings)) -> Self {
        let broker = match stores {
            Stores::Files => None,
            Stores::Servers => Some(Broker::free().await),
        };
        let folder = tempfile::tempdir().unwrap();
        let (mut environment, sandbox_url) = environment();
        let mut bus = None;
        if let Some(Broker { address }) = &broker {
            let link = RabbitBus::try_new(address, RabbitOptions::default()).unwrap();
            drain(&link).await;
            bus = Some(link);
            environment.insert("AMQP_URL".to_owned(), address.clone());
            environment.insert("MONGO_URL".to_owned(), own_database());
        }
        // So that no message counts down during a story.
        environment.insert("ORDER_TTL".to_owned(), "24h".to_owned());
        settings(&mut environment);
        let sandbox = Role::start("sandbox", folder.path(), &environment);
        let mut world = Self {
            stores,
            store: None,
            services: Mutex::default(),
            _sandbox: sandbox,
            http: reqwest::Client::builder().no_proxy().timeout(PATIENCE * 2).build().unwrap(),
            transcript: Mutex::new(Transcript::new(&[(&sandbox_url, "http://sandbox")])),
            environment,
            sandbox_url,
            bus,
            folder,
            _broker: broker,
        };
        eventually("the sandbox is up", PATIENCE, || async {
            world.http.get(format!("{}/sandbox", world.sandbox_url)).send().await.is_ok()
        })
        .await;
        for service in stores.services() {
            let role = Role::start(service, world.folder.path(), &world.environment);
            world.services.lock().unwrap().insert(service, role);
        }
        world.until_ready().await;
        world.store = Some(world.open_store().await);
        world.seed();
        world
    }

    /// The shop store of the processes, beside them.
    async fn open_store(&self) -> Arc<dyn ShopStore> {
        match self.stores {
            Stores::Files => {
                Arc::new(EmbeddedShop::open(&self.folder.path().join("tolov-data")).await.unwrap())
            }
            Stores::Servers => {
                let url = Secret::new(self.environment["MONGO_URL"].clone());
                Arc::new(open_mongodb(&url).await)
            }
        }
    }

    pub(crate) fn store(&self) -> &dyn ShopStore {
        self.store.as_deref().unwrap()
    }

    async fn until_ready(&self) {
        let ready = format!("{}/ready", self.environment["WEBHOOK_URL"]);
        eventually("the shop is ready", PATIENCE, || async {
            let answer = self.http.get(&ready).bearer_auth(API_TOKEN).send().await;
            answer.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
    }

    /// The small example catalogue, as `tolov seed` loads it.
    fn seed(&self) {
        let seeded = tolov("seed", self.folder.path(), &self.environment).output().unwrap();
        assert!(seeded.status.success(), "tolov seed: {}", String::from_utf8_lossy(&seeded.stderr));
    }

    /// A subcommand as an operator runs it beside the shop, without a terminal to be asked at. What it prints.
    pub(crate) fn command(&self, name: &str, arguments: &[&str]) -> String {
        let mut command = tolov(name, self.folder.path(), &self.environment);
        let run = command.args(arguments).stdin(std::process::Stdio::null()).output().unwrap();
        assert!(run.status.success(), "tolov {name}: {}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stdout).unwrap()
    }

    pub(crate) fn ledger_path(&self) -> PathBuf {
        self.folder.path().join("payments.db")
    }

    /// The lines of the operators' journal.
    pub(crate) fn operators_journal(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("operators.jsonl")).unwrap_or_default()
    }

    /// Somebody who has the shop's bot in Telegram. `language_code` is what the device says.
    pub(crate) async fn person(&self, name: &str, language_code: &str) -> Person<'_> {
        let body = json!({ "first_name": name, "language_code": language_code });
        self.introduce(name, language_code, body).await
    }

    pub(crate) async fn owner(&self) -> Person<'_> {
        let body = json!({ "id": OWNER, "first_name": "Aziz", "language_code": "uz" });
        self.introduce("Aziz", "uz", body).await
    }

    async fn introduce(&self, name: &str, language_code: &str, body: Value) -> Person<'_> {
        let made = self.post("telegram/shoppers", &body).await;
        Person::new(self, made["id"].as_i64().unwrap(), name, language_code)
    }

    pub(crate) async fn get(&self, knob: &str) -> Value {
        let request = self.http.get(format!("{}/sandbox/{knob}", self.sandbox_url));
        self.answer(knob, request).await
    }

    pub(crate) async fn post(&self, knob: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}/sandbox/{knob}", self.sandbox_url)).json(body);
        self.answer(knob, request).await
    }

    async fn answer(&self, knob: &str, request: reqwest::RequestBuilder) -> Value {
        match self.try_to_answer(request).await {
            Ok(answer) => answer,
            Err(problem) => self.fails(&format!("{knob}: {problem}")),
        }
    }

    async fn try_to_answer(&self, request: reqwest::RequestBuilder) -> Result<Value, String> {
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| error.to_string())?;
        if status.is_success() {
            Ok(serde_json::from_str(&text).unwrap())
        } else {
            Err(format!("{status} {text}"))
        }
    }

    /// Waits until the bot is done with everything that people did so far: it has taken every update over from
    /// Telegram, and of those that it keeps none waits.
    pub(crate) async fn settle(&self) {
        self.get(&format!("telegram/updates/confirmed?timeout_ms={}", PATIENCE.as_millis())).await;
        let updates =
            tolov_bot::COLLECTIONS.into_iter().find(|collection| collection.name() == "updates").unwrap();
        let waiting = Query::is(updates, "state", "waiting", 1);
        let deadline = Instant::now() + PATIENCE;
        while self.store().count(&waiting).await.unwrap() > 0 {
            if Instant::now() > deadline {
                self.fails("the bot is not done with what it was told");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn inject(&self, fault: Value) {
        self.post("telegram/faults", &fault).await;
    }

    /// Writes a line of the teller into the story.
    pub(crate) fn meanwhile(&self, line: &str) {
        self.transcript.lock().unwrap().remark(line);
    }

    pub(crate) fn with_transcript<T>(&self, write: impl FnOnce(&mut Transcript) -> T) -> T {
        write(&mut self.transcript.lock().unwrap())
    }

    /// Writes what is new in a chat into the story.
    pub(crate) async fn take_down(&self, chat_id: i64, title: &str) {
        let log = self.get(&format!("telegram/chats/{chat_id}/messages")).await;
        self.with_transcript(|transcript| transcript.take_down(chat_id, title, &log));
    }

    /// Waits until the bot shows a text in a chat, in a message that is newer than a revision.
    pub(crate) async fn shown(&self, chat_id: i64, title: &str, text: &str, after_revision: u64) -> Value {
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("contains", text)
            .append_pair("after_revision", &after_revision.to_string())
            .append_pair("timeout_ms", &PATIENCE.as_millis().to_string())
            .finish();
        let url = format!("{}/sandbox/telegram/chats/{chat_id}/wait?{query}", self.sandbox_url);
        match self.try_to_answer(self.http.get(url)).await {
            Ok(message) => message,
            Err(problem) => {
                self.take_down(chat_id, title).await;
                self.fails(&format!("{title} should show {text:?}: {problem}"))
            }
        }
    }

    /// Waits until the bot has posted a text in the staff channel.
    pub(crate) async fn staff_see(&self, text: &str) {
        self.shown(STAFF_CHANNEL, CHANNEL, text, 0).await;
        self.take_down(STAFF_CHANNEL, CHANNEL).await;
    }

    pub(crate) fn kill_bot(&self) {
        self.meanwhile("the bot is killed (kill -9)");
        self.services.lock().unwrap().get_mut(self.stores.bot()).unwrap().kill_9();
    }

    /// Stops one of several processes.
    pub(crate) fn stop(&self, service: &str) {
        let status = self.services.lock().unwrap().get_mut(service).unwrap().stop();
        assert!(status.success(), "{status}");
    }

    pub(crate) async fn start_again(&self, service: &str) {
        self.services.lock().unwrap().get_mut(service).unwrap().spawn();
        self.until_ready().await;
    }

    pub(crate) fn stop_bot(&self) {
        self.meanwhile("the bot is stopped");
        let status = self.services.lock().unwrap().get_mut(self.stores.bot()).unwrap().stop();
        assert!(status.success(), "{status}");
    }

    pub(crate) async fn start_bot(&self) {
        self.meanwhile("the bot is started again");
        self.services.lock().unwrap().get_mut(self.stores.bot()).unwrap().spawn();
        self.until_ready().await;
    }

    /// The end of a story: what was said is what the snapshot says.
    pub(crate) async fn ends_as(&self, name: &str) {
        self.ends().await;
        let said = self.with_transcript(Transcript::text);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("snapshots");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, said));
    }

    /// Nothing is left undone, and every process ends well. What a process holds is in no queue until it stops; it would be
    /// the next story's.
    pub(crate) async fn ends(&self) {
        for _ in 0..3 {
            eventually("the queues are empty", PATIENCE, || self.has_empty_queues()).await;
            self.stop_all();
            if self.has_empty_queues().await {
                return;
            }
            self.services.lock().unwrap().values_mut().for_each(Role::spawn);
            self.until_ready().await;
        }
        self.fails("messages are left on the bus");
    }

    async fn has_empty_queues(&self) -> bool {
        let Some(bus) = &self.bus else { return true };
        let [payments, notifications] = Queue::ALL;
        let depths = [bus.admin().depth(payments).await, bus.admin().depth(notifications).await];
        depths.iter().all(|depth| matches!(depth, Ok(depth) if *depth == QueueDepth::default()))
    }

    fn stop_all(&self) {
        for role in self.services.lock().unwrap().values_mut() {
            let status = role.stop();
            assert!(status.success(), "{status}: {}", role.log_tail());
            let log = std::fs::read_to_string(role.log_path()).unwrap();
            // A connection that MongoDB's driver is still opening when its runtime ends panics in there; nobody hears it.
            let mut panics = log.lines().filter(|line| line.contains("panicked at"));
            assert!(panics.all(|line| line.contains("/mongodb-")), "{log}");
        }
    }

    /// Ends the test with all that is known of the story so far.
    pub(crate) fn fails(&self, what: &str) -> ! {
        let said = self.with_transcript(Transcript::text);
        let logs: Vec<String> = match self.services.lock() {
            Ok(services) => services.values().map(Role::log_tail).collect(),
            Err(_) => Vec::new(),
        };
        panic!("{what}\n\n--- the story so far ---\n{said}\n\n--- the logs ---\n{}", logs.join("\n---\n"));
    }
}

/// The settings of a shop with addresses of its own, and where its sandbox is.
fn environment() -> (Settings, String) {
    let at = |port: u16| format!("127.0.0.1:{port}");
    let (webhook, sandbox) = (at(free_port()), at(free_port()));
    let sandbox_url = format!("http://{sandbox}");
    let owner = OWNER.to_string();
    let channel = STAFF_CHANNEL.to_string();
    let webhook_url = format!("http://{webhook}");
    let environment = [
        ("API_TOKEN", API_TOKEN),
        ("WEBHOOK_ADDR", &webhook),
        ("WEBHOOK_URL", &webhook_url),
        ("SANDBOX_ADDR", &sandbox),
        ("SANDBOX_URL", &sandbox_url),
        ("BOT_API_URL", &sandbox_url),
        ("BOT_TOKEN", "1000000001:token-of-the-test-in-the-right-form"),
        ("DB_CHANNEL", &channel),
        ("ADMIN_IDS", &owner),
        ("PICKUP_ADDRESS", "Toshkent, Amir Temur 1"),
        ("DELIVERY_PRICE", "20000"),
        ("CLICK_SERVICE_ID", "12345"),
        ("CLICK_MERCHANT_ID", "6789"),
        ("CLICK_SECRET_KEY", "click-secret-of-the-test"),
        ("CLICK_TEST_MODE", "true"),
        // The limits of a bot that pays for speed: the stories are about what is said, not about how slowly.
        ("BOT_MESSAGES_PER_S", "1000"),
        ("BOT_CHANNEL_POSTS_PER_MIN", "60"),
        ("RUST_LOG", "info"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    (environment, sandbox_url)
}

/// Takes away what a story that failed has left in the queues.
async fn drain(bus: &RabbitBus) {
    for queue in Queue::ALL {
        while bus.admin().depth(queue).await.is_ok_and(|depth| depth.ready > 0) {
            let consumer = bus.consumer(queue);
            let receive = tokio::time::timeout(Duration::from_secs(5), consumer.receive(100));
            let Ok(Ok(deliveries)) = receive.await else { break };
            consumer
                .settle(deliveries.into_iter().map(|delivery| (delivery, Verdict::Done)).collect())
                .await
                .unwrap();
        }
    }
}
