//! Fiscal receipts: what the HTTP API asks of the ledger about them.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use time::Duration;
use tolov_domain::{
    OrderId,
    receipt::{
        Change, Decision, PAUSE_MAX, Receipt,
        api::{MissingReceipt, MissingReceipts, OpenReceipt, OpenReceipts, RefundExtent},
    },
    time::{CLOCK_SKEW_MAX, Timestamp, unix_ms},
};

use super::{
    ADOPT_MAX, Ledger, LedgerError,
    read::pool::{Pool, read},
    refunds::AttemptColumns,
    writer::receipts::{
        ReceiptRow,
        steps::{ReceiptStepped, RetraceReceipts, StepKind, StepReceipt},
    },
};

/// The most receipts of one round of the reconciler: at a call a second it takes most of a minute for them, and refunds wait.
const OPEN_MAX: i64 = 10;
/// What the ledger lost by a restore may have been sent: CLICK is asked for a receipt only when it has printed whatever it took
/// then, and knows nothing of it is believed after this.
const AFTER_RESTORE: Duration = Duration::hours(1);
/// The most steps by which a receipt comes to where it was.
const RETRACED_MAX: usize = 6;
/// The most missing receipts that are listed.
const MISSING_MAX: i64 = 500;

/// One step of a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct ReceiptStepRecord {
    pub step: i64,
    /// Milliseconds since 1970.
    pub at: i64,
    pub state: String,
    pub by: String,
    pub url: Option<String>,
    pub click_code: Option<i64>,
    pub click_note: Option<String>,
    pub why: Option<String>,
    pub document: Option<String>,
}

fn receipt_of(row: &str) -> Result<Receipt, LedgerError> {
    Ok(serde_json::from_str::<ReceiptRow>(row)?.into())
}

/// The receipts of paid orders with these numbers.
pub(super) async fn receipts_in(
    pool: &Pool,
    numbers: RangeInclusive<i64>,
) -> Result<Vec<Receipt>, LedgerError> {
    let rows: Vec<String> = read!(
        pool,
        query_scalar.fetch_all,
        "SELECT receipt FROM receipts_as_json WHERE order_id BETWEEN $1 AND $2 AND state <> 'agreed' LIMIT 100000",
        numbers.start(),
        numbers.end(),
    )?;
    rows.iter().map(|row| receipt_of(row)).collect()
}

impl Ledger {
    /// Takes receipts on to where the ledger had them that is replaced. Returns how many of them were not there. May be repeated.
    pub async fn adopt_lost_receipts(
        &self,
        receipts: Vec<Receipt>,
        now: Timestamp,
    ) -> Result<usize, LedgerError> {
        let mut changed = 0;
        for part in receipts.chunks(ADOPT_MAX) {
            for round in 0..RETRACED_MAX {
                let retraced = self.decide(RetraceReceipts { receipts: part.to_vec(), at: now }).await?;
                if round == 0 {
                    changed += retraced;
                }
                if retraced == 0 {
                    break;
                }
            }
        }
        Ok(changed)
    }

    /// The receipt of a paid order; `None` where nothing was agreed on, or the order is not paid.
    pub async fn receipt(&self, order_id: OrderId) -> Result<Option<Receipt>, LedgerError> {
        let row: Option<String> = read!(
            &self.readers.requests,
            query_scalar.fetch_optional,
            "SELECT receipt FROM receipts_as_json WHERE order_id = $1 AND state <> 'agreed'",
            order_id.get(),
        )?;
        row.as_deref().map(receipt_of).transpose()
    }

    /// Applies what the reconciler reports of a receipt, if nobody has changed it since `step`. That it is known is
    /// published.
    pub async fn advance_receipt(
        &self,
        order_id: OrderId,
        step: u32,
        (change, next_step_at): (Change, Option<Timestamp>),
        at: Timestamp,
    ) -> Result<ReceiptStepped, LedgerError> {
        self.decide(StepReceipt { order_id, what: StepKind::Change { step, change, next_step_at }, at }).await
    }

    /// Applies what a person decides.
    pub async fn decide_receipt(
        &self,
        order_id: OrderId,
        choice: Decision,
        by: &str,
        at: Timestamp,
    ) -> Result<ReceiptStepped, LedgerError> {
        let by = by.to_owned();
        self.decide(StepReceipt { order_id, what: StepKind::Decide { choice, by }, at }).await
    }

    /// Receipts whose turn it is ([`tolov_domain::time::is_due`]), with their attempts and refunds.
    pub async fn open_receipts(&self, now: Timestamp) -> Result<OpenReceipts, LedgerError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            receipt: String,
            #[sqlx(flatten)]
            attempt: AttemptColumns,
            in_telegram: bool,
            refund_open: bool,
            refunded: i64,
            paid: i64,
        }
        let rows: Vec<Row> = read!(
            &self.readers.requests,
            query_as.fetch_all,
            "SELECT r.receipt, a.prepare_id, a.order_id, coalesce(a.paid_paydoc_id, a.click_paydoc_id) AS click_paydoc_id,
               a.amount_tiyin, a.prepared_at, TRUE AS is_paid, a.amount_tiyin AS paid,
               a.click_trans_id >= 9007199254740992 AS in_telegram,
               (SELECT CAST(coalesce(sum(f.amount_tiyin), 0) AS BIGINT) FROM refunds AS f
                 WHERE f.order_id = r.order_id AND f.state IN ('done', 'done_by_hand')) AS refunded,
               EXISTS (SELECT 1 FROM refunds AS f WHERE f.order_id = r.order_id
                 AND f.state NOT IN ('done', 'done_by_hand', 'withdrawn')) AS refund_open
             FROM receipts_as_json AS r CROSS JOIN orders AS o CROSS JOIN attempts AS a
             WHERE o.order_id = r.order_id AND a.prepare_id = o.paid_by
               -- With a plus, so that one walk along the index finds them in their order.
               AND r.next_step_at IS NOT NULL AND (+r.next_step_at <= $1 OR +r.next_step_at > $4)
               AND (r.state <> 'needed' OR NOT EXISTS (SELECT 1 FROM restores WHERE restored_at > $3 AND restored_at <= $5))
             ORDER BY r.next_step_at LIMIT +$2",
            unix_ms(now),
            OPEN_MAX,
            unix_ms(now - AFTER_RESTORE),
            unix_ms(now + PAUSE_MAX + CLOCK_SKEW_MAX),
            unix_ms(now + CLOCK_SKEW_MAX),
        )?;
        let open = |row: Row| {
            let refund = match (row.refund_open, row.refunded) {
                (true, _) => RefundExtent::Open,
                (false, 0) => RefundExtent::None,
                (false, sum) if sum >= row.paid => RefundExtent::Whole,
                (false, _) => RefundExtent::Part,
            };
            let (receipt, attempt) = (receipt_of(&row.receipt)?, row.attempt.try_into()?);
            Ok(OpenReceipt { receipt, attempt, in_telegram: row.in_telegram, refund })
        };
        let receipts = rows.into_iter().map(open).collect::<Result<_, LedgerError>>()?;
        let waiting = self.count("SELECT count(*) FROM receipts WHERE next_step_at IS NOT NULL").await?;
        Ok(OpenReceipts { receipts, waiting, missing: self.count_missing_receipts().await? })
    }

    /// How many sales wait for a person because they have no receipt, and how many refunds for theirs.
    pub async fn count_missing_receipts(&self) -> Result<u32, LedgerError> {
        let count = "SELECT count(*) FROM receipts WHERE order_id IN (SELECT order_id FROM missing_receipts)";
        self.count(count).await
    }

    async fn count(&self, query: &'static str) -> Result<u32, LedgerError> {
        let count: i64 = read!(&self.readers.requests, query_scalar.fetch_one, query)?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// Those, oldest first.
    pub async fn missing_receipts(&self) -> Result<MissingReceipts, LedgerError> {
        let rows: Vec<(String, bool)> = read!(
            &self.readers.requests,
            query_as.fetch_all,
            "SELECT receipt, state <> 'missing' FROM receipts_as_json
             WHERE order_id IN (SELECT order_id FROM missing_receipts) ORDER BY order_id LIMIT +$1",
            MISSING_MAX,
        )?;
        let missing = |(row, return_of_refund): (String, bool)| {
            Ok(MissingReceipt { receipt: receipt_of(&row)?, return_of_refund })
        };
        let receipts = rows.into_iter().map(missing).collect::<Result<_, LedgerError>>()?;
        Ok(MissingReceipts { count: self.count_missing_receipts().await?, receipts })
    }
}
