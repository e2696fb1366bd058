//! Reading the ledger, beside the writer and without stopping it.

pub(in crate::ledger) mod pool;
pub(in crate::ledger) mod reader;
pub(in crate::ledger) mod records;
pub(in crate::ledger) mod replay;
pub(in crate::ledger) mod unplaced;
mod unsettled;

use std::{collections::HashSet, time::Duration};

use serde::{Deserialize, Serialize};
use tolov_domain::{
    EventId, OrderId,
    time::{Timestamp, from_unix_ms, unix_ms},
};
use tolov_kit::clock_watch::{Note, NotedJump};

use self::pool::{Pool, RelayReader, read};
use super::{AttemptStatus, Ledger, LedgerError, OrderStatus, postgres::reads};

const UNSENT: &str =
    "SELECT id, event_id, order_id, routing_key, schema, body, refusals, created_at, traceparent
             FROM outbox AS next
             WHERE sent_at IS NULL AND (retry_at <= $1 OR retry_at > $3)
               AND NOT EXISTS (SELECT 1 FROM outbox AS refused
                 WHERE refused.sent_at IS NULL AND refused.refusals > 0
                   AND refused.order_id = next.order_id AND refused.id < next.id)
             ORDER BY id LIMIT +$2";

/// The longest that a callback waits for the trace of its order.
const TRACEPARENT_TIMEOUT: Duration = Duration::from_millis(50);

/// An order as staff see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct OrderRecord {
    pub order_id: i64,
    pub user_id: i64,
    /// JSON, as it was registered.
    pub products: String,
    pub amount_tiyin: i64,
    pub payment_method: String,
    pub status: OrderStatus,
    pub created_at: i64,
    pub changed_at: i64,
    pub paid_by: Option<i64>,
}

/// One attempt to pay an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct AttemptRecord {
    #[serde(rename = "merchant_prepare_id")]
    pub prepare_id: i64,
    pub click_trans_id: i64,
    pub click_paydoc_id: i64,
    pub amount_tiyin: i64,
    pub state: AttemptStatus,
    #[serde(rename = "prepared_at_ms")]
    pub prepared_at: i64,
    #[serde(rename = "settled_at_ms")]
    pub settled_at: Option<i64>,
    pub paid_trans_id: Option<i64>,
    pub paid_paydoc_id: Option<i64>,
    pub click_error: Option<i64>,
}

/// A callback with a valid signature, and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct CallbackRecord {
    pub received_at: i64,
    pub peer: String,
    pub fields: String,
    pub code: i64,
    pub answer: String,
    /// CLICK says that it has taken the money, and was not answered that the order is paid.
    pub unplaced: bool,
    /// `click`, or `restore`: no callback, but a payment that a restore has taken back from another store.
    pub source: String,
}

/// An event that waits for the relay.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct OutboxRow {
    pub id: i64,
    pub event_id: String,
    /// `None`: it is about a payment that belongs to no order.
    pub order_id: Option<i64>,
    pub routing_key: String,
    pub schema: String,
    pub body: String,
    pub refusals: i64,
    /// When its transaction was decided, in milliseconds since 1970.
    pub created_at: i64,
    pub traceparent: Option<String>,
}

/// Events that are sent together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxWindow {
    pub rows: Vec<OutboxRow>,
    /// Nothing more will be due after these until something is written or a pause of a refused row ends.
    pub is_last: bool,
}

/// How much waits for the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, sqlx::FromRow)]
pub struct OutboxStatus {
    pub depth: i64,
    /// Of the oldest event that waits, in milliseconds since 1970.
    pub oldest_at: Option<i64>,
    /// Events that the bus has refused at least once.
    pub refused: i64,
}

impl Ledger {
    pub async fn order(&self, order_id: OrderId) -> Result<Option<OrderRecord>, LedgerError> {
        order(&self.readers.requests, order_id).await
    }

    /// Where the trace of an order goes on. `None`: nobody has said, there is no such order, or the ledger does not say at
    /// once.
    pub async fn traceparent(&self, order_id: OrderId) -> Option<String> {
        let read = async {
            read!(
                &self.readers.requests,
                query_scalar.fetch_optional,
                "SELECT traceparent FROM orders WHERE order_id = $1",
                order_id.get(),
            )
        };
        // A callback is decided without it: CLICK does not wait for what staff read.
        let found: Result<Option<Option<String>>, sqlx::Error> =
            tokio::time::timeout(TRACEPARENT_TIMEOUT, read).await.ok()?;
        found.ok()??
    }

    /// Orders with smaller numbers than `before`, newest first, at most `limit`.
    pub async fn orders(
        &self,
        status: Option<OrderStatus>,
        before: i64,
        limit: u32,
    ) -> Result<Vec<OrderRecord>, LedgerError> {
        // Two texts, so that each is answered by its index.
        let (pool, limit) = (&self.readers.requests, i64::from(limit));
        let orders = match status {
            None => read!(
                pool,
                query_as.fetch_all,
                "SELECT order_id, user_id, products, amount_tiyin, payment_method, status,
                   created_at, changed_at, paid_by
                 FROM orders WHERE order_id < $1 ORDER BY order_id DESC LIMIT +$2",
                before,
                limit,
            ),
            Some(status) => read!(
                pool,
                query_as.fetch_all,
                "SELECT order_id, user_id, products, amount_tiyin, payment_method, status,
                   created_at, changed_at, paid_by
                 FROM orders WHERE status = $3 AND order_id < $1 ORDER BY order_id DESC LIMIT +$2",
                before,
                limit,
                status,
            ),
        };
        Ok(orders?)
    }

    /// What the clock was last believed to be. Of a note that an earlier release has made the jumps are not known.
    pub(crate) async fn clock_note(&self) -> Result<Option<Note>, LedgerError> {
        let at: i64 = read!(
            &self.readers.status,
            query_scalar.fetch_one,
            "SELECT clock_believed_at FROM ledger_state"
        )?;
        if at <= 0 {
            return Ok(None);
        }
        let jumps: Vec<(i64, i64)> = read!(
            &self.readers.status,
            query_as.fetch_all,
            "SELECT by_ms, age_ms FROM clock_jumps WHERE noted_at = $1 ORDER BY place LIMIT 1000",
            at,
        )?;
        let jump = |(by, age)| NotedJump {
            by: time::Duration::milliseconds(by),
            age: time::Duration::milliseconds(age),
        };
        Ok(Some(Note { believed: from_unix_ms(at), jumps: jumps.into_iter().map(jump).collect() }))
    }

    /// The clock of the server that has the ledger. `None`: it is in a file.
    pub(crate) async fn server_time(&self) -> Result<Option<Timestamp>, LedgerError> {
        if matches!(self.readers.status, Pool::Sqlite(_)) {
            return Ok(None);
        }
        let now: i64 = read!(&self.readers.status, query_scalar.fetch_one, reads::NOW)?;
        Ok(Some(from_unix_ms(now)))
    }

    /// The highest number that an order has, or may have had in a ledger that was lost. 0: there was none.
    pub async fn highest_order_id(&self) -> Result<i64, LedgerError> {
        let highest = read!(
            &self.readers.requests,
            query_scalar.fetch_one,
            "SELECT coalesce(max(n), 0) FROM (
               SELECT max(order_id) AS n FROM orders UNION ALL SELECT max(order_id_floor) FROM restores) AS taken"
        );
        Ok(highest?)
    }

    pub async fn attempts(&self, order_id: OrderId) -> Result<Vec<AttemptRecord>, LedgerError> {
        attempts(&self.readers.requests, order_id).await
    }

    pub async fn callbacks(&self, order_id: OrderId) -> Result<Vec<CallbackRecord>, LedgerError> {
        callbacks(&self.readers.requests, order_id).await
    }

    /// The next window for the relay: unsent events in the order in which they happened.
    ///
    /// One event an order, its oldest: events of one order are sent in order, and one that the bus refuses holds back
    /// the later ones of its order, but no other's.
    ///
    /// `retry_max` is the longest pause of a refused row: one whose turn is later than that was refused before the clock
    /// was set back, and is due.
    pub async fn unsent(
        &self,
        now: Timestamp,
        retry_max: Duration,
        limit: u32,
    ) -> Result<OutboxWindow, LedgerError> {
        let longest = now.saturating_add(retry_max.try_into().unwrap_or(time::Duration::MAX));
        let parameters = [unix_ms(now), i64::from(limit), unix_ms(longest)];
        let due: Vec<OutboxRow> = match &self.readers.relay {
            RelayReader::Sqlite(pool) => {
                let query = parameters.into_iter().fold(sqlx::query_as(UNSENT), sqlx::query::QueryAs::bind);
                query.fetch_all(pool).await?
            }
            RelayReader::Postgres(session) => session.read(UNSENT, parameters).await?,
        };
        let (found, mut orders) = (due.len(), HashSet::with_capacity(due.len()));
        let rows: Vec<OutboxRow> = due
            .into_iter()
            .filter(|row| row.order_id.is_none_or(|order_id| orders.insert(order_id)))
            .collect();
        let holds_others_back = rows.iter().any(|row| row.refusals > 0);
        let is_last =
            rows.len() == found && found < usize::try_from(limit).unwrap_or(0) && !holds_others_back;
        Ok(OutboxWindow { rows, is_last })
    }

    /// Pending orders that were created before this.
    pub(super) async fn pending_orders(
        &self,
        created_before: Timestamp,
        limit: u32,
    ) -> Result<Vec<OrderId>, LedgerError> {
        let due: Vec<i64> = read!(
            &self.readers.status,
            query_scalar.fetch_all,
            "SELECT order_id FROM orders WHERE status = 'pending' AND created_at < $1 LIMIT +$2",
            unix_ms(created_before),
            i64::from(limit),
        )?;
        due.into_iter().map(order_id).collect()
    }

    /// Pending orders that are dated after this, the soonest first, with their dates in milliseconds since 1970.
    pub(crate) async fn pending_after(
        &self,
        after: Timestamp,
        limit: u32,
    ) -> Result<Vec<(OrderId, i64)>, LedgerError> {
        let sqlite = "SELECT order_id, created_at FROM orders INDEXED BY orders_pending
             WHERE status = 'pending' AND created_at > $1 ORDER BY created_at LIMIT +$2";
        let ahead: Vec<(i64, i64)> = read!(
            &self.readers.status,
            query_as.fetch_all,
            [sqlite, reads::PENDING_AFTER],
            unix_ms(after),
            i64::from(limit),
        )?;
        ahead.into_iter().map(|(id, created_at)| Ok((order_id(id)?, created_at))).collect()
    }

    /// When the bus confirmed an event, in milliseconds since 1970. `None`: not yet, or it is unknown or pruned.
    pub async fn event_sent_at(&self, event_id: &EventId) -> Result<Option<i64>, LedgerError> {
        let sent_at: Option<(Option<i64>,)> = read!(
            &self.readers.requests,
            query_as.fetch_optional,
            "SELECT sent_at FROM outbox WHERE event_id = $1",
            event_id.as_str(),
        )?;
        Ok(sent_at.and_then(|(sent_at,)| sent_at))
    }

    /// When the oldest attempt was prepared that CLICK has neither completed nor cancelled, of orders that can still be
    /// paid, in milliseconds since 1970. Nobody cancels an attempt in Telegram, so those do not count.
    pub async fn oldest_prepared_at(&self) -> Result<Option<i64>, LedgerError> {
        // From the few pending orders to their attempts: an index over all open attempts would cost every payment.
        let oldest = read!(
            &self.readers.status,
            query_scalar.fetch_one,
            "SELECT min(a.prepared_at) FROM orders AS o CROSS JOIN attempts AS a WHERE a.order_id = o.order_id
               AND o.status = 'pending' AND a.state = 'prepared' AND a.click_trans_id < 9007199254740992"
        );
        Ok(oldest?)
    }

    pub async fn outbox_status(&self) -> Result<OutboxStatus, LedgerError> {
        let status = read!(
            &self.readers.status,
            query_as.fetch_one,
            // Each by an index alone: a million events may wait.
            "SELECT (SELECT count(*) FROM outbox WHERE sent_at IS NULL) AS depth,
                    (SELECT created_at FROM outbox WHERE sent_at IS NULL ORDER BY id LIMIT 1) AS oldest_at,
                    (SELECT count(*) FROM outbox WHERE sent_at IS NULL AND refusals > 0) AS refused"
        );
        Ok(status?)
    }
}

fn order_id(id: i64) -> Result<OrderId, LedgerError> {
    OrderId::try_new(id).map_err(|_| LedgerError::Row("an order number is not positive"))
}

pub(super) async fn order(pool: &Pool, order_id: OrderId) -> Result<Option<OrderRecord>, LedgerError> {
    let query = "SELECT order_id, user_id, products, amount_tiyin, payment_method, status, created_at, changed_at, paid_by
                 FROM orders WHERE order_id = $1";
    Ok(read!(pool, query_as.fetch_optional, query, order_id.get())?)
}

pub(super) async fn attempts(pool: &Pool, order_id: OrderId) -> Result<Vec<AttemptRecord>, LedgerError> {
    let query = "SELECT prepare_id, click_trans_id, click_paydoc_id, amount_tiyin, state, prepared_at, settled_at, paid_trans_id,
               paid_paydoc_id, click_error
             FROM attempts WHERE order_id = $1 ORDER BY prepare_id LIMIT 1000";
    Ok(read!(pool, query_as.fetch_all, query, order_id.get())?)
}

pub(super) async fn callbacks(pool: &Pool, order_id: OrderId) -> Result<Vec<CallbackRecord>, LedgerError> {
    let query = "SELECT received_at, peer, fields, code, answer, unplaced, source
             FROM callbacks WHERE order_id = $1 ORDER BY id LIMIT 1000";
    Ok(read!(pool, query_as.fetch_all, query, order_id.get())?)
}
