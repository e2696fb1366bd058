//! The ports in memory pass the suites of the adapters.

use std::sync::Arc;

use async_trait::async_trait;
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
use tolov_simulation::{bus::MemoryBus, store::MemoryStore};

struct Bus(MemoryBus);

#[async_trait]
impl BusWorld for Bus {
    async fn publisher(&self) -> Arc<dyn Publisher> {
        Arc::new(self.0.clone())
    }

    async fn consumer(&self, queue: Queue) -> Arc<dyn Consumer> {
        Arc::new(self.0.consumer(queue))
    }

    async fn admin(&self) -> Arc<dyn BusAdmin> {
        Arc::new(self.0.clone())
    }

    async fn close(self: Box<Self>) {}
}

struct Store(MemoryStore);

#[async_trait]
impl DocumentsWorld for Store {
    async fn documents(&self) -> Arc<dyn Documents> {
        Arc::new(self.0.clone())
    }

    async fn damage(&self, collection: Collection, key: &Key) -> anyhow::Result<()> {
        self.0.documents.damage(collection, key);
        Ok(())
    }

    async fn close(self: Box<Self>) {}
}

#[async_trait]
impl NotificationsWorld for Store {
    async fn notification_log(&self) -> Arc<dyn NotificationLog> {
        Arc::new(self.0.clone())
    }
}

async fn fresh_bus() -> anyhow::Result<Bus> {
    Ok(Bus(MemoryBus::with_retry_delays(RETRY_DELAYS_MS)))
}

async fn fresh_store() -> anyhow::Result<Store> {
    Ok(Store(MemoryStore::default()))
}

tolov_contract::bus_contract!(fresh_bus);

mod documents {
    use super::fresh_store;

    tolov_contract::documents_contract!(fresh_store);
}

mod notifications {
    use super::fresh_store;

    tolov_contract::notifications_contract!(fresh_store);
}
