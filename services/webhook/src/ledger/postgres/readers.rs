//! Sessions for reading, a limited number, kept open: under load a new one may take longer than a caller waits.
//!
//! Each reading has a limit on this side. A server that has gone silent is given up, and its sessions with it: sqlx's own pool
//! would ask such a session, without a limit, whether it can be used again.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sqlx::{Connection, PgConnection};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::session::{Server, within, within_limit};

/// Clones share the sessions.
#[derive(Debug, Clone)]
pub(in crate::ledger) struct ReadingSessions(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    server: Server,
    /// The longest that one reading takes, with the wait for a session.
    limit: Duration,
    free: Semaphore,
    idle: Mutex<Vec<PgConnection>>,
}

/// A session for one reading.
pub(in crate::ledger) struct ReadingSession<'s> {
    connection: PgConnection,
    shared: &'s Shared,
    _permit: SemaphorePermit<'s>,
}

impl ReadingSessions {
    pub(super) async fn open(server: Server, count: usize, limit: Duration) -> Result<Self, sqlx::Error> {
        let mut idle = Vec::with_capacity(count);
        for _ in 0..count {
            idle.push(server.connect().await?);
        }
        let (free, idle) = (Semaphore::new(count), Mutex::new(idle));
        Ok(Self(Arc::new(Shared { server, limit, free, idle })))
    }

    /// Reads within the limit. What is cut off, or fails, gives no session back.
    pub(in crate::ledger) async fn within_limit<T>(
        &self,
        reading: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        let read = within(self.0.limit, reading).await;
        if matches!(read, Err(sqlx::Error::Io(_))) {
            // The others are with the same server.
            self.0.idle().clear();
        }
        read
    }

    pub(in crate::ledger) async fn take(&self) -> Result<ReadingSession<'_>, sqlx::Error> {
        let shared = &*self.0;
        let permit = shared.free.acquire().await.map_err(|_closed| sqlx::Error::PoolClosed)?;
        // On the heap: what connecting needs would be on the stack of whoever reads.
        let connection = Box::pin(shared.connection()).await?;
        Ok(ReadingSession { connection, shared, _permit: permit })
    }

    /// No further reading begins. Sessions that are in use end with what is read.
    pub(in crate::ledger) async fn close(&self) {
        self.0.free.close();
        let idle = std::mem::take(&mut *self.0.idle());
        for connection in idle {
            if let Err(error) = within_limit(connection.close()).await {
                tracing::debug!(%error, "a reading session did not close cleanly");
            }
        }
    }
}

impl Shared {
    fn idle(&self) -> MutexGuard<'_, Vec<PgConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One that is open and that the server has not ended meanwhile, or a new one.
    async fn connection(&self) -> Result<PgConnection, sqlx::Error> {
        let idle = self.idle().pop();
        if let Some(mut connection) = idle {
            if connection.ping().await.is_ok() {
                return Ok(connection);
            }
            // A server that was started again has ended them all.
            self.idle().clear();
        }
        self.server.connect().await
    }
}

impl ReadingSession<'_> {
    pub(in crate::ledger) const fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// After what was read to its end.
    pub(in crate::ledger) fn give_back(self) {
        if !self.shared.free.is_closed() {
            self.shared.idle().push(self.connection);
        }
    }
}
