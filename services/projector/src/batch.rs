//! The events in hand, and how far each has come.

use tolov_domain::{
    DayCompared, Event, EventId, TraceParent, UnplacedPayment, day,
    event::{EventError, schema_of},
    notification::{self, Announcement, Notification, notifications_for},
    ports::bus::{Delivery, OutgoingMessage, Route, Verdict},
    time::Timestamp,
    unplaced,
};
use tolov_shop::settling::Settled;

/// What the ledger tells.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    Order(Event),
    /// Belongs to no order of the shop: the store is not asked, staff are told.
    Unplaced(UnplacedPayment),
    /// A day was compared with CLICK: now with the shop store.
    Day(DayCompared),
}

impl Fact {
    fn from_json(body: &[u8]) -> Result<Self, EventError> {
        match schema_of(body)?.as_str() {
            unplaced::SCHEMA => UnplacedPayment::from_json(body).map(Self::Unplaced),
            day::SCHEMA => DayCompared::from_json(body).map(Self::Day),
            _ => Event::from_json(body).map(Self::Order),
        }
    }

    pub(crate) const fn id(&self) -> &EventId {
        match self {
            Self::Order(event) => &event.id,
            Self::Unplaced(payment) => &payment.event_id,
            Self::Day(compared) => &compared.event_id,
        }
    }

    const fn occurred_at(&self) -> Timestamp {
        match self {
            Self::Order(event) => event.occurred_at,
            Self::Unplaced(payment) => payment.occurred_at,
            Self::Day(compared) => compared.occurred_at,
        }
    }

    /// How far it has come when it is received.
    fn received(&self) -> State {
        match self {
            Self::Order(_) | Self::Day(_) => State::Received,
            Self::Unplaced(payment) => State::Stored(vec![OutgoingMessage {
                id: payment.notification_id(),
                route: Route::Notifications,
                schema: payment.schema.clone(),
                body: payment.to_json(),
                traceparent: None,
            }]),
        }
    }
}

/// One event with every delivery of it: a broker may deliver twice within one batch.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) fact: Fact,
    deliveries: Vec<Delivery>,
    state: State,
    /// What people are told of it, once the shop store has it.
    pub(crate) announcement: Announcement,
}

/// How far an event has come.
#[derive(Debug)]
pub(crate) enum State {
    /// The shop store does not have it yet.
    Received,
    /// The shop store has it; these notifications are still to be confirmed, and the event is done when none is left.
    Stored(Vec<OutgoingMessage>),
    /// Refused by the store or by the bus; the other events are not affected.
    Failed(String),
}

/// Sorts deliveries into events and bodies that can never be read.
pub(crate) fn read(deliveries: Vec<Delivery>) -> (Vec<Entry>, Vec<(Delivery, Verdict)>) {
    let mut entries: Vec<Entry> = Vec::with_capacity(deliveries.len());
    let mut unreadable = Vec::new();
    for delivery in deliveries {
        match Fact::from_json(&delivery.body) {
            // Compared whole: two payments of one order have the same event id.
            Ok(fact) => match entries.iter_mut().find(|entry| entry.fact == fact) {
                Some(entry) => entry.deliveries.push(delivery),
                None => entries.push(Entry {
                    state: fact.received(),
                    fact,
                    deliveries: vec![delivery],
                    announcement: Announcement::Nothing,
                }),
            },
            Err(error) => {
                tracing::warn!(event.id = %delivery.id, %error, "a message cannot be read and is parked");
                unreadable.push((delivery, Verdict::Park { reason: error.to_string() }));
            }
        }
    }
    (entries, unreadable)
}

impl Entry {
    /// The event that the shop store does not have yet.
    pub(crate) const fn to_store(&self) -> Option<&Event> {
        match (&self.fact, &self.state) {
            (Fact::Order(event), State::Received) => Some(event),
            _ => None,
        }
    }

    /// The day that the shop store was not compared for yet.
    pub(crate) const fn to_compare(&self) -> Option<&DayCompared> {
        match (&self.fact, &self.state) {
            (Fact::Day(compared), State::Received) => Some(compared),
            _ => None,
        }
    }

    /// The shop store was compared: what is left is to tell the owners.
    pub(crate) fn compared(&mut self, message: Option<OutgoingMessage>) {
        self.state = State::Stored(message.into_iter().collect());
    }

    /// The store has the event: what is left to do is to notify those whom it concerns.
    pub(crate) fn stored(&mut self, settled: &Settled) {
        let Fact::Order(event) = &self.fact else { return };
        self.announcement = settled.announcement;
        let notifications = notifications_for(event, &settled.lines, settled.announcement);
        let notifications = notifications.into_iter().map(|told| told.beside(settled.payment));
        self.state = State::Stored(notifications.map(|told| message(&told)).collect());
    }

    pub(crate) const fn occurred_at(&self) -> Timestamp {
        self.fact.occurred_at()
    }

    /// What caused its notifications.
    pub(crate) fn traceparent(&self) -> Option<TraceParent> {
        self.deliveries.iter().find_map(|delivery| delivery.traceparent.clone())
    }

    pub(crate) fn failed(&mut self, reason: String) {
        self.state = State::Failed(reason);
    }

    /// The messages that nobody has confirmed yet.
    pub(crate) fn unconfirmed(&self) -> &[OutgoingMessage] {
        match &self.state {
            State::Stored(messages) => messages,
            State::Received | State::Failed(_) => &[],
        }
    }

    /// The bus has a message, whichever event it came from.
    pub(crate) fn confirmed(&mut self, id: &EventId) {
        if let State::Stored(messages) = &mut self.state {
            messages.retain(|message| message.id != *id);
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(&self.state, State::Stored(messages) if messages.is_empty())
    }

    /// The verdict of each delivery. An event that is neither done nor failed is to be delivered again later.
    pub(crate) fn verdicts(self, later: &Verdict) -> Vec<(Delivery, Verdict)> {
        let verdict = match self.state {
            State::Stored(messages) if messages.is_empty() => Verdict::Done,
            State::Stored(_) | State::Received => later.clone(),
            State::Failed(reason) => Verdict::Retry { reason },
        };
        self.deliveries.into_iter().map(|delivery| (delivery, verdict.clone())).collect()
    }
}

fn message(notification: &Notification) -> OutgoingMessage {
    OutgoingMessage {
        id: notification.notification_id.clone(),
        route: Route::Notifications,
        schema: notification::SCHEMA.to_owned(),
        body: notification.to_json(),
        traceparent: None,
    }
}
