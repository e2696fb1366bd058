//! What other pages in a developer's browser can do to the sandbox: nothing.

use serde_json::{Value, json};
use tolov_sandbox::{Service, StartError};

use crate::{
    merchant::Merchant,
    running::{MERCHANT_ID, Running, SERVICE_ID, TOKEN, client, config, start, start_with},
};

const JSON: (&str, &str) = ("content-type", "application/json");

/// Sends a body with these headers and returns the status.
async fn send(sandbox: &Running, method: &str, path: &str, headers: &[(&str, &str)], body: String) -> u16 {
    let mut request = client().request(method.parse().unwrap(), sandbox.url(path)).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap().status().as_u16()
}

fn payment() -> String {
    json!({ "order_id": "1001", "amount": "1500" }).to_string()
}

#[tokio::test]
async fn a_control_call_that_another_page_can_send_without_asking_changes_nothing() {
    let sandbox = start();
    let merchant = Merchant::known_to(&sandbox).await;
    let shopper = sandbox.shopper();
    let elsewhere = json!({ "prepare_url": merchant.url, "complete_url": merchant.url }).to_string();
    let said = json!({ "text": "salom" }).to_string();
    let calls = [
        ("POST", "/sandbox/click/pay".to_owned(), payment()),
        ("POST", "/sandbox/click/merchant".to_owned(), elsewhere),
        ("POST", format!("/sandbox/telegram/shoppers/{shopper}/text"), said),
        ("POST", format!("/sandbox/telegram/shoppers/{shopper}/block"), String::new()),
        ("POST", "/sandbox/reset".to_owned(), String::new()),
        ("DELETE", "/sandbox/telegram/faults".to_owned(), String::new()),
    ];
    for (method, path, body) in calls {
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"] {
            let status = send(&sandbox, method, &path, &[("content-type", kind)], body.clone()).await;
            assert_eq!(status, 415, "{method} {path} as {kind}");
        }
        assert_eq!(send(&sandbox, method, &path, &[], body).await, 415, "{method} {path} without a type");
    }
    assert_eq!(merchant.paid_times(), 0);
    assert!(sandbox.telegram().messages(shopper).unwrap().is_empty());
}

#[tokio::test]
async fn a_page_of_another_origin_pays_no_order() {
    let sandbox = start();
    let merchant = Merchant::known_to(&sandbox).await;
    for origin in ["https://evil.example", "http://127.0.0.1:1", "null"] {
        let headers = [JSON, ("origin", origin)];
        assert_eq!(send(&sandbox, "POST", "/sandbox/click/pay", &headers, payment()).await, 403, "{origin}");
        let link =
            format!("service_id={SERVICE_ID}&merchant_id={MERCHANT_ID}&amount=1500&transaction_param=1001");
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("link", link.as_str()), ("card", "8600495400000094"), ("expiry", "0399")])
            .finish();
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("origin", origin)];
        assert_eq!(send(&sandbox, "POST", "/services/pay/card", &headers, form).await, 403, "{origin}");
    }
    assert!(sandbox.handle.click().payments().is_empty());
    let own = format!("http://{}", sandbox.addr);
    let headers = [JSON, ("origin", own.as_str())];
    assert_eq!(send(&sandbox, "POST", "/sandbox/click/pay", &headers, payment()).await, 200);
    assert_eq!(merchant.paid_times(), 1);
}

#[tokio::test]
async fn a_public_name_that_leads_to_the_sandbox_reads_and_changes_nothing() {
    let sandbox = start();
    let _merchant = Merchant::known_to(&sandbox).await;
    let rebound = [JSON, ("host", "evil.example"), ("origin", "http://evil.example")];
    let webhook = format!("/bot{TOKEN}/setWebhook?url=http://127.0.0.1:1/");
    for path in
        ["/", "/page/app.js", "/sandbox", "/sandbox/click/payments", "/services/pay", webhook.as_str()]
    {
        assert_eq!(send(&sandbox, "GET", path, &rebound, String::new()).await, 421, "{path}");
    }
    assert_eq!(send(&sandbox, "POST", "/sandbox/click/pay", &rebound, payment()).await, 421);
    assert!(sandbox.handle.click().payments().is_empty());
}

#[tokio::test]
async fn a_picture_in_another_page_calls_no_method_of_the_bot_api() {
    let sandbox = start();
    let webhook = format!("/bot{TOKEN}/setWebhook?url=http://127.0.0.1:1/");
    let picture = [("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "image")];
    assert_eq!(send(&sandbox, "GET", &webhook, &picture, String::new()).await, 403);
    let answer = client().get(sandbox.url(&format!("/bot{TOKEN}/getWebhookInfo"))).send().await.unwrap();
    let info: Value = answer.json().await.unwrap();
    assert_eq!(info["result"]["url"], "");
}

#[tokio::test]
async fn callbacks_go_to_the_merchant_of_the_settings_and_nowhere_else() {
    let urls = |url: &str| json!({ "prepare_url": url, "complete_url": url }).to_string();
    let sandbox = start();
    let merchant = Merchant::known_to(&sandbox).await;
    for elsewhere in ["https://evil.example/", "http://169.254.169.254/latest/", "http://127.0.0.1:1/click"] {
        assert_eq!(send(&sandbox, "POST", "/sandbox/click/merchant", &[JSON], urls(elsewhere)).await, 403);
    }
    let other_path = urls(merchant.url.join("/other").unwrap().as_str());
    assert_eq!(send(&sandbox, "POST", "/sandbox/click/merchant", &[JSON], other_path).await, 200);

    let mut config = config();
    config.click.allow_any_merchant = true;
    let sandbox = start_with(config);
    let anywhere = urls("http://192.0.2.7/click");
    assert_eq!(send(&sandbox, "POST", "/sandbox/click/merchant", &[JSON], anywhere).await, 200);
}

#[tokio::test]
async fn a_key_without_the_sandboxs_mark_signs_only_where_that_is_allowed() {
    let mut config = config();
    config.click.secret_key = tolov_kit::secret::Secret::new("a-key-of-a-real-service");
    let refused = Service::build(config.clone()).map(|_| ());
    let Err(error @ StartError::RealKey) = refused else { panic!("{refused:?}") };
    assert!(error.to_string().contains("sandbox-only") && error.to_string().contains("--real-key"));
    config.click.allow_real_key = true;
    Service::build(config).unwrap();
}
