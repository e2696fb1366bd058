//! What a restore tells of what it did.

use std::path::{Path, PathBuf};

use tolov_domain::{
    Tiyin,
    refund::{Refund, RefundStatus},
    time::Timestamp,
};
use tolov_webhook::ledger::{AdoptRefusal, KnownRefund, Outcome, PaidOrder, backup::Summary};

use super::take_over::RestoredLedger;
use crate::data_folder::Part;

/// What becomes of a file's backup where the ledger is in PostgreSQL.
pub(super) const LEFT_OUT: &str = "the ledger is in PostgreSQL: put it back with pg_restore or from its WAL archive, then run `tolov ledger \
                        restored TIME`. A backup of a file: restore it without LEDGER_URL and with LEDGER_PATH in an empty folder, then `tolov ledger \
                        copy` it into an empty database";

/// What was done.
pub(super) struct Done {
    pub(super) made_at: Timestamp,
    pub(super) ledger: Option<RestoredLedger>,
    /// The ledger that was asked, where there was one.
    pub(super) asked: Option<PathBuf>,
    pub(super) last_order_number: Option<i64>,
    /// What was replaced, where it is now.
    pub(super) kept: Vec<PathBuf>,
    pub(super) left_out: Vec<Part>,
    pub(super) is_in_postgres: bool,
}

pub(super) fn report(file: &Path, done: &Done) {
    println!("{} of {} is restored", file.display(), done.made_at);
    for aside in done.kept.iter().filter(|aside| aside.exists()) {
        println!("  what it replaced is kept: {}", aside.display());
    }
    if let Some(asked) = done.asked.as_ref().filter(|asked| !done.kept.contains(asked)) {
        println!("  a restore that was cut off had put {} away: it was asked what was paid", asked.display());
    }
    for part in &done.left_out {
        println!("  {} of the backup was left out", part.file_name());
        if *part == Part::Ledger && done.is_in_postgres {
            println!("  {LEFT_OUT}");
        }
    }
    if let Some(last) = done.last_order_number {
        println!("  order numbers go on above {last}");
    }
    if let Some(ledger) = &done.ledger {
        report_ledger(ledger, done.made_at);
    }
}

/// One line on what a ledger holds.
pub(super) fn told(summary: &Summary) -> String {
    let soum = Tiyin::try_new(summary.paid_tiyin).map_or_else(|_| "0".to_owned(), Tiyin::grouped);
    format!(
        "checked: {} orders, {} of them paid with {soum} so'm, {} events not sent yet",
        summary.orders, summary.paid, summary.unsent
    )
}

pub(super) fn report_ledger(ledger: &RestoredLedger, made_at: Timestamp) {
    if let Some(summary) = &ledger.summary {
        println!("  {}", told(summary));
    }
    println!("  merchant_prepare_id goes on above {}", ledger.prepare_id_floor);
    if ledger.unread > 0 {
        println!("  {} events wait on the bus and could not be read here", ledger.unread);
    }
    for unreadable in &ledger.unreadable {
        println!("  {unreadable}");
    }
    if ledger.registered > 0 {
        println!("  {} orders that wait for payment are registered again", ledger.registered);
    }
    for (order_id, refusal) in &ledger.not_registered {
        println!(
            "  order {order_id} waits for payment and cannot be paid by its link, because {refusal}: cancel it, and ask the \
             shopper to order again"
        );
    }
    if ledger.ended > 0 {
        println!("  {} orders are over, as in the replaced ledger", ledger.ended);
    }
    if ledger.continued > 0 {
        println!(
            "  {} payments that were begun can be completed, by the merchant_prepare_id that CLICK was given",
            ledger.continued
        );
    }
    for (order_id, attempt, refusal) in &ledger.not_continued {
        println!(
            "  merchant_prepare_id {} of order {order_id} (CLICK's transaction {}) is NOT taken over, because {refusal}: should \
             CLICK take the money, staff are told of it as a payment without an order",
            attempt.prepare_id, attempt.click_trans_id
        );
    }
    if ledger.phone_invoices > 0 {
        println!(
            "  {} invoices to phone numbers go on where the replaced ledger had them",
            ledger.phone_invoices
        );
    }
    if ledger.receipts > 0 {
        println!("  {} receipts go on where the replaced ledger had them", ledger.receipts);
    }
    if ledger.questions > 0 {
        println!("  {} questions that staff had not been told of are told", ledger.questions);
    }
    if ledger.unplaced > 0 {
        println!(
            "  {} callbacks about money of no order are taken over: `tolov trace --unplaced` lists them",
            ledger.unplaced
        );
    }
    for (payment, outcome) in &ledger.adopted {
        println!("  {}", told_of(payment, *outcome));
    }
    for (refund, outcome) in &ledger.refunds {
        println!("  {}", told_of_refund(refund, *outcome));
    }
    for (refund, outcome) in &ledger.lost_refunds {
        println!("  {}", told_of_lost_refund(refund, *outcome));
    }
    let is_told =
        |refund: &&Refund| ledger.lost_refunds.iter().any(|(told, _)| told.refund_id == refund.refund_id);
    for refund in ledger.open_refunds.iter().filter(|refund| !is_told(refund)) {
        println!("  {}", told_of_open_refund(refund));
    }
    println!("  compare the hours since {made_at} with CLICK's cabinet");
}

/// What staff do with a refund of which it is not known whether it was made.
const LOOK_FIRST: &str = "It waits for staff: look in CLICK's cabinet whether the money went back, then record it as given \
                          back by hand, send it once more, or withdraw it";

/// What staff do with one that was sent.
const IS_ASKED_FOR: &str = "its outcome is not known. CLICK is asked; do not give the money back another way before its \
                            cabinet shows that it did not go back";

fn told_of_open_refund(refund: &Refund) -> String {
    let what = sum_of(refund);
    if is_asked_for(refund) {
        return format!("{what}: it was sent before the backup, and {IS_ASKED_FOR}");
    }
    format!("{what}: it was open in the backup. {LOOK_FIRST}")
}

/// One of unknown outcome that is not asked for any more waits for a person.
fn is_asked_for(refund: &Refund) -> bool {
    match refund.status() {
        RefundStatus::Sending => true,
        RefundStatus::Unknown => refund.next_step_at.is_some(),
        RefundStatus::Requested
        | RefundStatus::Checked
        | RefundStatus::Refused
        | RefundStatus::Manual
        | RefundStatus::Done
        | RefundStatus::DoneByHand
        | RefundStatus::Withdrawn => false,
    }
}

fn told_of_lost_refund(refund: &Refund, outcome: Outcome<AdoptRefusal>) -> String {
    let what = sum_of(refund);
    if let Outcome::Refused(refusal) = outcome {
        return format!(
            "{what}: NOT taken over from the replaced ledger ({}), because {refusal}. Look in CLICK's cabinet whether \
             the money went back, and record it",
            refund.status().as_str()
        );
    }
    if is_asked_for(refund) {
        return format!("{what}: the replaced ledger had sent it, and {IS_ASKED_FOR}");
    }
    match refund.status() {
        RefundStatus::Done | RefundStatus::DoneByHand => {
            format!("{what}: taken back as refunded, at {} (known by the replaced ledger)", refund.changed_at)
        }
        RefundStatus::Withdrawn => format!("{what}: withdrawn, as in the replaced ledger"),
        RefundStatus::Requested
        | RefundStatus::Checked
        | RefundStatus::Sending
        | RefundStatus::Unknown
        | RefundStatus::Refused
        | RefundStatus::Manual => format!("{what}: it was open in the replaced ledger. {LOOK_FIRST}"),
    }
}

fn sum_of(refund: &Refund) -> String {
    format!(
        "refund {} of order {}, {} so'm",
        refund.refund_id,
        refund.order_id,
        refund.amount_tiyin.grouped()
    )
}

fn told_of_refund(refund: &KnownRefund, outcome: Outcome<AdoptRefusal>) -> String {
    let KnownRefund { order_id, reversal, at, known_by } = refund;
    format!(
        "{}: {} so'm of order {order_id} by refund {}, at {at} (known by the {known_by})",
        how(outcome, "taken back as refunded"),
        reversal.refunded.grouped(),
        reversal.refund_id,
    )
}

fn how(outcome: Outcome<AdoptRefusal>, done: &str) -> String {
    match outcome {
        Outcome::Applied | Outcome::AlreadyApplied => done.to_owned(),
        Outcome::Refused(refusal) => format!("NOT taken back, because {refusal}"),
    }
}

fn told_of(payment: &PaidOrder, outcome: Outcome<AdoptRefusal>) -> String {
    let what = how(outcome, "taken back as paid");
    let is_lost = payment.receipt.as_ref().is_some_and(|content| content.lines.is_empty());
    let receipt =
        if is_lost { "; nobody knows what it sold, see `tolov receipts` in some hours" } else { "" };
    format!(
        "{what}: order {}, {} so'm, CLICK's transaction {}, payment {}, at {} (known by the {}){receipt}",
        payment.order_id,
        payment.amount.grouped(),
        payment.click_trans_id,
        payment.click_paydoc_id,
        payment.paid_at,
        payment.known_by
    )
}
