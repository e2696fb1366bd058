//! The driver's client, and a new one in the place of one that is stuck.
//!
//! A call that is cut off while it waits for a connection leaves its request in the queue of the driver's pool. The pool takes
//! one request from there for each that comes (mongodb 3.9.1, `ConnectionPoolWorker::execute`), so after a burst of such calls
//! every later one waits behind as many requests that nobody waits for, and is cut off in turn, for as long as the client lives.
//! A handshake that is never answered keeps its place among the two that are made at once for as long.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use mongodb::{Client, Database, error::Result, options::ClientOptions};

pub(crate) struct Driver {
    options: ClientOptions,
    database: String,
    /// For how long every call must have been cut off.
    stuck_after: Duration,
    state: Mutex<State>,
}

struct State {
    client: Client,
    /// The one before, which calls that were under way may still use.
    retired: Option<Client>,
    /// Since when every call was cut off.
    cut_off_since: Option<Instant>,
    is_closed: bool,
}

impl Driver {
    pub(crate) fn new(options: ClientOptions, database: String, stuck_after: Duration) -> Result<Self> {
        let client = Client::with_options(options.clone())?;
        let state = Mutex::new(State { client, retired: None, cut_off_since: None, is_closed: false });
        Ok(Self { options, database, stuck_after, state })
    }

    pub(crate) fn database(&self) -> Database {
        self.state().client.database(&self.database)
    }

    pub(crate) fn database_name(&self) -> &str {
        &self.database
    }

    /// A call has ended by itself, whatever its result.
    pub(crate) fn note_end(&self) {
        self.state().cut_off_since = None;
    }

    /// A call was cut off. The client is replaced when nothing else has happened to any for long enough; `true`: it was.
    pub(crate) fn note_cut_off(&self, now: Instant) -> bool {
        let mut state = self.state();
        let since = *state.cut_off_since.get_or_insert(now);
        if state.is_closed || now.saturating_duration_since(since) < self.stuck_after {
            return false;
        }
        let Ok(client) = Client::with_options(self.options.clone()) else { return false };
        state.cut_off_since = None;
        // The one retired before that is dropped, and its tasks end: no call is as old as it.
        state.retired = Some(std::mem::replace(&mut state.client, client));
        true
    }

    /// The clients whose tasks have to end before the runtime does. None is made any more.
    pub(crate) fn close(&self) -> Vec<Client> {
        let mut state = self.state();
        state.is_closed = true;
        state.retired.iter().chain([&state.client]).cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_client_whose_every_call_was_cut_off_for_long_is_replaced() {
        let limit = Duration::from_secs(10);
        let options = ClientOptions::parse("mongodb://127.0.0.1:1").await.unwrap();
        let driver = Driver::new(options, "tolov".to_owned(), limit).unwrap();
        let start = Instant::now();
        assert!(!driver.note_cut_off(start));
        assert!(!driver.note_cut_off(start + limit / 2));
        driver.note_end();
        assert!(!driver.note_cut_off(start + limit), "one ended in between");
        assert!(driver.note_cut_off(start + limit * 2));
        assert!(!driver.note_cut_off(start + limit * 2), "the new one has its own time");
        assert!(driver.note_cut_off(start + limit * 3));
        assert_eq!(driver.close().len(), 2, "no more than one is kept");
        assert!(!driver.note_cut_off(start + limit * 5), "nobody would end it");
    }
}
