//! What was sent, so that nothing is sent twice.
//!
//! A claim writes the name of the call into every notification that is free, all in one command, and then reads which
//! of them carry that name: of callers at the same time exactly one finds its own.

use std::collections::HashMap;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use mongodb::bson::{Document, RawDocumentBuf, doc, oid::ObjectId};
use tolov_domain::{
    EventId,
    ports::{
        PortError,
        shop::{Claim, NotificationLog, Outcome},
    },
    time::Timestamp,
};

use crate::{
    document::{self, NotificationDocument},
    failure::Failure,
    shop::{MongoShop, NOTIFICATIONS},
    write::upsert,
};

/// True where no outcome is recorded. A missing field and null are both "not".
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
        self.call("claiming notifications", async {
            let call = ObjectId::new();
            let claims = distinct(ids).into_iter().map(|id| self.claim_update(id, call, now, lease_until));
            self.write(NOTIFICATIONS, claims.collect()).await?;
            let mut stored = self.notifications(ids).await?;
            ids.iter().map(|id| answer(&mut stored, id, call)).collect()
        })
        .await
    }

    async fn release(&self, ids: &[EventId]) -> Result<(), PortError> {
        // Only a claim of this store that still holds: one that was taken over after its lease belongs to somebody
        // else. Without its lease a notification is free, so a repetition finds nothing to take back. The attempt
        // goes down by one and not to 0: what an earlier attempt may have sent is still to be told.
        let ours = doc! { "_id": "", "holder": self.holder(), "outcome": { "$exists": false } };
        let free =
            doc! { "$inc": { "attempt": -1_i64 }, "$unset": { "lease_until": "", "holder": "", "call": "" } };
        let releases = distinct(ids).into_iter().map(|id| {
            let mut one = ours.clone();
            one.insert("_id", id.as_str());
            doc! { "q": one, "u": free.clone() }
        });
        self.call("releasing notifications", self.write(NOTIFICATIONS, releases.collect())).await.map(|_| ())
    }

    async fn settle(&self, ids: &[EventId], outcome: &Outcome, at: Timestamp) -> Result<(), PortError> {
        let set = doc! {
            "outcome": { "$ifNull": ["$outcome", { "$literal": document::outcome(outcome) }] },
            "settled_at": { "$ifNull": ["$settled_at", document::date(at)] },
        };
        let settled = distinct(ids).into_iter().map(|id| upsert(id.as_str(), set.clone()));
        self.call("recording how notifications ended", self.write(NOTIFICATIONS, settled.collect()))
            .await
            .map(|_| ())
    }

    async fn outcome(&self, id: &EventId) -> Result<Option<Outcome>, PortError> {
        self.call("reading how a notification ended", async {
            let mut stored = self.notifications(std::slice::from_ref(id)).await?;
            Ok(stored.remove(id.as_str()).and_then(|notification| notification.outcome).map(Outcome::from))
        })
        .await
    }
}

impl MongoShop {
    fn claim_update(&self, id: &EventId, call: ObjectId, now: Timestamp, lease_until: Timestamp) -> Document {
        // A missing lease sorts before every date.
        let lease_over = doc! { "$lte": ["$lease_until", document::date(now)] };
        let free = doc! { "$and": [unsettled(), lease_over] };
        let if_free = |then: mongodb::bson::Bson, field: &str| doc! { "$cond": [free.clone(), then, field] };
        let attempt = doc! { "$add": [{ "$ifNull": ["$attempt", 0_i64] }, 1_i64] };
        let set = doc! {
            "attempt": if_free(attempt.into(), "$attempt"),
            "lease_until": if_free(document::date(lease_until).into(), "$lease_until"),
            "holder": if_free(self.holder().into(), "$holder"),
            "call": if_free(call.into(), "$call"),
        };
        upsert(id.as_str(), set)
    }

    async fn notifications(&self, ids: &[EventId]) -> Result<HashMap<String, NotificationDocument>, Failure> {
        let names: Vec<&str> = ids.iter().map(EventId::as_str).collect();
        let found = self.collection(NOTIFICATIONS).find(doc! { "_id": { "$in": names } }).await?;
        let found: Vec<RawDocumentBuf> = found.try_collect().await?;
        let mut stored = HashMap::with_capacity(found.len());
        for raw in &found {
            let notification: NotificationDocument = document::read(NOTIFICATIONS, raw, Ok)?;
            stored.insert(notification.id.clone(), notification);
        }
        Ok(stored)
    }
}

/// What a claimer is told of one notification. Whoever names it twice in a call gets it once.
fn answer(
    stored: &mut HashMap<String, NotificationDocument>,
    id: &EventId,
    call: ObjectId,
) -> Result<Claim, Failure> {
    let notification = stored.get_mut(id.as_str());
    let notification = notification.ok_or_else(|| Failure::Vanished(format!("notification {id}")))?;
    if notification.outcome.is_some() {
        return Ok(Claim::Settled);
    }
    if notification.call == Some(call) {
        notification.call = None;
        return Ok(Claim::Send { attempt: u32::try_from(notification.attempt).unwrap_or(u32::MAX) });
    }
    // Without a lease it was released between the write and the read: free at once.
    let until = notification.lease_until.map_or(Timestamp::UNIX_EPOCH, document::instant);
    Ok(Claim::Busy { until })
}

/// Each id once, in the order of first mention.
fn distinct(ids: &[EventId]) -> Vec<&EventId> {
    let mut seen = std::collections::HashSet::with_capacity(ids.len());
    ids.iter().filter(|id| seen.insert(id.as_str())).collect()
}
