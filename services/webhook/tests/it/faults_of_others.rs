//! Faults that other implementations of the SHOP API are known for, one test each.

use serde_json::json;
use tolov_webhook::ledger::LedgerReader;

use crate::{
    app::{Setup, TestApp},
    click::Callback,
};

#[tokio::test]
async fn a_cancel_without_clicks_signature_changes_nothing() {
    let app = TestApp::start().await;
    app.order(1).await;
    let prepare_id = app.prepared(1).await;
    let cancel = Callback::cancel(1, prepare_id, -5017);
    assert_eq!(app.code(&cancel.clone().badly_signed()).await, -1);
    assert_eq!(app.code(&cancel.clone().signed_with("another-key")).await, -1);
    assert_eq!(app.code(&cancel.with("sign_string", "x")).await, -1);
    assert_eq!(app.attempts_of(1).await, ["prepared"]);
    assert_eq!(app.code(&Callback::complete(1, prepare_id)).await, 0);
    assert_eq!(app.code(&Callback::cancel(1, prepare_id, -1).badly_signed()).await, -1);
    assert_eq!(app.events_of(1).await, ["payment.completed:1"]);
    app.finish().await;
}

#[tokio::test]
async fn unsigned_junk_with_the_same_numbers_does_not_block_the_genuine_payment() {
    let app = TestApp::start().await;
    app.order(1).await;
    for _ in 0..3 {
        assert_eq!(app.code(&Callback::prepare(1).badly_signed()).await, -1);
        assert_eq!(app.code(&Callback::complete(1, 1).badly_signed()).await, -1);
        assert_eq!(app.code(&Callback::prepare(1).tampered("amount", "1")).await, -1);
        assert_eq!(app.code(&Callback::prepare(1).tampered("click_trans_id", "77")).await, -1);
    }
    assert_eq!(app.paid(1).await, 1);
    app.finish().await;
}

#[tokio::test]
async fn a_made_up_prepare_id_pays_nothing() {
    let app = TestApp::start().await;
    app.order(1).await;
    app.prepared(1).await;
    for prepare_id in
        ["2", "0", "-1", "01", "1.0", "+1", " 1", "999999999", "982213547109", "9223372036854775808", "one"]
    {
        let complete = Callback::complete(1, 1).with("merchant_prepare_id", prepare_id);
        assert_eq!(app.code(&complete).await, -6, "merchant_prepare_id={prepare_id:?}");
    }
    assert_eq!(app.status_of(1).await, "pending");
    app.finish().await;
}

#[tokio::test]
async fn a_complete_without_any_prepare_pays_nothing() {
    let app = TestApp::start().await;
    app.order(1).await;
    assert_eq!(app.code(&Callback::complete(1, 1)).await, -6);
    assert_eq!(app.code(&Callback::cancel(1, 1, -5017)).await, -6);
    assert_eq!(app.status_of(1).await, "pending");
    app.finish().await;
}

#[tokio::test]
async fn the_prepare_id_of_another_order_pays_nothing() {
    let app = TestApp::start().await;
    app.order(1).await;
    app.order(2).await;
    let (first, second) = (app.prepared(1).await, app.prepared(2).await);
    assert_eq!(app.code(&Callback::complete(1, second)).await, -6);
    assert_eq!(app.code(&Callback::complete(2, first)).await, -6);
    assert_eq!(app.code(&Callback::cancel(1, second, -5017)).await, -6);
    assert_eq!([app.attempts_of(1).await, app.attempts_of(2).await], [["prepared"], ["prepared"]]);
    app.finish().await;
}

#[tokio::test]
async fn the_border_between_order_and_prepare_id_cannot_be_shifted() {
    let app = TestApp::start().await;
    app.order(1).await;
    app.order(12).await;
    for attempt in 0..23 {
        app.send(&Callback::prepare(1).trans(500 + attempt)).await.prepare_id();
    }
    let genuine = Callback::complete(1, 23).trans(900);
    let shifted = Callback::complete(12, 3).trans(900);
    assert_eq!(genuine.signature(), shifted.signature(), "the signature cannot tell them apart");
    assert_eq!(app.code(&shifted).await, -6);
    assert_eq!(app.status_of(12).await, "pending");
    assert_eq!(app.code(&genuine).await, 0);
    assert_eq!(app.code(&shifted).await, -6);
    app.finish().await;
}

#[tokio::test]
async fn the_border_between_order_and_amount_cannot_be_shifted() {
    let app = TestApp::start().await;
    app.order_of(12, "31000").await;
    app.order_of(123, "999").await;
    let genuine = Callback::prepare(12).trans(7).amount("31000");
    let shifted = Callback::prepare(123).trans(7).amount("1000");
    assert_eq!(genuine.signature(), shifted.signature(), "the signature cannot tell them apart");
    assert_eq!(app.code(&shifted).await, -2);
    assert_eq!(app.send(&genuine).await.prepare_id(), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_cancelled_attempt_cannot_be_confirmed_and_staff_hear_of_the_try() {
    let app = TestApp::start().await;
    app.order(1).await;
    let prepare_id = app.prepared(1).await;
    assert_eq!(app.code(&Callback::cancel(1, prepare_id, -5017)).await, -9);
    assert_eq!(app.code(&Callback::complete(1, prepare_id)).await, -9);
    assert_eq!(app.code(&Callback::prepare(1)).await, -9, "nor does its Prepare revive it");
    assert_eq!(app.attempts_of(1).await, ["cancelled"]);
    assert_eq!(
        app.events_of(1).await,
        ["payment.cancelled:1:1", "payment.questioned:1:1:trans-3647911001:confirmed_after_cancel"]
    );
    app.finish().await;
}

#[tokio::test]
async fn a_cancelled_attempt_leaves_the_order_payable_by_a_new_one() {
    let app = TestApp::start().await;
    app.order(1).await;
    let first = app.prepared(1).await;
    assert_eq!(app.code(&Callback::cancel(1, first, -5017)).await, -9);
    let second = app.send(&Callback::prepare(1).trans(8)).await.prepare_id();
    assert_ne!(first, second);
    assert_eq!(app.code(&Callback::complete(1, second).trans(8)).await, 0);
    assert_eq!(app.attempts_of(1).await, ["cancelled", "paid"]);
    app.finish().await;
}

#[tokio::test]
async fn a_paid_order_cannot_be_prepared_again_by_the_same_or_by_another_attempt() {
    let app = TestApp::start().await;
    app.order(1).await;
    app.paid(1).await;
    assert_eq!(app.code(&Callback::prepare(1)).await, -4, "Prepare after our Complete was lost on its way");
    assert_eq!(app.code(&Callback::prepare(1).trans(8)).await, -4);
    assert_eq!(app.attempts_of(1).await, ["paid"]);
    assert_eq!(app.events_of(1).await, ["payment.completed:1"]);
    app.finish().await;
}

#[tokio::test]
async fn any_failure_code_is_a_cancel_and_never_a_payment() {
    let app = TestApp::start().await;
    for (order_id, error) in [(1, -1), (2, -5014), (3, -5017), (4, -9), (5, i32::MIN)] {
        app.order(order_id).await;
        let prepare_id = app.prepared(order_id).await;
        assert_eq!(app.code(&Callback::cancel(order_id, prepare_id, error)).await, -9, "error={error}");
        assert_eq!(app.code(&Callback::cancel(order_id, prepare_id, error)).await, -9, "error={error} again");
        assert_eq!(app.attempts_of(order_id).await, ["cancelled"]);
        assert_eq!(app.events_of(order_id).await, [format!("payment.cancelled:{order_id}:{prepare_id}")]);
    }
    app.finish().await;
}

#[tokio::test]
async fn a_cancel_of_a_paid_attempt_keeps_it_paid_and_staff_hear_of_it_once() {
    let app = TestApp::start().await;
    app.order(1).await;
    let prepare_id = app.paid(1).await;
    for (error, code) in [(-1, -4), (-5017, -9), (-5014, -9), (-1, -4)] {
        assert_eq!(app.code(&Callback::cancel(1, prepare_id, error)).await, code, "error={error}");
    }
    assert_eq!(app.status_of(1).await, "paid");
    assert_eq!(
        app.events_of(1).await,
        ["payment.completed:1", "payment.questioned:1:1:trans-3647911001:cancel_after_paid"]
    );
    app.finish().await;
}

#[tokio::test]
async fn a_tiyin_less_or_more_is_not_tolerated() {
    let app = TestApp::start().await;
    app.order_of(1, "30000.55").await;
    for amount in ["30000.54", "30000.56", "30000.5", "30000", "30000.549", "1", "30001"] {
        assert_eq!(app.code(&Callback::prepare(1).amount(amount)).await, -2, "{amount}");
    }
    let prepare_id = app.send(&Callback::prepare(1).amount("30000.55")).await.prepare_id();
    assert_eq!(app.code(&Callback::complete(1, prepare_id).amount("30000.54")).await, -2);
    assert_eq!(app.code(&Callback::complete(1, prepare_id).amount("30000.55")).await, 0);
    app.finish().await;
}

#[tokio::test]
async fn the_goods_are_told_of_even_when_the_bus_is_away_and_the_retry_is_answered_as_done() {
    let app = TestApp::start().await;
    app.bus.go_away();
    app.order(1).await;
    let prepare_id = app.paid(1).await;
    assert_eq!(app.code(&Callback::complete(1, prepare_id)).await, -4);
    assert_eq!(app.bus.confirmed(), Vec::<String>::new());
    app.bus.come_back();
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.bus.confirmed(), ["payment.completed:1"]);
    app.finish().await;
}

#[tokio::test]
async fn a_nul_in_a_free_text_is_kept_as_a_letter_that_stands_for_it_and_stops_nothing() {
    let app = TestApp::start_with(Setup { merchant_api: true, ..Setup::default() }).await;
    app.order(1).await;
    let noted = |callback: Callback| callback.with("error_note", "a\0b");
    let prepare_id = app.send(&noted(Callback::prepare(1))).await.prepare_id();
    assert_eq!(app.code(&noted(Callback::complete(1, prepare_id))).await, 0);
    // A payer may type anything, and what is typed is signed.
    assert_eq!(app.code(&Callback::prepare(2).with("merchant_trans_id", "2\0")).await, -5);
    assert_eq!(app.code(&Callback::complete(2, 77).with("merchant_trans_id", "2\0")).await, -5);
    assert_eq!(app.code(&Callback::prepare(2).with("error_note", "\0").badly_signed()).await, -1);
    assert_eq!(app.code(&Callback::complete(1, 1).with("click_trans_id", "7\0")).await, -8);
    let refund = json!({"request_id": "tap", "requested_by": "5551\0", "reason": "\\u0000 and \0"});
    let (status, asked) = app.post("/orders/1/refunds", &refund).await;
    assert!(status.is_success(), "{asked}");
    let call = json!({"at": "2026-11-23T12:00:00Z", "order_id": 1, "method": "GET", "path": "/\0", "outcome": "refused",
        "code": -1, "note": "\0"});
    let (status, kept) = app.post("/merchant-calls", &json!({"calls": [call]})).await;
    assert!(status.is_success(), "{kept}");
    let (status, again) = app.post("/orders/1/refunds", &refund).await;
    assert!(status.is_success(), "{again}");
    let (_, records) = app.get("/orders/1/records").await;
    let records = records.to_string();
    let typed = "\\\\u0000";
    assert!(records.contains(&format!("{typed} and \u{fffd}")), "{records}");
    assert!(!records.replace(typed, "").contains("u0000"), "{records}");
    app.until_the_outbox_is_empty().await;
    let reader = LedgerReader::open(app.place()).await.unwrap();
    assert_eq!(reader.payments(1..=9, 10).await.unwrap().len(), 1);
    reader.close().await;
    app.finish().await;
}
