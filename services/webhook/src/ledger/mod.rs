//! The ledger: SQLite or PostgreSQL, one writer task that owns the only writing connection of its process, and a few readers.
//!
//! Every answer is given after COMMIT. Whatever waits is committed together (group commit), so that durability costs
//! one fsync a batch and not one a callback. The numbers are in docs/decisions/0003-one-writer-group-commit.md.

pub mod copy;
mod error;
mod event_ids;
mod file;
mod metrics;
mod phone_invoices;
mod place;
mod postgres;
mod read;
mod receipts;
mod reconciliation;
mod refunds;
mod requests;
mod telegram;
mod writer;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    sync::{Notify, mpsc, oneshot},
    task::JoinHandle,
};
use tolov_click::Reply;
use tolov_domain::{OrderId, refund::Refund, time::Timestamp};
use tolov_kit::{clock_watch, lifecycle::Stop};

pub(crate) use self::requests::Overtaken;
pub use self::{
    error::LedgerError,
    file::{
        backup,
        open::{OpenError, SchemaError},
        restore,
    },
    place::LedgerPlace,
    postgres::{diagnosis, restored},
    read::{
        AttemptRecord, CallbackRecord, OrderRecord, OutboxRow, OutboxStatus, OutboxWindow,
        reader::{LedgerReader, OutboxRecord},
        records::OrderRecords,
        replay::UnsentQuestion,
        unplaced::{UnplacedBefore, UnplacedCallback, UnplacedInTelegram, UnplacedPage, UnplacedRecord},
    },
    receipts::ReceiptStepRecord,
    reconciliation::{Accepted, PaymentReportRecord, UncheckedRestores},
    refunds::{MerchantCallRecord, RefundStepRecord},
    requests::{
        AdoptRefusal, Arrival, Content, Continued, EndRefusal, ImportedOrder, ImportedState, KnownRefund,
        NewOrder, ORDER_ID_GAP_MAX, ORDER_ID_MAX, OpenAttempt, OrderRefusal, OrderRefusalReason, Outcome,
        PaidOrder, RefusedEvent, RelayMarks, ReplayRefusal, UnsettledAttempt, UnsettledOrder, Unverified,
    },
    telegram::TelegramPaymentRecord,
    writer::{
        invoices::{
            phone::{InvoiceAsked, InvoiceStepped},
            telegram::CheckedOut,
        },
        receipts::steps::ReceiptStepped,
        refunds::{AskRefusal, Asked, Stepped, reversals},
        rows::{AttemptStatus, OrderStatus},
        unverified::{Quota, UnverifiedLimits},
    },
};
use self::{
    file::{disk::Disk, engine::SqliteEngine},
    postgres::{engine::PostgresEngine, open::Opener, relaying},
    read::pool::{Pool, Readers, RelayReader},
    writer::{
        Writer,
        adopt::{AdoptLostRefunds, AdoptPaid, AdoptRefunds},
        engine::Engine,
        import::{AdoptUnsettled, Import},
        job::{Decision, EndOrders, Job, Maintenance},
        replay::Replay,
        unverified::Admission,
    },
};

/// How many requests may wait for the writer.
const WAITING_MAX: usize = 4096;
/// A ledger that has committed nothing for this long is probed by whoever asks: an idle disk may hang unseen.
const PROBE_AFTER: Duration = Duration::from_secs(5);
/// The longest that a caller waits for its commit.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// A reader that takes longer is left behind.
const READERS_CLOSE_TIMEOUT: Duration = Duration::from_secs(3);
/// The most orders that expire in one transaction.
pub(crate) const EXPIRE_MAX: u32 = 200;
/// The most orders that are adopted in one transaction.
const ADOPT_MAX: usize = 200;
/// The most orders whose events are published once more by one transaction.
pub const REPLAY_MAX: usize = 200;

/// The handle that the rest of the service holds. Clones share the one writer.
#[derive(Debug, Clone)]
pub struct Ledger {
    jobs: mpsc::Sender<Job>,
    readers: Readers,
    signals: Arc<Signals>,
    /// `None`: a server has it.
    disk: Option<Arc<Disk>>,
    admission: Arc<Mutex<Admission>>,
}

/// What the writer tells everybody.
#[derive(Debug, Default)]
struct Signals {
    outbox_grew: Notify,
    writer: Mutex<WriterState>,
}

#[derive(Debug, Default)]
struct WriterState {
    /// When something was committed last; `None` after a commit that failed, and before the first.
    committed_at: Option<Instant>,
    /// Since when it has been at work on one batch.
    busy_since: Option<Instant>,
}

impl Signals {
    fn writer(&self) -> MutexGuard<'_, WriterState> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The writer task.
#[derive(Debug)]
pub struct WriterTask {
    task: JoinHandle<()>,
    closing: Stop,
    readers: Readers,
    /// Hears of what other processes write.
    listener: Option<JoinHandle<()>>,
    /// Keeps the writer waiting for work until it is closed, also when no ledger is left.
    _jobs: mpsc::Sender<Job>,
}

impl WriterTask {
    /// Takes no further work, commits what waits and closes every connection, for readers too. Afterwards a file is all there is
    /// of its ledger: its WAL is folded into it.
    pub async fn close(self) {
        if let Some(listener) = &self.listener {
            listener.abort();
        }
        // First, since the last connection folds the WAL, and only the writer's may write.
        if tokio::time::timeout(READERS_CLOSE_TIMEOUT, self.readers.close()).await.is_err() {
            tracing::warn!("the ledger is closed during a long read; the WAL stays beside it");
        }
        self.closing.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the ledger's writer panicked");
        }
    }
}

#[cfg(test)]
impl WriterTask {
    /// Ends the writer where it stands, as a panic does.
    pub(crate) fn abort(&self) {
        self.task.abort();
    }
}

impl Ledger {
    /// Opens the file or the database, makes the ledger where there is none, and starts the writer.
    ///
    /// Refuses an engine or settings that could lose a committed payment, and a file that another process writes.
    pub async fn open(
        place: impl Into<LedgerPlace>,
        limits: UnverifiedLimits,
    ) -> Result<(Self, WriterTask), OpenError> {
        Self::open_for(Opener::Service, place.into(), limits).await
    }

    /// The same for whoever completes a restore, until which the ledger is closed to services.
    pub async fn open_restored(
        place: impl Into<LedgerPlace>,
        limits: UnverifiedLimits,
    ) -> Result<(Self, WriterTask), OpenError> {
        Self::open_for(Opener::Restore, place.into(), limits).await
    }

    async fn open_for(
        opener: Opener,
        place: LedgerPlace,
        limits: UnverifiedLimits,
    ) -> Result<(Self, WriterTask), OpenError> {
        match place {
            LedgerPlace::File(path) => {
                let opened = file::open::open(&path).await?;
                let disk = Some(Arc::new(Disk::of(&path)));
                let engine = SqliteEngine::new(opened.writer, opened.options, opened.lock);
                Self::start(engine, opened.readers, disk, limits).await
            }
            LedgerPlace::Postgres(url) => {
                let opened = postgres::open::open(&url, opener).await?;
                let readers = Readers {
                    requests: Pool::Postgres(opened.requests),
                    status: Pool::Postgres(opened.status),
                    relay: RelayReader::Postgres(Arc::new(opened.relay)),
                };
                let listening = opened.server.clone();
                let engine = PostgresEngine::new(opened.writer, opened.server, opener);
                let (ledger, mut writer) = Self::start(engine, readers, None, limits).await?;
                let signals = Arc::clone(&ledger.signals);
                let listener = relaying::listen(listening, move || signals.outbox_grew.notify_one());
                writer.listener = Some(tokio::spawn(listener));
                Ok((ledger, writer))
            }
        }
    }

    async fn start(
        engine: impl Engine,
        readers: Readers,
        disk: Option<Arc<Disk>>,
        limits: UnverifiedLimits,
    ) -> Result<(Self, WriterTask), OpenError> {
        let (jobs, waiting) = mpsc::channel(WAITING_MAX);
        let signals = Arc::<Signals>::default();
        let writer = Writer::new(engine, Arc::clone(&signals)).await?;
        metrics::begin();
        let closing = Stop::new();
        let task = tokio::spawn(writer.run(waiting, closing.clone()));
        let admission = Arc::new(Mutex::new(Admission::new(limits)));
        let ledger = Self { jobs: jobs.clone(), readers: readers.clone(), signals, disk, admission };
        Ok((ledger, WriterTask { task, closing, readers, listener: None, _jobs: jobs }))
    }

    /// Keeps a callback and answers it; what it did to the order is committed with it.
    pub async fn answer(&self, arrival: Arrival) -> Result<Reply, LedgerError> {
        self.decide(arrival).await
    }

    /// Keeps a callback without a valid signature, as far as the budget allows it. `false`: it was only counted.
    pub async fn keep_unverified(&self, callback: Unverified) -> Result<bool, LedgerError> {
        let is_kept = {
            let mut admission = self.admission.lock().unwrap_or_else(PoisonError::into_inner);
            let Unverified { received_at, peer, fields, .. } = &callback;
            let free_bytes = self.disk.as_ref().map_or(u64::MAX, |disk| disk.free_bytes());
            admission.admits(peer, fields.len(), *received_at, free_bytes)
        };
        let kept = if is_kept { "true" } else { "false" };
        ::metrics::counter!("tolov_unverified_callbacks_total", "kept" => kept).increment(1);
        if is_kept {
            self.decide(callback).await?;
        }
        Ok(is_kept)
    }

    /// Keeps a callback that our key has signed and that was answered without the ledger's decision, as every genuine one is
    /// kept: no budget limits CLICK, and nothing that strangers send pushes it out.
    pub(crate) async fn keep_overtaken(&self, callback: Overtaken) -> Result<(), LedgerError> {
        self.decide(callback).await
    }

    /// Registers an order for payment, with what its receipt will say.
    pub async fn create_order(&self, order: NewOrder) -> Result<Outcome<OrderRefusal>, LedgerError> {
        self.decide(order).await
    }

    /// Ends an order that nobody has paid, exactly as its time limit would: money that comes afterwards is late.
    pub async fn cancel_order(
        &self,
        order_id: OrderId,
        now: Timestamp,
    ) -> Result<Outcome<EndRefusal>, LedgerError> {
        let ended = self.decide(EndOrders { order_ids: vec![order_id], at: now }).await?;
        Ok(ended.first().copied().unwrap_or(Outcome::Refused(EndRefusal::Unknown)))
    }

    /// Takes orders back as paid that other stores know to be paid and that a restored ledger has lost, with an event and a
    /// row of evidence each. Every call may be repeated. `refused` is a question to staff.
    ///
    /// For a restore, before Prepares are accepted: a second payment of such an order would be taken otherwise.
    pub async fn adopt_paid(
        &self,
        orders: Vec<PaidOrder>,
        now: Timestamp,
    ) -> Result<Vec<Outcome<AdoptRefusal>>, LedgerError> {
        self.decide_in_parts(&orders, |orders| AdoptPaid { orders, at: now }).await
    }

    /// The same of money that went back: nobody gives it back a second time. Oldest first; after the payments.
    pub async fn adopt_refunds(
        &self,
        refunds: Vec<KnownRefund>,
    ) -> Result<Vec<Outcome<AdoptRefusal>>, LedgerError> {
        self.decide_in_parts(&refunds, |refunds| AdoptRefunds { refunds }).await
    }

    /// The same of refunds as the ledger has them that is replaced: those that are over, and those that are not, of which none
    /// goes on before it is known what became of it.
    pub async fn adopt_lost_refunds(
        &self,
        refunds: Vec<Refund>,
        now: Timestamp,
    ) -> Result<Vec<Outcome<AdoptRefusal>>, LedgerError> {
        self.decide_in_parts(&refunds, |refunds| AdoptLostRefunds { refunds, at: now }).await
    }

    /// Takes over what is not paid of the ledger that is replaced: orders that can be paid or are over, and attempts, with the
    /// numbers that CLICK was given, so that a Complete finds its attempt. After the payments. May be repeated.
    pub async fn adopt_unsettled(
        &self,
        orders: Vec<UnsettledOrder>,
        now: Timestamp,
    ) -> Result<Vec<Continued>, LedgerError> {
        self.decide_in_parts(&orders, |orders| AdoptUnsettled { orders, at: now }).await
    }

    /// Takes over orders of another system with the states they have there. Their events are kept as sent, so nobody is told
    /// of them. One answer an order, in the order given. May be repeated.
    pub async fn import(
        &self,
        orders: Vec<ImportedOrder>,
        now: Timestamp,
    ) -> Result<Vec<Outcome<AdoptRefusal>>, LedgerError> {
        self.decide_in_parts(&orders, |orders| Import { orders, at: now }).await
    }

    /// Records what became of outbox rows.
    pub async fn mark_relayed(&self, marks: RelayMarks) -> Result<(), LedgerError> {
        self.decide(marks).await
    }

    /// Ends pending orders that are too old, a limited number at a time. Returns how many: 0 when none is left.
    pub async fn expire_orders(
        &self,
        created_before: Timestamp,
        now: Timestamp,
    ) -> Result<usize, LedgerError> {
        let order_ids = self.pending_orders(created_before, EXPIRE_MAX).await?;
        self.end_orders(order_ids, now).await
    }

    /// Ends those of these orders that are pending, as their time limit does. Returns how many.
    pub(crate) async fn end_orders(
        &self,
        order_ids: Vec<OrderId>,
        now: Timestamp,
    ) -> Result<usize, LedgerError> {
        if order_ids.is_empty() {
            return Ok(0);
        }
        let ended = self.decide(EndOrders { order_ids, at: now }).await?;
        Ok(ended.into_iter().filter(|ended| matches!(ended, Outcome::Applied)).count())
    }

    /// Publishes the events of orders once more, also those that were deleted after they were sent. One answer an order, in
    /// the order given. May be repeated: readers know an event by its id.
    pub async fn replay(&self, order_ids: &[OrderId]) -> Result<Vec<Outcome<ReplayRefusal>>, LedgerError> {
        let mut outcomes = Vec::with_capacity(order_ids.len());
        for part in order_ids.chunks(REPLAY_MAX) {
            outcomes.extend(self.decide(Replay { order_ids: part.to_vec() }).await?);
        }
        Ok(outcomes)
    }

    /// Deletes outbox rows that were sent before this, a limited number at a time. Returns how many.
    pub async fn prune_outbox(&self, sent_before: Timestamp) -> Result<u64, LedgerError> {
        self.maintain(Maintenance::PruneOutbox { sent_before }).await
    }

    /// Deletes unverified callbacks that came before this, and the oldest of those beyond a number of rows.
    pub async fn prune_unverified(
        &self,
        received_before: Timestamp,
        rows_max: u32,
    ) -> Result<u64, LedgerError> {
        self.maintain(Maintenance::PruneUnverified { received_before, rows_max }).await
    }

    /// Remembers what the clock was believed to be.
    pub(crate) async fn note_clock(&self, note: clock_watch::Note) -> Result<(), LedgerError> {
        self.maintain(Maintenance::NoteClock(note)).await.map(drop)
    }

    /// Whether a callback could be committed now: something was committed a moment ago, or a probe that is written is.
    pub async fn is_writable(&self, now: Timestamp) -> bool {
        let committed_at = self.signals.writer().committed_at;
        !self.jobs.is_closed()
            && (committed_at.is_some_and(|at| at.elapsed() < PROBE_AFTER)
                || self.maintain(Maintenance::Probe { now }).await.is_ok())
    }

    /// For how long the writer has been at work on one batch. Jobs that wait for it have waited at least as long.
    pub fn writer_busy(&self) -> Duration {
        self.signals.writer().busy_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Resolves when the writer has ended.
    pub(crate) async fn writer_ended(&self) {
        self.jobs.closed().await;
    }

    /// Resolves after a commit that added to the outbox. One that happened since the last call counts.
    pub async fn outbox_grew(&self) {
        self.signals.outbox_grew.notified().await;
    }

    pub(crate) fn disk(&self) -> Option<Arc<Disk>> {
        self.disk.clone()
    }

    async fn decide<D: Decision>(&self, decision: D) -> Result<D::Answer, LedgerError> {
        let (caller, answered) = oneshot::channel();
        self.submit(Job::decide(decision, caller), answered).await
    }

    /// No more than a batch has room for at a time. One answer each, in the order given.
    async fn decide_in_parts<T: Clone, A, D: Decision<Answer = Vec<A>>>(
        &self,
        items: &[T],
        decision: impl Fn(Vec<T>) -> D,
    ) -> Result<Vec<A>, LedgerError> {
        let mut answers = Vec::with_capacity(items.len());
        for part in items.chunks(ADOPT_MAX) {
            answers.extend(self.decide(decision(part.to_vec())).await?);
        }
        Ok(answers)
    }

    async fn maintain(&self, maintenance: Maintenance) -> Result<u64, LedgerError> {
        let (caller, answered) = oneshot::channel();
        self.submit(Job::Maintain(maintenance, caller), answered).await
    }

    async fn submit<T>(&self, job: Job, answered: oneshot::Receiver<T>) -> Result<T, LedgerError> {
        self.jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => LedgerError::Full,
            mpsc::error::TrySendError::Closed(_) => LedgerError::Closed,
        })?;
        match tokio::time::timeout(ANSWER_TIMEOUT, answered).await {
            Ok(Ok(answer)) => Ok(answer),
            // The writer drops the sender of a job that could not be committed.
            Ok(Err(_dropped)) => Err(LedgerError::NotCommitted),
            Err(_elapsed) => Err(LedgerError::TimedOut(ANSWER_TIMEOUT)),
        }
    }
}
