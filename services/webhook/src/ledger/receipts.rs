//! Fiscal receipts: what the HTTP API asks of the ledger about them.

use serde::{Deserialize, Serialize};
use tolov_domain::{
    Event, EventKind, OrderId, Tiyin, UserId,
    receipt::{
        Change, Content, Decision, NotAllowed, Receipt, ReceiptState,
        api::{MissingReceipt, MissingReceipts, OpenReceipt, OpenReceipts, RefundExtent},
    },
    time::{Timestamp, from_unix_ms, unix_ms},
};

use super::{
    Ledger, LedgerError,
    refunds::AttemptColumns,
    writer::{job::Job, receipts::ReceiptWrite},
};

/// The most receipts of one round of the reconciler: at a call a second it takes most of a minute for them, and refunds wait.
const OPEN_MAX: u32 = 10;
/// The most missing receipts that are listed.
const MISSING_MAX: u32 = 500;
/// Who moves a receipt on where no person does.
const RECONCILER: &str = "reconciler";

/// What became of a change of a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiptStepped {
    Changed(Receipt),
    /// The receipt has gone on since it was read.
    Stale(Receipt),
    NotAllowed(Receipt),
    Unknown,
}

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

/// A row of `receipts_as_json`.
#[derive(Deserialize)]
struct ReceiptRow {
    order_id: OrderId,
    amount_tiyin: Tiyin,
    content: Content,
    #[serde(flatten)]
    state: ReceiptState,
    body_hash: Option<String>,
    since: i64,
    changed_at: i64,
    step: u32,
    tries: u32,
    next_step_at: Option<i64>,
}

impl From<ReceiptRow> for Receipt {
    fn from(row: ReceiptRow) -> Self {
        Self {
            order_id: row.order_id,
            amount_tiyin: row.amount_tiyin,
            content: row.content,
            state: row.state,
            body_hash: row.body_hash,
            since: from_unix_ms(row.since),
            changed_at: from_unix_ms(row.changed_at),
            step: row.step,
            tries: row.tries,
            next_step_at: row.next_step_at.map(from_unix_ms),
        }
    }
}

fn read(row: &str) -> Result<Receipt, LedgerError> {
    Ok(serde_json::from_str::<ReceiptRow>(row)?.into())
}

impl Ledger {
    /// Keeps what an order that is not paid yet sells. The first content counts, and never changes.
    pub async fn keep_receipt(
        &self,
        order_id: OrderId,
        content: &Content,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let content = serde_json::to_string(content)?;
        self.write_receipt(ReceiptWrite::Keep { order_id, content, at }).await.map(drop)
    }

    /// The receipt of a paid order; `None` where nothing was agreed on, or the order is not paid.
    pub async fn receipt(&self, order_id: OrderId) -> Result<Option<Receipt>, LedgerError> {
        let row: Option<String> = sqlx::query_scalar(
            "SELECT receipt FROM receipts_as_json WHERE order_id = ?1 AND state <> 'agreed'",
        )
        .bind(order_id.get())
        .fetch_optional(&self.readers.requests)
        .await?;
        row.as_deref().map(read).transpose()
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
        let Some(receipt) = self.receipt(order_id).await? else { return Ok(ReceiptStepped::Unknown) };
        if receipt.step != step {
            return Ok(ReceiptStepped::Stale(receipt));
        }
        let next = receipt.clone().advance(change, next_step_at, at);
        self.change_receipt(receipt, next, RECONCILER).await
    }

    /// Applies what a person decides.
    pub async fn decide_receipt(
        &self,
        order_id: OrderId,
        decision: Decision,
        by: &str,
        at: Timestamp,
    ) -> Result<ReceiptStepped, LedgerError> {
        let Some(receipt) = self.receipt(order_id).await? else { return Ok(ReceiptStepped::Unknown) };
        let refunds = self.refunds(order_id).await?;
        let is_refunded = refunds.iter().any(|refund| refund.status().is_done());
        let next = receipt.clone().decide(decision, by, is_refunded, at);
        self.change_receipt(receipt, next, by).await
    }

    async fn change_receipt(
        &self,
        before: Receipt,
        next: Result<Receipt, NotAllowed>,
        by: &str,
    ) -> Result<ReceiptStepped, LedgerError> {
        let Ok(next) = next else { return Ok(ReceiptStepped::NotAllowed(before)) };
        let event = if let ReceiptState::Known { url, .. } = &next.state {
            Some(self.receipt_issued(&next, url).await?)
        } else {
            None
        };
        tracing::info!(
            order.id = %next.order_id, state = next.state.status().as_str(), by, "fiscal receipt"
        );
        let receipt = Box::new(next.clone());
        let change = ReceiptWrite::Change { receipt, by: by.to_owned(), event };
        if self.write_receipt(change).await? > 0 {
            return Ok(ReceiptStepped::Changed(next));
        }
        Ok(self.receipt(before.order_id).await?.map_or(ReceiptStepped::Unknown, ReceiptStepped::Stale))
    }

    async fn receipt_issued(&self, receipt: &Receipt, url: &str) -> Result<Event, LedgerError> {
        const NO_ORDER: LedgerError = LedgerError::Row("a receipt without its order");
        let order = self.order(receipt.order_id).await?.ok_or(NO_ORDER)?;
        let kind = EventKind::ReceiptIssued { url: url.to_owned() };
        Ok(Event {
            id: Event::id_of(receipt.order_id, &kind),
            order_id: receipt.order_id,
            user_id: UserId::try_new(order.user_id).map_err(|_| NO_ORDER)?,
            products: serde_json::from_str(&order.products)?,
            amount: receipt.amount_tiyin,
            occurred_at: receipt.changed_at,
            kind,
        })
    }

    async fn write_receipt(&self, write: ReceiptWrite) -> Result<u64, LedgerError> {
        let (caller, answered) = tokio::sync::oneshot::channel();
        self.submit(Job::Receipt(write, caller), answered).await
    }

    /// Receipts whose turn it is, with their attempts and refunds.
    pub async fn open_receipts(&self, now: Timestamp) -> Result<OpenReceipts, LedgerError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            receipt: String,
            #[sqlx(flatten)]
            attempt: AttemptColumns,
            refund_open: bool,
            refunded: i64,
            paid: i64,
        }
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT r.receipt, a.prepare_id, a.order_id, coalesce(a.paid_paydoc_id, a.click_paydoc_id) AS click_paydoc_id,
               a.amount_tiyin, a.prepared_at, 1 AS is_paid, a.amount_tiyin AS paid,
               (SELECT coalesce(sum(f.amount_tiyin), 0) FROM refunds AS f
                 WHERE f.order_id = r.order_id AND f.state IN ('done', 'done_by_hand')) AS refunded,
               EXISTS (SELECT 1 FROM refunds AS f WHERE f.order_id = r.order_id
                 AND f.state NOT IN ('done', 'done_by_hand', 'withdrawn')) AS refund_open
             FROM receipts_as_json AS r CROSS JOIN orders AS o ON o.order_id = r.order_id
               CROSS JOIN attempts AS a ON a.prepare_id = o.paid_by
             WHERE r.next_step_at <= ?1 ORDER BY r.next_step_at LIMIT +?2",
        )
        .bind(unix_ms(now))
        .bind(OPEN_MAX)
        .fetch_all(&self.readers.requests)
        .await?;
        let open = |row: Row| {
            let refund = match (row.refund_open, row.refunded) {
                (true, _) => RefundExtent::Open,
                (false, 0) => RefundExtent::None,
                (false, sum) if sum >= row.paid => RefundExtent::Whole,
                (false, _) => RefundExtent::Part,
            };
            Ok(OpenReceipt { receipt: read(&row.receipt)?, attempt: row.attempt.try_into()?, refund })
        };
        let receipts = rows.into_iter().map(open).collect::<Result<_, LedgerError>>()?;
        let waiting = sqlx::query_scalar("SELECT count(*) FROM receipts WHERE next_step_at IS NOT NULL")
            .fetch_one(&self.readers.requests)
            .await?;
        Ok(OpenReceipts { receipts, waiting, missing: self.count_missing_receipts().await? })
    }

    /// How many sales wait for a person because they have no receipt, and how many refunds for theirs.
    pub async fn count_missing_receipts(&self) -> Result<u32, LedgerError> {
        let count = "SELECT count(*) FROM receipts WHERE order_id IN (SELECT order_id FROM missing_receipts)";
        Ok(sqlx::query_scalar(count).fetch_one(&self.readers.requests).await?)
    }

    /// Those, oldest first.
    pub async fn missing_receipts(&self) -> Result<MissingReceipts, LedgerError> {
        let rows: Vec<(String, bool)> = sqlx::query_as(
            "SELECT receipt, state <> 'missing' FROM receipts_as_json
             WHERE order_id IN (SELECT order_id FROM missing_receipts) ORDER BY order_id LIMIT +?1",
        )
        .bind(MISSING_MAX)
        .fetch_all(&self.readers.requests)
        .await?;
        let missing = |(row, return_of_refund): (String, bool)| {
            Ok(MissingReceipt { receipt: read(&row)?, return_of_refund })
        };
        let receipts = rows.into_iter().map(missing).collect::<Result<_, LedgerError>>()?;
        Ok(MissingReceipts { count: self.count_missing_receipts().await?, receipts })
    }
}
