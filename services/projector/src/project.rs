//! One batch from the bus to the shop store and to the bot's queue.

use std::{collections::HashSet, convert::Infallible, sync::Arc, time::Duration};

use tokio::time::Instant;
use tolov_domain::{
    Event, EventKind,
    notification::Announcement,
    ports::{
        PortError,
        bus::{Consumer, Delivery, OutgoingMessage, Published, Publisher, Verdict},
        documents::Documents,
    },
};
use tolov_kit::{
    availability::Availability,
    clock::Clock,
    in_flight::{InFlight, InFlightGuard},
    lifecycle::{Stop, pause},
    retry::Pauses,
};
use tolov_shop::settling;

use crate::{
    batch::{self, Entry, Fact},
    config::Config,
    days,
};

/// What the projector works with. The consumer reads [`tolov_domain::ports::bus::Queue::ProjectorPayments`].
#[derive(Debug, Clone)]
pub struct Deps {
    pub consumer: Arc<dyn Consumer>,
    pub publisher: Arc<dyn Publisher>,
    /// The shop store.
    pub documents: Arc<dyn Documents>,
    pub clock: Arc<dyn Clock>,
}

/// What became of one batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchOutcome {
    /// It was settled: this many deliveries of each verdict.
    Settled { done: usize, retried: usize, parked: usize, returned: usize },
    /// Nothing could be received; pause before the next try.
    BusAway(PortError),
    /// Told to stop before anything was received.
    Stopped,
}

/// Brings the ledger's events into the shop store.
#[derive(Debug)]
pub struct Projector {
    deps: Deps,
    config: Config,
    store: Availability,
    bus: Availability,
    in_hand: InFlight,
}

/// For how long a batch may still be held.
struct RetryBudget<'a> {
    stop: &'a Stop,
    until: Instant,
    pauses: Pauses,
}

impl RetryBudget<'_> {
    /// Pauses before another try; `false`: the batch is to be returned instead.
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

    /// The events that are received and not settled, for readiness.
    pub fn in_hand(&self) -> InFlight {
        self.in_hand.clone()
    }

    /// Runs until `stop`; the batch in hand is finished or returned first. Never fails: it waits for what is away.
    pub async fn run(self, stop: Stop) -> Result<(), Infallible> {
        let mut pauses = self.pauses();
        while !stop.is_cancelled() {
            match self.project_until(&stop).await {
                BatchOutcome::BusAway(_) => {
                    pause(&stop, pauses.next_pause()).await;
                }
                BatchOutcome::Settled { .. } | BatchOutcome::Stopped => pauses.reset(),
            }
        }
        Ok(())
    }

    /// Waits for a batch and settles it.
    pub async fn project_once(&self) -> BatchOutcome {
        self.project_until(&Stop::new()).await
    }

    async fn project_until(&self, stop: &Stop) -> BatchOutcome {
        let received = tokio::select! {
            () = stop.cancelled() => return BatchOutcome::Stopped,
            received = self.deps.consumer.receive(self.config.batch_max) => received,
        };
        let deliveries = match received {
            Ok(deliveries) => deliveries,
            Err(error) => {
                self.bus.mark_down(&error);
                return BatchOutcome::BusAway(error);
            }
        };
        let began = Instant::now();
        let (mut entries, unreadable) = batch::read(deliveries);
        let parked = unreadable.len();
        let _held: Vec<InFlightGuard> =
            entries.iter().map(|entry| self.in_hand.enter(entry.occurred_at())).collect();
        self.settle(unreadable).await;

        let until = began + self.config.hold;
        let mut budget = RetryBudget { stop, until, pauses: self.pauses() };
        self.store(&mut entries, &mut budget).await;
        self.compare_days(&mut entries, &mut budget).await;
        self.notify(&mut entries, &mut budget).await;
        self.log_paid(&entries);
        self.finish(entries, parked, began).await
    }

    /// Brings every event into the shop store, or holds until the batch is to be returned.
    async fn store(&self, entries: &mut [Entry], budget: &mut RetryBudget<'_>) {
        let mut entries: Vec<&mut Entry> =
            entries.iter_mut().filter(|entry| entry.to_store().is_some()).collect();
        let Stored::Refused(reason) = self.store_some(&mut entries, budget).await else { return };
        tracing::warn!(
            events = entries.len(),
            reason,
            "the shop store refuses a batch; its events are stored one by one"
        );
        for entry in &mut entries {
            match self.store_some(std::slice::from_mut(entry), budget).await {
                Stored::All => {}
                Stored::Refused(reason) => {
                    tracing::warn!(event.id = %entry.fact.id(), reason, "the shop store refuses an event");
                    entry.failed(reason);
                }
                Stored::GivenUp => return,
            }
        }
    }

    async fn store_some(&self, entries: &mut [&mut Entry], budget: &mut RetryBudget<'_>) -> Stored {
        let events: Vec<Event> = entries.iter().filter_map(|entry| entry.to_store()).cloned().collect();
        if events.is_empty() {
            return Stored::All;
        }
        loop {
            match settling::settle(self.deps.documents.as_ref(), &events).await {
                Ok(settled) => {
                    self.store.mark_up();
                    for ((entry, event), settled) in entries.iter_mut().zip(&events).zip(&settled) {
                        report(event, settled.announcement);
                        entry.stored(settled);
                    }
                    return Stored::All;
                }
                Err(PortError::Refused(reason)) => return Stored::Refused(reason),
                Err(error @ PortError::Unavailable(_)) => {
                    self.store.mark_down(error);
                    if !budget.again().await {
                        return Stored::GivenUp;
                    }
                }
            }
        }
    }

    /// Compares the days with the shop store, once the other events of the batch are in it.
    async fn compare_days(&self, entries: &mut [Entry], budget: &mut RetryBudget<'_>) {
        for entry in entries {
            while let Some(compared) = entry.to_compare() {
                match days::compare(self.deps.documents.as_ref(), compared).await {
                    Ok(differing) => {
                        self.store.mark_up();
                        let message = days::message(compared, differing);
                        entry.compared(message);
                    }
                    Err(PortError::Refused(reason)) => entry.failed(reason),
                    Err(error @ PortError::Unavailable(_)) => {
                        self.store.mark_down(error);
                        if !budget.again().await {
                            return;
                        }
                    }
                }
            }
        }
    }

    /// Publishes the notifications of stored events until every message is decided.
    async fn notify(&self, entries: &mut [Entry], budget: &mut RetryBudget<'_>) {
        loop {
            let window = window(entries);
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
            if open && !budget.again().await {
                return;
            }
        }
    }

    async fn finish(&self, entries: Vec<Entry>, parked: usize, began: Instant) -> BatchOutcome {
        let later = Verdict::Later { after: self.config.return_after };
        let verdicts: Vec<_> = entries.into_iter().flat_map(|entry| entry.verdicts(&later)).collect();
        let count = |kind: fn(&Verdict) -> bool| verdicts.iter().filter(|(_, verdict)| kind(verdict)).count();
        let done = count(|verdict| matches!(verdict, Verdict::Done));
        let retried = count(|verdict| matches!(verdict, Verdict::Retry { .. }));
        let returned = count(|verdict| matches!(verdict, Verdict::Later { .. }));
        if returned > 0 {
            tracing::warn!(returned, "events are returned and will be delivered again");
        }
        self.settle(verdicts).await;
        let elapsed_ms = began.elapsed().as_millis();
        tracing::debug!(done, retried, parked, returned, elapsed_ms, "a batch is settled");
        BatchOutcome::Settled { done, retried, parked, returned }
    }

    async fn settle(&self, verdicts: Vec<(Delivery, Verdict)>) {
        if verdicts.is_empty() {
            return;
        }
        for (_, verdict) in &verdicts {
            metrics::counter!("tolov_projector_deliveries_total", "verdict" => name(verdict)).increment(1);
        }
        // Deliveries that the bus did not settle come again, without a second effect.
        match self.deps.consumer.settle(verdicts).await {
            Ok(_) => self.bus.mark_up(),
            Err(error) => self.bus.mark_down(error),
        }
    }

    fn log_paid(&self, entries: &[Entry]) {
        let is_told = |entry: &&Entry| matches!(entry.announcement, Announcement::Event { .. });
        for Entry { fact, .. } in entries.iter().filter(is_told).filter(|entry| entry.is_done()) {
            let Fact::Order(event) = fact else { continue };
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

fn name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Done => "done",
        Verdict::Retry { .. } => "retry",
        Verdict::Later { .. } => "later",
        Verdict::Park { .. } => "park",
    }
}

enum Stored {
    All,
    Refused(String),
    GivenUp,
}

/// What somebody has to look at is in the log too.
fn report(event: &Event, announcement: Announcement) {
    let Event { id, order_id, .. } = event;
    match announcement {
        Announcement::Nothing | Announcement::Event { stock_settled: true } => {}
        Announcement::Event { stock_settled: false } => {
            tracing::error!(order.id = %order_id, event.id = %id, "stock or cart of an order are not settled: repair the documents that the log names");
        }
        Announcement::Question(anomaly) => {
            let anomaly = anomaly.as_str();
            metrics::counter!("tolov_projector_questions_total", "anomaly" => anomaly).increment(1);
            tracing::error!(order.id = %order_id, event.id = %id, anomaly, "an event contradicts the order and is not applied; staff are asked");
        }
    }
}

/// The messages that are to be published, each once: two deliveries may tell the same in different bodies.
fn window(entries: &[Entry]) -> Vec<OutgoingMessage> {
    let mut ids = HashSet::new();
    let open = entries.iter().flat_map(|entry| entry.unconfirmed().iter().map(move |it| (entry, it)));
    open.filter(|(_, message)| ids.insert(&message.id))
        .map(|(entry, message)| OutgoingMessage { traceparent: entry.traceparent(), ..message.clone() })
        .collect()
}

/// Records what became of each message of a window; returns the reason of one that is unknown.
fn decide(entries: &mut [Entry], window: &[OutgoingMessage], decisions: &[Published]) -> Option<String> {
    let mut unknown = None;
    // Messages without an answer are published again.
    for (message, decision) in window.iter().zip(decisions) {
        let is_of = |entry: &&mut Entry| entry.unconfirmed().iter().any(|other| other.id == message.id);
        for entry in entries.iter_mut().filter(is_of) {
            match decision {
                Published::Confirmed => entry.confirmed(&message.id),
                Published::Rejected(reason) => {
                    let reason = format!("the notification {} is not routed: {reason}", message.id);
                    tracing::warn!(event.id = %entry.fact.id(), reason, "an event is tried again later");
                    entry.failed(reason);
                }
                Published::Unknown(reason) => unknown = Some(reason.clone()),
            }
        }
    }
    unknown
}
