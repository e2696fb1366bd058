//! The shop store: documents, and the log of notifications.

use std::{path::Path, sync::Arc};

use tolov_domain::ports::PortError;

mod documents;
mod notifications;
mod queries;
mod values;
mod write_queue;

use self::write_queue::WriteQueue;
use crate::sqlite::SqliteFile;

pub(crate) const FILE_NAME: &str = "shop.db";

/// A shop store in a file. Clones share it; several processes may have it open at once.
#[derive(Debug, Clone)]
pub struct EmbeddedShop {
    file: Arc<SqliteFile>,
    writes: Arc<WriteQueue>,
}

impl EmbeddedShop {
    /// Opens `shop.db` in the folder. Both are created where they are missing, for their owner alone.
    pub async fn open(dir: &Path) -> Result<Self, PortError> {
        let file = SqliteFile::open(dir.join(FILE_NAME), sqlx::migrate!("migrations/shop")).await?;
        Ok(Self { file: Arc::new(file), writes: Arc::default() })
    }

    /// Finishes what is being written and closes the file. Calls after it are `Unavailable`.
    pub async fn close(&self) -> Result<(), PortError> {
        self.file.close().await
    }
}
