//! The state that the publishers, consumers and admins of one bus share.

use std::{
    fs::File,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::watch, time::Instant};
use tolov_domain::{
    ports::{PortError, bus::Queue},
    time::unix_ms,
};
use tolov_kit::{clock::Clock, lifecycle::Stop};

use super::leases::Leases;
use crate::sqlite::SqliteFile;

/// The longest that a write may take. Longer than the waits inside it, whose errors are more precise.
const WRITE_LIMIT: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(super) struct Store {
    pub(super) file: Arc<SqliteFile>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) retry_delays_ms: [u64; 4],
    pub(super) wakers: Wakers,
    pub(super) closing: Stop,
    queues: [Mutex<QueueState>; Queue::ALL.len()],
    last_consumer: AtomicU64,
    /// Locked until the last handle is dropped.
    _run_lock: File,
}

/// The state of one queue in memory.
#[derive(Debug)]
pub(super) struct QueueState {
    pub(super) leases: Leases,
    /// When the next delay ends. `None`: no message is delayed.
    pub(super) next_due: Option<Instant>,
}

impl Store {
    pub(super) fn new(
        file: SqliteFile,
        run_lock: File,
        clock: Arc<dyn Clock>,
        retry_delays_ms: [u64; 4],
    ) -> Self {
        // The last run may have left delayed messages.
        let queue = || Mutex::new(QueueState { leases: Leases::default(), next_due: Some(Instant::now()) });
        Self {
            file: Arc::new(file),
            clock,
            retry_delays_ms,
            wakers: Wakers::default(),
            closing: Stop::new(),
            queues: [queue(), queue()],
            last_consumer: AtomicU64::new(0),
            _run_lock: run_lock,
        }
    }

    pub(super) fn next_consumer(&self) -> u64 {
        self.last_consumer.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn queue(&self, queue: Queue) -> MutexGuard<'_, QueueState> {
        self.queues[index(queue)].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now_ms(&self) -> i64 {
        unix_ms(self.clock.now())
    }

    /// Runs a write in a task of its own: it is completed even if the caller is dropped.
    pub(super) async fn run_to_completion<T, F>(
        self: Arc<Self>,
        write: impl FnOnce(Arc<Self>) -> F,
    ) -> Result<T, PortError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, PortError>> + Send + 'static,
    {
        let writing = tokio::spawn(write(self));
        match tokio::time::timeout(WRITE_LIMIT, writing).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => {
                Err(PortError::Unavailable("the write was aborted: the process is stopping".to_owned()))
            }
            Err(_) => Err(PortError::Unavailable("the disk does not answer in time".to_owned())),
        }
    }
}

/// Wakes the consumers that wait for messages.
#[derive(Debug, Clone)]
pub(super) struct Wakers([watch::Sender<()>; Queue::ALL.len()]);

impl Default for Wakers {
    fn default() -> Self {
        Self(Queue::ALL.map(|_| watch::channel(()).0))
    }
}

impl Wakers {
    pub(super) fn wake(&self, queue: Queue) {
        self.0[index(queue)].send_replace(());
    }

    pub(super) fn watch(&self, queue: Queue) -> watch::Receiver<()> {
        self.0[index(queue)].subscribe()
    }
}

fn index(queue: Queue) -> usize {
    match queue {
        Queue::ProjectorPayments => 0,
        Queue::BotNotifications => 1,
    }
}
