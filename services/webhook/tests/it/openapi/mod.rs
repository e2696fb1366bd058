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
const WITH_TOKEN: [(Method, &str); 7] = [
    (Method::POST, "/api/create_order"),
    (Method::GET, "/orders"),
    (Method::GET, "/orders/1"),
    (Method::POST, "/orders/1/cancel"),
    (Method::POST, "/orders/1/replay"),
    (Method::GET, "/payments/unplaced"),
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
        (Method::GET, "/payments/unplaced", "", 200),
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
    let (status, answer) = ask(&app, &Method::POST, "/orders/2/cancel", Some(API_TOKEN), "").await;
    assert_eq!(status, 409);
    check(&Method::POST, "/orders/2/cancel", status, &answer);
    let (status, answer) = ask(&app, &Method::GET, "/orders/2", Some(API_TOKEN), "").await;
    check(&Method::GET, "/orders/2", status, &answer);

    for (method, path, body, expected) in refunds_of_order_2(&app).await {
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
    let day = r#"{"agreed": 1, "differing": [], "unanswered": 0}"#;
    let next = id + 1;
    let requests = [
        ("POST", "/orders/2/refunds".to_owned(), asked("tap-0"), 200),
        ("POST", "/orders/2/refunds".to_owned(), asked("tap-1"), 409),
        ("POST", "/orders/2/refunds".to_owned(), "{}".to_owned(), 422),
        ("POST", "/orders/7/refunds".to_owned(), asked("tap-1"), 404),
        ("GET", "/orders/2/refunds".to_owned(), String::new(), 200),
        ("GET", "/orders/7/refunds".to_owned(), String::new(), 404),
        ("GET", "/refunds/open".to_owned(), String::new(), 200),
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
        ("GET", "/days/next".to_owned(), String::new(), 200),
        ("POST", "/days/2026-11-22".to_owned(), day.to_owned(), 200),
        ("POST", "/days/2026-11-22".to_owned(), "{}".to_owned(), 422),
        ("GET", "/restore".to_owned(), String::new(), 200),
        ("POST", "/restore".to_owned(), r#"{"done": true}"#.to_owned(), 200),
        ("POST", "/restore".to_owned(), "{}".to_owned(), 422),
        ("POST", "/merchant-calls".to_owned(), call.to_owned(), 200),
        ("POST", "/merchant-calls".to_owned(), too_many, 422),
    ];
    requests.map(|(method, path, body, status)| (method.parse().unwrap(), path, body, status)).into()
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
