//! What the bot and staff tools may ask, and what they get.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    app::{API_TOKEN, Setup, TestApp},
    callers::order_json,
    click::Callback,
};

/// The usual body with one field set to this JSON text, or taken out.
fn body_with(field: &str, text: Option<&str>) -> String {
    let usual = [
        ("order_id", "1"),
        ("user_id", "5551"),
        ("products", r#"[{"product_id": 7, "count": 2}]"#),
        ("total_amount", "30000.0"),
        ("payment_method", r#""click""#),
    ];
    let fields = usual.into_iter().filter_map(|(name, usual)| {
        let text = if name == field { text } else { Some(usual) };
        text.map(|text| format!("\"{name}\": {text}"))
    });
    format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
}

#[tokio::test]
async fn a_new_order_is_registered_with_a_pay_link_and_the_same_again_is_no_other() {
    let app = TestApp::start().await;
    let (status, created) = app.create(&body_with("", None)).await;
    assert_eq!(status, StatusCode::CREATED);
    let link = "https://my.click.uz/services/pay?service_id=12345&merchant_id=678&amount=30000.00&transaction_param=1";
    let expected = json!({"order_id": 1, "user_id": 5551, "products": [{"product_id": 7, "count": 2}],
        "total_amount": 30000.0, "payment_method": "click", "status": "pending",
        "created_at": "2026-11-23T12:00:00Z", "changed_at": "2026-11-23T12:00:00Z", "pay_until": null,
        "payment_url": link});
    assert_eq!(created, expected);
    app.clock.advance(time::Duration::hours(1));
    for body in
        [body_with("", None), body_with("total_amount", Some("30000")), body_with("comment", Some("1"))]
    {
        assert_eq!(app.create(&body).await, (StatusCode::OK, created.clone()));
    }
    app.paid(1).await;
    let (status, again) = app.create(&body_with("", None)).await;
    assert_eq!((status, again["status"].as_str()), (StatusCode::OK, Some("paid")));
    app.finish().await;
}

#[tokio::test]
async fn a_registered_order_says_until_when_it_can_be_paid_whatever_has_become_of_it() {
    let order_ttl = Some(std::time::Duration::from_millis(5_400_500));
    let app = TestApp::start_with(Setup { order_ttl, ..Setup::default() }).await;
    let until = json!("2026-11-23T13:30:00.5Z");
    let (_, created) = app.create(&order_json(1, "30000")).await;
    assert_eq!(created["pay_until"], until);
    app.order(2).await;
    app.clock.advance(time::Duration::minutes(10));
    app.paid(1).await;
    assert_eq!(app.cancel(2).await.0, StatusCode::OK);
    for (order_id, expected) in [(1, "paid"), (2, "expired")] {
        let (status, again) = app.create(&order_json(order_id, "30000")).await;
        assert_eq!((status, again["status"].as_str()), (StatusCode::OK, Some(expected)));
        assert_eq!(again["pay_until"], until, "{expected}");
    }
    app.finish().await;
}

#[tokio::test]
async fn an_order_number_that_is_taken_by_another_order_is_a_conflict_that_names_the_field_and_the_highest() {
    let app = TestApp::start().await;
    app.order(1).await;
    app.order(21_000).await;
    for (field, text) in [
        ("user_id", "5552"),
        ("total_amount", "30000.01"),
        ("products", r#"[{"product_id": 7, "count": 3}]"#),
        ("products", r#"[{"product_id": 7, "count": 2}, {"product_id": 8, "count": 1}]"#),
    ] {
        let (status, body) = app.create(&body_with(field, Some(text))).await;
        assert_eq!((status, body["field"].as_str()), (StatusCode::CONFLICT, Some(field)), "{text}");
        assert_eq!(body["highest_order_id"], 21_000, "where a counter that fell back goes on: {text}");
    }
    let (_, order) = app.get("/orders/1").await;
    assert_eq!((&order["user_id"], &order["total_amount"]), (&json!(5551), &json!(30000.0)));
    app.finish().await;
}

#[tokio::test]
async fn a_bad_field_is_named_in_the_refusal() {
    let app = TestApp::start().await;
    let cases: &[(&str, &[&str])] = &[
        ("order_id", &["0", "-1", "1.0", "1e3", "\"1\"", "null", "9223372036854775808", "true"]),
        ("user_id", &["0", "-5", "\"5551\"", "5551.5", "[]"]),
        (
            "total_amount",
            &[
                "\"30000\"",
                "3e4",
                "-1",
                "0",
                "0.0",
                "0.00",
                "30000.555",
                "10000000000000.01",
                "null",
                "1E3",
                "{}",
                "99999999999999999999999",
            ],
        ),
        (
            "products",
            &[
                "[]",
                "{}",
                "null",
                "7",
                r#"[{"product_id": 7}]"#,
                r#"[{"product_id": 7, "count": 0}]"#,
                r#"[{"product_id": 7, "count": -1}]"#,
                r#"[{"product_id": 0, "count": 1}]"#,
                r#"[{"product_id": 7, "count": 1.5}]"#,
                r#"[{"product_id": 7, "count": 4294967296}]"#,
                r#"[{"product_id": 7, "count": 1}, {"product_id": 7, "count": 1}]"#,
            ],
        ),
        ("payment_method", &["\"payme\"", "\"\"", "null", "\"CLICK\""]),
    ];
    for (field, texts) in cases {
        for text in texts.iter().map(|text| Some(*text)).chain([None]) {
            let (status, body) = app.create(&body_with(field, text)).await;
            let refused = (StatusCode::UNPROCESSABLE_ENTITY, Some(*field));
            assert_eq!((status, body["field"].as_str()), refused, "{field}: {text:?}");
        }
    }
    for body in ["", "[]", "null", "{", "\"order\"", "{\"order_id\": 1,}", "\u{feff}{}"] {
        let (status, answer) = app.create(body).await;
        assert_eq!(
            (status, answer["field"].as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, Some("body")),
            "{body}"
        );
    }
    assert_eq!(app.get("/orders").await.1["orders"], json!([]));
    app.finish().await;
}

#[tokio::test]
async fn at_most_a_hundred_products_make_an_order_and_a_larger_body_is_refused() {
    let app = TestApp::start().await;
    let products = |count: i64| {
        let products: Vec<Value> = (1..=count).map(|id| json!({"product_id": id, "count": 1})).collect();
        body_with("products", Some(&Value::from(products).to_string()))
    };
    assert_eq!(app.create(&products(101)).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(app.create(&products(100)).await.0, StatusCode::CREATED);
    assert_eq!(app.create(&products(1000)).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    app.finish().await;
}

#[tokio::test]
async fn every_spelling_of_an_amount_is_read_to_the_tiyin_and_is_in_the_pay_link() {
    let app = TestApp::start().await;
    for (order_id, text, link, shown) in [
        (1, "30000", "30000.00", "30000.0"),
        (2, "30000.0", "30000.00", "30000.0"),
        (3, "30000.00", "30000.00", "30000.0"),
        (4, "30000.55", "30000.55", "30000.55"),
        (5, "0.01", "0.01", "0.01"),
        // Neither survives a float.
        (6, "10000000000000", "10000000000000.00", "10000000000000.0"),
        (7, "9007199254740.93", "9007199254740.93", "9007199254740.93"),
    ] {
        let (status, order) = app.create(&order_json(order_id, text)).await;
        assert_eq!(status, StatusCode::CREATED, "{text}");
        let url = order["payment_url"].as_str().unwrap();
        assert!(url.contains(&format!("&amount={link}&")), "{url}");
        let request = app.http.get(app.url(&format!("/orders/{order_id}"))).bearer_auth(API_TOKEN);
        let raw = request.send().await.unwrap().text().await.unwrap();
        assert!(raw.contains(&format!("\"total_amount\":{shown},")), "{raw}");
        let callback = Callback::prepare(order_id).amount(link);
        assert_ne!(app.send(&callback).await.prepare_id(), 0);
    }
    app.finish().await;
}

#[tokio::test]
async fn a_return_address_adds_no_parameter_to_the_pay_link() {
    let return_url = "https://t.me/tolov_bot?start=paid&amount=1&transaction_param=2#ёж %";
    let app = TestApp::start_with(Setup { return_url: Some(return_url), ..Setup::default() }).await;
    let (_, order) = app.create(&order_json(1, "500")).await;
    let link = url::Url::parse(order["payment_url"].as_str().unwrap()).unwrap();
    let pairs: Vec<(String, String)> = link.query_pairs().into_owned().collect();
    let pairs: Vec<(&str, &str)> =
        pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected = [
        ("service_id", "12345"),
        ("merchant_id", "678"),
        ("amount", "500.00"),
        ("transaction_param", "1"),
        ("return_url", return_url),
    ];
    assert_eq!(pairs, expected);
    app.finish().await;
}

#[tokio::test]
async fn orders_are_open_to_those_who_show_the_token_and_to_nobody_else() {
    let app = TestApp::start().await;
    app.order(1).await;
    let almost = &API_TOKEN[..API_TOKEN.len() - 1];
    for shown in [
        None,
        Some(String::new()),
        Some("Bearer".to_owned()),
        Some("Bearer ".to_owned()),
        Some(API_TOKEN.to_owned()),
        Some(format!("Basic {API_TOKEN}")),
        Some(format!("bearer {API_TOKEN}")),
        Some(format!("Bearer {almost}")),
        Some(format!("Bearer {API_TOKEN}x")),
        Some(format!("Bearer {API_TOKEN} {API_TOKEN}")),
    ] {
        for (method, path) in [
            (Method::POST, "/api/create_order"),
            (Method::POST, "/orders/1/cancel"),
            (Method::GET, "/orders"),
            (Method::GET, "/orders/1"),
        ] {
            let mut request = app.http.request(method, app.url(path)).body(order_json(2, "500"));
            if let Some(shown) = &shown {
                request = request.header("authorization", shown);
            }
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{path} with {shown:?}");
            let body: Value = response.json().await.unwrap();
            assert!(body.get("order_id").is_none() && body["error"].is_string(), "{body}");
        }
    }
    assert_eq!(app.get("/orders/2").await.0, StatusCode::NOT_FOUND);
    assert_eq!(app.status_of(1).await, "pending");
    app.finish().await;
}

#[tokio::test]
async fn orders_are_listed_newest_first_by_page_and_by_status() {
    let app = TestApp::start().await;
    for order_id in 1..=5 {
        app.order(order_id).await;
    }
    app.paid(2).await;
    app.paid(4).await;
    for (query, expected) in [
        ("", &[5, 4, 3, 2, 1][..]),
        ("?", &[5, 4, 3, 2, 1]),
        ("?limit=2", &[5, 4]),
        ("?before=5&limit=2", &[4, 3]),
        ("?before=2", &[1]),
        ("?before=1", &[]),
        ("?status=paid", &[4, 2]),
        ("?status=pending&before=5", &[3, 1]),
        ("?status=expired", &[]),
        ("?colour=red&limit=1", &[5]),
    ] {
        let (status, body) = app.get(&format!("/orders{query}")).await;
        assert_eq!(status, StatusCode::OK, "{query}");
        let numbers: Vec<i64> = body["orders"]
            .as_array()
            .unwrap()
            .iter()
            .map(|order| order["order_id"].as_i64().unwrap())
            .collect();
        assert_eq!(numbers, expected, "{query}");
        assert_eq!(body["highest_order_id"], 5, "{query}");
    }
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=x", "limit"),
        ("before=x", "before"),
        ("before=", "before"),
        ("status=PAID", "status"),
        ("status=paid%27%20OR%201=1", "status"),
    ] {
        let (status, body) = app.get(&format!("/orders?{query}")).await;
        let refused = (StatusCode::UNPROCESSABLE_ENTITY, Some(field));
        assert_eq!((status, body["field"].as_str()), refused, "{query}");
    }
    app.finish().await;
}

#[tokio::test]
async fn one_order_is_shown_with_its_attempts_and_an_unknown_one_is_not_found() {
    let app = TestApp::start().await;
    app.order(1).await;
    let first = app.prepared(1).await;
    app.code(&Callback::cancel(1, first, -5017)).await;
    app.clock.advance(time::Duration::seconds(1));
    let second = app.send(&Callback::prepare(1).trans(8)).await.prepare_id();
    app.code(&Callback::complete(1, second).trans(9).with("click_paydoc_id", 77)).await;
    let (status, order) = app.get("/orders/1").await;
    assert_eq!((status, order["status"].as_str()), (StatusCode::OK, Some("paid")));
    let noon = 1_795_435_200_000_i64;
    let expected = json!([
        {"merchant_prepare_id": 1, "click_trans_id": 3_647_911_001_i64, "click_paydoc_id": 16_853_761,
         "amount_tiyin": 3_000_000, "state": "cancelled", "prepared_at_ms": noon, "settled_at_ms": noon,
         "paid_trans_id": null, "paid_paydoc_id": null, "click_error": -5017},
        {"merchant_prepare_id": 2, "click_trans_id": 8, "click_paydoc_id": 16_853_761,
         "amount_tiyin": 3_000_000, "state": "paid", "prepared_at_ms": noon + 1000, "settled_at_ms": noon + 1000,
         "paid_trans_id": 9, "paid_paydoc_id": 77, "click_error": null},
    ]);
    assert_eq!(order["attempts"], expected);
    for path in ["/orders/2", "/orders/0", "/orders/x", "/orders/01", "/orders/9223372036854775808"] {
        assert_eq!(app.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_hundred_equal_orders_at_once_register_one() {
    let app = TestApp::start().await;
    let body = order_json(1, "500");
    let answers = futures_util::future::join_all((0..100).map(|_| app.create(&body))).await;
    let created = answers.iter().filter(|(status, _)| *status == StatusCode::CREATED).count();
    let existed = answers.iter().filter(|(status, _)| *status == StatusCode::OK).count();
    assert_eq!((created, existed), (1, 99));
    app.finish().await;
}

#[tokio::test]
async fn an_order_number_that_leaves_no_room_for_counters_is_refused() {
    let mut app = TestApp::start().await;
    assert_eq!(app.get("/orders").await.1["highest_order_id"], 0);
    let refused = async |order_id: i64| {
        let (status, body) = app.create(&order_json(order_id, "500")).await;
        (status, body["field"].as_str() == Some("order_id"))
    };
    for order_id in [i64::MAX, 1_000_000_000_000] {
        assert_eq!(refused(order_id).await, (StatusCode::UNPROCESSABLE_ENTITY, true), "{order_id}");
    }
    app.order(1001).await;
    let (_, body) = app.create(&order_json(999_999_999_999, "500")).await;
    assert_eq!(body["highest_order_id"], 1001);
    app.order(10_000_001_001).await;
    app.stop().await;
    app.start_again().await;
    assert_eq!(app.create(&order_json(20_000_001_002, "500")).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    app.order(20_000_001_001).await;
    app.finish().await;
}
