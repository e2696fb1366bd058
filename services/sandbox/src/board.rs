//! What the page shows beside the hops: switches of the parts around the sandbox, how full their queues are, how far a
//! load has come. The sandbox knows of them only what is registered here.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Value, json};
use tokio::sync::watch;

/// The board: cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Board {
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
    entries: BTreeMap<&'static str, Value>,
}

/// Something that can be stopped and started again from the page. Whoever registered it looks at it.
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
        // The sender is ours: waiting cannot fail.
        drop(self.on.subscribe().wait_for(|is_on| *is_on == on).await);
    }
}

impl Board {
    /// Registers a switch, which is on. The same name is the same switch.
    pub fn switch(&self, name: &'static str) -> Switch {
        let switch = self.with(|state| {
            let new = || Switch { on: watch::Sender::new(true) };
            state.switches.entry(name).or_insert_with(new).clone()
        });
        self.changed();
        switch
    }

    /// Turns a switch. `false`: nobody has registered it.
    pub fn turn(&self, name: &str, on: bool) -> bool {
        let found = self.with(|state| {
            let switch = state.switches.get(name);
            switch.map(|switch| switch.on.send_replace(on)).is_some()
        });
        self.changed();
        found
    }

    /// Shows a value under a name, in place of the one before.
    pub fn show(&self, name: &'static str, value: Value) {
        let is_news = self.with(|state| {
            if state.entries.get(name) == Some(&value) {
                return false;
            }
            state.entries.insert(name, value);
            true
        });
        if is_news {
            self.changed();
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        self.with(|state| {
            let switches: BTreeMap<_, _> =
                state.switches.iter().map(|(name, switch)| (name, switch.is_on())).collect();
            json!({ "switches": switches, "shown": state.entries })
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
    async fn a_switch_is_turned_by_its_name() {
        let board = Board::default();
        let broker = board.switch("broker");
        assert!(broker.is_on() && !board.turn("nobody's", false));
        assert!(board.turn("broker", false));
        broker.until(false).await;
        assert!(!board.switch("broker").is_on(), "registered again, it stays as it is");
        assert_eq!(board.to_json()["switches"]["broker"], false);
    }

    #[test]
    fn the_version_grows_only_with_news() {
        let board = Board::default();
        board.show("outbox", json!(1));
        let version = board.version();
        board.show("outbox", json!(1));
        assert_eq!(board.version(), version);
        board.show("outbox", json!(2));
        assert!(board.version() > version);
    }
}
