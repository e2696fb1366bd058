//! The bus's ports for the demo: every message becomes an event on the page, and the page can stop the broker.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use serde_json::{Value, json};
use tolov_domain::ports::{
    PortError,
    bus::{Consumer, Delivery, OutgoingMessage, Published, Publisher, Queue, Route, Verdict},
};
use tolov_sandbox::monitor::{Switch, Trace, TraceEvent};

fn stopped() -> PortError {
    PortError::Unavailable("the broker was stopped from the page".to_owned())
}

/// Who publishes decides what the events are called.
#[derive(Debug)]
pub(super) struct InstrumentedPublisher {
    inner: Arc<dyn Publisher>,
    trace: Trace,
    broker: Switch,
    /// Events that were shown as waiting in the outbox.
    waiting: Mutex<BTreeSet<String>>,
}

/// How long a reader of a stopped broker waits for the error.
const STOPPED_DELAY: Duration = Duration::from_millis(50);
/// Beyond so many events the memory is cleared, and each is shown once more.
const MAX_WAITING: usize = 10_000;

impl InstrumentedPublisher {
    pub(super) fn new(inner: Arc<dyn Publisher>, trace: Trace, broker: Switch) -> Self {
        Self { inner, trace, broker, waiting: Mutex::default() }
    }

    /// Shows an event that the relay reads from the outbox: once while the broker is down, and once when it is published.
    fn note_outbox(&self, message: &OutgoingMessage, goes: bool) {
        let Route::Payments(key) = &message.route else { return };
        let id = message.id.to_string();
        let is_new = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.len() >= MAX_WAITING {
                waiting.clear();
            }
            if goes {
                waiting.remove(&id);
                true
            } else {
                waiting.insert(id)
            }
        };
        if !is_new {
            return;
        }
        let title =
            if goes { format!("{key} → relay") } else { format!("{key} waits: the broker is away") };
        self.trace.record(event_of("outbox", title, &message.body).ok(goes).payload(&payload(message)));
    }

    fn note_decision(&self, message: &OutgoingMessage, decision: &Published) {
        let (exchange, key) = (message.route.exchange(), message.route.routing_key());
        let (said, ok) = match decision {
            Published::Confirmed => ("confirmed", true),
            Published::Rejected(reason) | Published::Unknown(reason) => (reason.as_str(), false),
        };
        // The projector publishes notifications; the page shows them at the projector.
        let stage = if matches!(message.route, Route::Payments(_)) { "broker" } else { "projector" };
        let title = format!("{exchange} {key} → {said}");
        self.trace.record(event_of(stage, title, &message.body).ok(ok).payload(&payload(message)));
    }
}

fn payload(message: &OutgoingMessage) -> Value {
    json!({
        "exchange": message.route.exchange(),
        "routing_key": message.route.routing_key(),
        "message_id": message.id,
        "type": message.schema,
        "body": body_of(&message.body),
    })
}

/// The body as JSON, as all of ours are.
fn body_of(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| String::from_utf8_lossy(body).into())
}

fn event_of(stage: &'static str, title: String, body: &[u8]) -> TraceEvent {
    let event = TraceEvent::new(stage, title);
    match body_of(body).get("order_id").and_then(Value::as_i64) {
        Some(order_id) => event.of_order(&order_id),
        None => event,
    }
}

#[async_trait]
impl Publisher for InstrumentedPublisher {
    async fn publish(&self, window: &[OutgoingMessage]) -> Result<Vec<Published>, PortError> {
        let goes = self.broker.is_on();
        for message in window {
            self.note_outbox(message, goes);
        }
        if !goes {
            return Err(stopped());
        }
        let decisions = self.inner.publish(window).await?;
        for (message, decision) in window.iter().zip(&decisions) {
            self.note_decision(message, decision);
        }
        Ok(decisions)
    }

    async fn is_reachable(&self) -> bool {
        self.broker.is_on() && self.inner.is_reachable().await
    }
}

type MakeConsumer = Box<dyn Fn() -> Arc<dyn Consumer> + Send + Sync>;

/// A consumer that loses its connection when the broker is stopped: what it held is delivered again.
pub(super) struct InstrumentedConsumer {
    connect: MakeConsumer,
    connection: Mutex<Option<Arc<dyn Consumer>>>,
    queue: Queue,
    trace: Trace,
    broker: Switch,
}

impl fmt::Debug for InstrumentedConsumer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("InstrumentedConsumer").field("queue", &self.queue).finish_non_exhaustive()
    }
}

impl InstrumentedConsumer {
    pub(super) fn new(connect: MakeConsumer, queue: Queue, trace: Trace, broker: Switch) -> Self {
        Self { connect, connection: Mutex::default(), queue, trace, broker }
    }

    /// Connects where there is no connection.
    fn connection(&self) -> Arc<dyn Consumer> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(connection.get_or_insert_with(|| (self.connect)()))
    }

    fn disconnect(&self) {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn note(&self, delivery: &Delivery) {
        let stage = match self.queue {
            Queue::ProjectorPayments => "projector",
            Queue::BotNotifications => "bot",
        };
        let again =
            if delivery.retries > 0 { format!(", retry {}", delivery.retries) } else { String::new() };
        let title = format!("{} → {}{again}", self.queue.name(), delivery.schema);
        self.trace.record(event_of(stage, title, &delivery.body).payload(&json!({
            "queue": self.queue.name(),
            "message_id": delivery.id,
            "type": delivery.schema,
            "retries": delivery.retries,
            "body": body_of(&delivery.body),
        })));
    }
}

#[async_trait]
impl Consumer for InstrumentedConsumer {
    async fn receive(&self, max: usize) -> Result<Vec<Delivery>, PortError> {
        if !self.broker.is_on() {
            self.disconnect();
            tokio::time::sleep(STOPPED_DELAY).await;
            return Err(stopped());
        }
        let connection = self.connection();
        let received = tokio::select! {
            received = connection.receive(max) => received?,
            () = self.broker.until(false) => {
                self.disconnect();
                return Err(stopped());
            }
        };
        for delivery in &received {
            self.note(delivery);
        }
        Ok(received)
    }

    async fn settle(&self, verdicts: Vec<(Delivery, Verdict)>) -> Result<usize, PortError> {
        if !self.broker.is_on() {
            self.disconnect();
            return Ok(0);
        }
        self.connection().settle(verdicts).await
    }
}
