//! The suites that every adapter runs.

use std::sync::Arc;

use async_trait::async_trait;
use tempfile::TempDir;
use tolov_contract::{
    bus::{BusWorld, RETRY_DELAYS_MS},
    shop::ShopWorld,
};
use tolov_domain::ports::{
    bus::{BusAdmin, Consumer, Publisher, Queue},
    shop::ShopStore,
};
use tolov_embedded::{EmbeddedBus, EmbeddedShop};
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

/// Every handle has the file open for itself, as another process would.
struct ShopInFolder(TempDir);

async fn fresh_shop() -> anyhow::Result<ShopInFolder> {
    let folder = tempfile::tempdir()?;
    EmbeddedShop::open(folder.path()).await?.close().await?;
    Ok(ShopInFolder(folder))
}

#[async_trait]
impl ShopWorld for ShopInFolder {
    async fn store(&self) -> Arc<dyn ShopStore> {
        Arc::new(EmbeddedShop::open(self.0.path()).await.unwrap())
    }

    async fn close(self: Box<Self>) {}
}

tolov_contract::bus_contract!(fresh_bus);
tolov_contract::shop_contract!(fresh_shop);
