//! `tolov restore`: what the ledger that is replaced knows, wherever it is, and what the restore tells.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::json;
use tolov_click::{Callback, CallbackForm};
use tolov_domain::{
    ClickPaydocId, ClickPaymentId, ClickTransId, OrderId, OrderedProduct, PrepareId, ProductId, Tiyin,
    UserId,
    receipt::{Content, Decision, ReceiptState},
    refund::{Change, RefundState, api::RefundRequest},
};
use tolov_embedded::EmbeddedShop;
use tolov_kit::clock::{Clock, SystemClock};
use tolov_shop::{
    order::{OrderState, PaymentLink, ShopOrder},
    records,
};
use tolov_webhook::ledger::{
    Arrival, Content as Asked, Ledger, LedgerReader, NewOrder, OrderStatus, Outcome, PaidOrder, Stepped,
    UnplacedBefore, UnverifiedLimits, WriterTask,
};

use crate::{
    one_server::callback_body,
    operators::{done, empty_ledger, names},
    paid_order::paid_order,
};

const STORES_LOST: [&str; 3] = ["restore", "shop.tar.gz", "--stores-lost"];

async fn ledger(folder: &Path) -> (Ledger, WriterTask) {
    Ledger::open(&folder.join("payments.db"), UnverifiedLimits::default()).await.unwrap()
}

fn sells() -> Content {
    serde_json::from_value(json!({"lines": [{"name": "Choy dona", "amount": 2000, "good_price": 1_500_000,
        "price": 3_000_000, "discount": 0, "vat": 0,
        "fiscal": {"mxik": null, "package_code": null, "vat_percent": null}}]}))
    .unwrap()
}

fn paid(number: i64) -> PaidOrder {
    PaidOrder {
        order_id: OrderId::try_new(number).unwrap(),
        user_id: UserId::try_new(5).unwrap(),
        products: vec![OrderedProduct { product_id: ProductId::try_new(7).unwrap(), count: 2 }],
        amount: Tiyin::from_soum(30_000).unwrap(),
        click_trans_id: ClickTransId::try_new(number).unwrap(),
        click_paydoc_id: ClickPaydocId::try_new(number).unwrap(),
        merchant_prepare_id: None,
        paid_at: SystemClock.now(),
        late: false,
        known_by: "bus",
        receipt: Some(sells()),
    }
}

/// A folder with a backup of an empty ledger.
async fn backed_up() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    empty_ledger(folder.path()).await;
    done(folder.path(), &[], &["backup", "shop.tar.gz"]);
    folder
}

#[tokio::test]
async fn refunds_and_receipts_that_the_replaced_ledger_alone_knows_are_taken_over_and_told() {
    let folder = backed_up().await;
    let folder = folder.path();
    let (replaced, writer) = ledger(folder).await;
    let now = SystemClock.now();
    replaced.adopt_paid(vec![paid(1001), paid(1002)], now).await.unwrap();
    let [asked, dealt_with] = [1001, 1002].map(|number| OrderId::try_new(number).unwrap());
    let request = RefundRequest {
        request_id: "tap-1".to_owned(),
        amount_tiyin: None,
        returned: Vec::new(),
        requested_by: "5551".to_owned(),
        reason: String::new(),
        by_hand: None,
    };
    replaced.ask_for_refund(asked, request, true, now).await.unwrap();
    let by_hand = Decision::ByHand { document: "Z-report 17".to_owned() };
    replaced.decide_receipt(dealt_with, by_hand, "5551", now).await.unwrap();
    drop(replaced);
    writer.close().await;

    let told = done(folder, &[], &STORES_LOST);
    let line = |of: &str| told.lines().find(|line| line.contains(of)).unwrap_or_else(|| panic!("{told}"));
    assert!(line("of order 1001").contains("open in the replaced ledger"), "{told}");
    assert!(line("of order 1001").contains("30\u{a0}000 so'm"), "{told}");
    assert!(told.contains("1 receipts go on where the replaced ledger had them"), "{told}");
    let (restored, writer) = ledger(folder).await;
    let [refund] = &restored.refunds(asked).await.unwrap()[..] else { panic!("one refund") };
    assert!(matches!(refund.state, RefundState::Manual { .. }), "{refund:?}");
    let receipt = restored.receipt(dealt_with).await.unwrap().unwrap();
    assert!(matches!(&receipt.state, ReceiptState::ByHand { document, .. } if document == "Z-report 17"));
    assert_eq!(restored.receipt(asked).await.unwrap().unwrap().content, sells());
    drop(restored);
    writer.close().await;
}

#[tokio::test]
async fn what_cannot_be_read_or_registered_is_told_with_what_was_done() {
    let folder = backed_up().await;
    let folder = folder.path();
    done(folder, &[], &["seed"]);
    let (copied, writer) = ledger(folder).await;
    let PaidOrder { order_id, products, amount, paid_at: created_at, .. } = paid(1007);
    let user_id = UserId::try_new(6).unwrap();
    let other = NewOrder { order_id, user_id, products, amount, created_at, receipt: None };
    assert_eq!(copied.create_order(other).await.unwrap(), Outcome::Applied);
    drop(copied);
    writer.close().await;
    fs::remove_file(folder.join("shop.tar.gz")).unwrap();
    done(folder, &[], &["backup", "shop.tar.gz"]);
    let link = PaymentLink { url: "http://127.0.0.1/services/pay".to_owned(), pay_until: None };
    let waiting = ShopOrder {
        state: OrderState::AwaitingPayment { link: Some(link), cancel_requested_by: None },
        ..paid_order(1007, SystemClock.now())
    };
    let shop = EmbeddedShop::open(&folder.join("tolov-data")).await.unwrap();
    records::insert(&shop, &waiting).await.unwrap();
    shop.close().await.unwrap();
    fs::write(folder.join("payments.db"), "no database, whatever it was before".repeat(1_000)).unwrap();

    let told = done(folder, &[], &["restore", "shop.tar.gz", "--only", "ledger"]);
    assert!(told.contains("\n  order 1007 waits for payment and cannot be paid by its link"), "{told}");
    assert!(
        told.contains("\n  the ledger that is replaced cannot be asked who paid from order 1 on"),
        "{told}"
    );
    let marked = names(folder).into_iter().filter(|name| name.contains(".asked"));
    assert_eq!(marked.count(), 0, "nobody has read it");
}

fn number(number: i64) -> OrderId {
    OrderId::try_new(number).unwrap()
}

async fn register(ledger: &Ledger, number: i64) {
    let PaidOrder { order_id, user_id, products, amount, paid_at: created_at, receipt, .. } = paid(number);
    let order = NewOrder { order_id, user_id, products, amount, created_at, receipt };
    assert_eq!(ledger.create_order(order).await.unwrap(), Outcome::Applied);
}

/// What CLICK's Prepare is answered, or its Complete of this attempt: `error` and merchant_prepare_id.
async fn click(ledger: &Ledger, order: i64, transaction: i64, attempt: Option<i64>) -> (i32, i64) {
    let attempt = attempt.map(|id| id.to_string());
    let body = callback_body("key", &order.to_string(), &transaction.to_string(), attempt.as_deref());
    let (form, _) = CallbackForm::parse(body.as_bytes());
    let content = Asked::Callback(Callback::read(&form).unwrap());
    let (received_at, peer) = (SystemClock.now(), "127.0.0.1".to_owned());
    let answer = ledger.answer(Arrival { received_at, peer, form, content }).await.unwrap();
    (answer.error, answer.merchant_prepare_id.map_or(0, PrepareId::get))
}

async fn prepared(ledger: &Ledger, order: i64, transaction: i64) -> i64 {
    let (error, attempt) = click(ledger, order, transaction, None).await;
    assert_eq!(error, 0);
    attempt
}

/// Whether the order can be paid, and the states of its attempts.
async fn standing(ledger: &Ledger, order: i64) -> (Option<OrderStatus>, Vec<&'static str>) {
    let attempts = ledger.attempts(number(order)).await.unwrap();
    let status = ledger.order(number(order)).await.unwrap().map(|order| order.status);
    (status, attempts.iter().map(|attempt| attempt.state.as_str()).collect())
}

#[tokio::test]
async fn what_was_not_paid_yet_goes_on_where_the_replaced_ledger_had_it_and_click_keeps_its_numbers() {
    use OrderStatus::{Expired, Paid, Pending};
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (copied, writer) = ledger(folder).await;
    for order in [1001, 1002] {
        register(&copied, order).await;
    }
    drop(copied);
    writer.close().await;
    done(folder, &[], &["backup", "shop.tar.gz"]);

    let (replaced, writer) = ledger(folder).await;
    for order in [1003, 1004, 1005, 1006] {
        register(&replaced, order).await;
    }
    let known = prepared(&replaced, 1001, 1).await;
    let of_new = prepared(&replaced, 1003, 3).await;
    let of_over = prepared(&replaced, 1005, 5).await;
    let paid = prepared(&replaced, 1006, 6).await;
    let second = prepared(&replaced, 1006, 66).await;
    for order in [1002, 1005] {
        replaced.cancel_order(number(order), SystemClock.now()).await.unwrap();
    }
    assert_eq!(click(&replaced, 1006, 6, Some(paid)).await.0, 0);
    drop(replaced);
    writer.close().await;

    let told = done(folder, &[], &STORES_LOST);
    assert!(told.contains("2 orders that wait for payment are registered again"), "{told}");
    assert!(told.contains("4 payments that were begun can be completed"), "{told}");
    let (restored, writer) = ledger(folder).await;
    assert_eq!(standing(&restored, 1001).await, (Some(Pending), vec!["prepared"]));
    assert_eq!(standing(&restored, 1002).await, (Some(Expired), vec![]), "nobody pays what was cancelled");
    assert_eq!(standing(&restored, 1003).await, (Some(Pending), vec!["prepared"]));
    assert_eq!(standing(&restored, 1004).await, (Some(Pending), vec![]));
    assert_eq!(standing(&restored, 1005).await, (Some(Expired), vec!["given_up"]));
    assert_eq!(standing(&restored, 1006).await, (Some(Paid), vec!["paid", "prepared"]));

    assert!(prepared(&restored, 1004, 4).await > second, "no number is given twice");
    for (order, transaction, attempt) in [(1001, 1, known), (1003, 3, of_new), (1005, 5, of_over)] {
        assert_eq!(click(&restored, order, transaction, Some(attempt)).await, (0, 0), "order {order}");
        assert_eq!(click(&restored, order, transaction, Some(attempt)).await.0, -4, "and once");
    }
    assert_eq!(click(&restored, 1006, 66, Some(second)).await.0, -4, "the payer may have paid twice");
    let events = restored.unsent(SystemClock.now(), std::time::Duration::ZERO, 100).await.unwrap();
    let events: Vec<String> = events.rows.into_iter().map(|row| row.event_id).collect();
    assert_eq!(
        events,
        [
            "payment.completed:1006",
            "order.expired:1002",
            "order.expired:1005",
            "payment.completed:1001",
            "payment.completed:1003",
        ],
        "one an order, the first"
    );
    assert!(restored.unplaced_payments(UnplacedBefore::NEWEST, 10).await.unwrap().payments.is_empty());
    assert_eq!(restored.receipt(number(1003)).await.unwrap().unwrap().content, sells());
    drop(restored);
    writer.close().await;
}

#[tokio::test]
async fn what_staff_were_still_to_be_told_and_money_of_no_order_are_taken_over_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (copied, writer) = ledger(folder).await;
    register(&copied, 1001).await;
    let attempt = prepared(&copied, 1001, 1).await;
    assert_eq!(click(&copied, 1001, 1, Some(attempt)).await.0, 0);
    assert_eq!(click(&copied, 77, 2, Some(1)).await.0, -5, "of no order, and in the backup");
    drop(copied);
    writer.close().await;
    done(folder, &[], &["backup", "shop.tar.gz"]);

    let (replaced, writer) = ledger(folder).await;
    assert_eq!(click(&replaced, 1001, 3, Some(attempt)).await.0, -4, "the payer has paid twice");
    assert_eq!(click(&replaced, 78, 4, Some(1)).await.0, -5, "of no order");
    drop(replaced);
    writer.close().await;

    for (questions, taken_over) in [("3 questions", true), ("3 questions", false)] {
        let told = done(folder, &[], &STORES_LOST);
        assert!(told.contains(questions), "{told}");
        assert_eq!(told.contains("1 callbacks about money of no order"), taken_over, "{told}");
        let (restored, writer) = ledger(folder).await;
        let unplaced = restored.unplaced_payments(UnplacedBefore::NEWEST, 10).await.unwrap().payments;
        assert_eq!(unplaced.len(), 2);
        let unsent = LedgerReader::open(&folder.join("payments.db")).await.unwrap();
        let ids: Vec<String> =
            unsent.unsent(SystemClock.now(), 10).await.unwrap().into_iter().map(|it| it.event_id).collect();
        for id in ["payment.questioned:1001:1:trans-3:paid_twice", "payment.unplaced:2", "payment.unplaced:4"]
        {
            assert_eq!(ids.iter().filter(|known| *known == id).count(), 1, "{id}: {ids:?}");
        }
        unsent.close().await;
        drop(restored);
        writer.close().await;
        // The one that was restored is restored over once more, from a backup that has everything.
        done(folder, &[], &["backup", "later.tar.gz"]);
        std::fs::rename(folder.join("later.tar.gz"), folder.join("shop.tar.gz")).unwrap();
    }
}

#[tokio::test]
async fn an_attempt_whose_number_the_copy_has_given_to_another_is_told_and_takes_nothing_over() {
    let folder = backed_up().await;
    let folder = folder.path();
    let (replaced, writer) = ledger(folder).await;
    register(&replaced, 1001).await;
    prepared(&replaced, 1001, 1).await;
    drop(replaced);
    writer.close().await;
    // A backup of another line of the same shop: it has given the number to another order.
    let other = tempfile::tempdir().unwrap();
    let (copied, writer) = ledger(other.path()).await;
    register(&copied, 1002).await;
    prepared(&copied, 1002, 2).await;
    drop(copied);
    writer.close().await;
    fs::remove_file(folder.join("shop.tar.gz")).unwrap();
    done(other.path(), &[], &["backup", "shop.tar.gz"]);
    fs::rename(other.path().join("shop.tar.gz"), folder.join("shop.tar.gz")).unwrap();

    let told = done(folder, &[], &STORES_LOST);
    assert!(
        told.contains("merchant_prepare_id 1 of order 1001 (CLICK's transaction 1) is NOT taken over"),
        "{told}"
    );
    let (restored, writer) = ledger(folder).await;
    assert_eq!(standing(&restored, 1001).await, (Some(OrderStatus::Pending), vec![]));
    assert_eq!(standing(&restored, 1002).await, (Some(OrderStatus::Pending), vec!["prepared"]));
    assert_eq!(click(&restored, 1001, 1, Some(1)).await.0, -6, "staff are told of the money");
    drop(restored);
    writer.close().await;
}

#[tokio::test]
async fn each_refund_that_the_copy_has_open_is_told_also_those_that_were_sent() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (copied, writer) = ledger(folder).await;
    let now = SystemClock.now();
    copied.adopt_paid([1001, 1002, 1003, 1004].map(paid).to_vec(), now).await.unwrap();
    for (order, steps, asked_at) in [(1001, 0, None), (1002, 2, None), (1003, 3, Some(now)), (1004, 3, None)]
    {
        let request =
            serde_json::from_value(json!({ "request_id": "tap-1", "requested_by": "5551" })).unwrap();
        copied.ask_for_refund(number(order), request, true, now).await.unwrap();
        let payment_id = ClickPaymentId::try_new(order).unwrap();
        let unknown = Change::OutcomeUnknown { click_code: None, click_note: String::new() };
        let changes = [(Change::FoundPaid { payment_id }, None), (Change::Send, None), (unknown, asked_at)];
        for (change, next_step_at) in changes.into_iter().take(steps) {
            let [refund] = &copied.refunds(number(order)).await.unwrap()[..] else { panic!("one refund") };
            let step = (change, next_step_at);
            let stepped = copied.advance_refund(refund.refund_id, refund.step, step, now).await.unwrap();
            assert!(matches!(stepped, Stepped::Changed(_)), "{stepped:?}");
        }
    }
    drop(copied);
    writer.close().await;
    done(folder, &[], &["backup", "shop.tar.gz"]);

    let told = done(folder, &[], &STORES_LOST);
    for (order, what) in [
        (1001, "it was open in the backup. It waits for staff"),
        (1002, "it was sent before the backup, and its outcome is not known. CLICK is asked"),
        (1003, "it was sent before the backup, and its outcome is not known. CLICK is asked"),
        (1004, "it was open in the backup. It waits for staff"),
    ] {
        let lines: Vec<&str> =
            told.lines().filter(|line| line.contains(&format!("of order {order},"))).collect();
        assert!(matches!(lines[..], [line] if line.contains(what)), "{what}: {told}");
    }
}

/// As a restore leaves it that died when it had put the ledger away, before what SQLite has beside it, and had put nothing in
/// its place. What was paid is in the WAL alone.
async fn put_away(folder: &Path) -> PathBuf {
    let file = |ending: &str| folder.join(format!("payments.db{ending}"));
    let aside = file(".replaced-20261129T000000.000Z");
    let (replaced, writer) = ledger(folder).await;
    replaced.adopt_paid(vec![paid(1001)], SystemClock.now()).await.unwrap();
    fs::copy(file(""), &aside).unwrap();
    fs::copy(file("-wal"), folder.join("wal")).unwrap();
    drop(replaced);
    writer.close().await;
    fs::remove_file(file("")).unwrap();
    fs::rename(folder.join("wal"), file("-wal")).unwrap();
    for mark in ["tolov.restoring", "payments.db.restoring"] {
        fs::write(folder.join(mark), "").unwrap();
    }
    aside
}

#[tokio::test]
async fn a_ledger_that_was_put_away_by_a_restore_that_died_is_asked_once_with_its_wal() {
    let folder = backed_up().await;
    let folder = folder.path();
    let aside = put_away(folder).await;
    let told = done(folder, &[], &STORES_LOST);
    assert!(told.contains("taken back as paid: order 1001"), "{told}");
    let name = aside.file_name().unwrap().to_str().unwrap();
    assert!(told.contains(&format!("{name} away: it was asked")), "{told}");

    fs::remove_file(folder.join("payments.db")).unwrap();
    let told = done(folder, &[], &STORES_LOST);
    assert!(!told.contains("order 1001"), "the ledger that took its place knew it: {told}");
}
