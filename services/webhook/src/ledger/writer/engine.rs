//! What the writer asks of the engine that keeps the ledger. What is decided is the same on each, and nothing here decides.

use std::collections::BTreeSet;

use serde::Serialize;
use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};
use tolov_domain::{OrderId, time::unix_ms};
use tolov_kit::clock_watch::{Note, NotedJump};

use super::{
    job::Maintenance,
    known::{Needs, Numbers},
    working_set::Writes,
};
use crate::ledger::LedgerError;

/// The most outbox rows that one pruning deletes.
const PRUNE_MAX: i64 = 1000;

/// A statement with its parameters. It is the same on every engine.
pub(crate) type Change = (&'static str, Vec<i64>);

/// One connection that writes, in one transaction at a time: `begin`, what is read for it, `store`. A failure on the way is
/// followed by `recover`.
pub(crate) trait Engine: Send + 'static {
    /// Its name in OpenTelemetry's semantic conventions.
    const SYSTEM: &'static str;

    /// Begins a batch. Where others may have written since the last one, what was known is worth nothing, and these are the
    /// numbers now.
    fn begin(&mut self) -> impl Future<Output = Result<Option<Numbers>, LedgerError>> + Send;

    fn numbers(&mut self) -> impl Future<Output = Result<Numbers, LedgerError>> + Send;

    /// The JSON of the orders that are needed.
    fn load(&mut self, needs: &Needs) -> impl Future<Output = Result<String, LedgerError>> + Send;

    /// The JSON of receipts of paid orders.
    fn load_receipts(
        &mut self,
        orders: &BTreeSet<OrderId>,
    ) -> impl Future<Output = Result<String, LedgerError>> + Send;

    /// Writes and commits.
    fn store(&mut self, writes: Writes) -> impl Future<Output = Result<(), LedgerError>> + Send;

    /// Upkeep, in a transaction of its own. Returns how many rows the first change concerned; after 0 the others are left out.
    fn change(&mut self, changes: Vec<Change>) -> impl Future<Output = Result<u64, LedgerError>> + Send;

    /// After a failure: ends the transaction, and where the connection can no longer be trusted to know what is stored, also
    /// that. Returns the numbers where they had to be read anew.
    fn recover(&mut self, error: &LedgerError) -> impl Future<Output = Option<Numbers>> + Send;

    fn close(self) -> impl Future<Output = ()> + Send;
}

/// The numbers that were given out or taken, also by a ledger that was lost. Payments in Telegram have transactions above all of
/// CLICK's.
pub(crate) const NUMBERS: &str = "
SELECT (SELECT coalesce(max(n), 0) FROM (
      SELECT max(prepare_id) AS n FROM attempts UNION ALL SELECT max(prepare_id_floor) FROM restores) AS given)
    AS last_prepare_id,
  (SELECT coalesce(max(n), 0) FROM (
      SELECT max(order_id) AS n FROM orders UNION ALL SELECT max(order_id_floor) FROM restores) AS taken)
    AS highest_order_id,
  (SELECT coalesce(max(paid_trans_id), 0) FROM attempts WHERE state = 'paid' AND paid_trans_id < 9007199254740992)
    AS highest_paid_transaction,
  (SELECT coalesce(max(refund_id), 0) FROM refunds) AS last_refund_id,
  (SELECT coalesce(max(phone_invoice_id), 0) FROM phone_invoices) AS last_phone_invoice_id";

impl<'r, R: Row> FromRow<'r, R> for Numbers
where
    &'static str: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        let highest_paid_transaction = row.try_get("highest_paid_transaction")?;
        Ok(Self {
            next_prepare_id: row.try_get::<i64, _>("last_prepare_id")?.saturating_add(1),
            highest_order_id: row.try_get("highest_order_id")?,
            highest_paid_transaction,
            forgotten_up_to: highest_paid_transaction,
            last_refund_id: row.try_get("last_refund_id")?,
            last_phone_invoice_id: row.try_get("last_phone_invoice_id")?,
        })
    }
}

impl Maintenance {
    pub(super) fn changes(self) -> Vec<Change> {
        match self {
            Self::Probe { now } => vec![("UPDATE ledger_state SET probed_at = $1", vec![unix_ms(now)])],
            Self::NoteClock(Note { believed, jumps }) => {
                let noted_at = unix_ms(believed);
                let note = ("UPDATE ledger_state SET clock_believed_at = $1", vec![noted_at]);
                let jumps = (0..).zip(jumps).map(|(place, NotedJump { by, age })| {
                    let [by_ms, age_ms] = [by, age].map(whole_ms);
                    (
                        "INSERT INTO clock_jumps (place, by_ms, age_ms, noted_at) VALUES ($1, $2, $3, $4)",
                        vec![place, by_ms, age_ms, noted_at],
                    )
                });
                [note, ("DELETE FROM clock_jumps", Vec::new())].into_iter().chain(jumps).collect()
            }
            Self::PruneOutbox { sent_before } => vec![
                (
                    // Questions are few, and nothing else has them.
                    "DELETE FROM outbox WHERE id IN
                       (SELECT id FROM outbox WHERE sent_at < $1 AND routing_key <> 'payment.questioned'
                        ORDER BY sent_at LIMIT +$2)",
                    vec![unix_ms(sent_before), PRUNE_MAX],
                ),
                (
                    "UPDATE ledger_state SET outbox_pruned_before = $1 WHERE outbox_pruned_before < $1",
                    vec![unix_ms(sent_before)],
                ),
            ],
            Self::ReplayUnplaced { since, until } => vec![(
                "UPDATE outbox SET sent_at = NULL, refusals = 0, retry_at = 0
                 WHERE order_id IS NULL AND sent_at IS NOT NULL AND created_at BETWEEN $1 AND $2",
                vec![unix_ms(since), unix_ms(until)],
            )],
            Self::PruneUnverified { received_before, rows_max } => vec![(
                "DELETE FROM unverified_callbacks WHERE id IN
                   (SELECT id FROM unverified_callbacks WHERE received_at < $1
                    UNION
                    SELECT id FROM (SELECT id FROM unverified_callbacks
                      ORDER BY id DESC LIMIT 9223372036854775807 OFFSET $2) AS beyond)",
                vec![unix_ms(received_before), i64::from(rows_max)],
            )],
        }
    }
}

fn whole_ms(duration: time::Duration) -> i64 {
    duration.whole_milliseconds().try_into().unwrap_or(i64::MAX)
}

/// The JSON of rows for a statement's parameter.
#[expect(clippy::expect_used, reason = "rows are structs of texts, integers and lists of them")]
pub(crate) fn json<T: Serialize>(rows: T) -> String {
    serde_json::to_string(&rows).expect("texts and integers are JSON")
}
