//! What a restored ledger takes over from the ledger that it replaces: refunds and receipts as they stood there.

use serde_json::{Value, json};
use tolov_domain::{
    OrderId,
    receipt::{Receipt, ReceiptStatus},
    refund::Refund,
};
use tolov_kit::clock::Clock;
use tolov_webhook::ledger::{AdoptRefusal, LedgerReader, Outcome};

use crate::{
    app::{Setup, TestApp},
    receipts::order as with_receipt,
};

const CLICK_ID: i64 = 4_710_103_925;

/// A ledger with these orders paid, the same in the copy as in the one that is lost.
async fn paid(order_ids: &[i64]) -> TestApp {
    let app = TestApp::start_with(Setup { merchant_api: true, ..Setup::default() }).await;
    for order_id in order_ids {
        app.post("/api/create_order", &with_receipt(*order_id, 3_000_000)).await;
        app.paid(*order_id).await;
    }
    app
}

async fn asked(app: &TestApp, order_id: i64, request_id: &str) -> Value {
    let body = json!({ "request_id": request_id, "requested_by": "5551" });
    app.post(&format!("/orders/{order_id}/refunds"), &body).await.1
}

async fn step(app: &TestApp, path: &str, before: &Value, change: &Value) -> Value {
    let mut body = change.clone();
    body["step"] = before["step"].clone();
    app.post(path, &body).await.1
}

async fn refunds(app: &TestApp, order_ids: &[i64]) -> Vec<Refund> {
    let mut refunds = Vec::new();
    for order_id in order_ids {
        refunds.extend(app.ledger().refunds(OrderId::try_new(*order_id).unwrap()).await.unwrap());
    }
    refunds
}

#[tokio::test]
async fn refunds_that_were_open_wait_for_staff_and_one_that_may_have_been_sent_is_asked_for() {
    let orders = [1, 2, 3, 4];
    let lost = paid(&orders).await;
    let copy = paid(&orders).await;
    // The copy has it as open; since then it was withdrawn, and another one was asked for.
    for app in [&lost, &copy] {
        asked(app, 4, "tap-1").await;
    }
    let withdrawn = refunds(&lost, &[4]).await[0].refund_id;
    lost.post(&format!("/refunds/{withdrawn}/withdraw"), &json!({ "by": "5551" })).await;
    asked(&lost, 4, "tap-2").await;
    asked(&lost, 1, "tap-1").await;
    let refund = asked(&lost, 2, "tap-1").await;
    let path = format!("/refunds/{}/step", refund["refund_id"]);
    let checked =
        step(&lost, &path, &refund, &json!({ "change": "found_paid", "payment_id": CLICK_ID })).await;
    assert_eq!(step(&lost, &path, &checked, &json!({ "change": "send" })).await["state"], "sending");
    let by_hand = json!({ "request_id": "tap-1", "requested_by": "5551", "by_hand": "transfer 17" });
    lost.post("/orders/3/refunds", &by_hand).await;

    let known = refunds(&lost, &orders).await;
    for expected in [Outcome::Applied, Outcome::AlreadyApplied] {
        let outcomes = copy.ledger().adopt_lost_refunds(known.clone(), copy.clock.now()).await.unwrap();
        assert_eq!(outcomes, [expected; 5], "it may be repeated");
    }
    let states = refunds(&copy, &orders).await.into_iter().map(|refund| refund.status().as_str());
    assert_eq!(states.collect::<Vec<_>>(), ["manual", "unknown", "done_by_hand", "withdrawn", "manual"]);
    let (_, requested) = copy.get("/orders/1/refunds").await;
    assert_eq!(requested["open"]["why"], "ledger_restored", "{requested}");
    let unknown = &copy.get("/orders/2/refunds").await.1["open"];
    assert!(unknown["next_step_at"].is_string() && unknown["tries"] == 1, "CLICK is asked: {unknown}");
    let retry = format!("/refunds/{}/retry", unknown["refund_id"]);
    assert_eq!(copy.post(&retry, &json!({ "by": "5551" })).await.0, 409, "and nothing is sent before");
    let open = copy.ledger().leave_open_refunds_to_staff(copy.clock.now()).await.unwrap();
    let open: Vec<&str> = open.iter().map(|refund| refund.status().as_str()).collect();
    assert_eq!(open, ["manual", "manual", "unknown"], "as they were");
    let (_, all) = copy.get("/refunds/open").await;
    let second = all["refunds"][1]["refund"]["refund_id"].as_i64().unwrap();
    let (_, after) = copy.get(&format!("/refunds/open?after={second}")).await;
    assert_eq!(after["refunds"], json!([all["refunds"][2]]), "page by page");
    assert_eq!(copy.get("/refunds/open?after=x").await.0, 422);

    let mut too_much = known[0].clone();
    too_much.order_id = known[2].order_id;
    let refused = copy.ledger().adopt_lost_refunds(vec![too_much], copy.clock.now()).await.unwrap();
    assert_eq!(refused, [Outcome::Refused(AdoptRefusal::OrderDiffers { field: "refund" })]);
    lost.finish().await;
    copy.finish().await;
}

#[tokio::test]
async fn receipts_go_on_where_they_were_and_none_that_was_sent_is_needed_again() {
    let orders = [1, 2, 3, 4];
    let lost = paid(&orders).await;
    let copy = paid(&orders).await;
    let of = async |app: &TestApp| -> Vec<Receipt> {
        let reader = LedgerReader::open(app.place()).await.unwrap();
        let receipts = reader.receipts_in(1..=4).await.unwrap();
        reader.close().await;
        receipts
    };
    let change = async |order_id: i64, change: Value| {
        let before = lost.get(&format!("/receipts/{order_id}")).await.1;
        step(&lost, &format!("/receipts/{order_id}/step"), &before, &change).await
    };
    let submit = json!({ "change": "submit", "payment_id": CLICK_ID, "body_hash": "a".repeat(64) });
    change(1, json!({ "change": "found_receipt", "payment_id": CLICK_ID, "url": "https://ofd" })).await;
    change(2, submit.clone()).await;
    change(2, json!({ "change": "taken" })).await;
    lost.post("/receipts/3/by-hand", &json!({ "by": "5551", "document": "Z-report 17" })).await;

    let known = of(&lost).await;
    for changed in [3, 0] {
        let count = copy.ledger().adopt_lost_receipts(known.clone(), copy.clock.now()).await.unwrap();
        assert_eq!(count, changed, "it may be repeated");
    }
    let receipts = of(&copy).await;
    let states: Vec<ReceiptStatus> = receipts.iter().map(|receipt| receipt.state.status()).collect();
    assert_eq!(
        states,
        [ReceiptStatus::Known, ReceiptStatus::Submitted, ReceiptStatus::ByHand, ReceiptStatus::Needed]
    );
    assert_eq!((receipts[1].tries, &receipts[1].body_hash), (1, &known[1].body_hash));
    assert_eq!(receipts[2].state, known[2].state);
    lost.finish().await;
    copy.finish().await;
}
