//! The message bus on RabbitMQ (3.10 and later, 4.x): the ports of [`tolov_domain::ports::bus`] through lapin.
//!
//! The only crate that names lapin, but for the bench that compares them. Files in reading order: `options`, `topology` (exchanges and queues),
//! `connection`, `message` (properties and headers), then a file for each port.
//!
//! Publishing has a connection of its own, because RabbitMQ blocks publishing connections under a memory or disk alarm
//! and consumers must go on. Nothing here fails because the broker is away: connections are opened when they are
//! needed, again and again, and the caller gets [`PortError::Unavailable`](tolov_domain::ports::PortError) in bounded
//! time.

mod admin;
mod connection;
mod consumer;
mod failure;
mod message;
mod options;
mod publisher;
mod settle;
mod shared;
mod showing;
mod topology;
mod unacked;
mod window;

use std::sync::Arc;

pub use admin::RabbitAdmin;
pub use consumer::RabbitConsumer;
pub use options::RabbitOptions;
pub use publisher::RabbitPublisher;
use tolov_domain::ports::{PortError, bus::Queue};

use crate::{connection::Target, shared::Shared, topology::Topology, window::WindowPublisher};

/// Our exchanges and queues on a RabbitMQ broker. The ports share one connection for publishing.
#[derive(Debug, Clone)]
pub struct RabbitBus {
    shared: Arc<Shared>,
}

impl RabbitBus {
    /// Parses the address and connects to nothing. Refuses an address or options that can never work.
    ///
    /// `amqp://user:password@host:port/vhost`, or `amqps://` for TLS; without a path the vhost is `/`. The nodes of a cluster
    /// have a comma between them (`host:port,host:port`): connections go to the first that answers.
    pub fn try_new(address: &str, options: RabbitOptions) -> Result<Self, PortError> {
        options.check()?;
        let target = Target::parse(address, &options)?;
        let topology = Topology::new(&options);
        let publisher = WindowPublisher::new(target.clone(), topology.clone(), &options);
        Ok(Self { shared: Arc::new(Shared { target, topology, options, publisher }) })
    }

    pub fn publisher(&self) -> RabbitPublisher {
        RabbitPublisher::new(Arc::clone(&self.shared))
    }

    /// A consumer of the queue, with a connection of its own from the first `receive` on.
    pub fn consumer(&self, queue: Queue) -> RabbitConsumer {
        RabbitConsumer::new(Arc::clone(&self.shared), queue)
    }

    pub fn admin(&self) -> RabbitAdmin {
        RabbitAdmin::new(Arc::clone(&self.shared))
    }

    /// Connects once and declares every exchange and queue, to check them before the start. The ports do the same
    /// whenever they connect.
    pub async fn declare(&self) -> Result<(), PortError> {
        let connection = connection::BrokerConnection::open(&self.shared.target, "declare").await?;
        self.shared.topology.declare(&connection).await
    }

    /// Deletes every queue and exchange of this bus with all messages; for tests. Refused without a name prefix, so that
    /// production cannot be deleted by mistake.
    pub async fn delete_prefixed_topology(&self) -> Result<(), PortError> {
        let connection = connection::BrokerConnection::open(&self.shared.target, "delete").await?;
        self.shared.topology.delete(&connection).await
    }

    /// Closes the publishing connection and waits until those of dropped consumers and admins are closed too, in
    /// bounded time. To be called when they are dropped and before the runtime ends. Publishing is `Unavailable` after
    /// it.
    pub async fn close(&self) {
        self.shared.publisher.close().await;
        self.shared.target.all_closed().await;
    }
}
