//! The bus: one table of messages, and in memory who reads what at the moment.

use std::{
    fs::{File, TryLockError},
    path::Path,
    sync::Arc,
};

use tolov_domain::ports::{
    PortError,
    bus::{BusAdmin, Consumer, Publisher, Queue},
};
use tolov_kit::clock::Clock;

mod admin;
mod consumer;
mod leases;
mod publisher;
mod store;
mod topic;

pub use admin::EmbeddedBusAdmin;
use consumer::EmbeddedConsumer;
use publisher::EmbeddedPublisher;
use store::{Store, Wakes};

use crate::sqlite::SqliteFile;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/bus");

pub(crate) const FILE_NAME: &str = "bus.db";
pub(crate) const LOCK_NAME: &str = "bus.lock";

/// A message bus in a file, run by one process.
///
/// What was published is on the disk when it is confirmed. What a reader holds is known in memory alone: after a
/// restart, however it came, everything that was not settled is delivered again.
#[derive(Debug)]
pub struct EmbeddedBus {
    store: Arc<Store>,
}

impl EmbeddedBus {
    /// Opens `bus.db` in the folder; both are made where they are missing.
    ///
    /// Refused while another process runs the bus of this folder. `retry_delays_ms` is the ladder, in the product
    /// [`tolov_domain::ports::bus::RETRY_DELAYS_MS`].
    pub async fn open(
        dir: &Path,
        clock: Arc<dyn Clock>,
        retry_delays_ms: [u64; 4],
    ) -> Result<Self, PortError> {
        let file = SqliteFile::open(dir.join(FILE_NAME), &MIGRATIONS).await?;
        let run_lock = lock(&dir.join(LOCK_NAME))?;
        Ok(Self { store: Arc::new(Store::new(file, run_lock, clock, retry_delays_ms)) })
    }

    /// The operator's side of a bus that this or another process runs, or that nobody runs.
    pub async fn admin_of(dir: &Path, clock: Arc<dyn Clock>) -> Result<EmbeddedBusAdmin, PortError> {
        let file = SqliteFile::open_beside(dir.join(FILE_NAME)).await?;
        Ok(EmbeddedBusAdmin::new(Arc::new(file), clock, Wakes::default()))
    }

    pub fn publisher(&self) -> Arc<dyn Publisher> {
        Arc::new(EmbeddedPublisher::new(Arc::clone(&self.store)))
    }

    /// A new reader. What it has not settled when its last handle is dropped is delivered again.
    pub fn consumer(&self, queue: Queue) -> Arc<dyn Consumer> {
        Arc::new(EmbeddedConsumer::new(Arc::clone(&self.store), queue))
    }

    pub fn admin(&self) -> Arc<dyn BusAdmin> {
        Arc::new(EmbeddedBusAdmin::new(
            Arc::clone(&self.store.file),
            Arc::clone(&self.store.clock),
            self.store.wakes.clone(),
        ))
    }

    /// Ends every waiting `receive`, finishes what is being written and closes the file. All handles are
    /// `Unavailable` after it.
    pub async fn close(&self) -> Result<(), PortError> {
        self.store.closing.cancel();
        self.store.file.close().await
    }
}

/// Two processes would deliver everything twice, since each knows only its own readers.
pub(crate) fn lock(path: &Path) -> Result<File, PortError> {
    let failed = |error: std::io::Error| {
        PortError::Refused(format!("cannot lock {}: {error}; change the folder's owner", path.display()))
    };
    let file = File::options().create(true).append(true).open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(PortError::Refused(format!(
            "another process runs the bus of this folder ({} is locked); stop it, or give this one another folder",
            path.display()
        ))),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}
