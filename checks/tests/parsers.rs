//! Every parser of what strangers, other programs and other versions send: it panics at nothing, and what it takes it means.
//! The bot's own parsers are tested in its crate. Longer runs: `scripts/fuzz`.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{cell::RefCell, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use time::macros::datetime;
use tokio::runtime::Runtime;
use tolov_click::{Callback, CallbackForm, PayLink, SecretKey};
use tolov_contract::fuzzing::{fuzz, fuzz_some};
use tolov_domain::{
    Event, Tiyin, UnplacedPayment,
    notification::Notification,
    ports::{
        PortError,
        bus::{OutgoingMessage, Published, Publisher},
    },
};
use tolov_kit::{clock::ManualClock, http::TrustedProxies, secret::Secret};
use tolov_shop::{catalogue::Catalogue, csv};
use tolov_webhook::{
    ClickConfig, Config, Deps, Steps,
    ledger::{Quota, UnverifiedLimits},
};
use tower_service::Service;

const TOKEN: &str = "a token";

#[test]
fn a_form_of_any_bytes_is_read_or_refused_and_never_signed_by_chance() {
    let key = SecretKey::new("a key");
    fuzz("form", |body| {
        let (form, outcome) = CallbackForm::parse(body);
        assert!(!form.is_signed_by(&key));
        for record in [form.to_record(), form.to_unverified_record()] {
            assert!(serde_json::from_str::<Value>(&record).unwrap().is_object());
        }
        assert!(form.to_unverified_record().len() < 1_024);
        if outcome.is_ok()
            && let Ok(callback) = Callback::read(&form)
        {
            assert_eq!(Some(callback.merchant_trans_id.as_str()), form.merchant_trans_id());
            assert_eq!(Some(callback.click_trans_id.to_string().as_str()), form.click_trans_id());
            assert!(callback.error <= 0);
        }
    });
}

#[test]
fn an_amount_is_what_its_text_says_to_the_tiyin() {
    fuzz("amount", |body| {
        let Ok(text) = std::str::from_utf8(body) else { return };
        let Ok(amount) = Tiyin::parse_soum(text) else { return };
        assert_eq!(Tiyin::parse_soum(&amount.soum_text()), Ok(amount), "{text}");
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        assert!(whole.len() + part.len() > 0 && text.bytes().all(|it| it.is_ascii_digit() || it == b'.'));
        let tiyin = format!("{whole}{part:0<2}");
        assert_eq!(tiyin.get(..whole.len() + 2).unwrap().parse::<i64>().unwrap(), amount.get(), "{text}");
    });
}

#[test]
fn an_event_that_is_read_is_written_as_it_was_understood() {
    fuzz("event", |body| {
        if let Ok(event) = Event::from_json(body) {
            assert_eq!(Event::from_json(&event.to_json()), Ok(event));
        }
    });
    fuzz("notification", |body| {
        if let Ok(notification) = Notification::from_json(body) {
            assert_eq!(Notification::from_json(&notification.to_json()), Ok(notification));
        }
    });
    fuzz("unplaced", |body| {
        if let Ok(payment) = UnplacedPayment::from_json(body) {
            assert_eq!(UnplacedPayment::from_json(&payment.to_json()), Ok(payment));
        }
    });
}

#[test]
fn a_table_of_any_bytes_is_a_plan_or_a_list_of_errors() {
    let catalogue = Catalogue { categories: Vec::new(), products: Vec::new() };
    fuzz_some("catalogue", 5_000, |file| {
        if let Err(errors) = csv::plan(file, &catalogue) {
            assert!(!errors.is_empty());
        }
    });
}

#[derive(Debug)]
struct NoBus;

#[async_trait]
impl Publisher for NoBus {
    async fn publish(&self, _: &[OutgoingMessage]) -> Result<Vec<Published>, PortError> {
        Err(PortError::Unavailable("no bus".to_owned()))
    }

    async fn is_reachable(&self) -> bool {
        false
    }
}

/// The webhook service on a ledger of its own.
struct Webhook {
    steps: Steps,
    runtime: Runtime,
    _folder: tempfile::TempDir,
}

impl Webhook {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let pay_link = PayLink {
            pay_page: "https://my.click.uz/services/pay".to_owned(),
            service_id: 77,
            merchant_id: 1,
            merchant_user_id: None,
            return_url: None,
        };
        // Nobody waits for the answer to a callback that is kept.
        let unbounded = Quota { rows: u32::MAX, bytes: usize::MAX };
        let unverified = UnverifiedLimits {
            peer_minute: unbounded,
            peer_day: unbounded,
            minute: unbounded,
            disk_reserve_bytes: 0,
            ..UnverifiedLimits::default()
        };
        let config = Config {
            addr: ([127, 0, 0, 1], 0).into(),
            trusted_proxies: TrustedProxies::default(),
            ledger: folder.path().join("payments.db").into(),
            api_token: Secret::new(TOKEN),
            click: ClickConfig { secret_key: SecretKey::new("a key"), test_mode: false, pay_link },
            order_ttl: None,
            unverified,
        };
        let clock = Arc::new(ManualClock::new(datetime!(2026-11-23 12:00 UTC)));
        let steps = runtime.block_on(Steps::open(config, Deps { bus: Arc::new(NoBus), clock })).unwrap();
        Self { steps, runtime, _folder: folder }
    }

    fn post(&self, path: &str, body: &[u8]) -> (u16, Value) {
        let request = http::Request::builder().method("POST").uri(path);
        let request = request.header("authorization", format!("Bearer {TOKEN}"));
        let request = request.body(Full::new(Bytes::copy_from_slice(body))).unwrap();
        self.runtime.block_on(async {
            let Ok(answer) = warp::service(self.steps.routes.clone()).call(request).await;
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await.ok().unwrap().to_bytes();
            (status, serde_json::from_slice(&body).unwrap())
        })
    }
}

#[test]
fn an_order_of_any_bytes_is_registered_or_refused_with_a_reason() {
    let webhook = RefCell::new(Webhook::new());
    fuzz_some("create_order", 2_000, |body| {
        let (status, answer) = webhook.borrow().post("/api/create_order", body);
        assert!(matches!(status, 200 | 201 | 409 | 422), "{status}: {answer}");
        let is_registered = matches!(status, 200 | 201);
        assert!(is_registered || answer["error"].is_string(), "{answer}");
    });
}

#[test]
fn every_body_at_clicks_address_is_answered_with_an_error_code() {
    let webhook = RefCell::new(Webhook::new());
    fuzz_some("form", 2_000, |body| {
        let (status, answer) = webhook.borrow().post("/payments/click/webhook", body);
        assert_eq!(status, 200);
        assert!(matches!(answer["error"].as_i64(), Some(-8 | -1)), "{answer}");
    });
}
