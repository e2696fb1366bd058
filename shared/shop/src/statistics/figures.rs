//! The figures of the orders that were placed in one hour, or on one day.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use time::{Date, Duration, macros::date};
use tolov_domain::{ProductId, Tiyin, order::OrderLine};

use super::{Seller, add_to, buyers::Buyers, by_money, by_pieces, period::day_of, sum};
use crate::order::{OrderAction, ShopOrder, Stage};

/// How many articles are kept of a day: the best by money and the best by pieces, so many each.
const ARTICLES_MAX: usize = 100;
const EPOCH: Date = date!(1970 - 01 - 01);

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Figures {
    /// Orders that could be paid.
    pub(super) placed: u32,
    pub(super) placed_and_paid: u32,
    /// By the day of the payment; what was refunded is left out.
    pub(super) sold: Vec<SoldOn>,
}

/// What was paid on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SoldOn {
    /// Since 1970, in Tashkent.
    day: i64,
    pub(super) orders: u32,
    pub(super) money: Tiyin,
    /// From the orders to their payments, altogether.
    pub(super) waited_seconds: i64,
    pub(super) buyers: Buyers,
    pub(super) articles: Vec<Seller>,
}

impl SoldOn {
    pub(super) fn date(&self) -> Date {
        date_of(self.day)
    }
}

pub(super) fn number_of(day: Date) -> i64 {
    (day - EPOCH).whole_days()
}

pub(super) fn date_of(day: i64) -> Date {
    EPOCH.saturating_add(Duration::days(day))
}

/// Counts orders.
#[derive(Debug, Default)]
pub(super) struct Counter {
    figures: Figures,
    sold: BTreeMap<i64, (SoldOn, HashMap<ProductId, Seller>)>,
}

impl Counter {
    pub(super) fn add(&mut self, order: &ShopOrder) {
        let could_be_paid = order.is_paid() || order.last(OrderAction::Registered).is_some();
        if could_be_paid {
            add_to(&mut self.figures.placed, 1);
            add_to(&mut self.figures.placed_and_paid, u32::from(order.is_paid()));
        }
        let Some(payment) = order.payment() else { return };
        if order.stage() == Stage::Refunded {
            return;
        }
        let day = number_of(day_of(payment.paid_at));
        let none = || {
            let (money, buyers, articles) = (Tiyin::ZERO, Buyers::default(), Vec::new());
            (SoldOn { day, orders: 0, money, waited_seconds: 0, buyers, articles }, HashMap::new())
        };
        let (sold, sellers) = self.sold.entry(day).or_insert_with(none);
        add_to(&mut sold.orders, 1);
        sold.money = sum(sold.money, order.kept());
        let waited = (payment.paid_at - order.placed_at).whole_seconds().max(0);
        sold.waited_seconds = sold.waited_seconds.saturating_add(waited);
        sold.buyers.add(order.user_id);
        for line in &order.lines {
            add_seller(sellers, &seller_of(order, line));
        }
    }

    pub(super) fn finish(self) -> Figures {
        let mut figures = self.figures;
        for (mut sold, sellers) in self.sold.into_values() {
            sold.articles = best_of(sellers);
            sold.buyers.shrink();
            figures.sold.push(sold);
        }
        figures
    }
}

/// What came back by refunds is left out.
fn seller_of(order: &ShopOrder, line: &OrderLine) -> Seller {
    let count = order.kept_of(line);
    Seller {
        article_id: line.product_id,
        title: line.title.clone(),
        pieces: u64::from(count),
        portion: line.portion,
        money: line.price.and_then(|price| price.checked_times(count).ok()).unwrap_or(Tiyin::ZERO),
    }
}

pub(super) fn add_seller(sellers: &mut HashMap<ProductId, Seller>, more: &Seller) {
    let none = || Seller { pieces: 0, money: Tiyin::ZERO, ..more.clone() };
    let seller = sellers.entry(more.article_id).or_insert_with(none);
    if !more.title.is_empty() {
        seller.title.clone_from(&more.title);
    }
    seller.pieces = seller.pieces.saturating_add(more.pieces);
    seller.money = sum(seller.money, more.money);
}

fn best_of(sellers: HashMap<ProductId, Seller>) -> Vec<Seller> {
    let mut sellers: Vec<Seller> = sellers.into_values().collect();
    sellers.sort_by_key(by_money);
    if sellers.len() > ARTICLES_MAX {
        let mut others = sellers.split_off(ARTICLES_MAX);
        others.sort_by_key(by_pieces);
        sellers.extend(others.into_iter().take(ARTICLES_MAX));
    }
    sellers
}
