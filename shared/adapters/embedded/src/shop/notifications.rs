//! The log of notifications: what was sent, and who is sending.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};
use tolov_domain::{
    EventId,
    ports::{
        PortError,
        notifications::{Claim, NotificationLog, SendOutcome, Settled},
    },
    time::{CLOCK_SKEW_MAX, Timestamp, from_unix_ms, unix_ms},
};

use super::EmbeddedShop;
use crate::sqlite::BEGIN_WRITING;

#[async_trait]
impl NotificationLog for EmbeddedShop {
    async fn claim(
        &self,
        ids: &[EventId],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Claim>, PortError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut writer = self.file.writer().await?;
        let taken = take(&mut writer, ids, unix_ms(now), unix_ms(lease_until));
        let (mut granted, held) = taken.await.map_err(|error| self.file.failed(&error))?;
        // An id that is given twice is granted once.
        let answer = |id: &EventId| match granted.remove(id.as_str()) {
            Some(attempt) => Claim::Send { attempt },
            None => match held.get(id.as_str()) {
                Some(Some(until_ms)) => Claim::Busy { until: from_unix_ms(*until_ms) },
                Some(None) | None => Claim::Settled,
            },
        };
        Ok(ids.iter().map(answer).collect())
    }

    async fn release(&self, ids: &[EventId]) -> Result<(), PortError> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut writer = self.file.writer().await?;
        sqlx::query(
            "UPDATE notifications SET attempts = attempts - 1, lease_until_ms = NULL
             WHERE id IN (SELECT value FROM json_each(?1))
                   AND settled_at_ms IS NULL AND lease_until_ms IS NOT NULL",
        )
        .bind(json!(ids).to_string())
        .execute(&mut *writer)
        .await
        .map_err(|error| self.file.failed(&error))?;
        Ok(())
    }

    async fn settle_each(&self, outcomes: &[(EventId, SendOutcome)], at: Timestamp) -> Result<(), PortError> {
        if outcomes.is_empty() {
            return Ok(());
        }
        let row = |(id, outcome): &(EventId, SendOutcome)| match outcome {
            SendOutcome::Sent { message_id } => json!([id, message_id, null]),
            SendOutcome::Undeliverable { reason } => json!([id, null, reason]),
        };
        let rows: Vec<Value> = outcomes.iter().map(row).collect();
        let mut writer = self.file.writer().await?;
        sqlx::query(
            "INSERT INTO notifications (id, attempts, settled_at_ms, message_id, undeliverable_reason)
             SELECT value ->> 0, 0, ?2, value ->> 1, value ->> 2 FROM jsonb_each(?1) WHERE true
             ON CONFLICT (id) DO UPDATE SET lease_until_ms = NULL, settled_at_ms = excluded.settled_at_ms,
                 message_id = excluded.message_id, undeliverable_reason = excluded.undeliverable_reason
             WHERE settled_at_ms IS NULL",
        )
        .bind(json!(rows).to_string())
        .bind(unix_ms(at))
        .execute(&mut *writer)
        .await
        .map_err(|error| self.file.failed(&error))?;
        Ok(())
    }

    async fn outcomes(&self, ids: &[EventId]) -> Result<Vec<Option<Settled>>, PortError> {
        let rows: Vec<(String, i64, Option<i64>, Option<String>)> = sqlx::query_as(
            "SELECT id, settled_at_ms, message_id, undeliverable_reason FROM notifications
             WHERE id IN (SELECT value FROM json_each(?1)) AND settled_at_ms IS NOT NULL",
        )
        .bind(json!(ids).to_string())
        .fetch_all(self.file.readers())
        .await
        .map_err(|error| self.file.failed(&error))?;
        let settled = |(id, at_ms, message_id, reason): (String, i64, Option<i64>, Option<String>)| {
            let sent = message_id.map(|message_id| SendOutcome::Sent { message_id });
            let outcome = sent.or(reason.map(|reason| SendOutcome::Undeliverable { reason }))?;
            Some((id, Settled { outcome, at: from_unix_ms(at_ms) }))
        };
        let settled: BTreeMap<String, Settled> = rows.into_iter().filter_map(settled).collect();
        Ok(ids.iter().map(|id| settled.get(id.as_str()).cloned()).collect())
    }
}

/// The granted attempt by id.
type Granted = BTreeMap<String, u32>;
/// The end of the lease, also of the caller's own, by id; `None`: it is settled.
type Leases = BTreeMap<String, Option<i64>>;

async fn take(
    writer: &mut SqliteConnection,
    ids: &[EventId],
    now_ms: i64,
    lease_until_ms: i64,
) -> sqlx::Result<(Granted, Leases)> {
    let ids = json!(ids).to_string();
    let clock_skew_max_ms = i64::try_from(CLOCK_SKEW_MAX.whole_milliseconds()).unwrap_or(i64::MAX);
    let mut transaction = writer.begin_with(BEGIN_WRITING).await?;
    let granted: Vec<(String, u32)> = sqlx::query_as(
        "INSERT INTO notifications (id, attempts, lease_until_ms)
         SELECT DISTINCT value, 1, ?3 FROM json_each(?1) WHERE true
         ON CONFLICT (id) DO UPDATE SET attempts = attempts + 1, lease_until_ms = excluded.lease_until_ms
         WHERE settled_at_ms IS NULL
           -- `is_due` of the domain
           AND (lease_until_ms IS NULL OR lease_until_ms <= ?2 OR lease_until_ms > ?3 + ?4)
         RETURNING id, attempts",
    )
    .bind(&ids)
    .bind(now_ms)
    .bind(lease_until_ms)
    .bind(clock_skew_max_ms)
    .fetch_all(&mut *transaction)
    .await?;
    let held: Vec<(String, Option<i64>)> = sqlx::query_as(
        "SELECT id, lease_until_ms FROM notifications WHERE id IN (SELECT value FROM json_each(?1))",
    )
    .bind(&ids)
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok((granted.into_iter().collect(), held.into_iter().collect()))
}
