//! `tolov all` and the sandbox as two processes, on files in a folder.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Output,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tolov_click::{SecretKey, sign::SignedFields};

use crate::{
    processes::{Role, free_port, tolov},
    shop_world::{STAFF_CHANNEL, eventually},
};

/// Searched for in logs and answers, where they must not be.
pub(crate) const SECRETS: [(&str, &str); 3] = [
    ("BOT_TOKEN", "7000000001:AAEplantedbottokenplantedbottoken12"),
    ("API_TOKEN", "planted-api-token-93kd02kd"),
    ("CLICK_SECRET_KEY", "plantedClickKey77x"),
];
const TOTAL_SOUM: i64 = 30_000;
const SHOPPER: i64 = 5_551;
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct OneServer {
    pub(crate) all: Role,
    _sandbox: Role,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) http: reqwest::Client,
    pub(crate) webhook_url: String,
    pub(crate) sandbox_url: String,
    pub(crate) status_url: String,
    folder: TempDir,
}

/// The body of CLICK's Prepare, or of the Complete of this attempt, for 30,000 soum.
pub(crate) fn callback_body(
    key: &str,
    merchant_trans_id: &str,
    transaction: &str,
    prepare_id: Option<&str>,
) -> String {
    let action = if prepare_id.is_some() { "1" } else { "0" };
    let sign_time = "2026-11-29 10:00:00";
    let sign_string = SecretKey::new(key).sign(&SignedFields {
        click_trans_id: transaction,
        service_id: "12345",
        merchant_trans_id,
        merchant_prepare_id: prepare_id,
        amount: "30000",
        action,
        sign_time,
    });
    let mut form = vec![
        ("click_trans_id", transaction),
        ("service_id", "12345"),
        ("click_paydoc_id", transaction),
        ("merchant_trans_id", merchant_trans_id),
        ("amount", "30000"),
        ("action", action),
        ("error", "0"),
        ("error_note", "Success"),
        ("sign_time", sign_time),
        ("sign_string", sign_string.as_str()),
    ];
    form.extend(prepare_id.map(|id| ("merchant_prepare_id", id)));
    let form = form.iter().map(|(name, value)| format!("{name}={}", value.replace(' ', "+")));
    form.collect::<Vec<_>>().join("&")
}

impl OneServer {
    pub(crate) async fn start(more: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [webhook, sandbox, status, sandbox_status] = [free_port(), free_port(), free_port(), free_port()];
        let at = |port: u16| format!("127.0.0.1:{port}");
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let mut environment: BTreeMap<String, String> = [
            ("WEBHOOK_ADDR", at(webhook)),
            ("WEBHOOK_URL", url(webhook)),
            ("PUBLIC_URL", url(webhook)),
            ("SANDBOX_ADDR", at(sandbox)),
            ("SANDBOX_URL", url(sandbox)),
            ("BOT_API_URL", url(sandbox)),
            ("METRICS_ADDR", at(status)),
            ("DB_CHANNEL", STAFF_CHANNEL.to_string()),
            ("CLICK_SERVICE_ID", "12345".to_owned()),
            ("CLICK_MERCHANT_ID", "6789".to_owned()),
            ("CLICK_MERCHANT_USER_ID", "4321".to_owned()),
            ("CLICK_TEST_MODE", "true".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let more = SECRETS.iter().chain(more);
        environment.extend(more.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let mut of_the_sandbox = environment.clone();
        of_the_sandbox.insert("METRICS_ADDR".to_owned(), at(sandbox_status));
        let server = Self {
            _sandbox: Role::start("sandbox", folder.path(), &of_the_sandbox),
            all: Role::start("all", folder.path(), &environment),
            environment,
            http: reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap(),
            webhook_url: url(webhook),
            sandbox_url: url(sandbox),
            status_url: url(status),
            folder,
        };
        server.until_ready().await;
        server
    }

    pub(crate) async fn until_ready(&self) {
        eventually("the shop is ready", PATIENCE, || async {
            let ready = self.http.get(format!("{}/ready", self.status_url)).send().await;
            let sandbox = self.http.get(format!("{}/sandbox", self.sandbox_url)).send().await;
            ready.is_ok_and(|answer| answer.status().is_success()) && sandbox.is_ok()
        })
        .await;
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a command beside the services, with their settings.
    pub(crate) fn run(&self, command: &str, arguments: &[&str]) -> Output {
        tolov(command, self.folder.path(), &self.environment).args(arguments).output().unwrap()
    }

    pub(crate) async fn get(&self, address: String) -> Value {
        self.http.get(address).send().await.unwrap().json().await.unwrap()
    }

    pub(crate) async fn metrics(&self) -> String {
        let answer = self.http.get(format!("{}/metrics", self.status_url)).send().await.unwrap();
        answer.text().await.unwrap()
    }

    /// Registers an order for payment.
    pub(crate) async fn order(&self, order_id: i64) {
        let body = json!({
            "order_id": order_id, "user_id": SHOPPER, "products": [{"product_id": 7, "count": 2}],
            "total_amount": TOTAL_SOUM, "payment_method": "click",
        });
        let request = self.http.post(format!("{}/api/create_order", self.webhook_url));
        let answer = request.bearer_auth(SECRETS[1].1).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
    }

    /// Pays at the simulated CLICK. Returns its record of the payment.
    pub(crate) async fn pay(&self, order_id: i64) -> Value {
        let body = json!({"order_id": order_id.to_string(), "amount": TOTAL_SOUM.to_string()});
        let request = self.http.post(format!("{}/sandbox/click/pay", self.sandbox_url)).json(&body);
        request.send().await.unwrap().json().await.unwrap()
    }

    /// What CLICK is answered to a callback.
    pub(crate) async fn callback(&self, body: String) -> Value {
        let request = self.http.post(format!("{}/payments/click/webhook", self.webhook_url));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        request.send().await.unwrap().json().await.unwrap()
    }

    /// A purchase from the order to the messages in both chats.
    pub(crate) async fn buy(&self, order_id: i64) -> Value {
        self.order(order_id).await;
        let payment = self.pay(order_id).await;
        self.until_told(order_id).await;
        payment
    }

    pub(crate) async fn until_told(&self, order_id: i64) {
        for chat in [SHOPPER, STAFF_CHANNEL] {
            eventually("the message is there", PATIENCE, || async {
                let chat = format!("{}/sandbox/telegram/chats/{chat}/messages", self.sandbox_url);
                self.get(chat).await.to_string().contains(&order_id.to_string())
            })
            .await;
        }
    }
}
