//! The shop as four processes on a RabbitMQ and a MongoDB of its own.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{Semaphore, SemaphorePermit};
use tolov_domain::{
    EventId, Language, OrderId, OrderedProduct, ProductId, Tiyin, UserId,
    order::OrderLine,
    ports::{
        bus::{BusAdmin, Queue, QueueDepth},
        notifications::{NotificationLog, SendOutcome},
    },
};
use tolov_kit::{
    clock::{Clock, SystemClock},
    secret::Secret,
};
use tolov_mongodb::{MongoOptions, MongoShop};
use tolov_rabbitmq::{RabbitBus, RabbitOptions};
use tolov_shop::{
    order::{self, HistoryItem, OrderAction, OrderState, ShopOrder, Stock},
    records, shopper,
};

use crate::{
    faults::Faults,
    processes::{PrivateMongo, PrivateRabbitMq, Role, free_port, tolov},
};

pub(crate) const STAFF_CHANNEL: i64 = -1_001_000_000_001;
pub(crate) const API_TOKEN: &str = "api-token-of-the-test";
const TOTAL_SOUM: i64 = 30_000;

/// Tests with servers of their own: more of them at once would only slow each other down on a small machine.
pub(crate) static OWN_SERVERS: Semaphore = Semaphore::const_new(2);
static WORLDS: AtomicU64 = AtomicU64::new(0);

pub(crate) struct ShopWorld {
    pub(crate) roles: BTreeMap<&'static str, std::sync::Mutex<Role>>,
    pub(crate) broker: PrivateRabbitMq,
    /// More nodes of its cluster.
    pub(crate) broker_nodes: Vec<PrivateRabbitMq>,
    _mongo: PrivateMongo,
    pub(crate) store: MongoShop,
    pub(crate) bus: RabbitBus,
    pub(crate) http: reqwest::Client,
    webhook_url: String,
    pub(crate) sandbox_url: String,
    folder: TempDir,
    pub(crate) environment: BTreeMap<String, String>,
    _turn: SemaphorePermit<'static>,
}

/// What one shopper wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Purchase {
    pub(crate) order_id: OrderId,
    pub(crate) user_id: UserId,
}

impl ShopWorld {
    pub(crate) async fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), 1, free_port(), |_, _| BTreeMap::new()).await
    }

    /// With a webhook service that listens elsewhere than at the address that the others have, and keeps its ledger there.
    pub(crate) async fn start_behind(address: SocketAddr, webhook: SocketAddr, ledger_url: &str) -> Self {
        let own = BTreeMap::from([
            ("WEBHOOK_ADDR".to_owned(), webhook.to_string()),
            ("LEDGER_URL".to_owned(), ledger_url.to_owned()),
        ]);
        let more = |role: &str, _: &Path| if role == "webhook" { own.clone() } else { BTreeMap::new() };
        Self::start_in(tempfile::tempdir().unwrap(), 1, address.port(), more).await
    }

    /// On a RabbitMQ of three nodes.
    pub(crate) async fn start_on_a_cluster() -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), 3, free_port(), |_, _| BTreeMap::new()).await
    }

    /// With a bot that tells so many shoppers a second.
    pub(crate) async fn start_at_pace(messages_per_s: u32) -> Self {
        let pace = |_: &str, _: &Path| {
            BTreeMap::from([("BOT_MESSAGES_PER_S".to_owned(), messages_per_s.to_string())])
        };
        Self::start_in(tempfile::tempdir().unwrap(), 1, free_port(), pace).await
    }

    /// How many messages the sandbox's Telegram has taken.
    pub(crate) async fn sends(&self) -> usize {
        let url = format!("{}/sandbox/telegram/sends", self.sandbox_url);
        let sends: serde_json::Value = self.http.get(url).send().await.unwrap().json().await.unwrap();
        sends.as_array().map_or(0, Vec::len)
    }

    /// With processes that die where [`Faults`] says.
    pub(crate) async fn start_with_faults() -> Self {
        let faults = |role: &str, folder: &Path| Faults::of(role, folder).environment().into();
        Self::start_in(tempfile::tempdir().unwrap(), 1, free_port(), faults).await
    }

    async fn start_in(
        folder: TempDir,
        nodes: usize,
        webhook_port: u16,
        more: impl Fn(&str, &Path) -> BTreeMap<String, String>,
    ) -> Self {
        let turn = OWN_SERVERS.acquire().await.unwrap();
        let broker = PrivateRabbitMq::start(folder.path());
        let beside = |number| broker.start_beside(&folder.path().join(format!("node-{number}")));
        let broker_nodes: Vec<_> = (1..nodes).map(beside).collect();
        let amqp_url = broker.url_with(&broker_nodes);
        let mongo = PrivateMongo::start(folder.path());
        let mongo_url = mongo.url("tolov");
        let sandbox_port = free_port();
        let webhook_url = format!("http://127.0.0.1:{webhook_port}");
        let sandbox_url = format!("http://127.0.0.1:{sandbox_port}");
        let environment = environment(&amqp_url, &mongo_url, webhook_port, sandbox_port);
        let names = ["sandbox", "webhook", "projector", "bot"];
        let roles = names
            .map(|name| {
                let mut environment = environment.clone();
                environment.extend(more(name, folder.path()));
                (name, std::sync::Mutex::new(Role::start(name, folder.path(), &environment)))
            })
            .into();
        let store = open_mongodb(&Secret::new(mongo_url)).await;
        let bus = RabbitBus::try_new(&amqp_url, RabbitOptions::default()).unwrap();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_mins(1)).build().unwrap();
        let world = Self {
            roles,
            broker,
            broker_nodes,
            _mongo: mongo,
            store,
            bus,
            http,
            webhook_url,
            sandbox_url,
            folder,
            environment,
            _turn: turn,
        };
        world.wait_until_ready().await;
        world
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    async fn wait_until_ready(&self) {
        eventually("the webhook service and the sandbox are up", Duration::from_mins(1), || async {
            let ready =
                self.http.get(format!("{}/ready", self.webhook_url)).bearer_auth(API_TOKEN).send().await;
            let sandbox = self.http.get(format!("{}/sandbox", self.sandbox_url)).send().await;
            ready.is_ok_and(|answer| answer.status().is_success()) && sandbox.is_ok()
        })
        .await;
    }

    /// A shopper with a full cart checks out, and then puts one more thing into the cart.
    pub(crate) async fn check_out(&self, user_id: UserId) -> Purchase {
        let line = |product_id, count, title: &str, price| OrderLine {
            product_id: ProductId::try_new(product_id).unwrap(),
            count,
            title: title.to_owned(),
            price: Tiyin::from_soum(price).ok(),
            portion: None,
            fiscal: None,
        };
        let lines = vec![line(7, 2, "Yashil choy 95", 12_000), line(9, 1, "Obi non", 6_000)];
        let in_cart = |line: &OrderLine| OrderedProduct { product_id: line.product_id, count: line.count };
        let put_in_cart = |wanted: OrderedProduct| {
            shopper::change(&self.store, user_id, move |shopper| {
                shopper.language = Some(Language::Uz);
                shopper.set_cart_line(wanted);
            })
        };
        for line in &lines {
            persistently(|| put_in_cart(in_cart(line))).await;
        }
        let id = persistently(|| order::next_order_id(&self.store, None)).await;
        let order = ShopOrder {
            id,
            user_id,
            lines: lines.clone(),
            total: Tiyin::from_soum(TOTAL_SOUM).unwrap(),
            placed_at: SystemClock.now(),
            terms: None,
            state: OrderState::AwaitingPayment { link: None, cancel_requested_by: None },
            stock: Stock::Unheld,
            refunds: Vec::new(),
            receipt_url: None,
            history: Vec::new(),
        };
        persistently(|| records::insert(&self.store, &order)).await;
        persistently(|| put_in_cart(later_addition())).await;
        let products: Vec<Value> =
            lines.iter().map(|line| json!({"product_id": line.product_id, "count": line.count})).collect();
        let body = json!({
            "order_id": id, "user_id": user_id, "products": products,
            "total_amount": TOTAL_SOUM, "payment_method": "click",
        });
        eventually("the order is registered", Duration::from_mins(2), || async {
            let request = self.http.post(format!("{}/api/create_order", self.webhook_url));
            let answer = request.bearer_auth(API_TOKEN).json(&body).send().await;
            answer.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
        Purchase { order_id: id, user_id }
    }

    /// The shopper pays, and tries again until CLICK says that the order is paid.
    pub(crate) async fn pay(&self, purchase: Purchase) {
        let body = json!({"order_id": purchase.order_id.to_string(), "amount": format!("{TOTAL_SOUM}")});
        eventually("the order is paid at CLICK", Duration::from_mins(4), || async {
            let request = self.http.post(format!("{}/sandbox/click/pay", self.sandbox_url)).json(&body);
            let Ok(answer) = request.send().await else { return false };
            let Ok(payment) = answer.json::<Value>().await else { return false };
            let status = payment["status"].to_string();
            // -4 to a Prepare: an earlier try was committed, and its answer was lost with a process.
            status.contains("paid") || payment.to_string().contains("Already paid")
        })
        .await;
    }

    /// Waits until every purchase has reached everybody, then checks that each did so once.
    pub(crate) async fn settle(&self, purchases: &[Purchase]) {
        eventually("outbox and queues are empty", Duration::from_mins(4), || async {
            self.outbox_depth().await == Some(0) && self.depths().await == Some([QueueDepth::default(); 2])
        })
        .await;
        for purchase in purchases {
            for recipient in ["shopper", "staff"] {
                let id = EventId::new(format!("payment.completed:{}/{recipient}", purchase.order_id));
                eventually("the notification is recorded as sent", Duration::from_mins(2), || async {
                    matches!(self.store.outcome(&id).await, Ok(Some(SendOutcome::Sent { .. })))
                })
                .await;
            }
            self.is_settled(*purchase).await;
        }
        // The bots acknowledge everything, also what came again while they had no share of the limits.
        eventually("nothing comes back", Duration::from_mins(2), async || {
            self.depths().await == Some([QueueDepth::default(); 2])
        })
        .await;
        let output = tolov("audit", self.folder.path(), &self.environment)
            .args(["--told-within", "0m"])
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && told.starts_with("no difference"), "{told}{error}");
    }

    pub(crate) async fn is_paid(&self, purchase: Purchase) -> bool {
        let order = order::order(&self.store, purchase.order_id).await;
        order.is_ok_and(|order| order.is_some_and(|order| order.payment().is_some()))
    }

    async fn is_settled(&self, purchase: Purchase) {
        let order = order::order(&self.store, purchase.order_id).await.unwrap().unwrap();
        assert!(order.payment().is_some() && order.user_id == purchase.user_id, "{order:?}");
        assert_eq!(order.stock, Stock::Committed, "{order:?}");
        let paid = HistoryItem::Action(OrderAction::Paid);
        assert_eq!(order.history.iter().filter(|entry| entry.what == paid).count(), 1, "{order:?}");
        let shopper = shopper::shopper(&self.store, purchase.user_id).await.unwrap().unwrap();
        assert_eq!(shopper.order_count, 1, "{shopper:?}");
        assert_eq!(shopper.cart, vec![later_addition()], "what was bought is out, what came later stays");
    }

    /// What the bot has sent to a chat, as it was sent, markup and all. Empty for a chat that Telegram does not know yet.
    pub(crate) async fn messages(&self, chat_id: i64) -> Vec<String> {
        let address = format!("{}/sandbox/telegram/chats/{chat_id}/messages", self.sandbox_url);
        let answer = self.http.get(address).send().await.unwrap();
        if answer.status() == reqwest::StatusCode::NOT_FOUND {
            return Vec::new();
        }
        let messages: Value = answer.json().await.unwrap();
        let raw = |message: &Value| message["raw"].as_str().map(str::to_owned);
        let list: Option<Vec<String>> = messages.as_array().unwrap().iter().map(raw).collect();
        list.unwrap_or_else(|| panic!("a message without a text: {messages}"))
    }

    async fn outbox_depth(&self) -> Option<i64> {
        let answer =
            self.http.get(format!("{}/ready", self.webhook_url)).bearer_auth(API_TOKEN).send().await.ok()?;
        answer.json::<Value>().await.ok()?["outbox"]["depth"].as_i64()
    }

    pub(crate) async fn depths(&self) -> Option<[QueueDepth; 2]> {
        let admin = self.bus.admin();
        let [payments, notifications] = Queue::ALL;
        Some([admin.depth(payments).await.ok()?, admin.depth(notifications).await.ok()?])
    }
}

/// The shop store of the processes, beside them.
pub(crate) async fn open_mongodb(url: &Secret) -> MongoShop {
    let collections = [&tolov_shop::COLLECTIONS[..], &tolov_bot::COLLECTIONS].concat();
    MongoShop::connect(url, MongoOptions::default(), &collections).await.unwrap()
}

/// What a shopper puts into the cart after checking out.
fn later_addition() -> OrderedProduct {
    OrderedProduct { product_id: ProductId::try_new(8).unwrap(), count: 3 }
}

pub(crate) fn own_database() -> String {
    let server = std::env::var("TEST_MONGO_URL")
        .unwrap_or_else(|_| panic!("TEST_MONGO_URL is not set: run ./scripts/test, which starts a server"));
    let (address, query) = server
        .split_once('?')
        .map_or((server.as_str(), String::new()), |(address, query)| (address, format!("?{query}")));
    let number = WORLDS.fetch_add(1, Ordering::Relaxed);
    let (scheme, rest) = address.split_once("://").unwrap();
    let host = rest.split('/').next().unwrap();
    format!("{scheme}://{host}/tolov_journey_{}_{number}{query}", std::process::id())
}

pub(crate) fn environment(
    amqp_url: &str,
    mongo_url: &str,
    webhook_port: u16,
    sandbox_port: u16,
) -> BTreeMap<String, String> {
    [
        ("AMQP_URL", amqp_url.to_owned()),
        ("MONGO_URL", mongo_url.to_owned()),
        ("API_TOKEN", API_TOKEN.to_owned()),
        ("WEBHOOK_ADDR", format!("127.0.0.1:{webhook_port}")),
        ("WEBHOOK_URL", format!("http://127.0.0.1:{webhook_port}")),
        ("SANDBOX_ADDR", format!("127.0.0.1:{sandbox_port}")),
        ("SANDBOX_URL", format!("http://127.0.0.1:{sandbox_port}")),
        ("BOT_API_URL", format!("http://127.0.0.1:{sandbox_port}")),
        ("BOT_TOKEN", "1000000001:token-of-the-test-in-the-right-form".to_owned()),
        ("DB_CHANNEL", STAFF_CHANNEL.to_string()),
        ("CLICK_SERVICE_ID", "12345".to_owned()),
        ("CLICK_MERCHANT_ID", "6789".to_owned()),
        ("CLICK_SECRET_KEY", "click-secret-of-the-test".to_owned()),
        ("CLICK_TEST_MODE", "true".to_owned()),
        // The limits of a bot that pays for speed: the test is about what arrives, not about how slowly.
        ("BOT_MESSAGES_PER_S", "1000".to_owned()),
        ("BOT_CHANNEL_POSTS_PER_MIN", "60".to_owned()),
        ("RUST_LOG", "info".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// Waits for a condition, looking again and again, within the limit.
pub(crate) async fn eventually<F: Future<Output = bool>>(
    what: &str,
    limit: Duration,
    condition: impl Fn() -> F,
) {
    let deadline = Instant::now() + limit;
    while !condition().await {
        assert!(Instant::now() < deadline, "not within {} s: {what}", limit.as_secs());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Does something that may meet a store under load, until it is done.
pub(crate) async fn persistently<T, E, F>(deed: impl Fn() -> F) -> T
where
    E: std::fmt::Debug,
    F: Future<Output = Result<T, E>>,
{
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        match deed().await {
            Ok(done) => return done,
            Err(error) => assert!(Instant::now() < deadline, "{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
