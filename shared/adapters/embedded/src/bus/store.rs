//! What publishers, consumers and the operator of one bus share.

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

/// How long a write may take with all its waiting. Longer than the waits inside, so that their errors are told.
const WRITE_LIMIT: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(super) struct Store {
    pub(super) file: Arc<SqliteFile>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) retry_delays_ms: [u64; 4],
    pub(super) wakes: Wakes,
    pub(super) closing: Stop,
    readings: [Mutex<Reading>; Queue::ALL.len()],
    last_consumer: AtomicU64,
    /// Held until the last handle is gone.
    _run_lock: File,
}

/// What is known of one queue in memory.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) leases: Leases,
    /// When delayed messages are to be looked through next. `None`: there are none.
    pub(super) look_at: Option<Instant>,
}

impl Store {
    pub(super) fn new(
        file: SqliteFile,
        run_lock: File,
        clock: Arc<dyn Clock>,
        retry_delays_ms: [u64; 4],
    ) -> Self {
        // The run before may have left delayed messages.
        let reading = || Mutex::new(Reading { leases: Leases::default(), look_at: Some(Instant::now()) });
        Self {
            file: Arc::new(file),
            clock,
            retry_delays_ms,
            wakes: Wakes::default(),
            closing: Stop::new(),
            readings: [reading(), reading()],
            last_consumer: AtomicU64::new(0),
            _run_lock: run_lock,
        }
    }

    pub(super) fn next_consumer(&self) -> u64 {
        self.last_consumer.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn reading(&self, queue: Queue) -> MutexGuard<'_, Reading> {
        self.readings[place(queue)].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now_ms(&self) -> i64 {
        unix_ms(self.clock.now())
    }

    /// Runs a write in a task of its own, so that it is not cut in half when its caller is dropped.
    pub(super) async fn to_the_end<T, F>(
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
                Err(PortError::Unavailable("the write was cut off; the process is stopping".to_owned()))
            }
            Err(_) => Err(PortError::Unavailable("the disk does not answer in time".to_owned())),
        }
    }
}

/// Tells waiting consumers that there may be something for them.
#[derive(Debug, Clone)]
pub(super) struct Wakes([watch::Sender<()>; Queue::ALL.len()]);

impl Default for Wakes {
    fn default() -> Self {
        Self(Queue::ALL.map(|_| watch::channel(()).0))
    }
}

impl Wakes {
    pub(super) fn wake(&self, queue: Queue) {
        self.0[place(queue)].send_replace(());
    }

    pub(super) fn watch(&self, queue: Queue) -> watch::Receiver<()> {
        self.0[place(queue)].subscribe()
    }
}

fn place(queue: Queue) -> usize {
    match queue {
        Queue::ProjectorPayments => 0,
        Queue::BotNotifications => 1,
    }
}
