//! What a ledger that is put back takes over from the ledger that it replaces, from the shop store and from the bus.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use tolov_domain::{OrderId, receipt::Content, refund::Refund, time::Timestamp};
use tolov_kit::clock::{Clock, SystemClock};
use tolov_webhook::ledger::{
    AdoptRefusal, Continued, KnownRefund, Ledger, LedgerPlace, LedgerReader, OpenAttempt, OrderStatus,
    Outcome, PaidOrder, UnsettledOrder, UnverifiedLimits,
    backup::Summary,
    restore::{Restore, ready},
    restored::{finish_postgres, ready_postgres},
};

use super::{
    paid_since::{Batch, Known},
    replaced::Replaced,
};
use crate::data_folder::{SIDE_FILES, with_ending};

#[derive(Debug, Default)]
pub(super) struct RestoredLedger {
    pub(super) summary: Option<Summary>,
    pub(super) prepare_id_floor: i64,
    /// Paid since the backup and not in it: taken back, or a question to staff.
    pub(super) adopted: Vec<(PaidOrder, Outcome<AdoptRefusal>)>,
    /// Money that went back since the backup.
    pub(super) refunds: Vec<(KnownRefund, Outcome<AdoptRefusal>)>,
    /// Refunds that the replaced ledger had otherwise than the copy: over or open.
    pub(super) lost_refunds: Vec<(Refund, Outcome<AdoptRefusal>)>,
    /// All that are not over now: they wait for staff, or CLICK is asked for them.
    pub(super) open_refunds: Vec<Refund>,
    /// How many receipts have gone on since the backup.
    pub(super) receipts: usize,
    /// How many orders that wait for payment were not in it.
    pub(super) registered: usize,
    pub(super) not_registered: Vec<(OrderId, AdoptRefusal)>,
    /// How many orders were over in the replaced ledger, and not in the copy.
    pub(super) ended: usize,
    /// How many attempts were open in the replaced ledger alone: CLICK may complete them.
    pub(super) continued: usize,
    pub(super) not_continued: Vec<(OrderId, OpenAttempt, AdoptRefusal)>,
    /// How many invoices to phone numbers have gone on since the backup.
    pub(super) phone_invoices: usize,
    /// How many questions staff had not been told of.
    pub(super) questions: usize,
    /// How many callbacks about money of no order were not in it.
    pub(super) unplaced: usize,
    pub(super) unread: u64,
    /// What cannot be read, a sentence each.
    pub(super) unreadable: Vec<String>,
}

/// Lifts the numbers of the copy, and makes it know what others know.
pub(super) async fn take_over(
    known: &mut Known,
    replaced: Option<&Path>,
    copy: &LedgerPlace,
    restore: Restore,
    summary: Option<Summary>,
) -> Result<RestoredLedger> {
    let prepare_id_floor = match copy {
        LedgerPlace::File(copy) => ready(copy, restore).await?,
        LedgerPlace::Postgres(url) => ready_postgres(url, restore).await?,
    };
    let unread = known.unread();
    let mut restored = RestoredLedger { summary, prepare_id_floor, unread, ..RestoredLedger::default() };
    restored.adopt(copy, known, replaced).await?;
    if let LedgerPlace::Postgres(url) = copy {
        finish_postgres(url).await?;
    }
    Ok(restored)
}

impl RestoredLedger {
    /// Makes the copy of the ledger know what others know to be paid, to have gone back, and to wait for payment. Keeps what it
    /// did not know.
    async fn adopt(&mut self, copy: &LedgerPlace, known: &mut Known, replaced: Option<&Path>) -> Result<()> {
        let (ledger, writer) = Ledger::open_restored(copy, UnverifiedLimits::default()).await?;
        let adopted = self.adopt_all(&ledger, copy, known, replaced).await;
        drop(ledger);
        writer.close().await;
        adopted.context("what others know could not be taken into the ledger; run it again")?;
        if let LedgerPlace::File(copy) = copy {
            let left = SIDE_FILES.iter().map(|ending| with_ending(copy, ending)).find(|file| file.exists());
            ensure!(left.is_none(), "{left:?} was not merged into the copy; nothing was restored");
        }
        Ok(())
    }

    /// The ledger that is replaced first: it knows numbers and receipts as well.
    async fn adopt_all(
        &mut self,
        ledger: &Ledger,
        copy: &LedgerPlace,
        known: &mut Known,
        replaced: Option<&Path>,
    ) -> Result<()> {
        let now = SystemClock.now();
        if let Some(path) = replaced {
            let copy = LedgerReader::open(copy).await?;
            let adopted = self.adopt_from(path, known.lost_receipt(), ledger, &copy, now).await;
            copy.close().await;
            adopted?;
        }
        while let Some(batch) = known.next().await? {
            self.adopt_batch(batch, ledger, now).await?;
        }
        self.open_refunds = ledger.leave_open_refunds_to_staff(now).await?;
        ledger.leave_phone_invoices(now).await?;
        Ok(())
    }

    async fn adopt_from(
        &mut self,
        replaced: &Path,
        lost_receipt: Option<Content>,
        ledger: &Ledger,
        copy: &LedgerReader,
        now: Timestamp,
    ) -> Result<()> {
        let mut replaced = match Replaced::open(replaced, lost_receipt).await {
            Ok(replaced) => replaced,
            Err(error) => {
                let what = "the ledger that is replaced cannot be asked what was paid and what went back";
                self.unreadable.push(format!("{what}: {error}"));
                return Ok(());
            }
        };
        while let Some(lacking) = replaced.next(copy).await? {
            let paid = ledger.adopt_paid(lacking.payments.clone(), now).await?;
            self.adopted.extend(news(lacking.payments, paid));
            let refunds = ledger.adopt_lost_refunds(lacking.refunds.clone(), now).await?;
            self.lost_refunds.extend(news(lacking.refunds, refunds));
            self.receipts += ledger.adopt_lost_receipts(lacking.receipts, now).await?;
        }
        while let Some(unsettled) = replaced.next_unsettled(copy).await? {
            let continued = ledger.adopt_unsettled(unsettled.clone(), now).await?;
            for (unsettled, continued) in unsettled.into_iter().zip(continued) {
                self.note_continued(&unsettled, continued);
            }
        }
        while let Some(questions) = replaced.next_questions().await {
            ledger.adopt_questions(&questions).await?;
            self.questions += questions.len();
        }
        while let Some(callbacks) = replaced.next_unplaced(copy).await? {
            self.unplaced += callbacks.len();
            ledger.adopt_unplaced(callbacks).await?;
        }
        self.unreadable.extend(replaced.close().await);
        Ok(())
    }

    fn note_continued(&mut self, unsettled: &UnsettledOrder, continued: Continued) {
        let order_id = unsettled.order.order_id;
        self.phone_invoices += continued.phone_invoices;
        match (continued.order, unsettled.status) {
            (Outcome::Applied, OrderStatus::Expired) => self.ended += 1,
            (Outcome::Applied, OrderStatus::Pending | OrderStatus::Paid) => self.registered += 1,
            (Outcome::Refused(refusal), OrderStatus::Pending) => {
                self.not_registered.push((order_id, refusal));
            }
            (Outcome::Refused(_), OrderStatus::Expired | OrderStatus::Paid)
            | (Outcome::AlreadyApplied, _) => {}
        }
        for (open, outcome) in unsettled.open.iter().zip(continued.open) {
            match outcome {
                Outcome::Applied => self.continued += 1,
                Outcome::AlreadyApplied => {}
                Outcome::Refused(refusal) => self.not_continued.push((order_id, open.attempt, refusal)),
            }
        }
    }

    async fn adopt_batch(&mut self, batch: Batch, ledger: &Ledger, now: Timestamp) -> Result<()> {
        let paid = ledger.adopt_paid(batch.payments.clone(), now).await?;
        self.adopted.extend(news(batch.payments, paid));
        let refunded = ledger.adopt_refunds(batch.refunds.clone()).await?;
        self.refunds.extend(news(batch.refunds, refunded));
        let order_ids: Vec<OrderId> = batch.payable.iter().map(|payable| payable.order.order_id).collect();
        let registered = ledger.import(batch.payable, now).await?;
        for (order_id, outcome) in order_ids.into_iter().zip(registered) {
            match outcome {
                Outcome::Applied => self.registered += 1,
                Outcome::AlreadyApplied => {}
                Outcome::Refused(refusal) => self.not_registered.push((order_id, refusal)),
            }
        }
        self.unreadable.extend(batch.unreadable);
        Ok(())
    }
}

/// What the copy did not know.
fn news<T>(
    known: Vec<T>,
    outcomes: Vec<Outcome<AdoptRefusal>>,
) -> impl Iterator<Item = (T, Outcome<AdoptRefusal>)> {
    known.into_iter().zip(outcomes).filter(|(_, outcome)| *outcome != Outcome::AlreadyApplied)
}
