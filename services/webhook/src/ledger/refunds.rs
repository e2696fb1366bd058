//! Refunds, silent attempts and calls of the Merchant API: what the HTTP API asks of the ledger about them.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use tolov_domain::{
    ClickPaydocId, OrderId, PrepareId, RefundId, Tiyin,
    refund::{
        Change, Decision, ManualReason, Refund,
        api::{
            Attempt, MerchantCall, OpenRefund, RefundRequest, Refunds, ReportSource, SeenReply, SeenRequest,
        },
    },
    silence::ASKED_AFTER,
    time::{CLOCK_SKEW_MAX, Timestamp, from_unix_ms, unix_ms},
};

use super::{
    Ledger, LedgerError,
    read::pool::{Pool, read},
    writer::{
        refund_rows::RefundRow,
        refunds::{AskForRefund, Asked, StepKind, StepRefund, Stepped},
        seen::{KeepCalls, SeenAttempt},
    },
};

/// An attempt that is older than this is not asked about any more, also when nobody asked in time.
const SILENT_MAX: time::Duration = time::Duration::days(3);

/// One step of a refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct RefundStepRecord {
    pub refund_id: i64,
    pub step: i64,
    /// Milliseconds since 1970.
    pub at: i64,
    pub state: String,
    pub by: String,
    pub click_code: Option<i64>,
    pub click_note: Option<String>,
    pub why: Option<String>,
    pub document: Option<String>,
}

/// A call of the Merchant API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct MerchantCallRecord {
    /// Milliseconds since 1970.
    pub at: i64,
    pub method: String,
    pub path: String,
    pub outcome: String,
    pub code: Option<i64>,
    pub note: String,
}

#[derive(sqlx::FromRow)]
pub(super) struct AttemptColumns {
    prepare_id: i64,
    order_id: i64,
    click_paydoc_id: i64,
    amount_tiyin: i64,
    prepared_at: i64,
    is_paid: bool,
}

impl TryFrom<AttemptColumns> for Attempt {
    type Error = LedgerError;

    fn try_from(row: AttemptColumns) -> Result<Self, LedgerError> {
        const BAD_ID: LedgerError = LedgerError::Row("an id is not positive");
        Ok(Self {
            prepare_id: PrepareId::try_new(row.prepare_id).map_err(|_| BAD_ID)?,
            order_id: OrderId::try_new(row.order_id).map_err(|_| BAD_ID)?,
            click_paydoc_id: ClickPaydocId::try_new(row.click_paydoc_id).map_err(|_| BAD_ID)?,
            amount_tiyin: Tiyin::try_new(row.amount_tiyin)
                .map_err(|_| LedgerError::Row("an amount is out of range"))?,
            prepared_at: from_unix_ms(row.prepared_at),
            is_paid: row.is_paid,
        })
    }
}

impl Ledger {
    /// Opens a refund, or returns that of the same request.
    pub async fn ask_for_refund(
        &self,
        order_id: OrderId,
        asked: RefundRequest,
        merchant_api: bool,
        at: Timestamp,
    ) -> Result<Asked, LedgerError> {
        self.decide(AskForRefund { order_id, asked, merchant_api, at }).await
    }

    /// Applies what the reconciler reports of a refund, if nobody has changed it since `step`.
    pub async fn advance_refund(
        &self,
        refund_id: RefundId,
        step: u32,
        (change, next_step_at): (Change, Option<Timestamp>),
        at: Timestamp,
    ) -> Result<Stepped, LedgerError> {
        self.step_refund(refund_id, StepKind::Change { step, change, next_step_at }, at).await
    }

    /// Applies what a person decides of a refund.
    pub async fn decide_refund(
        &self,
        refund_id: RefundId,
        choice: Decision,
        by: String,
        at: Timestamp,
    ) -> Result<Stepped, LedgerError> {
        self.step_refund(refund_id, StepKind::Decide { choice, by }, at).await
    }

    async fn step_refund(
        &self,
        refund_id: RefundId,
        what: StepKind,
        at: Timestamp,
    ) -> Result<Stepped, LedgerError> {
        // A refund never changes its order.
        let order_id: Option<i64> = read!(
            &self.readers.requests,
            query_scalar.fetch_optional,
            "SELECT order_id FROM refunds WHERE refund_id = $1",
            refund_id.get(),
        )?;
        let Some(order_id) = order_id.and_then(|id| OrderId::try_new(id).ok()) else {
            return Ok(Stepped::Unknown);
        };
        self.decide(StepRefund { order_id, refund_id, what, at }).await
    }

    /// The refunds of an order, oldest first.
    pub async fn refunds(&self, order_id: OrderId) -> Result<Vec<Refund>, LedgerError> {
        refunds(&self.readers.requests, order_id).await
    }

    /// Refunds that are not over with larger numbers than `after`, oldest first, with their attempts: at most [`Refunds::PAGE`].
    pub async fn open_refunds(&self, after: i64) -> Result<Vec<OpenRefund>, LedgerError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            refund: String,
            #[sqlx(flatten)]
            attempt: AttemptColumns,
        }
        let rows: Vec<Row> = read!(
            &self.readers.requests,
            query_as.fetch_all,
            "SELECT r.refund, a.prepare_id, a.order_id, coalesce(a.paid_paydoc_id, a.click_paydoc_id) AS click_paydoc_id,
               a.amount_tiyin, a.prepared_at, a.state = 'paid' AS is_paid
             FROM refunds_as_json AS r CROSS JOIN attempts AS a WHERE a.prepare_id = r.prepare_id
               AND r.state NOT IN ('done', 'done_by_hand', 'withdrawn') AND r.refund_id > $2 ORDER BY r.refund_id LIMIT +$1",
            i64::from(Refunds::PAGE),
            after,
        )?;
        let open = |row: Row| {
            let refund = serde_json::from_str::<RefundRow>(&row.refund)?.into();
            Ok(OpenRefund { refund, attempt: row.attempt.try_into()? })
        };
        rows.into_iter().map(open).collect()
    }

    /// For a restore: a refund that is open in the copy may have ended since, so it does not go on before a person has looked.
    /// One that is being sent is asked for as after any restart. Returns all that are open.
    pub async fn leave_open_refunds_to_staff(&self, now: Timestamp) -> Result<Vec<Refund>, LedgerError> {
        let (mut after, mut open) = (0, Vec::new());
        loop {
            let page = self.open_refunds(after).await?;
            let Some(last) = page.last() else { return Ok(open) };
            after = last.refund.refund_id.get();
            for OpenRefund { refund, .. } in page {
                let leave = Change::LeaveToStaff { why: ManualReason::LedgerRestored };
                let stepped = self.advance_refund(refund.refund_id, refund.step, (leave, None), now).await?;
                open.push(if let Stepped::Changed(left) = stepped { left } else { refund });
            }
        }
    }

    /// Takes in what CLICK's Merchant API says about an attempt. `None`: there is no such attempt.
    pub async fn seen_attempt(
        &self,
        prepare_id: PrepareId,
        seen: SeenRequest,
        at: Timestamp,
    ) -> Result<Option<SeenReply>, LedgerError> {
        let by = match seen.source {
            ReportSource::Status | ReportSource::Restore => "reconciler",
            ReportSource::Statement | ReportSource::Owner => "operator",
        };
        self.decide(SeenAttempt { prepare_id, seen, by: by.to_owned(), at }).await
    }

    /// Keeps calls of the Merchant API.
    pub async fn keep_merchant_calls(&self, calls: Vec<MerchantCall>) -> Result<(), LedgerError> {
        self.decide(KeepCalls { calls }).await
    }

    /// Attempts that CLICK has neither completed nor cancelled and whose turn it is to be asked about
    /// ([`tolov_domain::silence`]). Of payments in Telegram CLICK's Merchant API knows nothing. An attempt that was prepared by a
    /// clock that was ahead is asked about at once, and then counts from the last question; a question of such a clock does not
    /// count.
    pub async fn silent_attempts(&self, now: Timestamp, limit: u32) -> Result<Vec<Attempt>, LedgerError> {
        // From the few pending orders and those paid in the last days to their other attempts, and the given up ones: an index
        // over all open attempts would cost every payment.
        // After a question that has no next one CASE is NULL.
        let [once, twice, thrice, four_times, five_times] =
            ASKED_AFTER.map(|after| after.whole_seconds().saturating_mul(1000));
        let rows: Vec<AttemptColumns> = read!(
            &self.readers.requests,
            query_as.fetch_all,
            "SELECT s.prepare_id, s.order_id, s.click_paydoc_id, s.amount_tiyin, s.prepared_at, FALSE AS is_paid
             FROM (SELECT a.prepare_id, a.order_id, a.click_paydoc_id, a.amount_tiyin, a.prepared_at
                 FROM orders AS o CROSS JOIN attempts AS a WHERE a.order_id = o.order_id
                   AND o.status = 'pending' AND a.state = 'prepared' AND a.prepared_at > $2
                   AND a.click_trans_id < 9007199254740992
               UNION ALL
               SELECT a.prepare_id, a.order_id, a.click_paydoc_id, a.amount_tiyin, a.prepared_at
                 FROM attempts AS p CROSS JOIN attempts AS a WHERE p.state = 'paid' AND p.settled_at > $2
                   AND a.order_id = p.order_id AND a.state = 'prepared' AND a.prepared_at > $2
                   AND a.click_trans_id < 9007199254740992
               UNION ALL
               SELECT a.prepare_id, a.order_id, a.click_paydoc_id, a.amount_tiyin, a.prepared_at FROM attempts AS a
                 WHERE a.state = 'given_up' AND a.prepared_at > $2 AND a.click_trans_id < 9007199254740992) AS s
             LEFT JOIN attempt_checks AS c ON c.prepare_id = s.prepare_id AND c.checked_at <= $4
             WHERE CASE WHEN s.prepared_at <= $4 THEN s.prepared_at ELSE coalesce(c.checked_at, 0) END
               + CASE coalesce(c.times, 0)
                   WHEN 0 THEN $5 WHEN 1 THEN $6 WHEN 2 THEN $7 WHEN 3 THEN $8 WHEN 4 THEN $9 END <= $1
             LIMIT +$3",
            unix_ms(now),
            unix_ms(now.saturating_sub(SILENT_MAX)),
            i64::from(limit),
            unix_ms(now.saturating_add(CLOCK_SKEW_MAX)),
            once,
            twice,
            thrice,
            four_times,
            five_times,
        )?;
        rows.into_iter().map(TryFrom::try_from).collect()
    }

    /// Attempts through CLICK's page with smaller numbers than `before`, newest first.
    pub async fn attempts_before(&self, before: i64, limit: u32) -> Result<Vec<Attempt>, LedgerError> {
        let rows: Vec<AttemptColumns> = read!(
            &self.readers.requests,
            query_as.fetch_all,
            "SELECT prepare_id, order_id, coalesce(paid_paydoc_id, click_paydoc_id) AS click_paydoc_id, amount_tiyin,
               prepared_at, state = 'paid' AS is_paid FROM attempts
             WHERE prepare_id < $1 AND click_trans_id < 9007199254740992 ORDER BY prepare_id DESC LIMIT +$2",
            before,
            i64::from(limit),
        )?;
        rows.into_iter().map(TryFrom::try_from).collect()
    }
}

pub(super) async fn refunds(pool: &Pool, order_id: OrderId) -> Result<Vec<Refund>, LedgerError> {
    refunds_in(pool, order_id.get()..=order_id.get()).await
}

pub(super) async fn refunds_in(
    pool: &Pool,
    numbers: RangeInclusive<i64>,
) -> Result<Vec<Refund>, LedgerError> {
    let rows: Vec<String> = read!(
        pool,
        query_scalar.fetch_all,
        "SELECT refund FROM refunds_as_json WHERE order_id BETWEEN $1 AND $2 LIMIT 100000",
        numbers.start(),
        numbers.end(),
    )?;
    let mut refunds: Vec<Refund> = rows
        .iter()
        .map(|row| Ok(serde_json::from_str::<RefundRow>(row)?.into()))
        .collect::<Result<_, LedgerError>>()?;
    refunds.sort_by_key(|refund| refund.refund_id);
    Ok(refunds)
}
