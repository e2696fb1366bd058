//! The control API over HTTP, and requests that no route takes.

use serde_json::{Value, json};
use teloxide::{prelude::*, types::ChatId};

use crate::{
    merchant::Merchant,
    running::{Running, STAFF, TOKEN, client, start},
};

async fn post(sandbox: &Running, path: &str, body: Value) -> (u16, Value) {
    let answer = client().post(sandbox.url(&format!("/sandbox/{path}"))).json(&body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn get(sandbox: &Running, path: &str) -> (u16, Value) {
    let answer = client().get(sandbox.url(&format!("/sandbox/{path}"))).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn a_shopper_is_simulated_over_http_alone() {
    let sandbox = start();
    let bot = sandbox.bot();
    let new = json!({ "first_name": "Dilnoza", "language_code": "uz" });
    let (status, shopper) = post(&sandbox, "telegram/shoppers", new).await;
    assert_eq!(status, 201);
    let id = shopper["id"].as_i64().unwrap();
    let (_, sent) = post(&sandbox, &format!("telegram/shoppers/{id}/text"), json!({ "text": "salom" })).await;
    assert_eq!((&sent["kind"], &sent["text"]), (&json!("text"), &json!("salom")));

    let wait = format!("telegram/chats/{id}/wait?contains=Assalom&after_revision={}", sent["revision"]);
    let (waited, answered) =
        tokio::join!(get(&sandbox, &wait), bot.send_message(ChatId(id), "Assalomu alaykum"));
    assert_eq!((waited.0, &waited.1["text"]), (200, &json!("Assalomu alaykum")));
    answered.unwrap();
    let (status, told) =
        get(&sandbox, &format!("telegram/chats/{id}/wait?contains=never&timeout_ms=20")).await;
    assert!(status == 408 && told["error"].as_str().unwrap().contains("Assalomu"), "{told}");

    let (_, counts) = get(&sandbox, "telegram/counts").await;
    assert_eq!(counts[id.to_string()], 1);
    let (_, sends) = get(&sandbox, &format!("telegram/sends?chat_id={id}")).await;
    assert_eq!((&sends[0]["method"], sends.as_array().unwrap().len()), (&json!("sendMessage"), 1));
    let (_, log) = get(&sandbox, &format!("telegram/chats/{id}/messages")).await;
    assert_eq!((&log[0]["from"], &log[1]["from"]), (&json!("person"), &json!("bot")));
    let (status, _) = post(&sandbox, &format!("telegram/shoppers/{id}/tap"), json!({ "text": "no" })).await;
    assert_eq!(status, 404);
    let tap = json!({ "shopper_id": id, "text": "no" });
    let (status, told) = post(&sandbox, &format!("telegram/channels/{STAFF}/tap"), tap).await;
    assert!(status == 404 && told["error"].as_str().unwrap().contains("no button"), "{told}");
    let (status, told) = get(&sandbox, "telegram/updates/confirmed?timeout_ms=20").await;
    assert!(status == 408 && told["error"].as_str().unwrap().contains("not confirmed"), "{told}");
}

#[tokio::test]
async fn faults_and_resets_are_requested_over_http() {
    let sandbox = start();
    let fault =
        json!({ "method": "sendMessage", "effect": "too_many_requests", "retry_after_s": 3, "times": 2 });
    assert_eq!(post(&sandbox, "telegram/faults", fault).await.0, 200);
    assert!(sandbox.bot().send_message(ChatId(STAFF), "x").await.is_err());
    let (_, open) = get(&sandbox, "telegram/faults").await;
    assert_eq!((&open[0]["times"], &open[0]["effect"]), (&json!(1), &json!("too_many_requests")));
    let shopper = sandbox.shopper();
    assert_eq!(post(&sandbox, "reset", json!({})).await.0, 200);
    assert_eq!(get(&sandbox, &format!("telegram/chats/{shopper}/messages")).await.0, 404);
    sandbox.bot().send_message(ChatId(STAFF), "the channel stays").await.unwrap();
    let (status, told) = post(&sandbox, "telegram/faults", json!({ "effect": "unknown" })).await;
    assert!(status == 422 && told["error"].as_str().unwrap().contains("unknown"), "{told}");
}

#[tokio::test]
async fn text_that_is_too_long_to_keep_is_refused() {
    let sandbox = start();
    let shopper = sandbox.shopper();
    let text = json!({ "text": "x".repeat(4_097) });
    assert_eq!(post(&sandbox, &format!("telegram/shoppers/{shopper}/text"), text).await.0, 422);
    let name = json!({ "first_name": "x".repeat(64 * 1024) });
    assert_eq!(post(&sandbox, "telegram/shoppers", name).await.0, 413);
    let markup = json!({ "keyboard": [[{ "text": "x".repeat(64 * 1024) }]] });
    let send = json!({ "chat_id": shopper, "text": "?", "reply_markup": markup });
    let answer =
        client().post(sandbox.url(&format!("/bot{TOKEN}/sendMessage"))).json(&send).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let send = json!({ "chat_id": shopper, "text": "x".repeat(256 * 1024 + 1) });
    let answer =
        client().post(sandbox.url(&format!("/bot{TOKEN}/sendMessage"))).json(&send).send().await.unwrap();
    assert_eq!(answer.status(), 413);
}

#[tokio::test]
async fn payments_and_scenarios_run_over_http() {
    let sandbox = start();
    let order = json!({ "order_id": "1001", "amount": "1500" });
    assert_eq!(post(&sandbox, "click/pay", order.clone()).await.0, 409, "no merchant yet");
    let merchant = Merchant::known_to(&sandbox).await;
    let urls = json!({ "prepare_url": merchant.url, "complete_url": merchant.url.as_str() });
    assert_eq!(post(&sandbox, "click/merchant", urls).await.0, 200);
    let (_, payment) = post(&sandbox, "click/pay", order).await;
    assert_eq!(payment["status"]["status"], "paid");
    let scenario =
        json!({ "order_id": "1001", "amount": "1500", "scenario": "wrong_signature", "step": "complete" });
    let (_, ended) = post(&sandbox, "click/scenarios", scenario).await;
    assert_eq!(ended["exchanges"][1]["answer"]["error"], -1, "{ended}");
    let (_, payments) = get(&sandbox, "click/payments?order_id=1001").await;
    assert_eq!(payments.as_array().unwrap().len(), 2);
    let (_, again) = get(&sandbox, &format!("click/payments/{}", payment["click_trans_id"])).await;
    assert_eq!(again, payment);
}

#[tokio::test]
async fn forms_gets_and_unknown_methods_are_answered_as_telegram_does() {
    let sandbox = start();
    let shopper = sandbox.shopper();
    let form = format!("chat_id={shopper}&text=salom+dunyo");
    let request = client()
        .post(sandbox.url(&format!("/bot{TOKEN}/sendmessage")))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form);
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!((&answer["ok"], &answer["result"]["text"]), (&json!(true), &json!("salom dunyo")));
    let url = sandbox.url(&format!("/bot{TOKEN}/SENDMESSAGE?chat_id={shopper}&text=by%20GET"));
    let answer: Value = client().get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["result"]["message_id"], 2);
    let answer = client().get(sandbox.url(&format!("/bot{TOKEN}/sendDice"))).send().await.unwrap();
    assert_eq!(answer.status(), 404);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["description"], "Not Found: method not found");

    let too_much = vec![b'x'; 21 * 1024 * 1024];
    let request = client().post(sandbox.url(&format!("/bot{TOKEN}/sendPhoto"))).body(too_much);
    // The server may close the connection before it has read everything.
    if let Ok(answer) = request.send().await {
        assert_eq!(answer.status(), 413);
    }
    let index = client().get(sandbox.url("/sandbox")).send().await.unwrap().text().await.unwrap();
    assert!(index.contains("/sandbox/click/scenarios"));
    assert_eq!(client().get(sandbox.url("/nothing")).send().await.unwrap().status(), 404);
}
