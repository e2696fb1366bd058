//! What a restored ledger has lost and other stores know to be paid is taken back, so that no second payment is taken.

use futures_util::future::join_all;
use serde_json::json;
use sqlx::Executor;
use tolov_domain::{
    ClickPaydocId, ClickPaymentId, ClickTransId, EventKind, OrderId, OrderedProduct, Phone, PrepareId,
    ProductId, RefundId, Tiyin, UserId,
    event::Reversal,
    phone_invoice::{InvoiceChange, InvoiceRequest, InvoiceState, InvoiceStep, PhoneInvoice},
    receipt::Content,
    refund::{RefundState, api::RefundRequest},
    time::unix_ms,
};
use tolov_kit::clock::Clock;
use tolov_webhook::ledger::{
    AdoptRefusal, ImportedOrder, ImportedState, InvoiceAsked, InvoiceStepped, KnownRefund, LedgerReader,
    NewOrder, ORDER_ID_GAP_MAX, ORDER_ID_MAX, OpenAttempt, Outcome, PaidOrder, UnsettledOrder,
};

use crate::{
    app::{Setup, TestApp},
    click::Callback,
    receipts::order as with_receipt,
};

/// An order of the usual amount as the shop store knows it.
fn paid_order(app: &TestApp, order_id: i64, trans_id: i64, prepare_id: Option<i64>) -> PaidOrder {
    PaidOrder {
        order_id: OrderId::try_new(order_id).unwrap(),
        user_id: UserId::try_new(5551).unwrap(),
        products: vec![OrderedProduct { product_id: ProductId::try_new(7).unwrap(), count: 2 }],
        amount: Tiyin::from_soum(30_000).unwrap(),
        click_trans_id: ClickTransId::try_new(trans_id).unwrap(),
        click_paydoc_id: ClickPaydocId::try_new(2001).unwrap(),
        merchant_prepare_id: prepare_id.map(|id| PrepareId::try_new(id).unwrap()),
        paid_at: app.clock.now() - time::Duration::hours(1),
        late: false,
        known_by: "shop",
        receipt: None,
    }
}

async fn adopt(app: &TestApp, orders: &[PaidOrder]) -> Vec<Outcome<AdoptRefusal>> {
    app.ledger().adopt_paid(orders.to_vec(), app.clock.now()).await.unwrap()
}

#[tokio::test]
async fn after_a_restore_a_payment_that_the_shop_knows_is_not_taken_a_second_time() {
    let mut app = TestApp::start().await;
    app.order(1).await;
    app.order(2).await;
    let paid = app.paid(2).await;
    app.order(3).await;
    let trans = 3_647_911_003;
    let late = app.paid(3).await;
    app.stop().await;

    let restored = TestApp::start_with(Setup::default()).await;
    restored.order(1).await;
    restored.order(2).await;
    // Order 2 came back with the copy, unpaid; order 3 did not.
    let known = [
        paid_order(&restored, 2, 3_647_911_002, Some(paid)),
        paid_order(&restored, 3, trans, Some(late)),
        PaidOrder { late: true, ..paid_order(&restored, 4, 9, None) },
    ];
    assert_eq!(adopt(&restored, &known).await, [Outcome::Applied; 3]);
    assert_eq!(adopt(&restored, &known).await, [Outcome::AlreadyApplied; 3], "it may be repeated");
    for order_id in [2, 3, 4] {
        assert_eq!(restored.status_of(order_id).await, "paid");
        assert_eq!(restored.code(&Callback::prepare(order_id).trans(777)).await, -4, "no second payment");
    }
    assert_eq!(restored.code(&Callback::complete(3, late).trans(trans)).await, -4, "CLICK repeats the first");
    assert!(restored.prepared(1).await > late, "and its number is given to no other");
    restored.until_the_outbox_is_empty().await;
    assert_eq!(restored.events_of(3).await, ["payment.completed:3"]);
    let event = restored.bus.events().into_iter().find(|event| event.order_id.get() == 3).unwrap();
    assert_eq!(event.occurred_at, restored.clock.now() - time::Duration::hours(1));
    assert!(matches!(event.kind, EventKind::PaymentCompleted { late: false, .. }), "{:?}", event.kind);
    let evidence = restored.ledger().callbacks(OrderId::try_new(4).unwrap()).await.unwrap();
    assert!(evidence[0].fields.contains("\"known_by\":\"shop\""), "{evidence:?}");
    let late: Vec<i64> = sqlx::query_scalar("SELECT order_id FROM attempts WHERE paid_late")
        .fetch_all(&mut restored.file().await)
        .await
        .unwrap();
    assert_eq!(late, [4], "as the lost ledger had it");
    restored.finish().await;
    app.finish().await;
}

/// A refund of an order as the shop store knows it.
fn gone_back(app: &TestApp, order_id: i64, refund_id: i64, soum: i64, by_hand: bool) -> KnownRefund {
    let returned = vec![OrderedProduct { product_id: ProductId::try_new(7).unwrap(), count: 1 }];
    let (refund_id, refunded) = (RefundId::try_new(refund_id).unwrap(), Tiyin::from_soum(soum).unwrap());
    KnownRefund {
        order_id: OrderId::try_new(order_id).unwrap(),
        reversal: Reversal { refund_id, refunded, by_hand, returned },
        at: app.clock.now() - time::Duration::minutes(30),
        known_by: "shop",
    }
}

#[tokio::test]
async fn after_a_restore_money_that_the_shop_knows_to_be_back_goes_back_no_second_time() {
    let app = TestApp::start_with(Setup { merchant_api: true, ..Setup::default() }).await;
    for order_id in 1..=3 {
        app.order(order_id).await;
    }
    app.paid(1).await;
    app.paid(2).await;
    // The copy has this one as open.
    let ask = json!({ "request_id": "tap-1", "requested_by": "5551" });
    let (_, open) = app.post("/orders/2/refunds", &ask).await;
    let open_id = open["refund_id"].as_i64().unwrap();
    let far = open_id + 1_000;
    let known = [
        gone_back(&app, 1, far, 10_000, true),
        gone_back(&app, 1, far + 1, 20_000, true),
        gone_back(&app, 2, open_id, 30_000, false),
    ];
    for expected in [Outcome::Applied, Outcome::AlreadyApplied] {
        let outcomes = app.ledger().adopt_refunds(known.to_vec()).await.unwrap();
        assert_eq!(outcomes, [expected; 3], "it may be repeated");
    }
    let refunds = async |order_id| {
        let refunds = app.ledger().refunds(OrderId::try_new(order_id).unwrap()).await.unwrap();
        refunds.into_iter().map(|refund| refund.state).collect::<Vec<_>>()
    };
    let by_hand = RefundState::DoneByHand {
        decided_by: "restore".to_owned(),
        document: "known by the shop after a restore".to_owned(),
    };
    assert_eq!(refunds(1).await, [by_hand.clone(), by_hand]);
    let payment_id = ClickPaymentId::try_new(16_853_761).unwrap();
    assert_eq!(refunds(2).await, [RefundState::Done { payment_id }]);
    let (_, answered) = app.get("/refunds/open").await;
    assert_eq!(answered["refunds"], json!([]), "the reconciler sends nothing");
    for order_id in [1, 2] {
        let more = json!({ "request_id": "tap-2", "requested_by": "5551", "amount_tiyin": 1 });
        let (status, refused) = app.post(&format!("/orders/{order_id}/refunds"), &more).await;
        assert_eq!((status.as_u16(), &refused["reason"]), (409, &json!("nothing_left")));
    }
    app.until_the_outbox_is_empty().await;
    assert_eq!(
        app.events_of(1).await,
        ["payment.completed:1", &format!("payment.partly_reversed:1:{far}"), "payment.reversed:1"]
    );

    // What is still open waits for a person, who can have it go on.
    app.order(5).await;
    app.paid(5).await;
    let (_, asked) = app.post("/orders/5/refunds", &ask).await;
    for _ in 0..2 {
        let open = app.ledger().leave_open_refunds_to_staff(app.clock.now()).await.unwrap();
        assert_eq!(open.iter().map(|refund| refund.status().as_str()).collect::<Vec<_>>(), ["manual"]);
    }
    let (_, waits) = app.get("/orders/5/refunds").await;
    assert_eq!(waits["open"]["why"], "ledger_restored", "{waits}");
    let again = json!({ "by": "5551" });
    let (_, retried) = app.post(&format!("/refunds/{}/retry", asked["refund_id"]), &again).await;
    assert_eq!(retried["state"], "requested", "{retried}");

    let contradicting = [
        gone_back(&app, 1, far, 11_000, true),
        gone_back(&app, 1, far + 2, 1, true),
        gone_back(&app, 3, far + 3, 1, true),
        gone_back(&app, 4, far + 4, 1, true),
    ];
    let refused = [Outcome::Refused(AdoptRefusal::OrderDiffers { field: "refund" }); 4];
    assert_eq!(app.ledger().adopt_refunds(contradicting.to_vec()).await.unwrap(), refused);
    app.paid(3).await;
    let (_, next) = app.post("/orders/3/refunds", &ask).await;
    assert!(next["refund_id"].as_i64().unwrap() > far + 1, "its number is given to no other: {next}");
    app.finish().await;
}

#[tokio::test]
async fn however_many_refunds_a_copy_has_open_none_of_them_goes_on_by_itself() {
    let app = TestApp::start_with(Setup { merchant_api: true, ..Setup::default() }).await;
    let orders: Vec<PaidOrder> = (1..=1_001).map(|number| paid_order(&app, number, number, None)).collect();
    adopt(&app, &orders).await;
    let (ledger, now) = (app.ledger(), app.clock.now());
    let ask = |order: &PaidOrder| {
        let asked: RefundRequest =
            serde_json::from_value(json!({ "request_id": "tap-1", "requested_by": "5551" })).unwrap();
        ledger.ask_for_refund(order.order_id, asked, true, now)
    };
    join_all(orders.iter().map(ask)).await;
    let open = ledger.leave_open_refunds_to_staff(now).await.unwrap();
    assert_eq!(open.len(), orders.len());
    for order in &orders {
        let [refund] = &ledger.refunds(order.order_id).await.unwrap()[..] else { panic!("one refund") };
        assert!(matches!(refund.state, RefundState::Manual { .. }), "{refund:?}");
    }
    app.until_the_outbox_is_empty().await;
    app.finish().await;
}

#[tokio::test]
async fn money_that_the_bus_knows_to_be_back_opens_the_return_of_a_sale_that_has_a_receipt() {
    let app = TestApp::start().await;
    for (order_id, by_hand) in [(1, false), (2, true)] {
        app.post("/api/create_order", &with_receipt(order_id, 3_000_000)).await;
        app.paid(order_id).await;
        let (_, needed) = app.get(&format!("/receipts/{order_id}")).await;
        let found = json!({"step": needed["step"], "change": "found_receipt", "payment_id": 16_853_761, "url": "https://ofd"});
        app.post(&format!("/receipts/{order_id}/step"), &found).await;
        let known = gone_back(&app, order_id, 1_795_900_000 + order_id, 30_000, by_hand);
        assert_eq!(app.ledger().adopt_refunds(vec![known]).await.unwrap(), [Outcome::Applied]);
    }
    let (_, missing) = app.get("/receipts/missing").await;
    assert_eq!(missing["count"], 2, "{missing}");
    app.finish().await;
}

#[tokio::test]
async fn a_payment_that_contradicts_the_ledger_is_refused_and_changes_nothing() {
    let app = TestApp::start().await;
    for order_id in 1..=3 {
        app.order(order_id).await;
    }
    app.paid(1).await;
    let cancelled = app.prepared(2).await;
    app.code(&Callback::cancel(2, cancelled, -5017)).await;
    let mut other_amount = paid_order(&app, 3, 50, None);
    other_amount.amount = Tiyin::from_soum(1).unwrap();
    let mut other_user = paid_order(&app, 3, 50, None);
    other_user.user_id = UserId::try_new(1).unwrap();
    let contradicting = [
        (paid_order(&app, 1, 777, None), AdoptRefusal::PaidByAnother),
        (paid_order(&app, 3, 3_647_911_001, None), AdoptRefusal::TransactionPaidAnother),
        (paid_order(&app, 2, 3_647_911_002, None), AdoptRefusal::Cancelled),
        (other_amount, AdoptRefusal::OrderDiffers { field: "total_amount" }),
        (other_user, AdoptRefusal::OrderDiffers { field: "user_id" }),
    ];
    for (order, refusal) in contradicting {
        assert_eq!(adopt(&app, std::slice::from_ref(&order)).await, [Outcome::Refused(refusal)]);
    }
    assert_eq!([app.status_of(2).await, app.status_of(3).await], ["pending", "pending"]);
    assert_eq!(app.attempts_of(3).await, Vec::<String>::new());
    // A number that another order's attempt has is not taken from it.
    assert_eq!(adopt(&app, &[paid_order(&app, 3, 50, Some(1))]).await, [Outcome::Applied]);
    assert_eq!(app.attempts_of(1).await, ["paid"]);
    app.finish().await;
}

/// An order of the usual amount as another system has it.
fn imported(app: &TestApp, order_id: i64, state: ImportedState) -> ImportedOrder {
    let paid = paid_order(app, order_id, order_id, None);
    let PaidOrder { order_id, user_id, products, amount, paid_at, .. } = paid;
    let order = NewOrder { order_id, user_id, products, amount, created_at: paid_at, receipt: None };
    ImportedOrder { order, state }
}

#[tokio::test]
async fn orders_of_another_system_are_taken_over_without_telling_anybody() {
    let app = TestApp::start().await;
    let open = OpenAttempt {
        prepare_id: PrepareId::try_new(17).unwrap(),
        click_trans_id: ClickTransId::try_new(3_647_911_003).unwrap(),
        click_paydoc_id: ClickPaydocId::try_new(2003).unwrap(),
        prepared_at: app.clock.now() - time::Duration::minutes(1),
    };
    let orders = vec![
        imported(&app, 1, ImportedState::Paid(paid_order(&app, 1, 3_647_911_001, Some(15)))),
        imported(&app, 2, ImportedState::Over),
        imported(&app, 3, ImportedState::Payable { open: vec![open] }),
    ];
    for expected in [Outcome::Applied, Outcome::AlreadyApplied] {
        let outcomes = app.ledger().import(orders.clone(), app.clock.now()).await.unwrap();
        assert_eq!(outcomes, [expected; 3], "it may be repeated");
    }
    let over = [imported(&app, 3, ImportedState::Over)];
    let outcomes = app.ledger().import(over.to_vec(), app.clock.now()).await.unwrap();
    assert_eq!(outcomes, [Outcome::AlreadyApplied], "what an import made payable is not ended by the next");
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.bus.events(), [], "nobody hears of it");
    assert_eq!(
        [app.status_of(1).await, app.status_of(2).await, app.status_of(3).await],
        ["paid", "expired", "pending"]
    );
    assert_eq!(app.code(&Callback::prepare(1).trans(777)).await, -4);
    assert_eq!(app.code(&Callback::prepare(2).trans(778)).await, -9);
    assert_eq!(app.code(&Callback::complete(1, 15).trans(3_647_911_001)).await, -4, "CLICK repeats it");
    // The Prepare was answered by the other system, with its number.
    assert_eq!(app.code(&Callback::complete(3, 17).trans(3_647_911_003)).await, 0);
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.events_of(3).await, ["payment.completed:3"]);
    app.order(4).await;
    assert!(app.prepared(4).await > 17, "numbers of the other system are not given again");
    let (first, second) = (OrderId::try_new(1).unwrap(), OrderId::try_new(2).unwrap());
    app.ledger().replay(&[first, second]).await.unwrap();
    app.until_the_outbox_is_empty().await;
    assert_eq!(
        [app.events_of(1).await, app.events_of(2).await],
        [["payment.completed:1"], ["order.expired:2"]]
    );
    let said: Vec<String> = app.bus.events().iter().map(|event| event.id.to_string()).collect();
    assert_eq!(
        said,
        ["payment.completed:3", "payment.completed:1", "order.expired:2"],
        "unless it is replayed"
    );
    app.finish().await;
}

fn sells(name: &str) -> Content {
    serde_json::from_value(
        json!({"lines": [{"name": name, "amount": 2000, "good_price": 1_500_000, "price": 3_000_000,
        "discount": 0, "vat": 0, "fiscal": {"mxik": null, "package_code": null, "vat_percent": null}}]}),
    )
    .unwrap()
}

#[tokio::test]
async fn an_order_that_is_taken_back_needs_its_receipt_and_none_is_made_in_the_hour_after_a_restore() {
    let app = TestApp::start().await;
    let agreed = with_receipt(1, 3_000_000);
    app.post("/api/create_order", &agreed).await;
    app.order(2).await;
    let now = unix_ms(app.clock.now());
    app.file()
        .await
        .execute(sqlx::query("INSERT INTO restores VALUES (1, $1, $1, 0, 0)").bind(now))
        .await
        .unwrap();
    let mut orders = [1, 2, 3, 4].map(|order_id| paid_order(&app, order_id, 100 + order_id, None));
    for order in &mut orders {
        order.receipt = Some(sells("Choy dona"));
    }
    orders[3].receipt = Some(Content { lines: Vec::new() });
    assert_eq!(adopt(&app, &orders).await, [Outcome::Applied; 4]);
    assert_eq!(adopt(&app, &orders).await, [Outcome::AlreadyApplied; 4]);

    let receipt = async |order_id: i64| app.get(&format!("/receipts/{order_id}")).await.1;
    let kept = receipt(1).await;
    assert_eq!(
        (&kept["state"], &kept["content"]),
        (&json!("needed"), &agreed["receipt"]),
        "the first one counts"
    );
    assert!(receipt(2).await["error"].is_string(), "it was registered without one");
    assert_eq!(receipt(3).await["content"], json!(sells("Choy dona")));
    assert_eq!(receipt(4).await["content"], json!({"lines": []}));

    let open = async || app.get("/receipts/open").await.1["receipts"].as_array().unwrap().len();
    assert_eq!(open().await, 0, "what the lost ledger has sent may be printed yet");
    app.clock.advance(time::Duration::hours(1));
    assert_eq!(open().await, 3);
    app.finish().await;
}

#[tokio::test]
async fn a_number_of_another_ledger_never_uses_up_those_that_are_to_come() {
    const INT_MAX: i64 = 2_147_483_647;
    let app = TestApp::start().await;
    app.order(1).await;
    let open = |prepare_id| OpenAttempt {
        prepare_id: PrepareId::try_new(prepare_id).unwrap(),
        click_trans_id: ClickTransId::try_new(prepare_id).unwrap(),
        click_paydoc_id: ClickPaydocId::try_new(2003).unwrap(),
        prepared_at: app.clock.now(),
    };
    let out_of_range = [Outcome::Refused(AdoptRefusal::OutOfRange)];
    for order_id in [ORDER_ID_MAX, ORDER_ID_MAX + 1, ORDER_ID_GAP_MAX + 2] {
        assert_eq!(adopt(&app, &[paid_order(&app, order_id, 9, None)]).await, out_of_range);
        let payable = imported(&app, order_id, ImportedState::Payable { open: vec![] });
        assert_eq!(app.ledger().import(vec![payable], app.clock.now()).await.unwrap(), out_of_range);
    }
    assert_eq!(adopt(&app, &[paid_order(&app, 2, 50, Some(INT_MAX))]).await, [Outcome::Applied]);
    let payable = imported(&app, 3, ImportedState::Payable { open: vec![open(INT_MAX), open(INT_MAX + 1)] });
    assert_eq!(app.ledger().import(vec![payable], app.clock.now()).await.unwrap(), [Outcome::Applied]);
    assert_eq!(app.code(&Callback::complete(3, INT_MAX + 1).trans(INT_MAX + 1)).await, -6, "not taken over");
    assert_eq!(app.prepared(3).await, 2, "but the order can be paid");
    assert_eq!(app.get("/orders").await.1["highest_order_id"], 3);
    app.until_the_outbox_is_empty().await;
    app.finish().await;
}

#[tokio::test]
async fn what_is_not_paid_yet_goes_on_under_the_numbers_that_click_was_given() {
    let (lost, copy) = (TestApp::start().await, TestApp::start().await);
    for app in [&lost, &copy] {
        app.order(1).await;
        app.order(2).await;
    }
    // Since the copy was made.
    for order_id in 3..=6 {
        lost.order(order_id).await;
    }
    let mut given = Vec::new();
    for order_id in [1, 3, 4] {
        given.push(lost.prepared(order_id).await);
    }
    for order_id in [2, 4] {
        lost.cancel(order_id).await;
    }
    lost.paid(6).await;
    let reader = LedgerReader::open(lost.place()).await.unwrap();
    let unsettled = reader.unsettled_orders(1..=i64::MAX, 100).await.unwrap();
    let numbers = |orders: &[UnsettledOrder]| -> Vec<i64> {
        orders.iter().map(|unsettled| unsettled.order.order_id.get()).collect()
    };
    assert_eq!(numbers(&unsettled), [1, 2, 3, 4, 5], "a paid one has nothing open");
    assert_eq!(numbers(&reader.unsettled_orders(2..=4, 2).await.unwrap()), [2, 3]);
    reader.close().await;

    let adopt = async || copy.ledger().adopt_unsettled(unsettled.clone(), copy.clock.now()).await.unwrap();
    let applied = |outcome: &Outcome<AdoptRefusal>| *outcome == Outcome::Applied;
    let adopted = adopt().await;
    let orders: Vec<bool> = adopted.iter().map(|continued| applied(&continued.order)).collect();
    assert_eq!(orders, [false, true, true, true, true], "the first was there, and the second is over now");
    assert_eq!(adopted.iter().flat_map(|continued| &continued.open).filter(|open| applied(open)).count(), 3);
    let again = adopt().await;
    assert!(again.iter().all(|it| !applied(&it.order) && !it.open.iter().any(applied)), "it may be repeated");

    assert_eq!(copy.attempts_of(4).await, ["given_up"]);
    for (order_id, prepare_id) in [1, 3, 4].into_iter().zip(&given) {
        assert_eq!(copy.code(&Callback::complete(order_id, *prepare_id)).await, 0, "order {order_id}");
        assert_eq!(copy.status_of(order_id).await, "paid");
    }
    assert_eq!(copy.code(&Callback::prepare(2)).await, -9, "it was cancelled");
    assert!(copy.prepared(5).await > given[2], "and no number is given twice");
    copy.until_the_outbox_is_empty().await;
    assert_eq!(copy.events_of(2).await, ["order.expired:2"]);
    assert_eq!(copy.events_of(4).await, ["order.expired:4", "payment.completed:4"]);

    let mut taken = unsettled[0].clone();
    taken.open[0].attempt.click_trans_id = ClickTransId::try_new(777).unwrap();
    let outcomes = copy.ledger().adopt_unsettled(vec![taken], copy.clock.now()).await.unwrap();
    assert_eq!(outcomes[0].open, [Outcome::Refused(AdoptRefusal::NumberTaken)]);
    lost.until_the_outbox_is_empty().await;
    lost.finish().await;
    copy.finish().await;
}

#[tokio::test]
async fn invoices_to_phone_numbers_go_on_where_the_replaced_ledger_had_them_and_none_is_made_twice() {
    let setup = || Setup { merchant_api: true, ..Setup::default() };
    let (lost, copy) = (TestApp::start_with(setup()).await, TestApp::start_with(setup()).await);
    for app in [&lost, &copy] {
        for order_id in 1..=4 {
            app.order(order_id).await;
        }
    }
    let ask = async |app: &TestApp, order_id: i64| -> PhoneInvoice {
        let order_id = OrderId::try_new(order_id).unwrap();
        let asked = InvoiceRequest {
            user_id: UserId::try_new(5551).unwrap(),
            phone: Phone::parse("+998901234567").unwrap(),
        };
        match app.ledger().ask_for_phone_invoice(order_id, asked, app.clock.now()).await.unwrap() {
            InvoiceAsked::Opened(invoice) | InvoiceAsked::Open(invoice) => invoice,
            refused @ (InvoiceAsked::Refused(_) | InvoiceAsked::UnknownOrder) => panic!("{refused:?}"),
        }
    };
    let step = async |app: &TestApp, invoice: &PhoneInvoice, change: InvoiceChange| -> PhoneInvoice {
        let step = InvoiceStep { step: invoice.step, change, next_step_at: None };
        match app.ledger().step_phone_invoice(invoice.phone_invoice_id, step, app.clock.now()).await.unwrap()
        {
            InvoiceStepped::Changed(invoice) => invoice,
            refused @ (InvoiceStepped::Stale | InvoiceStepped::Unknown) => panic!("{refused:?}"),
        }
    };
    // In the copy orders 1 and 2 are asked for and order 3 is being sent; since then 1 was sent, and 4 was asked for and sent.
    let mut in_lost = Vec::new();
    for app in [&lost, &copy] {
        let (first, _) = (ask(app, 1).await, ask(app, 2).await);
        let third = ask(app, 3).await;
        step(app, &third, InvoiceChange::Send).await;
        in_lost.push(first);
    }
    for (invoice, invoice_id) in [(in_lost.remove(0), 7), (ask(&lost, 4).await, 8)] {
        let sending = step(&lost, &invoice, InvoiceChange::Send).await;
        step(&lost, &sending, InvoiceChange::Sent { invoice_id }).await;
    }
    let reader = LedgerReader::open(lost.place()).await.unwrap();
    let unsettled = reader.unsettled_orders(1..=i64::MAX, 100).await.unwrap();
    reader.close().await;
    let now = copy.clock.now();
    for expected in [2, 0] {
        let adopted = copy.ledger().adopt_unsettled(unsettled.clone(), now).await.unwrap();
        assert_eq!(adopted.iter().map(|it| it.phone_invoices).sum::<usize>(), expected);
        copy.ledger().leave_phone_invoices(now).await.unwrap();
    }
    let mut states = Vec::new();
    for order_id in 1..=4 {
        let invoices = copy.ledger().phone_invoices(OrderId::try_new(order_id).unwrap()).await.unwrap();
        assert_eq!(ask(&copy, order_id).await, invoices[0], "no other one is made beside it");
        states.push(invoices[0].state.clone());
    }
    assert!(
        matches!(
            states.as_slice(),
            [
                InvoiceState::Sent { invoice_id: 7 },
                InvoiceState::Unknown { .. },
                InvoiceState::Unknown { .. },
                InvoiceState::Sent { invoice_id: 8 },
            ]
        ),
        "{states:?}"
    );
    let due = copy.ledger().due_phone_invoices(now).await.unwrap();
    assert!(due.iter().all(|due| matches!(due.invoice.state, InvoiceState::Sent { .. })), "{due:?}");
    for app in [lost, copy] {
        app.until_the_outbox_is_empty().await;
        app.finish().await;
    }
}

#[tokio::test]
async fn an_order_that_is_paid_elsewhere_and_cannot_be_paid_here_takes_no_second_payment() {
    let app = TestApp::start().await;
    app.order(1).await;
    app.paid(1).await;
    let same_transaction = imported(&app, 2, ImportedState::Paid(paid_order(&app, 2, 3_647_911_001, None)));
    let outcomes = app.ledger().import(vec![same_transaction], app.clock.now()).await.unwrap();
    assert_eq!(outcomes, [Outcome::Refused(AdoptRefusal::TransactionPaidAnother)]);
    assert_eq!(app.code(&Callback::prepare(2).trans(777)).await, -9);
    app.ledger().replay(&[OrderId::try_new(2).unwrap()]).await.unwrap();
    app.until_the_outbox_is_empty().await;
    app.finish().await;
}
