//! The contract suites.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tolov_contract::{
    bus::{BusWorld, RETRY_DELAYS_MS},
    documents::DocumentsWorld,
    notifications::NotificationsWorld,
};
use tolov_domain::ports::{
    bus::{BusAdmin, Consumer, Publisher, Queue},
    documents::{Collection, Documents, Key},
    notifications::NotificationLog,
};
use tolov_embedded::{EmbeddedBus, EmbeddedShop, backup::StoreFile};
use tolov_kit::clock::SystemClock;

struct BusInFolder {
    bus: EmbeddedBus,
    _folder: TempDir,
}

async fn fresh_bus() -> anyhow::Result<BusInFolder> {
    let folder = tempfile::tempdir()?;
    let bus = EmbeddedBus::open(folder.path(), Arc::new(SystemClock), RETRY_DELAYS_MS).await?;
    Ok(BusInFolder { bus, _folder: folder })
}

#[async_trait]
impl BusWorld for BusInFolder {
    async fn publisher(&self) -> Arc<dyn Publisher> {
        self.bus.publisher()
    }

    async fn consumer(&self, queue: Queue) -> Arc<dyn Consumer> {
        self.bus.consumer(queue)
    }

    async fn admin(&self) -> Arc<dyn BusAdmin> {
        self.bus.admin()
    }

    async fn close(self: Box<Self>) {
        self.bus.close().await.unwrap();
    }
}

/// Every handle opens the file for itself, as another process would.
struct ShopInFolder(TempDir);

impl ShopInFolder {
    async fn open(&self) -> Arc<EmbeddedShop> {
        Arc::new(EmbeddedShop::open(self.0.path()).await.unwrap())
    }
}

async fn fresh_shop() -> anyhow::Result<ShopInFolder> {
    let folder = tempfile::tempdir()?;
    EmbeddedShop::open(folder.path()).await?.close().await?;
    Ok(ShopInFolder(folder))
}

#[async_trait]
impl DocumentsWorld for ShopInFolder {
    async fn documents(&self) -> Arc<dyn Documents> {
        self.open().await
    }

    async fn damage(&self, collection: Collection, key: &Key) -> anyhow::Result<()> {
        let options = SqliteConnectOptions::new().filename(self.0.path().join(StoreFile::Shop.name()));
        let mut connection = options.connect().await?;
        let damage = "UPDATE documents SET body = '[]' WHERE collection = ?1 AND key || '' = ?2";
        let damaged = sqlx::query(damage).bind(collection.name()).bind(key.to_string());
        anyhow::ensure!(damaged.execute(&mut connection).await?.rows_affected() == 1, "{key} is not there");
        Ok(connection.close().await?)
    }

    async fn close(self: Box<Self>) {}
}

#[async_trait]
impl NotificationsWorld for ShopInFolder {
    async fn notification_log(&self) -> Arc<dyn NotificationLog> {
        self.open().await
    }
}

tolov_contract::bus_contract!(fresh_bus);
tolov_contract::documents_contract!(fresh_shop);
tolov_contract::notifications_contract!(fresh_shop);
