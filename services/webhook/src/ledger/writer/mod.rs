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
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, oneshot};
use tolov_domain::{OrderId, receipt::Receipt};
use tolov_kit::lifecycle::Stop;

use self::{
    engine::Engine,
    job::{Batch, Decidable, Job, commit_spans},
    known::{Known, Needs, Numbers},
    receipts::ReceiptRow,
    rows::{OrderRow, ReadOrder},
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
    /// What came while the batch before it was written.
    next: Batch,
}

impl<E: Engine> Writer<E> {
    pub(crate) async fn new(mut engine: E, signals: Arc<Signals>) -> Result<Self, LedgerError> {
        let set = WorkingSet::new(Known::new(engine.numbers().await?));
        Ok(Self { engine, signals, set, next: Batch::default() })
    }

    /// Runs until it is told to close and what waited then is committed. Handles that are still held hear `Closed`.
    pub(crate) async fn run(mut self, mut jobs: mpsc::Receiver<Job>, closing: Stop) {
        let mut arrived = Vec::with_capacity(BATCH_MAX);
        loop {
            if closing.is_cancelled() {
                jobs.close();
            }
            if self.next.len() == 0 {
                tokio::select! {
                    biased;
                    () = closing.cancelled(), if !jobs.is_closed() => jobs.close(),
                    taken = jobs.recv_many(&mut arrived, BATCH_MAX) => {
                        if taken == 0 {
                            break;
                        }
                    }
                }
                arrived.drain(..).for_each(|job| self.next.add(job));
            }
            linger(&mut jobs, &mut self.next).await;
            self.work_off(&mut jobs).await;
        }
        self.engine.close().await;
    }

    async fn work_off(&mut self, jobs: &mut mpsc::Receiver<Job>) {
        self.signals.writer().busy_since = Some(Instant::now());
        for (maintenance, caller) in std::mem::take(&mut self.next.upkeep) {
            let done = self.engine.change(maintenance.changes()).await;
            self.finish(done, caller).await;
        }
        let batch = std::mem::take(&mut self.next);
        if batch.len() > 0 {
            self.commit_all(batch, Some(jobs)).await;
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

    /// `jobs`: where more comes from in the meantime.
    async fn commit_all(&mut self, mut batch: Batch, jobs: Option<&mut mpsc::Receiver<Job>>) {
        let started = Instant::now();
        match self.commit(&mut batch, jobs).await {
            Ok(()) => {
                self.signals.writer().committed_at = Some(Instant::now());
                tracing::debug!(jobs = batch.len(), commit_us = started.elapsed().as_micros(), "committed");
                metrics::transaction(batch.len(), started.elapsed());
                batch.decided.into_iter().for_each(Decidable::answer);
            }
            Err(error) => {
                self.recover(&error).await;
                if batch.len() > 1 && error.is_about_one_row() {
                    tracing::error!(
                        error = error.chain(),
                        "a job broke a rule of the schema; its batch is committed one by one"
                    );
                    for job in batch.undecided {
                        let alone = Batch { undecided: vec![job], ..Batch::default() };
                        Box::pin(self.commit_all(alone, None)).await;
                    }
                } else {
                    // The waiting callers see their sender dropped and answer -7.
                    tracing::error!(error = error.chain(), jobs = batch.len(), "cannot commit");
                }
            }
        }
    }

    /// Decides the batch and writes it. After an error nothing of it, and of what came meanwhile, is decided.
    async fn commit(
        &mut self,
        batch: &mut Batch,
        jobs: Option<&mut mpsc::Receiver<Job>>,
    ) -> Result<(), LedgerError> {
        let before = *batch.before.get_or_insert(self.set.known.numbers);
        let mut spans = commit_spans(batch, E::SYSTEM);
        let committed = match self.decide(batch).await {
            Ok(()) => self.store(jobs).await,
            undecided => undecided,
        };
        if committed.is_err() {
            for span in &mut spans {
                span.fail("not_committed");
            }
            // A number that was given out in a transaction that failed is not lost: nobody has seen it. What the
            // transaction paid may be stored all the same.
            let highest_paid_transaction = self.set.known.numbers.highest_paid_transaction;
            batch.undecide();
            self.forget(Numbers { highest_paid_transaction, ..before });
        } else if self.set.known.is_full() && self.next.decided.is_empty() {
            self.forget(self.set.known.numbers);
        }
        committed
    }

    async fn decide(&mut self, batch: &mut Batch) -> Result<(), LedgerError> {
        if let Some(numbers) = self.engine.begin().await? {
            batch.undecide();
            self.forget(numbers);
        }
        batch.undecided.sort_by_key(|job| job.phase());
        let mut needs = Needs::default();
        for job in &batch.undecided {
            job.needs(&mut needs);
        }
        self.set.known.receipts = self.load_receipts(&needs.receipts).await?;
        let missing = self.set.known.missing(needs);
        if !missing.is_empty() {
            let read = self.load(&missing).await?;
            self.set.known.learn(read, missing);
        }
        for mut job in batch.undecided.drain(..) {
            job.decide(&mut self.set);
            batch.decided.push(job);
        }
        Ok(())
    }

    /// Writes what was decided; what comes meanwhile is decided upon it already.
    async fn store(&mut self, jobs: Option<&mut mpsc::Receiver<Job>>) -> Result<(), LedgerError> {
        let writes = self.set.take_writes();
        let (counts, grows_outbox) = (Counts::of(&writes), writes.grow_outbox());
        let is_full = self.set.known.is_full();
        let mut storing = pin!(self.engine.store(writes));
        let stored = match jobs {
            Some(jobs) if !is_full => loop {
                tokio::select! {
                    biased;
                    stored = &mut storing => break stored,
                    Some(job) = jobs.recv(), if self.next.len() < BATCH_MAX => {
                        self.next.add_ahead(job, &mut self.set);
                    }
                }
            },
            _ => storing.await,
        };
        stored?;
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
            self.forget(numbers);
        }
    }

    /// Knows nothing but the numbers from here on: what was decided ahead is decided anew.
    fn forget(&mut self, numbers: Numbers) {
        self.set = WorkingSet::new(Known::new(numbers));
        self.next.undecide();
    }
}

/// Lets a batch for which nobody waits take in what comes within a moment: a commit costs the same for both.
async fn linger(jobs: &mut mpsc::Receiver<Job>, batch: &mut Batch) {
    let more = async {
        while batch.len() < BATCH_MAX && batch.can_wait() {
            match jobs.recv().await {
                Some(job) => batch.add(job),
                None => return,
            }
        }
    };
    // What has come until then is in the batch.
    drop(tokio::time::timeout(LINGER, more).await);
}

#[cfg(test)]
mod tests {
    use tolov_click::{Callback, CallbackForm, Reply};
    use tolov_domain::{OrderedProduct, PrepareId, ProductId, Tiyin, UserId, time::from_unix_ms};

    use super::{engine::Change, working_set::Writes, *};
    use crate::ledger::{Arrival, Content, NewOrder, Outcome};

    /// Stores nothing, and each commit as it is told to: how many attempts it has is heard when it begins.
    struct Told {
        begun: mpsc::UnboundedSender<usize>,
        outcomes: mpsc::UnboundedReceiver<Result<(), LedgerError>>,
    }

    impl Engine for Told {
        const SYSTEM: &'static str = "none";

        async fn begin(&mut self) -> Result<Option<Numbers>, LedgerError> {
            Ok(None)
        }

        async fn numbers(&mut self) -> Result<Numbers, LedgerError> {
            Ok(Numbers { next_prepare_id: 1, ..Numbers::default() })
        }

        async fn load(&mut self, _: &Needs) -> Result<String, LedgerError> {
            Ok("[]".to_owned())
        }

        async fn load_receipts(&mut self, _: &BTreeSet<OrderId>) -> Result<String, LedgerError> {
            Ok("[]".to_owned())
        }

        async fn store(&mut self, writes: Writes) -> Result<(), LedgerError> {
            self.begun.send(writes.attempts.len()).unwrap();
            self.outcomes.recv().await.unwrap()
        }

        async fn change(&mut self, _: Vec<Change>) -> Result<u64, LedgerError> {
            Ok(0)
        }

        async fn recover(&mut self, _: &LedgerError) -> Option<Numbers> {
            None
        }

        async fn close(self) {}
    }

    fn order() -> NewOrder {
        NewOrder {
            order_id: OrderId::try_new(5).unwrap(),
            user_id: UserId::try_new(7).unwrap(),
            products: vec![OrderedProduct { product_id: ProductId::try_new(1).unwrap(), count: 1 }],
            amount: Tiyin::from_soum(1_000).unwrap(),
            created_at: from_unix_ms(0),
            receipt: None,
        }
    }

    fn prepare() -> Arrival {
        let (form, _) = CallbackForm::parse(
            b"click_trans_id=9&service_id=1&click_paydoc_id=9&merchant_trans_id=5&amount=1000&action=0&error=0\
              &error_note=Success&sign_time=2026-11-29+10:00:00&sign_string=0123456789abcdef0123456789abcdef",
        );
        let content = Content::Callback(Callback::read(&form).unwrap());
        Arrival { received_at: from_unix_ms(1), peer: "click".to_owned(), form, content }
    }

    /// Registers an order, and lets its Prepare come while that is written. What becomes of both, and how many attempts each
    /// commit had.
    async fn prepare_while_the_order_is_written(
        outcome: Result<(), LedgerError>,
    ) -> (Option<bool>, Reply, [usize; 2]) {
        let ((begun, mut begins), (tell, outcomes)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
        let writer = Writer::new(Told { begun, outcomes }, Arc::default()).await.unwrap();
        let ((jobs, waiting), closing) = (mpsc::channel(8), Stop::new());
        let running = tokio::spawn(writer.run(waiting, closing.clone()));
        let (caller, registered) = oneshot::channel();
        jobs.send(Job::decide(order(), caller)).await.unwrap();
        let first = begins.recv().await.unwrap();
        let (caller, mut prepared) = oneshot::channel();
        jobs.send(Job::decide(prepare(), caller)).await.unwrap();
        while jobs.capacity() < jobs.max_capacity() {
            tokio::task::yield_now().await;
        }
        tell.send(outcome).unwrap();
        let second = begins.recv().await.unwrap();
        assert!(prepared.try_recv().is_err(), "nothing is answered before it is committed");
        tell.send(Ok(())).unwrap();
        let registered = registered.await.ok().map(|outcome| matches!(outcome, Outcome::Applied));
        let reply = prepared.await.unwrap();
        closing.cancel();
        running.await.unwrap();
        (registered, reply, [first, second])
    }

    #[tokio::test]
    async fn what_comes_while_a_batch_is_written_is_decided_upon_it() {
        let (registered, reply, attempts) = prepare_while_the_order_is_written(Ok(())).await;
        assert_eq!((registered, reply.error, attempts), (Some(true), 0, [0, 1]));
        assert_eq!(reply.merchant_prepare_id.map(PrepareId::get), Some(1));
    }

    #[tokio::test]
    async fn what_was_decided_upon_a_batch_that_failed_is_decided_anew() {
        let failure = Err(LedgerError::Storage(sqlx::Error::WorkerCrashed));
        let (registered, reply, attempts) = prepare_while_the_order_is_written(failure).await;
        assert_eq!((registered, reply.error, attempts), (None, -5, [0, 0]));
    }
}
