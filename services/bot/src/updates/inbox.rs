//! The inbox: updates as they are stored, each once, waiting or done.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use teloxide::types::Update;
use tokio::time::Instant;
use tolov_domain::{
    ports::{
        PortError,
        documents::{Collection, Documents, Key, Put, Query, Unreadable, Version},
    },
    time::{Timestamp, millis},
};
use tolov_kit::{clock::Clock, clock_watch::ClockWatch};
use tolov_shop::records::{self, Record};

use crate::{notify::together::Together, updates::lease_watch::LeaseWatch};

/// How long a claim of an update lasts that is not renewed, from when another bot has seen it first. It is renewed while the work
/// goes on.
pub(crate) const LEASE: Duration = Duration::from_secs(20);
/// An update that was begun this often and never finished is given up: it seems to end the process each time.
const TRIES_MAX: u32 = 3;
/// Telegram delivers an update again for 24 hours; that long it must be known.
const KEPT_FOR: Duration = Duration::from_hours(48);

pub(crate) const UPDATES: Collection = Collection::new("updates", &["state", "waiting_person_id"]);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Waiting,
    Done,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredUpdate {
    /// Telegram's update_id.
    pub(crate) id: i64,
    pub(crate) state: State,
    /// Whose queue it belongs to.
    pub(crate) person_id: i64,
    /// The same while it waits: the index of the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    waiting_person_id: Option<i64>,
    /// As Telegram sent it; empty when it is done.
    json: String,
    /// How often handling it was begun.
    tries: u32,
    #[serde(with = "millis")]
    received_at: Timestamp,
    /// It is claimed; the time is that of the holder's clock, for people who look.
    #[serde(with = "millis::option", default)]
    leased_until_at: Option<Timestamp>,
}

impl fmt::Debug for StoredUpdate {
    /// What people wrote is not shown.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StoredUpdate")
            .field("id", &self.id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Record for StoredUpdate {
    const COLLECTION: Collection = UPDATES;

    fn key(&self) -> Key {
        Key::Number(self.id)
    }
}

impl StoredUpdate {
    fn finish(&mut self) {
        self.state = State::Done;
        self.waiting_person_id = None;
        self.leased_until_at = None;
        self.json.clear();
    }
}

/// An update that was found waiting.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) stored: StoredUpdate,
    version: Version,
}

impl Entry {
    pub(crate) fn update(&self) -> Option<Update> {
        super::arrivals::update_of(&self.stored.json)
    }
}

/// An update that this bot has claimed as it stored it.
#[derive(Debug)]
pub(crate) struct Own {
    entry: Entry,
    at: Instant,
}

impl Own {
    pub(crate) fn id(&self) -> i64 {
        self.entry.stored.id
    }
}

/// What storing an update did.
#[derive(Debug)]
pub(crate) enum Stored {
    Claimed(Own),
    /// It waits to be claimed.
    Waiting,
    Before,
}

impl Stored {
    pub(crate) fn is_new(&self) -> bool {
        !matches!(self, Self::Before)
    }
}

/// A person, and how many of their updates are read.
type Reader = (i64, u32);

/// The result of claiming an update.
#[derive(Debug)]
pub(crate) enum Claimed {
    Ours(Entry),
    /// Another bot has claimed it.
    Theirs,
    /// It was begun too often, and counts as done now.
    GivenUp,
}

/// The updates in the shop store.
#[derive(Debug, Clone)]
pub(crate) struct Inbox {
    documents: Arc<dyn Documents>,
    clock: Arc<dyn Clock>,
    leases: Arc<LeaseWatch>,
    /// Of people who tap at the same time.
    readers: Arc<Together<Reader, Result<Vec<Entry>, PortError>>>,
}

impl Inbox {
    pub(crate) fn new(documents: Arc<dyn Documents>, clock: Arc<dyn Clock>) -> Self {
        Self {
            documents,
            clock,
            leases: Arc::new(LeaseWatch::new(LEASE)),
            readers: Arc::new(Together::at_once()),
        }
    }

    /// Stores an update that is not there yet; claimed, where this bot is about to handle it.
    pub(crate) async fn store(
        &self,
        id: i64,
        person_id: i64,
        json: String,
        claims: bool,
    ) -> Result<Stored, PortError> {
        let (mut stored, at) = (self.received(id, person_id, json), Instant::now());
        if claims {
            self.take(&mut stored);
        }
        Ok(match records::write(&*self.documents, None, &stored).await? {
            Put::Done(version) if claims => Stored::Claimed(Own { entry: Entry { stored, version }, at }),
            Put::Done(_) => Stored::Waiting,
            Put::Conflict => Stored::Before,
        })
    }

    fn received(&self, id: i64, person_id: i64, json: String) -> StoredUpdate {
        StoredUpdate {
            id,
            state: State::Waiting,
            person_id,
            waiting_person_id: Some(person_id),
            json,
            tries: 0,
            received_at: self.clock.now(),
            leased_until_at: None,
        }
    }

    /// The first that wait in the queue of a person, read together with those of others who tap at the same time.
    pub(crate) async fn waiting_of(&self, person_id: i64, limit: u32) -> Result<Vec<Entry>, PortError> {
        let read = self.readers.call((person_id, limit), |readers| self.waiting_of_each(readers)).await;
        read.unwrap_or_else(|given_up| Err(given_up.into()))
    }

    async fn waiting_of_each(&self, readers: Vec<Reader>) -> Vec<Result<Vec<Entry>, PortError>> {
        let limit = readers.iter().map(|(_, limit)| limit).sum();
        if readers.len() > 1 {
            let people = readers.iter().map(|(person_id, _)| (*person_id).into()).collect();
            let query = Query::any_of(UPDATES, "waiting_person_id", people, limit);
            match self.find(&query).await {
                // Nobody has so many that others were left out.
                Ok(found) if found.len() < usize::try_from(limit).unwrap_or(usize::MAX) => {
                    let mut by_person: HashMap<i64, Vec<Entry>> = HashMap::new();
                    for entry in found {
                        by_person.entry(entry.stored.person_id).or_default().push(entry);
                    }
                    let of = |(person_id, limit): &Reader| {
                        let mut entries = by_person.get(person_id).cloned().unwrap_or_default();
                        entries.truncate(usize::try_from(*limit).unwrap_or(usize::MAX));
                        Ok(entries)
                    };
                    return readers.iter().map(of).collect();
                }
                Ok(_) => {}
                Err(error) => return vec![Err(error); readers.len()],
            }
        }
        let mut each = Vec::with_capacity(readers.len());
        for (person_id, limit) in readers {
            each.push(self.find(&Query::is(UPDATES, "waiting_person_id", person_id, limit)).await);
        }
        each
    }

    /// A page of all that wait.
    pub(crate) async fn waiting(&self, skip: u32, limit: u32) -> Result<Vec<Entry>, PortError> {
        self.find(&Query::is(UPDATES, "state", "waiting", limit).skip(skip)).await
    }

    pub(crate) async fn count_waiting(&self) -> Result<u64, PortError> {
        self.documents.count(&Query::is(UPDATES, "state", "waiting", 1)).await
    }

    pub(crate) fn is_leased(&self, entry: &Entry) -> bool {
        entry.stored.leased_until_at.is_some()
            && self.leases.is_held(entry.stored.id, entry.version, self.clock.monotonic())
    }

    /// Claims an update before the work begins, so that of two bots one does it, and one that ends the process each time is
    /// noticed. `own`: this bot has claimed it as it stored it.
    pub(crate) async fn claim(&self, entry: &Entry, own: Option<Own>) -> Result<Claimed, PortError> {
        let own = own.filter(|own| own.id() == entry.stored.id && own.entry.version == entry.version);
        let mut taken = entry.clone();
        match own {
            // As long as a claim goes without a renewal while the work goes on.
            Some(own) if own.at.elapsed() < LEASE / 3 => return Ok(Claimed::Ours(taken)),
            Some(_) => taken.stored.leased_until_at = Some(self.clock.now() + LEASE),
            None if self.is_leased(entry) => return Ok(Claimed::Theirs),
            None if entry.stored.tries >= TRIES_MAX => {
                return Ok(if self.finish(entry).await? { Claimed::GivenUp } else { Claimed::Theirs });
            }
            None => self.take(&mut taken.stored),
        }
        Ok(if self.write(&mut taken).await? { Claimed::Ours(taken) } else { Claimed::Theirs })
    }

    fn take(&self, stored: &mut StoredUpdate) {
        stored.tries += 1;
        stored.leased_until_at = Some(self.clock.now() + LEASE);
    }

    /// Gives up the claim of an update that this bot does not come to.
    pub(crate) async fn release_own(&self, own: Own) -> Result<(), PortError> {
        self.release(own.entry).await
    }

    /// Extends the claim while the work goes on. Best effort: the next attempt follows soon.
    pub(crate) async fn renew(&self, taken: &mut Entry) {
        let mut renewed = taken.clone();
        renewed.stored.leased_until_at = Some(self.clock.now() + LEASE);
        match self.write(&mut renewed).await {
            Ok(true) => *taken = renewed,
            Ok(false) => tracing::warn!(update.id = taken.stored.id, "another bot has taken over an update"),
            Err(error) => tracing::debug!(%error, "the lease of an update could not be renewed"),
        }
    }

    /// Gives up the claim of an update that was not finished.
    pub(crate) async fn release(&self, mut taken: Entry) -> Result<(), PortError> {
        taken.stored.leased_until_at = None;
        self.write(&mut taken).await.map(drop)
    }

    /// Marks it as done, whatever was written meanwhile.
    pub(crate) async fn done(&self, taken: &Entry) -> Result<(), PortError> {
        if self.finish(taken).await? {
            return Ok(());
        }
        let id = taken.stored.id;
        records::change(&*self.documents, id, StoredUpdate::finish).await.map(drop)
    }

    /// Marks it as done as it was seen. `false`: somebody has changed it meanwhile.
    pub(crate) async fn finish(&self, entry: &Entry) -> Result<bool, PortError> {
        let mut done = entry.clone();
        done.stored.finish();
        self.write(&mut done).await
    }

    /// Measures the age of what [`Inbox::remove_old`] removes.
    pub(crate) fn clock_watch(&self) -> ClockWatch {
        ClockWatch::new(self.clock.as_ref(), KEPT_FOR)
    }

    /// Removes some that have been done for long, however the clock was set since. `true`: there may be more.
    pub(crate) async fn remove_old(&self, watch: &mut ClockWatch, limit: u32) -> Result<bool, PortError> {
        watch.look(self.clock.as_ref());
        let Some(before) = watch.older_than(KEPT_FOR) else { return Ok(false) };
        let done = self.find(&Query::is(UPDATES, "state", "done", limit)).await?;
        let found = done.len();
        let mut removed = 0;
        for entry in done.into_iter().filter(|entry| entry.stored.received_at < before) {
            let key = Key::Number(entry.stored.id);
            self.documents.remove(UPDATES, &key, entry.version).await?;
            removed += 1;
        }
        Ok(removed > 0 && found >= usize::try_from(limit).unwrap_or(usize::MAX))
    }

    async fn find(&self, query: &Query) -> Result<Vec<Entry>, PortError> {
        let mut entries = Vec::new();
        for found in records::find_versioned::<StoredUpdate>(&*self.documents, query).await? {
            match found {
                Ok(found) => entries.push(Entry { stored: found.record, version: found.version }),
                Err(unreadable) => self.give_up(unreadable).await?,
            }
        }
        Ok(entries)
    }

    /// A record that cannot be read must not stand in the way of those behind it.
    async fn give_up(&self, Unreadable { key, reason }: Unreadable) -> Result<(), PortError> {
        tracing::error!(update.id = %key, reason, "a stored update cannot be read; it is given up");
        let (Key::Number(id), Ok(Some(document))) = (&key, self.documents.get(UPDATES, &key).await) else {
            return Ok(());
        };
        let person_id = document.body.get("person_id").and_then(Value::as_i64).unwrap_or_default();
        let mut stored = self.received(*id, person_id, String::new());
        stored.finish();
        self.write(&mut Entry { stored, version: document.version }).await.map(drop)
    }

    async fn write(&self, entry: &mut Entry) -> Result<bool, PortError> {
        match records::write(&*self.documents, Some(entry.version), &entry.stored).await? {
            Put::Done(version) => {
                entry.version = version;
                Ok(true)
            }
            Put::Conflict => Ok(false),
        }
    }
}

#[cfg(test)]
#[path = "inbox_tests.rs"]
mod tests;
