//! A refund from the webhook service's API through the reconciler to the simulated CLICK, and back as an event.

use std::{collections::BTreeMap, net::SocketAddr, path::Path, process::Output, sync::Arc, time::Duration};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tolov_click::{PayLink, SecretKey, merchant_api::CommissionInfo};
use tolov_domain::ports::bus::RETRY_DELAYS_MS;
use tolov_embedded::EmbeddedBus;
use tolov_kit::{
    clock::{Clock, ManualClock, SystemClock},
    http::TrustedProxies,
    lifecycle::Stop,
    secret::Secret,
};
use tolov_reconciler::{ClickClient, Config, Deps, LedgerClient, ReceiptSettings};
use tolov_sandbox::click::{ClickConfig, Payment};
use tolov_webhook::{http::CLICK_PATH, ledger::UnverifiedLimits};
use url::Url;

use crate::processes::tolov;

const SERVICE_ID: i64 = 12_345;
const MERCHANT_ID: i64 = 678;
const MERCHANT_USER_ID: i64 = 4321;
const KEY: &str = "sandbox-only-key-of-the-refunds";
const TOKEN: &str = "token-of-the-refunds-71c2";
const AMOUNT_TIYIN: i64 = 3_000_000;

/// Webhook service, sandbox and reconciler, each on addresses of its own.
pub(crate) struct World {
    /// Of webhook service and reconciler.
    pub(crate) clock: ManualClock,
    pub(crate) webhook: Url,
    pub(crate) sandbox: tolov_sandbox::Handle,
    reconciler: tolov_reconciler::Service,
    http: reqwest::Client,
    stop: Stop,
    services: Vec<JoinHandle<()>>,
    bus: EmbeddedBus,
    folder: TempDir,
}

impl World {
    pub(crate) async fn start() -> Self {
        let clock = ManualClock::new(SystemClock.now());
        let folder = tempfile::tempdir().unwrap();
        let bus = EmbeddedBus::open(folder.path(), Arc::new(SystemClock), RETRY_DELAYS_MS).await.unwrap();
        let (local, stop) = (SocketAddr::from(([127, 0, 0, 1], 0)), Stop::new());
        let config = tolov_webhook::Config {
            addr: local,
            ledger: folder.path().join("payments.db").into(),
            api_token: Secret::new(TOKEN),
            click: tolov_webhook::ClickConfig {
                secret_key: SecretKey::new(KEY),
                test_mode: true,
                pay_link: PayLink {
                    pay_page: "http://127.0.0.1/services/pay".to_owned(),
                    service_id: SERVICE_ID,
                    merchant_id: MERCHANT_ID,
                    merchant_user_id: Some(MERCHANT_USER_ID),
                    return_url: None,
                },
            },
            order_ttl: None,
            trusted_proxies: TrustedProxies::default(),
            unverified: UnverifiedLimits::default(),
        };
        let deps = tolov_webhook::Deps { bus: bus.publisher(), clock: Arc::new(clock.clone()) };
        let service = tolov_webhook::Service::new(config, deps).await.unwrap();
        let webhook = url(service.addr());

        let mut click = ClickConfig::new(SERVICE_ID, MERCHANT_ID, Secret::new(KEY))
            .with_webhook(webhook.join(CLICK_PATH).unwrap());
        click.merchant_user_id = Some(MERCHANT_USER_ID);
        let simulator = tolov_sandbox::Service::build(tolov_sandbox::Config::new(local, click)).unwrap();
        let config = Config {
            service_id: SERVICE_ID,
            merchant_user_id: MERCHANT_USER_ID,
            secret_key: SecretKey::new(KEY),
            merchant_api_url: url(simulator.addr()),
            webhook_url: webhook.clone(),
            api_token: Secret::new(TOKEN),
            accepts: true,
            receipts: None,
            restore_in_parallel: false,
        };
        let api = Arc::new(ClickClient::new(&config, Arc::new(SystemClock)).unwrap().unpaced());
        let ledger = Arc::new(LedgerClient::new(&config).unwrap());
        let deps = Deps { api, ledger, clock: Arc::new(clock.clone()) };
        let seller = CommissionInfo::parse("123456789").unwrap();
        let receipts = ReceiptSettings { seller, deadline: time::Duration::DAY };
        let sandbox = simulator.handle();
        let services = vec![
            tokio::spawn({
                let stop = stop.clone();
                async move { service.run(stop).await.unwrap() }
            }),
            tokio::spawn({
                let stop = stop.clone();
                async move { simulator.run(stop).await.unwrap() }
            }),
        ];
        Self {
            clock,
            webhook,
            sandbox,
            reconciler: tolov_reconciler::Service::new(deps, SERVICE_ID, true).with_receipts(receipts),
            http: reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap(),
            stop,
            services,
            bus,
            folder,
        }
    }

    async fn call(&self, request: reqwest::RequestBuilder) -> (StatusCode, Value) {
        let answer = request.bearer_auth(TOKEN).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        self.call(self.http.post(self.webhook.join(path).unwrap()).json(body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.call(self.http.get(self.webhook.join(path).unwrap())).await.1
    }

    /// The folder of the ledger.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) async fn registered(&self, order_id: i64) {
        let order = json!({"order_id": order_id, "user_id": 5551, "total_amount": 30000, "payment_method": "click",
            "products": [{"product_id": 7, "count": 2}]});
        assert_eq!(self.post("api/create_order", &order).await.0, StatusCode::CREATED);
    }

    pub(crate) async fn paid(&self, order_id: i64) {
        self.registered(order_id).await;
        let payment = self.sandbox.click().pay(&order_id.to_string(), "30000").await.unwrap();
        assert!(payment.is_paid());
    }

    /// A round of the reconciler, some time after the last one.
    pub(crate) async fn round_after(&self, pause: time::Duration) {
        self.clock.advance(pause);
        self.reconciler.refunds_round(&self.stop).await;
        self.reconciler.attempts_round(&self.stop).await;
    }

    /// Runs a command of the operator's beside the services.
    pub(crate) async fn run(&self, command: &str, arguments: &[&str]) -> Output {
        let environment: BTreeMap<String, String> = [
            ("WEBHOOK_URL", self.webhook.to_string()),
            ("API_TOKEN", TOKEN.to_owned()),
            ("LEDGER_PATH", self.folder().join("payments.db").display().to_string()),
            ("CLICK_RECONCILE_ACCEPT", "auto".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let mut command = tolov(command, self.folder(), &environment);
        command.args(arguments);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    pub(crate) async fn end(self) {
        self.stop.cancel();
        for service in self.services {
            service.await.unwrap();
        }
        self.bus.close().await.unwrap();
    }
}

fn url(addr: SocketAddr) -> Url {
    Url::parse(&format!("http://{addr}/")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_is_asked_for_is_reversed_at_click_once_and_recorded() {
    let world = World::start().await;
    world.paid(1).await;
    world.paid(2).await;
    let asked =
        json!({"request_id": "tap-1", "requested_by": "5551", "returned": [{"product_id": 7, "count": 1}]});
    let (status, refund) = world.post("orders/1/refunds", &asked).await;
    assert_eq!((status, &refund["state"]), (StatusCode::CREATED, &json!("requested")));
    world.reconciler.refunds_round(&world.stop).await;
    let refunds = world.get("orders/1/refunds").await;
    assert_eq!(refunds["refunds"][0]["state"], "done", "{refunds}");
    assert_eq!(refunds["refunded_tiyin"], AMOUNT_TIYIN);
    world.reconciler.refunds_round(&world.stop).await;
    let calls = world.sandbox.click().api_calls();
    assert_eq!(calls.iter().filter(|call| call.method == "DELETE").count(), 1);
    let statuses: Vec<i32> = world.sandbox.click().payments().iter().map(Payment::payment_status).collect();
    assert_eq!((statuses.iter().filter(|status| **status < 0).count(), statuses.len()), (1, 2));
    let (status, again) =
        world.post("orders/1/refunds", &json!({"request_id": "tap-2", "requested_by": "5551"})).await;
    assert_eq!((status, &again["reason"]), (StatusCode::CONFLICT, &json!("nothing_left")));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reversal_that_click_refuses_waits_for_a_person() {
    let world = World::start().await;
    world.paid(1).await;
    world.sandbox.click().refuse_reversals(true);
    let asked = json!({"request_id": "tap-1", "requested_by": "5551"});
    let (_, refund) = world.post("orders/1/refunds", &asked).await;
    world.reconciler.refunds_round(&world.stop).await;
    let open = world.get("orders/1/refunds").await["open"].clone();
    assert_eq!(open["state"], "refused", "{open}");
    assert!(!open["click_note"].as_str().unwrap().is_empty());
    let by = json!({"by": "5551", "document": "transfer 17"});
    let path = format!("refunds/{}/by-hand", refund["refund_id"]);
    assert_eq!(world.post(&path, &by).await.1["state"], "done_by_hand");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_gives_a_part_back_by_hand_and_never_more_than_is_left() {
    let world = World::start().await;
    world.paid(1).await;
    let part = ["1", "--amount", "15000", "--lines", "7=1"];
    let asked = world.run("refund", &part).await;
    assert!(String::from_utf8_lossy(&asked.stdout).contains("nothing was done"), "{asked:?}");
    assert_eq!(world.get("orders/1/refunds").await["refunds"], json!([]));

    for (language, question, refusal) in [
        ("uz", "30\u{a0}000\u{a0}so‘m CLICK orqali qaytarilsinmi? yes deb yozing:", "hech narsa qilinmadi"),
        ("ru", "Вернуть 30\u{a0}000\u{a0}сум за заказ 1 через CLICK? Напишите yes:", "ничего не сделано"),
    ] {
        let asked = world.run("refund", &["1", "--language", language]).await;
        let said = String::from_utf8_lossy(&asked.stdout);
        assert!(said.contains(question) && said.contains(refusal), "{said}");
    }

    let sure = async |arguments: &[&str]| world.run("refund", &[arguments, &["--yes"]].concat()).await;
    let requested = sure(&part).await;
    assert!(requested.status.success(), "{requested:?}");
    world.round_after(time::Duration::MINUTE).await;
    let open = world.get("orders/1/refunds").await["open"].clone();
    assert_eq!((&open["state"], &open["why"]), (&json!("manual"), &json!("partial_by_hand")), "{open}");
    assert_eq!(open["returned"], json!([{"product_id": 7, "count": 1}]));
    let given = sure(&["1", "--by-hand", "transfer 17"]).await;
    assert!(given.status.success(), "{given:?}");

    let shown = world.run("refund", &["1", "--show", "--language", "ru"]).await;
    assert!(String::from_utf8_lossy(&shown.stdout).contains("возвращено вручную: transfer 17"), "{shown:?}");
    for sum in ["15001", "0"] {
        let refused = world.run("refund", &["1", "--amount", sum, "--language", "en"]).await;
        assert!(!refused.status.success() && !said(&refused).contains("Write yes"), "{refused:?}");
        assert!(said(&refused).contains("15\u{a0}000\u{a0}UZS is left"), "{refused:?}");
    }
    let refused = sure(&["1", "--amount", "1", "--lines", "7=2", "--language", "en"]).await;
    assert!(!refused.status.success() && said(&refused).contains("look at --lines"), "{refused:?}");
    assert_eq!(world.get("orders/1/refunds").await["refunded_tiyin"], AMOUNT_TIYIN / 2);
    assert!(world.sandbox.click().payments()[0].is_paid(), "CLICK was asked for nothing");
    assert!(sure(&["1"]).await.status.success());
    assert!(sure(&["1", "--by-hand", "transfer 18"]).await.status.success());
    world.registered(2).await;
    for (order, why) in [("1", "nothing is left to give back"), ("2", "the order is not paid")] {
        let refused = world.run("refund", &[order, "--language", "en"]).await;
        assert!(!refused.status.success() && !said(&refused).contains("Write yes"), "{refused:?}");
        assert!(said(&refused).contains(why), "{refused:?}");
    }
    world.end().await;
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
