//! The ledger: SQLite, one writer task that owns the only writing connection, and a few readers.
//!
//! Every answer is given after COMMIT. Whatever waits is committed together (group commit), so that durability costs
//! one fsync a batch and not one a callback. The numbers are in docs/decisions/0003-one-writer-group-commit.md.

pub mod backup;
mod batch;
mod books;
mod counted;
mod open;
mod read;
pub mod republish;
pub mod restore;
mod rows;
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
use tolov_click::{Callback, ClickCode, Reply};
use tolov_domain::{OrderId, OrderedProduct, Tiyin, UserId, time::Timestamp};
use tolov_kit::lifecycle::Stop;

pub use self::{
    open::OpenError,
    read::{AttemptRecord, CallbackRecord, OrderRecord, OutboxRow, OutboxStatus},
};

/// Why the ledger gave no answer. CLICK hears -7 and comes again; its retry then succeeds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    #[error("too many requests wait for the ledger; try again at once")]
    Full,
    /// Whether the write took place is unknown to the caller; a repetition finds out.
    #[error("the ledger did not answer within {0} ms")]
    TimedOut(u128),
    #[error("the ledger cannot write: {0}")]
    Storage(String),
    /// A rule of the schema was broken: a bug, which the schema has kept from doing harm.
    #[error("the ledger refused a write: {0}")]
    Rule(String),
    #[error("the ledger is closed")]
    Closed,
}

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error() {
            // SQLITE_CONSTRAINT and its extended codes; RAISE(ABORT) of a trigger is one of them.
            Some(refusal)
                if refusal
                    .code()
                    .and_then(|code| code.parse::<u32>().ok())
                    .is_some_and(|code| code % 256 == 19) =>
            {
                Self::Rule(refusal.message().to_owned())
            }
            _ => Self::Storage(error.to_string()),
        }
    }
}

/// A callback as it arrived, with what its signature and its fields made of it.
#[derive(Debug)]
pub struct Arrival {
    pub received_at: Timestamp,
    pub peer: String,
    /// The fields without the signature, as JSON.
    pub fields: String,
    pub content: Content,
}

#[derive(Debug)]
pub enum Content {
    /// Well signed and understood: the ledger decides.
    Callback(Callback),
    /// Well signed, but refused before the ledger was asked.
    Refused(ClickCode),
    /// Nobody knows who sent it. It is kept, and nothing else happens.
    Unverified(ClickCode),
}

/// An order to be registered for payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    pub order_id: OrderId,
    pub user_id: UserId,
    pub products: Vec<OrderedProduct>,
    pub amount: Tiyin,
    pub created_at: Timestamp,
}

/// What became of [`Ledger::create_order`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Creation {
    Created,
    /// The very same order was there already.
    Existed,
    /// The number is taken by an order that differs in this field.
    Conflict(&'static str),
}

/// What became of [`Ledger::cancel_order`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancellation {
    /// The order is over: it stands in the ledger as expired.
    Now,
    /// It was over already, by its time limit or by an earlier cancellation.
    Before,
    /// The money is in: nothing changes.
    Paid,
    /// There is no such order.
    Unknown,
}

/// What the bus made of a window of outbox rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelayMarks {
    pub sent: Vec<i64>,
    /// Row, when to try it again, and why it was refused.
    pub refused: Vec<(i64, Timestamp, String)>,
    pub at_ms: i64,
}

/// Work for the writer.
#[derive(Debug)]
enum Job {
    Arrival(Box<Arrival>, oneshot::Sender<Reply>),
    NewOrder(Box<NewOrder>, oneshot::Sender<Creation>),
    /// End a pending order at this instant, without waiting for its time limit.
    Cancel(OrderId, Timestamp, oneshot::Sender<Cancellation>),
    RelayMarks(RelayMarks, oneshot::Sender<()>),
    /// Expire orders created before the first instant; the second is now.
    Expire {
        created_before: Timestamp,
        now: Timestamp,
        expired: oneshot::Sender<usize>,
    },
    /// Forget sent outbox rows older than this.
    PruneOutbox {
        sent_before: Timestamp,
        pruned: oneshot::Sender<u64>,
    },
    /// Write something, to see whether that works.
    Probe {
        now: Timestamp,
        written: oneshot::Sender<()>,
    },
}

/// How many verified requests may wait for the writer.
const WAITING_MAX: usize = 4096;
/// How many unverified callbacks may wait to be kept: a flood of forgeries must not slow down the genuine ones.
const UNVERIFIED_WAITING_MAX: usize = 1024;
/// The longest that a caller waits for its commit.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

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
            tracing::error!(%error, "the ledger's writer ended badly");
        }
    }
}

impl Ledger {
    /// Opens the file, makes it where there is none, and starts the writer.
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
    /// An unverified one is answered also when too many others wait to be kept: it is then only counted in the log.
    pub async fn answer(&self, arrival: Arrival) -> Result<Reply, LedgerError> {
        let unverified = match &arrival.content {
            Content::Unverified(code) => Some(*code),
            Content::Callback(_) | Content::Refused(_) => None,
        };
        let (reply, answered) = oneshot::channel();
        let job = Job::Arrival(Box::new(arrival), reply);
        let Some(code) = unverified else {
            return self.ask(&self.jobs, job, answered).await;
        };
        match self.ask(&self.unverified, job, answered).await {
            Err(LedgerError::Full) => {
                tracing::warn!("too many unverified callbacks at once: one was refused without being kept");
                Ok(Reply::code(code))
            }
            other => other,
        }
    }

    /// Registers an order for payment.
    pub async fn create_order(&self, order: NewOrder) -> Result<Creation, LedgerError> {
        let (reply, answered) = oneshot::channel();
        self.ask(&self.jobs, Job::NewOrder(Box::new(order), reply), answered).await
    }

    /// Ends an order that nobody has paid, exactly as its time limit would: money that comes afterwards is late.
    pub async fn cancel_order(&self, order_id: OrderId, now: Timestamp) -> Result<Cancellation, LedgerError> {
        let (reply, answered) = oneshot::channel();
        self.ask(&self.jobs, Job::Cancel(order_id, now, reply), answered).await
    }

    /// Records what became of outbox rows.
    pub async fn mark_relayed(&self, marks: RelayMarks) -> Result<(), LedgerError> {
        let (reply, answered) = oneshot::channel();
        self.ask(&self.jobs, Job::RelayMarks(marks, reply), answered).await
    }

    /// Expires pending orders that are too old, a limited number at a time. Returns how many.
    pub async fn expire_orders(
        &self,
        created_before: Timestamp,
        now: Timestamp,
    ) -> Result<usize, LedgerError> {
        let (expired, answered) = oneshot::channel();
        self.ask(&self.jobs, Job::Expire { created_before, now, expired }, answered).await
    }

    /// Deletes outbox rows that were sent long ago, a limited number at a time. Returns how many.
    pub async fn prune_outbox(&self, sent_before: Timestamp) -> Result<u64, LedgerError> {
        let (pruned, answered) = oneshot::channel();
        self.ask(&self.jobs, Job::PruneOutbox { sent_before, pruned }, answered).await
    }

    /// Whether a callback could be committed now: the last commit succeeded, or a probe that is written does.
    pub async fn is_writable(&self, now: Timestamp) -> bool {
        if self.jobs.is_closed() {
            return false;
        }
        if self.signals.last_commit_succeeded.load(Ordering::Relaxed) {
            return true;
        }
        let (written, answered) = oneshot::channel();
        self.ask(&self.jobs, Job::Probe { now, written }, answered).await.is_ok()
    }

    /// Resolves after a commit that added to the outbox. One that happened since the last call counts.
    pub async fn outbox_grew(&self) {
        self.signals.outbox_grew.notified().await;
    }

    async fn ask<T>(
        &self,
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
            // The writer drops the sender of a job that could not be committed; it has logged why.
            Ok(Err(_dropped)) => Err(LedgerError::Storage("the commit failed, see the log".to_owned())),
            Err(_elapsed) => Err(LedgerError::TimedOut(ANSWER_TIMEOUT.as_millis())),
        }
    }
}
