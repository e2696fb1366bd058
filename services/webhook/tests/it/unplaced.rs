//! Money that CLICK has taken and the ledger cannot place is counted, told to staff and kept where it can be found.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use metrics_exporter_prometheus::PrometheusBuilder;
use reqwest::{Method, StatusCode};
use serde_json::json;
use sqlx::Executor;
use tokio::net::TcpListener;
use tolov_domain::{UnplacedPayment, time::unix_ms};
use tolov_kit::{
    clock::Clock,
    http::{Limits, Refusal, RefusalReply, RefusedRequest, serve},
    lifecycle::Stop,
    metrics::{self, Metrics},
};
use tolov_webhook::{
    Deps, Steps,
    http::{CLICK_PATH, refusals},
    ledger::{Quota, UnplacedBefore, UnplacedCallback, UnplacedRecord, UnverifiedLimits},
};

use crate::{
    app::{API_TOKEN, Setup, TestApp, generous},
    click::Callback,
    overload::arrival,
    telegram::payment,
};

/// What this process has counted, in Prometheus' text. All tests count together.
fn counted() -> String {
    static METRICS: OnceLock<Metrics> = OnceLock::new();
    METRICS.get_or_init(|| metrics::install().unwrap()).render()
}

fn unplaced_of(app: &TestApp) -> Vec<UnplacedPayment> {
    let messages = app.bus.messages().into_iter().filter(|message| message.schema == "payment.unplaced/1");
    messages.map(|message| UnplacedPayment::from_json(&message.body).unwrap()).collect()
}

#[tokio::test]
async fn a_complete_for_an_order_that_the_ledger_lost_is_told_with_its_transaction_and_amount() {
    counted();
    let app = TestApp::start().await;
    let complete = Callback::complete(3003, 77).trans(777).with("click_paydoc_id", 2001).amount("30000.50");
    for _ in 0..3 {
        assert_eq!(app.code(&complete).await, -5);
    }
    app.until_the_outbox_is_empty().await;
    let told = unplaced_of(&app);
    let [told] = told.as_slice() else { panic!("once, however often CLICK repeats it: {told:?}") };
    assert_eq!(told.event_id.as_str(), "payment.unplaced:777");
    let texts = [&told.click_trans_id, &told.click_paydoc_id, &told.merchant_trans_id, &told.amount];
    assert_eq!((texts.map(String::as_str), told.answer), (["777", "2001", "3003", "30000.50"], -5));
    let (_, found) = app.get("/payments/unplaced").await;
    assert_eq!(found["payments"].as_array().unwrap().len(), 3);
    let newest = &found["payments"][0];
    assert_eq!((&newest["answer"], &newest["received_at"]), (&json!(-5), &json!("2026-11-23T12:00:00Z")));
    assert_eq!(newest["fields"]["click_paydoc_id"], "2001");
    assert_eq!(app.ledger().callbacks(tolov_domain::OrderId::try_new(3003).unwrap()).await.unwrap().len(), 3);
    assert!(counted().contains("tolov_click_unplaced_payments_total{code=\"-5\"}"));
    app.finish().await;
}

/// The answers to all unplaced payments, two at a time.
async fn answers_of_unplaced(app: &TestApp) -> Vec<i64> {
    let mut page = "/payments/unplaced?limit=2".to_owned();
    let mut answers = Vec::new();
    loop {
        let (_, found) = app.get(&page).await;
        let found = found["payments"].as_array().unwrap();
        answers.extend(found.iter().map(|payment| payment["answer"].as_i64().unwrap()));
        let Some(last) = found.last() else { return answers };
        page = format!("/payments/unplaced?limit=2&before={}", last["id"]);
    }
}

#[tokio::test]
async fn every_refusal_of_taken_money_is_found_and_staff_hear_of_each_once() {
    counted();
    let app = TestApp::start().await;
    for order_id in 1..=4 {
        app.order(order_id).await;
    }
    let mine = app.prepared(1).await;
    let other = app.prepared(2).await;
    let cancelled = app.prepared(3).await;
    app.code(&Callback::cancel(3, cancelled, -5017)).await;
    let refused = [
        (Callback::complete(1, other), -6),
        (Callback::complete(4, 99).trans(8), -6),
        (Callback::complete(1, mine).with("click_paydoc_id", "x").trans(9), -8),
        (Callback::complete(1, mine).with("service_id", 1).trans(10), -8),
        (Callback::complete(1, mine).with("merchant_trans_id", "Заказ-7").trans(11), -5),
        (Callback::complete(1, mine).amount("29999").trans(12), -2),
        (Callback::complete(3, cancelled).trans(13), -9),
    ];
    for (complete, code) in &refused {
        assert_eq!(app.code(complete).await, *code);
    }
    app.until_the_outbox_is_empty().await;
    let told: Vec<String> =
        unplaced_of(&app).into_iter().map(|payment| payment.event_id.to_string()).collect();
    let ids = ["3647911001", "8", "9", "10", "11"].map(|id| format!("payment.unplaced:{id}"));
    assert_eq!(told, ids);
    assert_eq!(app.events_of(1).await, ["payment.questioned:1:1:trans-12:amount_differs"]);
    assert_eq!(app.events_of(3).await[1..], ["payment.questioned:3:3:trans-13:confirmed_after_cancel"]);
    let messages = app.bus.messages();
    let amount = messages.iter().find(|message| message.id.as_str().ends_with("amount_differs")).unwrap();
    let amount: serde_json::Value = serde_json::from_slice(&amount.body).unwrap();
    assert_eq!(amount["click_amount_tiyin"], 2_999_900, "what CLICK names");
    let codes: Vec<i64> = refused.iter().rev().map(|(_, code)| *code).collect();
    assert_eq!(answers_of_unplaced(&app).await, codes, "newest first");
    assert_eq!(app.get("/payments/unplaced?before=first").await.0, 422);
    for code in [-2, -5, -6, -8, -9] {
        assert!(
            counted().contains(&format!("tolov_click_unplaced_payments_total{{code=\"{code}\"}}")),
            "{code}"
        );
    }
    app.finish().await;
}

/// Takes money that is of no order: by CLICK's page, or by Telegram's invoice.
async fn take(app: &TestApp, source: &str, number: i64) {
    if source == "click" {
        assert_eq!(app.code(&Callback::complete(3003, 77).trans(number)).await, -5);
        return;
    }
    let payment = json!({"payload": "order-3003", "user_id": 5551, "amount_tiyin": 3_000_050, "currency": "UZS",
        "telegram_charge_id": format!("tg-{number}"), "provider_charge_id": number.to_string()});
    for _ in 0..2 {
        let (status, reply) = app.post("/telegram-payments", &payment).await;
        assert_eq!(
            (status.as_u16(), &reply["outcome"]),
            (200, &json!("unplaced")),
            "once, however often it is told"
        );
    }
}

/// Where each payment came from and its number, newest first, so many at a time. Between two pages `meanwhile` comes in.
async fn listed(app: &TestApp, limit: usize, meanwhile: &[(&str, i64)]) -> Vec<(String, String)> {
    let (mut page, mut listed) = (format!("/payments/unplaced?limit={limit}"), Vec::new());
    let mut meanwhile = meanwhile.iter();
    loop {
        let (_, found) = app.get(&page).await;
        let payments = found["payments"].as_array().unwrap();
        assert!(payments.len() <= limit);
        for payment in payments {
            let source = payment["source"].as_str().unwrap();
            let name = if source == "click" { "click_trans_id" } else { "provider_charge_id" };
            listed.push((source.to_owned(), payment["fields"][name].as_str().unwrap().to_owned()));
        }
        let Some(next) = found["next"].as_str() else { return listed };
        page = format!("/payments/unplaced?limit={limit}&before={next}");
        if let Some((source, number)) = meanwhile.next() {
            take(app, source, *number).await;
        }
    }
}

#[tokio::test]
async fn money_of_no_order_stands_in_one_list_whichever_way_it_came_and_no_page_repeats_or_misses_any() {
    counted();
    let app = TestApp::start().await;
    let took = ["click", "telegram", "telegram", "click", "click", "telegram", "click", "telegram"];
    for (number, source) in (1..).zip(took) {
        take(&app, source, number).await;
        // Some come in one millisecond.
        if number % 3 == 0 {
            app.clock.advance(time::Duration::seconds(1));
        }
    }
    let of_one_moment = |moment: &[i64]| {
        let from =
            |source: &'static str| move |number: &i64| took[usize::try_from(*number - 1).unwrap()] == source;
        let of =
            |source| moment.iter().rev().copied().filter(from(source)).map(move |number| (source, number));
        of("click").chain(of("telegram")).collect::<Vec<_>>()
    };
    let newest_first =
        [of_one_moment(&[7, 8]), of_one_moment(&[4, 5, 6]), of_one_moment(&[1, 2, 3])].concat();
    let newest_first: Vec<(String, String)> =
        newest_first.into_iter().map(|(source, number)| (source.to_owned(), number.to_string())).collect();
    for limit in 1..=9 {
        assert_eq!(listed(&app, limit, &[]).await, newest_first, "{limit} a page");
    }
    assert_eq!(listed(&app, 2, &[("telegram", 9), ("click", 10), ("telegram", 11)]).await, newest_first);
    let (_, found) = app.get("/payments/unplaced?limit=1").await;
    let newest = &found["payments"][0];
    assert_eq!((&newest["source"], &newest["answer"]), (&json!("click"), &json!(-5)));
    let telegram = app.get("/payments/unplaced").await.1["payments"][2].clone();
    assert_eq!(telegram["fields"]["telegram_charge_id"], "tg-11");
    assert_eq!(telegram["fields"]["payload"], "order-3003");
    assert_eq!((&telegram["fields"]["amount_tiyin"], &telegram["answer"]), (&json!(3_000_050), &json!(-5)));
    for before in ["first", "1.2.3", ".", "1.x", "+1", ""] {
        assert_eq!(app.get(&format!("/payments/unplaced?before={before}")).await.0, 422, "{before}");
    }
    app.until_the_outbox_is_empty().await;
    app.finish().await;
}

#[tokio::test]
async fn taken_money_is_told_though_the_signed_callback_has_a_bad_form() {
    counted();
    let app = TestApp::start().await;
    app.order(1).await;
    let prepare_id = app.prepared(1).await;
    let complete = |trans| Callback::complete(1, prepare_id).trans(trans);
    let doubled = |name: &str, trans| format!("{}&{name}=1", complete(trans).body());
    let bodies = [
        complete(21).body_without("error_note"),
        complete(22).body_without("click_paydoc_id"),
        doubled("error_note", 23),
        doubled("merchant_prepare_id", 24),
    ];
    for body in &bodies {
        assert_eq!(app.send_body(body.clone()).await.code, -8, "{body}");
    }
    let forged = complete(25).badly_signed().body_without("error_note");
    assert_eq!(app.send_body(forged).await.code, -8, "a stranger's is no payment");
    app.until_the_outbox_is_empty().await;
    let told: Vec<String> =
        unplaced_of(&app).into_iter().map(|payment| payment.event_id.to_string()).collect();
    assert_eq!(told, [21, 22, 23, 24].map(|id| format!("payment.unplaced:{id}")));
    let kept = app.ledger().unplaced_payments(UnplacedBefore::NEWEST, 100).await.unwrap();
    assert_eq!((kept.payments.len(), kept.next), (bodies.len(), None));
    assert_eq!(app.attempts_of(1).await, ["prepared"]);
    app.finish().await;
}

#[tokio::test]
async fn what_is_answered_as_paid_or_was_not_taken_is_no_unplaced_payment() {
    let app = TestApp::start().await;
    app.order(1).await;
    let prepare_id = app.paid(1).await;
    assert_eq!(app.code(&Callback::complete(1, prepare_id)).await, -4);
    assert_eq!(app.code(&Callback::prepare(2)).await, -5);
    assert_eq!(app.code(&Callback::cancel(2, 77, -5017)).await, -5);
    assert_eq!(app.code(&Callback::complete(2, 77).badly_signed()).await, -1);
    app.until_the_outbox_is_empty().await;
    assert_eq!(unplaced_of(&app), []);
    assert_eq!(app.get("/payments/unplaced").await.1, json!({"payments": [], "next": null}));
    let asked = app.http.get(app.url("/payments/unplaced")).send().await.unwrap();
    assert_eq!(asked.status(), 401, "only with the token");
    let shown = app.http.get(app.url("/payments/unplaced")).bearer_auth(API_TOKEN).send().await.unwrap();
    assert_eq!(shown.status(), 200);
    app.finish().await;
}

/// A handler that panics or takes too long is the accept loop's to answer: here it is told so.
#[tokio::test]
async fn taken_money_whose_callback_was_not_decided_is_counted_and_its_callback_kept_whatever_the_budget() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let counted = recorder.handle();
    let _of_this_test = ::metrics::set_default_local_recorder(&recorder);
    let unverified = Some(UnverifiedLimits { peer_minute: Quota::default(), ..generous() });
    let mut app = TestApp::start_with(Setup { unverified, ..Setup::default() }).await;
    app.order(1).await;
    let prepare_id = app.prepared(1).await;
    app.stop().await;
    let deps = Deps { bus: app.bus.clone(), clock: Arc::new(app.clock.clone()) };
    let service = Steps::open(app.config(), deps).await.unwrap();
    let refusals = refusals(Arc::clone(&service.app));
    let complete = Callback::complete(1, prepare_id);
    let bodies = [
        Some(complete.body()),
        Some(Callback::prepare(1).body()),
        Some(complete.clone().badly_signed().body()),
        None,
    ];
    for refusal in [Refusal::Panicked, Refusal::TooSlow] {
        for body in bodies.clone() {
            let peer = SocketAddr::from(([203, 0, 113, 7], 443)).into();
            let (method, path, body) = (Method::POST, CLICK_PATH.to_owned(), body.map(Into::into));
            let response = refusals.reply(RefusedRequest { refusal, method, path, peer, body }).await;
            assert_eq!(response.status(), 200);
        }
    }
    service.close().await;
    let counted = counted.render();
    for line in [
        "tolov_click_unplaced_payments_total{code=\"-7\"} 2",
        "tolov_click_callbacks_total{action=\"complete\",code=\"-7\"} 4",
        "tolov_click_callbacks_total{action=\"prepare\",code=\"-7\"} 2",
        "tolov_click_callbacks_total{action=\"other\",code=\"-7\"} 2",
    ] {
        assert!(counted.lines().any(|counted| counted == line), "{line}\n{counted}");
    }
    app.start_again().await;
    // Whatever number of forgeries comes: the oldest make room for them, and this one does not.
    let now = app.clock.now() + time::Duration::days(8);
    app.ledger().prune_unverified(now, 0).await.unwrap();
    let kept: Vec<(String, i64)> =
        sqlx::query_as("SELECT fields, code FROM callbacks WHERE fields LIKE '%refused%' ORDER BY id")
            .fetch_all(&mut app.file().await)
            .await
            .unwrap();
    let kept = kept.into_iter().map(|(fields, code)| {
        let fields: serde_json::Value = serde_json::from_str(&fields).unwrap();
        (fields["refused"].clone(), fields["action"].clone(), code)
    });
    let genuine =
        ["Panicked", "TooSlow"].map(|refused| ["1", "0"].map(|action| (json!(refused), json!(action), -7)));
    assert_eq!(kept.collect::<Vec<_>>(), genuine.concat(), "CLICK comes again");
    assert_eq!(app.code(&complete).await, 0, "the repetition is welcome");
    app.count_callbacks(4, 0);
    app.finish().await;
}

#[tokio::test]
async fn a_card_number_in_place_of_an_order_is_kept_nowhere() {
    let app = TestApp::start().await;
    let card = "8600123456789012";
    let complete = Callback::complete(1, 1).with("merchant_trans_id", card);
    let answer = app.send(&complete).await;
    assert_eq!(
        (answer.code, answer.body["merchant_trans_id"].as_str()),
        (-5, Some(card)),
        "CLICK gets its own"
    );
    app.code(&complete.badly_signed()).await;
    app.until_the_outbox_is_empty().await;
    assert_eq!(unplaced_of(&app)[0].merchant_trans_id, "************9012");
    let mut file = app.file().await;
    let kept: Vec<String> = sqlx::query_scalar(
        "SELECT fields || answer FROM callbacks UNION ALL SELECT fields FROM unverified_callbacks
         UNION ALL SELECT body FROM outbox",
    )
    .fetch_all(&mut file)
    .await
    .unwrap();
    assert!(kept.len() == 3 && kept.iter().all(|text| !text.contains(card)), "{kept:?}");
    app.finish().await;
}

#[tokio::test]
async fn what_staff_were_told_comes_again_also_after_its_event_was_deleted() {
    let mut app = TestApp::start().await;
    let began = unix_ms(app.clock.now());
    app.order(1).await;
    let complete = Callback::complete(3003, 77).trans(777).with("click_paydoc_id", 2001).amount("30000.50");
    assert_eq!(app.code(&complete).await, -5);
    app.clock.advance(time::Duration::minutes(1));
    assert_eq!(app.code(&complete).await, -5, "repeated");
    let (_, paid) = app.post("/telegram-payments", &payment(3004, "tg-7", "7")).await;
    assert_eq!(paid["outcome"], "unplaced");
    let prepare_id = app.prepared(1).await;
    assert_eq!(app.code(&Callback::complete(1, prepare_id).amount("1")).await, -2, "a question of its own");
    app.until_the_outbox_is_empty().await;
    let told = unplaced_of(&app);
    assert_eq!(told.len(), 2, "{told:?}");

    app.events_may_be_pruned();
    app.file().await.execute("DELETE FROM outbox").await.unwrap();
    let replayed = async |since: i64, until: i64| {
        let time = json!({"since_ms": since, "until_ms": until});
        app.post("/payments/unplaced/replay", &time).await
    };
    let now = unix_ms(app.clock.now());
    assert_eq!(replayed(began - 60_000, began - 1).await, (StatusCode::OK, json!({"replayed": 0})));
    assert_eq!(replayed(began, now).await, (StatusCode::OK, json!({"replayed": 2})));
    app.until_the_outbox_is_empty().await;
    let mut again = unplaced_of(&app).split_off(2);
    again.sort_by_key(|payment| payment.occurred_at);
    assert_eq!(again, told, "with the same facts");
    assert_eq!(replayed(began, now).await.1, json!({"replayed": 2}), "as often as one likes");
    app.until_the_outbox_is_empty().await;
    let (refused, _) = app.post("/payments/unplaced/replay", &json!({"since_ms": "soon"})).await;
    assert_eq!(refused, StatusCode::UNPROCESSABLE_ENTITY);
    app.finish().await;
}

#[tokio::test]
async fn staff_are_asked_about_money_that_was_answered_minus_7_and_that_click_does_not_come_again_for() {
    counted();
    let mut app = TestApp::start().await;
    let mut completes = Vec::new();
    for number in 1..=5 {
        app.order(number).await;
        let prepare_id = app.prepared(number).await;
        completes.push(Callback::complete(number, prepare_id));
    }
    app.stop().await;
    let deps = Deps { bus: app.bus.clone(), clock: Arc::new(app.clock.clone()) };
    let steps = Steps::open(app.config(), deps).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (url, stop) = (format!("http://{}{CLICK_PATH}", listener.local_addr().unwrap()), Stop::new());
    let (routes, refusals) = (steps.routes.clone(), refusals(Arc::clone(&steps.app)));
    let serving = tokio::spawn(serve(listener, routes, refusals, Limits::default(), stop.clone()));
    let code = async |callback: &Callback| {
        let answer = app.http.post(&url).body(callback.body()).send().await.unwrap().text().await.unwrap();
        serde_json::from_str::<serde_json::Value>(&answer).unwrap()["error"].as_i64().unwrap()
    };
    let mut file = app.file().await;
    file.execute("ALTER TABLE callbacks RENAME TO out_of_reach").await.unwrap();
    for complete in &completes {
        assert_eq!(code(complete).await, -7);
    }
    app.clock.advance(time::Duration::minutes(14));
    assert_eq!(code(&completes[0]).await, -7, "CLICK comes again for order 1");
    app.clock.advance(time::Duration::minutes(14));
    steps.maintenance.round().await;
    file.execute("ALTER TABLE out_of_reach RENAME TO callbacks").await.unwrap();
    // The ledger works: a repetition is confirmed, CLICK cancels one, and a commit that was waited for too long comes about.
    assert_eq!(code(&completes[1]).await, 0);
    assert_eq!(code(&Callback::cancel(3, 3, -5017)).await, -9);
    assert!(steps.ledger.answer(arrival(&app, &completes[4])).await.unwrap().confirms_payment());
    let asked = async || steps.ledger.unplaced_payments(UnplacedBefore::NEWEST, 9).await.unwrap().payments;
    steps.maintenance.round().await;
    let found = asked().await;
    let [UnplacedRecord::Callback(UnplacedCallback { callback, .. })] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(
        (callback.code, callback.fields.contains("\"merchant_trans_id\":\"4\"")),
        (-7, true),
        "{callback:?}"
    );
    app.clock.advance(time::Duration::minutes(1));
    for _ in 0..2 {
        steps.maintenance.round().await;
        assert_eq!(asked().await.len(), 2, "order 1, once");
    }
    assert_eq!(code(&completes[0]).await, 0, "CLICK comes after all");
    stop.cancel();
    serving.await.unwrap().unwrap();
    steps.close().await;
    app.count_callbacks(10, 4);
    app.start_again().await;
    app.until_the_outbox_is_empty().await;
    let mut told = unplaced_of(&app);
    told.sort_by(|one, other| one.merchant_trans_id.cmp(&other.merchant_trans_id));
    let [first, fourth] = &told[..] else { panic!("{told:?}") };
    assert_eq!((first.merchant_trans_id.as_str(), first.answer, first.amount.as_str()), ("1", -7, "30000"));
    assert!(fourth.click_trans_id.ends_with('4') && !fourth.click_paydoc_id.is_empty(), "{fourth:?}");
    app.finish().await;
}

#[tokio::test]
async fn staff_are_asked_about_money_that_was_answered_minus_7_when_the_service_stops() {
    let mut app = TestApp::start().await;
    app.order(1).await;
    let complete = Callback::complete(1, app.prepared(1).await);
    let mut file = app.file().await;
    file.execute("ALTER TABLE callbacks RENAME TO out_of_reach").await.unwrap();
    assert_eq!(app.code(&complete).await, -7);
    file.execute("ALTER TABLE out_of_reach RENAME TO callbacks").await.unwrap();
    app.stop().await;
    app.start_again().await;
    app.until_the_outbox_is_empty().await;
    let told = unplaced_of(&app);
    assert_eq!((told.len(), told[0].merchant_trans_id.as_str(), told[0].answer), (1, "1", -7), "{told:?}");
    app.finish().await;
}
