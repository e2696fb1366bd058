//! Switches of the services around the sandbox, and values such as queue depths. The services register both.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Value, json};
use tokio::sync::watch;

/// Clones share one state.
#[derive(Debug, Clone, Default)]
pub struct Dashboard {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    version: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    switches: BTreeMap<&'static str, Switch>,
    values: BTreeMap<&'static str, Value>,
}

/// Stops and starts a service from the page. The service that registered it obeys it.
#[derive(Debug, Clone)]
pub struct Switch {
    on: watch::Sender<bool>,
}

impl Switch {
    pub fn is_on(&self) -> bool {
        *self.on.borrow()
    }

    /// Waits until it is on, or off.
    pub async fn until(&self, on: bool) {
        // `self` holds the sender, so the channel stays open.
        drop(self.on.subscribe().wait_for(|is_on| *is_on == on).await);
    }
}

impl Dashboard {
    /// Registers a switch that is on, or returns the one of this name.
    pub fn switch(&self, name: &'static str) -> Switch {
        let switch = self.with(|state| {
            let new = || Switch { on: watch::Sender::new(true) };
            state.switches.entry(name).or_insert_with(new).clone()
        });
        self.changed();
        switch
    }

    /// Returns `false` if no such switch is registered.
    pub fn set_switch(&self, name: &str, on: bool) -> bool {
        let found = self.with(|state| {
            let switch = state.switches.get(name);
            switch.map(|switch| switch.on.send_replace(on)).is_some()
        });
        self.changed();
        found
    }

    /// Sets the value of a name.
    pub fn show(&self, name: &'static str, value: Value) {
        let is_new = self.with(|state| {
            if state.values.get(name) == Some(&value) {
                return false;
            }
            state.values.insert(name, value);
            true
        });
        if is_new {
            self.changed();
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        self.with(|state| {
            let switches: BTreeMap<_, _> =
                state.switches.iter().map(|(name, switch)| (name, switch.is_on())).collect();
            json!({ "switches": switches, "shown": state.values })
        })
    }

    pub(crate) fn version(&self) -> u64 {
        *self.inner.version.borrow()
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.inner.version.subscribe()
    }

    fn changed(&self) {
        self.inner.version.send_modify(|version| *version += 1);
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.inner.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_switch_is_set_by_its_name() {
        let dashboard = Dashboard::default();
        let broker = dashboard.switch("broker");
        assert!(broker.is_on() && !dashboard.set_switch("unknown", false));
        assert!(dashboard.set_switch("broker", false));
        broker.until(false).await;
        assert!(!dashboard.switch("broker").is_on(), "registering again changes nothing");
        assert_eq!(dashboard.to_json()["switches"]["broker"], false);
    }

    #[test]
    fn the_version_grows_only_with_changes() {
        let dashboard = Dashboard::default();
        dashboard.show("outbox", json!(1));
        let version = dashboard.version();
        dashboard.show("outbox", json!(1));
        assert_eq!(dashboard.version(), version);
        dashboard.show("outbox", json!(2));
        assert!(dashboard.version() > version);
    }
}
