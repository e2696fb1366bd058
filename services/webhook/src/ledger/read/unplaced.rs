//! Money that belongs to no order, whichever way it came: of CLICK's callbacks and of Telegram's payments, in one list.

use std::{fmt, iter, str::FromStr};

use super::{
    CallbackRecord,
    pool::{Pool, read},
};
use crate::ledger::{Ledger, LedgerError, LedgerReader, postgres::reads};

/// Money that somebody said was taken, and that no order has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnplacedRecord {
    /// CLICK's callback was not answered as paid.
    Callback(UnplacedCallback),
    Telegram(UnplacedInTelegram),
}

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct UnplacedCallback {
    pub id: i64,
    #[sqlx(flatten)]
    pub callback: CallbackRecord,
}

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct UnplacedInTelegram {
    pub id: i64,
    pub payload: String,
    pub user_id: i64,
    pub amount_tiyin: i64,
    pub currency: String,
    pub telegram_charge_id: String,
    pub provider_charge_id: String,
    pub received_at: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnplacedPage {
    /// Newest first.
    pub payments: Vec<UnplacedRecord>,
    /// Where the next page begins.
    pub next: Option<UnplacedBefore>,
}

/// Where a page begins: after the last callback and the last payment in Telegram that were shown. Each kind goes by its own ids,
/// which never change, so that no page repeats or misses a payment, whatever comes in meanwhile and whatever a clock said.
///
/// As text `41`, `41.7`, or `.7` before any callback: the last ids of the two kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnplacedBefore {
    callback: i64,
    telegram: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write what the page before names as the next one")]
pub struct BadUnplacedBefore;

impl UnplacedBefore {
    pub const NEWEST: Self = Self { callback: i64::MAX, telegram: i64::MAX };
}

impl fmt::Display for UnplacedBefore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { callback, telegram } = *self;
        if callback != i64::MAX || telegram == i64::MAX {
            write!(formatter, "{callback}")?;
        }
        if telegram == i64::MAX { Ok(()) } else { write!(formatter, ".{telegram}") }
    }
}

impl FromStr for UnplacedBefore {
    type Err = BadUnplacedBefore;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let id = |text: &str| {
            let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| is_number).ok_or(BadUnplacedBefore)
        };
        Ok(match text.split_once('.') {
            None => Self { callback: id(text)?, ..Self::NEWEST },
            Some(("", telegram)) => Self { telegram: id(telegram)?, ..Self::NEWEST },
            Some((callback, telegram)) => Self { callback: id(callback)?, telegram: id(telegram)? },
        })
    }
}

impl Ledger {
    /// Payments that belong to no order, newest first.
    pub async fn unplaced_payments(
        &self,
        before: UnplacedBefore,
        limit: u32,
    ) -> Result<UnplacedPage, LedgerError> {
        page(&self.readers.requests, before, limit).await
    }
}

impl LedgerReader {
    /// See [`Ledger::unplaced_payments`].
    pub async fn unplaced_payments(
        &self,
        before: UnplacedBefore,
        limit: u32,
    ) -> Result<UnplacedPage, LedgerError> {
        page(&self.pool, before, limit).await
    }
}

/// One more of each kind than a page has says whether there is another page.
async fn page(pool: &Pool, before: UnplacedBefore, limit: u32) -> Result<UnplacedPage, LedgerError> {
    let one_more = i64::from(limit).saturating_add(1);
    let callbacks = "SELECT id, received_at, peer, fields, code, answer, unplaced, source
             FROM callbacks WHERE unplaced = 1 AND id < $1 ORDER BY id DESC LIMIT +$2";
    let callbacks: Vec<UnplacedCallback> =
        read!(pool, query_as.fetch_all, [callbacks, reads::UNPLACED], before.callback, one_more)?;
    // By the index that holds no others, and then by id: they are few.
    let in_telegram = "SELECT id, payload, user_id, amount_tiyin, currency, telegram_charge_id, provider_charge_id, received_at
             FROM telegram_payments INDEXED BY telegram_payments_unplaced_once
             WHERE outcome = 'unplaced' AND id < $1 ORDER BY id DESC LIMIT +$2";
    let in_telegram: Vec<UnplacedInTelegram> = read!(
        pool,
        query_as.fetch_all,
        [in_telegram, reads::UNPLACED_IN_TELEGRAM],
        before.telegram,
        one_more
    )?;
    Ok(merged(callbacks, in_telegram, before, usize::try_from(limit).unwrap_or(usize::MAX)))
}

fn merged(
    callbacks: Vec<UnplacedCallback>,
    in_telegram: Vec<UnplacedInTelegram>,
    mut before: UnplacedBefore,
    limit: usize,
) -> UnplacedPage {
    let (mut callbacks, mut in_telegram) =
        (callbacks.into_iter().peekable(), in_telegram.into_iter().peekable());
    let newest = iter::from_fn(|| {
        let is_callback = match (callbacks.peek(), in_telegram.peek()) {
            (Some(callback), Some(payment)) => callback.callback.received_at >= payment.received_at,
            (callback, _) => callback.is_some(),
        };
        if is_callback {
            let callback = callbacks.next()?;
            before.callback = callback.id;
            return Some(UnplacedRecord::Callback(callback));
        }
        let payment = in_telegram.next()?;
        before.telegram = payment.id;
        Some(UnplacedRecord::Telegram(payment))
    });
    let payments = newest.take(limit).collect();
    let has_more = callbacks.peek().is_some() || in_telegram.peek().is_some();
    UnplacedPage { payments, next: has_more.then_some(before) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_page_begins_is_read_as_it_was_written() {
        let (newest, max) = (UnplacedBefore::NEWEST, i64::MAX);
        for (callback, telegram, text) in [(41, 7, "41.7"), (41, max, "41"), (max, 7, ".7")] {
            let before = UnplacedBefore { callback, telegram };
            assert_eq!((before.to_string().as_str(), text.parse()), (text, Ok(before)));
        }
        assert_eq!(newest.to_string().parse(), Ok(newest));
        for text in ["", ".", "7.", "+1", "-1", "1.2.3", "1 ", "9223372036854775808"] {
            assert_eq!(text.parse::<UnplacedBefore>(), Err(BadUnplacedBefore), "{text:?}");
        }
    }
}
