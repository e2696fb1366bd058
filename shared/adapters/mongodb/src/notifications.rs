//! The log of notifications: what was sent, and who is sending.
//!
//! A claim writes an id of the call into every notification that is free, all in one command: what was not there before is the
//! caller's. Of the others it then reads which have that id: of concurrent callers exactly one finds its own.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use futures_util::TryStreamExt;
use mongodb::{
    bson::{DateTime, Document, RawDocumentBuf, doc, oid::ObjectId},
    options::UpdateOneModel,
};
use serde::Deserialize;
use tolov_domain::{
    EventId,
    ports::{
        PortError,
        notifications::{Claim, NotificationLog, SendOutcome, Settled},
    },
    time::{CLOCK_SKEW_MAX, Timestamp, from_unix_ms, unix_ms},
};

use crate::{
    bulk::Effect,
    failure::Failure,
    shop::{MongoShop, NOTIFICATIONS},
};

/// A stored notification.
#[derive(Debug, Deserialize)]
struct StoredNotification {
    #[serde(default)]
    attempt: i64,
    lease_until: Option<DateTime>,
    call: Option<ObjectId>,
    outcome: Option<StoredOutcome>,
    settled_at: Option<DateTime>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum StoredOutcome {
    Sent { message_id: i64 },
    Undeliverable { reason: String },
}

impl From<StoredOutcome> for SendOutcome {
    fn from(stored: StoredOutcome) -> Self {
        match stored {
            StoredOutcome::Sent { message_id } => Self::Sent { message_id },
            StoredOutcome::Undeliverable { reason } => Self::Undeliverable { reason },
        }
    }
}

fn outcome_document(outcome: &SendOutcome) -> Document {
    match outcome {
        SendOutcome::Sent { message_id } => doc! { "kind": "sent", "message_id": *message_id },
        SendOutcome::Undeliverable { reason } => doc! { "kind": "undeliverable", "reason": reason },
    }
}

fn date(at: Timestamp) -> DateTime {
    DateTime::from_millis(unix_ms(at))
}

#[async_trait]
impl NotificationLog for MongoShop {
    async fn claim(
        &self,
        ids: &[EventId],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Claim>, PortError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.call("claiming notifications", async {
            let call = ObjectId::new();
            let claimed = distinct(ids);
            let updates = claimed.iter().map(|id| self.claim_update(id, call, now, lease_until).into());
            let effects = self.bulk_write(updates.collect()).await?;
            let (mut answers, mut unclear) = (HashMap::new(), Vec::new());
            for (id, effect) in claimed.into_iter().zip(effects) {
                match effect {
                    Effect::Created => drop(answers.insert(id.clone(), Claim::Send { attempt: 1 })),
                    // One that is there and not free is refused as a second one with its id.
                    Effect::Refused(refusal) if !refusal.is_duplicate_id() => {
                        answers.insert(id.clone(), Claim::Refused { reason: refusal.to_string() });
                    }
                    Effect::Matched | Effect::Unmatched | Effect::Refused(_) => unclear.push(id.clone()),
                }
            }
            let mut stored = self.notifications(&unclear).await?;
            for id in unclear {
                let answer = answer(stored.remove(id.as_str()), call);
                answers.insert(id, answer);
            }
            Ok(ids
                .iter()
                .map(|id| answers.get_mut(id).map_or_else(removed, |it| once(it, lease_until)))
                .collect())
        })
        .await
    }

    async fn release(&self, ids: &[EventId]) -> Result<(), PortError> {
        // Only a claim of this store that still holds: one that was taken over after its lease belongs to another. A
        // released notification has no holder, so a repetition finds nothing to release. The attempt goes down by one
        // and not to 0, because an earlier attempt may have been sent.
        let free = doc! {
            "$inc": { "attempt": -1_i64 },
            "$unset": { "lease_until": "", "holder": "", "call": "" },
        };
        let releases = distinct(ids).into_iter().map(|id| {
            let own = doc! { "_id": id.as_str(), "holder": self.holder(), "outcome": { "$exists": false } };
            self.update(NOTIFICATIONS, own, free.clone())
        });
        self.call("releasing notifications", self.update_all(releases.collect())).await
    }

    async fn settle_each(&self, outcomes: &[(EventId, SendOutcome)], at: Timestamp) -> Result<(), PortError> {
        let mut seen = HashSet::with_capacity(outcomes.len());
        let first = outcomes.iter().filter(|(id, _)| seen.insert(id.as_str()));
        let settled = first.map(|(id, outcome)| {
            let set = doc! {
                "outcome": { "$ifNull": ["$outcome", { "$literal": outcome_document(outcome) }] },
                "settled_at": { "$ifNull": ["$settled_at", date(at)] },
            };
            self.upsert(NOTIFICATIONS, id.as_str(), vec![doc! { "$set": set }])
        });
        self.call("recording how notifications ended", self.update_all(settled.collect())).await
    }

    async fn outcomes(&self, ids: &[EventId]) -> Result<Vec<Option<Settled>>, PortError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.call("reading how notifications ended", async {
            let stored = self.notifications(ids).await?;
            let settled = |id: &EventId| {
                let stored = match stored.get(id.as_str()) {
                    Some(Ok(stored)) => stored,
                    Some(Err(reason)) => return Err(Failure::Unexpected(reason.clone())),
                    None => return Ok(None),
                };
                let at = stored.settled_at.map(|at| from_unix_ms(at.timestamp_millis()));
                let ended = stored.outcome.clone().zip(at);
                Ok(ended.map(|(outcome, at)| Settled { outcome: outcome.into(), at }))
            };
            ids.iter().map(settled).collect()
        })
        .await
    }
}

impl MongoShop {
    fn claim_update(
        &self,
        id: &EventId,
        call: ObjectId,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> UpdateOneModel {
        // `is_due` of the domain: a lease of a clock that was set back since has ended too.
        let lease = doc! { "$gt": date(now), "$lte": date(lease_until + CLOCK_SKEW_MAX) };
        let free = doc! { "outcome.kind": { "$exists": false }, "lease_until": { "$not": lease } };
        let set = doc! { "lease_until": date(lease_until), "holder": self.holder(), "call": call };
        self.upsert_where(
            NOTIFICATIONS,
            id.as_str(),
            free,
            doc! { "$inc": { "attempt": 1_i64 }, "$set": set },
        )
    }

    /// Those that are there. One that cannot be read keeps no other from being read.
    async fn notifications(&self, ids: &[EventId]) -> Result<HashMap<String, Stored>, Failure> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let names: Vec<&str> = ids.iter().map(EventId::as_str).collect();
        let found = self.collection(NOTIFICATIONS).find(doc! { "_id": { "$in": names } }).await?;
        let found: Vec<RawDocumentBuf> = found.try_collect().await?;
        let read = |raw: &RawDocumentBuf| {
            let id = raw.get_str("_id").ok()?.to_owned();
            let stored = mongodb::bson::from_slice(raw.as_bytes());
            Some((id, stored.map_err(|error| format!("the notification cannot be read: {error}"))))
        };
        Ok(found.iter().filter_map(read).collect())
    }
}

/// The error says why it cannot be read.
type Stored = Result<StoredNotification, String>;

/// The answer for a notification that is stored already.
fn answer(stored: Option<Stored>, call: ObjectId) -> Claim {
    let notification = match stored {
        Some(Ok(notification)) => notification,
        Some(Err(reason)) => return Claim::Refused { reason },
        None => return removed(),
    };
    if notification.outcome.is_some() {
        return Claim::Settled;
    }
    if notification.call == Some(call) {
        return Claim::Send { attempt: u32::try_from(notification.attempt).unwrap_or(u32::MAX) };
    }
    let until =
        notification.lease_until.map_or(Timestamp::UNIX_EPOCH, |at| from_unix_ms(at.timestamp_millis()));
    Claim::Busy { until }
}

/// One that was removed between the write and the read is free at once, like one that was released.
const fn removed() -> Claim {
    Claim::Busy { until: Timestamp::UNIX_EPOCH }
}

/// An id that is given twice in a call is granted once.
fn once(claim: &mut Claim, lease_until: Timestamp) -> Claim {
    match claim {
        Claim::Send { .. } => std::mem::replace(claim, Claim::Busy { until: lease_until }),
        other @ (Claim::Busy { .. } | Claim::Settled | Claim::Refused { .. }) => other.clone(),
    }
}

/// Each id once, in the order of first mention.
fn distinct(ids: &[EventId]) -> Vec<&EventId> {
    let mut seen = HashSet::with_capacity(ids.len());
    ids.iter().filter(|id| seen.insert(id.as_str())).collect()
}
