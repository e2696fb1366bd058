//! The page's files, and what it shows: the trace, switches, faults.

use serde_json::{Value, json};
use tolov_sandbox::{
    click::{Fault, FaultEffect, PaymentStatus, Step},
    monitor::TraceEvent,
};

use crate::{
    merchant::Merchant,
    running::{Running, SOON, TOKEN, client, start},
};

async fn get(sandbox: &Running, path: &str) -> reqwest::Response {
    client().get(sandbox.url(path)).timeout(SOON).send().await.unwrap()
}

async fn json_of(sandbox: &Running, path: &str) -> Value {
    get(sandbox, path).await.json().await.unwrap()
}

#[tokio::test]
async fn every_file_that_the_page_names_exists_and_nothing_comes_from_elsewhere() {
    let sandbox = start();
    let mut open = vec!["/".to_owned()];
    let mut seen = Vec::new();
    while let Some(path) = open.pop() {
        let answer = get(&sandbox, &path).await;
        assert_eq!(answer.status(), 200, "{path}");
        let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let text = answer.text().await.unwrap();
        assert!(!text.is_empty(), "{path} is empty");
        let named = text.split(['"', '\'']).filter_map(|word| {
            let is_file = word.starts_with("/page/") || word.starts_with("./");
            is_file.then(|| format!("/page/{}", word.trim_start_matches("/page/").trim_start_matches("./")))
        });
        for named in named {
            if !seen.contains(&named) {
                seen.push(named.clone());
                open.push(named);
            }
        }
    }
    assert!(seen.len() > 15, "{seen:?}");
    assert_eq!(get(&sandbox, "/page/nothing.js").await.status(), 404);
}

#[tokio::test]
async fn a_trace_event_ends_the_wait_for_events() {
    let sandbox = start();
    let before = json_of(&sandbox, "/sandbox/events").await;
    let query = format!("after=0&revision={}&dashboard={}", before["revision"], before["dashboard_version"]);
    let path = format!("/sandbox/events?{query}&wait_ms=20000");
    let waiting = json_of(&sandbox, &path);
    let recording = async {
        tokio::task::yield_now().await;
        let event = TraceEvent::new("order", "placed").of_order(&1001).payload(&json!({ "x": [1, 2] }));
        sandbox.handle.trace().record(event);
    };
    let (news, ()) = tokio::join!(waiting, recording);
    assert_eq!(news["events"][0]["order_id"], "1001");
    assert!(news["events"][0].get("payload").is_none(), "payloads are fetched one by one");
    let whole = json_of(&sandbox, "/sandbox/events/1").await;
    assert_eq!(whole["payload"], json!({ "x": [1, 2] }));
    assert_eq!(get(&sandbox, "/sandbox/events/2").await.status(), 404);
}

#[tokio::test]
async fn a_payment_and_the_message_about_it_are_events_of_its_order() {
    let sandbox = start();
    let _merchant = Merchant::known_to(&sandbox).await;
    let shopper = sandbox.shopper();
    sandbox.handle.click().pay("1001", "1500.00").await.unwrap();
    let send = json!({ "chat_id": shopper, "text": "Order 1001 is paid" });
    let answer =
        client().post(sandbox.url(&format!("/bot{TOKEN}/sendMessage"))).json(&send).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let (events, _) = sandbox.handle.trace().after(0, 100);
    let stages: Vec<_> =
        events.iter().map(|event| (event.stage, event.order_id.as_deref(), event.ok)).collect();
    let expected = ["prepare", "complete", "telegram"].map(|stage| (stage, Some("1001"), true));
    assert_eq!(stages, expected);
}

#[tokio::test]
async fn telegram_fails_while_it_is_switched_off() {
    let sandbox = start();
    let turn = async |on: bool| {
        let request = client().post(sandbox.url("/sandbox/switches/telegram")).json(&json!({ "on": on }));
        assert_eq!(request.send().await.unwrap().status(), 200);
        get(&sandbox, &format!("/bot{TOKEN}/getMe")).await.status().as_u16()
    };
    assert_eq!(turn(false).await, 500);
    assert_eq!(turn(true).await, 200);
    let unknown = client().post(sandbox.url("/sandbox/switches/broker")).json(&json!({ "on": false }));
    assert_eq!(unknown.send().await.unwrap().status(), 404, "no broker is registered");
    let order = client().post(sandbox.url("/sandbox/orders")).json(&json!({ "shopper_id": 1 }));
    assert_eq!(order.send().await.unwrap().status(), 409, "no order source is registered");
}

#[tokio::test]
async fn an_order_is_paid_once_whatever_fault_its_complete_has() {
    let effects = [
        FaultEffect::LostCallback,
        FaultEffect::LostAnswer,
        FaultEffect::Twice,
        FaultEffect::Late { delay_ms: 5 },
        FaultEffect::WrongAmount,
        FaultEffect::WrongSignature,
    ];
    for effect in effects {
        let sandbox = start();
        let merchant = Merchant::known_to(&sandbox).await;
        let click = sandbox.handle.click();
        click.inject(Fault { step: Step::Complete, times: 1, effect: effect.clone() }).unwrap();
        let payment = click.pay("1001", "1500.00").await.unwrap();
        assert!(payment.is_paid(), "{effect:?}: {:?}", payment.status);
        assert_eq!(merchant.paid_times(), 1, "{effect:?}");
        assert!(click.faults().is_empty(), "{effect:?} is used up");
    }
}

#[tokio::test]
async fn a_lost_prepare_ends_the_payment_before_money_is_taken() {
    let sandbox = start();
    let merchant = Merchant::known_to(&sandbox).await;
    let click = sandbox.handle.click();
    click.inject(Fault { step: Step::Prepare, times: 1, effect: FaultEffect::LostCallback }).unwrap();
    let payment = click.pay("1001", "1500.00").await.unwrap();
    assert!(matches!(payment.status, PaymentStatus::Refused { error: None, .. }), "{:?}", payment.status);
    assert_eq!(merchant.paid_times(), 0);
}
