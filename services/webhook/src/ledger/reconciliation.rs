//! What the HTTP API asks of the ledger about compared days, restores, and attempts that an owner accepts as paid.

use serde::{Deserialize, Serialize};
use time::Duration;
use tolov_domain::{
    OrderId, PrepareId, Tiyin,
    day::{self, ClickComparison, Day, DayCompared, PaidOnDay},
    refund::api::{FoundPayment, ReportSource, SeenPayment, SeenReply, SeenRequest, UnattemptedOrder},
    time::{Timestamp, from_unix_ms, unix_ms},
};

use super::{
    Ledger, LedgerError,
    postgres::reads,
    read::pool::{Pool, read},
    writer::{
        reconciliation::{PaymentFound, RecordDay, RestoresChecked},
        seen::{PAID, SeenAttempt},
    },
};

/// A day is three hours over when it is compared. One that was compared much later than it is now was compared by a clock that was
/// ahead, perhaps before it had begun: that does not count.
const AHEAD_MAX: Duration = Duration::hours(1);
/// After a longer stop the days before these are not compared any more.
const CAUGHT_UP_MAX: i64 = 31;
/// The most orders without an attempt in one answer.
const UNATTEMPTED_MAX: i64 = 500;

/// What became of an owner's "accept as paid".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    Decided(SeenReply),
    /// CLICK has not shown the attempt as paid.
    NotReported,
    /// There is no such attempt.
    Unknown,
}

/// Restores after which CLICK has not been asked what they lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UncheckedRestores {
    pub ids: Vec<i64>,
    /// Of the oldest backup.
    pub backup_made_at: Timestamp,
    /// When the last of them was put back.
    pub restored_at: Timestamp,
}

/// Why an attempt is paid of which no Complete had come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct PaymentReportRecord {
    pub prepare_id: i64,
    /// Milliseconds since 1970.
    pub at: i64,
    /// `status`, `restore`, `statement` or `owner`.
    pub source: String,
    pub by: String,
    pub payment_id: i64,
}

pub(super) async fn payment_reports(
    pool: &Pool,
    order_id: OrderId,
) -> Result<Vec<PaymentReportRecord>, LedgerError> {
    let reports = "SELECT r.prepare_id, r.at, r.source, r.by, r.payment_id
         FROM attempts AS a CROSS JOIN payment_reports AS r
         WHERE r.prepare_id = a.prepare_id AND a.order_id = $1 LIMIT 1000";
    Ok(read!(pool, query_as.fetch_all, reports, order_id.get())?)
}

impl Ledger {
    /// The oldest day that is over and was not compared. A ledger that has compared none begins with yesterday. `now` is the time
    /// as it is believed ([`crate::believed_time`]).
    pub async fn next_day(&self, now: Timestamp) -> Result<Option<Day>, LedgerError> {
        let due = Day::last_due(now);
        let pool = &self.readers.requests;
        let last: Option<String> = read!(
            pool,
            query_scalar.fetch_one,
            "SELECT max(day) FROM compared_days WHERE day <= $1 AND compared_at <= $2",
            due.to_string(),
            unix_ms(now.saturating_add(AHEAD_MAX)),
        )?;
        if let Some(last) = last {
            let last = Day::parse(&last).map_err(|_| LedgerError::Row("a compared day is none"))?;
            let next = last.plus(1).max(due.plus(1 - CAUGHT_UP_MAX));
            return Ok((next <= due).then_some(next));
        }
        let first: Option<i64> = read!(
            pool,
            query_scalar.fetch_optional,
            "SELECT created_at FROM orders WHERE order_id = (SELECT min(order_id) FROM orders)"
        )?;
        Ok(first.filter(|first| Day::of(from_unix_ms(*first)) <= due).map(|_| due))
    }

    /// Records that a day was compared, with an event for the projector. May be repeated. `at`: as [`Ledger::next_day`] is asked.
    pub async fn record_day(
        &self,
        day: Day,
        click: Option<ClickComparison>,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let range = (unix_ms(day.start()), unix_ms(day.end()));
        let pool = &self.readers.requests;
        let (orders, sum): (i64, i64) = read!(
            pool,
            query_as.fetch_one,
            "SELECT count(*), CAST(coalesce(sum(amount_tiyin), 0) AS BIGINT) FROM attempts
             WHERE state = 'paid' AND settled_at >= $1 AND settled_at < $2",
            range.0,
            range.1,
        )?;
        let rows: Vec<(i64, i64)> = read!(
            pool,
            query_as.fetch_all,
            "SELECT order_id, amount_tiyin FROM attempts
             WHERE state = 'paid' AND settled_at >= $1 AND settled_at < $2 ORDER BY settled_at LIMIT +$3",
            range.0,
            range.1,
            i64::try_from(day::PAID_MAX).unwrap_or(i64::MAX),
        )?;
        let event_id = match self.compared_ahead(day, at).await? {
            Some(before) => DayCompared::id_of_repetition(day, before),
            None => DayCompared::id_of(day),
        };
        let paid = |(order_id, amount): (i64, i64)| {
            Ok(PaidOnDay {
                order_id: OrderId::try_new(order_id)
                    .map_err(|_| LedgerError::Row("an id is not positive"))?,
                amount_tiyin: Tiyin::try_new(amount)
                    .map_err(|_| LedgerError::Row("an amount is out of range"))?,
            })
        };
        let compared = DayCompared {
            schema: day::SCHEMA.to_owned(),
            event_id,
            day,
            orders: u32::try_from(orders).unwrap_or(u32::MAX),
            sum_tiyin: Tiyin::try_new(sum).map_err(|_| LedgerError::Row("an amount is out of range"))?,
            paid: rows.into_iter().map(paid).collect::<Result<_, LedgerError>>()?,
            click,
            shop_differing: Vec::new(),
            missing_receipts: self.count_missing_receipts().await?,
            occurred_at: at,
        };
        self.decide(RecordDay(compared)).await
    }

    /// When a day was compared by a clock that was ahead.
    async fn compared_ahead(&self, day: Day, now: Timestamp) -> Result<Option<Timestamp>, LedgerError> {
        let ahead: Option<i64> = read!(
            &self.readers.requests,
            query_scalar.fetch_optional,
            "SELECT compared_at FROM compared_days WHERE day = $1 AND compared_at > $2",
            day.to_string(),
            unix_ms(now.saturating_add(AHEAD_MAX)),
        )?;
        Ok(ahead.map(from_unix_ms))
    }

    /// `None`: CLICK was asked after every restore of this ledger.
    pub async fn unchecked_restores(&self) -> Result<Option<UncheckedRestores>, LedgerError> {
        let rows: Vec<(i64, i64, i64)> = read!(
            &self.readers.requests,
            query_as.fetch_all,
            "SELECT id, backup_made_at, restored_at FROM restores
             WHERE id NOT IN (SELECT restore_id FROM restore_checks)"
        )?;
        let oldest = rows.iter().map(|(_, made_at, _)| from_unix_ms(*made_at)).min();
        let last = rows.iter().map(|(_, _, restored_at)| from_unix_ms(*restored_at)).max();
        Ok(oldest.zip(last).map(|(backup_made_at, restored_at)| UncheckedRestores {
            ids: rows.into_iter().map(|(id, ..)| id).collect(),
            backup_made_at,
            restored_at,
        }))
    }

    /// Orders that can be paid and were registered after `since`, and that have no attempt, in the order of their registration; from
    /// 0 or the last one of the page before on.
    pub async fn unattempted_orders(
        &self,
        since: Timestamp,
        after: i64,
    ) -> Result<Vec<UnattemptedOrder>, LedgerError> {
        let sqlite = "SELECT o.order_id, o.created_at FROM orders AS o INDEXED BY orders_pending
             WHERE o.status = 'pending' AND o.created_at > $1
               AND (o.created_at, o.order_id) > (coalesce((SELECT created_at FROM orders WHERE order_id = $2), 0), $2)
               AND NOT EXISTS (SELECT 1 FROM attempts AS a WHERE a.order_id = o.order_id)
             ORDER BY o.created_at, o.order_id LIMIT +$3";
        let rows: Vec<(i64, i64)> = read!(
            &self.readers.requests,
            query_as.fetch_all,
            [sqlite, reads::UNATTEMPTED],
            unix_ms(since),
            after,
            UNATTEMPTED_MAX,
        )?;
        let order = |(order_id, registered_at)| {
            let order_id =
                OrderId::try_new(order_id).map_err(|_| LedgerError::Row("an id is not positive"))?;
            Ok(UnattemptedOrder { order_id, registered_at: from_unix_ms(registered_at) })
        };
        rows.into_iter().map(order).collect()
    }

    /// Ends an order of which CLICK shows a payment and the ledger knows no attempt, and has staff look for the money. May be
    /// repeated.
    pub async fn found_payment(&self, found: FoundPayment, at: Timestamp) -> Result<(), LedgerError> {
        let is_listed: bool = read!(
            &self.readers.requests,
            query_scalar.fetch_one,
            "SELECT count(*) > 0 FROM callbacks WHERE order_id = $1 AND unplaced AND source = 'restore'",
            found.order_id.get(),
        )?;
        self.decide(PaymentFound { found, is_listed, at }).await
    }

    /// Records that CLICK was asked about what every restore so far may have lost.
    pub async fn restores_checked(&self, at: Timestamp) -> Result<(), LedgerError> {
        match self.unchecked_restores().await? {
            Some(UncheckedRestores { ids, .. }) => {
                self.decide(RestoresChecked { restore_ids: ids, at }).await
            }
            None => Ok(()),
        }
    }

    /// An owner accepts as paid what CLICK has shown as paid. May be repeated, by others too: the first makes it paid.
    pub async fn accept_attempt(
        &self,
        prepare_id: PrepareId,
        by: String,
        at: Timestamp,
    ) -> Result<Accepted, LedgerError> {
        let shown: Option<(Option<i64>, Option<i64>)> = read!(
            &self.readers.requests,
            query_as.fetch_optional,
            "SELECT payment_id, status FROM attempt_checks WHERE prepare_id = $1",
            prepare_id.get(),
        )?;
        let payment = shown
            .and_then(|(id, status)| Some(SeenPayment { payment_id: id?.try_into().ok()?, status: status? }));
        let Some(payment) = payment.filter(|payment| payment.status == PAID) else {
            return Ok(Accepted::NotReported);
        };
        let seen = SeenRequest {
            payment: Some(payment),
            source: ReportSource::Owner,
            amount_tiyin: None,
            accept: true,
        };
        let reply = self.decide(SeenAttempt { prepare_id, seen, by, at }).await?;
        Ok(reply.map_or(Accepted::Unknown, Accepted::Decided))
    }
}
