//! Updates as they are kept: each once, waiting or done.

use std::{fmt, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use teloxide::types::Update;
use tolov_domain::{
    ports::{
        PortError,
        documents::{Collection, Document, Documents, Key, Put, Query, Version},
        shop::Recorded,
    },
    time::{Timestamp, millis},
};
use tolov_kit::clock::Clock;
use tolov_shop::records::{self, Record};

/// How long an update is one bot's. It is renewed while the work goes on, so it is what a bot that died keeps a person
/// waiting for.
pub(crate) const LEASE: Duration = Duration::from_secs(20);
/// An update that was begun so often and never finished ends the process each time: it is given up.
const TRIES_MAX: u32 = 3;
/// Telegram brings an update again for 24 hours; so long it must be known that it is done.
const KEPT_FOR: Duration = Duration::from_hours(48);

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
    /// The same while it waits: what waits is found by this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    waiting_person_id: Option<i64>,
    /// As Telegram wrote it; empty when it is done, because nobody needs it then.
    json: String,
    /// How often an answer was begun.
    tries: u32,
    #[serde(with = "millis")]
    received_at: Timestamp,
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
    const COLLECTION: Collection = Collection::Updates;

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
        serde_json::from_str(&self.stored.json).ok()
    }
}

/// What came of taking an update in hand.
#[derive(Debug)]
pub(crate) enum Taken {
    Ours(Entry),
    /// Another bot has it in hand, or was faster just now.
    Theirs,
    /// It was begun too often; it is done now.
    GivenUp,
}

/// The updates in the shop store.
#[derive(Debug, Clone)]
pub(crate) struct Inbox {
    documents: Arc<dyn Documents>,
    clock: Arc<dyn Clock>,
}

impl Inbox {
    pub(crate) fn new(documents: Arc<dyn Documents>, clock: Arc<dyn Clock>) -> Self {
        Self { documents, clock }
    }

    /// Keeps an update that is not there yet.
    pub(crate) async fn keep(&self, id: i64, person_id: i64, json: String) -> Result<Recorded, PortError> {
        let stored = StoredUpdate {
            id,
            state: State::Waiting,
            person_id,
            waiting_person_id: Some(person_id),
            json,
            tries: 0,
            received_at: self.clock.now(),
            leased_until_at: None,
        };
        records::insert(&*self.documents, &stored).await
    }

    /// The first that wait in the queue of a person.
    pub(crate) async fn waiting_of(&self, person_id: i64, limit: u32) -> Result<Vec<Entry>, PortError> {
        self.find(&Query::is(Collection::Updates, "waiting_person_id", person_id, limit)).await
    }

    /// A page of all that wait.
    pub(crate) async fn waiting(&self, skip: u32, limit: u32) -> Result<Vec<Entry>, PortError> {
        self.find(&Query::is(Collection::Updates, "state", "waiting", limit).skip(skip)).await
    }

    pub(crate) async fn count_waiting(&self) -> Result<u64, PortError> {
        self.documents.count(&Query::is(Collection::Updates, "state", "waiting", 1)).await
    }

    pub(crate) fn is_leased(&self, entry: &Entry) -> bool {
        entry.stored.leased_until_at.is_some_and(|until| until > self.clock.now())
    }

    /// Takes an update in hand: written down before the work begins, so that of two bots one does it, and one that ends
    /// the process each time is found out.
    pub(crate) async fn take(&self, entry: &Entry) -> Result<Taken, PortError> {
        if self.is_leased(entry) {
            return Ok(Taken::Theirs);
        }
        if entry.stored.tries >= TRIES_MAX {
            return Ok(if self.skip(entry).await? { Taken::GivenUp } else { Taken::Theirs });
        }
        let mut taken = entry.clone();
        taken.stored.tries += 1;
        taken.stored.leased_until_at = Some(self.clock.now() + LEASE);
        Ok(if self.write(&mut taken).await? { Taken::Ours(taken) } else { Taken::Theirs })
    }

    /// The work goes on. One that fails is tried again soon; what matters is that it is done once in a while.
    pub(crate) async fn renew(&self, taken: &mut Entry) {
        let mut renewed = taken.clone();
        renewed.stored.leased_until_at = Some(self.clock.now() + LEASE);
        match self.write(&mut renewed).await {
            Ok(true) => *taken = renewed,
            Ok(false) => tracing::warn!(update.id = taken.stored.id, "another bot has taken over an update"),
            Err(error) => tracing::debug!(%error, "the lease of an update could not be renewed"),
        }
    }

    /// Gives back what was not finished: whoever comes first takes it.
    pub(crate) async fn give_back(&self, mut taken: Entry) -> Result<(), PortError> {
        taken.stored.leased_until_at = None;
        self.write(&mut taken).await.map(drop)
    }

    /// It is answered, whatever was written meanwhile.
    pub(crate) async fn done(&self, taken: &Entry) -> Result<(), PortError> {
        if self.skip(taken).await? {
            return Ok(());
        }
        let id = taken.stored.id;
        records::change(&*self.documents, id, StoredUpdate::finish).await.map(drop)
    }

    /// It needs no answer. `false`: somebody has changed it meanwhile.
    pub(crate) async fn skip(&self, entry: &Entry) -> Result<bool, PortError> {
        let mut done = entry.clone();
        done.stored.finish();
        self.write(&mut done).await
    }

    /// Removes some that have been done for long; says whether there may be more.
    pub(crate) async fn remove_old(&self, limit: u32) -> Result<bool, PortError> {
        let before = self.clock.now() - KEPT_FOR;
        let done = self.find(&Query::is(Collection::Updates, "state", "done", limit)).await?;
        let found = done.len();
        let mut removed = 0;
        for entry in done.into_iter().filter(|entry| entry.stored.received_at < before) {
            let key = Key::Number(entry.stored.id);
            self.documents.remove(Collection::Updates, &key, entry.version).await?;
            removed += 1;
        }
        Ok(removed > 0 && found >= usize::try_from(limit).unwrap_or(usize::MAX))
    }

    async fn find(&self, query: &Query) -> Result<Vec<Entry>, PortError> {
        let mut entries = Vec::new();
        for document in self.documents.find(query).await? {
            let body = Value::Object(document.body.clone());
            match serde_json::from_value(body) {
                Ok(stored) => entries.push(Entry { stored, version: document.version }),
                Err(error) => self.put_aside(document, &error).await?,
            }
        }
        Ok(entries)
    }

    /// A record that this version cannot read must not stand in the way of those behind it.
    async fn put_aside(&self, document: Document, error: &serde_json::Error) -> Result<(), PortError> {
        tracing::error!(update.id = %document.key, %error, "a kept update cannot be read; it is given up");
        let Key::Number(id) = document.key else { return Ok(()) };
        let stored = StoredUpdate {
            id,
            state: State::Done,
            person_id: document.body.get("person_id").and_then(Value::as_i64).unwrap_or_default(),
            waiting_person_id: None,
            json: String::new(),
            tries: 0,
            received_at: self.clock.now(),
            leased_until_at: None,
        };
        self.write(&mut Entry { stored, version: document.version }).await.map(drop)
    }

    async fn write(&self, entry: &mut Entry) -> Result<bool, PortError> {
        let Ok(Value::Object(body)) = serde_json::to_value(&entry.stored) else {
            return Err(PortError::Refused(
                "an update has no fields: report this fault of the program".to_owned(),
            ));
        };
        let key = Key::Number(entry.stored.id);
        match self.documents.put(Collection::Updates, &key, Some(entry.version), &body).await? {
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
