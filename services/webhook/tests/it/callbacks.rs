//! What a callback must look like, and which code it gets otherwise (docs/click.md, sections 1.2 to 1.6 and 4).

use reqwest::{Method, StatusCode};
use serde_json::json;
use tolov_click::form::FIELDS;
use tolov_webhook::http::CLICK_PATH;

use crate::{
    app::{Setup, TestApp},
    click::{AMOUNT, Answer, Callback, SERVICE_ID},
};

/// The largest number of a bigint field, and the largest order number.
const LARGEST: i64 = 9_223_372_036_854_775_807;
const LARGEST_ORDER: i64 = 999_999_999_999;

#[tokio::test]
async fn a_payment_is_prepared_and_completed_with_ids_echoed_exactly() {
    let app = TestApp::start().await;
    app.order(LARGEST_ORDER).await;
    let prepared = app.send(&Callback::prepare(LARGEST_ORDER).trans(LARGEST)).await;
    let trans_id = json!(LARGEST);
    let expected = json!({"click_trans_id": trans_id, "merchant_trans_id": "999999999999",
        "merchant_prepare_id": 1, "error": 0, "error_note": "Success"});
    assert_eq!(prepared.body, expected);
    let complete = Callback::complete(LARGEST_ORDER, 1).trans(LARGEST).with("click_paydoc_id", LARGEST);
    let expected = json!({"click_trans_id": trans_id, "merchant_trans_id": "999999999999",
        "merchant_confirm_id": 1, "error": 0, "error_note": "Success"});
    assert_eq!(app.send(&complete).await.body, expected);
    assert_eq!(app.status_of(LARGEST_ORDER).await, "paid");
    app.finish().await;
}

#[tokio::test]
async fn the_signatures_written_down_in_the_protocol_notes_pay() {
    let app = TestApp::start_with(Setup { secret_key: Some("SECRET"), ..Setup::default() }).await;
    app.order_of(1001, "38400").await;
    let prepare = "click_trans_id=3647911201&service_id=12345&click_paydoc_id=2001&merchant_trans_id=1001\
        &amount=38400&action=0&sign_time=2026-04-29+18%3A02%3A18&error=0&error_note=Success\
        &sign_string=fa6ab4c1cb7c0926faa7b206f5bcc494";
    assert_eq!(app.send_body(prepare).await.prepare_id(), 1);
    let other_text = prepare
        .replace("amount=38400", "amount=38400.00")
        .replace("fa6ab4c1cb7c0926faa7b206f5bcc494", "e7d133dd37411285753dc76b34006b61");
    assert_eq!(app.send_body(other_text).await.prepare_id(), 1, "the same attempt in another spelling");
    app.finish().await;
}

#[tokio::test]
async fn the_amount_is_hashed_as_it_was_written_and_compared_as_money() {
    let app = TestApp::start().await;
    let cases = [
        (1, "38400", "38400.00"),
        (2, "38400.0", "38400"),
        (3, "33139.73", "33139.73"),
        (4, "33139.7", "33139.70"),
        (5, "0.01", "0.01"),
        (6, "10000000000000", "10000000000000.00"),
    ];
    for (order_id, agreed, written) in cases {
        app.order_of(order_id, agreed).await;
        let prepare_id = app.send(&Callback::prepare(order_id).amount(written)).await.prepare_id();
        // A signature over another spelling of the same amount is not CLICK's.
        let respelled = Callback::complete(order_id, prepare_id)
            .amount(written)
            .tampered("amount", format!("0{written}"));
        assert_eq!(app.code(&respelled).await, -1, "{written}");
        assert_eq!(app.code(&Callback::complete(order_id, prepare_id).amount(written)).await, 0, "{written}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_well_signed_text_that_is_not_exactly_the_amount_is_refused() {
    let app = TestApp::start().await;
    app.order_of(1, "5").await;
    let prepare_id = app.send(&Callback::prepare(1).amount("5")).await.prepare_id();
    for amount in [
        "nan",
        "NaN",
        "inf",
        "1e3",
        "5e0",
        "+5",
        "-5",
        "5.001",
        "5.000",
        " 5",
        "5 ",
        "5.",
        ".5",
        "5,0",
        "0x5",
        "5.0.0",
        "4.99",
        "5.01",
        "0",
        "500",
        "٥",
        "99999999999999999999",
        "5\0",
    ] {
        assert_eq!(
            app.code(&Callback::prepare(1).trans(7).amount(amount)).await,
            -2,
            "Prepare of {amount:?}"
        );
        assert_eq!(
            app.code(&Callback::complete(1, prepare_id).amount(amount)).await,
            -2,
            "Complete of {amount:?}"
        );
    }
    assert_eq!(app.attempts_of(1).await, ["prepared"]);
    assert_eq!(app.code(&Callback::complete(1, prepare_id).amount("5.0")).await, 0);
    app.finish().await;
}

#[tokio::test]
async fn a_wrong_amount_in_a_complete_raises_a_question_once_and_in_a_prepare_none() {
    let app = TestApp::start().await;
    app.order(1).await;
    assert_eq!(app.code(&Callback::prepare(1).amount("29999")).await, -2);
    assert_eq!(app.events_of(1).await, Vec::<String>::new());
    let prepare_id = app.prepared(1).await;
    for _ in 0..3 {
        assert_eq!(app.code(&Callback::complete(1, prepare_id).amount("29999")).await, -2);
    }
    assert_eq!(app.events_of(1).await, ["payment.questioned:1:1:trans-3647911001:amount_differs"]);
    assert_eq!(app.code(&Callback::complete(1, prepare_id)).await, 0);
    app.finish().await;
}

#[tokio::test]
async fn a_required_field_that_is_missing_empty_or_doubled_is_an_error_in_the_request() {
    let app = TestApp::start().await;
    app.order(1).await;
    let prepare_id = app.prepared(1).await;
    let complete = Callback::complete(1, prepare_id);
    for field in FIELDS {
        assert_eq!(app.send_body(complete.body_without(field)).await.code, -8, "Complete without {field}");
        if field != "error_note" {
            let empty = format!("{}&{field}=", complete.body_without(field));
            assert_eq!(app.send_body(empty).await.code, -8, "Complete with an empty {field}");
        }
        let pairs = complete.pairs();
        let (_, value) = pairs.iter().find(|(name, _)| name == field).unwrap();
        let twice = format!("{}&{field}={}", complete.body(), value.replace(' ', "+"));
        assert_eq!(app.send_body(twice).await.code, -8, "Complete with {field} twice, though equal");
    }
    let prepare = Callback::prepare(1);
    for field in FIELDS.into_iter().filter(|field| *field != "merchant_prepare_id") {
        assert_eq!(app.send_body(prepare.body_without(field)).await.code, -8, "Prepare without {field}");
        let other_first = format!("{field}=1&{}", prepare.body());
        assert_eq!(app.send_body(other_first).await.code, -8, "Prepare with {field} twice");
    }
    assert_eq!(app.attempts_of(1).await, ["prepared"], "none of it did anything");
    app.finish().await;
}

#[tokio::test]
async fn well_signed_fields_that_are_not_of_their_form_are_errors_in_the_request() {
    let app = TestApp::start().await;
    app.order(1).await;
    for (field, value) in [
        ("click_trans_id", "0"),
        ("click_trans_id", "-1"),
        ("click_trans_id", "01"),
        ("click_trans_id", "9223372036854775808"),
        ("click_trans_id", "seven"),
        ("click_paydoc_id", "1.5"),
        ("click_paydoc_id", "-0"),
        ("service_id", "012345"),
        ("service_id", "twelve"),
        ("error", "none"),
        ("error", "1"),
        ("error", "-99999999999"),
        ("sign_time", "2026-04-29T18:02"),
        ("sign_time", "2026-04-29 18:02:18Z"),
        ("sign_time", "today"),
    ] {
        assert_eq!(app.code(&Callback::prepare(1).with(field, value)).await, -8, "{field}={value}");
    }
    assert_eq!(app.attempts_of(1).await, Vec::<String>::new());
    app.finish().await;
}

#[tokio::test]
async fn a_payment_number_of_zero_or_below_hangs_no_payment() {
    let app = TestApp::start().await;
    for (order_id, paydoc_id) in [(1, 0), (2, -7)] {
        app.order(order_id).await;
        let prepare = Callback::prepare(order_id).with("click_paydoc_id", paydoc_id);
        let prepare_id = app.send(&prepare).await.prepare_id();
        let complete = Callback::complete(order_id, prepare_id).with("click_paydoc_id", paydoc_id);
        assert_eq!(app.code(&complete).await, 0, "click_paydoc_id={paydoc_id}");
        assert_eq!(app.code(&complete).await, -4, "paid already");
        assert_eq!(app.attempts_of(order_id).await, ["paid"]);
        assert_eq!(app.events_of(order_id).await, [format!("payment.completed:{order_id}")]);
    }
    app.finish().await;
}

#[tokio::test]
async fn bytes_that_are_not_utf8_spoil_no_callback_and_unknown_fields_are_ignored() {
    let app = TestApp::start().await;
    app.order(1).await;
    let body = Callback::prepare(1).body();
    assert_eq!(app.send_body(format!("{body}&param2=%FF")).await.prepare_id(), 1);
    assert_eq!(app.send_body(body.replace("=Success", "=%C3%28")).await.prepare_id(), 1);
    let raw = [body.as_bytes(), b"&card=\xff\xfe"].concat();
    assert_eq!(app.send_body(raw).await.prepare_id(), 1);
    let extras = format!("{body}&param2=a&param2=b&card_type=uzcard&%D0%B8%D0%BC%D1%8F=%D0%B8&&=&x");
    assert_eq!(app.send_body(extras).await.prepare_id(), 1);
    // A note in windows-1251, as a bank writes it.
    let cancel = Callback::cancel(1, 1, -5017).body();
    let note = cancel.split('&').find(|pair| pair.starts_with("error_note=")).unwrap();
    assert_eq!(app.send_body(cancel.replace(note, "error_note=%CE%F8%E8%E1%EA%E0")).await.code, -9);
    assert_eq!(app.attempts_of(1).await, ["cancelled"]);
    app.finish().await;
}

#[tokio::test]
async fn an_empty_note_and_line_ends_after_the_form_hang_no_payment() {
    let app = TestApp::start().await;
    app.order(1).await;
    let empty_note = |callback: &Callback| format!("{}&error_note=", callback.body_without("error_note"));
    let prepare = empty_note(&Callback::prepare(1));
    let prepare_id = app.send_body(prepare).await.prepare_id();
    let complete = format!("{}\r\n", empty_note(&Callback::complete(1, prepare_id)));
    assert_eq!(app.send_body(complete).await.code, 0);
    assert_eq!(app.send_body(Callback::prepare(1).body_without("error_note")).await.code, -8, "left out");
    app.finish().await;
}

#[tokio::test]
async fn every_form_of_sign_time_that_integrators_show_is_taken() {
    let app = TestApp::start().await;
    let forms = ["2026-04-29 18:02:18", "2026-04-29T18:02:18", "2026-04-29 18:02:18.113", "20260429T180218"];
    for (order_id, sign_time) in (1..).zip(forms) {
        app.order(order_id).await;
        assert_eq!(
            app.code(&Callback::prepare(order_id).with("sign_time", sign_time)).await,
            0,
            "{sign_time}"
        );
    }
    app.finish().await;
}

#[tokio::test]
async fn a_slash_at_the_end_of_the_address_changes_no_answer() {
    let app = TestApp::start().await;
    app.order(1).await;
    let send = async |body: String| {
        app.count_callbacks(1, 1);
        let url = format!("http://{}{CLICK_PATH}/", app.addr());
        let callback = app.http.post(url).header("content-type", "application/x-www-form-urlencoded");
        Answer::read(&callback.body(body).send().await.unwrap().text().await.unwrap()).code
    };
    assert_eq!(send(Callback::prepare(1).body()).await, 0);
    assert_eq!(send(Callback::prepare(1).with("error_note", "x".repeat(9 * 1024)).body()).await, -8);
    app.finish().await;
}

#[tokio::test]
async fn a_service_that_is_not_ours_is_refused_though_well_signed() {
    let app = TestApp::start().await;
    app.order(1).await;
    for service_id in [SERVICE_ID + 1, 0, -SERVICE_ID] {
        assert_eq!(app.code(&Callback::prepare(1).with("service_id", service_id)).await, -8);
    }
    assert_eq!(app.attempts_of(1).await, Vec::<String>::new());
    app.finish().await;
}

#[tokio::test]
async fn an_action_that_is_neither_prepare_nor_complete_is_not_found() {
    let app = TestApp::start().await;
    app.order(1).await;
    for action in ["2", "3", "-1", "00", "01", "0.0", "prepare"] {
        assert_eq!(app.code(&Callback::prepare(1).with("action", action)).await, -3, "action={action}");
        let unsigned = Callback::prepare(1).with("action", action).badly_signed();
        assert_eq!(app.code(&unsigned).await, -1, "the signature comes first");
    }
    app.finish().await;
}

#[tokio::test]
async fn an_order_that_is_not_in_the_ledger_does_not_exist() {
    let app = TestApp::start().await;
    app.order(1).await;
    for order_id in ["2", "0", "-1", "01", "1.0", " 1", "Заказ-7", "9223372036854775808", "1 OR 1=1"] {
        let prepare = Callback::prepare(1).with("merchant_trans_id", order_id);
        assert_eq!(app.code(&prepare).await, -5, "Prepare of {order_id:?}");
        let complete = Callback::complete(1, 1).with("merchant_trans_id", order_id);
        let answer = app.send(&complete).await;
        assert_eq!((answer.code, answer.body["merchant_trans_id"].as_str()), (-5, Some(order_id)));
    }
    app.finish().await;
}

#[tokio::test]
async fn an_incoming_failure_is_answered_as_cancelled_and_opens_nothing() {
    let app = TestApp::start().await;
    app.order(1).await;
    for error in [-1, -5014, -5017, i32::MIN] {
        assert_eq!(app.code(&Callback::prepare(1).with("error", error)).await, -9);
    }
    assert_eq!(app.attempts_of(1).await, Vec::<String>::new());
    app.finish().await;
}

#[tokio::test]
async fn another_method_at_clicks_address_is_not_allowed_and_another_address_is_not_found() {
    let app = TestApp::start().await;
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        let response = app.http.request(method.clone(), app.url(CLICK_PATH)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(response.headers()["content-type"], "application/json; charset=utf-8");
    }
    for path in ["/", "/payments/click", "/payments/click/webhook/x", "/orders/1/x"] {
        assert_eq!(app.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    app.finish().await;
}

#[tokio::test]
async fn garbage_gets_clicks_own_code_and_is_kept() {
    let app = TestApp::start().await;
    for body in ["", "&", "=", "%", "%%%=%zz", "{\"action\":0}", "\0\0\0", "action=1", "a=b;c=d"] {
        assert_eq!(app.send_body(body).await.code, -8, "{body:?}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_body_may_come_in_chunks_and_one_that_is_too_large_gets_clicks_own_code_and_is_kept() {
    let app = TestApp::start().await;
    app.order(1).await;
    let chunks = Callback::prepare(1).body().into_bytes();
    let raw = [
        format!(
            "POST {CLICK_PATH} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        .as_bytes(),
        format!("{:x}\r\n", 10).as_bytes(),
        &chunks[..10],
        format!("\r\n{:x}\r\n", chunks.len() - 10).as_bytes(),
        &chunks[10..],
        b"\r\n0\r\n\r\n",
    ]
    .concat();
    app.count_callbacks(1, 1);
    let answer = crate::stop::say(app.addr(), &raw).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"error\":0"), "{answer}");
    let too_large = Callback::prepare(1).with("error_note", "x".repeat(9 * 1024)).body();
    assert_eq!(app.send_body(too_large).await.code, -8);
    assert_eq!(app.attempts_of(1).await, ["prepared"]);
    app.finish().await;
}

#[tokio::test]
async fn a_callback_through_a_trusted_proxy_is_kept_with_the_address_that_the_proxy_names() {
    let trusting = Setup { trusted_proxies: "127.0.0.1".parse().unwrap(), ..Setup::default() };
    for (setup, kept) in [(trusting, "203.0.113.7"), (Setup::default(), "127.0.0.1:")] {
        let app = TestApp::start_with(setup).await;
        app.order(1).await;
        app.count_callbacks(1, 1);
        let url = format!("http://{}{CLICK_PATH}", app.addr());
        let callback = app.http.post(url).body(Callback::prepare(1).body());
        let callback = callback.header("content-type", "application/x-www-form-urlencoded");
        let answer = callback.header("x-forwarded-for", "198.51.100.9, 203.0.113.7").send().await.unwrap();
        assert!(answer.text().await.unwrap().contains("\"error\":0"));
        let mut file = app.file().await;
        let peer: String =
            sqlx::query_scalar("SELECT peer FROM callbacks").fetch_one(&mut file).await.unwrap();
        assert!(peer.starts_with(kept), "{peer}");
        app.finish().await;
    }
}

#[tokio::test]
async fn every_callback_is_kept_with_its_fields_its_time_and_the_answer_given() {
    let app = TestApp::start().await;
    app.order(1).await;
    app.paid(1).await;
    app.code(&Callback::prepare(1).badly_signed()).await;
    let mut file = app.file().await;
    let others: i64 = sqlx::query_scalar("SELECT count(*) FROM callbacks WHERE peer NOT LIKE '127.0.0.1:%'")
        .fetch_one(&mut file)
        .await
        .unwrap();
    assert_eq!(others, 0, "the address of the peer is kept");
    let kept: Vec<(i64, Option<i64>, String, String)> =
        sqlx::query_as("SELECT received_at, order_id, fields, answer FROM callbacks ORDER BY id")
            .fetch_all(&mut file)
            .await
            .unwrap();
    let [prepare, complete] = kept.as_slice() else { panic!("{kept:?}") };
    assert_eq!((prepare.0, prepare.1), (1_795_435_200_000, Some(1)));
    let fields = json!({"click_trans_id": "3647911001", "service_id": "12345", "click_paydoc_id": "16853761",
        "merchant_trans_id": "1", "amount": AMOUNT, "action": "0", "error": "0", "error_note": "Success",
        "sign_time": "2026-04-29 18:02:18"});
    assert_eq!(serde_json::from_str::<serde_json::Value>(&prepare.2).unwrap(), fields);
    assert!(complete.3.contains("\"merchant_confirm_id\":1"), "{}", complete.3);
    let (forged, code): (String, i64) =
        sqlx::query_as("SELECT fields, code FROM unverified_callbacks").fetch_one(&mut file).await.unwrap();
    assert_eq!((serde_json::from_str::<serde_json::Value>(&forged).unwrap(), code), (fields, -1));
    app.finish().await;
}

#[tokio::test]
async fn clicks_playground_may_read_the_answers_in_test_mode_alone() {
    let ask = async |app: &TestApp, method: Method, origin: &'static str| {
        let request = app.http.request(method, app.url(CLICK_PATH)).header("origin", origin);
        let response = request.body(Callback::prepare(1).body()).send().await.unwrap();
        let allowed = response.headers().get("access-control-allow-origin").cloned();
        (response.status().as_u16(), allowed.map(|origin| origin.to_str().unwrap().to_owned()))
    };
    let (playground, other) = ("https://docs.click.uz", "https://evil.example");
    let allowed = Some(playground.to_owned());
    let app = TestApp::start_with(Setup { test_mode: true, ..Setup::default() }).await;
    assert_eq!(ask(&app, Method::OPTIONS, playground).await, (204, allowed.clone()));
    assert_eq!(ask(&app, Method::POST, playground).await, (200, allowed));
    assert_eq!(ask(&app, Method::OPTIONS, other).await, (405, None));
    assert_eq!(ask(&app, Method::POST, other).await, (200, None));
    app.count_callbacks(2, 2);
    app.finish().await;
    let app = TestApp::start().await;
    assert_eq!(ask(&app, Method::OPTIONS, playground).await, (405, None));
    assert_eq!(ask(&app, Method::POST, playground).await, (200, None));
    app.count_callbacks(1, 1);
    app.finish().await;
}
