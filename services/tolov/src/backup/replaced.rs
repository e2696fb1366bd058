//! The ledger that a restore replaces: where it is, and what it knows that the copy does not know.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File},
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use time::macros::format_description;
use tolov_domain::{
    OrderId, RefundId,
    receipt::{Content, Receipt},
    refund::Refund,
    time::Timestamp,
};
use tolov_webhook::ledger::{
    CallbackRecord, LedgerError, LedgerPlace, LedgerReader, PaidOrder, UnsentQuestion, UnsettledOrder,
    restore::is_unfinished,
};

use crate::data_folder::{SIDE_FILES, folder_of, sync_folder, with_ending};

/// Behind the name of a file that a restore has put away, and before the time.
const REPLACED: &str = ".replaced-";
/// Beside a ledger that was put away: the one that took its place knows what it knew.
const ASKED: &str = ".asked";
/// Where it is not about some orders.
const ALL: RangeInclusive<i64> = 0..=i64::MAX;
/// How many orders are compared at once.
const PAGE: u32 = 500;

/// Where a restore puts a file away.
pub(super) fn aside_of(target: &Path, now: Timestamp) -> Result<PathBuf> {
    let stamp =
        now.format(format_description!("[year][month][day]T[hour][minute][second].[subsecond digits:3]Z"))?;
    Ok(with_ending(target, &format!("{REPLACED}{stamp}")))
}

/// The ledger that is to be asked. Where there is none, a restore may have been cut off when it had put the old one away and not
/// put the new one in its place: then it is the one that was put away last, unless another one knows already what it knew.
pub(super) fn find(ledger: &Path) -> Result<Option<PathBuf>> {
    if ledger.exists() {
        return Ok(Some(ledger.to_owned()));
    }
    let Some(aside) = last_put_away(ledger)? else { return Ok(None) };
    if is_unfinished(ledger) {
        // They have to be called like their file, or what they have of it is lost.
        for ending in SIDE_FILES {
            let (left, beside) = (with_ending(ledger, ending), with_ending(&aside, ending));
            if left.exists() && !beside.exists() {
                fs::rename(left, beside)?;
            }
        }
        sync_folder(folder_of(ledger))?;
    }
    Ok(Some(aside))
}

/// From now on nobody asks it again.
pub(super) fn mark_asked(aside: &Path) -> Result<()> {
    File::create(with_ending(aside, ASKED))
        .with_context(|| format!("cannot write beside {}", aside.display()))?;
    sync_folder(folder_of(aside))
}

fn last_put_away(ledger: &Path) -> Result<Option<PathBuf>> {
    let Some(name) = ledger.file_name().and_then(|name| name.to_str()) else { return Ok(None) };
    let beginning = format!("{name}{REPLACED}");
    let mut last = None;
    for entry in fs::read_dir(folder_of(ledger))? {
        let name = entry?.file_name();
        let Some(name) = name.to_str().filter(|name| name.starts_with(&beginning) && name.ends_with('Z'))
        else {
            continue;
        };
        let path = folder_of(ledger).join(name);
        if !with_ending(&path, ASKED).exists() {
            last = last.max(Some(path));
        }
    }
    Ok(last)
}

/// Reads it in pages by order number. [`Replaced::close`] it.
#[derive(Debug)]
pub(super) struct Replaced {
    ledger: LedgerReader,
    /// Up to which paid order it was read.
    after: i64,
    /// Up to which of those whose money may still come.
    unsettled_after: i64,
    questions_after: i64,
    unplaced_after: i64,
    /// What the copy has of those: when they came, and their fields. `None`: it was not read yet.
    unplaced_in_copy: Option<HashSet<(i64, String)>>,
    /// What the receipt of an order says whose own cannot be read.
    receipt: Option<Content>,
    unread: Vec<String>,
}

/// What the copy does not know of some orders.
#[derive(Debug, Default)]
pub(super) struct Lacking {
    pub(super) payments: Vec<PaidOrder>,
    /// Of an order, oldest first.
    pub(super) refunds: Vec<Refund>,
    pub(super) receipts: Vec<Receipt>,
}

impl Replaced {
    pub(super) async fn open(path: &Path, receipt: Option<Content>) -> Result<Self> {
        let ledger = LedgerReader::open(&LedgerPlace::from(path)).await?;
        Ok(Self {
            ledger,
            after: 0,
            unsettled_after: 0,
            questions_after: 0,
            unplaced_after: 0,
            unplaced_in_copy: None,
            receipt,
            unread: Vec::new(),
        })
    }

    /// The next that the copy lacks. A ledger that is replaced may be damaged: what can be read of it is taken.
    pub(super) async fn next(&mut self, copy: &LedgerReader) -> Result<Option<Lacking>, LedgerError> {
        loop {
            let first = self.after.saturating_add(1);
            let numbers = first..=i64::MAX;
            let read = self.ledger.payments(numbers.clone(), PAGE).await;
            let Some(page) = self.or_note(read, "who paid", &numbers) else { return Ok(None) };
            let Some(last) = page.last().map(|event| event.order_id.get()) else { return Ok(None) };
            self.after = last;
            let numbers = first..=last;
            let refunds = self.ledger.refunds_in(numbers.clone()).await;
            let refunds = self.or_note(refunds, "what went back", &numbers).unwrap_or_default();
            let receipts = self.ledger.receipts_in(numbers.clone()).await;
            let receipts = self.or_note(receipts, "which receipts were made", &numbers);
            let mut payments: Vec<PaidOrder> = page.into_iter().filter_map(PaidOrder::of_event).collect();
            for payment in &mut payments {
                payment.known_by = "replaced ledger";
                payment.receipt = match &receipts {
                    Some(receipts) => content_of(payment.order_id, receipts),
                    None => self.receipt.clone(),
                };
            }
            let mut lacking = Lacking { payments, refunds, receipts: receipts.unwrap_or_default() };
            lacking.leave_out_what_is_known(copy, numbers).await?;
            if !lacking.is_empty() {
                return Ok(Some(lacking));
            }
        }
    }

    /// The next orders that are not paid, and those with attempts that may still be completed, which the copy has otherwise or
    /// not at all. As of [`Replaced::next`], what can be read is taken.
    pub(super) async fn next_unsettled(
        &mut self,
        copy: &LedgerReader,
    ) -> Result<Option<Vec<UnsettledOrder>>, LedgerError> {
        loop {
            let first = self.unsettled_after.saturating_add(1);
            let numbers = first..=i64::MAX;
            let read = self.ledger.unsettled_orders(numbers.clone(), PAGE).await;
            let Some(mut page) = self.or_note(read, "which orders wait for payment", &numbers) else {
                return Ok(None);
            };
            let Some(last) = page.last().map(|unsettled| unsettled.order.order_id.get()) else {
                return Ok(None);
            };
            self.unsettled_after = last;
            // One that is beyond a page of the copy's is compared by the copy itself.
            let known = copy.unsettled_orders(first..=last, PAGE).await?.into_iter();
            let known: HashMap<OrderId, UnsettledOrder> =
                known.map(|known| (known.order.order_id, known)).collect();
            page.retain(|unsettled| known.get(&unsettled.order.order_id) != Some(unsettled));
            if !page.is_empty() {
                return Ok(Some(page));
            }
        }
    }

    /// What staff are still to be told, by id. As of [`Replaced::next`], what can be read is taken.
    pub(super) async fn next_questions(&mut self) -> Option<Vec<UnsentQuestion>> {
        let read = self.ledger.unsent_questions(self.questions_after).await;
        let page = self.or_note(read, "what staff were to be told", &ALL)?;
        self.questions_after = page.last()?.id;
        Some(page)
    }

    /// The next callbacks that reported money of no order, which the copy does not have.
    pub(super) async fn next_unplaced(
        &mut self,
        copy: &LedgerReader,
    ) -> Result<Option<Vec<CallbackRecord>>, LedgerError> {
        let read = self.ledger.unplaced_callbacks(self.unplaced_after).await;
        let Some(page) = self.or_note(read, "which payments belong to no order", &ALL) else {
            return Ok(None);
        };
        let Some(last) = page.last() else { return Ok(None) };
        self.unplaced_after = last.id;
        let known = match &mut self.unplaced_in_copy {
            Some(known) => known,
            unread => unread.insert(unplaced_in(copy).await?),
        };
        let callbacks = page.into_iter().map(|unplaced| unplaced.callback);
        let is_lacking = |it: &CallbackRecord| !known.contains(&(it.received_at, it.fields.clone()));
        Ok(Some(callbacks.filter(is_lacking).collect()))
    }

    fn or_note<T>(
        &mut self,
        read: Result<T, LedgerError>,
        what: &str,
        numbers: &RangeInclusive<i64>,
    ) -> Option<T> {
        let error = match read {
            Ok(read) => return Some(read),
            Err(error) => error,
        };
        let orders = match (numbers.start(), *numbers.end()) {
            (0, i64::MAX) => String::new(),
            (first, i64::MAX) => format!("from order {first} on"),
            (first, last) => format!("of orders {first} to {last}"),
        };
        self.unread.push(format!("the ledger that is replaced cannot be asked {what} {orders}: {error}"));
        None
    }

    /// Returns what could not be read.
    pub(super) async fn close(self) -> Vec<String> {
        self.ledger.close().await;
        self.unread
    }
}

/// They are few, and the copy may have them under other numbers.
async fn unplaced_in(copy: &LedgerReader) -> Result<HashSet<(i64, String)>, LedgerError> {
    let (mut known, mut after) = (HashSet::new(), 0);
    loop {
        let page = copy.unplaced_callbacks(after).await?;
        let Some(last) = page.last() else { return Ok(known) };
        after = last.id;
        known.extend(page.into_iter().map(|it| (it.callback.received_at, it.callback.fields)));
    }
}

fn content_of(order_id: OrderId, receipts: &[Receipt]) -> Option<Content> {
    let receipt = receipts.iter().find(|receipt| receipt.order_id == order_id)?;
    Some(receipt.content.clone())
}

impl Lacking {
    async fn leave_out_what_is_known(
        &mut self,
        copy: &LedgerReader,
        numbers: RangeInclusive<i64>,
    ) -> Result<(), LedgerError> {
        let paid = copy.payments(numbers.clone(), PAGE).await?.into_iter().filter_map(PaidOrder::of_event);
        let paid: HashSet<_> = paid.map(|known| (known.order_id, known.click_trans_id)).collect();
        self.payments.retain(|payment| !paid.contains(&(payment.order_id, payment.click_trans_id)));
        let refunds = copy.refunds_in(numbers.clone()).await?.into_iter();
        let refunds: HashMap<RefundId, Refund> = refunds.map(|known| (known.refund_id, known)).collect();
        self.refunds.retain(|refund| refunds.get(&refund.refund_id) != Some(refund));
        let steps = copy.receipts_in(numbers).await?.into_iter();
        let steps: HashMap<OrderId, u32> = steps.map(|known| (known.order_id, known.step)).collect();
        self.receipts.retain(|receipt| steps.get(&receipt.order_id).is_none_or(|step| receipt.step > *step));
        Ok(())
    }

    const fn is_empty(&self) -> bool {
        self.payments.is_empty() && self.refunds.is_empty() && self.receipts.is_empty()
    }
}
