//! The figures of each day, kept in a document a day.
//!
//! The orders of today and the days before are counted by the hour they were placed in, so that a change of one costs no more
//! than its hour; a day that is over is counted once more, as a whole. A change of an order of long ago (a refund) counts its
//! day anew. Counting is repeatable, and writes compare and swap: several processes may do it at once.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use time::{Date, Duration};
use tolov_domain::{
    ports::{
        PortError,
        documents::{Collection, Documents, Key, Put, Query, Version},
    },
    time::{TASHKENT, Timestamp, from_unix_ms, millis, unix_ms},
};

use super::{
    each_between,
    figures::{Counter, Figures, date_of, number_of},
    period::day_of,
};
use crate::{
    order::{ORDERS, ShopOrder},
    records::{self, Record},
};

pub const SALES_DAYS: Collection = Collection::new("sales_days", &[]);
pub const SALES_DAYS_STATE: Collection = Collection::new("sales_days_state", &[]);

/// So many days, with today, are counted by the hour.
const DAYS_BY_HOUR: i64 = 3;
/// How far back days are counted: what the longest period shows, and some days more.
const DAYS_MAX: i64 = 400;
/// How many orders one call of [`refresh`] counts of days that were never counted, or looks through for changes.
const AT_ONCE: usize = 20_000;
/// Changes are looked for from this long before the last time: writers' clocks may differ.
const OVERLAP: Duration = Duration::minutes(2);
/// The days by the hour are counted anew this often: an event that was delayed changes an order at a time that was looked
/// through already.
const RECOUNTED_EVERY: Duration = Duration::hours(1);

/// The figures of the orders that were placed on one day in Tashkent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct SalesDay {
    /// Since 1970.
    day: i64,
    /// By the hour, while the day is one of the last.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    hours: BTreeMap<String, Figures>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    whole: Option<Figures>,
}

impl Record for SalesDay {
    const COLLECTION: Collection = SALES_DAYS;

    fn key(&self) -> Key {
        Key::Number(self.day)
    }
}

impl SalesDay {
    pub(super) fn date(&self) -> Date {
        date_of(self.day)
    }

    pub(super) fn figures(&self) -> impl Iterator<Item = &Figures> {
        // Once the whole day is counted, its hours say nothing more.
        let hours = self.hours.values().filter(|_| self.whole.is_none());
        self.whole.iter().chain(hours)
    }
}

/// How far the counting has come. There is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    /// Every earlier day was counted as a whole.
    whole_until_day: i64,
    /// Changes of orders were looked for until then.
    #[serde(with = "millis")]
    looked_until_at: Timestamp,
    #[serde(with = "millis")]
    recounted_at: Timestamp,
}

impl Record for State {
    const COLLECTION: Collection = SALES_DAYS_STATE;

    fn key(&self) -> Key {
        Key::Number(1)
    }
}

/// Shows the days that were counted, oldest first, with no more than a few in memory: one has hundreds of articles for each day on
/// which its orders were paid.
pub(super) async fn each(
    documents: &dyn Documents,
    (from, to): (Date, Date),
    mut see: impl FnMut(&SalesDay) + Send,
) -> Result<(), PortError> {
    const PAGE: usize = 32;
    let days: Vec<i64> = (number_of(from)..=number_of(to)).collect();
    for page in days.chunks(PAGE) {
        let days: Vec<SalesDay> = records::read_many(documents, page.iter().copied()).await?;
        days.iter().for_each(&mut see);
    }
    Ok(())
}

/// Every day is counted anew: for whoever has brought in orders of the past.
pub async fn recount(documents: &dyn Documents) -> Result<(), PortError> {
    records::remove::<State>(documents, 1).await.map(drop)
}

/// Counts what has changed since the last time. `false`: there is more to count, call it again.
pub async fn refresh(documents: &dyn Documents, now: Timestamp) -> Result<bool, PortError> {
    let first_by_hour = number_of(day_of(now)).saturating_sub(DAYS_BY_HOUR - 1);
    let begin = start_of(first_by_hour);
    let stored = records::read_versioned::<State>(documents, &Key::Number(1)).await?;
    let seen = stored.as_ref().map(|stored| stored.version);
    let mut state = stored.map(|stored| stored.record).unwrap_or(State {
        whole_until_day: first_by_hour.saturating_sub(DAYS_MAX),
        looked_until_at: begin,
        recounted_at: begin,
    });
    let before = state.clone();
    let mut is_done = count_whole_days(documents, &mut state, first_by_hour).await?;
    let mut dirty = BTreeSet::new();
    is_done &= look_for_changes(documents, &mut state, now, &mut dirty).await?;
    if (now - state.recounted_at).abs() >= RECOUNTED_EVERY {
        let hours = (now - begin).whole_hours();
        dirty.extend((0..=hours).map(|hour| bucket_of(begin + Duration::hours(hour), first_by_hour)));
        state.recounted_at = now;
    }
    count_buckets(documents, dirty).await?;
    if state != before {
        // Whoever was faster has counted the same.
        records::write(documents, seen, &state).await?;
    }
    Ok(is_done)
}

/// Counts the days that are over and were not counted as a whole. `false`: not all of them.
async fn count_whole_days(
    documents: &dyn Documents,
    state: &mut State,
    first_by_hour: i64,
) -> Result<bool, PortError> {
    let mut counted = 0;
    while state.whole_until_day < first_by_hour {
        if counted >= AT_ONCE {
            return Ok(false);
        }
        // Days without orders are passed over.
        let range =
            (unix_ms(start_of(state.whole_until_day)), unix_ms(start_of(first_by_hour)).saturating_sub(1));
        let next: Vec<ShopOrder> =
            records::find(documents, &Query::between(ORDERS, "placed_at", range, 1)).await?;
        let Some(next) = next.first() else {
            state.whole_until_day = first_by_hour;
            break;
        };
        let day = number_of(day_of(next.placed_at)).max(state.whole_until_day);
        counted += count_bucket(documents, Bucket { day, hour: None }).await?;
        state.whole_until_day = day.saturating_add(1);
    }
    Ok(true)
}

/// Where orders have changed since the last time. `false`: there may be more.
async fn look_for_changes(
    documents: &dyn Documents,
    state: &mut State,
    now: Timestamp,
    dirty: &mut BTreeSet<Bucket>,
) -> Result<bool, PortError> {
    const PAGE: u32 = 500;
    let first_by_hour = number_of(day_of(now)).saturating_sub(DAYS_BY_HOUR - 1);
    let mut from = unix_ms(state.looked_until_at - OVERLAP);
    let to = unix_ms(now + OVERLAP);
    for _ in 0..AT_ONCE / 500 {
        let query = Query::between(ORDERS, "changed_at", (from, to), PAGE);
        let (page, is_last) = records::find_page::<ShopOrder>(documents, &query).await?;
        dirty.extend(page.iter().map(|order| bucket_of(order.placed_at, first_by_hour)));
        let last = page.iter().map(|order| unix_ms(order.changed_at())).max();
        if is_last {
            state.looked_until_at = now;
            return Ok(true);
        }
        // No shop changes a page of orders in one millisecond.
        from = last.map_or(to, |last| if last == from { last.saturating_add(1) } else { last });
        state.looked_until_at = from_unix_ms(from) + OVERLAP;
    }
    Ok(false)
}

/// What is counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Bucket {
    day: i64,
    /// `None`: the whole day.
    hour: Option<u8>,
}

impl Bucket {
    /// In milliseconds, both ends included.
    fn range(self) -> (i64, i64) {
        let day = start_of(self.day);
        let (from, length) = match self.hour {
            Some(hour) => (day + Duration::hours(i64::from(hour)), Duration::HOUR),
            None => (day, Duration::DAY),
        };
        (unix_ms(from), unix_ms(from + length).saturating_sub(1))
    }
}

fn bucket_of(placed_at: Timestamp, first_by_hour: i64) -> Bucket {
    let day = number_of(day_of(placed_at));
    let hour = placed_at.to_offset(TASHKENT).hour();
    Bucket { day, hour: (day >= first_by_hour).then_some(hour) }
}

fn start_of(day: i64) -> Timestamp {
    date_of(day).midnight().assume_offset(TASHKENT)
}

async fn count_buckets(documents: &dyn Documents, buckets: BTreeSet<Bucket>) -> Result<(), PortError> {
    for bucket in buckets {
        count_bucket(documents, bucket).await?;
    }
    Ok(())
}

/// Counts the orders of a bucket. Returns how many there are.
async fn count_bucket(documents: &dyn Documents, bucket: Bucket) -> Result<usize, PortError> {
    const TRIES: u32 = 10;
    for _ in 0..TRIES {
        // Read before the orders: if others count the bucket meanwhile, theirs may be the newer figures.
        let stored = records::read_versioned::<SalesDay>(documents, &Key::Number(bucket.day)).await?;
        let seen: Option<Version> = stored.as_ref().map(|stored| stored.version);
        let before = stored.map(|stored| stored.record);
        let (mut counter, mut orders) = (Counter::default(), 0_usize);
        let mut count = |order: &ShopOrder| {
            counter.add(order);
            orders += 1;
        };
        each_between(documents, bucket.range(), usize::MAX, &mut count).await?;
        let day = before.clone().unwrap_or(SalesDay { day: bucket.day, ..SalesDay::default() });
        let day = with_figures(day, bucket.hour, counter.finish());
        if before.as_ref() == Some(&day) || records::write(documents, seen, &day).await? != Put::Conflict {
            return Ok(orders);
        }
    }
    Err(PortError::Unavailable("the figures of a day are counted by others again and again".to_owned()))
}

fn with_figures(mut day: SalesDay, hour: Option<u8>, figures: Figures) -> SalesDay {
    match hour {
        // A whole day stays whole where a clock went back: it is counted again when a day changes.
        Some(_) if day.whole.is_some() => {}
        Some(hour) => drop(day.hours.insert(format!("{hour:02}"), figures)),
        None => {
            day.whole = Some(figures);
            day.hours.clear();
        }
    }
    day
}
