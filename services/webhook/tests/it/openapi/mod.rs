//! docs/openapi.yaml says what the service does: every answer in it is provoked and compared, every route is in it.

mod schema;

use std::{collections::BTreeSet, path::Path};

use reqwest::Method;
use serde_json::Value;
use sqlx::Executor;
use tolov_webhook::http::CLICK_PATH;

use self::schema::{Document, Operation};
use crate::{
    app::{API_TOKEN, Setup, TestApp},
    callers::order_json,
    click::Callback,
};

/// Requests that want API_TOKEN, apart from those about refunds.
const WITH_TOKEN: [(Method, &str); 8] = [
    (Method::POST, "/api/create_order"),
    (Method::GET, "/orders"),
    (Method::GET, "/orders/1"),
    (Method::POST, "/orders/1/cancel"),
    (Method::POST, "/orders/1/replay"),
    (Method::GET, "/payments/unplaced"),
    (Method::POST, "/payments/unplaced/replay"),
    (Method::GET, "/ready"),
];

#[tokio::test]
async fn every_documented_answer_is_given_and_has_the_documented_form() {
    let document = Document::read();
    let app = TestApp::start_with(Setup { merchant_api: true, ..Setup::default() }).await;
    let mut given = BTreeSet::new();
    let mut check = |method: &Method, path: &str, status: u16, answer: &Value| {
        let operation = document.operation(method, path);
        let differences = document.differences(&operation, status, answer);
        assert!(differences.is_empty(), "{method} {path}: {status} {answer}\n{}", differences.join("\n"));
        given.insert((operation.id, status));
    };

    let (order, other) = (order_json(1, "30000"), order_json(1, "500"));
    let requests = [
        (Method::POST, "/api/create_order", order.as_str(), 201),
        (Method::POST, "/api/create_order", &order, 200),
        (Method::POST, "/api/create_order", &other, 409),
        (Method::POST, "/api/create_order", "{}", 422),
        (Method::GET, "/orders?limit=10&before=9&status=pending", "", 200),
        (Method::GET, "/orders?limit=0", "", 422),
        (Method::GET, "/orders/1", "", 200),
        (Method::GET, "/orders/7", "", 404),
        (Method::POST, "/orders/1/cancel", "", 200),
        (Method::POST, "/orders/7/cancel", "", 404),
        (Method::POST, "/orders/1/replay", "", 200),
        (Method::POST, "/orders/7/replay", "", 404),
        (Method::GET, "/payments/unplaced?limit=10&before=9", "", 200),
        (Method::GET, "/payments/unplaced?before=first", "", 422),
        (Method::POST, "/payments/unplaced/replay", r#"{"since_ms": 0, "until_ms": 1}"#, 200),
        (Method::POST, "/payments/unplaced/replay", "{}", 422),
        (Method::GET, "/health", "", 200),
        (Method::GET, "/ready", "", 200),
    ];
    for (method, path, body, expected) in requests {
        let (status, answer) = ask(&app, &method, path, Some(API_TOKEN), body).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
        check(&method, path, status, &answer);
    }
    for (method, path) in WITH_TOKEN {
        let (status, answer) = ask(&app, &method, path, None, &order).await;
        check(&method, path, status, &answer);
        assert_eq!(status, 401);
    }

    app.order(2).await;
    let prepare = app.send(&Callback::prepare(2)).await;
    let complete = Callback::complete(2, prepare.prepare_id());
    for answer in [prepare, app.send(&complete).await, app.send(&complete.badly_signed()).await] {
        check(&Method::POST, CLICK_PATH, 200, &answer.body);
    }
    let of_paid = [(Method::POST, "/orders/2/cancel", 409), (Method::GET, "/orders/2", 200)];
    let of_paid = of_paid.map(|(method, path, expected)| (method, path.to_owned(), String::new(), expected));
    let paid = [refunds_of_order_2(&app).await, receipts_of_order_6(&app).await, reconciliation()].concat();
    let invoices = [invoices_of_order_3(&app).await, phone_invoices_of_order_5(&app).await].concat();
    for (method, path, body, expected) in [of_paid.to_vec(), paid, invoices].concat() {
        let (status, answer) = ask(&app, &method, &path, Some(API_TOKEN), &body).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
        check(&method, &path, status, &answer);
        let (status, answer) = ask(&app, &method, &path, None, &body).await;
        assert_eq!(status, 401);
        check(&method, &path, status, &answer);
    }

    app.until_the_outbox_is_empty().await;
    let mut file = app.file().await;
    file.execute("ALTER TABLE outbox RENAME TO outbox_out_of_reach").await.unwrap();
    let mut status = 200;
    // The report is renewed every few seconds.
    while status == 200 {
        let answer;
        (status, answer) = ask(&app, &Method::GET, "/ready", Some(API_TOKEN), "").await;
        check(&Method::GET, "/ready", status, &answer);
    }
    file.execute("ALTER TABLE outbox_out_of_reach RENAME TO outbox").await.unwrap();

    assert_eq!(given, document.answers(), "the answers that were given, and those that are documented");
    app.finish().await;
}

/// Requests about refunds of order 2, which is paid by attempt 1, and about attempts, each with its answer.
async fn refunds_of_order_2(app: &TestApp) -> Vec<(Method, String, String, u16)> {
    let asked = |id: &str| format!(r#"{{"request_id": "{id}", "requested_by": "5551"}}"#);
    let (_, first) = ask(app, &Method::POST, "/orders/2/refunds", Some(API_TOKEN), &asked("tap-0")).await;
    let id = first["refund_id"].as_i64().unwrap();
    let at = |path: &str| format!("/refunds/{id}/{path}");
    let by = r#"{"by": "5551"}"#;
    let by_hand = r#"{"by": "5551", "document": "transfer 17"}"#;
    let found = r#"{"step": 0, "change": "found_paid", "payment_id": 4710103925}"#;
    let refused = r#"{"step": 2, "change": "refused", "click_code": -500, "click_note": "no"}"#;
    let call = r#"{"calls": [{"at": "2026-11-23T12:00:00Z", "order_id": 2, "method": "GET", "path": "/", "outcome": "done", "code": 0, "note": ""}]}"#;
    let too_many = format!(r#"{{"calls": [{}]}}"#, [&call[11..call.len() - 2]; 21].join(","));
    let shown =
        r#"{"payment": {"payment_id": 4710103925, "status": 2}, "accept": false, "source": "statement"}"#;
    let next = id + 1;
    let requests = [
        ("POST", "/orders/2/refunds".to_owned(), asked("tap-0"), 200),
        ("POST", "/orders/2/refunds".to_owned(), asked("tap-1"), 409),
        ("POST", "/orders/2/refunds".to_owned(), "{}".to_owned(), 422),
        ("POST", "/orders/7/refunds".to_owned(), asked("tap-1"), 404),
        ("GET", "/orders/2/refunds".to_owned(), String::new(), 200),
        ("GET", "/orders/2/records".to_owned(), String::new(), 200),
        ("GET", "/orders/7/records".to_owned(), String::new(), 200),
        ("GET", "/orders/x/records".to_owned(), String::new(), 404),
        ("GET", "/orders/7/refunds".to_owned(), String::new(), 404),
        ("GET", "/refunds/open".to_owned(), String::new(), 200),
        ("GET", "/refunds/open?after=x".to_owned(), String::new(), 422),
        ("POST", at("retry"), by.to_owned(), 409),
        ("POST", at("retry"), "{}".to_owned(), 422),
        ("POST", "/refunds/7/retry".to_owned(), by.to_owned(), 404),
        ("POST", at("step"), "{}".to_owned(), 422),
        ("POST", at("step"), found.to_owned(), 200),
        ("POST", at("step"), found.to_owned(), 409),
        ("POST", "/refunds/7/step".to_owned(), found.to_owned(), 404),
        ("POST", at("step"), r#"{"step": 1, "change": "send"}"#.to_owned(), 200),
        ("POST", at("step"), refused.to_owned(), 200),
        ("POST", at("retry"), by.to_owned(), 200),
        ("POST", at("withdraw"), "{}".to_owned(), 422),
        ("POST", at("withdraw"), by.to_owned(), 200),
        ("POST", at("withdraw"), by.to_owned(), 409),
        ("POST", "/refunds/7/withdraw".to_owned(), by.to_owned(), 404),
        ("POST", "/orders/2/refunds".to_owned(), asked("tap-2"), 201),
        ("POST", format!("/refunds/{next}/by-hand"), "{}".to_owned(), 422),
        ("POST", format!("/refunds/{next}/by-hand"), by_hand.to_owned(), 200),
        ("POST", format!("/refunds/{next}/by-hand"), by_hand.to_owned(), 409),
        ("POST", "/refunds/7/by-hand".to_owned(), by_hand.to_owned(), 404),
        ("GET", "/attempts".to_owned(), String::new(), 200),
        ("GET", "/attempts?before=x".to_owned(), String::new(), 422),
        ("GET", "/attempts/silent".to_owned(), String::new(), 200),
        ("POST", "/attempts/1/seen".to_owned(), r#"{"payment": null, "accept": true}"#.to_owned(), 200),
        ("POST", "/attempts/1/seen".to_owned(), "{}".to_owned(), 422),
        ("POST", "/attempts/77/seen".to_owned(), r#"{"payment": null, "accept": true}"#.to_owned(), 404),
        ("POST", "/attempts/1/accept".to_owned(), by.to_owned(), 409),
        ("POST", "/attempts/1/seen".to_owned(), shown.to_owned(), 200),
        ("POST", "/attempts/1/accept".to_owned(), by.to_owned(), 200),
        ("POST", "/attempts/1/accept".to_owned(), "{}".to_owned(), 422),
        ("POST", "/attempts/x/accept".to_owned(), by.to_owned(), 404),
        ("POST", "/merchant-calls".to_owned(), call.to_owned(), 200),
        ("POST", "/merchant-calls".to_owned(), too_many, 422),
    ];
    requests.map(|(method, path, body, status)| (method.parse().unwrap(), path, body, status)).into()
}

/// Requests about compared days and restores, each with its answer.
fn reconciliation() -> Vec<(Method, String, String, u16)> {
    let day = r#"{"agreed": 1, "differing": [], "unanswered": 0}"#;
    let requests = [
        ("GET", "/days/next".to_owned(), String::new(), 200),
        ("POST", "/days/2026-11-22".to_owned(), day.to_owned(), 200),
        ("POST", "/days/2026-11-22".to_owned(), "{}".to_owned(), 422),
        ("GET", "/restore".to_owned(), String::new(), 200),
        ("GET", "/restore?after=x".to_owned(), String::new(), 422),
        ("POST", "/restore".to_owned(), r#"{"done": true}"#.to_owned(), 200),
        ("POST", "/restore".to_owned(), "{}".to_owned(), 422),
        ("POST", "/restore/found".to_owned(), r#"{"order_id": 1, "payment_id": 5}"#.to_owned(), 200),
        ("POST", "/restore/found".to_owned(), "{}".to_owned(), 422),
    ];
    requests.map(|(method, path, body, status)| (method.parse().unwrap(), path, body, status)).into()
}

/// Requests about Telegram's invoice for order 3, which is pending, and order 4, which is over, each with its answer.
async fn invoices_of_order_3(app: &TestApp) -> Vec<(Method, String, String, u16)> {
    app.order(3).await;
    app.order(4).await;
    app.cancel(4).await;
    let checkout = r#"{"user_id": 5551, "amount_tiyin": 3000000, "currency": "UZS"}"#;
    let paid = r#"{"payload": "order-3", "user_id": 5551, "amount_tiyin": 3000000, "currency": "UZS",
        "telegram_charge_id": "tg-3", "provider_charge_id": "4711"}"#;
    let requests = [
        ("/orders/3/telegram-checkouts", checkout, 200),
        ("/orders/3/telegram-checkouts", "{}", 422),
        ("/orders/4/telegram-checkouts", checkout, 409),
        ("/orders/7/telegram-checkouts", checkout, 404),
        ("/telegram-payments", paid, 200),
        ("/telegram-payments", "{}", 422),
    ];
    requests.map(|(path, body, status)| (Method::POST, path.to_owned(), body.to_owned(), status)).into()
}

/// Requests about invoices to a phone number for order 5, each with its answer.
async fn phone_invoices_of_order_5(app: &TestApp) -> Vec<(Method, String, String, u16)> {
    app.order(5).await;
    let asked = r#"{"user_id": 5551, "phone": "+998901234567"}"#;
    let path = "/orders/5/phone-invoices";
    let (_, first) = ask(app, &Method::POST, path, Some(API_TOKEN), asked).await;
    let step = &*format!("/phone-invoices/{}/step", first["phone_invoice_id"]);
    let send = r#"{"step": 0, "change": "send"}"#;
    let refused = r#"{"step": 1, "change": "refused", "click_code": -514, "click_note": "no"}"#;
    let requests = [
        ("POST", path, asked, 200),
        ("POST", path, "{}", 422),
        ("POST", "/orders/4/phone-invoices", asked, 409),
        ("POST", "/orders/77/phone-invoices", asked, 404),
        ("GET", path, "", 200),
        ("GET", "/orders/x/phone-invoices", "", 404),
        ("GET", "/phone-invoices/due", "", 200),
        ("POST", step, send, 200),
        ("POST", step, send, 409),
        ("POST", step, "{}", 422),
        ("POST", "/phone-invoices/7/step", send, 404),
        ("POST", step, refused, 200),
        ("POST", path, asked, 201),
    ];
    requests
        .map(|(method, path, body, status)| {
            (method.parse().unwrap(), path.to_owned(), body.to_owned(), status)
        })
        .into()
}

/// Requests about the receipt of order 6, which is paid, each with its answer.
async fn receipts_of_order_6(app: &TestApp) -> Vec<(Method, String, String, u16)> {
    let order = r#"{"order_id": 6, "user_id": 5551, "products": [{"product_id": 7, "count": 2}], "total_amount": 30000,
        "payment_method": "click", "receipt": {"lines": [{"name": "Choy dona", "amount": 2000, "good_price": 1500000,
        "price": 3000000, "discount": 0, "vat": 0, "fiscal": {"mxik": null, "package_code": null, "vat_percent": 0}}]}}"#;
    assert_eq!(ask(app, &Method::POST, "/api/create_order", Some(API_TOKEN), order).await.0, 201);
    app.paid(6).await;
    let by = r#"{"by": "5551", "document": "17"}"#;
    let give_up = r#"{"step": 1, "change": "give_up", "why": "no_codes"}"#;
    let requests = [
        ("GET", "/receipts/open", "", 200),
        ("GET", "/receipts/6", "", 200),
        ("GET", "/orders/6/records", "", 200),
        ("GET", "/receipts/7", "", 404),
        ("POST", "/receipts/6/retry", by, 409),
        ("POST", "/receipts/6/step", "{}", 422),
        ("POST", "/receipts/6/step", give_up, 200),
        ("POST", "/receipts/6/step", give_up, 409),
        ("POST", "/receipts/7/step", give_up, 404),
        ("GET", "/receipts/missing", "", 200),
        ("POST", "/receipts/6/retry", "{}", 422),
        ("POST", "/receipts/6/retry", by, 200),
        ("POST", "/receipts/7/retry", by, 404),
        ("POST", "/receipts/6/by-hand", "{}", 422),
        ("POST", "/receipts/6/by-hand", by, 200),
        ("POST", "/receipts/6/by-hand", by, 409),
        ("POST", "/receipts/7/by-hand", by, 404),
    ];
    requests
        .map(|(method, path, body, status)| {
            (method.parse().unwrap(), path.to_owned(), body.to_owned(), status)
        })
        .into()
}

async fn ask(app: &TestApp, method: &Method, path: &str, token: Option<&str>, body: &str) -> (u16, Value) {
    let mut request = app.http.request(method.clone(), app.url(path)).body(body.to_owned());
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[test]
fn every_route_of_the_service_is_documented_and_no_other() {
    let mut routes = BTreeSet::new();
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http")).unwrap() {
        let code = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for route in code.split("warp::path!(").skip(1) {
            let (path, filters) = route.split_once(')').unwrap();
            let segments = path.split('/').map(|segment| match segment.trim().strip_prefix('"') {
                Some(text) => format!("/{}", text.trim_end_matches('"')),
                None => "/{}".to_owned(),
            });
            let filters = filters.split(';').next().unwrap();
            // A browser's preflight is no operation of the API.
            if filters.contains("warp::options()") {
                continue;
            }
            let method = if filters.contains("warp::post()") { Method::POST } else { Method::GET };
            routes.insert((segments.collect::<String>(), method.to_string()));
        }
    }
    let documented: BTreeSet<(String, String)> =
        Document::read().operations().iter().map(Operation::route).collect();
    assert_eq!(routes, documented, "the routes of src/http, and those of docs/openapi.yaml");
}
