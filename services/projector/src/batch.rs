//! The events in hand, and what is known about each.

use tolov_domain::{
    Event,
    notification::{self, Notification, notifications_for},
    order::Order,
    ports::bus::{Delivery, OutgoingMessage, Route, Verdict},
};

/// One event with every delivery that brought it: a broker may deliver twice within one batch.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) event: Event,
    deliveries: Vec<Delivery>,
    pub(crate) state: State,
}

/// How far an event has come.
#[derive(Debug)]
pub(crate) enum State {
    /// Not applied yet.
    Received,
    /// Applied; these notifications are still to be confirmed, none is left when the event is done.
    Applied(Vec<OutgoingMessage>),
    /// Refused by the store or by the bus, which is no fault of the other events.
    Failed(String),
}

/// Sorts deliveries into events and bodies that can never be read.
pub(crate) fn read(deliveries: Vec<Delivery>) -> (Vec<Entry>, Vec<(Delivery, Verdict)>) {
    let mut entries: Vec<Entry> = Vec::with_capacity(deliveries.len());
    let mut unreadable = Vec::new();
    for delivery in deliveries {
        match Event::from_json(&delivery.body) {
            Ok(event) => match entries.iter_mut().find(|entry| entry.event.id == event.id) {
                Some(entry) => entry.deliveries.push(delivery),
                None => entries.push(Entry { event, deliveries: vec![delivery], state: State::Received }),
            },
            Err(error) => {
                tracing::warn!(event.id = %delivery.id, %error, "a message is parked: it cannot be read");
                unreadable.push((delivery, Verdict::Park { reason: error.to_string() }));
            }
        }
    }
    (entries, unreadable)
}

impl Entry {
    /// The store has the event: what is left to do is to tell those whom it concerns, if it is news to them.
    pub(crate) fn applied(&mut self, order: &Order, is_news: bool) {
        let told = if is_news { notifications_for(&self.event, order) } else { Vec::new() };
        self.state = State::Applied(told.iter().map(message).collect());
    }

    pub(crate) fn failed(&mut self, reason: String) {
        self.state = State::Failed(reason);
    }

    /// The messages that nobody has confirmed yet.
    pub(crate) fn unconfirmed(&self) -> &[OutgoingMessage] {
        match &self.state {
            State::Applied(messages) => messages,
            State::Received | State::Failed(_) => &[],
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(&self.state, State::Applied(messages) if messages.is_empty())
    }

    /// The verdict of each delivery. An event that is neither done nor failed is wanted again later.
    pub(crate) fn verdicts(self, later: &Verdict) -> Vec<(Delivery, Verdict)> {
        let verdict = match self.state {
            State::Applied(messages) if messages.is_empty() => Verdict::Done,
            State::Applied(_) | State::Received => later.clone(),
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
    }
}
