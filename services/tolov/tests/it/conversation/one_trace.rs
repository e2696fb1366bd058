//! A purchase is one trace, from the tap to the message that says "paid".

use std::{collections::BTreeSet, time::Instant};

use serde_json::json;

use super::{
    habits::{buys, comes_in},
    world::{PATIENCE, Settings, Stores, World},
};
use crate::collector::{Collected, Collector, tree};

/// What can be taken for an order number in CLICK's application.
const CARD: &str = "8600495473316478";

fn sends_to(collector: &Collector, more: &[(&str, &str)]) -> impl FnOnce(&mut Settings) {
    let own = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "100")];
    let all: Vec<_> =
        own.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    move |settings| settings.extend(all)
}

/// The one trace that an order was registered in.
fn trace_of_the_purchase(collected: &[Collected]) -> Vec<u8> {
    let registered = collected.iter().filter(|it| it.span.name == "POST /api/create_order");
    let traces: BTreeSet<&Vec<u8>> = registered.map(|it| &it.span.trace_id).collect();
    assert_eq!(traces.len(), 1, "{traces:?}");
    (*traces.first().unwrap()).clone()
}

/// `service` stands before each name where one process runs all.
fn expected(service: impl Fn(&str) -> String) -> Vec<String> {
    let line = |depth: usize, of: &str, name: &str| format!("{}{}: {name}", "  ".repeat(depth), service(of));
    let told = |depth| {
        [
            line(depth, "projector", "publish tolov.notifications"),
            line(depth + 1, "bot", "process bot.notifications"),
            line(depth + 2, "bot", "POST /bot{token}/sendMessage"),
        ]
    };
    let mut lines = vec![
        line(0, "bot", "tap"),
        line(1, "bot", "POST /api/create_order"),
        line(2, "webhook", "POST /api/create_order"),
        line(3, "webhook", "COMMIT ledger"),
        line(3, "webhook", "POST /payments/click/webhook"),
        line(4, "webhook", "Prepare"),
        line(5, "webhook", "COMMIT ledger"),
        line(3, "webhook", "POST /payments/click/webhook"),
        line(4, "webhook", "Complete"),
        line(5, "webhook", "COMMIT ledger"),
        line(5, "webhook", "relay"),
        line(6, "webhook", "publish tolov.payments"),
        line(7, "projector", "process projector.payments"),
    ];
    // The shopper and the staff.
    lines.extend(told(8));
    lines.extend(told(8));
    lines
}

/// Buys something, and compares what the collector got with what one purchase is.
async fn is_one_trace(stores: Stores, service: impl Fn(&str) -> String) {
    let collector = Collector::start().await;
    let world = World::start(stores, sends_to(&collector, &[])).await;
    let shopper = comes_in(&world, "Dilnoza", "uz").await;
    buys(&shopper, "Choy", "Ko‘k choy").await;
    world.staff_see("1001").await;
    // Whoever pays in CLICK's application types the order's number, or another one.
    world.post("click/pay", &json!({"order_id": CARD, "amount": "30000"})).await;
    world.ends().await;
    let collected = collector.collected();
    let trace_id = trace_of_the_purchase(&collected);
    let trace = tree(&collected, &trace_id);
    // The shop's answers to the tap, and edits of its messages, are parts of it as well.
    let wanted = expected(service);
    let kept = |line: &str| wanted.iter().any(|wanted| wanted == line);
    let found: Vec<&str> = trace.lines().filter(|line| kept(line)).collect();
    assert_eq!(found, wanted, "{trace}");
    assert!(!trace.contains("missing"), "{trace}");
    let names_it = |said: &String| said == "tolov.order.id=1001" || said.contains(":1001");
    let names_it = |it: &&Collected| it.attributes.iter().any(names_it);
    let elsewhere = collected.iter().filter(names_it).find(|it| it.span.trace_id != trace_id);
    assert!(elsewhere.is_none(), "a span of the order in another trace: {elsewhere:?}");
    shows_nothing_secret(&collected, &shopper.own_number());
    speaks_the_conventions(&collected);
}

/// OpenTelemetry's semantic conventions of HTTP and of messaging.
fn speaks_the_conventions(collected: &[Collected]) {
    for wanted in [
        "http.request.method=POST",
        "http.route=",
        "http.response.status_code=200",
        "server.address=",
        "messaging.system=",
        "messaging.operation.type=send",
        "messaging.operation.type=process",
        "messaging.destination.name=",
        "messaging.message.id=payment.completed:1001",
    ] {
        let is_said = |it: &Collected| it.attributes.iter().any(|said| said.starts_with(wanted));
        assert!(collected.iter().any(is_said), "no span has {wanted}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_that_is_not_sampled_leaves_no_span_anywhere() {
    let collector = Collector::start().await;
    let none = [("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0")];
    let world = World::start(Stores::Files, sends_to(&collector, &none)).await;
    let shopper = comes_in(&world, "Dilnoza", "uz").await;
    buys(&shopper, "Choy", "Ko‘k choy").await;
    world.staff_see("1001").await;
    world.ends().await;
    let names: Vec<String> = collector.collected().into_iter().map(|it| it.span.name).collect();
    assert_eq!(names, [""; 0]);
}

/// Names and attributes of every span.
fn shows_nothing_secret(collected: &[Collected], phone: &str) {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let secrets = [
        "token-of-the-test",
        "click-secret-of-the-test",
        "guest:guest",
        "Dilnoza",
        CARD,
        phone,
        &digits,
        "Ko‘k choy",
    ];
    for it in collected {
        for said in it.attributes.iter().chain([&it.span.name]) {
            let told = secrets.iter().find(|secret| said.contains(**secret));
            assert_eq!(told, None, "{}: {said}", it.span.name);
        }
        assert!(it.span.events.is_empty(), "{:?}", it.span.events);
    }
    assert!(collected.iter().any(|it| it.attributes.iter().any(|it| it.starts_with("url.full="))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_is_one_trace_in_one_process() {
    is_one_trace(Stores::Files, |_| "tolov".to_owned()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_is_one_trace_across_processes_and_rabbitmq() {
    is_one_trace(Stores::Servers, |service| format!("tolov-{service}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_never_answers_loses_and_delays_nothing() {
    let collector = Collector::start_dead().await;
    // A queue that is full at once.
    let small = [("OTEL_BSP_MAX_QUEUE_SIZE", "4"), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2")];
    let world = World::start(Stores::Files, sends_to(&collector, &small)).await;
    let shopper = comes_in(&world, "Dilnoza", "uz").await;
    let began = Instant::now();
    buys(&shopper, "Choy", "Ko‘k choy").await;
    world.staff_see("1001").await;
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    world.ends().await;
    assert!(collector.collected().is_empty());
}
