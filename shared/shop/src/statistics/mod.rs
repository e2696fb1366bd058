//! Statistics of a shop: what was sold, how many orders were paid, what sells best.
//!
//! They are kept by day, and counted anew for the hours and days whose orders have changed: they cannot drift from the orders,
//! and cost the same at a million of them as at a thousand.

mod buyers;
mod days;
mod figures;
mod period;
mod tables;

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
};

use days::SalesDay;
pub use days::{SALES_DAYS, SALES_DAYS_STATE, recount, refresh};
pub use period::Period;
use serde::{Deserialize, Serialize};
pub use tables::{OrdersTable, orders_csv, sales_csv};
use time::{Date, Duration};
use tolov_domain::{
    OrderId, ProductId, Tiyin,
    order::Portion,
    ports::{
        PortError,
        documents::{Documents, Query},
    },
    time::{Timestamp, unix_ms},
};

use self::{
    buyers::Buyers,
    figures::{Figures, SoldOn},
    period::day_of,
};
use crate::{
    order::{ORDERS, ShopOrder},
    records,
};

const BEST_MAX: usize = 10;
/// Orders may be paid on a later day: those that were placed this long before a period are read too.
const PAID_WITHIN: Duration = Duration::days(7);

/// What was sold in a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statistics {
    pub period: Period,
    /// Every step, oldest first, including those without sales.
    pub steps: Vec<Step>,
    /// Of all steps.
    pub sales: Tiyin,
    /// How many orders were paid in the period, and not refunded.
    pub sold_orders: u32,
    /// How many different people paid them.
    pub buyers: u32,
    /// How many orders that could be paid were placed in the period.
    pub placed: u32,
    /// How many of those were paid, whenever and whatever became of them.
    pub placed_and_paid: u32,
    /// From the order to its money, on average.
    pub paid_after: Option<Duration>,
    /// Of what was sold, at most ten each; discounts and delivery are not in their money.
    pub best_by_money: Vec<Seller>,
    pub best_by_pieces: Vec<Seller>,
    /// Some days are not counted yet: [`refresh`] goes on with them.
    pub is_cut: bool,
}

/// A day, a week or a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Its first day.
    pub from: Date,
    /// What was paid in it and not refunded, with delivery.
    pub sales: Tiyin,
    pub sold_orders: u32,
}

/// An article that was sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seller {
    pub article_id: ProductId,
    /// Its latest title.
    pub title: String,
    /// Pieces, or portions.
    pub pieces: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portion: Option<Portion>,
    pub money: Tiyin,
}

impl Statistics {
    /// How many of a thousand orders were paid; `None` if none was placed.
    pub fn conversion_permille(&self) -> Option<u32> {
        let permille =
            u64::from(self.placed_and_paid).checked_mul(1_000)?.checked_div(u64::from(self.placed))?;
        u32::try_from(permille).ok()
    }

    /// The average sold order, in whole so'm; `None` if nothing was sold.
    pub fn average_order(&self) -> Option<Tiyin> {
        let average = self.sales.get().checked_div(i64::from(self.sold_orders))?;
        Tiyin::from_soum(average / 100).ok()
    }
}

/// The figures of a period that ends now, with the orders of this moment.
pub async fn statistics(
    documents: &dyn Documents,
    period: Period,
    now: Timestamp,
) -> Result<Statistics, PortError> {
    let is_whole = refresh(documents, now).await?;
    let from = day_of(period.from(now).saturating_sub(PAID_WITHIN));
    let mut count = Count::new(period, now);
    let see = |day: &SalesDay| day.figures().for_each(|figures| count.add(day.date(), figures));
    days::each(documents, (from, day_of(now)), see).await?;
    Ok(count.finish(!is_whole))
}

/// The orders that were paid from one time up to another, whatever became of them, with their totals. Those that were placed
/// more than a week before are not found.
pub async fn paid_between(
    documents: &dyn Documents,
    (from, to): (Timestamp, Timestamp),
) -> Result<Vec<(OrderId, Tiyin)>, PortError> {
    let (paid_at, mut paid) = (from..to, Vec::new());
    each_order(documents, (from - PAID_WITHIN, to), usize::MAX, |order| {
        if order.payment().is_some_and(|payment| paid_at.contains(&payment.paid_at)) {
            paid.push((order.id, order.total));
        }
    })
    .await?;
    Ok(paid)
}

/// Calls `look` for the orders that were placed between two times, oldest first. Of more than `max` only those of the
/// latest days are looked at. Returns whether those were all.
async fn each_order(
    documents: &dyn Documents,
    (from, to): (Timestamp, Timestamp),
    max: usize,
    mut look: impl FnMut(&ShopOrder),
) -> Result<bool, PortError> {
    let (whole_from, to) = (unix_ms(from), unix_ms(to));
    let from = latest_days(documents, (whole_from, to), max).await?;
    let is_whole = from == whole_from;
    Ok(each_between(documents, (from, to), max, &mut look).await? && is_whole)
}

/// The same in milliseconds, up to the first `max`.
async fn each_between(
    documents: &dyn Documents,
    (mut from, to): (i64, i64),
    max: usize,
    look: &mut impl FnMut(&ShopOrder),
) -> Result<bool, PortError> {
    const PAGE: u32 = 500;
    let mut seen = 0_usize;
    // Pages begin where the last one ended, not after a number of orders: one that is removed meanwhile would shift the
    // others.
    let mut last_seen: HashSet<OrderId> = HashSet::new();
    loop {
        let query = Query::between(ORDERS, "placed_at", (from, to), PAGE);
        let (page, is_last) = records::find_page::<ShopOrder>(documents, &query).await?;
        for order in page.iter().filter(|order| !last_seen.contains(&order.id)) {
            if seen >= max {
                return Ok(false);
            }
            seen = seen.saturating_add(1);
            look(order);
        }
        let Some(last) = page.last().map(|order| unix_ms(order.placed_at)) else {
            return Ok(is_last);
        };
        if is_last {
            return Ok(true);
        }
        // No shop fills a page in one millisecond: the rest of that millisecond is skipped rather than read for ever.
        from = if last == from { last.saturating_add(1) } else { last };
        let at_the_end = page.iter().filter(|order| unix_ms(order.placed_at) == last);
        last_seen = at_the_end.map(|order| order.id).collect();
    }
}

/// The earliest begin, whole days later than `from`, since which at most `max` orders were placed.
async fn latest_days(
    documents: &dyn Documents,
    (from, to): (i64, i64),
    max: usize,
) -> Result<i64, PortError> {
    const DAY_MS: i64 = 24 * 3_600 * 1_000;
    let max = u64::try_from(max).unwrap_or(u64::MAX);
    let begin = |days: i64| from.saturating_add(days.saturating_mul(DAY_MS)).min(to);
    // Since `enough` days later there are few enough orders; since `too_early` there are too many.
    let (mut too_early, mut enough) = (-1, to.saturating_sub(from) / DAY_MS + 1);
    let mut days = 0;
    while enough - too_early > 1 {
        let since = Query::between(ORDERS, "placed_at", (begin(days), to), 1);
        if documents.count(&since).await? > max {
            too_early = days;
        } else {
            enough = days;
        }
        days = too_early + (enough - too_early) / 2;
    }
    // A single day with more is cut at its end.
    Ok(begin(if begin(enough) < to { enough } else { too_early.max(0) }))
}

/// Sums up the figures of days.
struct Count {
    from: Date,
    buyers: Buyers,
    sellers: HashMap<ProductId, Seller>,
    paid_after_seconds: i64,
    counted: Statistics,
}

impl Count {
    fn new(period: Period, now: Timestamp) -> Self {
        let step = |from| Step { from, sales: Tiyin::ZERO, sold_orders: 0 };
        let counted = Statistics {
            period,
            steps: period.starts(now).into_iter().map(step).collect(),
            sales: Tiyin::ZERO,
            sold_orders: 0,
            buyers: 0,
            placed: 0,
            placed_and_paid: 0,
            paid_after: None,
            best_by_money: Vec::new(),
            best_by_pieces: Vec::new(),
            is_cut: false,
        };
        Self {
            from: day_of(period.from(now)),
            buyers: Buyers::default(),
            sellers: HashMap::new(),
            paid_after_seconds: 0,
            counted,
        }
    }

    /// Of orders that were placed on this day.
    fn add(&mut self, day: Date, figures: &Figures) {
        if day >= self.from {
            add_to(&mut self.counted.placed, figures.placed);
            add_to(&mut self.counted.placed_and_paid, figures.placed_and_paid);
        }
        let from = self.from;
        for sold in figures.sold.iter().filter(|sold| sold.date() >= from) {
            self.add_sales(sold);
        }
    }

    fn add_sales(&mut self, sold: &SoldOn) {
        let day = sold.date();
        // Sales with a time after the last step (a clock that was ahead) count in it.
        if let Some(step) = self.counted.steps.iter_mut().rev().find(|step| step.from <= day) {
            step.sales = sum(step.sales, sold.money);
            add_to(&mut step.sold_orders, sold.orders);
        }
        self.counted.sales = sum(self.counted.sales, sold.money);
        add_to(&mut self.counted.sold_orders, sold.orders);
        self.paid_after_seconds = self.paid_after_seconds.saturating_add(sold.waited_seconds);
        self.buyers.merge(&sold.buyers);
        for seller in &sold.articles {
            figures::add_seller(&mut self.sellers, seller);
        }
    }

    fn finish(self, is_cut: bool) -> Statistics {
        let mut counted = self.counted;
        let mut sellers: Vec<Seller> = self.sellers.into_values().collect();
        sellers.sort_by_key(by_money);
        counted.best_by_money = sellers.iter().take(BEST_MAX).cloned().collect();
        sellers.sort_by_key(by_pieces);
        sellers.truncate(BEST_MAX);
        let average = self.paid_after_seconds.checked_div(i64::from(counted.sold_orders));
        Statistics {
            buyers: self.buyers.count(),
            paid_after: average.map(Duration::seconds),
            best_by_pieces: sellers,
            is_cut,
            ..counted
        }
    }
}

fn by_money(seller: &Seller) -> (Reverse<(Tiyin, u64)>, ProductId) {
    (Reverse((seller.money, seller.pieces)), seller.article_id)
}

fn by_pieces(seller: &Seller) -> (Reverse<(u64, Tiyin)>, ProductId) {
    (Reverse((seller.pieces, seller.money)), seller.article_id)
}

fn add_to(count: &mut u32, more: u32) {
    *count = count.saturating_add(more);
}

fn sum(money: Tiyin, more: Tiyin) -> Tiyin {
    money.checked_add(more).unwrap_or(Tiyin::MAX)
}

#[cfg(test)]
mod statistics_tests;
