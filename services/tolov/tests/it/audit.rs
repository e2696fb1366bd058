//! `tolov audit`: each kind of difference is made by hand, named, and repaired.

use serde_json::json;
use tolov_domain::{
    Event, EventId, EventKind, RefundId, Tiyin,
    event::Reversal,
    ports::{
        bus::{OutgoingMessage, Queue, RETRY_DELAYS_MS, Route, RoutingKey, Verdict},
        documents::{Collection, Documents, Key},
        notifications::{NotificationLog, SendOutcome},
    },
};
use tolov_embedded::EmbeddedBus;
use tolov_kit::clock::SystemClock;
use tolov_shop::{
    catalogue::{
        Product,
        stock::{self, Goods},
    },
    order::{ORDERS, OrderAction, OrderState, Stage, Stock},
    records::{self, Record},
    settling,
    shopper::{self, Shopper},
};

use crate::books::{Books, STOCK, order_id, shopper, tea};

/// Purchases 1001 and 1002, an order that waits for its payment, and one that was given up.
async fn healthy() -> Books {
    let books = Books::open().await;
    books.bought(1001).await;
    books.bought(1002).await;
    books.placed(1003).await;
    books.placed(1004).await;
    let (by, at) = (tolov_shop::order::Actor::Clock, books.then);
    settling::close(&books.shop, order_id(1004), OrderAction::Expired, by, at).await.unwrap();
    books
}

async fn forget(books: &Books, number: i64) {
    let order = books.shop.get(ORDERS, &Key::Number(number)).await.unwrap().unwrap();
    assert!(books.shop.remove(ORDERS, &order.key, order.version).await.unwrap());
}

#[tokio::test]
async fn a_healthy_shop_has_no_difference_and_the_totals_agree() {
    let books = healthy().await;
    let (code, report) = books.audit(&[]);
    assert_eq!((code, &report["count"]), (Some(0), &json!(0)), "{report:#}");
    assert_eq!(report["ledger"], json!({ "paid_orders": 2, "paid_tiyin": 6_000_000 }));
    assert_eq!(
        report["shop"],
        json!({ "orders": 4, "paid_orders": 2, "paid_tiyin": 6_000_000, "users": 2, "products": 1 })
    );
    assert_eq!(books.left().await, STOCK - 6);
    let told = books.run("audit", &["--settle-for", "0"]);
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.starts_with("no difference; ledger: 2 orders paid with 60\u{a0}000\u{a0}UZS"), "{told}");
}

#[tokio::test]
async fn the_audit_speaks_the_language_of_whoever_asks() {
    let books = healthy().await;
    forget(&books, 1002).await;
    for (language, texts) in [
        ("ru", ["заказ 1002 оплачен в журнале платежей, а магазин его не знает", "расхождений: 2; "]),
        ("uz", ["1002-buyurtma to‘lovlar daftarida to‘langan, do‘kon esa uni bilmaydi", "2 ta farq; "]),
        ("en", ["order 1002 is paid in the ledger and unknown to the shop store", "2 differences; "]),
    ] {
        let told = books.run("audit", &["--settle-for", "0", "--language", language]);
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        assert!(texts.iter().all(|text| told.contains(text)), "{language}: {told}");
        assert!(!told.contains("audit-"), "{language}: a key without its text: {told}");
    }
}

#[tokio::test]
async fn orders_are_compared_page_by_page_whichever_store_has_more_of_them() {
    let books = Books::open().await;
    let mut payments = books.paid_just_now(1..=1_203).await;
    // Whole pages that only one of the two has, and the edges of pages.
    payments
        .retain(|payment| !(100..=700).contains(&payment.order_id.get()) && payment.order_id.get() < 1_203);
    for part in payments.chunks(200) {
        settling::settle(&books.shop, part).await.unwrap();
    }
    for number in 2_000..=2_600 {
        books.in_shop(number, Stock::Unheld).await;
    }
    let paid_alone = payments[0].clone();
    let paid_alone = Event { order_id: order_id(2_600), user_id: shopper(2_600), ..paid_alone };
    settling::settle(&books.shop, &[paid_alone]).await.unwrap();
    let (code, report) = books.audit(&[]);
    let named = |kind: &str| -> Vec<i64> {
        let of_kind = report["differences"].as_array().unwrap().iter().filter(|it| it["kind"] == kind);
        let mut orders: Vec<i64> = of_kind.map(|it| it["order_id"].as_i64().unwrap()).collect();
        orders.sort_unstable();
        orders
    };
    assert_eq!(named("order_unknown"), (100..=700).chain([1_203]).collect::<Vec<_>>());
    assert_eq!(named("paid_in_shop_alone"), [2_600]);
    assert_eq!((code, &report["count"]), (Some(1), &json!(603)));
    assert_eq!((&report["ledger"]["paid_orders"], &report["shop"]["orders"]), (&json!(1_203), &json!(1_202)));
}

#[tokio::test]
async fn a_paid_order_that_the_shop_does_not_know_is_made_and_its_event_sent_again() {
    let books = healthy().await;
    forget(&books, 1002).await;
    books.is_named_and_repaired(&[("order_count", "5001002"), ("order_unknown", "1002")]);
    assert_eq!(books.order(1002).await.stage(), Stage::Paid);
    assert_eq!(books.relayed().await, ["payment.completed:1002"]);
}

#[tokio::test]
async fn a_paid_order_that_waits_in_the_shop_is_paid_there() {
    let books = healthy().await;
    books.paid_in_ledger(1003).await;
    books.relayed().await;
    books.is_named_and_repaired(&[("order_not_paid", "1003")]);
    let order = books.order(1003).await;
    assert_eq!((order.stage(), order.stock), (Stage::Paid, Stock::Committed));
    // The service sends the event again, and the projector has people told.
    assert_eq!(books.relayed().await, ["payment.completed:1003"]);
    books.projected(1003).await;
    books.told(1003).await;
    books.has_no_difference();
}

#[tokio::test]
async fn a_question_and_a_payment_of_no_order_that_the_bus_has_lost_are_told_again() {
    let books = healthy().await;
    let events = books.questioned(1001, 1004).await;
    let sent = books.relayed().await;
    assert!(events.iter().all(|event| sent.contains(event)), "the bus has taken them: {sent:?}");
    // By id: the question, then the payment that belongs to no order.
    let named: Vec<_> = events.iter().map(|event| ("question_not_told", event.as_str())).collect();
    books.is_named_and_repaired(&named);
    // Of one order one event goes out at a time.
    let again = [books.relayed().await, books.relayed().await].concat();
    assert!(events.iter().all(|event| again.contains(event)), "{again:?}");
    books.staff_told(&events).await;
    books.has_no_difference();
}

#[tokio::test]
async fn another_shopper_amount_or_payment_in_the_shop_is_left_until_the_order_is_named() {
    let books = healthy().await;
    let before = books.order(1001).await;
    books.change(1001, |order| order.total = Tiyin::from_soum(1).unwrap()).await;
    is_left_and_rebuilt(&books, &["amount_differs"]).await;
    assert_eq!(books.order(1001).await, before);
    let other = books.order(1002).await.payment().copied().unwrap();
    books
        .change(1001, |order| {
            if let OrderState::Paid { sale, .. } = &mut order.state {
                sale.payment = other;
            }
        })
        .await;
    is_left_and_rebuilt(&books, &["payment_differs"]).await;
    assert_eq!(books.order(1001).await, before);
    books.change(1001, |order| order.user_id = shopper(1002)).await;
    is_left_and_rebuilt(&books, &["order_count", "order_count", "user_differs"]).await;
    assert_eq!(books.order(1001).await.user_id, shopper(1001));
}

/// What the shop store has may be the only trace of another purchase. Of order 1001, in these ways.
async fn is_left_and_rebuilt(books: &Books, kinds: &[&str]) {
    let before = books.order(1001).await;
    let (code, report) = books.audit(&["--repair"]);
    let differences = report["differences"].as_array().unwrap();
    let found: Vec<&str> = differences.iter().map(|it| it["kind"].as_str().unwrap()).collect();
    assert_eq!((code, found), (Some(1), kinds.to_vec()), "{report:#}");
    let left = differences.last().unwrap();
    assert_eq!(left["repair"], "by hand");
    assert!(left["remedy"].as_str().unwrap().contains("tolov rebuild ORDER"), "{left}");
    let done = books.run("rebuild", &[]);
    assert!(String::from_utf8_lossy(&done.stdout).contains("1 are left"), "{done:?}");
    assert_eq!(books.order(1001).await, before);
    let done = books.run("rebuild", &["1001"]);
    assert!(String::from_utf8_lossy(&done.stdout).contains("1 orders were changed"), "{done:?}");
    let _ = books.audit(&["--repair"]);
    books.has_no_difference();
}

#[tokio::test]
async fn an_order_that_only_the_shop_has_as_paid_is_left_to_a_person() {
    let books = healthy().await;
    let mut payment = books.payment(1001).await;
    payment.order_id = order_id(1003);
    payment.user_id = shopper(1003);
    settling::settle(&books.shop, &[payment]).await.unwrap();
    let (code, report) = books.audit(&["--repair"]);
    let [difference] = &report["differences"].as_array().unwrap()[..] else { panic!("{report:#}") };
    assert_eq!((code, &difference["kind"]), (Some(1), &json!("paid_in_shop_alone")));
    assert_eq!((&difference["order_id"], &difference["repair"]), (&json!(1003), &json!("by hand")));
    let text = difference["text"].as_str().unwrap();
    assert!(
        text.contains("order 1003 is paid in the shop store and waits for payment in the ledger"),
        "{text}"
    );
    assert!(difference["remedy"].as_str().unwrap().contains("CLICK’s cabinet"));
}

#[tokio::test]
async fn an_order_that_is_over_in_the_ledger_alone_is_ended_by_its_event() {
    let books = healthy().await;
    books.ended_in_ledger(1003).await;
    // The bus had it, and the shop store was put back to a time before.
    assert_eq!(books.relayed().await, ["order.expired:1003"]);
    books.is_named_and_repaired(&[("open_in_shop_alone", "1003")]);
    assert_eq!(books.relayed().await, ["order.expired:1003"]);
}

#[tokio::test]
async fn stock_that_was_not_settled_is() {
    let books = healthy().await;
    books.change(1001, |order| order.stock = Stock::Held).await;
    books.is_named_and_repaired(&[("stock_not_settled", "1001")]);
    assert_eq!(books.order(1001).await.stock, Stock::Committed);
    assert_eq!(books.left().await, STOCK - 6, "nothing was sold twice");
    books.has_no_difference();
}

#[tokio::test]
async fn whoever_was_not_told_of_a_payment_is_told_by_its_event() {
    let books = Books::open().await;
    books.placed(1001).await;
    books.paid_in_ledger(1001).await;
    books.relayed().await;
    books.projected(1001).await;
    let (code, report) = books.audit(&["--told-within", "2h"]);
    assert_eq!(
        (code, &report["count"]),
        (Some(0), &json!(0)),
        "the bot may be off for that long: {report:#}"
    );
    books.is_named_and_repaired(&[("not_told", "1001/shopper"), ("not_told", "1001/staff")]);
    assert_eq!(books.relayed().await, ["payment.completed:1001"]);
    books.told(1001).await;
    books.has_no_difference();
}

#[tokio::test]
async fn orders_are_counted_again() {
    let books = healthy().await;
    let miscount = |shopper: &mut Shopper| shopper.order_count = 5;
    shopper::change(&books.shop, shopper(1001), miscount).await.unwrap();
    books.is_named_and_repaired(&[("order_count", "5001001")]);
    let mended = shopper::shopper(&books.shop, shopper(1001)).await.unwrap().unwrap();
    assert_eq!((mended.order_count, mended.paid_orders), (1, vec![order_id(1001)]));
    books.has_no_difference();
}

/// As a newer version would have written it.
async fn damage(books: &Books, collection: Collection, number: i64) {
    let document = books.shop.get(collection, &Key::Number(number)).await.unwrap().unwrap();
    let mut body = document.body;
    body.insert("schema".to_owned(), 99.into());
    books.shop.put(collection, &document.key, Some(document.version), &body).await.unwrap();
}

fn left_to_a_person(books: &Books, differences: &[(&str, &str)]) {
    for arguments in [&[][..], &["--repair"]] {
        let (code, report) = books.audit(arguments);
        let found: Vec<(&str, &str)> = report["differences"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| (it["kind"].as_str().unwrap(), it["about"].as_str().unwrap()))
            .collect();
        assert_eq!((code, found), (Some(1), differences.to_vec()), "{report:#}");
        for difference in report["differences"].as_array().unwrap() {
            assert!(difference["remedy"].as_str().unwrap().contains("repair or remove"), "{difference}");
        }
    }
}

#[tokio::test]
async fn the_shopper_of_an_order_that_cannot_be_read_is_neither_judged_nor_counted_again() {
    let books = healthy().await;
    damage(&books, ORDERS, 1001).await;
    left_to_a_person(&books, &[("order_unreadable", "1001"), ("shopper_not_judged", "5001001")]);
    let unchanged = shopper::shopper(&books.shop, shopper(1001)).await.unwrap().unwrap();
    assert_eq!((unchanged.order_count, unchanged.paid_orders), (1, vec![order_id(1001)]));
}

#[tokio::test]
async fn a_shopper_and_a_product_that_cannot_be_read_are_differences() {
    let books = healthy().await;
    damage(&books, Shopper::COLLECTION, 5_001_001).await;
    left_to_a_person(&books, &[("document_unreadable", "users/5001001")]);
    damage(&books, Product::COLLECTION, tea(1).product_id.get()).await;
    left_to_a_person(
        &books,
        &[("document_unreadable", "products/7"), ("document_unreadable", "users/5001001")],
    );
}

#[tokio::test]
async fn stock_that_is_held_for_nothing_can_be_sold_again() {
    let books = healthy().await;
    for order in [1001, 1004, 9999] {
        stock::hold(&books.shop, &Goods::of(order_id(order), &[tea(3)])).await.unwrap();
    }
    assert_eq!(books.left().await, STOCK - 15);
    books.is_named_and_repaired(&[
        ("stock_held_for_nothing", "1001/7"),
        ("stock_held_for_nothing", "1004/7"),
        ("stock_held_for_nothing", "9999/7"),
    ]);
    assert_eq!(books.left().await, STOCK - 6, "what order 1003 waits for stays held");
    books.has_no_difference();
}

#[tokio::test]
async fn stock_that_is_not_held_for_a_waiting_order_is_held_again() {
    let books = healthy().await;
    let release = |_| stock::Settlement::Release;
    stock::settle(&books.shop, &Goods::of(order_id(1003), &[tea(2)]), release).await.unwrap();
    let left = books.left().await;
    books.is_named_and_repaired(&[("stock_not_held", "1003/7")]);
    assert!(books.left().await < left, "nobody else can buy what order 1003 waits for");
    books.has_no_difference();
}

/// What came of the repairs, as the operators' journal has it.
fn results(books: &Books) -> Vec<String> {
    let journal = std::fs::read_to_string(books.folder().join("operators.jsonl")).unwrap();
    let lines = journal.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let of_repairs = lines.filter(|line| line["command"] == "audit --repair");
    of_repairs.filter_map(|line| line["details"]["result"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn a_repair_that_cannot_be_made_says_why_also_in_the_journal() {
    let books = healthy().await;
    let sold_out = |product: &mut Product| {
        product.holds.clear();
        product.stock = Some(1);
    };
    records::change(&books.shop, tea(1).product_id.get(), sold_out).await.unwrap();
    let (code, report) = books.audit(&["--repair"]);
    let why = "refused: there are only 1 of article 7 left";
    assert_eq!((code, &report["differences"][0]["repair"]), (Some(1), &json!(why)), "{report:#}");
    assert_eq!(results(&books), [why]);
}

#[tokio::test]
async fn what_was_bought_leaves_the_cart_and_what_was_added_since_stays() {
    let books = healthy().await;
    shopper::change(&books.shop, shopper(1001), |it| it.set_cart_line(tea(5))).await.unwrap();
    books.has_no_difference();
    let was_unreadable = |shopper: &mut Shopper| (shopper.order_count, shopper.paid_orders) = (0, Vec::new());
    shopper::change(&books.shop, shopper(1001), was_unreadable).await.unwrap();
    let found = [("bought_still_in_cart", "1001"), ("order_count", "5001001")];
    books.is_named_and_repaired(&found);
    // Both are of one record: the second was right when it was looked at again.
    assert_eq!(results(&books), ["done", "already right"]);
    let mended = shopper::shopper(&books.shop, shopper(1001)).await.unwrap().unwrap();
    assert_eq!((&mended.cart[..], mended.order_count), (&[tea(3)][..], 1));
    books.has_no_difference();
}

#[tokio::test]
async fn an_event_that_waits_for_over_a_minute_is_named_until_it_is_sent() {
    let books = healthy().await;
    books.paid_in_ledger(1003).await;
    books.projected(1003).await;
    books.told(1003).await;
    let (code, report) = books.audit(&["--repair"]);
    let [difference] = &report["differences"].as_array().unwrap()[..] else { panic!("{report:#}") };
    assert_eq!((code, &difference["kind"]), (Some(1), &json!("event_unsent")), "{report:#}");
    assert_eq!(difference["about"], "payment.completed:1003");
    books.relayed().await;
    books.has_no_difference();
}

#[tokio::test]
async fn a_parked_message_goes_back_to_its_queue() {
    let books = healthy().await;
    let clock = std::sync::Arc::new(SystemClock);
    let bus = EmbeddedBus::open(&books.data(), clock.clone(), RETRY_DELAYS_MS).await.unwrap();
    let message = OutgoingMessage {
        id: EventId::new("payment.completed:1001"),
        route: Route::Payments(RoutingKey::try_new("payment.completed").unwrap()),
        schema: "payment.completed/1".to_owned(),
        body: books.payment(1001).await.to_json(),
        traceparent: None,
    };
    bus.publisher().publish(&[message]).await.unwrap();
    let consumer = bus.consumer(Queue::ProjectorPayments);
    let delivery = consumer.receive(1).await.unwrap().pop().unwrap();
    let verdict = Verdict::Park { reason: "a product cannot be read".to_owned() };
    consumer.settle(vec![(delivery, verdict)]).await.unwrap();
    bus.close().await.unwrap();
    books.is_named_and_repaired(&[("message_parked", "projector.payments/payment.completed:1001")]);
    let admin = EmbeddedBus::admin_of(&books.data(), clock).await.unwrap();
    let depth = tolov_domain::ports::bus::BusAdmin::depth(&admin, Queue::ProjectorPayments).await.unwrap();
    assert_eq!((depth.ready, depth.parked), (1, 0));
    books.has_no_difference();
}

#[tokio::test]
async fn a_store_that_is_away_is_neither_a_difference_nor_none() {
    let books = healthy().await;
    let environment =
        [("MONGO_URL".to_owned(), "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=300".to_owned())];
    let environment = environment.into_iter().collect();
    let output =
        crate::processes::tolov("audit", books.folder(), &environment).arg("--json").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("the books could not be compared"), "{told}");
}

/// A refund of the whole order in the ledger, asked for at this time.
async fn asked_back(books: &Books, number: i64, at: tolov_domain::time::Timestamp, by_hand: Option<&str>) {
    let (ledger, writer) = books.ledger().await;
    let request = tolov_domain::refund::api::RefundRequest {
        request_id: "tap".to_owned(),
        amount_tiyin: None,
        returned: vec![tea(1)],
        requested_by: "5551".to_owned(),
        reason: String::new(),
        by_hand: by_hand.map(str::to_owned),
    };
    ledger.ask_for_refund(order_id(number), request, true, at).await.unwrap();
    writer.close().await;
}

#[tokio::test]
async fn a_refund_that_the_shop_does_not_know_is_sent_again_and_its_goods_come_back() {
    let books = healthy().await;
    asked_back(&books, 1001, books.then, Some("transfer 17")).await;
    books.relayed().await;
    let about = format!("1001/{}", books.then.unix_timestamp());
    books.is_named_and_repaired(&[("refund_unknown", &about)]);
    // Events of one order are sent in their order, one after the other.
    let sent = [books.relayed().await, books.relayed().await].concat();
    assert_eq!(sent, ["payment.completed:1001", "payment.reversed:1001"]);
}

#[tokio::test]
async fn whoever_was_not_told_that_the_money_is_back_is_told_by_its_event() {
    let books = healthy().await;
    asked_back(&books, 1001, books.then, Some("transfer 17")).await;
    books.relayed().await;
    let payment = books.payment(1001).await;
    let kind = EventKind::PaymentReversed(Reversal {
        refund_id: RefundId::try_new(books.then.unix_timestamp()).unwrap(),
        refunded: payment.amount,
        by_hand: true,
        returned: vec![tea(1)],
    });
    let reversed = Event { id: Event::id_of(payment.order_id, &kind), kind, ..payment };
    settling::settle(&books.shop, &[reversed]).await.unwrap();
    let about = format!("1001/{}", books.then.unix_timestamp());
    books.is_named_and_repaired(&[("refund_not_told", &about)]);
    let sent = [books.relayed().await, books.relayed().await].concat();
    assert_eq!(sent, ["payment.completed:1001", "payment.reversed:1001"]);
    let told = EventId::new("payment.reversed:1001/shopper");
    books.shop.settle(&[told], &SendOutcome::Sent { message_id: 1 }, books.then).await.unwrap();
    books.has_no_difference();
}

#[tokio::test]
async fn refunds_that_hang_differ_or_are_known_to_the_shop_alone_are_named() {
    let books = healthy().await;
    asked_back(&books, 1001, books.then - time::Duration::days(2), None).await;
    books.relayed().await;
    let refund = tolov_shop::order::OrderRefund {
        refund_id: None,
        amount: Tiyin::from_soum(1).unwrap(),
        by_hand: true,
        returned: Vec::new(),
        is_restocked: true,
        is_told: true,
        at: books.then - time::Duration::days(2),
    };
    books.change(1002, move |order| order.refunds.push(refund.clone())).await;
    let (code, report) = books.audit(&[]);
    let kinds: Vec<&str> =
        report["differences"].as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap()).collect();
    assert_eq!(code, Some(1), "{report:#}");
    assert!(kinds.contains(&"refund_in_shop_alone") && kinds.contains(&"refund_hangs"), "{report:#}");
}

#[tokio::test]
async fn rebuild_shows_what_differs_and_changes_it_only_when_it_is_told_to() {
    let books = healthy().await;
    let before = books.order(1001).await;
    books.change(1001, |order| order.total = Tiyin::from_soum(1).unwrap()).await;
    forget(&books, 1002).await;
    let shown = books.run("rebuild", &["--diff", "1001", "1002"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("2 orders would change") && shown.contains("1 so'm"), "{shown}");
    assert_ne!(books.order(1001).await, before);
    for changed in ["2 orders were changed", "0 orders were changed"] {
        let done = books.run("rebuild", &["1001", "1002"]);
        let done = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.contains(changed), "{done}");
    }
    assert_eq!(books.order(1001).await, before);
    assert_eq!(books.order(1002).await.stage(), Stage::Paid);
    let journal = std::fs::read_to_string(books.folder().join("operators.jsonl")).unwrap();
    assert_eq!(journal.lines().filter(|line| line.contains("\"rebuild\"")).count(), 2, "{journal}");
}

#[tokio::test]
async fn rebuild_reaches_an_order_behind_more_differences_than_an_audit_keeps() {
    let books = Books::open().await;
    books.paid_just_now(1..=10_001).await;
    let done = books.run("rebuild", &["10001"]);
    let told = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(told.contains("1 orders were changed"), "{told}");
}

#[tokio::test]
async fn rebuild_says_what_it_leaves_as_it_is() {
    let books = healthy().await;
    let payment = books.payment(1001).await;
    let alone = Event { order_id: order_id(1003), user_id: shopper(1003), ..payment };
    settling::settle(&books.shop, &[alone]).await.unwrap();
    damage(&books, ORDERS, 1002).await;
    asked_back(&books, 1001, books.then, Some("transfer 17")).await;
    for arguments in [&["--diff"][..], &["--diff", "1001", "1002", "1003"], &[], &["1003", "1002", "1001"]] {
        let told = books.run("rebuild", arguments);
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        assert!(told.contains("0 orders w") && told.contains(", 3 are left as they are"), "{told}");
        for left in ["order 1003 is paid in the shop store", "order 1002 of the shop store cannot", "refund "]
        {
            assert!(told.contains(left), "{left}: {told}");
        }
        assert_eq!(told.matches("left as it is: ").count(), 3, "{told}");
    }
}

#[tokio::test]
async fn replay_sends_an_order_or_a_time_range_again_while_the_service_is_stopped() {
    let books = healthy().await;
    let told = |arguments: &[&str]| {
        let output = books.run("replay", arguments);
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    assert!(told(&["--order", "1001"]).contains("the events of 1 orders are published once more"));
    assert_eq!(books.relayed().await, ["payment.completed:1001"]);
    assert!(told(&["--since", "2h"]).contains("the events of 2 orders"));
    assert_eq!(books.relayed().await.len(), 2);
    assert!(told(&["--since", "2h", "--until", "90m"]).contains("the events of 0 orders"));
    assert!(told(&["--order", "77"]).contains("the ledger has no order 77"));
    assert!(told(&["--since", "soon"]).contains("30m, 24h, 7d"));
    let at = books.then - time::Duration::minutes(1);
    let since = at.format(&time::format_description::well_known::Rfc3339).unwrap();
    assert!(told(&["--since", &since]).contains("the events of 2 orders"));
}

#[tokio::test]
async fn replay_sends_what_a_clock_that_was_ahead_has_dated_and_says_what_it_cannot_send() {
    let mut books = healthy().await;
    let question = books.questioned(1001, 1004).await.remove(0);
    assert!(books.relayed().await.contains(&question));
    books.then += time::Duration::hours(3);
    books.placed(1005).await;
    books.paid_in_ledger(1005).await;
    books.relayed().await;
    let replayed = books.run("replay", &["--since", "10m"]);
    assert!(replayed.status.success(), "{replayed:?}");
    assert_eq!(books.relayed().await, ["payment.completed:1005"]);

    let (ledger, writer) = books.ledger().await;
    ledger.prune_outbox(books.then - time::Duration::minutes(179)).await.unwrap();
    drop(ledger);
    writer.close().await;
    let replayed = books.run("replay", &["--since", "90m"]);
    let told = String::from_utf8_lossy(&replayed.stdout).into_owned();
    assert_eq!(replayed.status.code(), Some(1), "{told}");
    assert!(told.contains("published once more") && told.contains("left out"), "{told}");
    assert!(books.run("replay", &["--since", "30m"]).status.success(), "all of it is there");
    for _ in 0..3 {
        books.relayed().await;
    }
    assert!(books.run("replay", &["--order", "1001"]).status.success(), "all of an order can be sent");
    let again = [books.relayed().await, books.relayed().await].concat();
    assert!(again.contains(&question) && again.len() == 2, "{again:?}");
}
