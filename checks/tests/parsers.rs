//! Every parser of what strangers, other programs and other versions send: it panics at nothing, and what it takes it means.
//! The bot's own parsers are tested in its crate. Longer runs: `scripts/fuzz`.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{cell::RefCell, collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use time::macros::{date, datetime};
use tokio::runtime::Runtime;
use tolov_click::{
    Call, Callback, CallbackForm, ClickCode, PayLink, SecretKey, merchant_api::Reading, sign::SignedFields,
};
use tolov_contract::fuzzing::{fuzz, fuzz_some};
use tolov_domain::{
    Event, Tiyin, UnplacedPayment,
    notification::Notification,
    ports::{
        PortError,
        bus::{OutgoingMessage, Published, Publisher},
    },
    refund::api::CallOutcome,
};
use tolov_kit::{clock::ManualClock, http::TrustedProxies, secret::Secret};
use tolov_shop::{catalogue::Catalogue, csv};
use tolov_webhook::{
    ClickConfig, Config, Deps, Steps,
    ledger::{Quota, UnverifiedLimits},
};
use tower_service::Service;

const TOKEN: &str = "a token";
const KEY: &str = "a key";
/// Of the corpus; an order of 30,000 so'm.
const ORDER: i64 = 1001;

#[test]
fn a_form_of_any_bytes_is_read_or_refused_and_never_signed_by_chance() {
    let key = SecretKey::new(KEY);
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
            merchant_user_id: Some(7),
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
            click: ClickConfig { secret_key: SecretKey::new(KEY), test_mode: false, pay_link },
            order_ttl: None,
            unverified,
        };
        let clock = Arc::new(ManualClock::new(datetime!(2026-11-23 12:00 UTC)));
        let steps = runtime.block_on(Steps::open(config, Deps { bus: Arc::new(NoBus), clock })).unwrap();
        Self { steps, runtime, _folder: folder }
    }

    fn post(&self, path: &str, body: &[u8]) -> (u16, Value) {
        self.call("POST", path, body)
    }

    fn call(&self, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
        let request = http::Request::builder().method(method).uri(path);
        let request = request.header("authorization", format!("Bearer {TOKEN}"));
        let request = request.body(Full::new(Bytes::copy_from_slice(body))).unwrap();
        self.runtime.block_on(async {
            let Ok(answer) = warp::service(self.steps.routes.clone()).call(request).await;
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await.ok().unwrap().to_bytes();
            (status, serde_json::from_slice(&body).unwrap())
        })
    }

    fn register(&self, order: i64) {
        let body = format!(
            r#"{{"order_id":{order},"user_id":5551,"products":[{{"product_id":7,"count":2}}],"total_amount":30000,
            "payment_method":"click","receipt":{{"lines":[{{"name":"Choy dona","amount":2000,"good_price":1500000,
            "price":3000000,"discount":0,"vat":0,"fiscal":{{"mxik":"01234567890123456","package_code":"1506113",
            "vat_percent":0}}}}]}}}}"#
        );
        let (status, answer) = self.post("/api/create_order", body.as_bytes());
        assert_eq!(status, 201, "{answer}");
    }

    /// An order, with an attempt to pay it that is begun: the attempt's number.
    fn with_attempt(&self, order: i64) -> String {
        self.register(order);
        let prepare = format!(
            "click_trans_id={order}5&service_id=77&click_paydoc_id=100{order}5&merchant_trans_id={order}&amount=30000&action=0\
             &error=0&error_note=&sign_time=2026-11-23+12:00:00&sign_string=x"
        );
        self.call_back(&signed(prepare.as_bytes()))["merchant_prepare_id"].to_string()
    }

    /// 1001 paid by the first attempt and to be given back, 1002 begun to be paid by the second, 1003 asked for by phone.
    fn with_a_paid_order() -> Self {
        let webhook = Self::new();
        let attempts = [ORDER, ORDER + 1].map(|order| webhook.with_attempt(order));
        assert_eq!(attempts, ["1", "2"]);
        webhook.register(ORDER + 2);
        let complete = "click_trans_id=10015&service_id=77&click_paydoc_id=10010015&merchant_trans_id=1001&amount=30000\
             &merchant_prepare_id=1&action=1&error=0&error_note=&sign_time=2026-11-23+12:00:00&sign_string=x";
        assert_eq!(webhook.call_back(&signed(complete.as_bytes()))["error"], 0);
        let refund: &[u8] = br#"{"request_id":"1","requested_by":"777"}"#;
        let invoice: &[u8] = br#"{"user_id":5551,"phone":"+998901234567"}"#;
        for (path, body) in [("/orders/1001/refunds", refund), ("/orders/1003/phone-invoices", invoice)] {
            let (status, answer) = webhook.post(path, body);
            assert_eq!(status, 201, "{answer}");
        }
        webhook
    }

    fn call_back(&self, body: &str) -> Value {
        let (status, answer) = self.post("/payments/click/webhook", body.as_bytes());
        assert_eq!(status, 200);
        answer
    }
}

/// What can be read of a form, with CLICK's signature.
fn signed(body: &[u8]) -> String {
    let (form, _) = CallbackForm::parse(body);
    let given = |field: Option<&str>| field.unwrap_or_default().to_owned();
    let [trans, service, order] =
        [form.click_trans_id(), form.service_id(), form.merchant_trans_id()].map(given);
    let [prepare, amount, action, time] =
        [form.merchant_prepare_id(), form.amount(), form.action(), form.sign_time()].map(given);
    let signature = SecretKey::new(KEY).sign(&SignedFields {
        click_trans_id: &trans,
        service_id: &service,
        merchant_trans_id: &order,
        merchant_prepare_id: (action == "1").then_some(prepare.as_str()),
        amount: &amount,
        action: &action,
        sign_time: &time,
    });
    let [paydoc, error, note] = [form.click_paydoc_id(), form.error(), form.error_note()].map(given);
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("click_trans_id", trans),
            ("service_id", service),
            ("click_paydoc_id", paydoc),
            ("merchant_trans_id", order),
            ("merchant_prepare_id", prepare),
            ("amount", amount),
            ("action", action),
            ("error", error),
            ("error_note", note),
            ("sign_time", time),
            ("sign_string", signature),
        ])
        .finish()
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

/// A ledger that works decides every one of them: -7 would have CLICK come again for ever.
#[test]
fn every_signed_body_at_clicks_address_is_decided() {
    /// So many forms are about one order.
    const OF_ONE: i64 = 10;
    let webhook = RefCell::new(Webhook::new());
    let attempt = RefCell::new((0, String::new()));
    fuzz_some("form", 1_000, |body| {
        let (webhook, mut attempt) = (webhook.borrow(), attempt.borrow_mut());
        let order = ORDER + attempt.0 / OF_ONE;
        if attempt.0 % OF_ONE == 0 {
            attempt.1 = webhook.with_attempt(order);
        }
        attempt.0 += 1;
        let of_order = String::from_utf8_lossy(body)
            .replace("1001", &order.to_string())
            .replace("5000", &format!("{order}5"))
            .replace("merchant_prepare_id=12&", &format!("merchant_prepare_id={}&", attempt.1));
        let answer = webhook.call_back(&signed(of_order.as_bytes()));
        let code = answer["error"].as_i64().and_then(|code| ClickCode::from_code(code.try_into().ok()?));
        let code = code.unwrap_or_else(|| panic!("{answer}"));
        assert!(!matches!(code, ClickCode::SignCheckFailed | ClickCode::FailedToUpdateUser), "{answer}");
    });
}

/// Every address that takes JSON, but for that of new orders. 1 is the first invoice and attempt; the number of the first refund is
/// the time.
const POSTS: [&str; 21] = [
    "/orders/1001/refunds",
    "/orders/1002/refunds",
    "/refunds/1795435200/withdraw",
    "/refunds/1795435200/by-hand",
    "/refunds/1795435200/retry",
    "/refunds/1795435200/step",
    "/attempts/1/seen",
    "/attempts/2/seen",
    "/attempts/2/accept",
    "/merchant-calls",
    "/receipts/1001/step",
    "/receipts/1001/retry",
    "/receipts/1001/by-hand",
    "/orders/1002/phone-invoices",
    "/phone-invoices/1/step",
    "/telegram-payments",
    "/payments/unplaced/replay",
    "/days/2026-11-22",
    "/restore",
    "/restore/found",
    "/orders/1003/telegram-checkouts",
];

const GETS: [&str; 15] = [
    "/orders",
    "/orders/1001",
    "/orders/1002",
    "/orders/1001/records",
    "/orders/1001/refunds",
    "/orders/1002/phone-invoices",
    "/refunds/open",
    "/attempts",
    "/attempts/silent",
    "/receipts/1001",
    "/receipts/open",
    "/receipts/missing",
    "/phone-invoices/due",
    "/payments/unplaced",
    "/restore",
];

fn numbered(body: &[u8], step: usize) -> Vec<u8> {
    let first: &[u8] = b"\"step\":0";
    let mut numbered = body.to_vec();
    if let Some(at) = body.windows(first.len()).position(|part| part == first) {
        numbered[at + first.len() - 1] += u8::try_from(step).unwrap();
    }
    numbered
}

/// A ledger that works takes it or refuses it, and shows afterwards whatever it took.
#[test]
fn a_body_of_any_bytes_is_taken_or_refused_and_what_was_taken_is_shown() {
    const OF_ONE_LEDGER: u32 = 40;
    const STEPS: usize = 3;
    let world = RefCell::new((0_u32, Webhook::new()));
    let taken = RefCell::new(BTreeSet::new());
    fuzz_some("api", 400, |body| {
        let mut world = world.borrow_mut();
        if world.0.is_multiple_of(OF_ONE_LEDGER) {
            world.1 = Webhook::with_a_paid_order();
        }
        world.0 += 1;
        // A step is taken where it is the next one.
        let mut bodies: Vec<Vec<u8>> = (0..STEPS).map(|step| numbered(body, step)).collect();
        bodies.dedup();
        for (path, body) in POSTS.iter().flat_map(|path| bodies.iter().map(move |body| (*path, body))) {
            let (status, answer) = world.1.post(path, body);
            assert!(status < 500, "POST {path}: {status}: {answer}");
            if status >= 300 {
                assert!(answer["error"].is_string(), "POST {path}: {answer}");
                continue;
            }
            taken.borrow_mut().insert(path);
            for shown in GETS {
                let (status, answer) = world.1.call("GET", shown, b"");
                assert_eq!(status, 200, "GET {shown} after POST {path}: {answer}");
            }
        }
    });
    let taken = taken.into_inner();
    assert!(taken.len() > POSTS.len() / 2, "taken at these addresses alone: {taken:?}");
}

#[test]
fn an_answer_of_clicks_merchant_api_of_any_bytes_is_believed_only_where_it_says_so() {
    const ID: i64 = 4_710_103_925;
    let calls = [
        Call::PaymentStatus { service_id: 77, payment_id: ID },
        Call::PaymentStatusByOrder {
            service_id: 77,
            merchant_trans_id: "1001".to_owned(),
            date: date!(2026 - 11 - 23),
        },
        Call::Reversal { service_id: 77, payment_id: ID },
        Call::InvoiceStatus { service_id: 77, invoice_id: 7 },
        Call::FiscalData { service_id: 77, payment_id: ID },
    ];
    fuzz("merchant_answer", |body| {
        let said: Value = serde_json::from_slice(body).unwrap_or_default();
        let number =
            |field: &str| said[field].as_i64().or_else(|| said[field].as_str()?.trim().parse::<i64>().ok());
        for call in &calls {
            for http_status in [200, 404, 502] {
                let reading = Reading::of(call, http_status, body);
                assert!(reading.note.chars().count() <= 200);
                if reading.outcome != CallOutcome::Done {
                    assert_eq!(reading.payment(), None);
                    continue;
                }
                assert_eq!(http_status, 200, "{call:?} {said}");
                let is_read = call.method() == "GET";
                assert!(
                    number("error_code") == Some(0) || is_read && !said["error_code"].is_number(),
                    "{call:?} {said}"
                );
                let is_of_another = reading.payment_id.is_some_and(|id| id.get() != ID);
                let names_payment = matches!(
                    call,
                    Call::PaymentStatus { .. } | Call::Reversal { .. } | Call::FiscalData { .. }
                );
                assert!(!(names_payment && is_of_another), "{call:?} {said}");
            }
        }
    });
}
