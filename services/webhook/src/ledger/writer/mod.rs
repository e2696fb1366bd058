//! The writer: takes whatever waits, decides it on the rows that it touches, commits once, then answers everybody.

pub(super) mod adopt;
pub(super) mod engine;
pub(super) mod import;
pub(super) mod invoices;
pub(super) mod job;
pub(super) mod known;
pub(super) mod receipts;
pub(super) mod reconciliation;
pub(super) mod refund_rows;
pub(super) mod refunds;
pub(super) mod replay;
pub(super) mod rows;
pub(super) mod seen;
pub(super) mod unverified;
pub(super) mod working_set;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, oneshot};
use tolov_domain::{OrderId, receipt::Receipt};
use tolov_kit::lifecycle::Stop;

use self::{
    engine::Engine,
    job::{Job, Undecided, commit_spans},
    known::{Known, Needs, Numbers, ReadOrder},
    receipts::ReceiptRow,
    rows::OrderRow,
    working_set::WorkingSet,
};
use super::{
    LedgerError, Signals,
    metrics::{self, Counts},
};

/// The most jobs of one transaction.
const BATCH_MAX: usize = 256;

/// How long work that nobody waits for waits for other work to share a transaction with.
const LINGER: Duration = Duration::from_millis(3);

pub(crate) struct Writer<E> {
    engine: E,
    signals: Arc<Signals>,
    set: WorkingSet,
}

impl<E: Engine> Writer<E> {
    pub(crate) async fn new(mut engine: E, signals: Arc<Signals>) -> Result<Self, LedgerError> {
        let set = WorkingSet::new(Known::new(engine.numbers().await?));
        Ok(Self { engine, signals, set })
    }

    /// Runs until it is told to close and what waited then is committed. Handles that are still held hear `Closed`.
    pub(crate) async fn run(mut self, mut jobs: mpsc::Receiver<Job>, closing: Stop) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        loop {
            tokio::select! {
                biased;
                () = closing.cancelled(), if !jobs.is_closed() => jobs.close(),
                taken = jobs.recv_many(&mut batch, BATCH_MAX) => {
                    if taken == 0 {
                        break;
                    }
                    linger(&mut jobs, &mut batch).await;
                    self.work_off(&mut batch).await;
                }
            }
        }
        self.engine.close().await;
    }

    async fn work_off(&mut self, jobs: &mut Vec<Job>) {
        self.signals.writer().busy_since = Some(Instant::now());
        let mut undecided = Vec::with_capacity(jobs.len());
        for job in jobs.drain(..) {
            match job {
                Job::Decide(job) => undecided.push(job),
                Job::Maintain(maintenance, caller) => {
                    let done = self.engine.change(maintenance.changes()).await;
                    self.finish(done, caller).await;
                }
            }
        }
        undecided.sort_by_key(|job| job.phase());
        if !undecided.is_empty() {
            self.commit_all(undecided).await;
        }
        self.signals.writer().busy_since = None;
    }

    /// Answers a job that had a transaction of its own.
    async fn finish(&mut self, done: Result<u64, LedgerError>, caller: oneshot::Sender<u64>) {
        match done {
            Ok(rows) => {
                // What changed no row proves nothing of the disk.
                if rows > 0 {
                    self.signals.writer().committed_at = Some(Instant::now());
                }
                // A caller that has gone away needs no answer.
                let _ = caller.send(rows);
            }
            Err(error) => {
                self.recover(&error).await;
                tracing::error!(error = error.chain(), "a change of the ledger failed");
            }
        }
    }

    async fn commit_all(&mut self, mut jobs: Vec<Box<dyn Undecided>>) {
        let started = Instant::now();
        match self.commit(&mut jobs).await {
            Ok(()) => {
                self.signals.writer().committed_at = Some(Instant::now());
                tracing::debug!(jobs = jobs.len(), commit_us = started.elapsed().as_micros(), "committed");
                metrics::transaction(jobs.len(), started.elapsed());
                jobs.into_iter().for_each(Undecided::answer);
            }
            Err(error) => {
                self.recover(&error).await;
                if jobs.len() > 1 && error.is_about_one_row() {
                    tracing::error!(
                        error = error.chain(),
                        "a job broke a rule of the schema; its batch is committed one by one"
                    );
                    for job in jobs {
                        Box::pin(self.commit_all(vec![job])).await;
                    }
                } else {
                    // The waiting callers see their sender dropped and answer -7.
                    tracing::error!(error = error.chain(), jobs = jobs.len(), "cannot commit");
                }
            }
        }
    }

    async fn commit(&mut self, jobs: &mut [Box<dyn Undecided>]) -> Result<(), LedgerError> {
        let before = self.set.known.numbers;
        let mut spans = commit_spans(jobs, E::SYSTEM);
        let committed = self.decide_and_store(jobs).await;
        if committed.is_err() {
            for span in &mut spans {
                span.fail("not_committed");
            }
            // A number that was given out in a transaction that failed is not lost: nobody has seen it. What the
            // transaction paid may be stored all the same.
            let highest_paid_transaction = self.set.known.numbers.highest_paid_transaction;
            self.set = WorkingSet::new(Known::new(Numbers { highest_paid_transaction, ..before }));
        }
        self.set.known.limit();
        committed
    }

    async fn decide_and_store(&mut self, jobs: &mut [Box<dyn Undecided>]) -> Result<(), LedgerError> {
        if let Some(numbers) = self.engine.begin().await? {
            self.set = WorkingSet::new(Known::new(numbers));
        }
        let mut needs = Needs::default();
        for job in &*jobs {
            job.needs(&mut needs);
        }
        self.set.known.receipts = self.load_receipts(&needs.receipts).await?;
        let missing = self.set.known.missing(needs);
        if !missing.is_empty() {
            let read = self.load(&missing).await?;
            self.set.known.learn(read, missing);
        }
        for job in &mut *jobs {
            job.decide(&mut self.set);
        }
        let writes = self.set.take_writes();
        let (counts, grows_outbox) = (Counts::of(&writes), writes.grow_outbox());
        self.engine.store(writes).await?;
        counts.record();
        if grows_outbox {
            self.signals.outbox_grew.notify_one();
        }
        Ok(())
    }

    async fn load(&mut self, needs: &Needs) -> Result<Vec<ReadOrder>, LedgerError> {
        let orders = self.engine.load(needs).await?;
        serde_json::from_str::<Vec<OrderRow>>(&orders)?.into_iter().map(TryFrom::try_from).collect()
    }

    async fn load_receipts(
        &mut self,
        orders: &BTreeSet<OrderId>,
    ) -> Result<HashMap<OrderId, Receipt>, LedgerError> {
        if orders.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = self.engine.load_receipts(orders).await?;
        let receipts = serde_json::from_str::<Vec<ReceiptRow>>(&rows)?.into_iter().map(Receipt::from);
        Ok(receipts.map(|receipt| (receipt.order_id, receipt)).collect())
    }

    async fn recover(&mut self, error: &LedgerError) {
        if !error.is_about_one_row() {
            self.signals.writer().committed_at = None;
        }
        if let Some(numbers) = self.engine.recover(error).await {
            self.set = WorkingSet::new(Known::new(numbers));
        }
    }
}

/// Lets a batch for which nobody waits take in what comes within a moment: a commit costs the same for both.
async fn linger(jobs: &mut mpsc::Receiver<Job>, batch: &mut Vec<Job>) {
    let more = async {
        while batch.len() < BATCH_MAX && batch.iter().all(Job::can_wait) {
            if jobs.recv_many(batch, BATCH_MAX - batch.len()).await == 0 {
                return;
            }
        }
    };
    // What has come until then is in the batch.
    drop(tokio::time::timeout(LINGER, more).await);
}
