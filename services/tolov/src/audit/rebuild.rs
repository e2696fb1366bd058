//! `tolov rebuild`: the shop store's payment facts, made those of the ledger.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, Result};
use serde_json::json;
use tolov_domain::{Event, EventKind, Language, OrderId};
use tolov_kit::env::Env;
use tolov_shop::{order::ShopOrder, settling};

use super::{
    books::{Books, Places},
    difference::Difference,
    findings::Totals,
    orders,
};
use crate::{cli::Rebuild, commands::journal::Journal};

pub(crate) async fn run(env: &Env, options: &Rebuild) -> Result<()> {
    let places = Places::from_env(env);
    env.finish()?;
    let _lock = places.data.share(&places.data.existing_parts())?;
    // Who was told of a payment is the audit's matter.
    let books = Books::open(&places, Duration::MAX).await?;
    let journal = Journal::beside(places.data.ledger_path());
    let mut rebuilder = Rebuilder { books: &books, journal, options, changed: 0, left: 0 };
    let rebuilt = rebuilder.rebuild().await;
    books.close().await;
    rebuilt
}

struct Rebuilder<'a> {
    books: &'a Books,
    journal: Journal,
    options: &'a Rebuild,
    changed: u64,
    left: u64,
}

impl Rebuilder<'_> {
    async fn rebuild(&mut self) -> Result<()> {
        let named: BTreeSet<OrderId> = self.options.orders.iter().copied().collect();
        let books = self.books;
        let rebuilt = if named.is_empty() {
            let see = async |differences| self.see_all(differences).await;
            orders::compare_all(books, &mut Totals::default(), see).await
        } else {
            match orders::compare(books, &named).await {
                Ok(differences) => self.see_all(differences).await,
                Err(error) => Err(error),
            }
        };
        rebuilt.context("orders could not be compared")?;
        let Self { changed, left, .. } = self;
        let left = if *left > 0 { format!(", {left} are left as they are") } else { String::new() };
        if self.options.diff {
            println!("{changed} orders would change{left}");
        } else {
            println!(
                "{changed} orders were changed{left}. Nobody is told by this: `tolov audit` shows who was not"
            );
        }
        Ok(())
    }

    async fn see_all(&mut self, differences: Vec<Difference>) -> Result<()> {
        for difference in differences {
            match difference {
                Difference::OrderUnknown { order_id } | Difference::OrderDiffers { order_id, .. } => {
                    self.see(&difference, order_id).await?;
                }
                Difference::OrderUnreadable { .. }
                | Difference::PaidInShopAlone { .. }
                | Difference::RefundDiffers { .. } => {
                    println!("{}", difference.text(Language::En));
                    self.leave(&difference);
                }
                // They are not about payments: the audit mends them.
                Difference::OpenInShopAlone { .. }
                | Difference::Unsettled { .. }
                | Difference::RefundHangs { .. }
                | Difference::NotTold { .. }
                | Difference::RefundNotTold { .. }
                | Difference::QuestionNotTold { .. }
                | Difference::OrderCount { .. }
                | Difference::NotJudged { .. }
                | Difference::DocumentUnreadable { .. }
                | Difference::InCart { .. }
                | Difference::StrayHold { .. }
                | Difference::NotHeld { .. }
                | Difference::Unsent { .. }
                | Difference::Parked { .. } => {}
            }
        }
        Ok(())
    }

    async fn see(&mut self, difference: &Difference, order_id: OrderId) -> Result<()> {
        let Some(payment) = self.books.ledger.payments_of(&[order_id]).await?.pop() else { return Ok(()) };
        let shop = self.books.shop.as_ref();
        let order = orders::read(shop, order_id).await?.ok().flatten();
        println!(
            "{}\n    ledger: {}\n    shop:   {}",
            difference.text(Language::En),
            in_ledger(&payment),
            in_shop(order.as_ref())
        );
        // What the shop store has may be the only trace of another payment.
        let contradicts = matches!(difference, Difference::OrderDiffers { how, .. } if how.contradicts());
        if contradicts && self.options.orders.is_empty() {
            self.leave(difference);
            return Ok(());
        }
        self.changed += 1;
        if !self.options.diff {
            let details =
                json!({ "order_id": order_id, "was": in_shop(order.as_ref()), "is": in_ledger(&payment) });
            self.journal.record("rebuild", details)?;
            settling::correct_order(shop, &payment).await?;
        }
        Ok(())
    }

    fn leave(&mut self, difference: &Difference) {
        self.left += 1;
        println!("    left as it is: {}", difference.remedy(Language::En));
    }
}

fn in_ledger(payment: &Event) -> String {
    let numbers = match payment.kind {
        EventKind::PaymentCompleted { click_trans_id, click_paydoc_id, .. } => {
            format!("transaction {click_trans_id}, payment number {click_paydoc_id}")
        }
        EventKind::PaymentCancelled { .. }
        | EventKind::PaymentQuestioned { .. }
        | EventKind::OrderExpired
        | EventKind::PaymentReversed(_)
        | EventKind::PaymentPartlyReversed { .. }
        | EventKind::RefundUndecided(_)
        | EventKind::ReceiptIssued { .. } => String::new(),
    };
    let Event { user_id, amount, occurred_at, .. } = payment;
    format!("shopper {user_id}, {} so'm, {numbers}, {occurred_at}", amount.grouped())
}

fn in_shop(order: Option<&ShopOrder>) -> String {
    let Some(order) = order else { return "unknown".to_owned() };
    let payment = order.payment().map_or_else(
        || "not paid".to_owned(),
        |payment| {
            let (trans, paydoc) = (payment.click_trans_id, payment.click_paydoc_id);
            format!("transaction {trans}, payment number {paydoc}, {}", payment.paid_at)
        },
    );
    format!("shopper {}, {} so'm, {payment}", order.user_id, order.total.grouped())
}
