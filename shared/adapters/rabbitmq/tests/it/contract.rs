//! The contract suite of the bus.

use std::sync::Arc;

use async_trait::async_trait;
use tolov_contract::bus::BusWorld;
use tolov_domain::ports::bus::{BusAdmin, Consumer, Publisher, Queue};
use tolov_rabbitmq::{RabbitBus, RabbitOptions};

use crate::world::{amqp_url, options};

struct RabbitWorld(RabbitBus);

#[async_trait]
impl BusWorld for RabbitWorld {
    async fn publisher(&self) -> Arc<dyn Publisher> {
        Arc::new(self.0.publisher())
    }

    async fn consumer(&self, queue: Queue) -> Arc<dyn Consumer> {
        Arc::new(self.0.consumer(queue))
    }

    async fn admin(&self) -> Arc<dyn BusAdmin> {
        Arc::new(self.0.admin())
    }

    async fn close(self: Box<Self>) {
        self.0.delete_prefixed_topology().await.unwrap();
    }
}

async fn fresh_world() -> anyhow::Result<RabbitWorld> {
    // Some behaviours receive more than production's prefetch before they settle.
    let options = RabbitOptions { prefetch: 1_000, ..options() };
    Ok(RabbitWorld(RabbitBus::try_new(&amqp_url()?, options)?))
}

tolov_contract::bus_contract!(fresh_world);
