//! `tolov rebuild`: the shop store's payment facts, made those of the ledger.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;
use tolov_domain::{Event, EventKind, Language};
use tolov_kit::env::Env;
use tolov_shop::{order::ShopOrder, settling};

use super::{
    books::{Books, Places},
    difference::Difference,
    findings::{Findings, Totals},
    orders,
};
use crate::{cli::Rebuild, commands::journal::Journal};

pub(crate) async fn run(env: &Env, options: &Rebuild) -> Result<()> {
    let places = Places::from_env(env);
    env.finish()?;
    let _lock = places.data.share(&places.data.existing_parts())?;
    // Who was told of a payment is the audit's matter.
    let books = Books::open(&places, Duration::MAX).await?;
    let rebuilt = rebuild(&books, &Journal::beside(places.data.ledger_path()), options).await;
    books.close().await;
    rebuilt
}

async fn rebuild(books: &Books, journal: &Journal, options: &Rebuild) -> Result<()> {
    let mut findings = Findings::default();
    let compared = orders::compare_all(books, &mut findings, &mut Totals::default()).await;
    compared.context("orders could not be compared")?;
    let (mut count, mut left) = (0, 0);
    for difference in findings.iter() {
        let (Difference::OrderUnknown { order_id } | Difference::OrderDiffers { order_id, .. }) = difference
        else {
            continue;
        };
        let is_named = options.orders.contains(order_id);
        if !is_named && !options.orders.is_empty() {
            continue;
        }
        let Some(payment) = books.ledger.payments_of(&[*order_id]).await?.pop() else { continue };
        let order = orders::read(books.shop.as_ref(), *order_id).await?.ok().flatten();
        println!(
            "{}\n    ledger: {}\n    shop:   {}",
            difference.text(Language::En),
            in_ledger(&payment),
            in_shop(order.as_ref())
        );
        // What the shop store has may be the only trace of another payment.
        if !is_named && matches!(difference, Difference::OrderDiffers { how, .. } if how.contradicts()) {
            left += 1;
            println!("    left as it is: {}", difference.remedy(Language::En));
            continue;
        }
        count += 1;
        if !options.diff {
            let details =
                json!({ "order_id": order_id, "was": in_shop(order.as_ref()), "is": in_ledger(&payment) });
            journal.record("rebuild", details)?;
            settling::correct_order(books.shop.as_ref(), &payment).await?;
        }
    }
    let more = if findings.more > 0 { "; there are more, run it again" } else { "" };
    let left = if left > 0 { format!(", {left} are left as they are") } else { String::new() };
    if options.diff {
        println!("{count} orders would change{left}{more}");
    } else {
        println!(
            "{count} orders were changed{left}{more}. Nobody is told by this: `tolov audit` shows who was not"
        );
    }
    Ok(())
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
