//! The log of notifications: what was sent, and who is sending.
//!
//! A claim writes an id of the call into every notification that is free, all in one command, and then reads which of
//! them have that id: of concurrent callers exactly one finds its own.

use std::collections::HashMap;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use mongodb::{
    bson::{Bson, DateTime, Document, RawDocumentBuf, doc, oid::ObjectId},
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
    failure::Failure,
    shop::{MongoShop, NOTIFICATIONS},
};

/// A stored notification.
#[derive(Debug, Deserialize)]
struct StoredNotification {
    #[serde(rename = "_id")]
    id: String,
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

/// Matches where no outcome is recorded, whether the field is missing or null.
fn unsettled() -> Document {
    doc! { "$not": [{ "$ifNull": ["$outcome", false] }] }
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
            let claims = distinct(ids).into_iter().map(|id| self.claim_update(id, call, now, lease_until));
            self.update_all(claims.collect()).await?;
            let mut stored = self.notifications(ids).await?;
            Ok(ids.iter().map(|id| answer(&mut stored, id, call)).collect())
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

    async fn settle(&self, ids: &[EventId], outcome: &SendOutcome, at: Timestamp) -> Result<(), PortError> {
        let set = doc! {
            "outcome": { "$ifNull": ["$outcome", { "$literal": outcome_document(outcome) }] },
            "settled_at": { "$ifNull": ["$settled_at", date(at)] },
        };
        let settled = distinct(ids)
            .into_iter()
            .map(|id| self.upsert(NOTIFICATIONS, id.as_str(), vec![doc! { "$set": set.clone() }]));
        self.call("recording how notifications ended", self.update_all(settled.collect())).await
    }

    async fn outcomes(&self, ids: &[EventId]) -> Result<Vec<Option<Settled>>, PortError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.call("reading how notifications ended", async {
            let stored = self.notifications(ids).await?;
            let settled = |id: &EventId| {
                let stored = stored.get(id.as_str())?;
                let at = from_unix_ms(stored.settled_at?.timestamp_millis());
                Some(Settled { outcome: stored.outcome.clone()?.into(), at })
            };
            Ok(ids.iter().map(settled).collect())
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
        // `is_due` of the domain. A missing lease sorts before every date.
        let of_a_clock_since_set_back = doc! { "$gt": ["$lease_until", date(lease_until + CLOCK_SKEW_MAX)] };
        let lease_over = doc! { "$or": [{ "$lte": ["$lease_until", date(now)] }, of_a_clock_since_set_back] };
        let free = doc! { "$and": [unsettled(), lease_over] };
        let if_free = |then: Bson, field: &str| doc! { "$cond": [free.clone(), then, field] };
        let attempt = doc! { "$add": [{ "$ifNull": ["$attempt", 0_i64] }, 1_i64] };
        let set = doc! {
            "attempt": if_free(attempt.into(), "$attempt"),
            "lease_until": if_free(date(lease_until).into(), "$lease_until"),
            "holder": if_free(self.holder().into(), "$holder"),
            "call": if_free(call.into(), "$call"),
        };
        self.upsert(NOTIFICATIONS, id.as_str(), vec![doc! { "$set": set }])
    }

    async fn notifications(&self, ids: &[EventId]) -> Result<HashMap<String, StoredNotification>, Failure> {
        let names: Vec<&str> = ids.iter().map(EventId::as_str).collect();
        let found = self.collection(NOTIFICATIONS).find(doc! { "_id": { "$in": names } }).await?;
        let found: Vec<RawDocumentBuf> = found.try_collect().await?;
        let mut stored = HashMap::with_capacity(found.len());
        for raw in &found {
            let notification: StoredNotification = mongodb::bson::from_slice(raw.as_bytes())
                .map_err(|error| Failure::Unexpected(format!("a notification cannot be read: {error}")))?;
            stored.insert(notification.id.clone(), notification);
        }
        Ok(stored)
    }
}

/// The answer for one notification. An id that is given twice in a call is granted once.
fn answer(stored: &mut HashMap<String, StoredNotification>, id: &EventId, call: ObjectId) -> Claim {
    // One that was removed between the write and the read is free at once, like one that was released.
    let Some(notification) = stored.get_mut(id.as_str()) else {
        return Claim::Busy { until: Timestamp::UNIX_EPOCH };
    };
    if notification.outcome.is_some() {
        return Claim::Settled;
    }
    if notification.call == Some(call) {
        notification.call = None;
        return Claim::Send { attempt: u32::try_from(notification.attempt).unwrap_or(u32::MAX) };
    }
    let until =
        notification.lease_until.map_or(Timestamp::UNIX_EPOCH, |at| from_unix_ms(at.timestamp_millis()));
    Claim::Busy { until }
}

/// Each id once, in the order of first mention.
fn distinct(ids: &[EventId]) -> Vec<&EventId> {
    let mut seen = std::collections::HashSet::with_capacity(ids.len());
    ids.iter().filter(|id| seen.insert(id.as_str())).collect()
}
