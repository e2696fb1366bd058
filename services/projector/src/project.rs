//! One batch from the bus to the shop store and to the bot's queue.

use std::{convert::Infallible, sync::Arc, time::Duration};

use tokio::time::Instant;
use tolov_domain::{
    Event, EventKind,
    order::Order,
    ports::{
        PortError,
        bus::{Consumer, Delivery, OutgoingMessage, Published, Publisher, Verdict},
        documents::Documents,
        shop::OrderProjection,
    },
};
use tolov_kit::{
    availability::Availability,
    clock::Clock,
    in_flight::{InFlight, InFlightGuard},
    lifecycle::{Stop, pause},
    retry::Pauses,
};
use tolov_shop::settling::{self, Settled};

use crate::{
    Config,
    batch::{self, Entry, State},
};

/// What the projector works with. The consumer reads [`tolov_domain::ports::bus::Queue::ProjectorPayments`].
#[derive(Debug, Clone)]
pub struct Deps {
    pub consumer: Arc<dyn Consumer>,
    pub publisher: Arc<dyn Publisher>,
    pub shop: Arc<dyn OrderProjection>,
    /// The same store: the shop's side of the orders, and its stock.
    pub documents: Arc<dyn Documents>,
    pub clock: Arc<dyn Clock>,
}

/// What became of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A batch was settled: this many deliveries of each kind.
    Settled { done: usize, retried: usize, parked: usize, returned: usize },
    /// Nothing could be received; pause before the next step.
    BusAway(PortError),
    /// Told to stop before anything was received.
    Stopped,
}

/// The only writer of what happened to orders in the shop store.
#[derive(Debug)]
pub struct Projector {
    deps: Deps,
    config: Config,
    store: Availability,
    bus: Availability,
    in_hand: InFlight,
}

/// For how long a batch may still be held.
struct Hold<'a> {
    stop: &'a Stop,
    until: Instant,
    pauses: Pauses,
}

impl Hold<'_> {
    /// Pauses before another try; `false` when the batch is to be given back instead.
    async fn again(&mut self) -> bool {
        let next = self.pauses.next_pause();
        Instant::now() + next < self.until && pause(self.stop, next).await
    }
}

impl Projector {
    pub fn new(deps: Deps, config: Config) -> Self {
        let (store, bus) = (Availability::new("the shop store"), Availability::new("the message bus"));
        Self { deps, config, store, bus, in_hand: InFlight::default() }
    }

    /// The events that were received and are not settled, for readiness.
    pub fn in_hand(&self) -> InFlight {
        self.in_hand.clone()
    }

    /// Runs until `stop`; the batch in hand is finished or given back first. Never fails: what is away is awaited.
    pub async fn run(self, stop: Stop) -> Result<(), Infallible> {
        let mut pauses = self.pauses();
        while !stop.is_cancelled() {
            match self.project_until(&stop).await {
                Outcome::BusAway(_) => {
                    pause(&stop, pauses.next_pause()).await;
                }
                Outcome::Settled { .. } | Outcome::Stopped => pauses.reset(),
            }
        }
        Ok(())
    }

    /// Waits for a batch and brings it to its end.
    pub async fn project_once(&self) -> Outcome {
        self.project_until(&Stop::new()).await
    }

    async fn project_until(&self, stop: &Stop) -> Outcome {
        let received = tokio::select! {
            () = stop.cancelled() => return Outcome::Stopped,
            received = self.deps.consumer.receive(self.config.batch_max) => received,
        };
        let deliveries = match received {
            Ok(deliveries) => deliveries,
            Err(error) => {
                self.bus.mark_down(&error);
                return Outcome::BusAway(error);
            }
        };
        let began = Instant::now();
        let (mut entries, unreadable) = batch::read(deliveries);
        let parked = unreadable.len();
        let _held: Vec<InFlightGuard> =
            entries.iter().map(|entry| self.in_hand.enter(entry.event.occurred_at)).collect();
        self.settle(unreadable).await;

        let until = began + self.config.hold;
        let mut hold = Hold { stop, until, pauses: self.pauses() };
        self.apply(&mut entries, &mut hold).await;
        self.notify(&mut entries, &mut hold).await;
        self.log_paid(&entries);
        self.finish(entries, parked, began).await
    }

    /// Applies every event, or holds until the batch is to be given back.
    async fn apply(&self, entries: &mut [Entry], hold: &mut Hold<'_>) {
        match self.apply_some(entries, hold).await {
            Applied::All | Applied::GivenUp => {}
            Applied::Refused(reason) => {
                tracing::warn!(
                    events = entries.len(),
                    reason,
                    "the shop store refuses a batch: one by one now"
                );
                for entry in entries {
                    match self.apply_some(std::slice::from_mut(entry), hold).await {
                        Applied::All => {}
                        Applied::Refused(reason) => {
                            let Event { id, order_id, .. } = &entry.event;
                            tracing::warn!(order.id = %order_id, event.id = %id, reason, "the shop store refuses an event");
                            entry.failed(reason);
                        }
                        Applied::GivenUp => return,
                    }
                }
            }
        }
    }

    async fn apply_some(&self, entries: &mut [Entry], hold: &mut Hold<'_>) -> Applied {
        let events: Vec<_> = entries.iter().map(|entry| entry.event.clone()).collect();
        if events.is_empty() {
            return Applied::All;
        }
        loop {
            match self.apply_and_settle(&events).await {
                Ok((orders, settled)) => {
                    self.store.mark_up();
                    for (entry, order) in entries.iter_mut().zip(&orders) {
                        entry.applied(order, settled.is_news(&entry.event));
                    }
                    return Applied::All;
                }
                Err(PortError::Refused(reason)) => return Applied::Refused(reason),
                Err(error @ PortError::Unavailable(_)) => {
                    self.store.mark_down(error);
                    if !hold.again().await {
                        return Applied::GivenUp;
                    }
                }
            }
        }
    }

    /// The money's own record first, then stage, stock and promo codes. Both may be repeated, so a failure of the second
    /// repeats the first too.
    async fn apply_and_settle(&self, events: &[Event]) -> Result<(Vec<Order>, Settled), PortError> {
        let orders = self.deps.shop.apply(events).await?;
        if orders.len() != events.len() {
            let (orders, events) = (orders.len(), events.len());
            return Err(PortError::Refused(format!("{orders} orders for {events} events")));
        }
        let settled = settling::apply(self.deps.documents.as_ref(), events).await?;
        Ok((orders, settled))
    }

    /// Publishes what the applied events have to say until every message is decided.
    async fn notify(&self, entries: &mut [Entry], hold: &mut Hold<'_>) {
        loop {
            let window: Vec<OutgoingMessage> = entries.iter().flat_map(Entry::unconfirmed).cloned().collect();
            if window.is_empty() {
                return;
            }
            match self.deps.publisher.publish(&window).await {
                Ok(decisions) => {
                    let unknown = decide(entries, &window, &decisions);
                    match unknown {
                        Some(reason) => self.bus.mark_down(reason),
                        None => self.bus.mark_up(),
                    }
                }
                Err(PortError::Refused(reason)) => {
                    for entry in entries.iter_mut().filter(|entry| !entry.unconfirmed().is_empty()) {
                        entry.failed(format!("the bus refuses its notifications: {reason}"));
                    }
                }
                Err(error @ PortError::Unavailable(_)) => self.bus.mark_down(error),
            }
            let open = entries.iter().any(|entry| !entry.unconfirmed().is_empty());
            if open && !hold.again().await {
                return;
            }
        }
    }

    async fn finish(&self, entries: Vec<Entry>, parked: usize, began: Instant) -> Outcome {
        let later = Verdict::Later { after: self.config.return_after };
        let verdicts: Vec<_> = entries.into_iter().flat_map(|entry| entry.verdicts(&later)).collect();
        let count = |kind: fn(&Verdict) -> bool| verdicts.iter().filter(|(_, verdict)| kind(verdict)).count();
        let done = count(|verdict| matches!(verdict, Verdict::Done));
        let retried = count(|verdict| matches!(verdict, Verdict::Retry { .. }));
        let returned = count(|verdict| matches!(verdict, Verdict::Later { .. }));
        if returned > 0 {
            tracing::warn!(returned, "events are given back: they will be delivered again");
        }
        self.settle(verdicts).await;
        let elapsed_ms = began.elapsed().as_millis();
        tracing::debug!(done, retried, parked, returned, elapsed_ms, "a batch is settled");
        Outcome::Settled { done, retried, parked, returned }
    }

    async fn settle(&self, verdicts: Vec<(Delivery, Verdict)>) {
        if verdicts.is_empty() {
            return;
        }
        for (_, verdict) in &verdicts {
            metrics::counter!("tolov_projector_deliveries_total", "verdict" => word(verdict)).increment(1);
        }
        // What the bus took no note of is delivered again, and then has no second effect.
        match self.deps.consumer.settle(verdicts).await {
            Ok(_) => self.bus.mark_up(),
            Err(error) => self.bus.mark_down(error),
        }
    }

    fn log_paid(&self, entries: &[Entry]) {
        for Entry { event, .. } in entries.iter().filter(|entry| entry.is_done()) {
            if let EventKind::PaymentCompleted { late, .. } = event.kind {
                let lag = self.deps.clock.now() - event.occurred_at;
                let lag_ms = i64::try_from(lag.whole_milliseconds()).unwrap_or(i64::MAX);
                metrics::histogram!("tolov_projector_lag_seconds")
                    .record(Duration::try_from(lag).unwrap_or_default());
                tracing::info!(order.id = %event.order_id, event.id = %event.id, late, lag_ms, "order paid");
            }
        }
    }

    fn pauses(&self) -> Pauses {
        Pauses::new(self.config.first_pause, self.config.longest_pause)
    }
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Done => "done",
        Verdict::Retry { .. } => "retry",
        Verdict::Later { .. } => "later",
        Verdict::Park { .. } => "park",
    }
}

enum Applied {
    All,
    Refused(String),
    GivenUp,
}

/// Takes note of what became of each message of a window; returns the reason of one whose fate is unknown.
fn decide(entries: &mut [Entry], window: &[OutgoingMessage], decisions: &[Published]) -> Option<String> {
    let mut unknown = None;
    // A window that is answered short leaves the rest unknown: those are published again.
    for (message, decision) in window.iter().zip(decisions) {
        let Some(entry) = entries.iter_mut().find(|entry| entry.unconfirmed().contains(message)) else {
            continue;
        };
        match (decision, &mut entry.state) {
            (Published::Confirmed, State::Applied(open)) => open.retain(|other| other.id != message.id),
            (Published::Rejected(reason), _) => {
                let reason = format!("the notification {} has nowhere to go: {reason}", message.id);
                let Event { id, order_id, .. } = &entry.event;
                tracing::warn!(order.id = %order_id, event.id = %id, reason, "an event is tried again later");
                entry.failed(reason);
            }
            (Published::Unknown(reason), _) => unknown = Some(reason.clone()),
            (Published::Confirmed, State::Received | State::Failed(_)) => {}
        }
    }
    unknown
}
