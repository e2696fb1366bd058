//! A bus in memory that remembers what it was asked and can be told to misbehave.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use tolov_domain::{
    Event,
    ports::{
        PortError,
        bus::{OutgoingMessage, Published, Publisher},
    },
};

#[derive(Debug, Default)]
pub(crate) struct RecordingBus(Mutex<State>);

/// What is wrong with the bus as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Away,
    /// Messages are stored, and the confirm never arrives.
    Silent,
    RejectsAll,
    Panics,
}

#[derive(Debug, Default)]
struct State {
    /// Every window that reached the bus, decided or not.
    windows: Vec<Vec<String>>,
    confirmed: Vec<OutgoingMessage>,
    rejected: BTreeSet<String>,
    unknown: BTreeSet<String>,
    fault: Option<Fault>,
    tries_while_away: usize,
    reachability_checks: usize,
}

impl RecordingBus {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn go_away(&self) {
        self.state().fault = Some(Fault::Away);
    }

    pub(crate) fn come_back(&self) {
        self.state().fault = None;
    }

    pub(crate) fn tries_while_away(&self) -> usize {
        self.state().tries_while_away
    }

    pub(crate) fn reachability_checks(&self) -> usize {
        self.state().reachability_checks
    }

    /// A bug in the adapter.
    pub(crate) fn panic_from_now_on(&self) {
        self.state().fault = Some(Fault::Panics);
    }

    /// Refuses every event, as when a queue is missing, until [`RecordingBus::accept_all`].
    pub(crate) fn reject_all(&self) {
        self.state().fault = Some(Fault::RejectsAll);
    }

    pub(crate) fn accept_all(&self) {
        self.state().fault = None;
    }

    /// Refuses this event for a reason of its own, until [`RecordingBus::accept`].
    pub(crate) fn reject(&self, event_id: &str) {
        self.state().rejected.insert(event_id.to_owned());
    }

    pub(crate) fn accept(&self, event_id: &str) {
        self.state().rejected.remove(event_id);
    }

    /// Does not know, once, what became of this event.
    pub(crate) fn lose_the_confirm_of(&self, event_id: &str) {
        self.state().unknown.insert(event_id.to_owned());
    }

    /// Stores what comes and never confirms it, as if the process died before the confirm arrived.
    pub(crate) fn fall_silent(&self) {
        self.state().fault = Some(Fault::Silent);
    }

    pub(crate) fn speak_again(&self) {
        self.state().fault = None;
    }

    pub(crate) fn windows(&self) -> Vec<Vec<String>> {
        self.state().windows.clone()
    }

    /// How often an event reached the bus.
    pub(crate) fn times_seen(&self, event_id: &str) -> usize {
        self.state().windows.iter().flatten().filter(|id| *id == event_id).count()
    }

    /// What an event was published with.
    pub(crate) fn traceparent_of(&self, event_id: &str) -> Option<String> {
        let state = self.state();
        let message = state.confirmed.iter().find(|message| message.id.as_str() == event_id).unwrap();
        message.traceparent.as_ref().map(ToString::to_string)
    }

    /// The ids that were confirmed, in order.
    pub(crate) fn confirmed(&self) -> Vec<String> {
        self.state().confirmed.iter().map(|message| message.id.to_string()).collect()
    }

    /// What was confirmed, read as a reader reads it.
    pub(crate) fn events(&self) -> Vec<Event> {
        let state = self.state();
        state.confirmed.iter().map(|message| Event::from_json(&message.body).unwrap()).collect()
    }

    pub(crate) fn messages(&self) -> Vec<OutgoingMessage> {
        self.state().confirmed.clone()
    }
}

#[async_trait]
impl Publisher for RecordingBus {
    async fn publish(&self, window: &[OutgoingMessage]) -> Result<Vec<Published>, PortError> {
        let (outcomes, silent) = {
            let mut state = self.state();
            assert_ne!(state.fault, Some(Fault::Panics), "a bug in the adapter");
            if state.fault == Some(Fault::Away) {
                state.tries_while_away += 1;
                return Err(PortError::Unavailable("the bus is away".to_owned()));
            }
            state.windows.push(window.iter().map(|message| message.id.to_string()).collect());
            let outcomes = window.iter().map(|message| state.decide(message)).collect();
            (outcomes, state.fault == Some(Fault::Silent))
        };
        if silent {
            std::future::pending::<()>().await;
        }
        Ok(outcomes)
    }

    async fn is_reachable(&self) -> bool {
        let mut state = self.state();
        state.reachability_checks += 1;
        state.fault != Some(Fault::Away)
    }
}

impl State {
    fn decide(&mut self, message: &OutgoingMessage) -> Published {
        let id = message.id.as_str();
        if self.fault == Some(Fault::RejectsAll) || self.rejected.contains(id) {
            return Published::Rejected("no queue took it".to_owned());
        }
        if self.unknown.remove(id) {
            return Published::Unknown("the confirm did not come in time".to_owned());
        }
        if self.fault != Some(Fault::Silent) {
            self.confirmed.push(message.clone());
        }
        Published::Confirmed
    }
}
