//! The trace of every order: what the sandbox observes of it, and what the services around the sandbox report.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;
use tolov_domain::time::unix_ms;
use tolov_kit::clock::Clock;

use crate::ring::Ring;

/// Older events are dropped.
const MAX_EVENTS: usize = 20_000;
/// Orders whose numbers are looked for in messages.
const MAX_ORDERS: usize = 50_000;
/// A larger payload is replaced by a note of its size.
const MAX_PAYLOAD_BYTES: usize = 64 * 1024;
/// A digest for staff may name many orders; so many get an event.
const MAX_ORDERS_A_MESSAGE: usize = 64;

/// One step on an order's way. The payload is left out of lists and fetched by `seq`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TraceEvent {
    /// Assigned when the event is recorded; grows by one.
    pub seq: u64,
    pub at_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// `prepare`, `complete`, `receipt`, `refund`, `telegram`, or a stage of the services around the sandbox.
    pub stage: &'static str,
    pub title: String,
    pub ok: bool,
    /// What the page needs without the payload, such as an order's pay link.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub facts: Value,
    /// JSON text.
    #[serde(skip)]
    payload: Arc<str>,
}

impl TraceEvent {
    /// A successful step, now.
    pub fn new(stage: &'static str, title: impl Into<String>) -> Self {
        Self {
            seq: 0,
            at_ms: 0,
            took_ms: None,
            order_id: None,
            stage,
            title: title.into(),
            ok: true,
            facts: Value::Null,
            payload: "null".into(),
        }
    }

    #[must_use]
    pub fn of_order(self, order_id: &impl ToString) -> Self {
        Self { order_id: Some(order_id.to_string()), ..self }
    }

    /// When the step began, if not now.
    #[must_use]
    pub fn at_ms(self, at_ms: i64) -> Self {
        Self { at_ms, ..self }
    }

    #[must_use]
    pub fn took_ms(self, took_ms: u64) -> Self {
        Self { took_ms: Some(took_ms), ..self }
    }

    #[must_use]
    pub fn ok(self, ok: bool) -> Self {
        Self { ok, ..self }
    }

    #[must_use]
    pub fn facts(self, facts: Value) -> Self {
        Self { facts, ..self }
    }

    /// What was sent or stored.
    #[must_use]
    pub fn payload(self, payload: &Value) -> Self {
        let text = payload.to_string();
        let payload = if text.len() <= MAX_PAYLOAD_BYTES {
            text.into()
        } else {
            format!("{{\"omitted_bytes\":{}}}", text.len()).into()
        };
        Self { payload, ..self }
    }
}

/// The newest events of all orders. Clones share one list.
#[derive(Debug, Clone)]
pub struct Trace {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    clock: Arc<dyn Clock>,
    started_ms: i64,
    state: Mutex<State>,
    newest: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    events: Ring<TraceEvent>,
    last_seq: u64,
    orders: Orders,
}

/// The known orders, and whether a message to a shopper has named them.
#[derive(Debug, Default)]
struct Orders {
    notified: BTreeMap<String, bool>,
    by_age: VecDeque<String>,
}

impl Orders {
    fn add(&mut self, order_id: &str) {
        if self.notified.contains_key(order_id) {
            return;
        }
        self.notified.insert(order_id.to_owned(), false);
        self.by_age.push_back(order_id.to_owned());
        if self.by_age.len() > MAX_ORDERS
            && let Some(oldest) = self.by_age.pop_front()
        {
            self.notified.remove(&oldest);
        }
    }

    /// The known orders whose numbers are words of the text.
    fn named_in(&self, text: &str) -> Vec<String> {
        let mut named: Vec<String> = text
            .split(|character: char| !character.is_alphanumeric())
            .filter(|word| self.notified.contains_key(*word))
            .map(str::to_owned)
            .collect();
        named.sort_unstable();
        named.dedup();
        named.truncate(MAX_ORDERS_A_MESSAGE);
        named
    }
}

impl Trace {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let state = State { events: Ring::new(MAX_EVENTS), last_seq: 0, orders: Orders::default() };
        let started_ms = unix_ms(clock.now());
        let inner = Inner { clock, started_ms, state: Mutex::new(state), newest: watch::Sender::new(0) };
        Self { inner: Arc::new(inner) }
    }

    /// Adds an event, at the current time where it has none.
    pub fn record(&self, event: TraceEvent) {
        self.record_all(vec![event]);
    }

    fn record_all(&self, events: Vec<TraceEvent>) {
        let now_ms = unix_ms(self.inner.clock.now());
        let newest = self.with(|state| {
            for mut event in events {
                state.last_seq += 1;
                event.seq = state.last_seq;
                if event.at_ms == 0 {
                    event.at_ms = now_ms;
                }
                if let Some(order_id) = &event.order_id {
                    state.orders.add(order_id);
                }
                state.events.push(event);
            }
            state.last_seq
        });
        self.inner.newest.send_modify(|known| *known = newest.max(*known));
    }

    /// Records a message once for each order that its text names. A message that reached a shopper makes the orders
    /// notified.
    pub(crate) fn record_message(&self, event: TraceEvent, text: &str, is_to_shopper: bool) {
        let named = self.with(|state| {
            let named = state.orders.named_in(text);
            if is_to_shopper && event.ok {
                for order_id in &named {
                    state.orders.notified.insert(order_id.clone(), true);
                }
            }
            named
        });
        if named.is_empty() {
            self.record(event);
        } else {
            self.record_all(named.iter().map(|order_id| event.clone().of_order(order_id)).collect());
        }
    }

    /// At most `max` events after a number, oldest first, and the oldest number that is still kept.
    pub fn after(&self, seq: u64, max: usize) -> (Vec<TraceEvent>, u64) {
        self.with(|state| {
            let oldest = state.events.iter().next().map_or(state.last_seq + 1, |event| event.seq);
            let skip = usize::try_from((seq + 1).saturating_sub(oldest)).unwrap_or(usize::MAX);
            (state.events.iter().skip(skip).take(max).cloned().collect(), oldest)
        })
    }

    /// An event and its payload as JSON text; `None` if it is not kept any more, or does not exist.
    pub fn event(&self, seq: u64) -> Option<(TraceEvent, Arc<str>)> {
        self.with(|state| {
            let oldest = state.events.iter().next()?.seq;
            let position = usize::try_from(seq.checked_sub(oldest)?).ok()?;
            let event = state.events.iter().nth(position)?;
            Some((event.clone(), Arc::clone(&event.payload)))
        })
    }

    /// Differs from one start of the sandbox to the next.
    pub(crate) fn started_ms(&self) -> i64 {
        self.inner.started_ms
    }

    pub fn newest(&self) -> u64 {
        *self.inner.newest.borrow()
    }

    /// Whether a message to a shopper has named the order.
    pub(crate) fn is_notified(&self, order_id: &str) -> bool {
        self.with(|state| state.orders.notified.get(order_id).copied().unwrap_or(false))
    }

    /// Changes with every event.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.newest.subscribe()
    }

    /// Drops all events; numbers keep growing.
    pub(crate) fn reset(&self) {
        self.with(|state| {
            state.events.clear();
            state.orders = Orders::default();
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.inner.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use tolov_kit::clock::SystemClock;

    use super::*;

    fn trace() -> Trace {
        Trace::new(Arc::new(SystemClock))
    }

    #[test]
    fn events_are_read_after_the_last_one_that_was_seen() {
        let trace = trace();
        for number in 0..5 {
            trace.record(TraceEvent::new("order", format!("event {number}")).payload(&number.into()));
        }
        let (read, oldest) = trace.after(3, 10);
        assert_eq!(oldest, 1);
        assert_eq!(read.iter().map(|event| event.seq).collect::<Vec<_>>(), [4, 5]);
        assert_eq!(trace.after(0, 2).0.len(), 2);
        assert_eq!(&*trace.event(4).unwrap().1, "3");
        assert!(trace.event(6).is_none() && trace.event(0).is_none());
    }

    #[test]
    fn the_oldest_number_tells_what_was_dropped() {
        let trace = trace();
        for _ in 0..MAX_EVENTS + 10 {
            trace.record(TraceEvent::new("order", ""));
        }
        let (read, oldest) = trace.after(3, 1);
        assert_eq!((read[0].seq, oldest), (11, 11));
        assert!(trace.event(10).is_none());
    }

    #[test]
    fn a_message_belongs_to_the_orders_that_it_names() {
        let trace = trace();
        trace.record(TraceEvent::new("prepare", "").of_order(&1001));
        trace.record_message(TraceEvent::new("telegram", "x"), "Order №1001 is paid: 12 1001.00", true);
        let (read, _) = trace.after(1, 10);
        assert_eq!(read.iter().filter_map(|event| event.order_id.as_deref()).collect::<Vec<_>>(), ["1001"]);
        assert!(trace.is_notified("1001") && !trace.is_notified("1002"));
    }
}
