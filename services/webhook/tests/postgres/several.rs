//! Several webhook processes on one ledger: what one of them has answered is what the others answer.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::future::join_all;
use metrics_exporter_prometheus::PrometheusBuilder;
use sqlx::Executor;
use tokio::task::JoinHandle;
use tolov_domain::{
    OrderId, Tiyin, UserId,
    ports::{
        PortError,
        bus::{OutgoingMessage, Published, Publisher},
    },
    time::Timestamp,
};
use tolov_kit::{
    clock::{Clock, SystemClock},
    lifecycle::Stop,
};
use tolov_webhook::{
    Deps, RunError, Service,
    ledger::{Ledger, NewOrder, Outcome, WriterTask},
    maintenance::Maintenance,
};

use crate::{
    app::{API_TOKEN, Setup, TestApp, generous, wait_until},
    bus::RecordingBus,
    callers::order_json,
    click::{AMOUNT, Callback},
    overload::arrival,
};

/// A ledger as another process has it.
async fn another(app: &TestApp) -> (Ledger, WriterTask) {
    Ledger::open(app.place(), generous()).await.unwrap()
}

async fn code(app: &TestApp, ledger: &Ledger, callback: &Callback) -> i32 {
    app.count_callbacks(1, 1);
    ledger.answer(arrival(app, callback)).await.unwrap().error
}

async fn number(app: &TestApp, ledger: &Ledger, callback: &Callback) -> i64 {
    app.count_callbacks(1, 1);
    let reply = ledger.answer(arrival(app, callback)).await.unwrap();
    assert_eq!(reply.error, 0);
    reply.merchant_prepare_id.unwrap().get()
}

#[tokio::test]
async fn two_processes_give_one_attempt_a_number_and_one_complete_the_payment() {
    let app = TestApp::start().await;
    let (first, (second, writer)) = (app.ledger().clone(), another(&app).await);
    let orders = 1..=60;
    for order_id in orders.clone() {
        app.order(order_id).await;
    }
    let journeys = orders.clone().map(async |order_id| {
        let prepare = Callback::prepare(order_id);
        let (one, other) = tokio::join!(number(&app, &first, &prepare), number(&app, &second, &prepare));
        assert_eq!(one, other, "order {order_id}: both answer with the number of one attempt");
        let complete = Callback::complete(order_id, one);
        let (one_code, other_code) =
            tokio::join!(code(&app, &first, &complete), code(&app, &second, &complete));
        let mut codes = [one_code, other_code];
        codes.sort_unstable();
        assert_eq!(codes, [-4, 0], "order {order_id}: one of them takes the payment");
        one
    });
    let numbers: BTreeSet<i64> = join_all(journeys).await.into_iter().collect();
    assert_eq!(numbers, orders.collect::<BTreeSet<i64>>(), "none is given twice, and none is left out");
    drop(second);
    writer.close().await;
    app.finish().await;
}

#[tokio::test]
async fn what_another_process_has_written_is_known_at_once() {
    let app = TestApp::start().await;
    let (first, (second, writer)) = (app.ledger().clone(), another(&app).await);
    app.order(1).await;
    app.order(2).await;
    // Both have the orders in memory, unpaid.
    let paid = number(&app, &first, &Callback::prepare(1)).await;
    let open = number(&app, &second, &Callback::prepare(2)).await;
    assert_eq!(number(&app, &second, &Callback::prepare(1)).await, paid);
    assert_eq!(code(&app, &first, &Callback::complete(1, paid)).await, 0);
    assert_eq!(code(&app, &second, &Callback::complete(1, paid)).await, -4);
    assert_eq!(code(&app, &second, &Callback::prepare(1).trans(9)).await, -4, "no second payment");
    let cancelled = second.cancel_order(OrderId::try_new(2).unwrap(), app.clock.now()).await.unwrap();
    assert_eq!(cancelled, Outcome::Applied);
    assert_eq!(code(&app, &first, &Callback::prepare(2).trans(9)).await, -9);
    // Money that CLICK took before it knew is kept, as in one process.
    assert_eq!(code(&app, &first, &Callback::complete(2, open)).await, 0);
    assert_eq!(code(&app, &second, &Callback::complete(2, open)).await, -4);
    drop(second);
    writer.close().await;
    app.finish().await;
}

fn new_order(order_id: i64, soum: i64, created_at: Timestamp) -> NewOrder {
    NewOrder {
        order_id: OrderId::try_new(order_id).unwrap(),
        user_id: UserId::try_new(5551).unwrap(),
        products: Vec::new(),
        amount: Tiyin::from_soum(soum).unwrap(),
        created_at,
        receipt: None,
    }
}

#[tokio::test]
async fn an_order_number_belongs_to_whoever_registers_it_first() {
    let app = TestApp::start().await;
    let (first, (second, writer)) = (app.ledger().clone(), another(&app).await);
    let now = app.clock.now();
    for order_id in 1..=20 {
        let (one, other) = tokio::join!(
            first.create_order(new_order(order_id, 10, now)),
            second.create_order(new_order(order_id, 20, now))
        );
        let outcomes = [one.unwrap(), other.unwrap()];
        let registered = outcomes.iter().filter(|outcome| **outcome == Outcome::Applied).count();
        assert_eq!(registered, 1, "{outcomes:?}");
        assert!(outcomes.iter().any(|outcome| matches!(outcome, Outcome::Refused(_))), "{outcomes:?}");
    }
    drop(second);
    writer.close().await;
    app.finish().await;
}

/// The bus of an app as another process reaches it.
#[derive(Debug)]
struct CountedBus {
    bus: Arc<RecordingBus>,
    sent: AtomicUsize,
}

#[async_trait]
impl Publisher for CountedBus {
    async fn publish(&self, window: &[OutgoingMessage]) -> Result<Vec<Published>, PortError> {
        let published = self.bus.publish(window).await?;
        self.sent.fetch_add(window.len(), Ordering::Relaxed);
        Ok(published)
    }

    async fn is_reachable(&self) -> bool {
        self.bus.is_reachable().await
    }
}

/// A second service on the ledger and the bus of an app.
struct SecondService {
    addr: SocketAddr,
    bus: Arc<CountedBus>,
    stop: Stop,
    ended: JoinHandle<Result<(), RunError>>,
}

impl SecondService {
    async fn start(app: &TestApp) -> Self {
        Self::start_by(app, Arc::new(app.clock.clone())).await
    }

    async fn start_by(app: &TestApp, clock: Arc<dyn Clock>) -> Self {
        let bus = Arc::new(CountedBus { bus: app.bus.clone(), sent: AtomicUsize::new(0) });
        let deps = Deps { bus: bus.clone(), clock };
        let service = Service::new(app.config(), deps).await.unwrap();
        let addr = service.addr();
        let stop = Stop::new();
        let ended = tokio::spawn(service.run(stop.clone()));
        Self { addr, bus, stop, ended }
    }

    fn sent(&self) -> usize {
        self.bus.sent.load(Ordering::Relaxed)
    }

    async fn stop(self) {
        self.stop.cancel();
        self.ended.await.unwrap().unwrap();
    }
}

/// Two events of each order: a cancelled attempt, and then a payment.
async fn pay_at_the_second_try(app: &TestApp, order_id: i64) {
    app.order(order_id).await;
    let first = app.prepared(order_id).await;
    assert_eq!(app.code(&Callback::cancel(order_id, first, -5017)).await, -9);
    let trans_id = 100 + order_id;
    let second = app.send(&Callback::prepare(order_id).trans(trans_id)).await.prepare_id();
    assert_eq!(app.code(&Callback::complete(order_id, second).trans(trans_id)).await, 0);
}

#[tokio::test]
async fn one_of_two_relays_sends_and_the_other_takes_over_when_it_dies() {
    let mut app = TestApp::start().await;
    // The first relay has the turn before the second service starts.
    pay_at_the_second_try(&app, 1).await;
    app.until_the_outbox_is_empty().await;
    let second = SecondService::start(&app).await;
    join_all((2..=40).map(|order_id| pay_at_the_second_try(&app, order_id))).await;
    app.until_the_outbox_is_empty().await;
    assert_eq!(
        (second.sent(), app.bus.confirmed().len()),
        (0, 80),
        "it stands by, and each event was sent once"
    );

    // Events wait for a bus that is away, and the service that would have sent them dies.
    app.bus.go_away();
    for order_id in 41..=50 {
        pay_at_the_second_try(&app, order_id).await;
    }
    app.kill();
    app.bus.come_back();
    wait_until("the other sends them", async || app.bus.confirmed().len() >= 100).await;
    assert_eq!((second.sent(), app.bus.confirmed().len()), (20, 100), "each once");
    for order_id in 1..=50 {
        let (events, number) = (app.bus.confirmed(), order_id.to_string());
        let parts = events.iter().map(|id| id.split(':').collect::<Vec<&str>>());
        let names: Vec<&str> = parts.filter(|parts| parts[1] == number).map(|parts| parts[0]).collect();
        assert_eq!(names, ["payment.cancelled", "payment.completed"], "in the order of order {order_id}");
    }
    second.stop().await;
    app.start_again().await;
    app.finish().await;
}

#[tokio::test]
async fn a_relay_whose_session_the_server_ends_goes_on_and_sends_nothing_twice() {
    let app = TestApp::start().await;
    let second = SecondService::start(&app).await;
    let mut admin = app.file().await;
    for order_id in 1..=10 {
        app.order(order_id).await;
        app.paid(order_id).await;
        app.until_the_outbox_is_empty().await;
        let ended = admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database =
               (SELECT oid FROM pg_database WHERE datname = current_database())",
        );
        assert_eq!(ended.await.unwrap().rows_affected(), 1, "one has the turn");
    }
    let expected: Vec<String> = (1..=10).map(|order_id| format!("payment.completed:{order_id}")).collect();
    assert_eq!(app.bus.confirmed(), expected);
    second.stop().await;
    app.finish().await;
}

#[tokio::test]
async fn a_commit_of_another_process_wakes_the_relay() {
    let app = TestApp::start().await;
    let (other, writer) = another(&app).await;
    app.order(1).await;
    let prepare_id = app.prepared(1).await;
    app.until_the_outbox_is_empty().await;
    // The relay looks every second by itself; ten events one after the other would take it five on the average.
    let started = std::time::Instant::now();
    assert_eq!(code(&app, &other, &Callback::complete(1, prepare_id)).await, 0);
    app.until_the_outbox_is_empty().await;
    for order_id in 2..=10 {
        app.order(order_id).await;
        let prepare_id = number(&app, &other, &Callback::prepare(order_id)).await;
        assert_eq!(code(&app, &other, &Callback::complete(order_id, prepare_id)).await, 0);
        app.until_the_outbox_is_empty().await;
    }
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    drop(other);
    writer.close().await;
    app.finish().await;
}

/// The clock of a machine that is so far ahead, or behind.
#[derive(Debug)]
struct Ahead(time::Duration);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        SystemClock.now() + self.0
    }
}

const TTL: Duration = Duration::from_mins(45);

#[tokio::test]
async fn a_process_whose_clock_is_wrong_expires_what_is_due_by_the_servers_clock_and_calls_somebody() {
    let app = TestApp::start_with(Setup { system_clock: true, ..Setup::default() }).await;
    app.order(1).await;
    for (due, ahead) in [(2, time::Duration::hours(1)), (3, time::Duration::hours(-1))] {
        let created_at = SystemClock.now() - TTL - time::Duration::minutes(1);
        app.ledger().create_order(new_order(due, 10, created_at)).await.unwrap();
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        let _of_this_test = ::metrics::set_default_local_recorder(&recorder);
        let clock = Arc::new(Ahead(ahead));
        Maintenance::new(app.ledger().clone(), clock, Some(TTL), generous()).round().await;
        assert_eq!([app.status_of(1).await, app.status_of(due).await], ["pending", "expired"], "{ahead}");
        let shown = handle.render();
        let gauge = shown.lines().find_map(|line| line.strip_prefix("tolov_clock_jump_seconds "));
        let seconds: f64 = gauge.unwrap().parse().unwrap();
        assert!((seconds - 3600.0).abs() < 10.0, "{shown}");
        // What it noted of the time pages nobody by another process.
        let right = Maintenance::new(app.ledger().clone(), Arc::new(SystemClock), Some(TTL), generous());
        right.round().await;
        assert!(handle.render().contains("tolov_clock_jump_seconds 0\n"), "{}", handle.render());
    }
    app.finish().await;
}

#[tokio::test]
async fn orders_are_dated_by_the_servers_clock_whichever_process_registers_them() {
    let app =
        TestApp::start_with(Setup { system_clock: true, order_ttl: Some(TTL), ..Setup::default() }).await;
    for (order_id, ahead) in [(1, time::Duration::hours(1)), (2, time::Duration::hours(-1))] {
        let second = SecondService::start_by(&app, Arc::new(Ahead(ahead))).await;
        let request = app.http.post(format!("http://{}/api/create_order", second.addr));
        let request = request.bearer_auth(API_TOKEN).body(order_json(order_id, AMOUNT));
        assert!(request.send().await.unwrap().status().is_success());
        let order = app.ledger().order(OrderId::try_new(order_id).unwrap()).await.unwrap().unwrap();
        let age_ms = tolov_domain::time::unix_ms(SystemClock.now()) - order.created_at;
        assert!((-1_000..30_000).contains(&age_ms), "{age_ms} ms old by a clock that is {ahead} ahead");
        second.stop().await;
    }
    app.finish().await;
}
