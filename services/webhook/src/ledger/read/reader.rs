//! Reading the ledger from another process, beside the services that write it: for the operator's commands.

use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

use serde::{Deserialize, Serialize};
use sqlx::{
    ConnectOptions,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use tolov_domain::{
    ClickPaydocId, ClickTransId, Event, EventKind, OrderId, PrepareId, Tiyin, UserId,
    receipt::Receipt,
    refund::Refund,
    time::{Timestamp, from_unix_ms, unix_ms},
};

use super::pool::{Pool, read};
use crate::ledger::{
    AttemptRecord, CallbackRecord, LedgerError, LedgerPlace, MerchantCallRecord, OpenError, OrderRecord,
    OrderStatus, PaymentReportRecord, ReceiptStepRecord, RefundStepRecord, TelegramPaymentRecord,
    backup::BackupError, event_ids::ids_of_order, postgres, postgres::reads, read as reading, receipts,
    reconciliation, refunds, telegram,
};

/// Reading connections to a ledger. They see what is committed and hold nobody up.
#[derive(Debug, Clone)]
pub struct LedgerReader {
    pub(super) pool: Pool,
}

/// An event of the outbox, and whether the bus has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct OutboxRecord {
    pub event_id: String,
    /// `None`: it is about a payment that belongs to no order.
    pub order_id: Option<i64>,
    pub created_at: i64,
    /// When the bus confirmed it, in milliseconds since 1970.
    pub sent_at: Option<i64>,
    pub refusals: i64,
    pub last_error: Option<String>,
}

#[derive(sqlx::FromRow)]
struct PaymentRow {
    order_id: i64,
    user_id: i64,
    products: String,
    amount_tiyin: i64,
    prepare_id: i64,
    paid_trans_id: i64,
    paid_paydoc_id: i64,
    settled_at: i64,
    late: bool,
}

/// The payment of each paid order.
macro_rules! payments_where {
    ($condition:literal) => {
        concat!(
            "SELECT o.order_id, o.user_id, o.products, o.amount_tiyin, a.prepare_id, a.paid_trans_id, a.paid_paydoc_id,
                    a.settled_at, a.paid_late AS late
             FROM ", $condition, " ORDER BY o.order_id LIMIT +$2"
        )
    };
}

impl LedgerReader {
    /// Fails where there is no ledger.
    pub async fn open(place: impl Into<LedgerPlace>) -> Result<Self, OpenError> {
        let ledger = match place.into() {
            LedgerPlace::File(path) => path,
            LedgerPlace::Postgres(url) => {
                return Ok(Self { pool: Pool::Postgres(postgres::open::reader(&url).await?) });
            }
        };
        if !ledger.exists() {
            return Err(BackupError::Missing(ledger).into());
        }
        let options = SqliteConnectOptions::new()
            .filename(&ledger)
            .read_only(true)
            .busy_timeout(Duration::from_secs(5))
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new().max_connections(2).connect_with(options).await;
        let pool = pool.map_err(|source| BackupError::Sqlite { file: ledger, source })?;
        Ok(Self { pool: Pool::Sqlite(pool) })
    }

    /// Reads through the connections of a ledger that is open.
    pub(in crate::ledger) const fn over(pool: Pool) -> Self {
        Self { pool }
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub async fn order(&self, order_id: OrderId) -> Result<Option<OrderRecord>, LedgerError> {
        reading::order(&self.pool, order_id).await
    }

    pub async fn attempts(&self, order_id: OrderId) -> Result<Vec<AttemptRecord>, LedgerError> {
        reading::attempts(&self.pool, order_id).await
    }

    /// The callbacks that name this order number, whether the ledger has the order or not.
    pub async fn callbacks(&self, order_id: OrderId) -> Result<Vec<CallbackRecord>, LedgerError> {
        reading::callbacks(&self.pool, order_id).await
    }

    /// What Telegram said was paid for an order, oldest first.
    pub async fn telegram_payments(
        &self,
        order_id: OrderId,
    ) -> Result<Vec<TelegramPaymentRecord>, LedgerError> {
        telegram::telegram_payments(&self.pool, order_id).await
    }

    /// Why attempts of an order are paid of which no Complete had come.
    pub async fn payment_reports(&self, order_id: OrderId) -> Result<Vec<PaymentReportRecord>, LedgerError> {
        reconciliation::payment_reports(&self.pool, order_id).await
    }

    /// The refunds of an order, oldest first.
    pub async fn refunds(&self, order_id: OrderId) -> Result<Vec<Refund>, LedgerError> {
        refunds::refunds(&self.pool, order_id).await
    }

    /// The refunds of orders with these numbers, by order.
    pub async fn refunds_in(&self, numbers: RangeInclusive<i64>) -> Result<Vec<Refund>, LedgerError> {
        refunds::refunds_in(&self.pool, numbers).await
    }

    /// The receipts of paid orders with these numbers.
    pub async fn receipts_in(&self, numbers: RangeInclusive<i64>) -> Result<Vec<Receipt>, LedgerError> {
        receipts::receipts_in(&self.pool, numbers).await
    }

    /// Every step of an order's refunds.
    pub async fn refund_steps(&self, order_id: OrderId) -> Result<Vec<RefundStepRecord>, LedgerError> {
        let steps =
            "SELECT s.refund_id, s.step, s.at, s.state, s.by, s.click_code, s.click_note, s.why, s.document
             FROM refunds AS r CROSS JOIN refund_steps AS s
             WHERE s.refund_id = r.refund_id AND r.order_id = $1 ORDER BY s.refund_id, s.step LIMIT 1000";
        Ok(read!(&self.pool, query_as.fetch_all, steps, order_id.get())?)
    }

    /// The calls of CLICK's Merchant API about an order, oldest first.
    pub async fn merchant_calls(&self, order_id: OrderId) -> Result<Vec<MerchantCallRecord>, LedgerError> {
        let calls = "SELECT at, method, path, outcome, code, note FROM merchant_api_calls
             WHERE order_id = $1 ORDER BY id LIMIT 1000";
        Ok(read!(&self.pool, query_as.fetch_all, calls, order_id.get())?)
    }

    /// The order's events that are still in the outbox.
    pub async fn events(&self, order_id: OrderId) -> Result<Vec<OutboxRecord>, LedgerError> {
        let mut events = Vec::new();
        for (from, to) in ids_of_order(order_id) {
            let found: Vec<OutboxRecord> = read!(
                &self.pool,
                query_as.fetch_all,
                "SELECT event_id, order_id, created_at, sent_at, refusals, last_error FROM outbox
                 WHERE event_id >= $1 AND event_id < $2 ORDER BY event_id LIMIT 1000",
                from,
                to,
            )?;
            events.extend(found);
        }
        Ok(events)
    }

    /// Events that were written before this and that the bus has not confirmed, oldest first.
    pub async fn unsent(
        &self,
        created_before: Timestamp,
        limit: u32,
    ) -> Result<Vec<OutboxRecord>, LedgerError> {
        let unsent = "SELECT event_id, order_id, created_at, sent_at, refusals, last_error FROM outbox
             WHERE sent_at IS NULL AND created_at < $1 ORDER BY id LIMIT +$2";
        Ok(read!(&self.pool, query_as.fetch_all, unsent, unix_ms(created_before), i64::from(limit))?)
    }

    /// Events with ids between these two that the bus has taken and that were written before this, by id. An event is kept for a
    /// week after that.
    pub async fn sent(
        &self,
        (after, before): (&str, &str),
        created_before: Timestamp,
        limit: u32,
    ) -> Result<Vec<OutboxRecord>, LedgerError> {
        let sent = "SELECT event_id, order_id, created_at, sent_at, refusals, last_error FROM outbox
             WHERE event_id > $1 AND event_id < $2 AND sent_at IS NOT NULL AND created_at < $3
             ORDER BY event_id LIMIT +$4";
        let created_before = unix_ms(created_before);
        Ok(read!(&self.pool, query_as.fetch_all, sent, after, before, created_before, i64::from(limit))?)
    }

    /// The `payment.completed` of each paid order whose number is in the range, by order number: made from order and
    /// attempt, so also of events that were deleted.
    pub async fn payments(
        &self,
        order_ids: RangeInclusive<i64>,
        limit: u32,
    ) -> Result<Vec<Event>, LedgerError> {
        let sqlite = payments_where!(
            "orders AS o CROSS JOIN attempts AS a ON a.prepare_id = o.paid_by
             WHERE o.status = 'paid' AND o.order_id BETWEEN $1 AND $3"
        );
        let rows: Vec<PaymentRow> = read!(
            &self.pool,
            query_as.fetch_all,
            [sqlite, reads::PAYMENTS],
            order_ids.start(),
            i64::from(limit),
            order_ids.end(),
        )?;
        rows.into_iter().map(Event::try_from).collect()
    }

    /// The same of these orders; those that are not paid are left out.
    pub async fn payments_of(&self, order_ids: &[OrderId]) -> Result<Vec<Event>, LedgerError> {
        let sqlite = payments_where!(
            "json_each($1) AS wanted CROSS JOIN orders AS o ON o.order_id = wanted.value
             CROSS JOIN attempts AS a ON a.prepare_id = o.paid_by
             WHERE o.status = 'paid'"
        );
        let rows: Vec<PaymentRow> = read!(
            &self.pool,
            query_as.fetch_all,
            [sqlite, reads::PAYMENTS_OF],
            serde_json::to_string(order_ids)?,
            i64::try_from(order_ids.len()).unwrap_or(i64::MAX),
        )?;
        rows.into_iter().map(Event::try_from).collect()
    }

    /// Where orders stand. Those that the ledger does not know are missing.
    pub async fn statuses(
        &self,
        order_ids: &[OrderId],
    ) -> Result<BTreeMap<OrderId, OrderStatus>, LedgerError> {
        let sqlite = "SELECT o.order_id, o.status FROM json_each($1) AS wanted
             CROSS JOIN orders AS o ON o.order_id = wanted.value";
        let order_ids = serde_json::to_string(order_ids)?;
        let rows: Vec<(i64, OrderStatus)> =
            read!(&self.pool, query_as.fetch_all, [sqlite, reads::STATUSES], order_ids)?;
        rows.into_iter().map(|(id, status)| Ok((order_id(id)?, status))).collect()
    }

    /// How the receipt of an order came to its state.
    pub async fn receipt_steps(&self, order_id: OrderId) -> Result<Vec<ReceiptStepRecord>, LedgerError> {
        let steps =
            "SELECT step, at, state, by, url, click_code, click_note, why, document FROM receipt_steps
             WHERE order_id = $1 ORDER BY step LIMIT 1000";
        Ok(read!(&self.pool, query_as.fetch_all, steps, order_id.get())?)
    }

    /// From when on every event is still in the outbox, as far as it was not written before by a clock that was behind.
    pub async fn events_kept_since(&self) -> Result<Timestamp, LedgerError> {
        let pruned_before: i64 =
            read!(&self.pool, query_scalar.fetch_one, "SELECT outbox_pruned_before FROM ledger_state")?;
        Ok(from_unix_ms(pruned_before))
    }

    /// Orders with larger numbers than `after` of which something happened in a time that other services are told of: the
    /// order or an attempt ended, a refund went on, a receipt was made, or a question came up. By number.
    pub async fn changed_orders(
        &self,
        after: i64,
        (since, until): (Timestamp, Timestamp),
        limit: u32,
    ) -> Result<Vec<OrderId>, LedgerError> {
        let ids: Vec<i64> = read!(
            &self.pool,
            query_scalar.fetch_all,
            "SELECT o.order_id FROM orders AS o WHERE o.order_id > $1 AND (
               (o.status <> 'pending' AND o.changed_at BETWEEN $2 AND $3)
               OR EXISTS (SELECT 1 FROM attempts AS a
                 WHERE a.order_id = o.order_id AND a.state IN ('paid', 'cancelled') AND a.settled_at BETWEEN $2 AND $3)
               OR EXISTS (SELECT 1 FROM outbox AS e
                 WHERE e.event_id >= 'payment.questioned:' || o.order_id || ':'
                   AND e.event_id < 'payment.questioned:' || o.order_id || ';' AND e.created_at BETWEEN $2 AND $3)
               OR EXISTS (SELECT 1 FROM refunds AS r
                 WHERE r.order_id = o.order_id AND r.changed_at BETWEEN $2 AND $3)
               OR EXISTS (SELECT 1 FROM receipts AS r
                 WHERE r.order_id = o.order_id AND r.state = 'known' AND r.changed_at BETWEEN $2 AND $3))
             ORDER BY o.order_id LIMIT +$4",
            after,
            unix_ms(since),
            unix_ms(until),
            i64::from(limit),
        )?;
        ids.into_iter().map(order_id).collect()
    }
}

fn order_id(id: i64) -> Result<OrderId, LedgerError> {
    OrderId::try_new(id).map_err(|_| LedgerError::Row("an order number is not positive"))
}

impl TryFrom<PaymentRow> for Event {
    type Error = LedgerError;

    fn try_from(row: PaymentRow) -> Result<Self, LedgerError> {
        const BAD_ID: LedgerError = LedgerError::Row("an id is not positive");
        let order_id = order_id(row.order_id)?;
        let kind = EventKind::PaymentCompleted {
            click_trans_id: ClickTransId::try_new(row.paid_trans_id).map_err(|_| BAD_ID)?,
            click_paydoc_id: ClickPaydocId::try_new(row.paid_paydoc_id).map_err(|_| BAD_ID)?,
            merchant_prepare_id: PrepareId::try_new(row.prepare_id).map_err(|_| BAD_ID)?,
            late: row.late,
        };
        Ok(Self {
            id: Self::id_of(order_id, &kind),
            order_id,
            user_id: UserId::try_new(row.user_id).map_err(|_| BAD_ID)?,
            products: serde_json::from_str(&row.products)?,
            amount: Tiyin::try_new(row.amount_tiyin)
                .map_err(|_| LedgerError::Row("an amount is out of range"))?,
            occurred_at: from_unix_ms(row.settled_at),
            kind,
        })
    }
}
