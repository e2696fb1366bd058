//! The bus: one table of messages, and leases in memory.

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
mod settle;
mod store;

pub use admin::EmbeddedBusAdmin;
use consumer::EmbeddedConsumer;
use publisher::EmbeddedPublisher;
use store::{Store, Wakers};

use crate::{private, sqlite::SqliteFile};

pub(crate) const FILE_NAME: &str = "bus.db";
pub(crate) const LOCK_NAME: &str = "bus.lock";

/// A message bus in a file, run by one process.
///
/// A message is on the disk when it is confirmed. Leases are in memory: after a restart or a crash everything that was
/// not settled is delivered again. How often a message was delivered is on the disk too.
#[derive(Debug)]
pub struct EmbeddedBus {
    store: Arc<Store>,
}

impl EmbeddedBus {
    /// Opens `bus.db` in the folder and creates both where they are missing, readable by their owner alone.
    ///
    /// Refused while another process runs the bus of this folder. `retry_delays_ms` are the delays before each retry,
    /// in production [`tolov_domain::ports::bus::RETRY_DELAYS_MS`].
    pub async fn open(
        dir: &Path,
        clock: Arc<dyn Clock>,
        retry_delays_ms: [u64; 4],
    ) -> Result<Self, PortError> {
        let path = dir.join(FILE_NAME);
        let failed = |error: std::io::Error| {
            PortError::Refused(format!(
                "cannot create {}: {error}; change the owner of the folder, or name another one",
                path.display()
            ))
        };
        private::create_folder(dir).map_err(failed)?;
        // Before the file is touched: another process may be replacing it.
        let run_lock = lock(&dir.join(LOCK_NAME))?;
        private::create_file(&path).map_err(failed)?;
        let file = SqliteFile::open(path, sqlx::migrate!("migrations/bus")).await?;
        Ok(Self { store: Arc::new(Store::new(file, run_lock, clock, retry_delays_ms)) })
    }

    /// The operator's side of a bus that this, another or no process runs.
    pub async fn admin_of(dir: &Path, clock: Arc<dyn Clock>) -> Result<EmbeddedBusAdmin, PortError> {
        let file = SqliteFile::open_beside(dir.join(FILE_NAME)).await?;
        Ok(EmbeddedBusAdmin::new(Arc::new(file), clock, Wakers::default()))
    }

    pub fn publisher(&self) -> Arc<dyn Publisher> {
        Arc::new(EmbeddedPublisher::new(Arc::clone(&self.store)))
    }

    /// A new reader. What it has not settled when it is dropped is delivered again.
    pub fn consumer(&self, queue: Queue) -> Arc<dyn Consumer> {
        Arc::new(EmbeddedConsumer::new(Arc::clone(&self.store), queue))
    }

    pub fn admin(&self) -> Arc<dyn BusAdmin> {
        Arc::new(EmbeddedBusAdmin::new(
            Arc::clone(&self.store.file),
            Arc::clone(&self.store.clock),
            self.store.wakers.clone(),
        ))
    }

    /// Ends every waiting `receive`, finishes the current write and closes the file. Every later call is
    /// `Unavailable`.
    pub async fn close(&self) -> Result<(), PortError> {
        self.store.closing.cancel();
        self.store.file.close().await
    }
}

/// Two processes would deliver everything twice, since each knows only its own leases.
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
