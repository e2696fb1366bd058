//! The ledger: SQLite, one writer task that owns the only writing connection, and a few readers.
//!
//! Every answer is given after COMMIT. Whatever waits is committed together (group commit), so that durability costs
//! one fsync a batch and not one a callback. The numbers are in docs/decisions/0003-one-writer-group-commit.md.

pub mod backup;
mod error;
mod job;
mod metrics;
mod open;
mod read;
mod requests;
pub mod restore;
mod rows;
mod working_set;
mod writer;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sqlx::SqlitePool;
use tokio::{
    sync::{Notify, mpsc, oneshot},
    task::JoinHandle,
};
use tolov_click::Reply;
use tolov_domain::{OrderId, time::Timestamp};
use tolov_kit::lifecycle::Stop;

use self::job::{Decision, EndOrders, Job, Maintenance};
pub use self::{
    error::LedgerError,
    open::OpenError,
    read::{AttemptRecord, CallbackRecord, OrderRecord, OutboxRow, OutboxStatus},
    requests::{Arrival, Content, EndRefusal, NewOrder, OrderConflict, Outcome, RefusedEvent, RelayMarks},
    rows::{AttemptStatus, OrderStatus},
};

/// How many verified requests may wait for the writer.
const WAITING_MAX: usize = 4096;
/// How many unverified callbacks may wait to be kept: a flood of forgeries must not slow down the genuine ones.
const UNVERIFIED_WAITING_MAX: usize = 1024;
/// The longest that a caller waits for its commit.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// The most orders that expire in one transaction.
const EXPIRE_MAX: u32 = 200;

/// The handle that the rest of the service holds. Clones share the one writer.
#[derive(Debug, Clone)]
pub struct Ledger {
    jobs: mpsc::Sender<Job>,
    unverified: mpsc::Sender<Job>,
    readers: SqlitePool,
    signals: Arc<Signals>,
}

/// What the writer tells everybody.
#[derive(Debug)]
struct Signals {
    outbox_grew: Notify,
    last_commit_succeeded: AtomicBool,
}

/// The writer task.
#[derive(Debug)]
pub struct WriterTask {
    task: JoinHandle<()>,
    closing: Stop,
}

impl WriterTask {
    /// Takes no further work, commits what waits and closes the file.
    pub async fn close(self) {
        self.closing.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the ledger's writer panicked");
        }
    }
}

impl Ledger {
    /// Opens the file, creates it where there is none, and starts the writer.
    ///
    /// Refuses a SQLite or settings that could lose a committed payment, and a file that another process writes.
    pub async fn open(path: &Path) -> Result<(Self, WriterTask), OpenError> {
        let opened = open::open(path).await?;
        let (jobs, waiting) = mpsc::channel(WAITING_MAX);
        let (unverified, waiting_unverified) = mpsc::channel(UNVERIFIED_WAITING_MAX);
        let signals =
            Arc::new(Signals { outbox_grew: Notify::new(), last_commit_succeeded: AtomicBool::new(true) });
        let writer =
            writer::Writer::new(opened.writer, opened.options, opened.lock, Arc::clone(&signals)).await?;
        let closing = Stop::new();
        let task = tokio::spawn(writer.run(waiting, waiting_unverified, closing.clone()));
        let writer = WriterTask { task, closing };
        Ok((Self { jobs, unverified, readers: opened.readers, signals }, writer))
    }

    /// Keeps a callback and answers it; what it did to the order is committed with it.
    ///
    /// An unverified one is answered also when too many others wait to be kept: it is then only logged.
    pub async fn answer(&self, arrival: Arrival) -> Result<Reply, LedgerError> {
        let Content::Unverified(code) = arrival.content else {
            return self.decide(&self.jobs, arrival).await;
        };
        match self.decide(&self.unverified, arrival).await {
            Err(LedgerError::Full) => {
                tracing::warn!("too many unverified callbacks at once: one was refused without being kept");
                Ok(Reply::code(code))
            }
            other => other,
        }
    }

    /// Registers an order for payment.
    pub async fn create_order(&self, order: NewOrder) -> Result<Outcome<OrderConflict>, LedgerError> {
        self.decide(&self.jobs, order).await
    }

    /// Ends an order that nobody has paid, exactly as its time limit would: money that comes afterwards is late.
    pub async fn cancel_order(
        &self,
        order_id: OrderId,
        now: Timestamp,
    ) -> Result<Outcome<EndRefusal>, LedgerError> {
        let ended = self.decide(&self.jobs, EndOrders { order_ids: vec![order_id], at: now }).await?;
        Ok(ended.first().copied().unwrap_or(Outcome::Refused(EndRefusal::Unknown)))
    }

    /// Records what became of outbox rows.
    pub async fn mark_relayed(&self, marks: RelayMarks) -> Result<(), LedgerError> {
        self.decide(&self.jobs, marks).await
    }

    /// Ends pending orders that are too old, a limited number at a time. Returns how many were due: 0 when none is left.
    pub async fn expire_orders(
        &self,
        created_before: Timestamp,
        now: Timestamp,
    ) -> Result<usize, LedgerError> {
        let order_ids = self.pending_orders(created_before, EXPIRE_MAX).await?;
        if order_ids.is_empty() {
            return Ok(0);
        }
        let ended = self.decide(&self.jobs, EndOrders { order_ids, at: now }).await?;
        Ok(ended.into_iter().filter(|ended| matches!(ended, Outcome::Applied)).count())
    }

    /// Deletes outbox rows that were sent long ago, a limited number at a time. Returns how many.
    pub async fn prune_outbox(&self, sent_before: Timestamp) -> Result<u64, LedgerError> {
        self.maintain(Maintenance::PruneOutbox { sent_before }).await
    }

    /// Whether a callback could be committed now: the last commit succeeded, or a probe that is written does.
    pub async fn is_writable(&self, now: Timestamp) -> bool {
        !self.jobs.is_closed()
            && (self.signals.last_commit_succeeded.load(Ordering::Relaxed)
                || self.maintain(Maintenance::Probe { now }).await.is_ok())
    }

    /// Resolves after a commit that added to the outbox. One that happened since the last call counts.
    pub async fn outbox_grew(&self) {
        self.signals.outbox_grew.notified().await;
    }

    async fn decide<D: Decision>(
        &self,
        queue: &mpsc::Sender<Job>,
        decision: D,
    ) -> Result<D::Answer, LedgerError> {
        let (caller, answered) = oneshot::channel();
        submit(queue, Job::decide(decision, caller), answered).await
    }

    async fn maintain(&self, maintenance: Maintenance) -> Result<u64, LedgerError> {
        let (caller, answered) = oneshot::channel();
        submit(&self.jobs, Job::Maintain(maintenance, caller), answered).await
    }
}

async fn submit<T>(
    queue: &mpsc::Sender<Job>,
    job: Job,
    answered: oneshot::Receiver<T>,
) -> Result<T, LedgerError> {
    queue.try_send(job).map_err(|error| match error {
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
