//! The way of every order, hop by hop: what the sandbox sees of it at its own rims, and what the composition around
//! the sandbox notes besides. The page draws it.

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

/// The oldest are forgotten beyond it. A page that is asked for more says so.
const MAX_HOPS: usize = 20_000;
/// Orders whose numbers are looked for in messages.
const MAX_ORDERS: usize = 50_000;
/// A payload beyond it is cut to a note of its size.
const MAX_PAYLOAD_BYTES: usize = 64 * 1024;
/// A digest for staff may name many orders; each gets a hop, up to so many.
const MAX_ORDERS_A_MESSAGE: usize = 64;

/// One station of an order's way, as the page lists it. Its payload is fetched by `seq`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hop {
    /// Grows by one a hop.
    pub seq: u64,
    pub at_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// The station, in one word: `prepare`, `complete`, `telegram`, or whatever the composition adds.
    pub stage: &'static str,
    pub title: String,
    /// It did what it was to do.
    pub ok: bool,
    /// The little that the page needs without the payload, such as an order's pay link.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub facts: Value,
}

/// A hop before it has a number.
#[derive(Debug, Clone)]
pub struct NewHop {
    hop: Hop,
    payload: Value,
}

impl NewHop {
    /// A hop that went well, now.
    pub fn new(stage: &'static str, title: impl Into<String>) -> Self {
        let hop = Hop {
            seq: 0,
            at_ms: 0,
            took_ms: None,
            order_id: None,
            stage,
            title: title.into(),
            ok: true,
            facts: Value::Null,
        };
        Self { hop, payload: Value::Null }
    }

    #[must_use]
    pub fn of_order(mut self, order_id: &impl ToString) -> Self {
        self.hop.order_id = Some(order_id.to_string());
        self
    }

    /// When it began, if that was not just now.
    #[must_use]
    pub fn at_ms(mut self, at_ms: i64) -> Self {
        self.hop.at_ms = at_ms;
        self
    }

    #[must_use]
    pub fn took_ms(mut self, took_ms: u64) -> Self {
        self.hop.took_ms = Some(took_ms);
        self
    }

    #[must_use]
    pub fn ok(mut self, ok: bool) -> Self {
        self.hop.ok = ok;
        self
    }

    #[must_use]
    pub fn facts(mut self, facts: Value) -> Self {
        self.hop.facts = facts;
        self
    }

    /// What really went over the wire, or into the store.
    #[must_use]
    pub fn payload(mut self, payload: Value) -> Self {
        self.payload = payload;
        self
    }
}

/// The list of hops: cheap to clone, one list behind all clones.
#[derive(Debug, Clone)]
pub struct Hops {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    clock: Arc<dyn Clock>,
    /// When this list began, in milliseconds since 1970.
    run: i64,
    state: Mutex<State>,
    newest: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    /// Each with its payload as text.
    kept: Ring<(Hop, String)>,
    last_seq: u64,
    orders: Orders,
}

/// The orders that were heard of, and whether a message to a shopper has named them.
#[derive(Debug, Default)]
struct Orders {
    told: BTreeMap<String, bool>,
    age: VecDeque<String>,
}

impl Orders {
    fn add(&mut self, order_id: &str) {
        if self.told.contains_key(order_id) {
            return;
        }
        self.told.insert(order_id.to_owned(), false);
        self.age.push_back(order_id.to_owned());
        if self.age.len() > MAX_ORDERS
            && let Some(oldest) = self.age.pop_front()
        {
            self.told.remove(&oldest);
        }
    }

    /// Those that a text names by their number.
    fn named_in(&self, text: &str) -> Vec<String> {
        let mut named: Vec<String> = text
            .split(|character: char| !character.is_alphanumeric())
            .filter(|word| self.told.contains_key(*word))
            .map(str::to_owned)
            .collect();
        named.sort_unstable();
        named.dedup();
        named.truncate(MAX_ORDERS_A_MESSAGE);
        named
    }
}

impl Hops {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let state = State { kept: Ring::new(MAX_HOPS), last_seq: 0, orders: Orders::default() };
        let run = unix_ms(clock.now());
        let inner = Inner { clock, run, state: Mutex::new(state), newest: watch::Sender::new(0) };
        Self { inner: Arc::new(inner) }
    }

    /// Adds a hop, with the time of now where it has none.
    pub fn note(&self, new: NewHop) {
        self.note_all(vec![new]);
    }

    fn note_all(&self, new: Vec<NewHop>) {
        let now_ms = unix_ms(self.inner.clock.now());
        let newest = self.with(|state| {
            for NewHop { mut hop, payload } in new {
                state.last_seq += 1;
                hop.seq = state.last_seq;
                if hop.at_ms == 0 {
                    hop.at_ms = now_ms;
                }
                if let Some(order_id) = &hop.order_id {
                    state.orders.add(order_id);
                }
                state.kept.push((hop, written(&payload)));
            }
            state.last_seq
        });
        self.inner.newest.send_modify(|known| *known = newest.max(*known));
    }

    /// Notes a message once for every order that its text names; `is_to_shopper` and well sent makes them told.
    pub(crate) fn note_message(&self, new: &NewHop, text: &str, is_to_shopper: bool) {
        let named = self.with(|state| {
            let named = state.orders.named_in(text);
            if is_to_shopper && new.hop.ok {
                for order_id in &named {
                    state.orders.told.insert(order_id.clone(), true);
                }
            }
            named
        });
        if named.is_empty() {
            self.note(new.clone());
        } else {
            self.note_all(named.into_iter().map(|order_id| new.clone().of_order(&order_id)).collect());
        }
    }

    /// Hops after a number, oldest first, at most `max`; and the oldest number that is still kept.
    pub fn after(&self, seq: u64, max: usize) -> (Vec<Hop>, u64) {
        self.with(|state| {
            let oldest = state.kept.iter().next().map_or(state.last_seq + 1, |(hop, _)| hop.seq);
            let skip = usize::try_from((seq + 1).saturating_sub(oldest)).unwrap_or(usize::MAX);
            let hops = state.kept.iter().skip(skip).take(max).map(|(hop, _)| hop.clone()).collect();
            (hops, oldest)
        })
    }

    /// A hop with its payload, as JSON text. `None`: it is forgotten, or never was.
    pub fn payload(&self, seq: u64) -> Option<(Hop, String)> {
        self.with(|state| {
            let oldest = state.kept.iter().next()?.0.seq;
            let position = usize::try_from(seq.checked_sub(oldest)?).ok()?;
            state.kept.iter().nth(position).cloned()
        })
    }

    /// Tells this list from one of an earlier start.
    pub(crate) fn run(&self) -> i64 {
        self.inner.run
    }

    pub fn newest(&self) -> u64 {
        *self.inner.newest.borrow()
    }

    /// Whether a message to a shopper has named the order.
    pub(crate) fn is_told(&self, order_id: &str) -> bool {
        self.with(|state| state.orders.told.get(order_id).copied().unwrap_or(false))
    }

    /// For whoever wants to be woken by the next hop.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.newest.subscribe()
    }

    /// Forgets the hops; numbers keep growing.
    pub(crate) fn reset(&self) {
        self.with(|state| {
            state.kept.clear();
            state.orders = Orders::default();
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.inner.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn written(payload: &Value) -> String {
    let text = payload.to_string();
    if text.len() <= MAX_PAYLOAD_BYTES {
        return text;
    }
    serde_json::json!({ "too_long_to_keep_bytes": text.len() }).to_string()
}

#[cfg(test)]
mod tests {
    use tolov_kit::clock::SystemClock;

    use super::*;

    fn hops() -> Hops {
        Hops::new(Arc::new(SystemClock))
    }

    #[test]
    fn hops_are_read_from_where_the_reader_was() {
        let hops = hops();
        for number in 0..5 {
            hops.note(NewHop::new("order", format!("hop {number}")).payload(number.into()));
        }
        let (read, oldest) = hops.after(3, 10);
        assert_eq!(oldest, 1);
        assert_eq!(read.iter().map(|hop| hop.seq).collect::<Vec<_>>(), [4, 5]);
        assert_eq!(hops.after(0, 2).0.len(), 2);
        assert_eq!(hops.payload(4).unwrap().1, "3");
        assert!(hops.payload(6).is_none() && hops.payload(0).is_none());
    }

    #[test]
    fn what_is_forgotten_is_told_by_the_oldest_number() {
        let hops = hops();
        for _ in 0..MAX_HOPS + 10 {
            hops.note(NewHop::new("order", ""));
        }
        let (read, oldest) = hops.after(3, 1);
        assert_eq!((read[0].seq, oldest), (11, 11));
        assert!(hops.payload(10).is_none());
    }

    #[test]
    fn a_message_belongs_to_the_orders_that_it_names() {
        let hops = hops();
        hops.note(NewHop::new("prepare", "").of_order(&1001));
        hops.note_message(&NewHop::new("telegram", "x"), "Order №1001 is paid: 12 1001.00", true);
        let (read, _) = hops.after(1, 10);
        assert_eq!(read.iter().filter_map(|hop| hop.order_id.as_deref()).collect::<Vec<_>>(), ["1001"]);
        assert!(hops.is_told("1001") && !hops.is_told("1002"));
    }
}
